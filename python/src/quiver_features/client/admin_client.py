"""The client of a server's administration: typed calls of quiver.v1.AdminService."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import grpc

from .administration import steps
from .administration.states import Reloaded, RolledBack, TrafficSet, Versions
from .administration.traffic import Traffic
from .connection import Connection


class AdminClient(Connection):
    """Lists and changes what a running server serves, at its admin port.

    >>> with AdminClient("127.0.0.1:9464") as admin:
    ...     admin.set_traffic("ads_ctr", weights={3: 0.99, 4: 0.01}, routing_key="user_id")
    ...     admin.versions().to_frame()

    The arguments are those of ``Client``. Calls that load versions take as long as that does: there is no timeout
    unless one is given.
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

    def reload(self, *, timeout: float | None = None) -> Reloaded:
        """Looks for new, changed and removed versions and policies, loads them beside the traffic and publishes them.

        Versions that failed are tried again.

        Raises:
            RequestError: If the call fails. A version that can't be served is no failure: it is among the changes.
        """
        return self._run(steps.reload(), timeout)

    def versions(self, *, timeout: float | None = None) -> Versions:
        """Every version on disk and in memory, with its state, share of the traffic, memory and problems.

        Raises:
            RequestError: If the call fails.
        """
        return self._run(steps.list_versions(), timeout)

    def set_traffic(
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
        """Sets which version answers requests that name none, and writes it to ``policy.json``.

        One of ``latest``, ``pinned`` and ``weights`` is given. A version that is named is loaded first if it is not in
        memory.

        Args:
            feature_set: The feature set's name.
            table: The table's name, for the version that feature sets read where they name none.
            latest: The highest version that can be served answers.
            pinned: This version answers, and no other.
            weights: Several versions answer, each a share of the requests: ``{3: 0.99, 4: 0.01}``.
            routing_key: The input of request scope whose values decide which of them; requests with the same one get
                the same version.
            seed: The seed of the hash that decides: splits with different ones are independent of each other.
            shadow: A version that is computed beside the answer for a share of the requests, and compared with it:
                ``{5: 0.1}``.
            keep: How many of the highest versions stay in memory beside those named here; 0 for 2.
            timeout: Seconds for this call.

        Raises:
            RequestError: With every problem of the policy; NOT_FOUND if there is no such feature set or table.
        """
        target = steps.target_of(feature_set, table)
        traffic = Traffic(latest, pinned, weights or {}, routing_key, seed, shadow or {}, keep)
        return self._run(steps.set_traffic(target, traffic), timeout)

    def rollback(
        self, feature_set: str | None = None, *, table: str | None = None, timeout: float | None = None
    ) -> RolledBack:
        """Returns to the version that answered before the current one, and pins it.

        Args:
            feature_set: The feature set's name.
            table: The table's name, instead.
            timeout: Seconds for this call.

        Raises:
            RequestError: FAILED_PRECONDITION where there is no version before.
        """
        return self._run(steps.rollback(steps.target_of(feature_set, table)), timeout)
