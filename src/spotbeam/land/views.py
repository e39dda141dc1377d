"""Points of view: which pieces of land a territory id covers, according to whom.

A point of view is an explicit input of every scenario and is printed in every answer. `un` takes
the borders of the members of the United Nations as its resolutions have them; `de_facto` goes by
who administers; a lower-case ISO code takes a state's own claims as good, and for the rest its
stated position, else that of `un`.

Territory ids in every point of view:

- ISO 3166-1 alpha-2 (`UA`): the country, as the point of view has it. A dependency with a code of
  its own (`GL`, `PR`, `HK`, `RE`) is a country id of its own and is not part of its sovereign's:
  it is licensed apart. A place that ISO lists by itself although its status is disputed (`TW`,
  `EH`, `PS`, `FK`) keeps its code in every point of view, beside the country that covers it.
- ISO 3166-2 (`UA-43`) and `x-…` (`x-crimea`): names of places, the same in every point of view.
"""

from __future__ import annotations

import functools

import msgspec

from spotbeam.errors import UnknownName
from spotbeam.land.borders import DisputedLand, Piece, land_of_pieces, pieces


class PointOfView(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which pieces each territory id covers, according to one party."""

    id: str
    title: str
    description: str
    citation: str
    territories: dict[str, tuple[int, ...]]
    """Territory id to indices into `borders.pieces()`, ascending. Do not change it."""

    def ids(self) -> tuple[str, ...]:
        """Every territory id of land in this point of view, sorted."""
        return tuple(self.territories)

    def pieces_of(self, territory_id: str) -> tuple[int, ...]:
        """Indices of the pieces that a territory id covers here."""
        try:
            return self.territories[territory_id]
        except KeyError:
            raise UnknownName("territory", territory_id, self.territories) from None

    def territories_of(self, piece: int) -> tuple[str, ...]:
        """Every territory id that covers a piece, sorted."""
        return _territories_by_piece(self.id)[piece]


class _Party(msgspec.Struct, frozen=True):
    title: str
    description: str
    citation: str = "Natural Earth and the claims that `spotbeam territories` cites, by land"


_PARTIES = {
    "un": _Party(
        "United Nations",
        "Borders of the members and observer states of the United Nations, as its resolutions "
        "have them; where it finds for nobody, as administered.",
    ),
    "de_facto": _Party(
        "De facto",
        "By who administers the land. Where a front line runs through a piece, every side that "
        "holds a part of it covers it.",
    ),
}

_STATES = {
    "ae": "the United Arab Emirates",
    "ar": "Argentina",
    "cn": "the People's Republic of China",
    "cy": "Cyprus",
    "es": "Spain",
    "ge": "Georgia",
    "gt": "Guatemala",
    "il": "Israel",
    "in": "India",
    "ir": "Iran",
    "jp": "Japan",
    "ma": "Morocco",
    "md": "Moldova",
    "mu": "Mauritius",
    "ph": "the Philippines",
    "pk": "Pakistan",
    "ps": "Palestine",
    "rs": "Serbia",
    "ru": "the Russian Federation",
    "sd": "Sudan",
    "so": "Somalia",
    "ss": "South Sudan",
    "sy": "Syria",
    "tr": "Türkiye",
    "tw": "Taiwan",
    "ua": "Ukraine",
    "ve": "Venezuela",
    "vn": "Viet Nam",
}


def names() -> tuple[str, ...]:
    """The points of view there are: `un`, `de_facto`, then states by code."""
    return (*_PARTIES, *_STATES)


@functools.cache
def view(name: str) -> PointOfView:
    """The point of view of that name."""
    if name not in names():
        raise UnknownName("point of view", name, names())
    party = _PARTIES.get(name) or _Party(
        f"As claimed by {_STATES[name]}",
        f"Land that {_STATES[name]} claims is its own; other disputed land by its stated "
        "position where claims.toml has one, else as in `un`.",
    )
    territories: dict[str, list[int]] = {}
    for index, (piece, land) in enumerate(zip(pieces(), land_of_pieces(), strict=True)):
        for territory_id in _ids(piece, land, name):
            territories.setdefault(territory_id, []).append(index)
    return PointOfView(
        id=name,
        title=party.title,
        description=party.description,
        citation=party.citation,
        territories={key: tuple(territories[key]) for key in sorted(territories)},
    )


@functools.cache
def _territories_by_piece(name: str) -> tuple[tuple[str, ...], ...]:
    found: list[list[str]] = [[] for _ in pieces()]
    for territory_id, indices in view(name).territories.items():
        for index in indices:
            found[index].append(territory_id)
    return tuple(map(tuple, found))


def _ids(piece: Piece, land: DisputedLand | None, name: str) -> set[str]:
    """The territory ids of one piece, according to one party."""
    if land is None:
        return {piece.country, piece.iso_3166_2} - {""}
    return {*_countries(land, name), *land.always, land.id, piece.iso_3166_2} - {""}


def _countries(land: DisputedLand, name: str) -> tuple[str, ...]:
    state = name.upper()
    if name == "un":
        return land.un
    if name == "de_facto":
        return land.administered_by
    if state in land.claimed_by:
        return (state,)
    return land.seen_by.get(name, land.un)
