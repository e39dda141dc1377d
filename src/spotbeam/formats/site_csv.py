"""CSV of places with names: stations, gateways, points of presence."""

from __future__ import annotations

import csv
import io
import math
import os
from typing import NoReturn

from spotbeam.errors import InputError, nearest
from spotbeam.formats.source_bytes import read_source
from spotbeam.land.gateways import GroundSite

_NEEDED = ("name", "lat_deg", "lon_deg")
_KNOWN = (*_NEEDED, "status")
_MAX_BYTES = 64 * 2**20


def read_sites(path: str | os.PathLike[str]) -> tuple[GroundSite, ...]:
    """Places of a CSV file with the columns name, lat_deg, lon_deg, in its order.

    A column `status` (operational, planned) may stand beside them; other columns are passed over.

    Raises:
        InputError: no such file, not CSV, a column is missing, a name is empty or given twice, a
            coordinate is not on the globe: with the row.
    """
    source = read_source(path, max_bytes=_MAX_BYTES, error=InputError)
    name = source.name
    try:
        text = source.data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"byte {error.start} is not UTF-8", place=name, hint="save the file as UTF-8"
        ) from None
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
    _check_names(sites, name)
    return sites


def _check_columns(columns: list[str], name: str) -> None:
    for needed in _NEEDED:
        if needed not in columns:
            near = nearest(needed, [each for each in columns if each not in _KNOWN])
            raise InputError(
                f"has no column {needed!r}",
                place=name,
                hint=f"is it the column {near!r}?"
                if near
                else "the header line is name,lat_deg,lon_deg",
            )


def _site(row: dict[str | None, str | None], place: str) -> GroundSite:
    name = (row.get("name") or "").strip()
    if not name:
        raise InputError("is empty", place=f"{place}, name", hint="give every place a name")
    status = (row.get("status") or "operational").strip()
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
