"""Segments laid on a raster: which of its cells each one touches, and what lies at the corners.

The map is cut into cells of 1/16 degree, 8 by 8 to a block. Corners of cells are whole numbers of
sixteenths, so the cell of a point is found without rounding. Rows count from 90 S, columns from
180 W.

Every region has a random 64-bit key. A place is known by the exclusive or of the keys of the
regions that hold it; to cross a segment is to toggle the keys of the regions that it bounds. So any
number of regions may overlap in any way, and a border shared by two pieces is one segment.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from spotbeam.kernels.lookup.sides import is_left

PER_DEGREE = 16
BLOCK = 8
ROWS = 180 * PER_DEGREE
COLUMNS = 360 * PER_DEGREE
BLOCK_ROWS = ROWS // BLOCK
BLOCK_COLUMNS = COLUMNS // BLOCK
_MID_ROW = ROWS // 2
_MID_COLUMN = COLUMNS // 2

# A segment counts as touching a cell this near: far over rounding, far under a metre.
_MARGIN_DEG = 1e-7


def region_keys(count: int) -> npt.NDArray[np.uint64]:
    """A fixed, well-mixed key for each region (splitmix64, Steele et al. 2014)."""
    z = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


class Segments(NamedTuple):
    """Each segment once, from its lower end up, with what it bounds.

    Attributes:
        ends: shape (n_segment, 4): lon, lat of the lower end (of the western, if level), then of
            the other.
        key: shape (n_segment,), uint64.
        use_start, use_region: the regions that segment i bounds are
            `use_region[use_start[i]:use_start[i + 1]]`; one that stands there twice cancels out.
    """

    ends: npt.NDArray[np.float64]
    key: npt.NDArray[np.uint64]
    use_start: npt.NDArray[np.int64]
    use_region: npt.NDArray[np.int32]


def unique_segments(
    corners: npt.NDArray[np.float64],
    ring_start: npt.NDArray[np.int64],
    ring_region: npt.NDArray[np.int32],
    region_key: npt.NDArray[np.uint64],
) -> Segments:
    """The segments of rings.

    Args:
        corners: shape (n_corner, 2), longitude and latitude, rings one after the other and closed.
        ring_start: shape (n_ring + 1,).
        ring_region: shape (n_ring,).
        region_key: shape (n_region,), uint64.
    """
    most = len(corners)
    # Adding zero turns -0.0 into 0.0, so that equal numbers have equal bits.
    corners = np.ascontiguousarray(corners + 0.0)
    table = np.full(1 << (2 * most).bit_length(), -1, np.int32)
    ends = np.empty((most, 4), np.float64)
    key = np.zeros(most, np.uint64)
    use = np.empty(most, np.int32)
    region = np.empty(most, np.int32)
    n_segment, n_use = _collect(
        corners,
        corners.view(np.uint64),
        ring_start,
        ring_region,
        region_key,
        table,
        ends,
        key,
        use,
        region,
    )
    use_start = np.zeros(n_segment + 1, np.int64)
    np.cumsum(np.bincount(use[:n_use], minlength=n_segment), out=use_start[1:])
    by_segment = np.argsort(use[:n_use], kind="stable")
    return Segments(ends[:n_segment], key[:n_segment], use_start, region[:n_use][by_segment])


# The kernels of this room are given their arrays to write in: to make, copy or cut arrays in
# compiled code triples the time it takes to compile.


@njit(cache=True, nogil=True)
def _collect(
    corners: Any,
    bits: Any,
    ring_start: Any,
    ring_region: Any,
    region_key: Any,
    table: Any,
    ends: Any,
    key: Any,
    use: Any,
    region: Any,
) -> tuple[int, int]:
    """Fill in `ends`, `key`, and which segment each use is of; return how many of each."""
    mask = np.uint64(len(table) - 1)
    count = 0
    uses = 0
    for ring in range(len(ring_region)):
        for i in range(ring_start[ring], ring_start[ring + 1] - 1):
            a, b = i, i + 1
            ax, ay, bx, by = corners[a, 0], corners[a, 1], corners[b, 0], corners[b, 1]
            if ax == bx and ay == by:
                continue
            if by < ay or (by == ay and bx < ax):
                a, b = b, a
                ax, ay, bx, by = bx, by, ax, ay
            mix = np.uint64(0)
            for word in (bits[a, 0], bits[a, 1], bits[b, 0], bits[b, 1]):
                mix = (mix ^ word) * np.uint64(0x9E3779B97F4A7C15)
                mix ^= mix >> np.uint64(29)
            slot = mix & mask
            held = table[slot]
            while held >= 0 and not (
                ends[held, 0] == ax
                and ends[held, 1] == ay
                and ends[held, 2] == bx
                and ends[held, 3] == by
            ):
                slot = (slot + np.uint64(1)) & mask
                held = table[slot]
            if held < 0:
                held = count
                table[slot] = count
                ends[count, 0], ends[count, 1], ends[count, 2], ends[count, 3] = ax, ay, bx, by
                count += 1
            key[held] ^= region_key[ring_region[ring]]
            use[uses] = held
            region[uses] = ring_region[ring]
            uses += 1
    return count, uses


@njit(cache=True, nogil=True)
def row_of(lat_deg: float) -> int:
    """The row that holds a latitude."""
    return math.floor(lat_deg * PER_DEGREE) + _MID_ROW


@njit(cache=True, nogil=True)
def column_of(lon_deg: float) -> int:
    """The column that holds a longitude."""
    return math.floor(lon_deg * PER_DEGREE) + _MID_COLUMN


@njit(cache=True, nogil=True)
def row_south(row: int) -> float:
    """The latitude of a row's southern edge."""
    return (row - _MID_ROW) / PER_DEGREE


