"""The cells by which people sign: the same on every machine, and fine enough for small ground."""

from __future__ import annotations

import math
from hashlib import sha256

import h3.api.numpy_int as h3
import numpy as np
import pytest

from spotbeam.land import cells as land_cells
from spotbeam.land.people import parents_of, resolutions_of
from spotbeam.land.territories import ground
from spotbeam.twin.impact import area as impact_area
from spotbeam.twin.impact import bands
from spotbeam.twin.impact.area import ENOUGH, area_of, points_of
from spotbeam.twin.impact.bands import standing_in_bands

# How far h3's sines and cosines may be off on another machine, with much to spare.
LAST_BITS_DEG = 1e-11


@pytest.mark.parametrize("resolution", [3, 4, 5])
def test_no_centre_lies_where_the_last_bit_would_decide(resolution: int) -> None:
    ids = h3.uncompact_cells(h3.get_res0_cells(), resolution)
    per_degree = 2.0 ** (3 + resolution)
    centres = np.array([h3.cell_to_latlng(cell) for cell in ids.tolist()])
    # Rounding is at halves: how near does any centre come to one?
    off = np.abs((centres * per_degree) % 1.0 - 0.5) / per_degree
    assert off.min() > LAST_BITS_DEG
    nudged = centres + np.random.default_rng(1).uniform(-1, 1, centres.shape) * LAST_BITS_DEG / 2
    rounded = np.floor(nudged * per_degree + 0.5) / per_degree
    assert np.array_equal(rounded, np.column_stack(points_of(ids)))


def test_points_are_exact_in_binary_and_near_their_centres() -> None:
    for resolution in range(3, 14):
        cell = np.array([h3.latlng_to_cell(44.6, 33.5, resolution)], dtype=np.uint64)
        lat, lon = points_of(cell)
        assert (lat * 2.0 ** (3 + resolution)) % 1.0 == 0.0
        assert h3.latlng_to_cell(float(lat[0]), float(lon[0]), resolution) == cell[0]


