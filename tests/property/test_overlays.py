"""Cells laid over a ground answer as the ground that was cut with them from the start."""

from __future__ import annotations

import h3.api.numpy_int as h3
import numpy as np
import pytest

from spotbeam.land.overlays import Overlay
from spotbeam.land.territories import ground

# Where borders, belts and cells meet: a coast with disputed land, a triple border, an archipelago
# across the antimeridian, a pole.
PLACES = {
    "isthmus": (46.1, 33.6),
    "triple border": (46.9, 7.6),
    "antimeridian": (-16.8, 179.95),
    "pole": (-89.2, 30.0),
}


def cells_around(lat_deg: float, lon_deg: float, resolution: int, rings: int) -> tuple[str, ...]:
    middle = h3.latlng_to_cell(lat_deg, lon_deg, resolution)
    disk = np.sort(h3.grid_disk(middle, rings))[::2]  # with holes between them
    parent = h3.cell_to_parent(middle, resolution - 1)  # and one that lies over others
    return tuple(f"h3:{int(cell):x}" for cell in (*disk, parent))


def words(ground_like, index, sets):
    names = ground_like.face_territories
    return [frozenset(names[face] for face in sets[i]) for i in index]


@pytest.mark.parametrize(("where", "resolution"), list(zip(PLACES, (4, 5, 4, 3), strict=True)))
def test_points_and_discs_come_out_the_same(where: str, resolution: int) -> None:
    lat_deg, lon_deg = PLACES[where]
    cells = cells_around(lat_deg, lon_deg, resolution, 3)
    slow, fast = ground("un", cells=cells), Overlay(ground("un"), cells)
    source = np.random.default_rng(resolution)
    n = 4_000
    spread = 3.0 * h3.average_hexagon_edge_length(resolution, unit="km") / 111.0
    lat = np.clip(lat_deg + source.normal(0.0, spread, n), -90.0, 90.0)
    lon = lon_deg + source.normal(0.0, spread / max(np.cos(np.radians(lat_deg)), 0.05), n)
    own_slow, own_fast = slow.locate(lat, lon), fast.locate(lat, lon)
    assert [slow.face_territories[i] for i in own_slow] == [
        fast.face_territories[i] for i in own_fast
    ]
    assert len({fast.face_territories[i] for i in own_fast}) > 4  # there is something to see
    radius = source.choice([0.0, 5.0, 300.0, 5_000.0, 40_000.0], n)
    mixed = 0
    for a, b in zip(
        words(slow, *slow.touched(lat, lon, radius)),
        words(fast, *fast.touched(lat, lon, radius)),
        strict=True,
    ):
        assert a == b
        mixed += len({tuple(i for i in each if not i.startswith("h3:")) for each in a}) > 1 and (
            len({tuple(i for i in each if i.startswith("h3:")) for each in a}) > 1
        )
    assert mixed > 20 or where == "pole"  # discs that touch borders and cells at once


def test_without_cells_it_is_the_ground_itself() -> None:
    plain = ground("ua")
    over = Overlay(plain)
    source = np.random.default_rng(3)
    lat, lon = source.uniform(-90, 90, 2_000), source.uniform(-180, 180, 2_000)
    assert [over.face_territories[i] for i in over.locate(lat, lon)] == [
        plain.face_territories[i] for i in plain.locate(lat, lon)
    ]
    radius = np.full(2_000, 20_000.0)
    assert words(over, *over.touched(lat, lon, radius)) == words(
        plain, *plain.touched(lat, lon, radius)
    )
    assert over.ids() == plain.ids()
    assert over.locate(np.array([np.nan, 91.0]), np.array([0.0, 0.0])).tolist() == [-1, -1]


def test_only_faces_in_use_are_numbered() -> None:
    over = Overlay(ground("un"), cells_around(46.1, 33.6, 4, 2))
    assert over.face_territories == (("XZ",),)
    over.locate(np.array([46.1]), np.array([33.6]))
    assert len(over.face_territories) == 2


def test_a_disc_meets_a_coast_that_runs_beside_the_antimeridian() -> None:
    """Coast 393 m off by the geodesic (PROJ), where a belt's outline runs along the land's."""
    fiji = ground("un")
    lat, lon = np.array([-16.56818971302987]), np.array([179.5929991504916])
    for radius_m, meets in ((380.0, False), (410.0, True), (5_000.0, True)):
        (found,) = words(fiji, *fiji.touched(lat, lon, np.array([radius_m])))
        assert (("FJ", "FJ-N") in found) == meets
