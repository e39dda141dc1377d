"""Territories of points and discs, against plain geometry by GEOS and distances by PROJ.

The oracle asks every polygon which points it contains: a tree of the points, queried with each
polygon. It shares nothing with the look-up but the outlines.
"""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from pyproj import Geod

from spotbeam.land import borders, views
from spotbeam.land.cells import cell_polygons, cells_in
from spotbeam.land.territories import OwnTerritory, ground

WGS84 = Geod(ellps="WGS84")


def uniform(count, rng):
    """Points spread evenly over the Earth: lat, lon."""
    return np.degrees(np.arcsin(rng.uniform(-1.0, 1.0, count))), rng.uniform(-180.0, 180.0, count)


def near_borders(count, rng, outlines):
    """Points within 20 km of a corner of an outline: lat, lon."""
    corners = shapely.get_coordinates(outlines)
    lon, lat = corners[rng.integers(0, len(corners), count)].T
    away_m = rng.uniform(0.0, 20_000.0, count)
    lon, lat, _ = WGS84.fwd(lon, lat, rng.uniform(0.0, 360.0, count), away_m)
    return np.asarray(lat), np.asarray(lon)


def holders(outlines, lat, lon):
    """Every pair of an outline and a point that it contains."""
    tree = shapely.STRtree(shapely.points(lon, lat))
    parts, whole = shapely.get_parts(outlines, return_index=True)
    part, point = tree.query(parts, predicate="contains")
    return whole[part], point


def brute_force(view, own, cells, lat, lon):
    """The ids at each point, as a list of sorted tuples."""
    of_piece = {}
    for name, pieces in views.view(view).territories.items():
        for piece in pieces:
            of_piece.setdefault(piece, []).append(name)
    found = [set() for _ in lat]
    sea = [set() for _ in lat]
    piece, point = holders(borders.piece_geometries(), lat, lon)
    assert len(np.unique(point)) == len(point), "a point lies in two pieces of land"
    for p, i in zip(piece.tolist(), point.tolist(), strict=True):
        found[i].update(of_piece[p])
    belt_piece, outlines = borders.belts()
    belt, point = holders(outlines, lat, lon)
    for p, i in zip(belt_piece[belt].tolist(), point.tolist(), strict=True):
        sea[i].update(f"{name}/sea" for name in of_piece[p])
    for i, names in enumerate(found):
        names.update(() if names else sea[i] or {"XZ"})
    extra = {territory.id: territory.geometry for territory in own} | cells
    if extra:
        which, point = holders(np.array([*extra.values()], dtype=object), lat, lon)
        names = [*extra]
        for w, i in zip(which.tolist(), point.tolist(), strict=True):
            found[i].add(names[w])
    return [tuple(sorted(names)) for names in found]


def own_and_cells():
    """A user's territories over borders and over each other, and two rings of cells."""
    rough = shapely.Polygon([(36.3, 46.9), (38.9, 47.6), (39.1, 49.9), (37.2, 49.1), (36.9, 48.0)])
    fiji = shapely.union_all(
        [shapely.box(176.5, -19.5, 180.0, -15.5), shapely.box(-180.0, -19.5, -178.0, -15.5)]
    )
    shapes = {
        "x-front": rough,
        "x-zone": shapely.Point(37.9, 47.8).buffer(0.9),
        "x-fiji": fiji,
        "x-arctic": shapely.box(-180.0, 81.0, 180.0, 90.0),
    }
    own = [
        OwnTerritory(id=name, name=name, geometry=shape, source="test", sha256="")
        for name, shape in shapes.items()
    ]
    ids = cells_in(rough, 4, "overlap").cell
    outlines = cell_polygons(ids)
    cells = {f"h3:{int(c):x}": shape for c, shape in zip(ids, outlines, strict=True)}
    return own, cells


