"""H3 cells laid over a ground that is there already, in milliseconds.

`territories.ground(view, own, cells=...)` cuts the whole world anew, which takes seconds. Rules
that are to bite at once name cells nobody has heard of; so the borders stay as they are, the cells
get a small look-up of their own, and a face is a pair of one of each. What a point lies in and what
a disc touches come out the same: tests hold the two ways to each other.

Only faces that somebody has stood on or touched are numbered, so that a policy is compiled for as
many faces as there are in use, and not for all that the world has.
"""

from __future__ import annotations

import functools
import itertools
import threading
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import shapely

from spotbeam.kernels.lookup.build import Lookup, build_lookup
from spotbeam.kernels.lookup.locate import locate
from spotbeam.kernels.lookup.overlay import layer, touched_pairs
from spotbeam.kernels.lookup.touch import touched
from spotbeam.land.cells import cell_from_hex, cell_polygons
from spotbeam.land.territories import Ground, Ids

Floats = npt.NDArray[np.float64]
_LARGEST_TABLE = 1 << 22


class Overlay:
    """A ground with H3 cells over it; it answers as the ground that was built with them does.

    Args:
        ground: The borders of one point of view, and the user's own territories.
        cells: H3 cells that are to be territories too, as `h3:841ec91ffffffff`.

    Raises:
        InputError: One of them is not a cell.
    """

    def __init__(self, ground: Ground, cells: Sequence[str] = ()) -> None:
        self.ground = ground
        self.view = ground.view
        self.cells = tuple(sorted(dict.fromkeys(cells)))
        self._lookup = _cell_lookup(self.cells) if self.cells else None
        self._n_two = len(self._lookup.faces) if self._lookup else 1
        self._two = np.arange(self._n_two, dtype=np.int32)
        self._number: dict[int, int] = {}
        self._faces: list[Ids] = []
        self._lock = threading.Lock()
        self._numbered(np.zeros(1, dtype=np.int64))  # face 0 is the open sea here too

    @property
    def face_territories(self) -> tuple[Ids, ...]:
        """The territory ids of each face that was met so far; more may follow."""
        return tuple(self._faces)

    def ids(self) -> Ids:
        """Every territory id there is here, sorted."""
        return _ids(self.ground, self.cells)

    def locate(self, lat_deg: Floats, lon_deg: Floats) -> npt.NDArray[np.int32]:
        """The face of each point; -1 where there is no such place. Shapes (n,)."""
        lat, lon = _columns(lat_deg, lon_deg)
        return self.laid_over_points(self.ground.locate(lat, lon), lat, lon)

    def touched(
        self, lat_deg: Floats, lon_deg: Floats, radius_m: Floats
    ) -> tuple[npt.NDArray[np.int32], list[tuple[int, ...]]]:
        """The faces that a disc around each point touches, as `Ground.touched` answers."""
        lat, lon, radius = _columns(lat_deg, lon_deg, radius_m)
        return self.laid_over_discs(self.ground.touched(lat, lon, radius), lat, lon, radius)

    def laid_over_points(
        self, of_ground: npt.NDArray[np.int32], lat: Floats, lon: Floats
    ) -> npt.NDArray[np.int32]:
        """As `locate`, from what the ground itself answered: worth it for who stays in place."""
        pair = self._pair_of(of_ground, lat, lon)
        out = np.full(len(pair), -1, dtype=np.int32)
        out[pair >= 0] = self._numbered(pair[pair >= 0])
        return out

    def laid_over_discs(
        self,
        of_ground: tuple[npt.NDArray[np.int32], list[tuple[int, ...]]],
        lat: Floats,
        lon: Floats,
        radius: Floats,
    ) -> tuple[npt.NDArray[np.int32], list[tuple[int, ...]]]:
        """As `touched`, from what the ground itself answered."""
        index_one, sets_one = of_ground
        if self._lookup is None:
            return self._products(index_one, sets_one, np.zeros_like(index_one), [(0,)])
        own = locate(self._lookup.raster, self._two, lat, lon)
        found = touched(self._lookup.raster, self._lookup.edges, self._two, own, lat, lon, radius)
        bounds, faces = found.start.tolist(), found.face.tolist()
        sets_two = [tuple(faces[a:b]) for a, b in itertools.pairwise(bounds)]
        index, sets = self._products(index_one, sets_one, found.of_point, sets_two)
        several_one = np.array([len(each) > 1 for each in sets_one], dtype=bool)
        several_two = np.array([len(each) > 1 for each in sets_two], dtype=bool)
        rows = np.flatnonzero(several_one[index_one] & several_two[found.of_point])
        if len(rows):
            most = _sizes(sets_one)[index_one[rows]] * _sizes(sets_two)[found.of_point[rows]]
            start, pair = touched_pairs(
                layer(self.ground.lookup, self.ground.final),
                layer(self._lookup, self._two),
                self._pair_of(self.ground.locate(lat[rows], lon[rows]), lat[rows], lon[rows]),
                most,
                lat[rows],
                lon[rows],
                radius[rows],
            )
            number = self._numbered(pair).tolist()
            place: dict[tuple[int, ...], int] = {}
            for row, (a, b) in zip(rows.tolist(), itertools.pairwise(start.tolist()), strict=True):
                members = tuple(sorted(number[a:b]))
                index[row] = place.setdefault(members, len(sets) + len(place))
            sets += list(place)
        return index, sets

    def _pair_of(
        self, of_ground: npt.NDArray[np.int32], lat: Floats, lon: Floats
    ) -> npt.NDArray[np.int64]:
        """The pair of faces that each point lies in, as one number; -1 where it is no place."""
        pair = of_ground.astype(np.int64)
        if self._lookup is None:
            return pair
        over = locate(self._lookup.raster, self._two, lat, lon)
        return np.where(pair < 0, -1, pair * self._n_two + over)

    def _products(
        self,
        index_one: npt.NDArray[np.int32],
        sets_one: Sequence[tuple[int, ...]],
        index_two: npt.NDArray[np.int32],
        sets_two: Sequence[tuple[int, ...]],
    ) -> tuple[npt.NDArray[np.int32], list[tuple[int, ...]]]:
        """Every face of one with every face of the other: right where either is one face."""
        both = index_one.astype(np.int64) * len(sets_two) + index_two
        unique, index = _ranked(both, len(sets_one) * len(sets_two))
        pairs: list[int] = []
        sizes: list[int] = []
        for one, two in (divmod(each, len(sets_two)) for each in unique.tolist()):
            ours, theirs = sets_one[one], sets_two[two]
            if len(ours) > 1 and len(theirs) > 1:
                ours = theirs = (0,)  # nobody refers to it: those are looked at one by one
            pairs += [a * self._n_two + b for a in ours for b in theirs]
            sizes.append(len(ours) * len(theirs))
        number = self._numbered(np.array(pairs, dtype=np.int64)).tolist()
        bounds = [0, *itertools.accumulate(sizes)]
        sets = [tuple(sorted(number[a:b])) for a, b in itertools.pairwise(bounds)]
        return index.astype(np.int32), sets

    def _numbered(self, pair: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
        """The numbers of faces, given out as they are met."""
        unique, place = _ranked(pair, len(self.ground.face_territories) * self._n_two)
        with self._lock:
            for each in unique.tolist():
                if each not in self._number:
                    self._number[each] = len(self._faces)
                    self._faces.append(self._territories(each))
            numbers = np.array([self._number[each] for each in unique.tolist()], dtype=np.int32)
        return numbers[place]

    def _territories(self, pair: int) -> Ids:
        one, two = divmod(pair, self._n_two)
        ids = self.ground.face_territories[one]
        if self._lookup is None or not two:
            return ids
        return tuple(sorted((*ids, *(self.cells[cell] for cell in self._lookup.faces[two]))))


@functools.lru_cache(maxsize=4)
def _ids(ground: Ground, cells: tuple[str, ...]) -> Ids:
    return tuple(sorted({*ground.ids(), *cells}))


@functools.lru_cache(maxsize=8)
def _cell_lookup(cells: tuple[str, ...]) -> Lookup:
    """The raster of some cells and nothing else."""
    regions = cell_polygons(np.array([cell_from_hex(cell) for cell in cells], dtype=np.uint64))
    parts, region_of_part = shapely.get_parts(regions, return_index=True)
    rings, part_of_ring = shapely.get_rings(parts, return_index=True)
    start = np.concatenate([[0], np.cumsum(shapely.get_num_coordinates(rings))])
    return build_lookup(
        shapely.get_coordinates(rings),
        start.astype(np.int64),
        region_of_part[part_of_ring].astype(np.int32),
        len(regions),
    )


def _ranked(
    keys: npt.NDArray[np.int64], count: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The different keys, ascending, and the place of each among them; they are below `count`.

    Without a sort where a table of all possible keys is not much larger than the keys.
    """
    if count > min(_LARGEST_TABLE, 64 * len(keys)):
        unique, place = np.unique(keys, return_inverse=True)
        return unique, place
    is_there = np.zeros(count, dtype=bool)
    is_there[keys] = True
    unique = np.flatnonzero(is_there)
    rank = np.empty(count, dtype=np.int64)
    rank[unique] = np.arange(len(unique))
    return unique, rank[keys]


def _sizes(sets: Sequence[tuple[int, ...]]) -> npt.NDArray[np.int64]:
    return np.array([len(each) for each in sets], dtype=np.int64)


def _columns(*columns: npt.ArrayLike) -> tuple[Floats, ...]:
    return tuple(np.ascontiguousarray(column, dtype=np.float64) for column in columns)
