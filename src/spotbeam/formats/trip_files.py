"""The files of a trip: a row a step as Parquet, its pieces by state as GeoJSON."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from spotbeam.times import format_time
from spotbeam.twin.nets import Net
from spotbeam.twin.trips.trip import Trip, reason_words


def steps_table(net: Net, trip: Trip) -> pa.Table:
    """Every step: where, how fast, by which satellite, how far from the internet, and why."""
    moving, sky = trip.moving, trip.sky
    n = len(moving.time_us)
    states = np.empty(n, dtype=object)
    reasons, rules = np.empty(n, dtype=object), np.empty(n, dtype=object)
    for leg in trip.legs:
        part = slice(leg.first, leg.stop)
        states[part], reasons[part], rules[part] = leg.state, leg.reason, leg.rule
    has_satellite = sky.satellite >= 0
    numbers = np.where(
        has_satellite, net.elements.catalogue_number[np.maximum(sky.satellite, 0)], 0
    )
    pops = [net.segment.pop[row] if row >= 0 else None for row in sky.pop]
    gateways = [net.segment.gateways.name[row] if row >= 0 else None for row in sky.gateway]
    return pa.table(
        {
            "time": pa.array(moving.time_us, pa.timestamp("us", tz="UTC")),
            "lat_deg": pa.array(moving.lat_deg, from_pandas=True),
            "lon_deg": pa.array(moving.lon_deg, from_pandas=True),
            "altitude_m": moving.altitude_m,
            "speed_kmh": pa.array(moving.speed_kmh, from_pandas=True),
            "assurance": pa.array(trip.level, pa.int8()),
            "state": _words(states.tolist()),
            "reason": _words(reasons.tolist()),
            "rule": _words(rules.tolist()),
            "satellites_in_view": pa.array(sky.in_view, pa.int16()),
            "satellite": pa.array(numbers, mask=~has_satellite),
            "elevation_deg": pa.array(sky.elevation_deg, from_pandas=True),
            "round_trip_ms": pa.array(sky.round_trip_ms, from_pandas=True),
            "gateway": _words(gateways),
            "pop": _words(pops),
            "no_route": _words([each or None for each in sky.reason]),
        }
    )


def _words(values: list[str | None]) -> pa.Array:
    """Words, none of which may stand in the dictionary for null."""
    return pa.array(values, pa.string()).dictionary_encode("mask")


def parquet_bytes(table: pa.Table) -> bytes:
    """A table as a Parquet file."""
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()


def pieces_geojson(trip: Trip) -> bytes:
    """The track cut where its state changes, each piece with its times and its reason."""
    moving = trip.moving
    features: list[dict[str, Any]] = []
    for leg in trip.legs:
        steps = np.arange(leg.first, min(leg.stop + 1, len(moving.time_us)))
        steps = steps[~np.isnan(moving.lat_deg[steps])]
        # A line needs two positions; a minute between them is as fine as the eye asks.
        kept = np.unique(np.concatenate([steps[:1], steps[::60], steps[-1:]]))
        if len(kept) < 2:
            continue
        coordinates = [
            [round(float(moving.lon_deg[step]), 6), round(float(moving.lat_deg[step]), 6)]
            for step in kept
        ]
        features.append(
            {
                "type": "Feature",
                "geometry": {"type": "LineString", "coordinates": coordinates},
                "properties": {
                    "coordTimes": [format_time(int(moving.time_us[step])) for step in kept],
                    "state": leg.state,
                    "reason": leg.reason,
                    "rule": leg.rule,
                    "says": reason_words(leg),
                },
            }
        )
    document = {"type": "FeatureCollection", "features": features}
    return json.dumps(document, ensure_ascii=False).encode() + b"\n"
