"""The raster filled in: a place's face in one look, or a short list of segments near it.

A *face* is one distinct set of regions; it is known by the exclusive or of their keys.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from spotbeam.kernels.lookup.faces import SLIVER_DEG, face_of_hash, intern_face
from spotbeam.kernels.lookup.raster import (
    BLOCK,
    BLOCK_COLUMNS,
    BLOCK_ROWS,
    COLUMNS,
    ROWS,
    column_of,
    column_west,
    row_of,
    row_south,
)
from spotbeam.kernels.lookup.sides import SIGN_IS_SURE, is_left

Int32s = npt.NDArray[np.int32]


class Raster(NamedTuple):
    """What a point's face is read from.

    A `block` or `fine` value of 0 or more is a face. In `block`, -1 - k means that the 64 cells
    from `fine[64 * k]` must be asked, row by row from the south-west. In `fine`, -1 - w means that
    segments touch the cell, and that its record begins at word w: the key of the face at its
    south-west corner; the cell's number among the mixed cells, times 2^32, plus the number of its
    segments; and for each segment lon, lat of the lower end, lon, lat of the other, and its key.
    One record is a cache line or two.

    Attributes:
        block: shape (BLOCK_ROWS * BLOCK_COLUMNS,).
        fine: shape (64 * n_mixed_block,).
        word, number: the records, seen as uint64 and as float64; the same memory.
        slot_hash, slot_face: an open-addressed table from a face's key to the face, -1 if empty;
            its size is a power of two.
    """

    block: Int32s
    fine: Int32s
    word: npt.NDArray[np.uint64]
    number: npt.NDArray[np.float64]
    slot_hash: npt.NDArray[np.uint64]
    slot_face: Int32s


HEAD = 2  # words of a record before its segments
STEP = 5  # words a segment
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)


class Layout(NamedTuple):
    """The tables with a record for each mixed cell; faces and corners are still to be filled in.

    Attributes:
        block, fine, word: as in `Raster`, with 0 where a face or a corner's key is to stand.
        start, pair_segment: which segments the records hold: those of mixed cell k are
            `pair_segment[start[k]:start[k + 1]]`.
    """

    block: Int32s
    fine: Int32s
    word: npt.NDArray[np.uint64]
    start: npt.NDArray[np.int64]
    pair_segment: Int32s


def lay_out(
    cell: Int32s,
    segment: Int32s,
    ends: npt.NDArray[np.float64],
    key: npt.NDArray[np.uint64],
) -> Layout:
    """Lay out the records of the pairs that `touched_cells` gives."""
    block = np.zeros(BLOCK_ROWS * BLOCK_COLUMNS, np.int32)
    _mark_blocks(cell, block)
    mixed_block = np.flatnonzero(block)
    block[mixed_block] = -1 - np.arange(len(mixed_block), dtype=np.int32)
    fine = np.zeros(len(mixed_block) * BLOCK * BLOCK, np.int32)
    _count_pairs(cell, block, fine)
    mixed = np.flatnonzero(fine)
    start = np.zeros(len(mixed) + 1, np.int64)
    np.cumsum(fine[mixed], out=start[1:])
    number = np.arange(len(mixed))
    record = HEAD * number + STEP * start[:-1]
    word = np.zeros(HEAD * len(mixed) + STEP * len(cell), np.uint64)
    word[record + 1] = number.astype(np.uint64) << _HALF
    fine[mixed] = -1 - record.astype(np.int32)
    pair_segment = np.empty(len(cell), np.int32)
    _write_records(
        cell, segment, ends, key, block, fine, word, word.view(np.float64), start, pair_segment
    )
    return Layout(block, fine, word, start, pair_segment)


@njit(cache=True, nogil=True)
def _mark_blocks(cell: Any, block: Any) -> None:
    for i in range(len(cell)):
        block[_block_place(cell[i])] = 1


@njit(cache=True, nogil=True)
def _count_pairs(cell: Any, block: Any, fine: Any) -> None:
    for i in range(len(cell)):
        fine[_fine_place(block, cell[i])] += 1


@njit(cache=True, nogil=True)
def _write_records(
    cell: Any,
    segment: Any,
    ends: Any,
    key: Any,
    block: Any,
    fine: Any,
    word: Any,
    number: Any,
    start: Any,
    pair_segment: Any,
) -> None:
    for i in range(len(cell)):
        record = -1 - fine[_fine_place(block, cell[i])]
        count, mixed = record_counts(word, record)
        word[record + 1] += np.uint64(1)
        s = segment[i]
        pair_segment[start[mixed] + count] = s
        at = record + HEAD + STEP * count
        for k in range(4):
            number[at + k] = ends[s, k]
        if ends[s, 0] == -180.0 and ends[s, 2] == -180.0:
            number[at] = number[at + 2] = 180.0
        word[at + 4] = key[s]


@njit(cache=True, nogil=True)
def record_counts(word: Any, record: int) -> tuple[Any, Any]:
    """The number of segments in a record, and its cell's number among the mixed cells."""
    both = word[record + 1]
    return np.int64(both & _LOW), np.int64(both >> _HALF)


