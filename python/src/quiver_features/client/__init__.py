"""Typed clients of Quiver's services."""

from .admin_client import AdminClient
from .administration.traffic import Traffic
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
    "AdminClient",
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
    "Traffic",
    "Violation",
    "WriteError",
    "Written",
]
