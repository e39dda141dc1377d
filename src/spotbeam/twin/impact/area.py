"""The ground that a change is about, as cells: the same ones on every machine.

People sign what is counted here, so nothing may hang on the last bit of a float. A cell counts by
one point, its centre rounded to a whole multiple of a power of two, which is exact in binary: for
cells of resolution 5 that is 1/256 of a degree, 430 m. Which territories hold a point is decided
exactly (`land.territories`). A geometry library only proposes cells; whether it proposes some more
makes no difference.

Ground is cut as finely as it is small: a named place gets the coarsest resolution from 3 to 9 at
which it has enough cells, so that a town's rule is not lost in a country's.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import h3.api.numpy_int as h3
import msgspec
import numpy as np
import numpy.typing as npt

from spotbeam.land.cells import CellIds, cell_from_hex, cells_near
from spotbeam.land.people import Counts, mean_area_m2, parents_of, people_in, resolutions_of
from spotbeam.land.territories import HIGH_SEAS, Ground

COARSEST, FINEST = 3, 9
ENOUGH = 2_000
"""Cells that a named place has at least, unless there are more than ten of them."""
_ENOUGH_IN_ALL = 20_000
_GUARD_RINGS = 4

Floats = npt.NDArray[np.float64]


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Ground that a rule names, as it was counted.

    Attributes:
        name: A territory id or cell; `everywhere` for rules that name none.
        km2: By the mean area of its cells.
    """

    name: str
    resolution: int
    cells: int
    km2: int
    people: int


@dataclass(frozen=True, eq=False)
class Area:
    """Cells of several resolutions that do not overlap by index, in ascending order of their ids.

    Attributes:
        cell: H3 ids, uint64, shape (n,).
        lat_deg, lon_deg: The point by which each counts, shape (n,).
        face: The face of the ground at that point, shape (n,), int32.
        area_m2: Mean area of a cell of that resolution, whole square metres, shape (n,).
        people: Whole numbers, shape (n,).
        places: What the cells were made for, by name.
    """

    cell: CellIds
    lat_deg: Floats
    lon_deg: Floats
    face: npt.NDArray[np.int32]
    area_m2: Counts
    people: Counts
    places: tuple[Place, ...]

    def __len__(self) -> int:
        return len(self.cell)


