"""Ragged tensors of an answer: the elements of lists, over the message's bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class RaggedValues:
    """The elements of lists, those of each row after those of the row before.

    Attributes:
        values: ``[elements, columns]``, read-only. bfloat16 comes as in dense matrices.
        offsets: Where each row begins among the elements, and their number at the end.
    """

    values: np.ndarray[Any, Any]
    offsets: np.ndarray[Any, np.dtype[np.uint64]]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def rows(self) -> list[np.ndarray[Any, Any]]:
        """``[length, columns]`` for each row, over the same bytes."""
        return np.split(self.values, self.offsets[1:-1].astype(np.int64)) if len(self) else []
