"""The faces that a disc on the ground touches.

The disc is geodesic on WGS 84: every point within a distance of its centre. Distances are compared
as straight lines through the Earth. How much longer the way along the ground is depends on the
direction; a sphere of the mean radius there is used for all, which is off by 1 cm at 100 km and by
the third power of the distance. Edges are followed as they run, straight in longitude and latitude.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from spotbeam.kernels.lookup.index import Raster, record_counts
from spotbeam.kernels.lookup.labels import Edges
from spotbeam.kernels.lookup.raster import (
    BLOCK,
    BLOCK_COLUMNS,
    COLUMNS,
    PER_DEGREE,
    ROWS,
    column_of,
    column_west,
    row_of,
    row_south,
)
from spotbeam.kernels.lookup.sides import map_place
from spotbeam.units import WGS84_ECCENTRICITY_SQUARED, WGS84_EQUATORIAL_RADIUS_KM

_A_M = WGS84_EQUATORIAL_RADIUS_KM * 1000.0
_E2 = WGS84_ECCENTRICITY_SQUARED
_LEAST_RADIUS_M = _A_M * (1.0 - _E2)  # of the meridian at the equator: no curvature is sharper
_RAD = math.pi / 180.0

# Degrees of longitude for a degree of latitude, at most, by row; 1 % more for the bend of circles,
# which is right up to latitude 80 and a degree's reach. Elsewhere the sine rule is used.
_ROW_EDGE_DEG = np.abs(np.arange(ROWS + 1) / PER_DEGREE - 90.0)
_WIDENING = 1.01 / np.cos(
    np.radians(np.minimum(np.maximum(_ROW_EDGE_DEG[1:], _ROW_EDGE_DEG[:-1]), 89.0))
)


class Sets(NamedTuple):
    """Sets of faces, each once.

    Attributes:
        of_point: the set of each point, shape (n,), int32.
        start: shape (n_set + 1,).
        face: the faces of set i, ascending, are `face[start[i]:start[i + 1]]`.
    """

    of_point: npt.NDArray[np.int32]
    start: npt.NDArray[np.int64]
    face: npt.NDArray[np.int32]


def touched(
    raster: Raster,
    edges: Edges,
    final: npt.NDArray[np.int32],
    own: npt.NDArray[np.int32],
    lat_deg: npt.NDArray[np.float64],
    lon_deg: npt.NDArray[np.float64],
    radius_m: npt.NDArray[np.float64],
) -> Sets:
    """The set of faces that each disc touches.

    Args:
        raster, edges: where to look.
        final: what to call each of their faces, shape (n_face,), int32.
        own: what `locate` answers for the points, with the same `final`.
        lat_deg, lon_deg, radius_m: shape (n,), float64.
    """
    n_final = int(final.max()) + 1
    index = np.empty(len(own), np.int32)
    # A face met by the disc at hand bears the disc's number plus one.
    stamp = np.zeros(n_final, np.int64)
    met = np.empty(n_final, np.int32)
    alone = np.full(n_final, -1, np.int32)
    counts = np.zeros(2, np.int64)  # points done, sets found
    start = np.zeros(1024, np.int64)
    face = np.empty(4096 + n_final, np.int32)
    mix = np.empty(1024, np.uint64)
    table = np.full(4096, -1, np.int32)
    while counts[0] < len(own):
        _touched(
            raster.block,
            raster.fine,
            raster.word,
            *edges,
            final,
            own,
            lat_deg,
            lon_deg,
            radius_m,
            stamp,
            met,
            alone,
            index,
            start,
            face,
            mix,
            table,
            counts,
        )
        # It stops for want of room, or at the end.
        start = np.concatenate([start, np.zeros_like(start)])
        face = np.concatenate([face, np.empty_like(face)])
        mix = np.concatenate([mix, np.empty_like(mix)])
        table = np.full(2 * len(table), -1, np.int32)
        _enter_again(table, mix, counts[1])
    n_set = int(counts[1])
    return Sets(index, start[: n_set + 1].copy(), face[: start[n_set]].copy())


@njit(cache=True, nogil=True)
def _touched(
    block: Any,
    fine: Any,
    word: Any,
    edge_start: Any,
    edge_ends: Any,
    edge_sides: Any,
    face_start: Any,
    face_list: Any,
    final: Any,
    own: Any,
    lat_deg: Any,
    lon_deg: Any,
    radius_m: Any,
    stamp: Any,
    met: Any,
    alone: Any,
    index: Any,
    set_start: Any,
    set_face: Any,
    set_mix: Any,
    table: Any,
    counts: Any,
) -> None:
    n_set = counts[1]
    for i in range(counts[0], len(own)):
        if n_set + 2 > len(set_start) or set_start[n_set] + len(met) > len(set_face):
            counts[0], counts[1] = i, n_set
            return
        n_met = 0
        if own[i] >= 0:
            met[0] = own[i]
            n_met = 1
            if radius_m[i] > 0.0:
                y, x = map_place(lat_deg[i], lon_deg[i])
                frame = _frame(y, x, radius_m[i])
                if not _is_plain(block, fine, *frame):
                    stamp[own[i]] = i + 1
                    n_met = _meet(
                        block,
                        fine,
                        word,
                        edge_start,
                        edge_ends,
                        edge_sides,
                        face_start,
                        face_list,
                        final,
                        y,
                        x,
                        radius_m[i],
                        frame,
                        stamp,
                        np.int64(i + 1),
                        met,
                    )
        if n_met == 1 and alone[met[0]] >= 0:
            index[i] = alone[met[0]]
            continue
        mix = _sort(met, n_met)
        mask = np.uint64(len(table) - 1)
        slot = mix & mask
        found = np.int64(-1)
        while table[slot] >= 0 and found < 0:
            held = np.int64(table[slot])
            if set_mix[held] == mix and set_start[held + 1] - set_start[held] == n_met:
                found = held
                for k in range(n_met):
                    if set_face[set_start[held] + k] != met[k]:
                        found = np.int64(-1)
            slot = (slot + np.uint64(1)) & mask
        if found < 0:
            found = n_set
            for k in range(n_met):
                set_face[set_start[n_set] + k] = met[k]
            set_start[n_set + 1] = set_start[n_set] + n_met
            set_mix[n_set] = mix
            _enter(table, mix, n_set)
            n_set += 1
        index[i] = found
        if n_met == 1:
            alone[met[0]] = found
    counts[0], counts[1] = len(own), n_set


@njit(cache=True, nogil=True)
def _sort(met: Any, n_met: int) -> Any:
    """Sort the first few faces in place, and mix them into one number."""
    for k in range(1, n_met):
        face = met[k]
        j = k
        while j > 0 and met[j - 1] > face:
            met[j] = met[j - 1]
            j -= 1
        met[j] = face
    mix = np.uint64(n_met)
    for k in range(n_met):
        mix = (mix ^ np.uint64(met[k])) * np.uint64(0x9E3779B97F4A7C15)
        mix ^= mix >> np.uint64(31)
    return mix


@njit(cache=True, nogil=True)
def _enter(table: Any, mix: Any, held: int) -> None:
    mask = np.uint64(len(table) - 1)
    slot = mix & mask
    while table[slot] >= 0:
        slot = (slot + np.uint64(1)) & mask
    table[slot] = held


@njit(cache=True, nogil=True)
def _enter_again(table: Any, mixes: Any, count: int) -> None:
    for held in range(count):
        _enter(table, mixes[held], held)


@njit(cache=True, nogil=True)
def _frame(y: float, x: float, radius_m: float) -> tuple[int, int, int, int]:
    """Rows (first, last) and columns (first, last) that a disc cannot leave.

    Columns run on past the map's edges; all of them are meant if they are 0 to COLUMNS - 1.
    """
    # No centre of curvature sees the disc under a wider angle.
    reach = radius_m / _LEAST_RADIUS_M * (1.0 + 1e-9) + 1e-12
    reach_deg = reach / _RAD
    south, north = y - reach_deg, y + reach_deg
    first_row = row_of(south) if south > -90.0 else 0
    last_row = min(row_of(north), ROWS - 1) if north < 90.0 else ROWS - 1
    half_deg = 180.0
    if reach_deg < 1.0 and abs(y) < 80.0:
        half_deg = reach_deg * _WIDENING[row_of(y)]
    elif south > -90.0 and north < 90.0:
        # The widest turn from which a small circle on the sphere is seen from its pole. That of
        # the ellipsoid is less: its parallels are longer.
        half_deg = math.asin(min(math.sin(reach) / math.cos(y * _RAD), 1.0)) / _RAD
    if half_deg > 179.0:
        return first_row, last_row, 0, COLUMNS - 1
    return first_row, last_row, column_of(x - half_deg), column_of(x + half_deg)


@njit(cache=True, nogil=True)
def _is_plain(
    block: Any,
    fine: Any,
    first_row: int,
    last_row: int,
    first_column: int,
    last_column: int,
) -> bool:
    """Whether no segment runs in a small frame; False, without a look, for a large one."""
    if last_row - first_row > BLOCK or last_column - first_column > BLOCK:
        return False
    for block_row in range(first_row // BLOCK, last_row // BLOCK + 1):
        for block_column in range(first_column // BLOCK, last_column // BLOCK + 1):
            value = np.int64(block[block_row * BLOCK_COLUMNS + block_column % BLOCK_COLUMNS])
            if value >= 0:
                continue
            base = (-1 - value) * BLOCK * BLOCK
            row0, column0 = block_row * BLOCK, block_column * BLOCK
            for row in range(max(row0, first_row), min(row0 + BLOCK - 1, last_row) + 1):
                at = base + (row - row0) * BLOCK - column0
                for column in range(
                    max(column0, first_column), min(column0 + BLOCK - 1, last_column) + 1
                ):
                    if fine[at + column] < 0:
                        return False
    return True


@njit(cache=True, nogil=True)
def _meet(
    block: Any,
    fine: Any,
    word: Any,
    edge_start: Any,
    edge_ends: Any,
    edge_sides: Any,
    face_start: Any,
    face_list: Any,
    final: Any,
    y: float,
    x: float,
    radius_m: float,
    frame: tuple[int, int, int, int],
    stamp: Any,
    mark: int,
    met: Any,
) -> int:
    """List the faces within a distance of a place after its own; return how many there are.

    Most edges are judged on a plane with the scale of the place itself, which is off by less than
    the share `slack`; where that leaves a doubt, `_is_near` decides.
    """
    n_met = 1
    first_row, last_row, first_column, last_column = frame
    sine, cosine = math.sin(y * _RAD), math.cos(y * _RAD)
    w2 = 1.0 - _E2 * sine * sine
    across = _A_M / math.sqrt(w2)
    north_m, east_m = across * (1.0 - _E2) / w2 * _RAD, across * cosine * _RAD
    # Nothing in the frame is farther than this, as an angle; parallels there are longer or shorter
    # by its product with the tangent of the latitude.
    extent = 1.5 * (radius_m + 10_000.0) / _LEAST_RADIUS_M
    slack = 1.5 * extent * (abs(sine) / max(cosine, 1e-9) + extent)
    if slack > 0.3 or last_column - first_column > COLUMNS // 4:
        slack = 1.0
    sure, far = radius_m / (1.0 + slack) - 0.01, radius_m / max(1.0 - slack, 1e-9) + 0.01
    if slack == 1.0:
        sure, far = -1.0, math.inf
    for block_row in range(first_row // BLOCK, last_row // BLOCK + 1):
        for block_column in range(first_column // BLOCK, last_column // BLOCK + 1):
            value = np.int64(block[block_row * BLOCK_COLUMNS + block_column % BLOCK_COLUMNS])
            if value >= 0:
                continue
            base = (-1 - value) * BLOCK * BLOCK
            row0, column0 = block_row * BLOCK, block_column * BLOCK
            for row in range(max(row0, first_row), min(row0 + BLOCK - 1, last_row) + 1):
                at = base + (row - row0) * BLOCK - column0
                for column in range(
                    max(column0, first_column), min(column0 + BLOCK - 1, last_column) + 1
                ):
                    record = -1 - np.int64(fine[at + column])
                    if record < 0:
                        continue
                    _, mixed = record_counts(word, record)
                    first, stop = face_start[mixed], face_start[mixed + 1]
                    news = False
                    for k in range(first, stop):
                        news |= stamp[final[face_list[k]]] != mark
                    if not news:
                        continue
                    # The cell's sides, as seen from the place, in degrees.
                    south, west = row_south(row) - y, column_west(column) - x
                    north, east = south + 1.0 / PER_DEGREE, west + 1.0 / PER_DEGREE
                    most = math.hypot(max(-west, east) * east_m, max(-south, north) * north_m)
                    if most < sure:
                        for k in range(first, stop):
                            n_met = _note(np.int64(final[face_list[k]]), stamp, mark, met, n_met)
                        continue
                    least = math.hypot(
                        max(west, -east, 0.0) * east_m, max(south, -north, 0.0) * north_m
                    )
                    if least > far:
                        continue
                    for e in range(edge_start[mixed], edge_start[mixed + 1]):
                        left, right = edge_sides[e, 0], edge_sides[e, 1]
                        left_new = left >= 0 and stamp[final[left]] != mark
                        right_new = right >= 0 and stamp[final[right]] != mark
                        if not (left_new or right_new):
                            continue
                        lon_a, lat_a = west + edge_ends[e, 0], south + edge_ends[e, 1]
                        lon_b, lat_b = west + edge_ends[e, 2], south + edge_ends[e, 3]
                        flat = _flat_distance(
                            lon_a * east_m, lat_a * north_m, lon_b * east_m, lat_b * north_m
                        )
                        if flat > far:
                            continue
                        if flat > sure and not _is_near(
                            y * _RAD,
                            x * _RAD,
                            (y + lat_a) * _RAD,
                            (x + lon_a) * _RAD,
                            (y + lat_b) * _RAD,
                            (x + lon_b) * _RAD,
                            radius_m,
                        ):
                            continue
                        if left_new:
                            n_met = _note(np.int64(final[left]), stamp, mark, met, n_met)
                        if right_new:
                            n_met = _note(np.int64(final[right]), stamp, mark, met, n_met)
    return n_met


@njit(cache=True, nogil=True)
def _flat_distance(ax: float, ay: float, bx: float, by: float) -> float:
    """From the origin to a segment of the plane."""
    dx, dy = bx - ax, by - ay
    square = dx * dx + dy * dy
    t = 0.0
    if square > 0.0:
        t = min(max(-(ax * dx + ay * dy) / square, 0.0), 1.0)
    return math.hypot(ax + t * dx, ay + t * dy)


@njit(cache=True, nogil=True)
def _note(face: int, stamp: Any, mark: int, met: Any, n_met: int) -> int:
    """Add a face to those met, unless it is there."""
    if stamp[face] == mark:
        return n_met
    stamp[face] = mark
    met[n_met] = face
    return n_met + 1


@njit(cache=True, nogil=True)
def _place_m(lat: float, lon: float) -> tuple[float, float, float, float]:
    """ECEF position at height 0, metres, and the mean radius of curvature there; radians in."""
    sine, cosine = math.sin(lat), math.cos(lat)
    w2 = 1.0 - _E2 * sine * sine
    across = _A_M / math.sqrt(w2)  # radius of curvature in the prime vertical
    mean = across * math.sqrt((1.0 - _E2) / w2)
    level = across * cosine
    return (
        level * math.cos(lon),
        level * math.sin(lon),
        across * (1.0 - _E2) * sine,
        mean,
    )


@njit(cache=True, nogil=True)
def _is_near(
    lat: float,
    lon: float,
    lat_a: float,
    lon_a: float,
    lat_b: float,
    lon_b: float,
    radius_m: float,
) -> bool:
    """Whether a short edge comes within a distance of a place. All angles in radians."""
    px, py, pz, radius = _place_m(lat, lon)
    chord = 2.0 * radius * math.sin(min(0.5 * radius_m / radius, 0.5 * math.pi))
    ax, ay, az, _ = _place_m(lat_a, lon_a)
    bx, by, bz, _ = _place_m(lat_b, lon_b)
    dx, dy, dz = bx - ax, by - ay, bz - az
    square = dx * dx + dy * dy + dz * dz
    along = (px - ax) * dx + (py - ay) * dy + (pz - az) * dz
    t = min(max(along / square, 0.0), 1.0) if square > 0.0 else 0.0
    straight = math.sqrt(
        (ax + t * dx - px) ** 2 + (ay + t * dy - py) ** 2 + (az + t * dz - pz) ** 2
    )
    # How far the edge can bend away from the straight line between its ends: an eighth of the
    # second derivative along it.
    span = abs(lat_b - lat_a) + abs(lon_b - lon_a)
    bend = 0.125 * span * span * 1.01 * _A_M
    if straight > chord + bend:
        return False
    if straight <= chord - bend:
        return True
    # The nearest point of the edge itself: the distance falls before it and rises after it.
    low, high = 0.0, 1.0
    for _ in range(30):
        t = 0.5 * (low + high)
        qx, qy, qz, slope = _point_and_slope(lat_a, lon_a, lat_b, lon_b, t, px, py, pz)
        if slope > 0.0:
            high = t
        else:
            low = t
    best = math.inf
    for t in (0.0, 0.5 * (low + high), 1.0):
        qx, qy, qz, _ = _point_and_slope(lat_a, lon_a, lat_b, lon_b, t, px, py, pz)
        best = min(best, math.sqrt((qx - px) ** 2 + (qy - py) ** 2 + (qz - pz) ** 2))
    return bool(best <= chord)


@njit(cache=True, nogil=True)
def _point_and_slope(
    lat_a: float,
    lon_a: float,
    lat_b: float,
    lon_b: float,
    t: float,
    px: float,
    py: float,
    pz: float,
) -> tuple[float, float, float, float]:
    """A point of an edge, and how fast half the squared distance to a place grows there."""
    lat, lon = lat_a + t * (lat_b - lat_a), lon_a + t * (lon_b - lon_a)
    sin_lat, cos_lat, sin_lon, cos_lon = math.sin(lat), math.cos(lat), math.sin(lon), math.cos(lon)
    w2 = 1.0 - _E2 * sin_lat * sin_lat
    across = _A_M / math.sqrt(w2)
    qx, qy = across * cos_lat * cos_lon, across * cos_lat * sin_lon
    qz = across * (1.0 - _E2) * sin_lat
    north = (lat_b - lat_a) * across * (1.0 - _E2) / w2
    east = (lon_b - lon_a) * across * cos_lat
    slope = (
        (qx - px) * (-sin_lat * cos_lon * north - sin_lon * east)
        + (qy - py) * (-sin_lat * sin_lon * north + cos_lon * east)
        + (qz - pz) * cos_lat * north
    )
    return qx, qy, qz, slope
