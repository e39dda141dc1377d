"""Ways to the internet: the best gateway, landing rules, periods, and why there is no way."""

from __future__ import annotations

import numpy as np
import pytest
from support.networks import by_scipy
from support.skies import net_with, world_with

from spotbeam.errors import UnknownName
from spotbeam.kernels.frames import look_angles
from spotbeam.land.gateways import GroundSite, great_circle_km, shipped_sites
from spotbeam.network.mesh import ground_links
from spotbeam.network.settings import Latency
from spotbeam.twin.nets import Net, net_of, periods
from spotbeam.twin.routes import (
    Route,
    binding_landing,
    route_to_internet,
    summary_of,
    terminals,
)

START_US = 1_767_225_600_000_000
KYIV = GroundSite(name="Kyiv", lat_deg=50.45, lon_deg=30.5)
EASTER = GroundSite(name="Rapa Nui", lat_deg=-27.12, lon_deg=-109.35)
MIDDLE = GroundSite(name="South Pacific", lat_deg=-40.0, lon_deg=-125.0)
MCMURDO = GroundSite(name="McMurdo", lat_deg=-77.85, lon_deg=166.67)


def times(n: int, step_s: float = 15.0) -> np.ndarray:
    return START_US + np.arange(n, dtype=np.int64) * round(step_s * 1e6)


@pytest.fixture(scope="module")
def net() -> Net:
    return net_with()


def test_the_way_is_the_least_over_all_gateways_and_points_of_presence(net: Net) -> None:
    segment, latency = net.segment, net.settings.latency
    for place in (KYIV, EASTER):
        for step, (period, _, _) in zip(
            route_to_internet(net, place, times(6)), periods(net, times(6)), strict=True
        ):
            origin = ground_links(net.mesh.reach(terminals(net, (place,)), *period[:2]))
            gates = ground_links(net.mesh.reach(segment.gateways, *period[:2]))
            to_gateway_ms = by_scipy(period.links, origin, gates)[0] / 1e6
            least_ms = (to_gateway_ms[:, None] + segment.fibre_ms).min()
            assert step.path is not None
            planned = step.path.one_way_ms - latency.uplink_wait_ms - latency.satellite_ms
            assert planned == pytest.approx(least_ms, abs=1e-4)


def test_light_and_fibre_and_waits_stand_apart(net: Net) -> None:
    bare = net_of(world_with(), latency=Latency.geometry_only(), engine="sgp4")
    for step in route_to_internet(bare, KYIV, times(3)):
        path = step.path
        assert path is not None
        assert path.gateway is not None
        assert path.pop is not None
        fibre_km = great_circle_km(
            bare.segment.gateways.lat_deg[path.gateway],
            bare.segment.gateways.lon_deg[path.gateway],
            bare.segment.pop_lat_deg[path.pop],
            bare.segment.pop_lon_deg[path.pop],
        )
        assert path.fibre_ms == pytest.approx(float(fibre_km) / 299.792458)
        assert path.round_trip_ms == pytest.approx(2 * (path.propagation_ms + path.fibre_ms))
    for step in route_to_internet(net, KYIV, times(3)):
        path, latency = step.path, net.settings.latency
        assert path is not None
        across = path.propagation_ms + path.fibre_ms + latency.satellite_ms * len(path.satellites)
        assert path.one_way_ms == pytest.approx(across + latency.uplink_wait_ms)
        waits = latency.uplink_wait_ms + latency.downlink_wait_ms
        assert path.round_trip_ms == pytest.approx(2 * across + waits)


def test_mid_ocean_is_slow_with_lasers_and_unserved_without(net: Net) -> None:
    bent = net_with('mode = "bent_pipe"')
    near = [step.path for step in route_to_internet(net, KYIV, times(20))]
    far = [step.path for step in route_to_internet(net, MIDDLE, times(20))]
    assert all(near)
    assert all(far)
    assert min(p.round_trip_ms for p in far) > 1.5 * max(p.round_trip_ms for p in near)
    assert {s.reason for s in route_to_internet(bent, MIDDLE, times(20))} == {"no_gateway_in_reach"}
    # A bent pipe has one satellite; with lasers a way may have more, and is never longer.
    for one, other in zip(route_to_internet(bent, KYIV, times(20)), near, strict=True):
        assert one.path is not None
        assert len(one.path.satellites) == 1
        assert other.round_trip_ms <= one.path.round_trip_ms + 1e-6


def test_every_missing_way_has_its_reason(net: Net) -> None:
    assert {s.reason for s in route_to_internet(net, MCMURDO, times(4))} == {"no_satellite"}
    without = net_with('gateways = "none"')
    assert {s.reason for s in route_to_internet(without, KYIV, times(4))} == {"no_gateway"}
    polar = net_with('mode = "bent_pipe"', shells="starlink-gen1/*")
    reasons = [step.reason for step in route_to_internet(polar, MCMURDO, times(20))]
    assert set(reasons) <= {"no_satellite", "no_gateway_in_reach"}
    assert "no_gateway_in_reach" in reasons


def test_landing_rules_bind_cost_and_may_leave_no_way() -> None:
    bound = net_with('landing = [{ of = ["UA"], at = ["DE"], grounds = ["order:example"] }]')
    rules = binding_landing(bound, ("UA", "UA-30"))
    assert rules == (0,)
    assert binding_landing(bound, ("PL",)) == ()
    steps = tuple(route_to_internet(bound, KYIV, times(20), rules))
    segment = bound.segment
    for step in steps:
        assert step.path is not None
        assert "DE" in segment.territories[step.path.gateway]
        assert step.path.round_trip_ms >= step.without_landing_ms
    cost = summary_of(bound, Route(origin=KYIV, end=None, steps=steps, landing=rules))["landing"]
    assert cost["extra_round_trip_ms"]["median"] > 1.0
    assert cost["steps_lost"] == 0

    nowhere = net_with('landing = [{ of = ["UA"], at = ["UA"] }]')
    steps = tuple(route_to_internet(nowhere, KYIV, times(4), (0,)))
    assert {step.reason for step in steps} == {"landing_rule"}
    assert all(step.without_landing_ms for step in steps)
    with pytest.raises(UnknownName, match="landing"):
        world_with('landing = [{ of = ["Ukraine"], at = ["PL"] }]')


def test_a_plan_holds_for_its_period_with_links_that_last(net: Net) -> None:
    seconds = times(60, 1.0)
    steps = list(route_to_internet(net, KYIV, seconds))
    sites = terminals(net, (KYIV,))
    lengths = set()
    for first in range(0, 60, 15):
        ways = {step.path.satellites for step in steps[first : first + 15] if step.path}
        assert len(ways) == 1
        for step in steps[first : first + 15]:
            assert step.path is not None
            position = net.mesh.positions_ecef_km(np.array([step.time_us]))[0]
            _, elevation_deg, _ = look_angles(
                sites.position_ecef_km[0], 50.45, 30.5, position[step.path.satellites[0]]
            )
            assert elevation_deg >= 25.0
            lengths.add(step.path.length_km)
    assert len(lengths) == 60


def test_shipped_sites_are_the_licensed_list_and_what_is_said_to_be_added() -> None:
    gateways = shipped_sites("gateway")
    assert sum(site.status == "operational" for site in gateways) == 214
    assert sum(site.name.endswith(" (inferred)") for site in gateways) == 16
    assert len(shipped_sites("gateway", planned=True)) == 307 + 16
    assert len(shipped_sites("pop", planned=True)) == 50 + 8
    assert len(shipped_sites("pop")) == 35 + 10 + 8
