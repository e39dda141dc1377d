"""Fleets of a scenario: read, written inline, or drawn over territories."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import shapely

from spotbeam.errors import ScenarioError, UnknownName
from spotbeam.land import demand
from spotbeam.land.territories import Ground
from spotbeam.service.terminals import Terminals, terminals_from_rows
from spotbeam.twin.scenario import Fleet

_MAX_ROUNDS = 400


def terminals_of(fleet: Fleet, ground: Ground, read: Terminals | None, *, place: str) -> Terminals:
    """All terminals of one fleet.

    Args:
        read: What the fleet's file holds, for a fleet with one.
        place: Where messages say that the fleet stands.

    Raises:
        ScenarioError: a territory that is unknown or has no room for the fleet.
    """
    if read is not None:
        return read
    common = given(fleet.common) | {"fleet": fleet.id}
    if fleet.count is None:
        rows = [common | given(terminal) for terminal in fleet.terminals]
        return terminals_from_rows(rows, place=place)
    lat_deg, lon_deg = draw_positions(fleet, ground, place=place)
    return Terminals.drawn(
        prefix=fleet.id, lat_deg=lat_deg, lon_deg=lon_deg, common=common, place=place
    )


def given(terminal: msgspec.Struct) -> dict[str, Any]:
    """The fields of a terminal table that the scenario sets."""
    return {
        name: value for name, value in msgspec.structs.asdict(terminal).items() if value is not None
    }


def faces_of(names: Sequence[str], ground: Ground, *, place: str) -> npt.NDArray[np.bool_]:
    """Which faces of the ground the named territories cover: `world`, `land`, or ids.

    Returns:
        Shape (n_face + 1,): the last entry, for the index -1 of "nowhere", is False.
    """
    known = set(ground.ids())
    covered = np.zeros(len(ground.face_territories) + 1, dtype=bool)
    for name in names:
        if name not in known and name not in ("world", "land"):
            raise UnknownName("territory", name, sorted(known | {"world", "land"}), place=place)
        for face, ids in enumerate(ground.face_territories):
            covered[face] |= name in ids or name == "world" or (name == "land" and is_land(ids))
    return covered


def is_land(territory_ids: Sequence[str]) -> bool:
    """Whether a set of territories stands for land: one of them is neither sea nor open sea."""
    return any(name != "XZ" and not name.endswith("/sea") for name in territory_ids)


def draw_positions(
    fleet: Fleet, ground: Ground, *, place: str
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Positions of a drawn fleet, exactly inside its territories: shape (count,) each.

    Candidates come by population or evenly by area, and those outside are thrown away; the exact
    geometry decides.
    """
    assert fleet.count is not None
    allowed = faces_of(fleet.where, ground, place=f"{place}, where")
    allowed &= ~faces_of(fleet.except_, ground, place=f"{place}, except")
    bounds = fleet.bounds or _bounds(fleet, ground)
    generator = np.random.Generator(np.random.PCG64(fleet.seed))
    lat_parts: list[npt.NDArray[np.float64]] = []
    lon_parts: list[npt.NDArray[np.float64]] = []
    found = 0
    for _ in range(_MAX_ROUNDS):
        count = max(1024, 2 * (fleet.count - found))
        candidates = demand.candidates(generator, count, bounds, by=fleet.draw)
        inside = allowed[ground.locate(*candidates)]
        lat_parts.append(candidates[0][inside])
        lon_parts.append(candidates[1][inside])
        found += int(inside.sum())
        if found >= fleet.count:
            lat_deg, lon_deg = np.concatenate(lat_parts), np.concatenate(lon_parts)
            return lat_deg[: fleet.count], lon_deg[: fleet.count]
    raise ScenarioError(
        f"found room for only {found} of {fleet.count} terminals in {', '.join(fleet.where)}"
        + (f" less {', '.join(fleet.except_)}" if fleet.except_ else "")
        + (f" within the bounds {list(fleet.bounds)}" if fleet.bounds else ""),
        place=place,
        hint='name a larger territory, or set draw = "area"',
    )


def _bounds(fleet: Fleet, ground: Ground) -> tuple[float, float, float, float]:
    """South, west, north, east around the fleet's territories."""
    named = [name for name in fleet.where if name not in ("world", "land", "XZ")]
    if len(named) < len(fleet.where):
        return (-90.0, -180.0, 90.0, 180.0)
    west, south, east, north = shapely.total_bounds([ground.geometry(name) for name in named])
    return (float(south), float(west), float(north), float(east))
