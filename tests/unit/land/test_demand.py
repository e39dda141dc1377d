"""Positions drawn by population and by area, and people by cell."""

from __future__ import annotations

import h3.api.numpy_int as h3
import numpy as np
import pytest
import shapely

from spotbeam.errors import InputError, TerritoryError, UnknownName
from spotbeam.land import borders, cells, demand, views


def territory(name: str) -> shapely.Geometry:
    return shapely.union_all(borders.piece_geometries()[list(views.view("un").pieces_of(name))])


@pytest.mark.parametrize("by", ["population", "area"])
@pytest.mark.parametrize("name", ["UA", "FJ", "UA-43"])
def test_positions_lie_inside(name, by):
    shape = territory(name)
    lat, lon = demand.draw_positions(shape, 2000, by=by, seed=7)
    assert lat.shape == lon.shape == (2000,)
    assert shapely.contains_xy(shape, lon, lat).all()
    assert len(np.unique(lat)) == 2000


def test_the_same_seed_gives_the_same_positions():
    shape = territory("UA")
    first = demand.draw_positions(shape, 500, seed=1)
    again = demand.draw_positions(shape, 500, seed=1)
    other = demand.draw_positions(shape, 500, seed=2)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_positions_by_area_are_even_on_the_sphere():
    # Between the equator and 60 degrees, 57.7 % of the area is south of 30: sin 30 / sin 60.
    lat, lon = demand.draw_positions(shapely.box(10, 0, 30, 60), 20_000, by="area", seed=3)
    assert (lat < 30).mean() == pytest.approx(0.5774, abs=0.015)
    assert (lon < 20).mean() == pytest.approx(0.5, abs=0.015)


def test_positions_by_population_follow_the_people():
    ukraine = territory("UA")
    lat, lon = demand.draw_positions(ukraine, 40_000, seed=5)
    # Kyiv, within 18 km: 2.95 of 40 million by GeoNames, and not its districts once more.
    in_kyiv = np.hypot(lat - 50.45, (lon - 30.52) * np.cos(np.radians(50.45))) < 0.16
    assert 0.065 < in_kyiv.mean() < 0.085

    # By cell: what is drawn agrees with `population`, where it counts.
    cell = np.array([h3.latlng_to_cell(a, b, 3) for a, b in zip(lat, lon, strict=True)])
    grid = cells.grid_of(np.unique(cell.astype(np.uint64)))
    people = demand.population(grid)
    drawn = np.bincount(np.searchsorted(grid.cell, cell.astype(np.uint64)))
    inland = shapely.covers(ukraine, cells.cell_polygons(grid.cell))
    expected = people[inland] / people[inland].sum() * drawn[inland].sum()
    off = (drawn[inland] - expected) / np.sqrt(expected)
    assert inland.sum() > 20
    # 1 is pure chance; towns near an edge, and borders through cells, add to it.
    assert np.median(np.abs(off)) < 2


def test_candidates_across_the_antimeridian():
    generator = np.random.Generator(np.random.PCG64(1))
    for by in ("population", "area"):
        lat, lon = demand.candidates(generator, 4000, (-20.0, 176.0, -14.0, -178.0), by=by)
        assert len(lat) > 1000
        assert ((lon > 175) | (lon < -177)).all()
        assert (lon > 0).any()
        assert (lon < 0).any()


def test_cutting_a_box_out_is_fair():
    """A box's candidates are spread as the world's that fall in it."""
    box = (45.0, 20.0, 52.0, 30.0)
    generator = np.random.Generator(np.random.PCG64(1))
    lat, lon = demand.candidates(generator, 2_000_000)
    inside = (lat > box[0]) & (lat < box[2]) & (lon > box[1]) & (lon < box[3])
    near, east = demand.candidates(generator, 60_000, box)
    near = near[(near > box[0]) & (near < box[2]) & (east > box[1]) & (east < box[3])]
    edges = np.linspace(box[0], box[2], 8)
    world = np.histogram(lat[inside], edges)[0] / inside.sum()
    ours = np.histogram(near, edges)[0] / len(near)
    assert np.abs(world - ours).max() < 0.02


def test_sea_is_drawn_by_area_only():
    belt = shapely.box(31.2, 45.2, 31.8, 45.6)
    lat, _ = demand.draw_positions(belt, 100, by="area")
    assert len(lat) == 100
    with pytest.raises(TerritoryError, match='draw them by "area"'):
        demand.draw_positions(belt, 100)


def test_nothing_to_draw_from():
    with pytest.raises(TerritoryError, match="empty"):
        demand.draw_positions(shapely.Polygon(), 1)
    with pytest.raises(UnknownName, match="'people'"):
        demand.candidates(np.random.default_rng(1), 1, by="people")
    assert demand.draw_positions(shapely.box(0, 0, 1, 1), 0, by="area")[0].shape == (0,)


def test_people_add_up():
    grid = cells.cells_of_world(3)
    people = demand.population(grid)
    # GeoNames: 7.62 billion by country, less two states that are no more.
    assert people.sum() == pytest.approx(7.613e9, rel=0.005)
    assert (people >= 0).all()
    shanghai = h3.latlng_to_cell(31.22, 121.46, 3)
    assert people[np.searchsorted(grid.cell, shanghai)] > 20e6
    ocean = h3.latlng_to_cell(-40.0, -120.0, 3)
    assert people[np.searchsorted(grid.cell, ocean)] == 0


def test_finer_cells_hold_the_same_people():
    coarse = cells.grid_of(np.array([h3.latlng_to_cell(50.45, 30.52, 4)], dtype=np.uint64))
    fine = cells.grid_of(np.sort(h3.uncompact_cells(coarse.cell, 6)).astype(np.uint64))
    assert demand.population(fine).sum() == pytest.approx(demand.population(coarse)[0], rel=0.02)


def test_too_fine_cells_are_refused():
    with pytest.raises(InputError, match="resolution 6 and coarser, not 7"):
        demand.population(cells.grid_of(np.array([h3.latlng_to_cell(0, 0, 7)], dtype=np.uint64)))
