"""A user's own territories from a file: GeoJSON (RFC 7946) or GeoParquet, told by content.

Each feature is a territory. Its id is its property `id`, else the feature's `id`, else its
property `name`, else the file's name; ids begin with `x-`, and other texts are turned into such
(`UA-43` into `x-ua-43`). Where the caller gives a default id, it stands for every text that is not
such an id already, because map programs number features as they please. Features with one id are
one territory: they may touch and overlap, the territory is all of them.
"""

from __future__ import annotations

import os
import re
import unicodedata
from typing import Any

import shapely

from spotbeam.errors import TerritoryError
from spotbeam.formats.features import parse_features
from spotbeam.formats.shape_checks import Limits, Part, ShapeChecks
from spotbeam.formats.source_bytes import SourceBytes, read_source
from spotbeam.formats.strict_json import shown
from spotbeam.formats.territory_parquet import parse_geoparquet
from spotbeam.land.own import OwnTerritory

_ID = re.compile(r"x-[a-z0-9]+(-[a-z0-9]+)*")
_LONGEST_ID = 64
_LONGEST_NAME = 200
_NOT_READ = {
    b"PK\x03\x04": "a zip archive (a zipped shapefile or KMZ?)",
    b"SQLite format 3\x00": "SQLite (GeoPackage?)",
    b"\x00\x00\x27\x0a": "a shapefile",
    b"<?xml": "XML (KML or GML?)",
    b"<kml": "KML",
    b"\x1f\x8b": "gzip",
    b"\xfd7zXZ\x00": "xz",
    b"fgb": "FlatGeobuf",
}


def read_territories(
    path: str | os.PathLike[str], *, default_id: str | None = None, limits: Limits | None = None
) -> tuple[OwnTerritory, ...]:
    """The territories of a file, in the order in which their ids first stand in it.

    Args:
        path: GeoJSON, or Parquet with `geo` metadata.
        default_id: The id of all features that do not bring an `x-` id of their own.
        limits: How much the file may hold.

    Raises:
        TerritoryError: the file, or one shape in it, is wrong: file, path, value and fix.
    """
    limits = limits or Limits()
    source = read_source(path, max_bytes=limits.bytes, error=TerritoryError)
    return territories_from(source, default_id=default_id, limits=limits)


def territories_from(
    source: SourceBytes, *, default_id: str | None = None, limits: Limits | None = None
) -> tuple[OwnTerritory, ...]:
    """The territories of a file that was read already; see `read_territories`."""
    limits = limits or Limits()
    checks = ShapeChecks(source, limits)
    if default_id is not None and not _is_id(default_id):
        checks.fail(f"{default_id!r} is not an id of one's own", "id", _id_hint(default_id))
    if source.data.startswith(b"PAR1"):
        parts = parse_geoparquet(source, limits)
    else:
        for magic, what in _NOT_READ.items():
            if source.data.startswith(magic):
                checks.fail(f"is {what}, which is not read", "", "export it as GeoJSON")
        parts = parse_features(source, limits)
    grouped: dict[str, list[Part]] = {}
    for part in parts:
        own_id = _own_id(part, default_id, checks)
        same = grouped.setdefault(own_id, [])
        if own_id != default_id and same and same[0].id_text != part.id_text:
            checks.fail(
                f"{shown(part.id_text)} and {shown(same[0].id_text)} both become {own_id!r}",
                part.id_path,
                f"give each territory an id of its own, as '{own_id}-2'",
            )
        same.append(part)
    return tuple(
        OwnTerritory(
            id=own_id,
            name=_name(same, checks) or own_id,
            geometry=_dissolved(same, own_id, checks),
            source=source.name,
            sha256=source.sha256,
        )
        for own_id, same in grouped.items()
    )


def _own_id(part: Part, default_id: str | None, checks: ShapeChecks) -> str:
    text = part.id_text
    if text is not None and _is_id(text):
        return text
    if default_id is not None:
        return default_id
    if text is None:
        text = checks.source.name.split(".")[0]
    slug = _slug(text)
    if not _is_id(slug):
        checks.fail(f"{shown(text)} does not make an id", part.id_path or part.path, _id_hint(text))
    return slug


def _is_id(text: str) -> bool:
    return len(text) <= _LONGEST_ID and _ID.fullmatch(text) is not None


def _slug(text: str) -> str:
    """`x-` and the letters and digits of a text, or nothing if it has none in Latin script."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z0-9]+", plain.removeprefix("x-"))
    return f"x-{'-'.join(words)}" if words else ""


def _id_hint(text: str) -> str:
    slug = _slug(text)[:_LONGEST_ID].rstrip("-")
    example = slug if _is_id(slug) else "x-front-line"
    return f"an id is 'x-' and lower-case letters, digits and hyphens, as {example!r}"


def _name(parts: list[Part], checks: ShapeChecks) -> str:
    """The different names of a territory's features."""
    names = dict.fromkeys(part.name for part in parts if part.name)
    for part in parts:
        if any(unicodedata.category(character) == "Cc" for character in part.name or ""):
            checks.fail(
                f"the name {shown(part.name)} holds a control character",
                part.path,
                "remove the character",
            )
    name = ", ".join(names)
    if len(name) > _LONGEST_NAME:
        checks.fail(
            f"a name of {len(name)} characters, more than {_LONGEST_NAME}",
            parts[0].path,
            "shorten the name",
        )
    return name


def _dissolved(parts: list[Part], own_id: str, checks: ShapeChecks) -> Any:
    """One valid geometry of all features of a territory."""
    if len(parts) == 1:
        return parts[0].shape
    together = shapely.multipolygons(
        [polygon for part in parts for polygon in shapely.get_parts(part.shape)]
    )
    pairs = checks.edge_pairs(together)
    if pairs <= checks.limits.edge_pairs and shapely.is_valid(together):
        return together
    if pairs > checks.limits.dissolved_edge_pairs:
        checks.fail(
            f"the {len(parts)} features of {own_id!r} overlap too much to be joined",
            parts[0].path,
            "dissolve them into one feature before",
        )
    return shapely.union_all([part.shape for part in parts])
