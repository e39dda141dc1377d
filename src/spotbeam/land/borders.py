"""The packaged borders: pieces of land without a sovereign, who claims them, and their sea belts.

A *piece* is the smallest land that the product tells apart. Its id is Natural Earth's
`adm1_code`; pieces cut out by hand carry a suffix (`MAR-3456-EH`). Pieces never overlap. Who
claims and who administers a piece stands in `data/claims.toml`, with a citation, written by hand;
a point of view (`spotbeam.land.views`) says which pieces a country id covers.

Nothing is read until the first call; later calls return the same objects.

Sources: Natural Earth 10m admin-1 (public domain), islands of Matsu and Kinmen from Taiwan's
Ministry of the Interior (Open Government Data License 1.0). `scripts/build_borders.py` says how
the file is made. Borders are planar in longitude and latitude, WGS 84, as in RFC 7946.
"""

from __future__ import annotations

import csv
import fnmatch
import functools
import hashlib
import io
import tomllib
from importlib import resources
from typing import Any

import msgspec
import numpy as np
import pyarrow.parquet
import shapely
from numpy.typing import NDArray

UNITS_PER_DEGREE = 100_000
"""Vertices are kept as whole numbers of 1e-5 degrees, about 1 m."""


class Piece(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One piece of land, and who claims and who administers it."""

    id: str
    """Natural Earth's adm1_code, with a suffix where a piece was cut out of a province."""
    name: str
    country: str
    """ISO 3166-1 alpha-2 code of the place (`XK` for Kosovo, user-assigned), or empty."""
    iso_3166_2: str
    """Current ISO 3166-2 code where it is certain, else empty. `PS-GZZ` and `PS-WBK` are Natural
    Earth's own."""
    claimed_by: tuple[str, ...]
    administered_by: str
    """Who holds it on the ground: `RU`, or `RU/UA` where a front line that no piece follows runs
    through it; empty for nobody."""
    citation: str
    land: str = ""
    """Id of the disputed land that it is part of (`x-crimea`), else empty."""
    kind: str = "land"


class DisputedLand(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A row of the table of claims: land on whose sovereignty or administration states differ."""

    id: str
    """Name of the place, `x-…`; a territory id in every point of view."""
    title: str
    pieces: tuple[str, ...]
    """Piece ids; `*` stands for anything."""
    claimed_by: tuple[str, ...]
    administered_by: tuple[str, ...]
    """Who holds it; several where a line that no piece follows runs through it."""
    un: tuple[str, ...]
    """The country ids that cover it in the point of view `un`."""
    always: tuple[str, ...] = ()
    """ISO 3166-1 code of the place itself, a territory id in every point of view."""
    seen_by: dict[str, tuple[str, ...]] = {}
    """The country ids that cover it in a claimant's or a third state's point of view."""
    citation: str
    note: str = ""


@functools.cache
def pieces() -> tuple[Piece, ...]:
    """Every piece of land, sorted by id, in the same order as `piece_geometries`."""
    table = _columns()
    out = []
    for key, name, country, iso, land in zip(
        table["id"],
        table["name"],
        table["country"],
        table["iso_3166_2"],
        land_of_pieces(),
        strict=True,
    ):
        out.append(
            Piece(
                id=key,
                name=name,
                country=country,
                iso_3166_2=iso,
                claimed_by=land.claimed_by if land else (country,),
                administered_by="/".join(land.administered_by) if land else country,
                citation=land.citation if land else "Natural Earth 10m admin-1",
                land=land.id if land else "",
            )
        )
    return tuple(out)


@functools.cache
def piece_geometries() -> NDArray[np.object_]:
    """The outlines of `pieces()`: shapely MultiPolygons, longitude and latitude in degrees.

    Valid, cut at the antimeridian, and without overlap: neighbours share their border exactly.
    """
    return _multipolygons(_table("borders.parquet"))


@functools.cache
def belts() -> tuple[NDArray[np.int32], NDArray[np.object_]]:
    """Sea belts of 12 nautical miles (22.224 km): derived, not a delimitation.

    No baseline, bay, opposite coast or treaty is considered, and belts of neighbours overlap. A
    belt belongs to a piece; that of a country is the union of the belts of its pieces.

    Returns:
        The index of the piece of each belt, ascending, and the outlines: shapely MultiPolygons of
        all within 12 nautical miles of the coast of that piece, on WGS 84, cut at the
        antimeridian. An outline runs over land where it does not matter how: a point is in a belt
        exactly if it is in the outline and in no piece. Against the packaged coast the outlines
        are right to 120 m, nearly always to 50 m. Lakes are land; the Caspian is sea.
    """
    table = _table("belts.parquet")
    place = {piece.id: index for index, piece in enumerate(pieces())}
    of_piece = np.array([place[key] for key in table["id"].to_pylist()], dtype=np.int32)
    return of_piece, _multipolygons(table, units=10_000)


@functools.cache
def country_names() -> dict[str, str]:
    """The English short name of each ISO 3166-1 alpha-2 code that has land (GeoNames)."""
    rows = csv.DictReader(io.StringIO(_read("countries.csv").decode()))
    return {row["country"]: row["name"] for row in rows}


@functools.cache
def disputed_lands() -> tuple[DisputedLand, ...]:
    """The table of claims, one row a disputed land."""
    rows = tomllib.loads(_read("claims.toml").decode())["land"]
    return tuple(msgspec.convert(row, DisputedLand) for row in rows)


@functools.cache
def land_of_pieces() -> tuple[DisputedLand | None, ...]:
    """For each of `pieces()`, the row of the table of claims that it belongs to, if any."""
    ids = _columns()["id"]
    known = set(ids)
    found: dict[str, DisputedLand] = {}
    for land in disputed_lands():
        for pattern in land.pieces:
            matches = fnmatch.filter(ids, pattern) if "*" in pattern else [pattern]
            if not known.issuperset(matches) or not matches or not found.keys().isdisjoint(matches):
                raise RuntimeError(f"claims.toml: {pattern!r} of {land.id} is no piece, or twice")
            found.update(dict.fromkeys(matches, land))
    return tuple(map(found.get, ids))


@functools.cache
def borders_digest() -> str:
    """SHA-256, in hexadecimal, of the packaged borders: two machines with one digest see one map.

    Over the pieces, their belts, who claims them, and the names of countries, each file after
    its length in 8 bytes, big-endian.
    """
    hasher = hashlib.sha256(b"spotbeam.org/borders/v1\0")
    for name in ("borders.parquet", "belts.parquet", "claims.toml", "countries.csv"):
        data = _read(name)
        hasher.update(len(data).to_bytes(8, "big") + data)
    return hasher.hexdigest()


def _read(name: str) -> bytes:
    return (resources.files("spotbeam.land") / "data" / name).read_bytes()


@functools.cache
def _table(name: str) -> pyarrow.Table:
    return pyarrow.parquet.ParquetFile(io.BytesIO(_read(name))).read()


@functools.cache
def _columns() -> dict[str, list[str]]:
    columns: dict[str, list[str]] = (
        _table("borders.parquet").select(["id", "name", "country", "iso_3166_2"]).to_pydict()
    )
    return columns


def _multipolygons(table: pyarrow.Table, units: int = UNITS_PER_DEGREE) -> NDArray[np.object_]:
    """Packaged outlines: undoes the steps, zigzag and open rings of `scripts/build_borders.py`."""

    def lists(name: str) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        # Through DLPack: Arrow's own to_numpy imports pandas where it is installed, 0.9 s.
        column = table[name].combine_chunks()
        offsets, values = np.from_dlpack(column.offsets), np.from_dlpack(column.flatten())
        return np.asarray(offsets, dtype=np.int32), np.asarray(values, dtype=np.int32)

    piece_ends, rings = lists("rings")
    _, vertices = lists("vertices")
    steps = [_unzigzag(lists(name)[1]) for name in ("lon_step", "lat_step")]
    xy = np.stack(steps, axis=1) / units

    ring_starts = _offsets(vertices)
    # Close each ring: its first vertex once more after its last.
    xy = np.insert(xy, ring_starts[1:], xy[ring_starts[:-1]], axis=0)
    geometries: Any = shapely.from_ragged_array(
        shapely.GeometryType.MULTIPOLYGON,
        xy,
        (ring_starts + np.arange(len(ring_starts)), _offsets(rings), piece_ends),
    )
    return np.asarray(geometries, dtype=object)


def _unzigzag(steps: NDArray[np.int32]) -> NDArray[np.int64]:
    unsigned = steps.view(np.uint32)
    return np.cumsum((unsigned >> 1).astype(np.int64) ^ -(unsigned & 1).astype(np.int64))


def _offsets(counts: NDArray[np.int32]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
