"""The table of a trip: a row a step, as Parquet."""

from __future__ import annotations

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from spotbeam.twin.nets import Net
from spotbeam.twin.trips.trip import Trip


def steps_table(net: Net, trip: Trip) -> pa.Table:
    """Every step: where, how fast, by which satellite, how far from the internet, and why."""
    moving, sky = trip.moving, trip.sky
    n = len(moving.time_us)
    states = np.empty(n, dtype=object)
    reasons, rules = np.empty(n, dtype=object), np.empty(n, dtype=object)
    for leg in trip.legs:
        part = slice(leg.first, leg.stop)
        states[part], reasons[part], rules[part] = leg.state, leg.reason, leg.rule
    is_lost = np.isnan(moving.lat_deg)
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
            "altitude_m": pa.array(moving.altitude_m, mask=is_lost),
            "speed_kmh": pa.array(moving.speed_kmh, from_pandas=True),
            "assurance": pa.array(trip.level, pa.int8()),
            "state": _words(states.tolist()),
            "reason": _words(reasons.tolist()),
            "rule": _words(rules.tolist()),
            "satellites_in_view": pa.array(sky.in_view, pa.int16(), mask=is_lost),
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
