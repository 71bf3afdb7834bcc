"""A typed client of quiver.v1.FeatureService."""

from .answers import Features, Status, Tensor
from .client import Client
from .descriptions import FailedVersion, Feature, FeatureSet, FeatureSetVersions, Input, Output, Table
from .errors import RequestError, Violation
from .exchange import CHANNEL_OPTIONS
from .reading.times import Time

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
    "Tensor",
    "Time",
    "Violation",
]
