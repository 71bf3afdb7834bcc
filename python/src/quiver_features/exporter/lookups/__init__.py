"""Lookups of an export: columns of the joined frame that are read from tables when they are served."""

from .declared import Entry, Lookup
from .defaults import defaults
from .joined import JoinedSample
from .joining import join

__all__ = ["Entry", "JoinedSample", "Lookup", "defaults", "join"]
