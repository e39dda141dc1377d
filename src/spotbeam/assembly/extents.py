"""Whether a rule acts on some ground: on all of it, on a part, or not at all.

Ground is compared by the pieces of land and belts of sea that its names cover in one point of
view, so that UA holds UA-43 in one view and not in another. A cell of H3 counts for every piece
and belt that it touches: where names and cells meet, the answer is about parts, never about all
where some may be left out.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Literal, TypeAlias

import numpy as np
import shapely

from spotbeam.errors import InputError, UnknownName
from spotbeam.governance.ground import cell_within
from spotbeam.land import borders, views
from spotbeam.land.cells import cell_from_hex, cell_polygons

Extent: TypeAlias = Literal["all", "part", "maybe"]
"""`maybe`: the rule names ground that only its owner's own file of territories shows."""
_HIGH_SEAS = "XZ"
_SEA = "/sea"
_OPEN_WATER = frozenset({-1})


@functools.lru_cache(maxsize=20_000)
def extent(
    where: tuple[str, ...], without: tuple[str, ...], asked: str, view: str
) -> Extent | None:
    """How much of the asked ground a rule acts on; None: nothing of it.

    Args:
        where: The places that the rule names; none: everywhere.
        without: The places that it leaves out.
        asked: A territory or cell.
        view: The point of view in which names mean ground.
    """
    known = regions(asked, view)
    wanted = frozenset({asked}) if known is None else known
    found, is_part, is_maybe = _covered(where, asked, wanted, view)
    if not where:
        found = wanted
    gone, is_gone_in_part, _ = _covered(without, asked, wanted, view)
    left = found - gone
    if left == wanted:
        return "part" if is_gone_in_part else "all"
    if left or (is_part and not gone >= wanted):
        return "part"
    return "maybe" if (is_maybe or (known is None and where)) and not found else None


def demand_ground(asked: str, view: str, named: Iterable[str]) -> None:
    """Refuse a name that no ground has.

    Args:
        asked: What the user wrote.
        view: The point of view.
        named: Names that the record itself uses, for its owner's own territories.

    Raises:
        UnknownName: No territory of that view has the name, and nor does the record use it.
        InputError: It is not a cell.
    """
    if asked.startswith("h3:"):
        cell_from_hex(asked)
        return
    names = set(named)
    if asked not in names and regions(asked, view) is None:
        land = views.view(view).ids()
        raise UnknownName("territory", asked, (*land, *(name + _SEA for name in land), *names))


@functools.lru_cache(maxsize=20_000)
def regions(name: str, view: str) -> frozenset[object] | None:
    """The pieces of land and belts of sea that a name covers; None where the view has no such."""
    if name.startswith("h3:"):
        return _touched_by(name)
    if name == _HIGH_SEAS:
        return _OPEN_WATER
    known = views.view(view).territories
    base = name.removesuffix(_SEA)
    if base not in known:
        return None
    pieces = known[base]
    if not name.endswith(_SEA):
        return frozenset(pieces)
    of_piece, _ = borders.belts()
    found = np.flatnonzero(np.isin(of_piece, pieces))
    return frozenset(len(borders.pieces()) + int(each) for each in found) or None


def _covered(
    names: tuple[str, ...], asked: str, wanted: frozenset[object], view: str
) -> tuple[frozenset[object], bool, bool]:
    """What of the wanted regions some names cover; whether they reach into more; or may."""
    found: frozenset[object] = frozenset()
    is_part = is_maybe = False
    for name in names:
        if name == asked:
            return wanted, False, False
        is_small = name.startswith("h3:")
        if is_small and asked.startswith("h3:"):
            if cell_within(asked, name):
                return wanted, False, False
            is_part = is_part or cell_within(name, asked)
            continue
        covered = regions(name, view)
        if covered is None:
            is_maybe = True
        elif is_small:
            is_part = is_part or bool(covered & wanted)
        else:
            found |= covered & wanted
    return found, is_part, is_maybe


def _touched_by(cell: str) -> frozenset[object] | None:
    try:
        index = cell_from_hex(cell)
    except InputError:
        return None
    outline = cell_polygons(np.array([index], dtype=np.uint64))[0]
    land = borders.piece_geometries()
    found = [int(each) for each in shapely.STRtree(land).query(outline, predicate="intersects")]
    # Belts run over the land that they go round, where land wins.
    if not (found and shapely.union_all(land[found]).covers(outline)):
        near = shapely.STRtree(borders.belts()[1]).query(outline, predicate="intersects")
        found += [len(land) + int(each) for each in near]
    return frozenset(found) or _OPEN_WATER
