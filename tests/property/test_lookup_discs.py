"""The faces that a disc touches, against overlay by shapely and distances by PROJ."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyproj import Geod

from spotbeam.kernels.lookup.build import build_lookup
from spotbeam.kernels.lookup.locate import locate
from spotbeam.kernels.lookup.touch import touched

WGS84 = Geod(ellps="WGS84")
DOUBT_M = 0.02  # the stated error is 1 cm at 100 km


def distance_m(shape, lat, lon):
    """Geodesic distance from a place to a shape whose edges are straight in lon and lat."""
    lon = (lon + 180.0) % 360.0 - 180.0
    if shapely.intersects_xy(shape, lon, lat):
        return 0.0
    best = np.inf
    for ring in shapely.get_rings(shapely.get_parts(shape)):
        xy = shapely.get_coordinates(ring)
        a, b = xy[:-1], xy[1:]
        low, high = np.zeros(len(a)), np.ones(len(a))
        # A coarse look, then ever finer about the best.
        for _ in range(8):
            t = low + (high - low) * np.linspace(0.0, 1.0, 17)[:, np.newaxis]
            x = a[:, 0] + t * (b[:, 0] - a[:, 0])
            y = np.clip(a[:, 1] + t * (b[:, 1] - a[:, 1]), -90.0, 90.0)
            _, _, d = WGS84.inv(np.full(t.size, lon), np.full(t.size, lat), x.ravel(), y.ravel())
            d = np.reshape(d, t.shape)
            k = d.argmin(axis=0)
            width = (high - low) / 16
            middle = low + k * width
            low, high = np.maximum(middle - width, 0.0), np.minimum(middle + width, 1.0)
        assert not np.isnan(d).any()
        best = min(best, float(d.min()))
    return best


def faces_of(shapes):
    """Faces as shapely finds them: which shapes hold each, and its outline.

    Returns those that are wider than 4 mm somewhere, and the keys of all.
    """
    world = shapely.box(-180.0, -90.0, 180.0, 90.0)
    lines = shapely.union_all([shapely.boundary(shape) for shape in [*shapes, world]])
    found, every = {}, {frozenset()}
    for part in shapely.get_parts(shapely.polygonize([lines])):
        inner = part.buffer(-2e-8)
        at = (part if inner.is_empty else inner).representative_point()
        key = frozenset(i for i, shape in enumerate(shapes) if shape.contains(at))
        every.add(key)
        if not inner.is_empty:
            found.setdefault(key, []).append(part)
    return {key: shapely.MultiPolygon(parts) for key, parts in found.items()}, every


def check(shapes, places):
    """`places`: lat, lon, radius."""
    rings, owner = shapely.get_rings(np.array(shapes), return_index=True)
    start = np.concatenate([[0], np.cumsum(shapely.get_num_coordinates(rings))])
    found = build_lookup(
        shapely.get_coordinates(rings), start.astype(np.int64), owner.astype(np.int32), len(shapes)
    )
    final = np.arange(len(found.faces), dtype=np.int32)
    lat, lon, radius = (np.ascontiguousarray(column) for column in np.array(places).T)
    own = locate(found.raster, final, lat, lon)
    sets = touched(found.raster, found.edges, final, own, lat, lon, radius)
    outlines, every = faces_of(shapes)
    # What is thinner than a millimetre does not count; between, it may.
    assert outlines.keys() <= {frozenset(face) for face in found.faces} <= every
    n_met = 0
    for i, (y, x, r) in enumerate(places):
        held = sets.face[sets.start[sets.of_point[i]] : sets.start[sets.of_point[i] + 1]]
        assert np.all(np.diff(held) > 0)
        met = {frozenset(found.faces[face]) for face in held}
        assert frozenset(found.faces[own[i]]) in met
        n_met += len(met) - 1
        for key, outline in outlines.items():
            d = distance_m(outline, y, x)
            if r == 0.0:
                continue
            if d < r - DOUBT_M:
                assert key in met, (y, x, r, sorted(key), d)
            if d > r + DOUBT_M:
                assert key not in met, (y, x, r, sorted(key), d)
        if r == 0.0:
            assert len(met) == 1
    return n_met


@st.composite
def scene(draw):
    """A few shapes that overlap, and discs about them, anywhere on Earth."""
    x0 = draw(st.sampled_from([0.0, 31.4, -100.03, 179.99, -180.0]))
    y0 = draw(st.sampled_from([0.01, 46.0, -55.07, 71.3, 83.0, -88.0]))
    size = draw(st.sampled_from([0.02, 0.3, 2.0]))
    wide = size / np.cos(np.radians(min(abs(y0) + size, 88.5)))
    # Rounded: GEOS has trouble with coordinates like 1e-228.
    shares = st.floats(-1.0, 1.0).map(lambda share: round(share, 6))
    places = st.tuples(shares, shares)

    def on_map(place):
        x = np.clip(x0 + wide * place[0], -180.0, 180.0)
        return float(x), float(np.clip(y0 + size * place[1], -90.0, 90.0))

    shapes = []
    for corners in draw(st.lists(st.lists(places, min_size=3, max_size=6), max_size=3)):
        shape = shapely.MultiPoint([on_map(place) for place in corners]).convex_hull
        if shape.geom_type == "Polygon" and shape.buffer(-1e-4).area > 0:
            shapes.append(shape)
    hub = on_map((0.0, 0.0))
    shapes.append(shapely.Point(hub).buffer(0.4 * size) & shapely.box(-180, -90, 180, 90))
    discs = draw(
        st.lists(
            st.tuples(
                shares, shares, st.sampled_from([0.0, 3.0, 250.0, 4e3, 30e3, 1e5]), st.booleans()
            ),
            min_size=4,
            max_size=8,
        )
    )
    out = []
    for u, v, radius, over in discs:
        x, y = on_map((1.3 * u, 1.3 * v))
        out.append((y, x + 360.0 * over, radius))
    return shapes, out


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(scene())
def test_discs_touch_what_lies_within_their_radius(case):
    shapes, places = case
    check(shapes, places)


@pytest.mark.parametrize("turn", [0.0, 360.0, -720.0])
def test_over_the_antimeridian_and_the_pole(turn):
    east = shapely.box(170.0, 10.0, 180.0, 20.0)
    west = shapely.box(-180.0, 12.0, -170.0, 22.0)
    cap = shapely.box(-180.0, 80.0, 0.0, 90.0)
    south = shapely.box(-180.0, -90.0, 180.0, -89.0)
    places = [
        (15.0, 179.9, 9e3),  # the far side is 10.7 km away
        (15.0, 179.9, 12e3),
        (11.0, 179.95, 6e3),  # over the seam there is nothing
        (21.0, -179.99, 9e4),
        (12.0, -180.0, 1.0),
        (89.99, 90.0, 1e3),  # the pole is 1.117 km away
        (89.99, 90.0, 1.2e3),
        (90.0, 33.0, 5.0),
        (89.5, -1.0, 2e3),
        (-90.0, 0.0, 1e5),
        (-90.0, 0.0, 1.2e5),
        (-88.9, 140.0, 1.2e4),
    ]
    n_met = check([east, west, cap, south], [(y, x + turn, r) for y, x, r in places])
    assert n_met == 10


def test_a_radius_of_nothing_meets_nothing_else():
    shape = shapely.box(0.0, 0.0, 1.0, 1.0)
    assert check([shape], [(0.0, 0.5, 0.0), (0.5, 0.5, 0.0)]) == 0
    assert check([shape], [(0.0, 0.5, 0.5), (-1e-7, 0.5, 0.5), (0.5, 0.5, 0.5)]) == 2
