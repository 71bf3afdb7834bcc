"""Columns of values as the types that inputs have."""

from .booleans import booleans
from .floats import floats
from .integers import INT64, UINT64, integers
from .texts import Texts, texts
from .times import TimeType, times

__all__ = ["INT64", "UINT64", "Texts", "TimeType", "booleans", "floats", "integers", "texts", "times"]
