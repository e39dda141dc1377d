"""The parts of the look-up, and what happens when its tables must grow."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest

from spotbeam.kernels.lookup.build import build_lookup
from spotbeam.kernels.lookup.locate import locate
from spotbeam.kernels.lookup.raster import region_keys, unique_segments
from spotbeam.kernels.lookup.sides import is_left, map_place
from spotbeam.kernels.lookup.touch import touched


def exact_sign(ax, ay, bx, by, px, py):
    ax, ay, bx, by, px, py = map(Fraction, (ax, ay, bx, by, px, py))
    det = (bx - ax) * (py - ay) - (by - ay) * (px - ax)
    return (det > 0) - (det < 0)


def test_sides_are_exact_beside_the_line():
    """Points a few units in the last place off a line, where plain arithmetic guesses."""
    rng = np.random.default_rng(4)
    decided_by_rounding = 0
    for _ in range(3_000):
        ax, ay, bx, by = rng.uniform(-180.0, 180.0, 4)
        t = rng.uniform()
        px, py = ax + t * (bx - ax), ay + t * (by - ay)
        for _ in range(int(rng.integers(0, 3))):
            px = np.nextafter(px, rng.choice([-1e9, 1e9]))
        sign = exact_sign(ax, ay, bx, by, px, py)
        naive = np.sign((bx - ax) * (py - ay) - (by - ay) * (px - ax))
        decided_by_rounding += naive != sign
        if sign:
            assert is_left(ax, ay, bx, by, px, py) == (sign > 0)
            assert is_left(bx, by, ax, ay, px, py) == (sign < 0)
    assert decided_by_rounding > 100


@pytest.mark.parametrize(
    ("line", "is_north_left"),
    [((0, 0, 4, 0), True), ((4, 0, 0, 0), False), ((0, 0, 4, 4), True), ((0, 4, 4, 0), True)],
)
def test_a_point_on_a_line_counts_as_north_of_it(line, is_north_left):
    line = tuple(map(float, line))
    middle = (line[0] + line[2]) / 2, (line[1] + line[3]) / 2
    assert is_left(*line, *middle) == is_north_left


def test_a_point_on_a_meridian_counts_as_east_of_it():
    assert not is_left(2.0, 0.0, 2.0, 4.0, 2.0, 1.0)
    assert is_left(2.0, 4.0, 2.0, 0.0, 2.0, 1.0)


@pytest.mark.parametrize(
    ("place", "on_map"),
    [
        ((10.0, 190.0), (10.0, -170.0)),
        ((10.0, 180.0), (10.0, -180.0)),
        ((10.0, -180.0), (10.0, -180.0)),
        ((10.0, -540.5), (10.0, 179.5)),
        ((10.0, 3600.25), (10.0, 0.25)),
        ((-90.0, 77.0), (-90.0, 0.0)),
        ((90.0, -77.0), (np.nextafter(90.0, 0.0), 0.0)),
        ((-1e-300, 1e-300), (0.0, 0.0)),
    ],
)
def test_places_on_the_map(place, on_map):
    assert map_place(*place) == on_map


def test_keys_are_fixed_and_all_different():
    keys = region_keys(100_000)
    assert len(np.unique(keys)) == 100_000
    # splitmix64 from seed 0: its reference implementation's first outputs.
    assert keys[:2].tolist() == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4]


def test_a_shared_border_is_one_segment():
    west = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0), (0.0, 0.0)]
    east = [(1.0, 1.0), (1.0, -0.0), (2.0, 0.0), (2.0, 1.0), (1.0, 1.0)]
    keys = region_keys(2)
    found = unique_segments(
        np.array(west + east), np.array([0, 5, 10]), np.array([0, 1], np.int32), keys
    )
    assert len(found.ends) == 7
    shared = np.flatnonzero((found.ends[:, 0] == 1.0) & (found.ends[:, 2] == 1.0))
    assert found.ends[shared].tolist() == [[1.0, 0.0, 1.0, 1.0]]
    assert found.key[shared].tolist() == [int(keys[0] ^ keys[1])]
    i = shared[0]
    bounds = found.use_region[found.use_start[i] : found.use_start[i + 1]]
    assert sorted(bounds.tolist()) == [0, 1]


N = 280
WEST, SOUTH, STEP = 10.01, 40.02, 0.0031


@pytest.fixture(scope="module")
def lattice():
    """Strips across strips: 280 + 280 regions that overlap in 78,400 places."""
    rings = []
    end = N * STEP
    for k in range(N):
        a, b = k * STEP, (k + 1) * STEP
        rings.append([(a, 0.0), (b, 0.0), (b, end), (a, end), (a, 0.0)])
    for k in range(N):
        a, b = k * STEP, (k + 1) * STEP
        rings.append([(0.0, a), (end, a), (end, b), (0.0, b), (0.0, a)])
    corners = np.array(list(itertools.chain.from_iterable(rings))) + np.array([WEST, SOUTH])
    start = np.arange(0, len(corners) + 1, 5)
    return build_lookup(corners, start, np.arange(2 * N, dtype=np.int32), 2 * N)


def test_tables_grow_with_the_faces(lattice):
    assert len(lattice.faces) == N * N + 1
    assert len(set(lattice.faces)) == N * N + 1
    rng = np.random.default_rng(8)
    i, j = rng.integers(0, N, (2, 20_000))
    lon = WEST + (i + rng.uniform(0.01, 0.99, 20_000)) * STEP
    lat = SOUTH + (j + rng.uniform(0.01, 0.99, 20_000)) * STEP
    faces = locate(lattice.raster, np.arange(N * N + 1, dtype=np.int32), lat, lon)
    assert [lattice.faces[face] for face in faces] == [
        (a, N + b) for a, b in zip(i.tolist(), j.tolist(), strict=True)
    ]


def test_sets_grow_with_the_discs(lattice):
    """Thousands of sets at once are what each disc alone finds."""
    rng = np.random.default_rng(9)
    count = 4_000
    lon = WEST + rng.uniform(-0.01, N * STEP, count)
    lat = SOUTH + rng.uniform(-0.01, N * STEP, count)
    radius = 10.0 ** rng.uniform(1.0, 3.3, count)
    final = np.arange(N * N + 1, dtype=np.int32)
    own = locate(lattice.raster, final, lat, lon)

    def sets(chosen):
        found = touched(
            lattice.raster,
            lattice.edges,
            final,
            own[chosen],
            lat[chosen],
            lon[chosen],
            radius[chosen],
        )
        each = [found.face[a:b].tolist() for a, b in itertools.pairwise(found.start.tolist())]
        assert len({*map(tuple, each)}) == len(each)
        return [each[k] for k in found.of_point]

    together = sets(slice(None))
    assert len({*map(tuple, together)}) > 2_048
    for i in range(0, count, 16):
        assert sets(slice(i, i + 1)) == [together[i]]
    # The lattice is square to a hair: a disc meets the rows that its height spans.
    metres_a_row = STEP * 111_030.0  # at 40.5 N, WGS 84, within 0.1 %
    for i in range(0, count, 7):
        rows = {lattice.faces[face][1] - N for face in together[i] if face}
        row = (lat[i] - SOUTH) / STEP
        low, high = row - radius[i] / metres_a_row, row + radius[i] / metres_a_row
        if lattice.faces[own[i]] and 0.01 < low % 1 < 0.99 and 0.01 < high % 1 < 0.99:
            assert min(rows) == max(int(low), 0)
            assert max(rows) == min(int(high), N - 1)
