"""The clients for asyncio: the same calls as those of ``quiver_features``, to be awaited."""

from .client import Client

__all__ = ["Client"]
