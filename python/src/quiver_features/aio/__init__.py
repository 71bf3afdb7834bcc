"""The clients for asyncio: the same calls as those of ``quiver_features``, to be awaited."""

from .client import Client
from .tables import TableClient

__all__ = ["Client", "TableClient"]
