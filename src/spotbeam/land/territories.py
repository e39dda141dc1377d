"""Which territories a point belongs to, and which ground a disc around it touches.

The ground of one point of view is cut into *faces*: a face is one distinct set of territory ids.
Pieces of land do not overlap one another; sea belts may, and a user's own territories and H3 cells
lie over anything.

Edges are straight in longitude and latitude (RFC 7946). A point exactly on an edge belongs to what
lies north of it, or east of it where the edge runs along a meridian, so that it is never in two
pieces of land and never between two that touch. Longitudes may be given in any turn, 190 for -170.
A pole is one point, taken at longitude 0; the North Pole belongs to what lies south of it there.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import shapely

from spotbeam.errors import InputError, TerritoryError, UnknownName
from spotbeam.kernels.lookup.build import Lookup, build_lookup
from spotbeam.kernels.lookup.locate import locate
from spotbeam.kernels.lookup.touch import touched
from spotbeam.land import borders, views
from spotbeam.land.cells import cell_from_hex, cell_polygons
from spotbeam.land.own import OwnTerritory

__all__ = ["HIGH_SEAS", "Ground", "OwnTerritory", "Standing", "ground"]

Floats = npt.NDArray[np.float64]
Ids = tuple[str, ...]

HIGH_SEAS = "XZ"
SEA = "/sea"


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Who holds and who claims a territory, as far as the border file knows.

    Attributes:
        claimed_by, administered_by: every state or entity that claims, or holds, any of its land.
        citation: on what record.
    """

    claimed_by: Ids = ()
    administered_by: Ids = ()
    citation: str


