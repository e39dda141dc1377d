"""What lies on either side of each segment, cell by cell.

Segments are cut where others cross them, so that each part has one face on its left and one on its
right. The faces are read a millimetre off the middle of the part: cracks and overlaps thinner than
that, which come of rounding where a border meets another's middle, are nobody's neighbour.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from spotbeam.kernels.lookup.index import (
    HEAD,
    SLIVER_DEG,
    STEP,
    cell_value,
    crosses,
    face_of_hash,
    intern_face,
    mixed_hash,
    record_counts,
)
from spotbeam.kernels.lookup.raster import (
    BLOCK,
    BLOCK_COLUMNS,
    PER_DEGREE,
    column_of,
    column_west,
    row_of,
    row_south,
)

# Ends this near to a segment (a tenth of a millimetre) cut it, though rounding keeps them apart.
_TOUCH_DEG = 1e-9


class Edges(NamedTuple):
    """The parts of segments within each mixed cell, and the faces to be met there.

    Attributes:
        start: the edges of mixed cell k are `start[k]:start[k + 1]`, shape (n_mixed + 1,).
        ends: from the cell's south-west corner, degrees: east, north of one end, then of the other;
            shape (n_edge, 4), float32, good to a millimetre.
        sides: the faces on the left and right going from the first end, shape (n_edge, 2).
        face_start, face: the faces in or beside cell k, shape (n_mixed + 1,) and (n_face,).
    """

    start: npt.NDArray[np.int32]
    ends: npt.NDArray[np.float32]
    sides: npt.NDArray[np.int32]
    face_start: npt.NDArray[np.int32]
    face: npt.NDArray[np.int32]


@njit(cache=True, nogil=True)
def label_edges(
    block: Any,
    fine: Any,
    word: Any,
    number: Any,
    slot_hash: Any,
    slot_face: Any,
    pair_start: Any,
    pair_segment: Any,
    log: Any,
) -> tuple[Any, Any, Any, Any, Any, bool]:
    """The arrays of `Edges`, and whether the log of faces had room.

    The first six are those of `Raster`, `pair_start` and `pair_segment` those of `lay_out`; faces
    that hold no corner are entered in `log`.
    """
    room = len(pair_segment) + 1024
    ends = np.empty((room, 4), dtype=np.float32)
    sides = np.empty((room, 2), dtype=np.int32)
    faces = np.empty(room, dtype=np.int32)
    start = np.zeros(len(pair_start), dtype=np.int32)
    face_start = np.zeros(len(pair_start), dtype=np.int32)
    edge_count = 0
    face_count = 0
    cuts = np.empty(64, dtype=np.float64)
    # Blocks in order, and cells within a block, is how the mixed cells are numbered.
    for b in range(len(block)):
        if block[b] >= 0:
            continue
        base = (-1 - block[b]) * BLOCK * BLOCK
        for f in range(base, base + BLOCK * BLOCK):
            if fine[f] >= 0:
                continue
            record = -1 - fine[f]
            count, mixed = record_counts(word, record)
            x0 = column_west((b % BLOCK_COLUMNS) * BLOCK + (f - base) % BLOCK)
            y0 = row_south((b // BLOCK_COLUMNS) * BLOCK + (f - base) // BLOCK)
            if len(cuts) < 3 * count + 2:
                cuts = np.empty(6 * count, dtype=np.float64)
            cell_faces = face_count
            corner = face_of_hash(slot_hash, slot_face, word[record])
            faces, face_count = _append(faces, cell_faces, face_count, corner)
            first = record + HEAD
            stop = first + STEP * count
            for at in range(first, stop, STEP):
                ax, ay = number[at], number[at + 1]
                dx, dy = number[at + 2] - ax, number[at + 3] - ay
                low, high = _clip(ax - x0, ay - y0, dx, dy)
                if high <= low:
                    continue
                n_cut = _cuts(number, first, stop, at, low, high, cuts)
                length = math.hypot(dx, dy)
                over, up = -dy / length * SLIVER_DEG, dx / length * SLIVER_DEG
                for k in range(n_cut - 1):
                    if (cuts[k + 1] - cuts[k]) * length < 2.0 * _TOUCH_DEG:
                        continue
                    t = 0.5 * (cuts[k] + cuts[k + 1])
                    left = right = -1
                    for side in range(2):
                        sign = 1.0 - 2.0 * side
                        face = _face_met(
                            block,
                            fine,
                            word,
                            number,
                            slot_hash,
                            slot_face,
                            pair_start,
                            pair_segment,
                            log,
                            ay + t * dy + sign * up,
                            ax + t * dx + sign * over,
                        )
                        if side == 0:
                            left = face
                        else:
                            right = face
                    if left == -2 or right == -2:
                        return start, ends, sides, face_start, faces, False
                    if left == right:
                        continue
                    if edge_count == len(ends):
                        ends = _longer(ends)
                        sides = _longer(sides)
                    ends[edge_count, 0] = ax + cuts[k] * dx - x0
                    ends[edge_count, 1] = ay + cuts[k] * dy - y0
                    ends[edge_count, 2] = ax + cuts[k + 1] * dx - x0
                    ends[edge_count, 3] = ay + cuts[k + 1] * dy - y0
                    sides[edge_count, 0] = left
                    sides[edge_count, 1] = right
                    edge_count += 1
                    faces, face_count = _append(faces, cell_faces, face_count, left)
                    faces, face_count = _append(faces, cell_faces, face_count, right)
            start[mixed + 1] = edge_count
            face_start[mixed + 1] = face_count
    return (
        start,
        ends[:edge_count].copy(),
        sides[:edge_count].copy(),
        face_start,
        faces[:face_count].copy(),
        True,
    )


@njit(cache=True, nogil=True)
def _longer(array: Any) -> Any:
    longer = np.empty((2 * len(array), array.shape[1]), dtype=array.dtype)
    longer[: len(array)] = array
    return longer


@njit(cache=True, nogil=True)
def _append(faces: Any, first: int, count: int, face: int) -> tuple[Any, int]:
    """Add a face to the list from `first` on, unless it is there or is nowhere."""
    if face < 0:
        return faces, count
    for i in range(first, count):
        if faces[i] == face:
            return faces, count
    if count == len(faces):
        longer = np.empty(2 * count, dtype=faces.dtype)
        longer[:count] = faces
        faces = longer
    faces[count] = face
    return faces, count + 1


@njit(cache=True, nogil=True)
def _clip(x: float, y: float, dx: float, dy: float) -> tuple[float, float]:
    """The share of a segment within a cell, as two parameters (Liang and Barsky 1984).

    It begins at (x, y) from the cell's south-west corner, and goes on by (dx, dy).
    """
    side = 1.0 / PER_DEGREE
    low, high = 0.0, 1.0
    for axis in range(2):
        begin, step = (x, dx) if axis == 0 else (y, dy)
        if step == 0.0:
            if begin < 0.0 or begin > side:
                return 1.0, 0.0
        else:
            t0, t1 = -begin / step, (side - begin) / step
            low, high = max(low, min(t0, t1)), min(high, max(t0, t1))
    return low, high


@njit(cache=True, nogil=True)
def _cuts(number: Any, first: int, stop: int, at: int, low: float, high: float, cuts: Any) -> int:
    """Fill in, ascending, the parameters where a segment begins, is cut by others, and ends."""
    ax, ay = number[at], number[at + 1]
    dx, dy = number[at + 2] - ax, number[at + 3] - ay
    square = dx * dx + dy * dy
    touch = _TOUCH_DEG * math.sqrt(square)
    x0, x1, y0, y1 = ax + low * dx, ax + high * dx, ay + low * dy, ay + high * dy
    west, east = min(x0, x1) - _TOUCH_DEG, max(x0, x1) + _TOUCH_DEG
    south, north = y0 - _TOUCH_DEG, y1 + _TOUCH_DEG
    cuts[0], cuts[1] = low, high
    count = 2
    for other in range(first, stop, STEP):
        cx, cy = number[other], number[other + 1]
        ex, ey = number[other + 2], number[other + 3]
        if other == at or cy > north or ey < south:
            continue
        if (cx > east and ex > east) or (cx < west and ex < west):
            continue
        across_c = dx * (cy - ay) - dy * (cx - ax)
        across_e = dx * (ey - ay) - dy * (ex - ax)
        # Ends on (or a hair off) the segment cut it; elsewhere only a crossing does.
        if abs(across_c) <= touch:
            count = _insert(cuts, count, ((cx - ax) * dx + (cy - ay) * dy) / square)
        if abs(across_e) <= touch:
            count = _insert(cuts, count, ((ex - ax) * dx + (ey - ay) * dy) / square)
        if (across_c > 0.0) != (across_e > 0.0):
            share = across_c / (across_c - across_e)
            x, y = cx + share * (ex - cx), cy + share * (ey - cy)
            count = _insert(cuts, count, ((x - ax) * dx + (y - ay) * dy) / square)
    return count


@njit(cache=True, nogil=True)
def _insert(cuts: Any, count: int, t: float) -> int:
    """Insert a parameter in its place, if it lies strictly between the first and the last."""
    if not cuts[0] < t < cuts[count - 1]:
        return count
    k = count
    while cuts[k - 1] > t:
        cuts[k] = cuts[k - 1]
        k -= 1
    cuts[k] = t
    return count + 1


@njit(cache=True, nogil=True)
def _face_met(
    block: Any,
    fine: Any,
    word: Any,
    number: Any,
    slot_hash: Any,
    slot_face: Any,
    pair_start: Any,
    pair_segment: Any,
    log: Any,
    y: float,
    x: float,
) -> Any:
    """The face at a place, entered in the log if it is new; -1 off the map, -2 if there's no room.

    Off the map to the east is the map's west.
    """
    if x >= 180.0:
        x -= 360.0
    if not -90.0 <= y < 90.0 or x < -180.0:
        return -1
    value = cell_value(block, fine, row_of(y), column_of(x))
    if value >= 0:
        return value
    record = -1 - value
    face = face_of_hash(slot_hash, slot_face, mixed_hash(word, number, record, y, x))
    if face >= 0:
        return face
    face_hash = word[record]
    face = face_of_hash(slot_hash, slot_face, face_hash)
    count, mixed = record_counts(word, record)
    x0, y0 = column_west(column_of(x)), row_south(row_of(y))
    for i in range(count):
        at = record + HEAD + STEP * i
        if crosses(number[at], number[at + 1], number[at + 2], number[at + 3], x0, y0, x, y):
            face_hash ^= word[at + 4]
            segment = pair_segment[pair_start[mixed] + i]
            face = intern_face(log, slot_hash, slot_face, face_hash, face, segment)
            if face < 0:
                return -2
    return face