def compare(count, seed):
    rng = np.random.default_rng(seed)
    outlines = np.concatenate([borders.piece_geometries(), borders.belts()[1]])
    own, cells = own_and_cells()
    extra = np.array([*(territory.geometry for territory in own), *cells.values()], dtype=object)
    samples = {
        "uniform": uniform(count, rng),
        "near borders": near_borders(count, rng, outlines),
        "near the user's own": near_borders(count // 10, rng, extra),
    }
    for name, (lat, lon) in samples.items():
        for view, mine, theirs in (("un", own, cells), ("ru", (), {})):
            here = ground(view, mine, cells=[*theirs])
            expected = brute_force(view, mine, theirs, lat, lon)
            faces = here.locate(lat, lon).tolist()
            wrong = [
                (lat[i], lon[i], here.face_territories[face], expected[i])
                for i, face in enumerate(faces)
                if here.face_territories[face] != expected[i]
            ]
            assert not wrong, f"{name}: {len(wrong)} of {len(lat)}, as {wrong[:3]}"


def test_points_get_the_territories_that_plain_geometry_gives():
    compare(60_000, seed=2)


@pytest.mark.soak
def test_a_million_points_get_the_territories_that_plain_geometry_gives():
    compare(1_000_000, seed=1)


def test_no_two_pieces_of_land_overlap():
    """Neighbours meet corner by corner: no edge of one lies inside another or beside it."""
    parts = shapely.get_parts(borders.piece_geometries())
    assert shapely.is_valid(parts).all()
    assert shapely.coverage_is_valid(parts)


def distance_m(outline, lat, lon):
    """Geodesic distance from a point to the edges of an outline, straight in lon and lat."""
    if outline.contains(shapely.Point(lon, lat)):
        return 0.0
    a, b = [], []
    for ring in shapely.get_rings(shapely.get_parts(outline)):
        corners = shapely.get_coordinates(ring)
        a.append(corners[:-1])
        b.append(corners[1:])
    a, b = np.concatenate(a), np.concatenate(b)
    low, high = np.zeros(len(a)), np.ones(len(a))
    for _ in range(7):
        t = low + (high - low) * np.linspace(0.0, 1.0, 9)[:, np.newaxis]
        x, y = (a[:, k] + t * (b[:, k] - a[:, k]) for k in range(2))
        _, _, d = WGS84.inv(np.full(t.size, lon), np.full(t.size, lat), x.ravel(), y.ravel())
        d = np.reshape(d, t.shape)
        close = d.min(axis=0) < d.min() + (high - low) * 1.2e5 * np.hypot(*(b - a).T)
        a, b, low, high, d = a[close], b[close], low[close], high[close], d[:, close]
        middle = low + d.argmin(axis=0) * (high - low) / 8
        width = (high - low) / 8
        low, high = np.maximum(middle - width, 0.0), np.minimum(middle + width, 1.0)
    return float(d.min())


@pytest.mark.parametrize(
    ("view", "west", "south", "east", "north"),
    [("un", 32.0, 43.5, 37.5, 46.7), ("tw", 117.5, 23.5, 121.0, 26.5)],
    ids=["crimea", "taiwan strait"],
)
def test_discs_touch_the_faces_that_lie_within_their_radius(view, west, south, east, north):
    """Faces cut out by shapely's overlay; which of them lie near enough, by PROJ's geodesics."""
    here = ground(view)
    frame = shapely.box(west, south, east, north)
    outlines = np.concatenate([borders.piece_geometries(), borders.belts()[1]])
    near = outlines[shapely.intersects(outlines, frame)]
    lines = shapely.union_all(
        [*(shapely.boundary(shape & frame) for shape in near), frame.exterior]
    )
    parts = shapely.get_parts(shapely.polygonize([lines]))
    # Thinner than a millimetre does not count.
    parts = parts[~shapely.is_empty(shapely.buffer(parts, -1e-8))]
    at = shapely.point_on_surface(parts)
    ids = brute_force(view, (), {}, shapely.get_y(at), shapely.get_x(at))
    faces = {
        name: shapely.MultiPolygon(
            [part for part, of in zip(parts, ids, strict=True) if of == name]
        )
        for name in set(ids)
    }
    assert len(faces) > 10
    rng = np.random.default_rng(5)
    inner = shapely.box(west + 0.6, south + 0.5, east - 0.6, north - 0.5)
    lat, lon = near_borders(400, rng, lines & inner)
    kept = np.flatnonzero(shapely.contains_xy(inner, lon, lat))[:60]
    lat, lon, count = lat[kept], lon[kept], len(kept)
    radius = 10.0 ** rng.uniform(1.0, 4.6, count)
    of_point, sets = here.touched(lat, lon, radius)
    n_met = 0
    for i in range(count):
        met = {here.face_territories[face] for face in sets[of_point[i]]}
        n_met += len(met)
        for name, outline in faces.items():
            d = distance_m(outline, lat[i], lon[i])
            if abs(d - radius[i]) > 0.02:
                assert (name in met) == (d < radius[i]), (lat[i], lon[i], radius[i], name, d)
        assert met <= faces.keys()
    assert n_met > 1.5 * count
