"""The message classes of proto/quiver/v1/table_service.proto."""

from __future__ import annotations

from .compiled import names_of

globals().update(names_of("table_service"))
