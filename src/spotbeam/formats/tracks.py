"""Tracks: GPX 1.1, GeoJSON with times, and CSV, read strictly.

A track is one journey of one terminal. Every fix has a time; what else it says may be left out.
"""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Iterable, Mapping
from typing import Any
from xml.etree.ElementTree import Element, ParseError

import numpy as np
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from spotbeam.errors import InputError, nearest
from spotbeam.formats.source_bytes import SourceBytes, read_source
from spotbeam.formats.strict_json import parse_json
from spotbeam.times import parse_time
from spotbeam.twin.trips.track import Track, check_track, counted, refuse_half

MAX_BYTES = 256 * 2**20
MAX_FIXES = 2_000_000
_COLUMNS = {
    # column: the largest that it may be, both ways where it has a sign
    "lat_deg": (-90.0, 90.0),
    "lon_deg": (-180.0, 180.0),
    "altitude_m": (-500.0, 100_000.0),
    "speed_kmh": (0.0, 30_000.0),
    "error_m": (0.0, 1e6),
    "network_lat_deg": (-90.0, 90.0),
    "network_lon_deg": (-180.0, 180.0),
}
_NEEDED = ("lat_deg", "lon_deg")
_TIMES = ("coordTimes", "times", "coordinateProperties")

Row = Mapping[str, float]


def read_track(path: str | os.PathLike[str]) -> Track:
    """The track of a file: `.gpx`, `.geojson` or `.json`, or CSV by any other name.

    Raises:
        InputError: It cannot be read, holds no track or more than one, or a fix is not whole: with
            the line or the place in the file.
    """
    source = read_source(path, max_bytes=MAX_BYTES, error=InputError)
    suffix = os.path.splitext(source.name)[1].lower()
    if suffix == ".gpx":
        times, rows = _gpx(source)
    elif suffix in (".json", ".geojson"):
        times, rows = _geojson(source)
    else:
        times, rows = _csv(source)
    if len(times) > MAX_FIXES:
        raise InputError(f"{len(times):,} fixes; {MAX_FIXES:,} are read", place=source.name)
    columns = {
        name: np.array([row.get(name, math.nan) for row in rows], dtype=np.float64)
        for name in _COLUMNS
    }
    found = Track(name=source.name, time_us=np.array(times, dtype=np.int64), **columns)
    return check_track(found, source.name)


# -- CSV


def _csv(source: SourceBytes) -> tuple[list[int], list[Row]]:
    """Columns time, lat_deg, lon_deg, and any of the others; unknown ones are refused."""
    try:
        text = source.data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"byte {error.start} is not UTF-8", place=source.name, hint="save the file as UTF-8"
        ) from None
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    times: list[int] = []
    rows: list[Row] = []
    try:
        columns = [column.strip() for column in reader.fieldnames or ()]
        _check_columns(columns, source.name)
        reader.fieldnames = columns
        for row in reader:
            place = f"{source.name}, line {reader.line_num}"
            if None in row or None in row.values():
                raise InputError("has another number of cells than the header", place=place)
            times.append(parse_time((row["time"] or "").strip(), place=f"{place}, time"))
            rows.append(
                {
                    name: _number(row[name], name, place)
                    for name in _COLUMNS
                    if (row.get(name) or "").strip()
                }
            )
            for name in _NEEDED:
                if name not in rows[-1]:
                    raise InputError("is empty", place=f"{place}, {name}")
            refuse_half(rows[-1], place)
    except csv.Error as error:
        raise InputError(
            f"not readable as CSV: {error}", place=f"{source.name}, line {reader.line_num}"
        ) from None
    return times, rows


def _check_columns(columns: list[str], name: str) -> None:
    known = ("time", *_COLUMNS)
    for needed in ("time", *_NEEDED):
        if needed not in columns:
            raise InputError(
                f"has no column {needed!r}",
                place=name,
                hint="the header line begins time,lat_deg,lon_deg",
            )
    for column in columns:
        if column not in known:
            near = nearest(column, known)
            raise InputError(
                f"has an unknown column {column!r}",
                place=name,
                hint=f"did you mean {near!r}?" if near else f"columns are {', '.join(known)}",
            )
    refuse_half(columns, f"{name}, line 1")


def _number(text: object, name: str, place: str) -> float:
    least, most = _COLUMNS[name]
    try:
        # Python would read 5_1 as 51.
        value = math.nan if "_" in str(text) else float(str(text))
    except ValueError:
        value = math.nan
    if not least <= value <= most:
        raise InputError(
            f"{text!s:.40} is not within {least:g}..{most:g}",
            place=f"{place}, {name}",
            hint="write a plain number",
        )
    return value


# -- GPX: topografix.com/GPX/1/1


