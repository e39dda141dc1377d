"""CSV of places with names: stations, gateways, points of presence."""

from __future__ import annotations

import csv
import io
import math
import os
from typing import Any, NoReturn

from spotbeam.errors import InputError, nearest
from spotbeam.formats.source_bytes import SourceBytes, read_source
from spotbeam.land.gateways import STATUSES, GroundSite

_NEEDED = ("name", "lat_deg", "lon_deg")
_KNOWN = (*_NEEDED, "status")
_MAX_BYTES = 64 * 2**20
_HEADER = "name,lat_deg,lon_deg"
# What no text holds; blanks of all kinds and the end mark of old editors (0x1a) aside.
_NOT_TEXT = bytes({*range(32)} - {*b"\t\n\v\f\r\x1a"})
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}


def read_sites(path: str | os.PathLike[str]) -> tuple[GroundSite, ...]:
    """Places of a CSV file with the columns name, lat_deg, lon_deg, in its order.

    A column `status` (operational, planned, inferred) may stand beside them; other columns are
    passed over.

    Raises:
        InputError: no such file, not CSV, a column is missing, there are no rows, a row is longer
            than the header, a name is empty or given twice, a coordinate is not on the globe, a
            status is unknown: with the row.
    """
    source = read_source(path, max_bytes=_MAX_BYTES, error=InputError)
    name = source.name
    text = _text(source)
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        columns = [column.strip() for column in reader.fieldnames or ()]
        _check_columns(columns, name)
        reader.fieldnames = columns
        sites = tuple(_site(row, f"{name}, row {n}") for n, row in enumerate(reader, start=1))
    except csv.Error as error:
        raise InputError(
            f"not readable as CSV: {error}", place=f"{name}, line {reader.line_num}"
        ) from None
    if not sites:
        raise InputError(
            "holds no places: there is no row below the header",
            place=name,
            hint='write a row for each; gateways = "none" in a scenario means that there are none',
        )
    _check_names(sites, name)
    return sites


def _text(source: SourceBytes) -> str:
    if source.data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError("is UTF-16", place=source.name, hint="save the file as UTF-8")
    if any(byte in source.data for byte in _NOT_TEXT):
        raise InputError(
            "is not text, and so no CSV file",
            place=source.name,
            hint=f"save it as CSV with the header line {_HEADER}",
        )
    try:
        return source.data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"byte {error.start} is not UTF-8", place=source.name, hint="save the file as UTF-8"
        ) from None


def _check_columns(columns: list[str], name: str) -> None:
    for separator, called in _SEPARATORS.items():
        if len(columns) == 1 and separator in columns[0]:
            raise InputError(
                f"is separated by {called}: {columns[0]!r:.60}",
                place=name,
                hint=f"save it with commas, and points in numbers; the header line is {_HEADER}",
            )
    for needed in _NEEDED:
        if needed not in columns:
            near = nearest(needed, [each for each in columns if each not in _KNOWN])
            raise InputError(
                f"has no column {needed!r}",
                place=name,
                hint=f"is it the column {near!r}?" if near else f"the header line is {_HEADER}",
            )


def _site(row: dict[str | None, Any], place: str) -> GroundSite:
    if None in row:  # where the reader puts what stands under no column
        raise InputError(
            f"{len(row) - 1 + len(row[None])} values under {len(row) - 1} columns",
            place=place,
            hint="take out what is too much, or put a name with commas in double quotes",
        )
    name = (row.get("name") or "").strip()
    if not name:
        raise InputError("is empty", place=f"{place}, name", hint="give every place a name")
    status = (row.get("status") or "").strip() or "operational"
    if status not in STATUSES:
        raise InputError(
            f"{status!r:.40} is not a known status",
            place=f"{place}, status",
            hint=f"known: {', '.join(STATUSES)}",
        )
    return GroundSite(
        name=name,
        lat_deg=_degrees(row.get("lat_deg"), 90.0, f"{place}, lat_deg"),
        lon_deg=_degrees(row.get("lon_deg"), 180.0, f"{place}, lon_deg"),
        status=status,
    )


def _degrees(text: str | None, most: float, place: str) -> float:
    try:
        value = float(text or "")
    except ValueError:
        _refuse(text, most, place)
    if not math.isfinite(value) or abs(value) > most:
        _refuse(text, most, place)
    return value


def _refuse(text: str | None, most: float, place: str) -> NoReturn:
    raise InputError(
        f"{text or ''!r} is not within -{most:g}..{most:g}",
        place=place,
        hint="write degrees as a plain number",
    )


def _check_names(sites: tuple[GroundSite, ...], name: str) -> None:
    first: dict[str, int] = {}
    for row, site in enumerate(sites, start=1):
        if site.name in first:
            raise InputError(
                f"{site.name!r} stands in row {first[site.name]} already",
                place=f"{name}, row {row}, name",
                hint="give each place a name of its own",
            )
        first[site.name] = row
