"""The clients for asyncio: the same calls as those of ``quiver_features``, to be awaited."""

from .administration import AdminClient
from .client import Client
from .tables import TableClient

__all__ = ["AdminClient", "Client", "TableClient"]
