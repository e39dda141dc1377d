"""Tracks in three forms: the same journey is the same track, and what is wrong is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spotbeam.errors import InputError
from spotbeam.formats.tracks import read_track

TIMES = ["2026-01-01T00:00:00Z", "2026-01-01T00:00:10Z", "2026-01-01T00:00:30Z"]
FIXES = [(46.4, 30.85, 0.0), (46.41, 30.86, 12.5), (46.42, 30.87, 20.0)]


def csv_text(rows: Any = None, header: str = "time,lat_deg,lon_deg,altitude_m") -> str:
    given = rows or [f"{t},{a},{b},{h}" for t, (a, b, h) in zip(TIMES, FIXES, strict=True)]
    return "\n".join([header, *given]) + "\n"


def gpx_text(points: str | None = None) -> str:
    made = "".join(
        f'<trkpt lat="{a}" lon="{b}"><ele>{h}</ele><time>{t}</time></trkpt>'
        for t, (a, b, h) in zip(TIMES, FIXES, strict=True)
    )
    return (
        '<gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>'
        f"{made if points is None else points}</trkseg></trk></gpx>"
    )


def line(**properties: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": {"type": "LineString", "coordinates": [[b, a, h] for a, b, h in FIXES]},
        "properties": properties or {"coordTimes": TIMES},
    }


def dots(**more: Any) -> dict[str, Any]:
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "geometry": {"type": "Point", "coordinates": [b, a, h]},
                "properties": {"time": t, **more},
            }
            for t, (a, b, h) in zip(TIMES, FIXES, strict=True)
        ],
    }


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_the_same_journey_in_every_form_is_the_same_track(tmp_path: Path) -> None:
    texts = {
        "a.csv": csv_text(),
        "b.gpx": gpx_text(),
        "c.geojson": json.dumps(line()),
        "d.json": json.dumps(line(times=TIMES)),
        "e.geojson": json.dumps(line(coordinateProperties={"times": TIMES})),
        "f.geojson": json.dumps(dots()),
        "g.geojson": json.dumps({"type": "FeatureCollection", "features": [line()]}),
    }
    tracks = [read_track(written(tmp_path, name, text)) for name, text in texts.items()]
    for track in tracks:
        assert track.time_us.tolist() == tracks[0].time_us.tolist()
        for column in ("lat_deg", "lon_deg", "altitude_m"):
            assert np.array_equal(getattr(track, column), getattr(tracks[0], column))
        assert np.isnan(track.speed_kmh).all()
    assert tracks[0].lat_deg.tolist() == [46.4, 46.41, 46.42]


WRONG: dict[str, tuple[str, str, str]] = {
    "no such column": ("a.csv", csv_text(header="time,lat,lon_deg,altitude_m"), "no column"),
    "a column nobody knows": (
        "a.csv",
        csv_text(header="time,lat_deg,lon_deg,altitud_m"),
        "did you mean 'altitude_m'",
    ),
    "a latitude off the globe": (
        "a.csv",
        csv_text(["2026-01-01T00:00:00Z,91,0,0", "2026-01-01T00:00:10Z,1,0,0"]),
        "a.csv, line 2, lat_deg",
    ),
    "a number that is none": (
        "a.csv",
        csv_text(["2026-01-01T00:00:00Z,1,0,high", "2026-01-01T00:00:10Z,1,0,0"]),
        "line 2, altitude_m",
    ),
    "a time that is none": (
        "a.csv",
        csv_text(["yesterday,1,0,0", "2026-01-01T00:00:10Z,1,0,0"]),
        "line 2, time",
    ),
    "times out of order": (
        "a.csv",
        csv_text(["2026-01-01T00:00:10Z,1,0,0", "2026-01-01T00:00:10Z,1,0,0"]),
        "fix 2 (2026-01-01T00:00:10Z) is not later",
    ),
    "one fix": ("a.csv", csv_text(["2026-01-01T00:00:00Z,1,0,0"]), "has 1 fix\n"),
    "a cell too many": (
        "a.csv",
        csv_text(["2026-01-01T00:00:00Z,1,0,0,9", "2026-01-01T00:00:10Z,1,0,0"]),
        "another number of cells",
    ),
    "a column of half an estimate": (
        "a.csv",
        csv_text(header="time,lat_deg,lon_deg,network_lat_deg"),
        "a.csv, line 1, network_lon_deg: is missing beside network_lat_deg\n  give both or neither",
    ),
    "half an estimate": (
        "a.csv",
        csv_text(
            ["2026-01-01T00:00:00Z,1,0,1,0", "2026-01-01T00:00:10Z,1,0,,0"],
            header="time,lat_deg,lon_deg,network_lat_deg,network_lon_deg",
        ),
        "a.csv, line 3, network_lat_deg: is missing beside network_lon_deg",
    ),
    "half an estimate of a point": (
        "c.geojson",
        json.dumps(dots(network_lat_deg=46.4)),
        "features[0], network_lon_deg: is missing beside network_lat_deg",
    ),
    "no latitude": (
        "a.csv",
        csv_text(["2026-01-01T00:00:00Z,,0,0", "2026-01-01T00:00:10Z,1,0,0"]),
        "line 2, lat_deg: is empty",
    ),
    "a fix without its time": (
        "b.gpx",
        gpx_text('<trkpt lat="1" lon="2"></trkpt>'),
        "trkpt 1: has no <time>",
    ),
    "no track": ("b.gpx", "<gpx></gpx>", "holds 0 tracks"),
    "no GPX": ("b.gpx", "<kml></kml>", "is no GPX file"),
    "a point without lat": (
        "l.gpx",
        "<gpx><trk><trkseg><trkpt lon='3'><time>2026-01-01T00:00:00Z</time></trkpt></trkseg>"
        "</trk></gpx>",
        "l.gpx, trkpt 1: has no lat",
    ),
    "no XML": ("b.gpx", "<gpx", "not valid XML"),
    "a bomb": (
        "b.gpx",
        '<!DOCTYPE x [<!ENTITY a "a"><!ENTITY b "&a;&a;">]><gpx>&b;</gpx>',
        "has a DOCTYPE or entities",
    ),
    "a line without times": ("c.geojson", json.dumps(line(name="x")), "the line has no times"),
    "a time too few": ("c.geojson", json.dumps(line(coordTimes=TIMES[:2])), "2 times for 3"),
    "a polygon": (
        "c.geojson",
        json.dumps({"type": "Feature", "geometry": {"type": "Polygon", "coordinates": []}}),
        "holds 0 lines and 0 points",
    ),
    "a bare geometry": ("c.geojson", '{"type": "LineString", "coordinates": []}', "is neither"),
    "a line and a point": (
        "c.geojson",
        json.dumps({**dots(), "features": [line(), dots()["features"][0]]}),
        "holds 1 line and 1 point\n",
    ),
    "no JSON": ("c.geojson", "{", "c.geojson"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_named(name: str, tmp_path: Path) -> None:
    file, text, message = WRONG[name]
    with pytest.raises(InputError) as fault:
        read_track(written(tmp_path, file, text))
    assert message in str(fault.value)
    assert file in str(fault.value)
