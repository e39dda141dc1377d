"""Sea belts of 12 nautical miles (22.224 km), derived from the packaged coast.

Derived, not a delimitation: no baseline, bay, opposite coast or treaty is considered, and belts
of neighbours overlap. A belt belongs to a piece of land; that of a country, in a point of view, is
the union of the belts of its pieces.

What is packaged is each piece's *reach*: all within 12 nautical miles of its coast, land too. The
belt is the part of the reach that is on no land. So a point is in the belt of a piece exactly if
it is in the reach and in no piece. `scripts/build_belts.py` says how reaches are made; against
the packaged coast they are right to 60 m.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable

import numpy as np
import shapely
from numpy.typing import NDArray

from spotbeam.land.borders import multipolygons, piece_geometries, pieces, read_table

BELT_KM = 22.224
"""12 nautical miles: UN Convention on the Law of the Sea, article 3."""


@functools.cache
def reach_geometries() -> NDArray[np.object_]:
    """The reach of each of `pieces()`, in the same order; None for a piece without a coast.

    Shapely MultiPolygons, longitude and latitude in degrees, cut at the antimeridian. Land of
    the piece and of its neighbours is not taken out.
    """
    table = read_table("belts.parquet")
    place = {piece.id: i for i, piece in enumerate(pieces())}
    out = np.full(len(place), None, dtype=object)
    out[[place[key] for key in table["id"].to_pylist()]] = multipolygons(table, units=10_000)
    return out


def sea_belt(indices: Iterable[int]) -> shapely.Geometry:
    """The belt of some pieces together: their reaches, less all land.

    Args:
        indices: Indices into `pieces()`.

    Returns:
        A polygon or MultiPolygon, empty if none of the pieces has a coast.
    """
    reaches = [reach for reach in reach_geometries()[list(indices)] if reach is not None]
    if not reaches:
        return shapely.MultiPolygon()
    whole = shapely.union_all(reaches)
    near = _land_tree().query(whole, predicate="intersects")
    land = shapely.union_all(piece_geometries()[near])
    return shapely.difference(whole, land)


@functools.cache
def _land_tree() -> shapely.STRtree:
    return shapely.STRtree(piece_geometries())
