"""Mistakes that other simulators made, each shown here beside what it would have said."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from support.skies import net_with

from spotbeam.kernels.frames import look_angles
from spotbeam.land.cells import cells_of_world
from spotbeam.land.gateways import GroundSite
from spotbeam.network.mesh import ground_links
from spotbeam.network.routing import forwarding
from spotbeam.twin.nets import Net, periods
from spotbeam.twin.routes import pairs_at, route_between, terminals

START_US = 1_767_225_600_000_000
TOKYO = GroundSite(name="Tokyo", lat_deg=35.69, lon_deg=139.69)
SINGAPORE = GroundSite(name="Singapore", lat_deg=1.29, lon_deg=103.85)
LONDON = GroundSite(name="London", lat_deg=51.51, lon_deg=-0.13)
NEW_YORK = GroundSite(name="New York", lat_deg=40.71, lon_deg=-74.01)
CITIES = (TOKYO, SINGAPORE, LONDON, NEW_YORK)


@pytest.fixture(scope="module")
def net() -> Net:
    return net_with()


def times(n: int, step_s: float = 15.0) -> np.ndarray:
    return START_US + np.arange(n, dtype=np.int64) * round(step_s * 1e6)


def elevations(net: Net, position: np.ndarray) -> np.ndarray:
    sites = terminals(net, CITIES)
    _, elevation_deg, _ = look_angles(
        sites.position_ecef_km[:, None], sites.lat_deg[:, None], sites.lon_deg[:, None], position
    )
    return elevation_deg


def test_no_link_is_below_the_mask_as_a_range_bound_of_a_flat_earth_lets_in(net: Net) -> None:
    flat_range_km = float(np.hypot(940.7, 550.0)) * 1.03  # what 25 degrees is at 550 km, and a bit
    let_in = 0
    for period, _, (position,) in periods(net, times(20)):
        elevation_deg = elevations(net, position)
        reach = net.mesh.reach(terminals(net, CITIES), period.now, period.now)
        station = np.repeat(np.arange(4), np.diff(reach.offset))
        used = np.zeros(elevation_deg.shape, dtype=bool)
        used[station, reach.satellite] = True
        assert np.array_equal(used, elevation_deg >= 25.0)
        range_km = np.linalg.norm(
            position - terminals(net, CITIES).position_ecef_km[:, None], axis=2
        )
        let_in += int(((range_km <= flat_range_km * 1.03) & (elevation_deg < 25.0)).sum())
    assert let_in > 0  # the control: a range does admit satellites below the mask


def test_the_shell_flies_at_its_label_and_the_compatible_one_does_not(net: Net) -> None:
    seconds = times(96, 60.0)
    radius_km = np.linalg.norm(net.mesh.positions_ecef_km(seconds), axis=2)
    assert abs(radius_km.mean() - 6378.137 - 550.0) < 0.5


def test_the_way_is_shorter_than_from_each_ones_nearest_satellite(net: Net) -> None:
    """Attaching everybody to the nearest satellite joins climbing planes to sinking ones."""
    ours, nearest = [], []
    for period, _, _ in periods(net, times(40)):
        sites = terminals(net, (TOKYO, SINGAPORE))
        reach = net.mesh.reach(sites, period.now, period.until)
        hops = forwarding(net.mesh, period, sites)
        ours.append(hops.delay_ns[0, 1] / 1e6)
        first, last = (
            int(reach.satellite[a:b][reach.range_km[a:b].argmin()])
            for a, b in zip(reach.offset, reach.offset[1:], strict=False)
        )
        links = ground_links(reach)
        up = links.delay_ns[: links.offset[1]][links.satellite[: links.offset[1]] == first][0]
        nearest.append((up + _satellite_to(hops, period, first, last, links)) / 1e6)
        assert ours[-1] <= nearest[-1] + 1e-9
    assert max(ours) < 1.3 * min(ours)
    assert max(nearest) > 1.5 * max(ours)  # the control: it does take the long way round


def _satellite_to(hops, period, first: int, last: int, links) -> int:
    """Delay from one satellite to station 1 by way of another, settled by the slow form."""
    from spotbeam.kernels.paths import UNREACHABLE_NS, settle_exact

    start = np.full((len(period.links.neighbour), 1), UNREACHABLE_NS, dtype=np.int32)
    begin, end = links.offset[1], links.offset[2]
    start[last] = links.delay_ns[begin:end][links.satellite[begin:end] == last][0]
    found = settle_exact(period.links.neighbour, period.links.delay_ns, start)
    return int(found[first, 0])


def test_a_round_trip_has_its_links_up_and_down(net: Net) -> None:
    for step in route_between(net, LONDON, NEW_YORK, times(10)):
        assert step.path is not None
        position = net.mesh.positions_ecef_km(np.array([step.time_us]))[0]
        sites = terminals(net, (LONDON, NEW_YORK))
        points = [
            sites.position_ecef_km[0],
            *position[list(step.path.satellites)],
            sites.position_ecef_km[1],
        ]
        legs = [float(np.linalg.norm(b - a)) for a, b in itertools.pairwise(points)]
        assert min(legs[0], legs[-1]) > 540.0
        assert step.path.length_km == pytest.approx(sum(legs))
        assert step.path.propagation_ms == pytest.approx(sum(legs) / 299.792458)
        latency = net.settings.latency
        extra = latency.satellite_ms * len(step.path.satellites)
        waits = latency.uplink_wait_ms + latency.downlink_wait_ms
        assert step.path.one_way_ms == pytest.approx(step.path.propagation_ms + extra + waits)
        assert step.path.round_trip_ms == pytest.approx(2 * step.path.one_way_ms)


def test_a_station_on_the_way_changes_nothing(net: Net) -> None:
    """Stations never relay: more of them leave every other pair as it was."""
    few = [pairs.round_trip_ms for pairs in pairs_at(net, (LONDON, TOKYO), times(4))]
    relays = tuple(
        GroundSite(name=f"relay {i}", lat_deg=50.0, lon_deg=lon)
        for i, lon in enumerate(range(0, 140, 10))
    )
    many = [pairs.round_trip_ms for pairs in pairs_at(net, (LONDON, TOKYO, *relays), times(4))]
    assert [table[0, 1] for table in few] == [table[0, 1] for table in many]
    bent = net_with('mode = "bent_pipe"')
    for _, table, _ in pairs_at(bent, (LONDON, TOKYO, *relays), times(4)):
        assert np.isnan(table[0, 1])  # though relays every ten degrees would reach


def test_area_is_counted_on_the_globe_and_not_in_tiles_of_equal_angle(net: Net) -> None:
    from spotbeam.kernels.visibility import prepare, satellites_in_view

    grid = cells_of_world(3)
    position = net.mesh.positions_ecef_km(times(1))
    seen = satellites_in_view(prepare(grid.lat_deg, grid.lon_deg), position, 25.0).n_in_view[0] > 0
    share = float(grid.area_km2[seen].sum() / grid.area_km2.sum())
    edge_deg = float(np.abs(grid.lat_deg[seen]).max())
    assert share == pytest.approx(np.sin(np.radians(edge_deg)), abs=0.01)
    tiles = edge_deg / 90.0
    assert share - tiles > 0.15  # the control


def test_positions_are_asked_for_once_and_not_by_station(net: Net) -> None:
    class Counting:
        calls = 0

        def __init__(self, inner) -> None:
            self.inner = inner

        def positions_ecef_km(self, times_us):
            Counting.calls += 1
            return self.inner.positions_ecef_km(times_us)

    inner = net.mesh._propagator
    net.mesh._propagator = Counting(inner)
    try:
        places = tuple(
            GroundSite(name=str(i), lat_deg=float(i), lon_deg=0.0) for i in range(-40, 40)
        )
        assert len(list(pairs_at(net, places, times(32)))) == 32
    finally:
        net.mesh._propagator = inner
    assert Counting.calls == 1
