"""Cells: ids, order, areas, and coverings that keep their promise."""

from __future__ import annotations

import h3.api.numpy_int as h3
import numpy as np
import pytest
import shapely

from spotbeam.errors import InputError
from spotbeam.land.cells import (
    cell_boundaries,
    cell_from_hex,
    cell_polygons,
    cells_in,
    cells_in_bounds,
    cells_of_world,
    grid_of,
)

FIJI = shapely.union_all(
    [shapely.box(176.5, -19.5, 180.0, -15.5), shapely.box(-180.0, -19.5, -178.0, -15.5)]
)
ARCTIC = shapely.box(-180.0, 84.0, 180.0, 90.0)
SHAPES = {
    "black sea": shapely.Polygon([(28.1, 41.0), (41.7, 41.4), (39.0, 47.1), (31.0, 46.6)]),
    "a hole": shapely.Point(10.0, 50.0).buffer(4.0) - shapely.Point(10.0, 50.0).buffer(1.5),
    "antimeridian": FIJI,
    "pole": ARCTIC,
    "equator strip": shapely.box(-3.0, -0.4, 14.0, 0.4),
}


@pytest.mark.parametrize(
    ("resolution", "count"), [(0, 122), (1, 842), (2, 5_882), (3, 41_162), (4, 288_122)]
)
def test_the_world_has_all_its_cells(resolution, count):
    grid = cells_of_world(resolution)
    assert len(grid) == count
    assert np.all(np.diff(grid.cell.astype(object)) > 0)
    # Authalic radius of WGS 84.
    assert grid.area_km2.sum() == pytest.approx(4 * np.pi * 6371.007180918475**2, rel=1e-9)
    for i in np.linspace(0, count - 1, 50).astype(int):
        assert h3.latlng_to_cell(grid.lat_deg[i], grid.lon_deg[i], resolution) == grid.cell[i]


@pytest.mark.parametrize("resolution", [0, 1, 2])
@pytest.mark.parametrize("great_circles", [False, True])
def test_cell_polygons_tile_the_map(resolution, great_circles):
    shapes = cell_polygons(cells_of_world(resolution).cell, great_circles=great_circles)
    assert shapely.is_valid(shapes).all()
    west, south, east, north = shapely.total_bounds(shapes)
    assert (west, south, east, north) == (-180.0, -90.0, 180.0, 90.0)
    assert shapely.area(shapes).sum() == pytest.approx(360.0 * 180.0, rel=1e-9)
    assert shapely.area(shapely.union_all(shapes)) == pytest.approx(360.0 * 180.0, rel=1e-9)


@pytest.mark.parametrize("resolution", [2, 4])
@pytest.mark.parametrize("name", SHAPES)
def test_coverings_agree_with_every_cell_of_the_world(name, resolution):
    """The walk down the tree finds exactly what testing every cell finds."""
    shape = SHAPES[name]
    world = cells_of_world(resolution)
    west, south, east, north = shape.bounds
    # All cells that could matter: those within 10 degrees of the shape's frame, or any near a pole.
    near = (world.lat_deg > south - 10) & (world.lat_deg < north + 10)
    if name in ("black sea", "a hole", "equator strip"):
        near &= (world.lon_deg > west - 25) & (world.lon_deg < east + 25)
    world = world.take(near)
    drawn = cell_polygons(world.cell)
    meant = cell_polygons(world.cell, great_circles=True)
    expected = {
        "overlap": shapely.intersects(shape, drawn) | shapely.intersects(shape, meant),
        "full": shapely.covers(shape, drawn) & shapely.covers(shape, meant),
        "centre": shapely.contains_xy(shape, world.lon_deg, world.lat_deg),
    }
    for mode, mask in expected.items():
        assert mask.any() or (mode == "full" and resolution == 2)
        np.testing.assert_array_equal(cells_in(shape, resolution, mode).cell, world.cell[mask])


