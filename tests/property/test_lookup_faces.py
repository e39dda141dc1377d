"""The look-up equals exact arithmetic on any polygons, points on edges and corners included."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spotbeam.kernels.lookup.build import build_lookup
from spotbeam.kernels.lookup.locate import locate

NORTH = Fraction(1, 2**2000)  # a hair, finer than coordinates tell apart, and a finer hair
EAST = Fraction(1, 2**4000)


def whole(value):
    """Coordinates under 1e-100 degrees are taken for zero: their products would underflow."""
    return 0.0 if abs(value) < 1e-100 else value


# Corners of raster cells, of blocks, the map's own edges, and anything between.
LAT = st.one_of(
    st.integers(-1440, 1440).map(lambda k: k / 16),
    st.sampled_from([-90.0, -89.5, 0.0, 45.0, 45.03125, 89.99, 90.0]),
    st.floats(-90.0, 90.0).map(whole),
)
LON = st.one_of(
    st.integers(-2880, 2880).map(lambda k: k / 16),
    st.sampled_from([-180.0, -179.99, 0.0, 10.0, 10.03125, 179.99, 180.0]),
    st.floats(-180.0, 180.0).map(whole),
)


@st.composite
def near(draw):
    """A place in a small neighbourhood, so that shapes meet: on a lattice, or off it."""
    step = draw(st.sampled_from([1 / 16, 1 / 64, 0.1, 0.01]))
    x = 10.0 + step * draw(st.integers(-8, 8))
    y = 45.0 + step * draw(st.integers(-8, 8))
    return x, y


@st.composite
def ring(draw, place):
    """Any closed ring, self-crossing or not: inside is where the count of crossings is odd."""
    corners = draw(st.lists(place, min_size=3, max_size=7))
    return [*corners, corners[0]]


def is_inside(rings, x, y):
    """Crossings of the way west from a hair north and a finer hair east of the point."""
    px, py = Fraction(x) + EAST, Fraction(y) + NORTH
    inside = False
    for corners in rings:
        for (ax, ay), (bx, by) in itertools.pairwise(corners):
            ax, ay, bx, by = Fraction(ax), Fraction(ay), Fraction(bx), Fraction(by)
            if (ay < py) != (by < py) and ax + (py - ay) * (bx - ax) / (by - ay) < px:
                inside = not inside
    return inside


def look_up(regions, points):
    rings = [corners for rings_ in regions for corners in rings_]
    owner = [i for i, rings_ in enumerate(regions) for _ in rings_]
    start = np.cumsum([0, *map(len, rings)])
    found = build_lookup(
        np.array([corner for corners in rings for corner in corners], dtype=np.float64),
        start.astype(np.int64),
        np.array(owner, dtype=np.int32),
        len(regions),
    )
    final = np.arange(len(found.faces), dtype=np.int32)
    x, y = np.array(points, dtype=np.float64).T
    faces = locate(found.raster, final, np.ascontiguousarray(y), np.ascontiguousarray(x))
    return [set(found.faces[face]) for face in faces], [*map(set, found.faces)]


def expected(regions, points):
    return [{i for i, rings in enumerate(regions) if is_inside(rings, x, y)} for x, y in points]


def check(regions, points, asked):
    """`asked` are the points as exact arithmetic is asked."""
    answers, faces = look_up(regions, points)
    for answer, truth, (x, y) in zip(answers, expected(regions, asked), asked, strict=True):
        if answer != truth:
            # Only in a crack under a millimetre, which counts as what lies beside it.
            assert truth not in faces
            beside = [
                (min(max(x + dx, -180.0), 180.0), min(max(y + dy, -90.0), 90.0))
                for dx in (-1e-7, 0.0, 1e-7)
                for dy in (-1e-7, 0.0, 1e-7)
            ]
            assert answer in expected(regions, beside)


QUICK = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@QUICK
@given(data=st.data())
def test_points_on_and_off_the_lines_of_overlapping_shapes(data):
    regions = data.draw(st.lists(st.lists(ring(near()), min_size=1, max_size=2), max_size=4))
    regions = regions or [[[(10.0, 45.0), (10.5, 45.0), (10.0, 45.5), (10.0, 45.0)]]]
    corners = [corner for rings in regions for corners in rings for corner in corners]
    middles = [
        ((ax + bx) / 2, (ay + by) / 2)
        for rings in regions
        for corners_ in rings
        for (ax, ay), (bx, by) in itertools.pairwise(corners_)
    ]
    points = data.draw(st.lists(near(), min_size=20, max_size=60))
    points = [*points, *corners, *middles]
    check(regions, points, points)


@QUICK
@given(data=st.data())
def test_shapes_that_span_the_world(data):
    regions = data.draw(
        st.lists(
            st.lists(ring(st.tuples(LON, LAT)), min_size=1, max_size=2), min_size=1, max_size=3
        )
    )
    points = data.draw(st.lists(st.tuples(LON, LAT), min_size=20, max_size=60))
    # The seam and the poles are single places: what is asked there is asked on the map's west
    # edge and at longitude 0, the North Pole from just south of it.
    asked = [
        (0.0 if abs(y) == 90.0 else -180.0 if x == 180.0 else x, min(y, 89.99999999999999))
        for x, y in points
    ]
    check(regions, points, asked)


@pytest.mark.parametrize("turn", [-1080.0, -360.0, 360.0, 720.0])
def test_longitude_may_go_around(turn):
    square = [[[(-180.0, 10.0), (-170.0, 10.0), (-170.0, 20.0), (-180.0, 20.0), (-180.0, 10.0)]]]
    points = [(x, 15.0) for x in (-180.0, 180.0, -175.0, -170.0, -169.9, 179.9)]
    straight, _ = look_up(square, points)
    assert straight == [{0}, {0}, {0}, set(), set(), set()]
    assert look_up(square, [(x + turn, y) for x, y in points])[0] == straight


def test_no_place_has_no_face():
    found = build_lookup(
        np.array([(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (0.0, 0.0)]),
        np.array([0, 4]),
        np.zeros(1, np.int32),
        1,
    )
    nan, inf = np.nan, np.inf
    lat = np.array([nan, 0.1, 90.001, -90.001, 0.1, inf, 0.1])
    lon = np.array([0.1, nan, 0.1, 0.1, inf, 0.1, 0.1])
    faces = locate(found.raster, np.array([7, 8], np.int32), lat, lon)
    assert faces.tolist() == [-1, -1, -1, -1, -1, -1, 8]


def test_neighbours_share_every_point_of_their_border_once():
    """A fan of triangles about one corner, on lines of every slope: no crack, no overlap."""
    rng = np.random.default_rng(3)
    hub = (20.03, -33.07)
    angles = np.sort(rng.uniform(0.0, 2 * np.pi, 64))
    rim = [(hub[0] + np.cos(a), hub[1] + np.sin(a)) for a in angles]
    fan = [[[hub, a, b, hub]] for a, b in zip(rim, [*rim[1:], rim[0]], strict=True)]
    shares = rng.uniform(0.0, 1.0, 5)
    points = [
        (hub[0] + s * (x - hub[0]), hub[1] + s * (y - hub[1])) for x, y in rim for s in shares
    ]
    found, _ = look_up(fan, [hub, *points])
    assert all(len(faces) == 1 for faces in found)
    assert found == expected(fan, [hub, *points])