@njit(cache=True, nogil=True)
def column_west(column: int) -> float:
    """The longitude of a column's western edge."""
    return (column - _MID_COLUMN) / PER_DEGREE


def touched_cells(
    ends: npt.NDArray[np.float64], key: npt.NDArray[np.uint64]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Pairs of a cell and a segment that touches it, in the order of the segments.

    Segments whose regions cancel out are left out. So are those along a pole: they bound nothing.
    Those along 180 W stand along 180 E, where both sides of the seam are looked after.

    Returns:
        cell: row * COLUMNS + column, shape (n_pair,), int32.
        segment: shape (n_pair,), int32.
    """
    none = np.empty(0, np.int32)
    count = _touched_cells(ends, key, none, none)
    cell, segment = np.empty(count, np.int32), np.empty(count, np.int32)
    _touched_cells(ends, key, cell, segment)
    return cell, segment


@njit(cache=True, nogil=True)
def _touched_cells(ends: Any, key: Any, cell: Any, segment: Any) -> int:
    """Fill in the pairs, as far as there is room; return how many there are."""
    count = 0
    for s in range(len(ends)):
        if key[s] == 0:
            continue
        ax, ay, bx, by = ends[s, 0], ends[s, 1], ends[s, 2], ends[s, 3]
        if ay == by and abs(ay) == 90.0:
            continue
        if ax == bx and ax == -180.0:
            ax = bx = 180.0
        first = max(row_of(ay - _MARGIN_DEG), 0)
        last = min(row_of(by + _MARGIN_DEG), ROWS - 1)
        slope = (bx - ax) / (by - ay) if by > ay else 0.0
        for row in range(first, last + 1):
            low, high = min(ax, bx), max(ax, bx)
            if last > first and by > ay:
                y0 = row_south(row) - _MARGIN_DEG
                y1 = row_south(row + 1) + _MARGIN_DEG
                # Rounding of a nearly level segment is made good by the margin in y.
                x0 = ax + (y0 - ay) * slope if y0 > ay else ax
                x1 = ax + (y1 - ay) * slope if y1 < by else bx
                low, high = max(low, min(x0, x1)), min(high, max(x0, x1))
            west = min(max(column_of(low - _MARGIN_DEG), 0), COLUMNS - 1)
            east = min(max(column_of(high + _MARGIN_DEG), 0), COLUMNS - 1)
            for column in range(west, east + 1):
                if count < len(cell):
                    cell[count] = row * COLUMNS + column
                    segment[count] = s
                count += 1
    return count


class Crossings(NamedTuple):
    """Where segments cross the southern edges of rows.

    Attributes:
        row_start: shape (ROWS + 1,): the crossings of row r are `row_start[r]:row_start[r + 1]`.
        column: the first column whose corner lies east of the crossing; may be COLUMNS.
        segment: which segment crosses.
    """

    row_start: npt.NDArray[np.int64]
    column: npt.NDArray[np.int32]
    segment: npt.NDArray[np.int32]


def corner_crossings(ends: npt.NDArray[np.float64], key: npt.NDArray[np.uint64]) -> Crossings:
    """Where the segments cross the southern edges of rows."""
    # Rows whose southern edge lies in [ay, by): half open, as in the test of a point.
    first = np.ceil(ends[:, 1] * PER_DEGREE).astype(np.int64) + _MID_ROW
    stop = np.minimum(np.ceil(ends[:, 3] * PER_DEGREE).astype(np.int64) + _MID_ROW, ROWS)
    stop[key == 0] = 0
    change = np.bincount(first[stop > first], minlength=ROWS + 1)[:ROWS].astype(np.int64)
    change -= np.bincount(stop[stop > first], minlength=ROWS + 1)[:ROWS]
    row_start = np.zeros(ROWS + 1, np.int64)
    np.cumsum(np.cumsum(change), out=row_start[1:])
    column = np.empty(row_start[-1], np.int32)
    segment = np.empty(row_start[-1], np.int32)
    _corner_crossings(ends, first, stop, row_start[:-1].copy(), column, segment)
    return Crossings(row_start, column, segment)


@njit(cache=True, nogil=True)
def _corner_crossings(
    ends: Any, first: Any, stop: Any, place: Any, column: Any, segment: Any
) -> None:
    for s in range(len(ends)):
        ax, ay, bx, by = ends[s, 0], ends[s, 1], ends[s, 2], ends[s, 3]
        for row in range(first[s], stop[s]):
            y = row_south(row)
            x = ax + (y - ay) * ((bx - ax) / (by - ay))
            x = min(max(x, min(ax, bx)), max(ax, bx))
            c = min(max(column_of(x), 0), COLUMNS)
            while c > 0 and not is_left(ax, ay, bx, by, column_west(c - 1), y):
                c -= 1
            while c < COLUMNS and is_left(ax, ay, bx, by, column_west(c), y):
                c += 1
            column[place[row]] = c
            segment[place[row]] = s
            place[row] += 1
