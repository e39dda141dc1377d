"""By land between two places: both ways to the internet, and the fibre between."""

from __future__ import annotations

import math

import numpy as np
import pytest
from support.skies import world_with

from spotbeam.land.gateways import GroundSite, shipped_sites
from spotbeam.twin.by_land import LandStep, summary_by_land, way_by_land
from spotbeam.twin.nets import net_of
from spotbeam.twin.routes import route_to_internet

START_US = 1_767_225_600_000_000
TIMES_US = START_US + np.arange(4, dtype=np.int64) * 15_000_000
KYIV = GroundSite(name="Kyiv", lat_deg=50.45, lon_deg=30.5)
TOKYO = GroundSite(name="Tokyo", lat_deg=35.68, lon_deg=139.69)
POLE = GroundSite(name="Pole", lat_deg=-89.9, lon_deg=0.0)


def steps(network: str, origin: GroundSite, end: GroundSite) -> list[LandStep]:
    world = world_with(network)
    return list(way_by_land(world, net_of(world, engine="sgp4"), origin, end, TIMES_US))


def fibre_ms(one: GroundSite, other: GroundSite) -> float:
    """Vincenty's formula on a sphere, 1.5 times the way at 1/1.468 of the speed of light."""
    a, b = math.radians(one.lat_deg), math.radians(other.lat_deg)
    turn = math.radians(other.lon_deg - one.lon_deg)
    across = math.hypot(
        math.cos(b) * math.sin(turn),
        math.cos(a) * math.sin(b) - math.sin(a) * math.cos(b) * math.cos(turn),
    )
    along = math.sin(a) * math.sin(b) + math.cos(a) * math.cos(b) * math.cos(turn)
    return 6371.0088 * math.atan2(across, along) * 1.5 * 1.468 / 299.792458


def test_both_round_trips_and_the_fibre_between_add_up() -> None:
    world = world_with("")
    net = net_of(world, engine="sgp4")
    pops = {site.name: site for site in shipped_sites("pop")}
    for step, one, other in zip(
        steps("", KYIV, TOKYO),
        route_to_internet(net, KYIV, TIMES_US),
        route_to_internet(net, TOKYO, TIMES_US),
        strict=True,
    ):
        assert step.pops is not None
        assert one.path is not None
        assert other.path is not None
        between_ms = fibre_ms(pops[step.pops[0]], pops[step.pops[1]])
        assert step.fibre_one_way_ms == pytest.approx(between_ms, abs=1e-6)
        assert step.round_trip_ms == pytest.approx(
            one.path.round_trip_ms + other.path.round_trip_ms + 2 * between_ms, abs=1e-6
        )


def test_landing_rules_bind_each_end() -> None:
    free = steps("", KYIV, TOKYO)
    bound = steps('landing = [{ of = ["UA"], at = ["PL"] }]', KYIV, TOKYO)
    lost = steps('landing = [{ of = ["JP"], at = ["UA"] }]', KYIV, TOKYO)
    for one, other, none in zip(free, bound, lost, strict=True):
        assert one.round_trip_ms is not None
        assert other.pops == ("Warsaw, Poland", "Tokyo, Japan")
        assert none == LandStep(round_trip_ms=None, without="to", reason="landing_rule")


def test_which_end_has_no_satellite_is_told() -> None:
    for origin, end, without in ((KYIV, POLE, "to"), (POLE, KYIV, "from")):
        for step in steps("", origin, end):
            assert (step.without, step.reason) == (without, "no_satellite")


def test_without_points_of_presence_the_fibre_joins_gateways() -> None:
    found = steps('pops = "none"', KYIV, KYIV)
    assert all(step.pops and step.pops[0] == step.pops[1] for step in found)
    assert {step.fibre_one_way_ms for step in found} == {0.0}


def test_the_summary_counts_pairs_and_reasons() -> None:
    way = LandStep(round_trip_ms=100.0, fibre_one_way_ms=10.0, pops=("A", "B"))
    none = LandStep(round_trip_ms=None, without="to", reason="not_linked")
    found = summary_by_land([way, way, none, way])
    assert found["with_path_fraction"] == 0.75
    assert found["no_route"] == [{"without": "to", "reason": "not_linked", "steps": 1}]
    assert found["pops"] == [{"from": "A", "to": "B", "steps": 3}]
    assert found["round_trip_ms"]["median"] == 100.0
    assert summary_by_land([none])["round_trip_ms"] is None
