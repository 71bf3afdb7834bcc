"""The message classes of proto/quiver/v1/feature_service.proto."""

from __future__ import annotations

from .compiled import names_of

globals().update(names_of("feature_service"))
