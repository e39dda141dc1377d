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
from typing import Any

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


@njit(cache=True, nogil=True)
def unique_segments(
    corners: Any, ring_start: Any, ring_region: Any, region_key: Any
) -> tuple[Any, Any, Any, Any]:
    """Each segment once, from its lower end up, with what it bounds.

    Args:
        corners: shape (n_corner, 2), longitude and latitude, rings one after the other and closed.
        ring_start: shape (n_ring + 1,).
        ring_region: shape (n_ring,).
        region_key: shape (n_region,), uint64.

    Returns:
        ends: shape (n_segment, 4): lon, lat of the lower end (of the western, if level), then of
            the other.
        key: shape (n_segment,), uint64.
        use_start, use_region: the regions that segment i bounds are
            `use_region[use_start[i]:use_start[i + 1]]`; one that stands there twice cancels out.
    """
    most = len(corners)
    size = 16
    while size < 2 * most:
        size *= 2
    table = np.full(size, -1, dtype=np.int32)
    ends = np.empty((most, 4), dtype=np.float64)
    bits = ends.view(np.uint64)
    key = np.zeros(most, dtype=np.uint64)
    use = np.empty(most, dtype=np.int32)
    region = np.empty(most, dtype=np.int32)
    count = 0
    uses = 0
    for ring in range(len(ring_region)):
        for i in range(ring_start[ring], ring_start[ring + 1] - 1):
            # Adding zero turns -0.0 into 0.0, so that equal numbers have equal bits.
            ax, ay = corners[i, 0] + 0.0, corners[i, 1] + 0.0
            bx, by = corners[i + 1, 0] + 0.0, corners[i + 1, 1] + 0.0
            if ax == bx and ay == by:
                continue
            if by < ay or (by == ay and bx < ax):
                ax, ay, bx, by = bx, by, ax, ay
            ends[count, 0], ends[count, 1], ends[count, 2], ends[count, 3] = ax, ay, bx, by
            mix = np.uint64(0)
            for k in range(4):
                mix = (mix ^ bits[count, k]) * np.uint64(0x9E3779B97F4A7C15)
                mix ^= mix >> np.uint64(29)
            slot = np.int64(mix & np.uint64(size - 1))
            while True:
                held = table[slot]
                if held < 0:
                    table[slot] = count
                    held = count
                    count += 1
                    break
                if (
                    ends[held, 0] == ax
                    and ends[held, 1] == ay
                    and ends[held, 2] == bx
                    and ends[held, 3] == by
                ):
                    break
                slot = (slot + 1) & (size - 1)
            key[held] ^= region_key[ring_region[ring]]
            use[uses] = held
            region[uses] = ring_region[ring]
            uses += 1
    use_start = np.zeros(count + 1, dtype=np.int32)
    for i in range(uses):
        use_start[use[i] + 1] += 1
    for i in range(count):
        use_start[i + 1] += use_start[i]
    place = use_start[:count].copy()
    use_region = np.empty(uses, dtype=np.int32)
    for i in range(uses):
        use_region[place[use[i]]] = region[i]
        place[use[i]] += 1
    return ends[:count].copy(), key[:count].copy(), use_start, use_region


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


@njit(cache=True, nogil=True)
def touched_cells(ends: Any, key: Any) -> tuple[Any, Any]:
    """Pairs of a cell and a segment that touches it, in the order of the segments.

    Segments whose regions cancel out are left out. So are those along a pole: they bound nothing.
    Those along 180 W stand along 180 E, where both sides of the seam are looked after.

    Returns:
        cell: row * COLUMNS + column, shape (n_pair,), int32.
        segment: shape (n_pair,), int32.
    """
    cell = np.empty(0, dtype=np.int32)
    segment = np.empty(0, dtype=np.int32)
    for writes in range(2):
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
                    # A nearly level segment makes `slope` huge: its error is clipped by the ends.
                    x0 = ax + (y0 - ay) * slope if y0 > ay else ax
                    x1 = ax + (y1 - ay) * slope if y1 < by else bx
                    low, high = max(low, min(x0, x1)), min(high, max(x0, x1))
                west = min(max(column_of(low - _MARGIN_DEG), 0), COLUMNS - 1)
                east = min(max(column_of(high + _MARGIN_DEG), 0), COLUMNS - 1)
                if writes == 1:
                    for column in range(west, east + 1):
                        cell[count] = row * COLUMNS + column
                        segment[count] = s
                        count += 1
                else:
                    count += east - west + 1
        if writes == 0:
            cell = np.empty(count, dtype=np.int32)
            segment = np.empty(count, dtype=np.int32)
    return cell, segment


@njit(cache=True, nogil=True)
def corner_crossings(ends: Any, key: Any) -> tuple[Any, Any, Any]:
    """Where segments cross the southern edges of rows.

    Returns:
        row_start: shape (ROWS + 1,): the crossings of row r are `row_start[r]:row_start[r + 1]`.
        column: the first column whose corner lies east of the crossing; may be COLUMNS.
        segment: which segment crosses.
    """
    row_start = np.zeros(ROWS + 1, dtype=np.int32)
    column = np.empty(0, dtype=np.int32)
    segment = np.empty(0, dtype=np.int32)
    place = np.empty(0, dtype=np.int32)
    for writes in range(2):
        for s in range(len(ends)):
            ax, ay, bx, by = ends[s, 0], ends[s, 1], ends[s, 2], ends[s, 3]
            if key[s] == 0 or ay == by:
                continue
            # Rows whose southern edge lies in [ay, by): half open, as in the test of a point.
            first = math.ceil(ay * PER_DEGREE) + _MID_ROW
            stop = math.ceil(by * PER_DEGREE) + _MID_ROW
            for row in range(max(first, 0), min(stop, ROWS)):
                if writes == 0:
                    row_start[row + 1] += 1
                    continue
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
        if writes == 0:
            for row in range(ROWS):
                row_start[row + 1] += row_start[row]
            column = np.empty(row_start[ROWS], dtype=np.int32)
            segment = np.empty(row_start[ROWS], dtype=np.int32)
            place = row_start[:ROWS].copy()
    return row_start, column, segment
