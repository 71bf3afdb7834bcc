"""Which version answers requests that name none."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from ...proto import admin_service_pb2 as pb
from ..errors import RequestError, Violation
from ..request import text, whole_number
from ..vectors import shown

_MOST_WEIGHT = 1_000_000


@dataclass(frozen=True)
class Traffic:
    """Which version answers requests that name none: the latest, a pinned one, or several by weight.

    Attributes:
        latest: Whether it is the highest version that can be served.
        pinned: The one version that answers, or None.
        weights: The weights of several versions.
        routing_key: The input whose values decide between them; requests with the same one get the same version.
        seed: The seed of the hash that decides.
        shadow: A version that is computed beside the answer, and the share of the requests for which it is.
        keep: How many of the highest versions stay in memory; 0 for the server's own number, 2.
    """

    latest: bool = False
    pinned: int | None = None
    weights: Mapping[int, float] = field(default_factory=dict)
    routing_key: str | None = None
    seed: int = 0
    shadow: Mapping[int, float] = field(default_factory=dict)
    keep: int = 0

    def message(self) -> pb.TrafficPolicy:
        """The policy as it is sent.

        Raises:
            RequestError: With every problem that the client finds.
        """
        policy = pb.TrafficPolicy(keep=whole_number("keep", self.keep))
        violations: list[Violation] = []
        if [self.latest, self.pinned is not None, bool(self.weights)].count(True) != 1:
            one_of = "must be one of latest=True, pinned=3 and weights={3: 0.99, 4: 0.01}"
            violations.append(Violation("traffic", one_of))
        elif self.latest:
            policy.latest.SetInParent()
        elif self.pinned is not None:
            policy.pinned = whole_number("pinned", self.pinned)
        else:
            self._split(policy.weighted, violations)
        self._sample(policy, violations)
        if violations:
            raise RequestError.invalid(violations)
        return policy

    def _split(self, split: pb.WeightedSplit, violations: list[Violation]) -> None:
        for version, weight in whole_weights(self.weights, violations).items():
            split.weights.add(version=whole_number("weights", version), weight=weight)
        if self.routing_key is None:
            problem = "is missing: the input whose values decide which version answers"
            violations.append(Violation("routing_key", problem))
        else:
            split.routing_key = text("routing_key", self.routing_key)
        try:
            split.seed = self.seed
        except (TypeError, ValueError):
            problem = f"is {shown(self.seed)}, must be an integer from 0 to {(1 << 64) - 1}"
            violations.append(Violation("seed", problem))

    def _sample(self, policy: pb.TrafficPolicy, violations: list[Violation]) -> None:
        """The shadow's part."""
        if len(self.shadow) > 1:
            violations.append(Violation("shadow", f"has {len(self.shadow)} versions, must have one"))
        for version, rate in self.shadow.items():
            policy.shadow.version = whole_number("shadow", version)
            try:
                policy.shadow.sample_rate = rate
            except TypeError:
                violations.append(Violation("shadow", f"has the share {shown(rate)}, must be a number"))

    @classmethod
    def of_message(cls, policy: pb.TrafficPolicy) -> Traffic:
        """The policy as a server has it."""
        serve = policy.WhichOneof("serve")
        split = policy.weighted
        return cls(
            serve == "latest",
            policy.pinned if serve == "pinned" else None,
            {one.version: one.weight for one in split.weights},
            split.routing_key or None,
            split.seed,
            {policy.shadow.version: policy.shadow.sample_rate} if policy.HasField("shadow") else {},
            policy.keep,
        )


def whole_weights(weights: Mapping[int, float], violations: list[Violation]) -> dict[int, int]:
    """Weights as whole numbers in the same proportion: exactly, or to a millionth of their sum."""
    wrong = [version for version, weight in weights.items() if not _is_weight(weight)]
    if wrong:
        problem = "must be a number of at least 0"
        violations += [Violation("weights", f"version {one} has {shown(weights[one])}, {problem}") for one in wrong]
        return {}
    exact = {version: Fraction(str(weight)) for version, weight in weights.items()}
    parts = math.lcm(*(weight.denominator for weight in exact.values()))
    whole = {version: int(weight * parts) for version, weight in exact.items()}
    total = sum(exact.values())
    if total and max(whole.values()) > _MOST_WEIGHT:
        whole = {version: round(weight / total * _MOST_WEIGHT) for version, weight in exact.items()}
    lost = [version for version, weight in exact.items() if weight and not whole[version]]
    violations += [Violation("weights", f"version {one} has less than a millionth of all") for one in lost]
    return whole


def _is_weight(weight: Any) -> bool:
    return isinstance(weight, numbers.Real) and math.isfinite(weight) and float(weight) >= 0
