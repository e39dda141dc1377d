"""A user's own territory, as a value. Files of them are read by `formats.territory_files`."""

from __future__ import annotations

from typing import Any

import msgspec


class OwnTerritory(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Ground that a user drew: joins the named territories under an id of its own.

    Attributes:
        id: `x-` and a slug, as `x-front-line`.
        name: What answers call it.
        geometry: A valid shapely Polygon or MultiPolygon: longitude and latitude in degrees,
            WGS 84, edges straight in that plane, nothing beyond ±180 or ±90.
        source: The file that it came from.
        sha256: Digest of that file's bytes.
    """

    id: str
    name: str
    geometry: Any
    source: str
    sha256: str
