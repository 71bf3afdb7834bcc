"""The client of a server's administration for asyncio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import grpc

from ..client.administration import steps
from ..client.administration.states import Reloaded, RolledBack, TrafficSet, Versions
from ..client.administration.traffic import Traffic
from .connection import Connection


class AdminClient(Connection):
    """Lists and changes what a running server serves, within a running event loop.

    >>> async with AdminClient("127.0.0.1:9464") as admin:
    ...     await admin.rollback("ads_ctr")

    The arguments are those of ``quiver_features.AdminClient``.
    """

    _service = steps.SERVICE

    def __init__(
        self,
        address: str,
        *,
        credentials: grpc.ChannelCredentials | None = None,
        timeout: float | None = None,
        options: Sequence[tuple[str, Any]] = (),
    ) -> None:
        super().__init__(address, credentials=credentials, timeout=timeout, options=options)

    async def reload(self, *, timeout: float | None = None) -> Reloaded:
        """Looks for changed versions and policies, as ``quiver_features.AdminClient`` does.

        Raises:
            RequestError: As there.
        """
        return await self._run(steps.reload(), timeout)

    async def versions(self, *, timeout: float | None = None) -> Versions:
        """Every version on disk and in memory.

        Raises:
            RequestError: If the call fails.
        """
        return await self._run(steps.list_versions(), timeout)

    async def set_traffic(
        self,
        feature_set: str | None = None,
        *,
        table: str | None = None,
        latest: bool = False,
        pinned: int | None = None,
        weights: Mapping[int, float] | None = None,
        routing_key: str | None = None,
        seed: int = 0,
        shadow: Mapping[int, float] | None = None,
        keep: int = 0,
        timeout: float | None = None,
    ) -> TrafficSet:
        """Sets which version answers requests that name none, as ``quiver_features.AdminClient`` does.

        Raises:
            RequestError: As there.
        """
        target = steps.target_of(feature_set, table)
        traffic = Traffic(latest, pinned, weights or {}, routing_key, seed, shadow or {}, keep)
        return await self._run(steps.set_traffic(target, traffic), timeout)

    async def rollback(
        self, feature_set: str | None = None, *, table: str | None = None, timeout: float | None = None
    ) -> RolledBack:
        """Returns to the version that answered before the current one, and pins it.

        Raises:
            RequestError: FAILED_PRECONDITION where there is no version before.
        """
        return await self._run(steps.rollback(steps.target_of(feature_set, table)), timeout)