class Ground:
    """All territories of one point of view, and a user's own, as a partition into faces.

    Made by `ground`.

    Attributes:
        view: the point of view, as `un`.
        face_territories: for each face its territory ids, sorted. Face 0 is ("XZ",): no country's
            land and no belt of sea.
        lookup: the raster behind it; its faces are numbered otherwise.
        final: the number here of each face of `lookup`, shape (n_face,), int32.
    """

    def __init__(
        self, view: str, own: tuple[OwnTerritory, ...], cells: tuple[str, ...], lookup: Lookup
    ) -> None:
        self.view = view
        self._seen = views.view(view)
        self._own = {territory.id: territory for territory in own}
        self._cells = cells
        self.lookup = lookup
        sets = [self._territories(regions) for regions in lookup.faces]
        self.face_territories: tuple[Ids, ...] = ((HIGH_SEAS,), *sorted({*sets} - {(HIGH_SEAS,)}))
        number = {ids: face for face, ids in enumerate(self.face_territories)}
        self.final = np.array([number[ids] for ids in sets], dtype=np.int32)

    def ids(self) -> Ids:
        """Every territory id there is here, sorted."""
        return self._ids

    def locate(self, lat_deg: npt.ArrayLike, lon_deg: npt.ArrayLike) -> npt.NDArray[np.int32]:
        """The face of each point; -1 where there is no such place (NaN, beyond a pole).

        Latitudes and longitudes have shape (n,).
        """
        lat, lon = _columns(lat_deg, lon_deg)
        return locate(self.lookup.raster, self.final, lat, lon)

    def touched(
        self, lat_deg: npt.ArrayLike, lon_deg: npt.ArrayLike, radius_m: npt.ArrayLike
    ) -> tuple[npt.NDArray[np.int32], list[tuple[int, ...]]]:
        """The faces that a disc around each point touches.

        Latitudes, longitudes and radii have shape (n,).

        Returns:
            For each point the index of its set, shape (n,), and the sets: faces, ascending. A set
            holds the point's own face; that of a point that is no place is empty.
        """
        lat, lon, radius = _columns(lat_deg, lon_deg, radius_m)
        wrong = np.flatnonzero(~((radius >= 0.0) & np.isfinite(radius)))
        if len(wrong):
            raise InputError(
                f"radius {radius[wrong[0]]} m is not a distance", place=f"point {wrong[0]}"
            )
        raster, edges = self.lookup.raster, self.lookup.edges
        own = locate(raster, self.final, lat, lon)
        found = touched(raster, edges, self.final, own, lat, lon, radius)
        faces = found.face.tolist()
        sets = [tuple(faces[a:b]) for a, b in itertools.pairwise(found.start.tolist())]
        return found.of_point, sets

    def territories_at(self, lat_deg: float, lon_deg: float) -> Ids:
        """The ids of the territories at one point, sorted; none where there is no such place."""
        face = int(self.locate([lat_deg], [lon_deg])[0])
        return self.face_territories[face] if face >= 0 else ()

    def pieces_at(self, lat_deg: float, lon_deg: float) -> tuple[borders.Piece, ...]:
        """The pieces of land that a point lies in, or off whose coast: who holds and claims it."""
        lat, lon = _columns([lat_deg], [lon_deg])
        same = np.arange(len(self.lookup.faces), dtype=np.int32)
        face = int(locate(self.lookup.raster, same, lat, lon)[0])
        n_piece, of_piece = len(borders.pieces()), borders.belts()[0]
        found = []
        for region in self.lookup.faces[face] if face >= 0 else ():
            if region < n_piece:
                found.append(region)
            elif region < n_piece + len(of_piece):
                found.append(int(of_piece[region - n_piece]))
        land = [piece for piece in found if piece in self.lookup.faces[face]]
        return tuple(borders.pieces()[piece] for piece in sorted({*(land or found)}))

    def geometry(self, territory_id: str) -> Any:
        """The outline of a territory: a shapely geometry in longitude and latitude, degrees."""
        self._check(territory_id)
        if territory_id in self._own:
            return self._own[territory_id].geometry
        if territory_id.startswith("h3:"):
            return _cell_outline(territory_id)
        if territory_id == HIGH_SEAS:
            covered = [borders.piece_geometries(), borders.belts()[1]]
            world = shapely.box(-180.0, -90.0, 180.0, 90.0)
            return world - shapely.union_all(np.concatenate(covered))
        pieces = list(self._seen.pieces_of(territory_id.removesuffix(SEA)))
        if not territory_id.endswith(SEA):
            return shapely.union_all(borders.piece_geometries()[pieces])
        of_piece, belts = borders.belts()
        belt: Any = shapely.union_all(belts[np.isin(of_piece, pieces)])
        land = borders.piece_geometries()
        near = shapely.STRtree(land).query(belt)
        return belt - shapely.union_all(land[near])

    def name_of(self, territory_id: str) -> str:
        """What people call a territory; its id where no name is known."""
        self._check(territory_id)
        if territory_id in self._own:
            return self._own[territory_id].name
        if territory_id == HIGH_SEAS:
            return "High seas and unclaimed waters"
        base = territory_id.removesuffix(SEA)
        name = _place_names().get(base, base)
        return f"{name}, sea belt" if territory_id.endswith(SEA) else name

    def is_own(self, territory_id: str) -> bool:
        """Whether a territory is the user's own."""
        return territory_id in self._own

    def standing(self, territory_id: str) -> Standing:
        """Who claims and who administers a territory, and on what record."""
        self._check(territory_id)
        if territory_id in self._own:
            return Standing(citation=self._own[territory_id].source)
        if territory_id.startswith("h3:"):
            return Standing(citation="a cell of the H3 grid")
        if territory_id == HIGH_SEAS:
            return Standing(citation="UNCLOS (1982), articles 86 and 89")
        base = territory_id.removesuffix(SEA)
        pieces = [borders.pieces()[i] for i in self._seen.pieces_of(base)]
        citations = list(dict.fromkeys(piece.citation for piece in pieces))
        if territory_id.endswith(SEA):
            citations = ["derived: 12 nautical miles from the land, not a delimitation"]
        elif len(citations) > 3:
            disputed = {piece.land for piece in pieces} - {""}
            citations = [f"{citations[0]}; and, part by part, for {', '.join(sorted(disputed))}"]
        holders = {holder for piece in pieces for holder in piece.administered_by.split("/")}
        return Standing(
            claimed_by=tuple(sorted({state for piece in pieces for state in piece.claimed_by})),
            administered_by=tuple(sorted(holders - {""})),
            citation="; ".join(citations),
        )

    def _check(self, territory_id: str) -> None:
        if territory_id not in set(self._ids):
            raise UnknownName("territory", territory_id, self._ids)

    @functools.cached_property
    def _ids(self) -> Ids:
        land = self._seen.ids()
        sea = {
            name + SEA
            for piece in np.unique(borders.belts()[0]).tolist()
            for name in self._seen.territories_of(piece)
        }
        return tuple(sorted({HIGH_SEAS, *land, *sea, *self._own, *self._cells}))

    def _territories(self, regions: tuple[int, ...]) -> Ids:
        """The territory ids of the regions that hold a face."""
        n_piece, of_piece = len(borders.pieces()), borders.belts()[0]
        own = tuple(self._own)
        land: set[str] = set()
        sea: set[str] = set()
        other: set[str] = set()
        for region in regions:
            if region < n_piece:
                land.update(self._seen.territories_of(region))
            elif region < n_piece + len(of_piece):
                names = self._seen.territories_of(int(of_piece[region - n_piece]))
                sea.update(name + SEA for name in names)
            else:
                extra = region - n_piece - len(of_piece)
                other.add(own[extra] if extra < len(own) else self._cells[extra - len(own)])
        # A belt runs over the land that it goes round: land wins.
        return tuple(sorted((land or sea or {HIGH_SEAS}) | other))


