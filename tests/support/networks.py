"""Small made-up skies for tests of paths: grids with seams, shifts and failures; SciPy beside."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from spotbeam.kernels.paths import UNREACHABLE_NS, GroundLinks, Links


def torus(planes: int, slots: int, shift: int, first: int = 0) -> np.ndarray:
    """Neighbours (n, 4): ahead, behind, next plane, previous plane; -1 over a seam."""
    plane, slot = np.divmod(np.arange(planes * slots), slots)
    turn = max(shift, 0)
    up = np.where(plane == planes - 1, (slot + turn) % slots, (plane + 1) * slots + slot)
    last = (planes - 1) * slots
    down = np.where(plane == 0, last + (slot - turn) % slots, (plane - 1) * slots + slot)
    if shift < 0:
        up = np.where(plane == planes - 1, -1, up)
        down = np.where(plane == 0, -1, down)
    ahead, behind = plane * slots + (slot + 1) % slots, plane * slots + (slot - 1) % slots
    found = np.stack([ahead, behind, up, down], axis=1)
    return np.where(found < 0, -1, found + first).astype(np.int32)


def random_grid(
    rng: np.random.Generator, shapes: list[tuple[int, int, int]], *, down: float = 0.0
) -> Links:
    """Links of grids with delays at random, a share of them down."""
    parts, grids, first = [], [], 0
    for planes, slots, shift in shapes:
        parts.append(torus(planes, slots, shift, first))
        grids.append((first, planes, slots, shift))
        first += planes * slots
    neighbour = np.concatenate(parts)
    delay = np.full(neighbour.shape, UNREACHABLE_NS, dtype=np.int32)
    for column, back in ((0, 1), (2, 3)):
        to = neighbour[:, column]
        given = rng.integers(1, 9_000_000, len(to)).astype(np.int32)
        given[(rng.random(len(to)) < down) | (to < 0)] = UNREACHABLE_NS
        delay[:, column] = given
        delay[to[to >= 0], back] = given[to >= 0]
    return Links(neighbour, delay, np.array(grids, dtype=np.int64))


def random_links(rng: np.random.Generator, n: int, k: int, share: float) -> Links:
    """Irregular links: each satellite has up to k neighbours."""
    neighbour = np.full((n, k), -1, dtype=np.int32)
    delay = np.full((n, k), UNREACHABLE_NS, dtype=np.int32)
    used = np.zeros(n, dtype=int)
    for _ in range(int(share * n * k)):
        a, b = rng.integers(0, n, 2)
        if a != b and used[a] < k and used[b] < k and b not in neighbour[a]:
            length = rng.integers(1, 9_000_000)
            for one, other in ((a, b), (b, a)):
                neighbour[one, used[one]], delay[one, used[one]] = other, length
                used[one] += 1
    return Links(neighbour, delay, np.empty((0, 4), dtype=np.int64))


def random_ground(rng: np.random.Generator, n_sat: int, n_station: int, most: int) -> GroundLinks:
    """Every station sees between none and `most` satellites."""
    seen = [
        np.sort(rng.choice(n_sat, min(n_sat, rng.integers(0, most + 1)), replace=False))
        for _ in range(n_station)
    ]
    offset = np.cumsum([0, *map(len, seen)]).astype(np.int64)
    satellite = np.concatenate([*seen, np.empty(0, int)]).astype(np.int32)
    delay = rng.integers(1_000_000, 5_000_000, len(satellite)).astype(np.int32)
    return GroundLinks(offset, satellite, delay)


def by_scipy(links: Links, origins: GroundLinks, ends: GroundLinks) -> np.ndarray:
    """Delays (n_origin, n_end) by SciPy, with one-way edges so that no station relays."""
    n, a, b = len(links.neighbour), len(origins.offset) - 1, len(ends.offset) - 1
    there = (links.neighbour >= 0) & (links.delay_ns < UNREACHABLE_NS)
    row, column = np.nonzero(there)
    start = np.repeat(np.arange(a), np.diff(origins.offset)) + n
    stop = np.repeat(np.arange(b), np.diff(ends.offset)) + n + a
    rows = np.concatenate([row, start, ends.satellite])
    columns = np.concatenate([links.neighbour[row, column], origins.satellite, stop])
    weights = np.concatenate([links.delay_ns[row, column], origins.delay_ns, ends.delay_ns])
    order = np.lexsort((weights, columns, rows))
    rows, columns, weights = rows[order], columns[order], weights[order]
    once = np.r_[True, (np.diff(rows) != 0) | (np.diff(columns) != 0)]
    graph = csr_matrix(
        (weights[once].astype(float), (rows[once], columns[once])), shape=(n + a + b, n + a + b)
    )
    found = dijkstra(graph, indices=np.arange(n, n + a))[:, n + a :]
    return np.where(np.isfinite(found), found, UNREACHABLE_NS).astype(np.int64)