def test_which_cells_a_geometry_library_proposes_makes_no_difference(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    earth = ground("un")
    names = ["MD", "UA-43", "UA-43/sea"]
    plain = area_of(earth, names, 5.0, everywhere=False)

    def proposes_more(shape: object, resolution: int) -> np.ndarray:
        found = land_cells.cells_near(shape, resolution)
        rings = [h3.grid_disk(cell, 2) for cell in found[::7].tolist()]
        return np.unique(np.concatenate([found, *rings])).astype(np.uint64)

    monkeypatch.setattr(impact_area, "cells_near", proposes_more)
    other = area_of(earth, names, 5.0, everywhere=False)
    assert np.array_equal(plain.cell, other.cell)
    assert plain.places == other.places


@pytest.mark.parametrize(
    ("names", "everywhere"),
    [
        (["UA", "UA-43", "UA-40"], False),
        (["UA-40"], True),
        (["h3:851e265bfffffff", "h3:841e265ffffffff", "UA-43"], False),
        (["VA", "MC", "XZ"], False),
    ],
)
def test_cells_do_not_overlap_and_hold_every_named_place(
    names: list[str], everywhere: bool
) -> None:
    earth = ground("un", cells=[name for name in names if name.startswith("h3:")])
    area = area_of(earth, names, 0.0, everywhere=everywhere)
    level = resolutions_of(area.cell)
    assert len(np.unique(area.cell)) == len(area)
    for coarse in np.unique(level).tolist():
        held = area.cell[level == coarse]
        assert not np.isin(parents_of(area.cell[level > coarse], coarse), held).any()
    inside = [set(earth.face_territories[face]) for face in area.face.tolist()]
    for place in area.places:
        if place.name == "everywhere":
            continue
        here = sum(place.name in ids for ids in inside)
        # Parts of a cell are its own by index, and some stand beyond its outline; finer cells of
        # another place may stand where this one's would.
        assert here >= (0.9 if place.name.startswith("h3:") else 1.0) * place.cells > 0
        if not place.name.startswith("h3:") and place.name != "XZ":
            assert place.cells >= ENOUGH or place.resolution == 9
    assert int(area.people.min()) >= 0


def test_a_town_is_not_lost_in_its_country() -> None:
    area = area_of(ground("un"), ["UA", "UA-40"], 0.0, everywhere=False)
    country, town = area.places
    assert (country.name, town.name) == ("UA", "UA-40")
    assert town.resolution > country.resolution
    assert country.km2 == pytest.approx(603_000, rel=0.05)
    assert town.km2 == pytest.approx(864, rel=0.25)


def test_a_guard_band_is_looked_at_beyond_the_ground() -> None:
    earth = ground("un")
    for guard_km in (1.0, 5.0, 60.0):
        area = area_of(earth, ["UA-40"], guard_km, everywhere=False)
        outside = np.array(["UA-40" not in earth.face_territories[f] for f in area.face.tolist()])
        lat, lon = area.lat_deg[outside], area.lon_deg[outside]
        index, sets = earth.touched(lat, lon, np.full(len(lat), guard_km * 1000.0))
        reaches = [any("UA-40" in earth.face_territories[f] for f in each) for each in sets]
        # Every cell that the band reaches is there: the outermost ones are not reached.
        far = area_of(earth, ["UA-40"], 4 * guard_km, everywhere=False)
        far_index, far_sets = earth.touched(
            far.lat_deg, far.lon_deg, np.full(len(far), guard_km * 1000.0)
        )
        hit = np.array([any("UA-40" in earth.face_territories[f] for f in s) for s in far_sets])
        reached = far.cell[hit[far_index] & (resolutions_of(far.cell) == 9)]
        assert np.isin(reached, far.cell).all()
        assert sum(np.array(reaches)[index]) > 0


def test_guard_bands_in_whole_numbers_see_what_discs_see() -> None:
    earth = ground("un")
    area = area_of(earth, ["UA-43", "UA-40", "MD"], 20.0, everywhere=False)
    for guard_km, least in ((1.0, 0.999), (5.0, 0.99), (20.0, 0.97)):
        band = standing_in_bands(earth, (0.0, guard_km), area.lat_deg, area.lon_deg)
        radius = np.full(len(area), guard_km * 1000.0)
        index, sets = earth.touched(area.lat_deg, area.lon_deg, radius)
        n_faces = len(earth.face_territories)
        seen = [
            {int(t)} if t < n_faces else set(band.sets[t - n_faces]) for t in band.touched[:, 1]
        ]
        exact = [set(sets[i]) for i in index.tolist()]
        assert (band.touched[:, 0] == band.own).all()
        # Never a face that is not within 2 % of the radius; hardly ever one too few.
        wider, wider_sets = earth.touched(area.lat_deg, area.lon_deg, radius * 1.02)
        assert all(a <= set(wider_sets[i]) for a, i in zip(seen, wider.tolist(), strict=True))
        assert np.mean([a == b for a, b in zip(seen, exact, strict=True)]) > least
        assert any(len(a) > 1 for a in seen)


def test_bands_hold_at_the_poles_and_across_the_antimeridian() -> None:
    earth = ground("un")
    lat = np.array([89.96875, -89.96875, 65.5, 0.0, 52.0])
    lon = np.array([0.0, 179.96875, 179.96875, -180.0, -180.0])
    standing = standing_in_bands(earth, (0.0, 30.0, 1e6), lat, lon)
    n_faces = len(earth.face_territories)
    assert (standing.own >= 0).all()
    for own, row in zip(standing.own.tolist(), standing.touched.tolist(), strict=True):
        assert row[0] == own
        for place in row[1:]:
            assert place == own or own in standing.sets[place - n_faces]


def test_the_tables_of_whole_numbers_are_the_same_everywhere() -> None:
    text = repr((bands.SINES, bands.NORTH_M.tolist(), bands.EAST_M.tolist())).encode()
    assert (
        sha256(text).hexdigest()
        == "2115168c8405a01338272f9dde9f566478e039e5d432e431ed211ac27a64bb62"
    )
    # No entry is near enough to a half for another machine's last bit to move it.
    sines = [1e6 * math.sin(2.0 * math.pi * step / 96) for step in range(96)]
    assert min(abs(value % 1.0 - 0.5) for value in sines) > 1e-6
