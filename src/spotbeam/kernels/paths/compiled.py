"""The compiled half: delays settle over the links, 128 stations at a time.

A table holds the delay of every satellite (rows) to each of 128 stations (columns), in whole
nanoseconds. It starts with the ground links and is lowered along the links until nothing changes:
`delay[v] = min(delay[v], delay[u] + link)`, the same for all columns, so that the compiler makes
vector code of it. Whole numbers add without rounding: the answer does not depend on the order,
nor on the machine.

On a grid, a plane is settled along its ring in both directions, then handed to the next plane, and
a plane that did not change is left alone. A shortest path over a constellation hardly ever turns
back across planes, so that one turn forward and one back nearly do. On irregular links a satellite
whose delays have changed hands them to its neighbours, in the order of the rows and back; the
nearer neighbours stand in the rows, the fewer turns it takes.

All compiled functions and their constants live in this one file: the compiler's cache does not
notice that something in another was edited.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

LANES = 128
UNREACHABLE_NS = 2**30 - 1  # more than a second; twice that still fits in 32 bits
DOWN = -1
NO_HOP = -2

_FAR = np.int32(UNREACHABLE_NS)
_OUTER = {"cache": True, "nogil": True, "error_model": "numpy"}
_INNER = {**_OUTER, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}


@numba.njit(**_OUTER)
def tables(
    first: Any, stop: Any, neighbour: Any, delay: Any, grids: Any, offset: Any, satellite: Any,
    ground: Any, out: Any,
) -> None:  # fmt: skip
    """Settle the delays of stations `first` to `stop`, at most 128, into `out`.

    Args:
        neighbour: (n_sat, k) int32, -1 for none.
        delay: (n_sat, k) int32, ns.
        grids: (n_grid, 4) int64: first row, planes, slots, shift (-1 for a seam); none where the
            links are irregular.
        offset: (n_station + 1,), where each station's ground links begin.
        satellite: which satellite each ground link leads to.
        ground: int32, its delay, ns.
        out: (n_sat, 128) int32, ns, written.
    """
    out[:, :] = _FAR
    for lane in range(stop - first):
        for link in range(offset[first + lane], offset[first + lane + 1]):
            row = satellite[link]
            out[row, lane] = min(out[row, lane], ground[link])
    if grids.shape[0] == 0:
        _settle_links(out, neighbour, delay)
    for grid in range(grids.shape[0]):
        _settle_grid(out, delay, grids[grid, 0], grids[grid, 1], grids[grid, 2], grids[grid, 3])


@numba.njit(**_OUTER)
def join(
    table: Any, n_lanes: int, offset: Any, satellite: Any, ground: Any, first: int, out: Any
) -> None:
    """The least delay from each station to those of a table: `out[station, first + lane]`."""
    least = np.empty(LANES, np.int32)
    for station in range(offset.size - 1):
        least[:] = _FAR
        for link in range(offset[station], offset[station + 1]):
            row, up = satellite[link], ground[link]
            for lane in range(LANES):
                least[lane] = min(least[lane], table[row, lane] + up)
        for lane in range(n_lanes):
            out[station, first + lane] = least[lane]


@numba.njit(**_OUTER)
def hops(
    table: Any, first: int, stop: int, neighbour: Any, delay: Any, offset: Any, satellite: Any,
    ground: Any, out: Any,
) -> None:  # fmt: skip
    """Next hop of every satellite towards stations `first` to `stop`: `out[station, satellite]`.

    Down where that is as short as any way; else the first of the neighbours that is on a shortest
    way.
    """
    chosen = np.empty(LANES, np.int32)
    for row in range(neighbour.shape[0]):
        chosen[:] = NO_HOP
        for k in range(neighbour.shape[1] - 1, -1, -1):
            other, link = neighbour[row, k], delay[row, k]
            if other >= 0 and link < _FAR:
                for lane in range(LANES):
                    on_the_way = table[other, lane] + link == table[row, lane]
                    chosen[lane] = other if on_the_way else chosen[lane]
        for lane in range(stop - first):
            far = table[row, lane] >= _FAR
            out[first + lane, row] = NO_HOP if far else chosen[lane]
    for station in range(first, stop):
        for link in range(offset[station], offset[station + 1]):
            row = satellite[link]
            if ground[link] == table[row, station - first]:
                out[station, row] = DOWN


@numba.njit(**_OUTER)
def station_hops(
    table: Any, n_lanes: int, offset: Any, satellite: Any, ground: Any, first: int, out: Any
) -> None:
    """The satellite that each station hands its traffic to: `out[station, first + lane]`.

    The first of its ground links on a shortest way; `NO_HOP` where there is none.
    """
    least = np.empty(LANES, np.int32)
    chosen = np.empty(LANES, np.int32)
    for station in range(offset.size - 1):
        least[:] = _FAR
        chosen[:] = NO_HOP
        for link in range(offset[station], offset[station + 1]):
            row, up = satellite[link], ground[link]
            for lane in range(LANES):
                by_this = table[row, lane] + up
                nearer = by_this < least[lane]
                least[lane] = by_this if nearer else least[lane]
                chosen[lane] = row if nearer else chosen[lane]
        for lane in range(n_lanes):
            out[station, first + lane] = chosen[lane]


@numba.njit(**_INNER)
def _lower(table: Any, row: int, other: int, link: Any) -> Any:
    """Lower a row by way of another; not 0 if anything changed."""
    changed = np.int32(0)
    for lane in range(LANES):
        before = table[row, lane]
        after = min(table[other, lane] + link, before)
        changed |= before ^ after
        table[row, lane] = after
    return changed


@numba.njit(**_INNER)
def _settle_plane(table: Any, delay: Any, first: int, slots: int) -> None:
    """Settle one ring: once round each way, and on while something changes."""
    for direction in range(2):
        slot, steps, changed = 0, 0, np.int32(1)
        while steps < slots or (changed != 0 and steps < 2 * slots):
            if direction == 0:
                to = slot + 1 if slot + 1 < slots else 0
                changed = _lower(table, first + to, first + slot, delay[first + slot, 0])
            else:
                to = slot - 1 if slot > 0 else slots - 1
                changed = _lower(table, first + to, first + slot, delay[first + to, 0])
            slot = to
            steps += 1


@numba.njit(**_INNER)
def _hand_over(
    table: Any,
    delay: Any,
    first: int,
    planes: int,
    slots: int,
    shift: int,
    plane: int,
    forward: Any,
) -> Any:
    """Lower the next plane (or the one before) by way of this one; not 0 if it changed."""
    low = plane if forward else (plane - 1 if plane > 0 else planes - 1)
    high = low + 1 if low + 1 < planes else 0
    turn = shift if high == 0 else 0
    changed = np.int32(0)
    for slot in range(slots):
        below = first + low * slots + slot
        at = slot + turn if slot + turn < slots else slot + turn - slots
        above = first + high * slots + at
        if forward:
            changed |= _lower(table, above, below, delay[below, 2])
        else:
            changed |= _lower(table, below, above, delay[below, 2])
    return changed


@numba.njit(**_INNER)
def _settle_grid(table: Any, delay: Any, first: int, planes: int, slots: int, shift: int) -> None:
    waiting = np.ones((2, planes), np.uint8)  # planes whose news the next, the previous lacks
    for plane in range(planes):
        _settle_plane(table, delay, first + plane * slots, slots)
    turns_without_news = 0
    while turns_without_news < 2:
        for direction in range(2):
            plane, idle, news = (0 if direction == 0 else planes - 1), 0, False
            while idle < planes:
                idle += 1
                crosses_seam = plane == (planes - 1 if direction == 0 else 0)
                if waiting[direction, plane] and not (crosses_seam and shift < 0):
                    idle = 0
                    waiting[direction, plane] = 0
                    if _hand_over(table, delay, first, planes, slots, shift, plane, direction == 0):
                        news = True
                        step = 1 if direction == 0 else planes - 1
                        other = (plane + step) % planes
                        _settle_plane(table, delay, first + other * slots, slots)
                        waiting[0, other] = waiting[1, other] = 1
                plane = (plane + (1 if direction == 0 else planes - 1)) % planes
            turns_without_news = 0 if news else turns_without_news + 1


@numba.njit(**_INNER)
def _settle_links(table: Any, neighbour: Any, delay: Any) -> None:
    n, k = neighbour.shape
    waiting = np.ones(n, np.uint8)
    news = True
    while news:
        news = False
        for turn in range(2 * n):
            row = turn if turn < n else 2 * n - 1 - turn
            if not waiting[row]:
                continue
            waiting[row] = 0
            for column in range(k):
                other = neighbour[row, column]
                if other >= 0 and _lower(table, other, row, delay[row, column]):
                    waiting[other] = 1
                    news = True
