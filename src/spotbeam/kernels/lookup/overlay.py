"""Two lookups laid over each other: which pairs of faces a disc touches.

Where a disc touches one face of either lookup, its pairs are known without a look: that face with
each of the other's. Only where it touches several of both must the edges of one be cut by those of
the other; that is done here, raster cell by raster cell, as `labels` does it once for all when a
lookup is built.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from spotbeam.kernels.lookup.build import Lookup
from spotbeam.kernels.lookup.discs import (
    LEAST_RADIUS_M,
    RAD,
    flat_square,
    frame_of,
    is_near,
    scale_m,
)
from spotbeam.kernels.lookup.faces import SLIVER_DEG
from spotbeam.kernels.lookup.index import cell_value, face_at, record_counts
from spotbeam.kernels.lookup.raster import COLUMNS, column_west, row_south
from spotbeam.kernels.lookup.sides import map_place

Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Layer(NamedTuple):
    """What of a lookup is asked here; `final` is what to call each of its faces."""

    block: Int32s
    fine: Int32s
    word: npt.NDArray[np.uint64]
    number: Floats
    slot_hash: npt.NDArray[np.uint64]
    slot_face: Int32s
    start: Int32s
    ends: npt.NDArray[np.float32]
    sides: Int32s
    final: Int32s


def layer(lookup: Lookup, final: Int32s) -> Layer:
    """A lookup as a layer."""
    return Layer(*lookup.raster, lookup.edges.start, lookup.edges.ends, lookup.edges.sides, final)


def touched_pairs(
    one: Layer,
    two: Layer,
    own: npt.NDArray[np.int64],
    most: npt.NDArray[np.int64],
    lat_deg: Floats,
    lon_deg: Floats,
    radius_m: Floats,
) -> tuple[Int64s, Int64s]:
    """The pairs of faces that each disc touches.

    Args:
        one, two: The two layers.
        own: The pair that each point lies in, `face_one * n_face_two + face_two`, shape (n,),
            int64, where `n_face_two` is the number of final faces of `two`.
        most: How many pairs there can be, shape (n,): once so many are met the disc is done.
        lat_deg, lon_deg, radius_m: Shape (n,), float64; all of them places.

    Returns:
        `start`, shape (n + 1,), and pairs: those of disc i are `pair[start[i]:start[i + 1]]`.
    """
    n_two = int(two.final.max()) + 1
    start = np.zeros(len(own) + 1, np.int64)
    pair = np.empty(int(most.max(initial=0)) + 16 * len(own) + 64, np.int64)
    scratch = np.empty(4 * (_most_edges(one) + _most_edges(two)) + 8)
    done = 0
    while done < len(own):
        done = _touched_pairs(
            one, two, n_two, own, most, lat_deg, lon_deg, radius_m, start, pair, scratch, done
        )
        if done < len(own):
            pair = np.concatenate([pair, np.empty_like(pair)])
    return start, pair[: start[-1]]


def _most_edges(one: Layer) -> int:
    return int(np.diff(one.start).max(initial=0))


@njit(cache=True, nogil=True)
def _touched_pairs(
    one: Any,
    two: Any,
    n_two: int,
    own: Any,
    most: Any,
    lat_deg: Any,
    lon_deg: Any,
    radius_m: Any,
    start: Any,
    pair: Any,
    scratch: Any,
    done: int,
) -> int:
    """Answer for points from `done` on while there is room; return how many are done."""
    for i in range(done, len(own)):
        first = start[i]
        if first + most[i] > len(pair):
            return i
        pair[first] = own[i]
        start[i + 1] = first + 1
        y, x = map_place(lat_deg[i], lon_deg[i])
        low_row, high_row, low_column, high_column = frame_of(y, x, radius_m[i])
        reach = _reach(y, radius_m[i], high_column - low_column)
        for row in range(low_row, high_row + 1):
            for column in range(low_column, high_column + 1):
                if start[i + 1] - first >= most[i]:
                    break
                wrapped = column % COLUMNS
                a = cell_value(one.block, one.fine, row, wrapped)
                b = cell_value(two.block, two.fine, row, wrapped)
                if a < 0:
                    _along(
                        one, two, a, b, n_two, 1, row, column, y, x, radius_m[i], reach,
                        i, start, pair, scratch,
                    )  # fmt: skip
                if b < 0:
                    _along(
                        two, one, b, a, 1, n_two, row, column, y, x, radius_m[i], reach,
                        i, start, pair, scratch,
                    )  # fmt: skip
    return len(own)


@njit(cache=True, nogil=True)
def _reach(y: float, radius_m: float, width: int) -> tuple[float, float, float, float]:
    """Metres a degree north and east, and the squared distances that are surely in or out.

    As in `touch`: a plane with the scale of the place itself, and the share that it may be off by.
    """
    north_m, east_m, tangent = scale_m(y)
    extent = 1.5 * (radius_m + 10_000.0) / LEAST_RADIUS_M
    slack = 1.5 * extent * (tangent + extent)
    if slack > 0.3 or width > COLUMNS // 4:
        return north_m, east_m, -1.0, math.inf
    sure, far = radius_m / (1.0 + slack) - 0.01, radius_m / (1.0 - slack) + 0.01
    return north_m, east_m, sure * sure if sure > 0.0 else -1.0, far * far


@njit(cache=True, nogil=True)
def _along(
    mine: Any,
    other: Any,
    value: int,
    other_value: int,
    my_weight: int,
    other_weight: int,
    row: int,
    column: int,
    y: float,
    x: float,
    radius_m: float,
    reach: tuple[float, float, float, float],
    i: int,
    start: Any,
    pair: Any,
    scratch: Any,
) -> None:
    """Go along the edges of one layer in a raster cell, cut where the other's edges cross them.

    A pair is written `my_face * my_weight + other_face * other_weight`.
    """
    north_m, east_m, sure_square, far_square = reach
    south, west = row_south(row) - y, column_west(column) - x
    wrapped_west = column_west(column % COLUMNS)
    corner_south = row_south(row)
    _, mixed = record_counts(mine.word, -1 - value)
    for e in range(mine.start[mixed], mine.start[mixed + 1]):
        ax, ay = np.float64(mine.ends[e, 0]), np.float64(mine.ends[e, 1])
        dx, dy = np.float64(mine.ends[e, 2]) - ax, np.float64(mine.ends[e, 3]) - ay
        flat = flat_square(
            (west + ax) * east_m,
            (south + ay) * north_m,
            (west + ax + dx) * east_m,
            (south + ay + dy) * north_m,
        )
        length = math.hypot(dx, dy)
        if flat > far_square or length == 0.0:
            continue
        scratch[0], scratch[1] = 0.0, 1.0
        n_cut = 2
        if other_value < 0:
            _, crossed = record_counts(other.word, -1 - other_value)
            for f in range(other.start[crossed], other.start[crossed + 1]):
                n_cut = _cut(
                    ax,
                    ay,
                    dx,
                    dy,
                    np.float64(other.ends[f, 0]),
                    np.float64(other.ends[f, 1]),
                    np.float64(other.ends[f, 2]),
                    np.float64(other.ends[f, 3]),
                    scratch,
                    n_cut,
                )
        over, up = -dy / length * SLIVER_DEG, dx / length * SLIVER_DEG
        for k in range(n_cut - 1):
            t0, t1 = scratch[k], scratch[k + 1]
            if (t1 - t0) * length < 2e-9:
                continue
            lon_a, lat_a = west + ax + t0 * dx, south + ay + t0 * dy
            lon_b, lat_b = west + ax + t1 * dx, south + ay + t1 * dy
            if n_cut > 2:
                flat = flat_square(lon_a * east_m, lat_a * north_m, lon_b * east_m, lat_b * north_m)
            if flat > far_square:
                continue
            if flat > sure_square and not is_near(
                y * RAD,
                x * RAD,
                (y + lat_a) * RAD,
                (x + lon_a) * RAD,
                (y + lat_b) * RAD,
                (x + lon_b) * RAD,
                radius_m,
            ):
                continue
            middle = 0.5 * (t0 + t1)
            for side in range(2):
                face = np.int64(mine.sides[e, side])
                if face < 0:
                    continue
                sign = 1.0 - 2.0 * side
                beyond = other_value
                if other_value < 0:
                    beyond = _face_beside(
                        other,
                        corner_south + ay + middle * dy + sign * up,
                        wrapped_west + ax + middle * dx + sign * over,
                    )
                met = (
                    np.int64(mine.final[face]) * my_weight
                    + np.int64(other.final[beyond]) * other_weight
                )
                _note(met, i, start, pair)


@njit(cache=True, nogil=True)
def _face_beside(other: Any, y: float, x: float) -> int:
    """The face of the other layer at a place beside an edge."""
    lat, lon = map_place(min(max(y, -90.0), 90.0), x)
    return int(
        face_at(
            other.block,
            other.fine,
            other.word,
            other.number,
            other.slot_hash,
            other.slot_face,
            lat,
            lon,
        )
    )


@njit(cache=True, nogil=True)
def _cut(
    ax: float,
    ay: float,
    dx: float,
    dy: float,
    cx: float,
    cy: float,
    ex: float,
    ey: float,
    cuts: Any,
    count: int,
) -> int:
    """Cut an edge where another crosses it or ends on it; a cut too many does no harm."""
    fx, fy = ex - cx, ey - cy
    square = dx * dx + dy * dy
    across = dx * fy - dy * fx
    if abs(across) > 1e-12 * math.sqrt(square * (fx * fx + fy * fy)):
        t = ((cx - ax) * fy - (cy - ay) * fx) / across
        u = ((cx - ax) * dy - (cy - ay) * dx) / across
        if -1e-3 <= u <= 1.001:
            count = _insert(cuts, count, t)
        return int(count)
    count = _insert(cuts, count, ((cx - ax) * dx + (cy - ay) * dy) / square)
    return int(_insert(cuts, count, ((ex - ax) * dx + (ey - ay) * dy) / square))


@njit(cache=True, nogil=True)
def _insert(cuts: Any, count: int, t: float) -> int:
    """Insert a parameter in its place, if it lies strictly between 0 and 1."""
    if not 0.0 < t < 1.0:
        return count
    k = count
    while cuts[k - 1] > t:
        cuts[k] = cuts[k - 1]
        k -= 1
    cuts[k] = t
    return count + 1


@njit(cache=True, nogil=True)
def _note(met: int, i: int, start: Any, pair: Any) -> None:
    """Add a pair to those that a disc has met, unless it is there."""
    for k in range(start[i], start[i + 1]):
        if pair[k] == met:
            return
    if start[i + 1] < len(pair):
        pair[start[i + 1]] = met
        start[i + 1] += 1