def _gpx(source: SourceBytes) -> tuple[list[int], list[Row]]:
    try:
        root = fromstring(source.data, forbid_dtd=True)
    except DefusedXmlException:
        raise InputError(
            "has a DOCTYPE or entities, which are not accepted",
            place=source.name,
            hint="take the line <!DOCTYPE …> out, or export the track again as plain GPX",
        ) from None
    except (ParseError, ValueError) as fault:
        raise InputError(f"not valid XML: {fault}", place=source.name) from None
    tracks = [each for each in root if _tag(each) == "trk"]
    if _tag(root) != "gpx" or len(tracks) != 1:
        raise InputError(
            f"holds {len(tracks)} tracks" if _tag(root) == "gpx" else "is no GPX file",
            place=source.name,
            hint="a file has one <trk>, whose segments are read as one journey",
        )
    times: list[int] = []
    rows: list[Row] = []
    for number, point in enumerate(_points(tracks[0]), 1):
        place = f"{source.name}, trkpt {number}"
        inner = {_tag(each): (each.text or "").strip() for each in point}
        if not inner.get("time"):
            raise InputError("has no <time>", place=place, hint="every fix needs its time")
        times.append(parse_time(inner["time"], place=f"{place}, time"))
        for name in ("lat", "lon"):
            if point.get(name) is None:
                hint = 'as <trkpt lat="44.6" lon="33.5">'
                raise InputError(f"has no {name}", place=place, hint=hint)
        row = {
            "lat_deg": _number(point.get("lat"), "lat_deg", place),
            "lon_deg": _number(point.get("lon"), "lon_deg", place),
        }
        if inner.get("ele"):
            row["altitude_m"] = _number(inner["ele"], "altitude_m", place)
        rows.append(row)
    return times, rows


def _points(track: Element) -> Iterable[Element]:
    for segment in track:
        if _tag(segment) == "trkseg":
            yield from (each for each in segment if _tag(each) == "trkpt")


def _tag(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


# -- GeoJSON: RFC 7946, with times beside the coordinates


def _geojson(source: SourceBytes) -> tuple[list[int], list[Row]]:
    value = parse_json(source, max_depth=12, max_values=20 * MAX_FIXES, error=InputError)
    features = _features(value, source.name)
    lines = [each for each in features if _kind(each) == "LineString"]
    points = [each for each in features if _kind(each) == "Point"]
    if len(lines) == 1 and not points:
        return _line(lines[0], source.name)
    if points and not lines:
        return _dots(points, source.name)
    raise InputError(
        f"holds {counted(len(lines), 'line')} and {counted(len(points), 'point')}",
        place=source.name,
        hint="one LineString with a time for each position, or Points with a time each",
    )


def _features(value: Any, name: str) -> list[dict[str, Any]]:
    kind = value.get("type") if isinstance(value, dict) else None
    found = value.get("features") if kind == "FeatureCollection" else [value]
    if kind not in ("Feature", "FeatureCollection") or not isinstance(found, list):
        raise InputError(
            "is neither a Feature nor a FeatureCollection",
            place=name,
            hint="times stand in a feature's properties",
        )
    return [each for each in found if isinstance(each, dict)]


def _kind(feature: Mapping[str, Any]) -> str:
    geometry = feature.get("geometry")
    return str(geometry.get("type")) if isinstance(geometry, dict) else ""


def _line(feature: Mapping[str, Any], name: str) -> tuple[list[int], list[Row]]:
    coordinates = feature["geometry"].get("coordinates")
    properties = feature.get("properties") or {}
    texts: Any = next((properties[key] for key in _TIMES if key in properties), None)
    if isinstance(texts, dict):  # {"coordinateProperties": {"times": […]}}
        texts = texts.get("times")
    if not isinstance(texts, list) or not isinstance(coordinates, list):
        raise InputError(
            "the line has no times",
            place=f"{name}, properties",
            hint='write "coordTimes": a time for each position',
        )
    if len(texts) != len(coordinates):
        raise InputError(
            f"{counted(len(texts), 'time')} for {counted(len(coordinates), 'position')}",
            place=f"{name}, properties",
            hint="write one time for each position",
        )
    return (
        [_time(text, f"{name}, coordTimes[{n}]") for n, text in enumerate(texts)],
        [_position(each, f"{name}, coordinates[{n}]") for n, each in enumerate(coordinates)],
    )


def _dots(features: list[dict[str, Any]], name: str) -> tuple[list[int], list[Row]]:
    times: list[int] = []
    rows: list[Row] = []
    for number, feature in enumerate(features):
        place = f"{name}, features[{number}]"
        properties = feature.get("properties") or {}
        times.append(_time(properties.get("time"), f"{place}, time"))
        row = dict(_position(feature["geometry"].get("coordinates"), place))
        for column in _COLUMNS:
            if column not in row and properties.get(column) is not None:
                row[column] = _number(properties[column], column, place)
        refuse_half(row, place)
        rows.append(row)
    return times, rows


def _time(value: object, place: str) -> int:
    if not isinstance(value, str):
        raise InputError("is no time", place=place, hint="as 2026-05-03T19:00:00Z")
    return parse_time(value, place=place)


def _position(value: object, place: str) -> Row:
    if not isinstance(value, list) or not 2 <= len(value) <= 3:
        raise InputError("is no position", place=place, hint="longitude, latitude, and a height")
    row = {
        "lon_deg": _number(value[0], "lon_deg", place),
        "lat_deg": _number(value[1], "lat_deg", place),
    }
    if len(value) == 3:
        row["altitude_m"] = _number(value[2], "altitude_m", place)
    return row
