"""The faces that each of many discs touches, as sets that are kept once."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from spotbeam.kernels.lookup.discs import (
    LEAST_RADIUS_M,
    RAD,
    flat_square,
    frame_of,
    is_in_whole_block,
    is_near,
    is_plain,
    scale_m,
)
from spotbeam.kernels.lookup.index import Raster, cell_value, record_counts
from spotbeam.kernels.lookup.labels import Edges
from spotbeam.kernels.lookup.raster import (
    BLOCK,
    BLOCK_COLUMNS,
    COLUMNS,
    PER_DEGREE,
    column_of,
    column_west,
    row_of,
    row_south,
)
from spotbeam.kernels.lookup.sides import map_place

_BATCH = 64  # as in `locate`: reads from memory are under way together

# For discs smaller than this the edges themselves are looked at sooner than what faces they part.
_SMALL_M = 2000.0


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
            *np.empty((2, _BATCH)),
            np.empty((_BATCH, 5), np.int64),
            np.empty(_BATCH, np.int64),
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
    y: Any,
    x: Any,
    frame: Any,
    asked: Any,
) -> Any:
    """Answer for points from `counts[0]` on, as long as there is room for another set.

    `y`, `x`, `frame` (rows, columns, and the record of the point's own cell) and `asked` are to
    scribble in.
    """
    n_set = counts[1]
    seen = 0.0
    for i in range(counts[0], len(own)):
        place = (i - counts[0]) % _BATCH
        if place == 0:
            n_asked = 0
            for ahead in range(min(_BATCH, len(own) - i)):
                frame[ahead, 0] = -1
                if own[i + ahead] < 0 or not radius_m[i + ahead] > 0.0:
                    continue
                lat, lon = lat_deg[i + ahead], lon_deg[i + ahead]
                if not (-90.0 < lat < 90.0 and -180.0 <= lon < 180.0):
                    lat, lon = map_place(lat, lon)
                y[ahead], x[ahead] = lat, lon
                asked[n_asked] = ahead
                n_asked += int(
                    not is_in_whole_block(block, *frame_of(lat, lon, radius_m[i + ahead]))
                )
            for k in range(n_asked):
                ahead = asked[k]
                frame[ahead, 4] = -1 - cell_value(
                    block, fine, row_of(y[ahead]), column_of(x[ahead])
                )
            for k in range(n_asked):
                ahead = asked[k]
                lat, lon = y[ahead], x[ahead]
                rows_columns = frame_of(lat, lon, radius_m[i + ahead])
                if not is_plain(block, fine, *rows_columns):
                    frame[ahead, 0], frame[ahead, 1] = rows_columns[0], rows_columns[1]
                    frame[ahead, 2], frame[ahead, 3] = rows_columns[2], rows_columns[3]
            # Call up what the point's own cell holds.
            for stage in range(3):
                for ahead in range(min(_BATCH, len(own) - i)):
                    if frame[ahead, 0] >= 0 and frame[ahead, 4] >= 0:
                        _, mixed = record_counts(word, frame[ahead, 4])
                        if stage > 0:
                            seen += edge_start[mixed] + face_start[mixed]
                        if stage > 1:
                            for e in range(edge_start[mixed], edge_start[mixed + 1], 4):
                                seen += edge_ends[e, 0]
                        seen += mixed
        if n_set + 2 > len(set_start) or set_start[n_set] + len(met) > len(set_face):
            counts[0], counts[1] = i, n_set
            return seen
        n_met = 0
        if own[i] >= 0:
            met[0] = own[i]
            n_met = 1
            if frame[place, 0] >= 0:
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
                    y[place],
                    x[place],
                    radius_m[i],
                    (frame[place, 0], frame[place, 1], frame[place, 2], frame[place, 3]),
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
    return seen


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
    north_m, east_m, tangent = scale_m(y)
    # Nothing in the frame is farther than this, as an angle; parallels there are longer or shorter
    # by its product with the tangent of the latitude.
    extent = 1.5 * (radius_m + 10_000.0) / LEAST_RADIUS_M
    slack = 1.5 * extent * (tangent + extent)
    if slack > 0.3 or last_column - first_column > COLUMNS // 4:
        slack = 1.0
    sure, far = radius_m / (1.0 + slack) - 0.01, radius_m / max(1.0 - slack, 1e-9) + 0.01
    if slack == 1.0:
        sure, far = -1.0, math.inf
    sure_square = sure * sure if sure > 0.0 else -1.0
    far_square = far * far
    is_small = radius_m < _SMALL_M
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
                    # The cell's sides, as seen from the place, in degrees.
                    south, west = row_south(row) - y, column_west(column) - x
                    if not is_small:
                        first, stop = face_start[mixed], face_start[mixed + 1]
                        news = False
                        for k in range(first, stop):
                            news |= stamp[final[face_list[k]]] != mark
                        if not news:
                            continue
                        north, east = south + 1.0 / PER_DEGREE, west + 1.0 / PER_DEGREE
                        most = math.hypot(max(-west, east) * east_m, max(-south, north) * north_m)
                        if most < sure:
                            for k in range(first, stop):
                                n_met = _note(
                                    np.int64(final[face_list[k]]), stamp, mark, met, n_met
                                )
                            continue
                        least = math.hypot(
                            max(west, -east, 0.0) * east_m, max(south, -north, 0.0) * north_m
                        )
                        if least > far:
                            continue
                    for e in range(edge_start[mixed], edge_start[mixed + 1]):
                        lon_a, lat_a = west + edge_ends[e, 0], south + edge_ends[e, 1]
                        lon_b, lat_b = west + edge_ends[e, 2], south + edge_ends[e, 3]
                        flat = flat_square(
                            lon_a * east_m, lat_a * north_m, lon_b * east_m, lat_b * north_m
                        )
                        if flat > far_square:
                            continue
                        left, right = np.int64(edge_sides[e, 0]), np.int64(edge_sides[e, 1])
                        left_new = left >= 0 and stamp[final[left]] != mark
                        right_new = right >= 0 and stamp[final[right]] != mark
                        if not (left_new or right_new):
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
                        if left_new:
                            n_met = _note(np.int64(final[left]), stamp, mark, met, n_met)
                        if right_new:
                            n_met = _note(np.int64(final[right]), stamp, mark, met, n_met)
    return n_met


@njit(cache=True, nogil=True)
def _note(face: int, stamp: Any, mark: int, met: Any, n_met: int) -> int:
    """Add a face to those met, unless it is there."""
    if stamp[face] == mark:
        return n_met
    stamp[face] = mark
    met[n_met] = face
    return n_met + 1
