"""Points of the real ground to show a case at."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np

from spotbeam.service.policy import Policy
from spotbeam.service.position import GroundLike, Ids
from spotbeam.service.terminals import Terminal

_STEP_DEG = 0.5
_MOST_POINTS = 12


def points_like(
    policy: Policy, ground: GroundLike, face: int
) -> Iterator[tuple[tuple[float, float], Ids]]:
    """Some points that the same rules cover as a face, with the territories they lie in.

    From a grid over the world; small territories may have none.
    """
    lat, lon = (
        axis.ravel()
        for axis in np.meshgrid(
            np.arange(-89.75, 90.0, _STEP_DEG), np.arange(-179.75, 180.0, _STEP_DEG), indexing="ij"
        )
    )
    names = ground.face_territories
    wanted = [rule.covers(names[face]) for rule in policy.rules]
    alike = [[rule.covers(ids) for rule in policy.rules] == wanted for ids in names]
    found = ground.locate(lat, lon)
    rows = np.flatnonzero(np.array(alike)[found])
    rows = rows[:: max(1, len(rows) // _MOST_POINTS)]
    for row in rows.tolist():
        yield (float(lat[row]), float(lon[row])), names[found[row]]


def standing_at(terminal: Terminal, point: tuple[float, float]) -> Terminal:
    """The terminal at a point, its service address as far from it as it was from 0, 0."""
    lat_deg, lon_deg = point
    away_deg = terminal.service_lon_deg  # on the equator, see `atoms`
    address_lat = lat_deg - away_deg
    address_lon = lon_deg
    if address_lat < -90.0:  # over the pole
        address_lat = -180.0 - address_lat
        address_lon = lon_deg - 180.0 if lon_deg > 0 else lon_deg + 180.0
    if np.isnan(away_deg):
        address_lon = away_deg
    return msgspec.structs.replace(
        terminal,
        lat_deg=lat_deg,
        lon_deg=lon_deg,
        service_lat_deg=address_lat,
        service_lon_deg=address_lon,
    )
