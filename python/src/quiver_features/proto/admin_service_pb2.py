"""The message classes of proto/quiver/v1/admin_service.proto."""

from __future__ import annotations

from .compiled import names_of

globals().update(names_of("admin_service"))
