"""Have Hypatia's own generator say what the compatibility scenario must say, and keep it.

    python -m venv /tmp/hypatia && /tmp/hypatia/bin/pip install satgenpy==0.4.0 exputil==1.9.2
    /tmp/hypatia/bin/python scripts/build_hypatia_fixture.py

Runs satgenpy, unpatched, on shell 1 with 100 stations for 10 steps of a second (it fails on fewer)
in a temporary folder, reads the forwarding state of the first three, prices the paths of all pairs
with its own distances, and writes `tests/data/hypatia/shell-1.npz.xz`:

    rtt_100ns        (3, 4950) int32, round-trip time of pairs i < j in row order, in 100 ns
    hop              (3, 100, 1684) int16, next node minus node towards each station; 32767 for none
    in_range         (n, 3) int16, step, station, satellite of every ground link

The stations are Hypatia's own (`stations.csv` beside it): the 100 largest cities by the population
estimated for 2025, paper/satellite_networks_state/input_data of github.com/snkas/hypatia, commit
0ac531c313eba2335f6344b46347140c3a0d4230, MIT licence, Copyright (c) 2020 ETH Zurich. The constants
of the shell are those of main_starlink_550.py there.
"""

from __future__ import annotations

import csv
import functools
import io
import lzma
import math
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import satgen
from astropy import units
from satgen.distance_tools import (
    distance_m_between_satellites,
    distance_m_ground_station_to_satellite,
)

DATA = Path(__file__).resolve().parents[1] / "tests" / "data" / "hypatia"
PLANES, SLOTS, STEPS_RUN, STEPS_KEPT = 72, 22, 10, 3
EARTH_RADIUS_M, ALTITUDE_M, CONE_RADIUS_M = 6378135.0, 550000.0, 940700.0
MAX_GSL_M = math.sqrt(CONE_RADIUS_M**2 + ALTITUDE_M**2)
MAX_ISL_M = 2 * math.sqrt((EARTH_RADIUS_M + ALTITUDE_M) ** 2 - (EARTH_RADIUS_M + 80000) ** 2)
SPEED_OF_LIGHT_M_S = 299792458.0
NONE = 32767


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        print(f"satgenpy: {generate(folder):.2f} CPU seconds a step", file=sys.stderr)
        kept = _read(f"{folder}/net", PLANES * SLOTS, len(_stations()))
    packed = io.BytesIO()
    np.savez(packed, **kept)
    (DATA / "shell-1.npz.xz").write_bytes(lzma.compress(packed.getvalue(), preset=9))


def generate(folder: str) -> float:
    """Run the generator in a folder; CPU seconds that it took a step."""
    net = f"{folder}/net"
    os.mkdir(net)
    rows = _stations()
    basic = [f"{i},{r['name']},{r['lat_deg']},{r['lon_deg']},0\n" for i, r in enumerate(rows)]
    Path(net, "basic.txt").write_text("".join(basic))
    satgen.extend_ground_stations(f"{net}/basic.txt", f"{net}/ground_stations.txt")
    satgen.generate_tles_from_scratch_manual(
        f"{net}/tles.txt", "Starlink-550", PLANES, SLOTS, True, 53, 0.0000001, 0.0, 15.19
    )
    satgen.generate_plus_grid_isls(f"{net}/isls.txt", PLANES, SLOTS, isl_shift=0)
    satgen.generate_description(f"{net}/description.txt", MAX_GSL_M, MAX_ISL_M)
    satgen.generate_simple_gsl_interfaces_info(
        f"{net}/gsl_interfaces_info.txt", PLANES * SLOTS, len(rows), 1, 1, 1, 1
    )
    began = time.process_time()
    satgen.help_dynamic_state(
        folder, 1, "net", 1000, STEPS_RUN, MAX_GSL_M, MAX_ISL_M,
        "algorithm_free_one_only_over_isls", False,
    )  # fmt: skip
    return (time.process_time() - began) / STEPS_RUN


def _stations() -> list[dict[str, str]]:
    with (DATA / "stations.csv").open() as file:
        return list(csv.DictReader(file))


def _read(net: str, n_sat: int, n_stations: int) -> dict[str, np.ndarray]:
    stations = satgen.read_ground_stations_extended(f"{net}/ground_stations.txt")
    tles = satgen.read_tles(f"{net}/tles.txt")
    satellites, epoch = tles["satellites"], tles["epoch"]
    next_hop = np.full((n_sat + n_stations, n_stations), -1, dtype=np.int64)
    hops, ranges, rtts = [], [], []
    for step in range(STEPS_KEPT):
        state = f"{net}/dynamic_state_1000ms_for_{STEPS_RUN}s/fstate_{step * 10**9}.txt"
        for line in Path(state).read_text().splitlines():
            node, station, towards = map(int, line.split(",")[:3])
            next_hop[node, station - n_sat] = towards
        nodes = np.arange(n_sat + n_stations)[:, None]
        hops.append(np.where(next_hop < 0, NONE, next_hop - nodes).T.astype(np.int16))
        at = epoch + step * 10**9 * units.ns
        length_m = _lengths(satellites, stations, str(epoch), str(at))
        ranges += [
            (step, station, satellite)
            for station in range(n_stations)
            for satellite in range(n_sat)
            if length_m(satellite, n_sat + station) <= MAX_GSL_M
        ]
        row = []
        for i in range(n_stations):
            for j in range(i + 1, n_stations):
                there = _walk(next_hop, n_sat + i, n_sat + j, n_sat, length_m)
                back = _walk(next_hop, n_sat + j, n_sat + i, n_sat, length_m)
                row.append(round((there + back) / SPEED_OF_LIGHT_M_S * 1e7))
        rtts.append(row)
    return {
        "rtt_100ns": np.array(rtts, dtype=np.int32),
        "hop": np.array(hops, dtype=np.int16),
        "in_range": np.array(ranges, dtype=np.int16),
    }


def _lengths(
    satellites: list[Any], stations: list[Any], epoch: str, at: str
) -> Callable[[int, int], float]:
    """Lengths of links at a moment by satgenpy, metres, each computed once."""

    @functools.cache
    def ordered_m(a: int, b: int) -> float:
        if b < len(satellites):
            return distance_m_between_satellites(satellites[a], satellites[b], epoch, at)
        station = stations[b - len(satellites)]
        return distance_m_ground_station_to_satellite(station, satellites[a], epoch, at)

    return lambda a, b: ordered_m(min(a, b), max(a, b))


def _walk(
    next_hop: np.ndarray, node: int, end: int, n_sat: int, length_m: Callable[[int, int], float]
) -> float:
    total_m = 0.0
    while node != end:
        towards = int(next_hop[node, end - n_sat])
        total_m += length_m(node, towards)
        node = towards
    return total_m


if __name__ == "__main__":
    main()
