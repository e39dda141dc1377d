"""The compatibility scenario says what Hypatia's own generator says, station by station.

The fixture was produced by satgenpy itself; `scripts/build_hypatia_fixture.py` is the recipe.
"""

from __future__ import annotations

import io
import lzma
from pathlib import Path

import numpy as np
import pytest

from spotbeam.assembly.build import build
from spotbeam.assembly.route import all_pairs
from spotbeam.assembly.scenarios import load_scenario
from spotbeam.formats.site_csv import read_sites
from spotbeam.kernels.paths import DOWN, Hops
from spotbeam.network.routing import forwarding
from spotbeam.twin.nets import Net, net_of, periods
from spotbeam.twin.routes import terminals

DATA = Path(__file__).resolve().parents[1] / "data" / "hypatia"
STATIONS = DATA / "stations.csv"
TIE_MS = 0.002
N_SAT, N_STATION, NONE = 1584, 100, 32767


@pytest.fixture(scope="module")
def theirs() -> dict[str, np.ndarray]:
    packed = lzma.decompress((DATA / "shell-1.npz.xz").read_bytes())
    with np.load(io.BytesIO(packed)) as file:
        return dict(file)


@pytest.fixture(scope="module")
def net() -> Net:
    scenario, folder = load_scenario("hypatia-s1")
    return net_of(build(scenario, folder, with_terminals=False))


@pytest.fixture(scope="module")
def steps(net: Net) -> list[tuple[Hops, set[tuple[int, int]]]]:
    """Next hops, and which satellites each station sees, at t = 0, 1, 2 s."""
    sites = terminals(net, read_sites(STATIONS))
    start_us = 946_684_800_000_000
    found = []
    for period, _, _ in periods(net, start_us + np.arange(3, dtype=np.int64) * 1_000_000):
        reach = net.mesh.reach(sites, period.now, period.until)
        station = np.repeat(np.arange(N_STATION), np.diff(reach.offset))
        seen = set(zip(station.tolist(), reach.satellite.tolist(), strict=True))
        found.append((forwarding(net.mesh, period, sites), seen))
    return found


def test_round_trips_of_all_pairs_agree(theirs: dict[str, np.ndarray]) -> None:
    i, j = np.triu_indices(N_STATION, 1)
    _, found = all_pairs("hypatia-s1", STATIONS, times_s=[0.0, 1.0, 2.0])
    ours = [pairs.round_trip_ms[i, j] for _, pairs in found]
    assert len(ours) == 3
    assert np.abs(np.array(ours) - theirs["rtt_100ns"] / 1e4).max() < TIE_MS


def test_stations_see_the_same_satellites(steps, theirs) -> None:
    for step, (_, seen) in enumerate(steps):
        listed = theirs["in_range"][theirs["in_range"][:, 0] == step]
        assert seen == {(int(a), int(b)) for _, a, b in listed}


def test_next_hops_are_equal_but_for_ties(net: Net, steps, theirs) -> None:
    """All 168,300 of a step: 158,400 of satellites, 9,900 of stations."""
    for step, (hops, _) in enumerate(steps):
        told = theirs["hop"][step].astype(np.int64)
        told = np.where(told == NONE, -1, told + np.arange(N_SAT + N_STATION))
        down = N_SAT + np.arange(N_STATION)[:, None]
        ours = np.where(hops.satellite == DOWN, down, hops.satellite)
        other = np.argwhere(ours != told[:, :N_SAT])
        station = told[:, N_SAT:] != hops.station.T
        np.fill_diagonal(station, False)
        assert not station.any()
        assert len(other) <= 10
        for end, satellite in other:  # their choice must be a shortest way as well
            lost_ms = _detour_ms(
                net, step, hops, int(end), int(satellite), int(told[end, satellite])
            )
            assert 2 * lost_ms < TIE_MS


def _detour_ms(net: Net, step: int, hops: Hops, end: int, satellite: int, by: int) -> float:
    """How much longer the way from a satellite to a station is by way of another neighbour."""
    sites = terminals(net, read_sites(STATIONS))
    time_us = np.array([946_684_800_000_000 + step * 1_000_000], dtype=np.int64)
    position = net.mesh.positions_ecef_km(time_us)[0]

    def rest_km(at: int) -> float:
        total = 0.0
        while hops.satellite[end, at] != DOWN:
            towards = hops.satellite[end, at]
            total += float(np.linalg.norm(position[at] - position[towards]))
            at = int(towards)
        return total + float(np.linalg.norm(position[at] - sites.position_ecef_km[end]))

    link_km = float(np.linalg.norm(position[satellite] - position[by]))
    return (link_km + rest_km(by) - rest_km(satellite)) / 299.792458