def area_of(ground: Ground, names: Sequence[str], guard_km: float, *, everywhere: bool) -> Area:
    """The cells of named ground, and of what lies within a guard band of it.

    Args:
        ground: Whose faces to look in.
        names: Territory ids and cells, all known to the ground.
        guard_km: The widest guard band of any rule.
        everywhere: Some rule names no ground: all of the world too, at resolution 3.
    """
    places = sorted(set(names))
    enough = max(7, min(ENOUGH, _ENOUGH_IN_ALL // max(1, len(places))))
    wanted: list[CellIds] = []
    counted: list[Place] = []
    for name in places:
        found = _cells_of(ground, name, enough)
        counted.append(_counted(ground, name, found))
        wanted.append(found)
        if guard_km > 0.0 and len(found):
            wanted.append(_around(found, guard_km))
    if everywhere:
        world = _world(COARSEST)
        counted.append(_counted(ground, "everywhere", world))
        wanted.append(world)
    cells = _without_overlap(wanted)
    lat_deg, lon_deg = points_of(cells)
    face = ground.locate(lat_deg, lon_deg)
    return Area(
        cell=cells,
        lat_deg=lat_deg,
        lon_deg=lon_deg,
        face=face,
        area_m2=_areas_m2(cells),
        people=people_in(cells, countries_of(ground)[face].tolist()),
        places=tuple(counted),
    )


def points_of(cells: CellIds) -> tuple[Floats, Floats]:
    """The point by which each cell counts: its centre, rounded to 2^-(3 + resolution) degrees.

    A centre comes out of sines and cosines, whose last bit differs between machines; rounding
    hides that unless a centre lies within 1e-12 degrees of the middle between two multiples. No
    cell's of resolution 3 to 7 does; a test looks at all of them up to 5.

    Returns:
        Latitudes and longitudes in degrees, shape (n,) each.
    """
    if not len(cells):
        return np.empty(0), np.empty(0)
    centres = np.array([h3.cell_to_latlng(cell) for cell in cells.tolist()], dtype=np.float64)
    per_degree = np.exp2(3.0 + resolutions_of(cells))
    lat_deg = np.floor(centres[:, 0] * per_degree + 0.5) / per_degree
    lon_deg = np.floor(centres[:, 1] * per_degree + 0.5) / per_degree
    return lat_deg, lon_deg


def cells_within(ground: Ground, names: Sequence[str], resolution: int) -> CellIds:
    """The cells of one resolution that have their point in any of some named ground."""
    parts = []
    for name in names:
        near = _world(resolution) if name == HIGH_SEAS else _candidates(ground, name, resolution)
        parts.append(_inside(ground, name, near))
    return np.unique(np.concatenate([np.empty(0, np.uint64), *parts]))


def ringed(cells: CellIds, width_km: float) -> CellIds:
    """These cells of one resolution, and all whose centre lies within a width of one of them."""
    if not len(cells):
        return cells
    spacing_km = 1.2 * _edge_km(int(resolutions_of(cells)[0]))
    rings = int(width_km // spacing_km) + 1
    disks = [h3.grid_disk(cell, rings) for cell in _rim(cells).tolist()]
    return np.unique(np.concatenate([cells, *disks]).astype(np.uint64))


def _cells_of(ground: Ground, name: str, enough: int) -> CellIds:
    """The cells by whose points a place counts."""
    if name.startswith("h3:"):
        cell = cell_from_hex(name)
        own = int(h3.get_resolution(cell))
        level = min(15, max(COARSEST, own + 2 if enough >= 49 else own + 1))
        return np.asarray(h3.cell_to_children(cell, level), dtype=np.uint64)
    if name == HIGH_SEAS:
        return _inside(ground, name, _world(COARSEST))
    found: CellIds = np.empty(0, dtype=np.uint64)
    for level in range(COARSEST, FINEST + 1):
        found = _inside(ground, name, _candidates(ground, name, level))
        if len(found) >= enough:
            break
    return found


def _candidates(ground: Ground, name: str, level: int) -> CellIds:
    return cells_near(_outline(ground, name), level)


@functools.lru_cache(maxsize=64)
def _outline(ground: Ground, name: str) -> Any:
    return ground.geometry(name)


def _inside(ground: Ground, name: str, cells: CellIds) -> CellIds:
    faces = np.array([name in ids for ids in ground.face_territories] + [False])
    found: CellIds = cells[faces[ground.locate(*points_of(cells))]]
    return found


def _counted(ground: Ground, name: str, cells: CellIds) -> Place:
    lat_deg, lon_deg = points_of(cells)
    people = people_in(cells, countries_of(ground)[ground.locate(lat_deg, lon_deg)].tolist())
    return Place(
        name=name,
        resolution=int(resolutions_of(cells)[0]) if len(cells) else FINEST,
        cells=len(cells),
        km2=int(_areas_m2(cells).sum()) // 1_000_000,
        people=int(people.sum()),
    )


def _areas_m2(cells: CellIds) -> Counts:
    table = np.array([mean_area_m2(level) for level in range(16)], dtype=np.int64)
    return table[resolutions_of(cells)]


def _around(cells: CellIds, guard_km: float) -> CellIds:
    """Cells, no finer than needed, that hold all within a guard band of these and more."""
    own = int(resolutions_of(cells)[0])
    level = own
    # Neighbours' centres are 1.7 edges apart on average, and no nearer than 1.2.
    while level > 0 and guard_km > (_GUARD_RINGS - 1) * 1.2 * _edge_km(level):
        level -= 1
    held = np.unique(parents_of(cells, level))
    rings = [h3.grid_disk(cell, _GUARD_RINGS) for cell in _rim(held).tolist()]
    near = np.unique(np.concatenate([np.empty(0, np.uint64), *rings]).astype(np.uint64))
    if level >= COARSEST:
        return near
    return np.asarray(h3.uncompact_cells(near, COARSEST), dtype=np.uint64)


def _rim(cells: CellIds) -> CellIds:
    """Those that have a neighbour which is not among them."""
    if not len(cells):
        return cells
    around = [h3.grid_disk(cell, 1) for cell in cells.tolist()]
    first = np.cumsum([0, *(len(ring) for ring in around[:-1])])
    is_held = np.isin(np.concatenate(around), cells)
    return cells[~np.logical_and.reduceat(is_held, first)]


def _edge_km(level: int) -> float:
    return float(h3.average_hexagon_edge_length(level, unit="km"))


@functools.cache
def _world(level: int) -> CellIds:
    cells = h3.uncompact_cells(h3.get_res0_cells(), level)
    return np.sort(np.asarray(cells, dtype=np.uint64))


def _without_overlap(wanted: Sequence[CellIds]) -> CellIds:
    """Every wanted cell, cut into smaller ones wherever smaller ones within it are wanted."""
    everything = np.unique(np.concatenate([np.empty(0, np.uint64), *wanted]))
    level_of = resolutions_of(everything)
    leaves: list[CellIds] = []
    covered: CellIds = np.empty(0, dtype=np.uint64)
    for level in range(int(level_of.max()) + 1) if len(everything) else ():
        covered = np.union1d(covered, everything[level_of == level])
        finer = np.unique(parents_of(everything[level_of > level], level))
        split = np.isin(covered, finer)
        leaves.append(covered[~split])
        parts = [h3.cell_to_children(cell, level + 1) for cell in covered[split].tolist()]
        covered = np.concatenate([np.empty(0, np.uint64), *parts]).astype(np.uint64)
    return np.unique(np.concatenate([np.empty(0, np.uint64), *leaves]))


@functools.lru_cache(maxsize=4)
def countries_of(ground: Ground) -> npt.NDArray[np.object_]:
    """The country whose density each face has; empty at sea, and for the face -1."""
    found = [
        next((name for name in ids if len(name) == 2 and name != HIGH_SEAS), "")
        for ids in ground.face_territories
    ]
    return np.array([*found, ""], dtype=object)
