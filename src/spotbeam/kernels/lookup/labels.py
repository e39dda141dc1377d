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

from spotbeam.kernels.lookup.faces import SLIVER_DEG, FaceLog, face_of_hash, intern_face
from spotbeam.kernels.lookup.index import (
    HEAD,
    STEP,
    Raster,
    cell_value,
    crosses,
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


def label_edges(
    raster: Raster, start: npt.NDArray[np.int64], pair_segment: npt.NDArray[np.int32], log: FaceLog
) -> Edges | None:
    """What lies on either side of each edge; None if the log of faces has no room.

    Args:
        raster: whose faces are filled in.
        start, pair_segment: of `lay_out`.
        log: where faces that hold no corner are entered.
    """
    room = len(pair_segment) + len(pair_segment) // 4 + 1024
    while True:
        edges = Edges(
            np.zeros(len(start), np.int32),
            np.empty((room, 4), np.float32),
            np.empty((room, 2), np.int32),
            np.zeros(len(start), np.int32),
            np.empty(room, np.int32),
        )
        cuts = np.empty(3 * int(np.diff(start).max(initial=0)) + 2)
        known = np.zeros(2, np.int64), np.zeros(2, np.uint64)
        n_edge, n_face, why = _label_edges(
            raster.block,
            raster.fine,
            raster.word,
            raster.number,
            raster.slot_hash,
            raster.slot_face,
            start,
            pair_segment,
            log.hash,
            log.parent,
            log.segment,
            log.used,
            *edges,
            cuts,
            *known,
        )
        if why == _LOG_IS_FULL:
            return None
        if why == _DONE:
            return edges._replace(
                ends=edges.ends[:n_edge].copy(),
                sides=edges.sides[:n_edge].copy(),
                face=edges.face[:n_face].copy(),
            )
        room *= 2


_DONE, _LOG_IS_FULL, _NO_ROOM = 0, 1, 2


@njit(cache=True, nogil=True)
def _label_edges(
    block: Any,
    fine: Any,
    word: Any,
    number: Any,
    slot_hash: Any,
    slot_face: Any,
    pair_start: Any,
    pair_segment: Any,
    log_hash: Any,
    log_parent: Any,
    log_segment: Any,
    log_used: Any,
    start: Any,
    ends: Any,
    sides: Any,
    face_start: Any,
    faces: Any,
    cuts: Any,
    known: Any,
    known_hash: Any,
) -> tuple[int, int, int]:
    """Fill in the arrays of `Edges`; return the number of edges, of faces, and how it ended.

    `cuts`, `known` (the faces on both sides of the last edge) and `known_hash` (their keys) are to
    scribble in.
    """
    edge_count = 0
    face_count = 0
    # Blocks in order, and cells within a block, is how the mixed cells are numbered.
    for b in range(len(block)):
        if block[b] >= 0:
            continue
        base = (-1 - np.int64(block[b])) * BLOCK * BLOCK
        for f in range(base, base + BLOCK * BLOCK):
            if fine[f] >= 0:
                continue
            record = -1 - np.int64(fine[f])
            count, mixed = record_counts(word, record)
            x0 = column_west((b % BLOCK_COLUMNS) * BLOCK + (f - base) % BLOCK)
            y0 = row_south((b // BLOCK_COLUMNS) * BLOCK + (f - base) // BLOCK)
            x1, y1 = x0 + 1.0 / PER_DEGREE, y0 + 1.0 / PER_DEGREE
            cell_faces = face_count
            first = record + HEAD
            stop = first + STEP * count
            for at in range(first, stop, STEP):
                ax, ay = number[at], number[at + 1]
                dx, dy = number[at + 2] - ax, number[at + 3] - ay
                low, high = _clip(ax - x0, ay - y0, dx, dy)
                if high <= low:
                    continue
                n_cut, is_alone = _cuts(number, first, stop, at, low, high, cuts)
                length = math.hypot(dx, dy)
                over, up = -dy / length * SLIVER_DEG, dx / length * SLIVER_DEG
                for k in range(n_cut - 1):
                    if (cuts[k + 1] - cuts[k]) * length < 2.0 * _TOUCH_DEG:
                        continue
                    t = 0.5 * (cuts[k] + cuts[k + 1])
                    y, x = ay + t * dy, ax + t * dx
                    left = right = np.int64(-1)
                    if is_alone and x0 < x + over < x1 and y0 < y + up < y1:
                        # Nothing else within a millimetre: the other side is one crossing away.
                        left_hash = mixed_hash(word, number, record, y + up, x + over)
                        right_hash = left_hash ^ word[at + 4]
                        if left_hash == known_hash[0] and right_hash == known_hash[1]:
                            left, right = known[0], known[1]
                        else:
                            left = face_of_hash(slot_hash, slot_face, left_hash)
                            right = face_of_hash(slot_hash, slot_face, right_hash)
                    if left < 0 or right < 0:
                        for side in range(2):
                            sign = 1.0 - 2.0 * side
                            known[side] = _face_met(
                                block,
                                fine,
                                word,
                                number,
                                slot_hash,
                                slot_face,
                                pair_start,
                                pair_segment,
                                log_hash,
                                log_parent,
                                log_segment,
                                log_used,
                                y + sign * up,
                                x + sign * over,
                            )
                        left, right = known[0], known[1]
                    if left == -2 or right == -2:
                        return 0, 0, _LOG_IS_FULL
                    if edge_count == len(ends) or face_count + 3 > len(faces):
                        return 0, 0, _NO_ROOM
                    # Remembered with their keys, whatever they are; no edge has one key twice.
                    known[0], known[1] = left, right
                    known_hash[0] = known_hash[1] = np.uint64(0)
                    if left >= 0 and right >= 0:
                        known_hash[0], known_hash[1] = log_hash[left], log_hash[right]
                    if left == right:
                        continue
                    ends[edge_count, 0] = ax + cuts[k] * dx - x0
                    ends[edge_count, 1] = ay + cuts[k] * dy - y0
                    ends[edge_count, 2] = ax + cuts[k + 1] * dx - x0
                    ends[edge_count, 3] = ay + cuts[k + 1] * dy - y0
                    sides[edge_count, 0] = left
                    sides[edge_count, 1] = right
                    edge_count += 1
                    face_count = _append(faces, cell_faces, face_count, left)
                    face_count = _append(faces, cell_faces, face_count, right)
            if face_count == cell_faces:
                # Segments pass by within a millimetre, or part nothing: one face all over.
                if face_count == len(faces):
                    return 0, 0, _NO_ROOM
                whole = _face_met(
                    block,
                    fine,
                    word,
                    number,
                    slot_hash,
                    slot_face,
                    pair_start,
                    pair_segment,
                    log_hash,
                    log_parent,
                    log_segment,
                    log_used,
                    0.5 * (y0 + y1),
                    0.5 * (x0 + x1),
                )
                if whole == -2:
                    return 0, 0, _LOG_IS_FULL
                face_count = _append(faces, cell_faces, face_count, whole)
            start[mixed + 1] = edge_count
            face_start[mixed + 1] = face_count
    return edge_count, face_count, _DONE


@njit(cache=True, nogil=True)
def _append(faces: Any, first: int, count: int, face: int) -> int:
    """Add a face to the list from `first` on, unless it is there or is nowhere."""
    if face < 0:
        return count
    for i in range(first, count):
        if faces[i] == face:
            return count
    faces[count] = face
    return count + 1


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
def _cuts(
    number: Any, first: int, stop: int, at: int, low: float, high: float, cuts: Any
) -> tuple[int, bool]:
    """Fill in, ascending, the parameters where a segment begins, is cut by others, and ends.

    Returns their number, and whether no other segment runs along this one within a millimetre.
    """
    ax, ay = number[at], number[at + 1]
    dx, dy = number[at + 2] - ax, number[at + 3] - ay
    square = dx * dx + dy * dy
    touch = _TOUCH_DEG * math.sqrt(square)
    x0, x1, y0, y1 = ax + low * dx, ax + high * dx, ay + low * dy, ay + high * dy
    margin = 4.0 * SLIVER_DEG
    beside = margin * math.sqrt(square)
    west, east = min(x0, x1) - margin, max(x0, x1) + margin
    south, north = y0 - margin, y1 + margin
    cuts[0], cuts[1] = low, high
    count = 2
    is_alone = True
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
        is_alone &= max(abs(across_c), abs(across_e)) > beside
    return count, is_alone


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
    log_hash: Any,
    log_parent: Any,
    log_segment: Any,
    log_used: Any,
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
            face = intern_face(
                log_hash,
                log_parent,
                log_segment,
                log_used,
                slot_hash,
                slot_face,
                face_hash,
                face,
                np.int64(pair_segment[pair_start[mixed] + i]),
            )
            if face < 0:
                return -2
    return face
