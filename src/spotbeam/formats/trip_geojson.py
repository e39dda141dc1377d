"""The pieces of a trip by state, as GeoJSON: RFC 7946, cut at the antimeridian (section 3.1.9)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from spotbeam.times import MICROSECONDS, format_time
from spotbeam.twin.trips.track import located
from spotbeam.twin.trips.trip import Leg, Trip, reason_words

_EVERY_US = 60 * MICROSECONDS


class _At(NamedTuple):
    """A position and its time."""

    lon_deg: float
    lat_deg: float
    time_us: int


def pieces_geojson(trip: Trip) -> bytes:
    """The track cut where its state changes, each piece with its times and its reason.

    A piece has every fix in it, and a position a minute between fixes that are further apart. One
    whose whereabouts nobody knows has no geometry.
    """
    times_us = [_times(trip, leg) for leg in trip.legs]
    moving = located(trip.track, np.concatenate(times_us), trip.longest_gap_us)
    ends = np.cumsum([len(each) for each in times_us])
    hop = np.minimum(moving.fix, len(trip.track) - 2)
    # Each fix is a vertex, so from one vertex to the next is within one hop between fixes.
    is_known = np.diff(trip.track.time_us)[hop] <= trip.longest_gap_us
    features: list[dict[str, Any]] = []
    for leg, end, each in zip(trip.legs, ends, times_us, strict=True):
        part = slice(end - len(each), end)
        places = [
            _At(round(float(lon), 6), round(float(lat), 6), int(time_us))
            for lon, lat, time_us in zip(
                moving.lon_deg[part], moving.lat_deg[part], moving.time_us[part], strict=True
            )
        ]
        lines = [
            piece for run in _runs(places, is_known[part]) for piece in _cut_at_antimeridian(run)
        ]
        if np.isnan(trip.moving.lat_deg[leg.first : leg.stop]).all():
            lines = []
        elif not lines and not np.isnan(moving.lat_deg[part][0]):
            lines = [places[:1]]
        features.append(_feature(trip, leg, lines))
    document = {"type": "FeatureCollection", "features": features}
    return json.dumps(document, ensure_ascii=False).encode() + b"\n"


def _times(trip: Trip, leg: Leg) -> npt.NDArray[np.int64]:
    """When a piece has a vertex: at its ends, at its fixes, and each minute."""
    from_us, to_us = trip.span_us(leg)
    fixes = trip.track.time_us
    first, stop = np.searchsorted(fixes, [from_us, to_us])
    minutes = np.arange(from_us, to_us, _EVERY_US, dtype=np.int64)
    return np.unique(np.concatenate([minutes, fixes[first:stop], [from_us, to_us]]))


def _runs(places: list[_At], is_known: npt.NDArray[np.bool_]) -> Iterator[list[_At]]:
    """Lines through places: `is_known` says of each whether the way on from it is known."""
    run: list[_At] = []
    for number, known in enumerate(is_known[:-1]):
        if known:
            run = run or [places[number]]
            run.append(places[number + 1])
        elif run:
            yield run
            run = []
    if run:
        yield run


def _cut_at_antimeridian(run: list[_At]) -> Iterator[list[_At]]:
    """Lines of one run, each of which ends at 180 degrees where the next goes on."""
    line = run[:1]
    if abs(line[0].lon_deg) == 180.0:
        # It begins on the line itself, which lies on the side that it goes on to.
        side = next((each.lon_deg for each in run if abs(each.lon_deg) < 180.0), 180.0)
        line = [_on_side(line[0], side)]
    for each in run[1:]:
        last = line[-1]
        at = _on_side(each, last.lon_deg) if abs(each.lon_deg) == 180.0 else each
        if abs(at.lon_deg - last.lon_deg) > 180.0:
            edge = _crossing(last, at)
            if edge != last:
                line.append(edge)
            if len(line) > 1:
                yield line
            line = [edge._replace(lon_deg=-edge.lon_deg)]
        line.append(at)
    if len(line) > 1:
        yield line


def _on_side(at: _At, lon_deg: float) -> _At:
    """A place on the antimeridian, written on the side of a longitude."""
    return at._replace(lon_deg=float(np.copysign(180.0, lon_deg)))


def _crossing(before: _At, after: _At) -> _At:
    """Where the antimeridian lies between two places on either side of it, on the side of one."""
    edge = float(np.copysign(180.0, before.lon_deg))
    along = (edge - before.lon_deg) / (after.lon_deg + 2 * edge - before.lon_deg)
    lat_deg = before.lat_deg + along * (after.lat_deg - before.lat_deg)
    time_us = before.time_us + round(along * (after.time_us - before.time_us))
    return _At(edge, round(lat_deg, 6), time_us)


def _feature(trip: Trip, leg: Leg, lines: list[list[_At]]) -> dict[str, Any]:
    from_us, to_us = trip.span_us(leg)
    shapes = [[[at.lon_deg, at.lat_deg] for at in line] for line in lines]
    times = [[format_time(at.time_us) for at in line] for line in lines]
    geometry: dict[str, Any] | None = None
    if len(lines) > 1:
        geometry = {"type": "MultiLineString", "coordinates": shapes}
    elif lines and len(lines[0]) > 1:
        geometry = {"type": "LineString", "coordinates": shapes[0]}
    elif lines:
        geometry = {"type": "Point", "coordinates": shapes[0][0]}
    return {
        "type": "Feature",
        "geometry": geometry,
        "properties": {
            "from": format_time(from_us),
            "to": format_time(to_us),
            "coordTimes": times if len(times) > 1 else [each for line in times for each in line],
            "state": leg.state,
            "reason": leg.reason,
            "rule": leg.rule,
            "says": reason_words(leg),
        },
    }