@njit(cache=True, nogil=True)
def _block_place(cell: int) -> int:
    row, column = cell // COLUMNS, cell % COLUMNS
    return int((row // BLOCK) * BLOCK_COLUMNS + column // BLOCK)


@njit(cache=True, nogil=True)
def _fine_place(block: Any, cell: int) -> int:
    row, column = cell // COLUMNS, cell % COLUMNS
    slot = -1 - block[_block_place(cell)]
    return int(slot * BLOCK * BLOCK + (row % BLOCK) * BLOCK + column % BLOCK)


@njit(cache=True, nogil=True)
def fill_faces(
    block: Any,
    fine: Any,
    word: Any,
    row_start: Any,
    crossing_column: Any,
    crossing_segment: Any,
    key: Any,
    log_hash: Any,
    log_parent: Any,
    log_segment: Any,
    log_used: Any,
    slot_hash: Any,
    slot_face: Any,
    head: Any,
    after: Any,
) -> bool:
    """Walk along every row of corners and enter the face met at each. False if the log is full.

    `head`, of shape (COLUMNS + 1,) and all -1, and `after`, as long as the crossings, are to
    scribble in.
    """
    for row in range(ROWS):
        first, stop = row_start[row], row_start[row + 1]
        for i in range(first, stop):
            after[i] = head[crossing_column[i]]
            head[crossing_column[i]] = i
        # West of the first crossing, and east of the last if it leads out of everything, face 0
        # stands there already: a few cells take no walk around the world.
        low, high = COLUMNS, -1
        for i in range(first, stop):
            low, high = min(low, crossing_column[i]), max(high, crossing_column[i])
        face_hash = np.uint64(0)
        face = np.int64(0)
        base = (row // BLOCK) * BLOCK_COLUMNS
        for column in range(low, COLUMNS):
            if column > high and face_hash == 0:
                break
            i = head[column]
            while i >= 0:
                s = np.int64(crossing_segment[i])
                face_hash ^= key[s]
                face = intern_face(
                    log_hash,
                    log_parent,
                    log_segment,
                    log_used,
                    slot_hash,
                    slot_face,
                    face_hash,
                    face,
                    s,
                )
                if face < 0:
                    return False
                i = after[i]
            b = base + column // BLOCK
            if block[b] < 0:
                f = (
                    (-1 - np.int64(block[b])) * BLOCK * BLOCK
                    + (row % BLOCK) * BLOCK
                    + column % BLOCK
                )
                if fine[f] < 0:
                    word[-1 - fine[f]] = face_hash
                else:
                    fine[f] = face
            elif row % BLOCK == 0 and column % BLOCK == 0:
                block[b] = face
        for i in range(first, stop):
            head[crossing_column[i]] = -1
    return True


# What follows is asked once a point. It takes the arrays of `Raster` one by one: to read them from
# the tuple would count references up and down, which takes longer than the look-up.


@njit(cache=True, nogil=True)
def cell_value(block: Any, fine: Any, row: int, column: int) -> Any:
    """The face of a cell that no segment touches, or -1 - w for the record at word w."""
    value = np.int64(block[(row // BLOCK) * BLOCK_COLUMNS + column // BLOCK])
    if value < 0:
        value = np.int64(
            fine[(-1 - value) * BLOCK * BLOCK + (row % BLOCK) * BLOCK + column % BLOCK]
        )
    return value


@njit(cache=True, nogil=True)
def crosses(
    ax: float, ay: float, bx: float, by: float, x0: float, y0: float, x: float, y: float
) -> bool:
    """Whether a segment is crossed an odd number of times on the way from (x0, y0) to (x, y).

    The way goes north along x0 first, then east along y, from a cell's corner to a point in it.
    """
    toggles = False
    # Half open in both directions: what touches the way from the south or west does not cross it.
    if ay <= y < by and not (ax > x and bx > x) and not (ax < x0 and bx < x0):
        toggles = is_left(ax, ay, bx, by, x, y) != is_left(ax, ay, bx, by, x0, y)
    if (ax <= x0) != (bx <= x0) and not ay > y and not by < y0:
        toggles ^= is_left(ax, ay, bx, by, x0, y) != is_left(ax, ay, bx, by, x0, y0)
    return toggles


@njit(cache=True, nogil=True)
def mixed_hash(word: Any, number: Any, record: int, y: float, x: float) -> Any:
    """The key of the face of a point in a mixed cell."""
    x0, y0 = column_west(column_of(x)), row_south(row_of(y))
    face_hash = word[record]
    at = record + HEAD
    for _ in range(np.int64(word[record + 1] & _LOW)):
        ax, ay, bx, by = number[at], number[at + 1], number[at + 2], number[at + 3]
        # As `crosses` says, but without a branch that nobody could foresee: the sides of the
        # point, of the bend of the way, and of its beginning.
        dx, dy = bx - ax, by - ay
        rise, run = dx * (y - ay), dy * (x - ax)
        bend_run, first_rise = dy * (x0 - ax), dx * (y0 - ay)
        last, bend, first = rise - run, rise - bend_run, first_rise - bend_run
        level = (ay <= y) & (y < by)
        upright = (ax <= x0) != (bx <= x0)
        doubt = SIGN_IS_SURE * (abs(rise) + abs(run) + abs(bend_run) + abs(first_rise))
        toggles = (level & ((last > 0.0) != (bend > 0.0))) ^ (
            upright & ((bend > 0.0) != (first > 0.0))
        )
        if (level | upright) & (min(abs(last), abs(bend), abs(first)) <= doubt):
            toggles = crosses(ax, ay, bx, by, x0, y0, x, y)
        face_hash ^= word[at + 4] & (np.uint64(0) - np.uint64(toggles))
        at += STEP
    return face_hash


@njit(cache=True, nogil=True)
def face_at(
    block: Any,
    fine: Any,
    word: Any,
    number: Any,
    slot_hash: Any,
    slot_face: Any,
    y: float,
    x: float,
) -> Any:
    """The face of one place on the map (see `map_place`)."""
    value = cell_value(block, fine, row_of(y), column_of(x))
    if value >= 0:
        return value
    face_hash = mixed_hash(word, number, -1 - value, y, x)
    face = face_of_hash(slot_hash, slot_face, face_hash)
    # A crack under a millimetre wide may hold a face that was never met: step out of it.
    ring = 0
    while face < 0 and ring < 8:
        ring += 1
        for way in range(9):
            y1 = min(max(y + (way % 3 - 1) * ring * SLIVER_DEG, -90.0), 89.99999999999999)
            x1 = x + (way // 3 - 1) * ring * SLIVER_DEG
            if face >= 0 or not -180.0 <= x1 < 180.0:
                continue
            value = cell_value(block, fine, row_of(y1), column_of(x1))
            if value >= 0:
                face = value
            else:
                face_hash = mixed_hash(word, number, -1 - value, y1, x1)
                face = face_of_hash(slot_hash, slot_face, face_hash)
    return max(face, 0)
