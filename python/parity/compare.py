"""Served values against the library's, in units in the last place of float32."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from trials import EXACT, MEASURED, Trial

ABSOLUTE = 1e-6
_SHOWN = 3


@dataclass
class Worst:
    """The worst of all values so far."""

    values: int = 0
    ulps: int = 0
    apart: float = 0.0
    violations: int = 0
    shown: list[str] = field(default_factory=list)

    def as_result(self) -> dict[str, Any]:
        """As the report has it."""
        return {
            "values": self.values,
            "ulps": self.ulps,
            "apart": self.apart,
            "violations": self.violations,
            "shown": self.shown,
        }


def ordered(values: np.ndarray) -> np.ndarray:
    """Floats as integers in the same order; -0.0 and 0.0 lie one apart."""
    bits = values.view({2: np.int16, 4: np.int32, 8: np.int64}[values.dtype.itemsize]).astype(np.int64)
    return np.where(bits < 0, -(bits & np.iinfo(f"i{values.dtype.itemsize}").max) - 1, bits)


def compared(served: np.ndarray, expected: np.ndarray, trial: Trial, container: Any, worst: Worst) -> None:
    """Adds the differences of an answer."""
    if served.shape != expected.shape:
        raise AssertionError(f"served {list(served.shape)}, expected {list(expected.shape)}")
    default = trial.case.options.get("default", np.nan)
    expected = np.where(np.isnan(expected), default, expected)
    worst.values += served.size
    if served.dtype.kind == "i":
        ulps = np.abs(served - expected.astype(np.int64))
        apart = ulps.astype(float)
    else:
        kind = np.float32 if served.dtype == np.float64 and trial.promise != EXACT else served.dtype
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            one, other = served.astype(kind), expected.astype(kind)
            both_nan = np.isnan(one) & np.isnan(other)
            one_nan = np.isnan(one) ^ np.isnan(other)
            ulps = np.where(both_nan, 0, np.abs(ordered(one) - ordered(other)))
            ulps = np.where(one_nan, np.iinfo(np.int32).max, ulps)
            if trial.is_sparse:
                # A sparse matrix holds no zero, and so none with a sign.
                ulps = np.where((one == 0) & (other == 0), 0, ulps)
            difference = np.abs(one.astype(float) - other.astype(float))
            apart = np.where((ulps == 0) | ~np.isfinite(difference), 0, difference)
            apart = apart / np.maximum(1, np.abs(np.where(np.isfinite(expected), expected, 1)))
    wrong = ulps > 0
    if trial.promise != EXACT:
        infinite = (np.isinf(served) ^ np.isinf(expected.astype(served.dtype))) & (ulps > 1)
        wrong = (ulps > 1) & ((apart > ABSOLUTE) | np.isnan(served) | infinite)
    if trial.promise == MEASURED:
        wrong[:] = False
    worst.ulps = max(worst.ulps, int(ulps.max(initial=0)))
    worst.apart = max(worst.apart, float(apart.max(initial=0)))
    worst.violations += int(wrong.sum())
    for row, column in np.argwhere(wrong)[: max(0, _SHOWN - len(worst.shown))]:
        given = container.iloc[row].to_dict() if hasattr(container, "iloc") else container[row]
        worst.shown.append(
            f"row {row}, column {column}: served {served[row, column]!r}, expected {expected[row, column]!r} "
            f"({ulps[row, column]} ULP), of {given!r}"[:600]
        )
