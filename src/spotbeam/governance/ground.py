"""Whether two names of ground may overlap: by their ids alone, and in doubt yes.

Geometry is never in the fold, because it differs between versions of its library. Two names are
told apart only where their ids say so: other countries, other subdivisions on land, other cells.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import lru_cache

import msgspec

_DIGITS = 15


class _Part(msgspec.Struct, frozen=True):
    """ISO ids of one country: their land, whether one is the whole of it, and one a belt of sea."""

    lands: frozenset[str]
    is_whole: bool
    has_sea: bool


class _Shape(msgspec.Struct, frozen=True):
    """Ground, taken apart once: the same names are asked about again and again.

    Attributes:
        is_named: Whether some of it has a name of its own, so that it may be anywhere.
        has_cells: Whether some of it are cells, real or not.
        cells: Indices of the real ones.
        around: Indices of all cells that hold them, themselves included.
        places: What the ISO ids name, by country.
    """

    is_named: bool
    has_cells: bool
    cells: frozenset[int]
    around: frozenset[int]
    places: dict[str, _Part]


@lru_cache(maxsize=20_000)
def _shape(ground: tuple[str, ...]) -> _Shape:
    cells = {int(name[3:], 16) for name in ground if is_cell(name, 0)}
    names: dict[str, list[str]] = {}
    for name in ground:
        country = _country(name)
        if country is not None:
            names.setdefault(country, []).append(name)
    return _Shape(
        is_named=any(name.startswith("x-") for name in ground),
        has_cells=any(name.startswith("h3:") for name in ground),
        cells=frozenset(cells),
        around=frozenset(larger for cell in cells for larger in _around(cell)),
        places={country: _part(ids) for country, ids in names.items()},
    )


def _part(ids: list[str]) -> _Part:
    lands = frozenset(name.removesuffix("/sea") for name in ids)
    return _Part(
        lands=lands,
        is_whole=any("-" not in land for land in lands),
        has_sea=any(name.endswith("/sea") for name in ids),
    )


def _around(cell: int) -> Iterator[int]:
    """A cell's index and those of the cells that hold it."""
    for resolution in range((cell >> 52 & 15) + 1):
        unused = (1 << 3 * (_DIGITS - resolution)) - 1  # digits from there on are all 7
        yield (cell & ~(15 << 52) | resolution << 52) | unused


def may_overlap(one: Collection[str], other: Collection[str]) -> bool:
    """Whether some ground may be in both; no names at all mean everywhere."""
    if not one or not other:
        return True
    a, b = _shape(tuple(one)), _shape(tuple(other))
    if a.is_named or b.is_named:
        return True
    if (a.has_cells and b.places) or (b.has_cells and a.places):
        return True
    if not (a.cells.isdisjoint(b.around) and b.cells.isdisjoint(a.around)):
        return True
    return any(
        _meet(a.places[country], b.places[country]) for country in a.places.keys() & b.places.keys()
    )


def same_country(one: Collection[str], other: Collection[str]) -> bool:
    """As `may_overlap`, but subdivisions and cells do not tell ground apart, only countries do.

    For limits that could be passed in small steps.
    """
    if not one or not other:
        return True
    countries, others = {_country(name) for name in one}, {_country(name) for name in other}
    return None in countries or None in others or bool(countries & others)


def countries(ground: Collection[str]) -> frozenset[str]:
    """The codes of the countries in which ground may lie; `*` where its ids do not say."""
    return frozenset(_country(name) or "*" for name in ground) if ground else frozenset("*")


def cell_within(cell: str, larger: str) -> bool:
    """Whether a cell is `larger` or one of its descendants, by its index alone.

    The bits are those of an H3 index: mode in 59 to 62, resolution in 52 to 55, base cell in 45 to
    51, then three bits for each of 15 digits, coarsest first.
    """
    small, large = _index(cell), _index(larger)
    if small is None or large is None:
        return False
    fine, coarse = small >> 52 & 15, large >> 52 & 15
    kept = 3 * (_DIGITS - coarse)
    return (
        fine >= coarse
        and (small & ((1 << 52) - 1)) >> kept == (large & ((1 << 52) - 1)) >> kept
        and _is_cell(small, fine)
        and _is_cell(large, coarse)
    )


def is_cell(name: str, resolution: int) -> bool:
    """Whether a name of ground is that of a real cell of at least this resolution."""
    index = _index(name)
    fine = -1 if index is None else index >> 52 & 15
    return index is not None and fine >= resolution and _is_cell(index, fine)


def _meet(one: _Part, other: _Part) -> bool:
    """Whether two sets of ISO ids of one country may share ground.

    UA holds UA-43; UA-43 and UA-65 are apart on land, while their belts of sea may overlap. The
    sets are compared whole: two thousand ids with two thousand others would hold up every reader.
    """
    return (
        one.is_whole
        or other.is_whole
        or (one.has_sea and other.has_sea)
        or not one.lands.isdisjoint(other.lands)
    )


def _country(name: str) -> str | None:
    """The country in an ISO id; None for cells and for ground with a name of its own."""
    return None if name.startswith(("h3:", "x-")) else name[:2]


def _index(name: str) -> int | None:
    return int(name[3:], 16) if name.startswith("h3:") else None


def _is_cell(index: int, resolution: int) -> bool:
    """Mode 1, a real base cell, real digits to its resolution and 7 from there on."""
    digits = [index >> 3 * (_DIGITS - number) & 7 for number in range(1, _DIGITS + 1)]
    return (
        index >> 59 == 1
        and index >> 56 & 7 == 0
        and index >> 45 & 127 < 122
        and 7 not in digits[:resolution]
        and all(digit == 7 for digit in digits[resolution:])
    )