def ground(view: str, own: Sequence[OwnTerritory] = (), *, cells: Sequence[str] = ()) -> Ground:
    """The ground as one party sees it.

    Args:
        view: A point of view, as `un`, `de_facto` or `ua`.
        own: The user's own territories, each with an id of its own.
        cells: H3 cells that are to be territories too, as `h3:841ec91ffffffff`.
    """
    views.view(view)
    ids = [territory.id for territory in own]
    for name in ids:
        if ids.count(name) > 1:
            raise TerritoryError(f"two territories have the id {name!r}")
        if name in views.view(view).territories:
            raise TerritoryError(
                f"the id {name!r} is taken by a named territory", hint="choose another id"
            )
    named = tuple(dict.fromkeys(cells))
    for cell in named:
        cell_from_hex(cell)
    return _ground(view, tuple(own), named)


# A raster of the world takes 120 MB: few are kept.
@functools.lru_cache(maxsize=3)
def _ground(view: str, own: tuple[OwnTerritory, ...], cells: tuple[str, ...]) -> Ground:
    return Ground(view, own, cells, _lookup(own, cells))


@functools.lru_cache(maxsize=2)
def _lookup(own: tuple[OwnTerritory, ...], cells: tuple[str, ...]) -> Lookup:
    """The raster of all pieces, belts, own territories and cells: the same for every view."""
    layers = [
        borders.piece_geometries(),
        borders.belts()[1],
        np.array([territory.geometry for territory in own], dtype=object),
        cell_polygons(np.array([cell_from_hex(cell) for cell in cells], dtype=np.uint64)),
    ]
    regions = np.concatenate(layers)
    parts, region_of_part = shapely.get_parts(regions, return_index=True)
    rings, part_of_ring = shapely.get_rings(parts, return_index=True)
    start = np.concatenate([[0], np.cumsum(shapely.get_num_coordinates(rings))])
    return build_lookup(
        shapely.get_coordinates(rings),
        start.astype(np.int64),
        region_of_part[part_of_ring].astype(np.int32),
        len(regions),
    )


def _cell_outline(cell: str) -> Any:
    return cell_polygons(np.array([cell_from_hex(cell)], dtype=np.uint64))[0]


@functools.cache
def _place_names() -> dict[str, str]:
    names = dict(borders.country_names())
    names.update({piece.iso_3166_2: piece.name for piece in borders.pieces() if piece.iso_3166_2})
    names.update({land.id: land.title for land in borders.disputed_lands()})
    return names


def _columns(*columns: npt.ArrayLike) -> tuple[Floats, ...]:
    """Columns of equal length, as the kernels want them."""
    arrays = [np.ascontiguousarray(column, dtype=np.float64) for column in columns]
    return tuple(np.ascontiguousarray(array) for array in np.broadcast_arrays(*arrays))