@pytest.mark.parametrize("name", SHAPES)
def test_denied_cells_cover_and_allowed_cells_stay_inside(name):
    shape = SHAPES[name]
    denied = shapely.union_all(cell_polygons(cells_in(shape, 3, "overlap").cell))
    assert shapely.area(shape - denied) < 1e-9
    allowed = shapely.union_all(cell_polygons(cells_in(shape, 3, "full").cell))
    assert shapely.area(allowed - shape) < 1e-9
    # And as H3 assigns points to cells, which is not quite as a map draws them.
    rng = np.random.default_rng(7)
    west, south, east, north = shape.bounds
    lon, lat = rng.uniform(west, east, 20_000), rng.uniform(south, north, 20_000)
    inside = shapely.contains_xy(shape, lon, lat)
    points = np.array([h3.latlng_to_cell(*at, 3) for at in zip(lat, lon, strict=True)])
    assert np.isin(points[inside], cells_in(shape, 3, "overlap").cell).all()
    assert not np.isin(points[~inside], cells_in(shape, 3, "full").cell).any()


def test_h3_itself_finds_the_same_cells_by_centre():
    shape = SHAPES["a hole"]
    theirs = h3.geo_to_cells(shape, 4)
    np.testing.assert_array_equal(cells_in(shape, 4).cell, np.sort(theirs))


@pytest.mark.parametrize(
    "bounds", [(40.0, 27.0, 47.5, 42.0), (-20.0, 176.0, -14.0, -177.0), (80.0, -180.0, 90.0, 180.0)]
)
def test_a_frame_holds_the_cells_whose_centres_it_holds(bounds):
    south, west, north, east = bounds
    world = cells_of_world(3)
    across = (
        (world.lon_deg >= west) & (world.lon_deg <= east)
        if west < east
        else (world.lon_deg >= west) | (world.lon_deg <= east)
    )
    inside = across & (world.lat_deg >= south) & (world.lat_deg <= north)
    np.testing.assert_array_equal(cells_in_bounds(bounds, 3).cell, world.cell[inside])


def test_nothing_lies_in_an_empty_shape():
    grid = cells_in(shapely.Polygon(), 4, "overlap")
    assert len(grid) == 0
    assert grid.resolution == 4


def test_boundaries_run_on_across_the_antimeridian():
    grid = cells_of_world(2)
    drawn = cell_boundaries(grid.cell)
    spans = [np.ptp(drawn.lon_deg[a:b]) for a, b in zip(drawn.start, drawn.start[1:], strict=False)]
    assert np.max(np.array(spans)[~drawn.holds_pole]) < 180.0
    assert drawn.holds_pole.sum() == 2
    at_fiji = np.isin(grid.cell, h3.latlng_to_cell(0.0, 180.0, 2))
    assert drawn.crosses_antimeridian[at_fiji].all()


def test_a_grid_is_sorted_and_each_cell_is_there_once():
    cells = h3.grid_disk(h3.latlng_to_cell(48.0, 35.0, 4), 2)
    grid = grid_of(np.concatenate([cells[::-1], cells]))
    np.testing.assert_array_equal(grid.cell, np.sort(cells))
    assert grid.resolution == 4


def test_mistakes_are_told():
    with pytest.raises(InputError, match="resolution 16"):
        cells_of_world(16)
    with pytest.raises(InputError, match="unknown covering 'inside'"):
        cells_in(FIJI, 3, "inside")
    with pytest.raises(InputError, match="not of resolution 3"):
        grid_of(cells_of_world(2).cell, 3)
    with pytest.raises(InputError, match="'h3:zzz' is not an H3 cell"):
        cell_from_hex("h3:zzz")
    with pytest.raises(InputError, match="south 5 and north 3"):
        cells_in_bounds((5, 0, 3, 1), 3)
    assert cell_from_hex("h3:841ec91ffffffff") == cell_from_hex("841ec91ffffffff")
