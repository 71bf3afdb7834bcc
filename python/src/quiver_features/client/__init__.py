"""Typed clients of Quiver's services."""

from .answers import Features, Status, Tensor
from .client import Client
from .descriptions import FailedVersion, Feature, FeatureSet, FeatureSetVersions, Input, Output, Table
from .errors import RequestError, Violation
from .exchange import CHANNEL_OPTIONS
from .reading.times import Time
from .table_client import TableClient
from .writes.outcome import WriteError, Written

__all__ = [
    "CHANNEL_OPTIONS",
    "Client",
    "FailedVersion",
    "Feature",
    "FeatureSet",
    "FeatureSetVersions",
    "Features",
    "Input",
    "Output",
    "RequestError",
    "Status",
    "Table",
    "TableClient",
    "Tensor",
    "Time",
    "Violation",
    "WriteError",
    "Written",
]
