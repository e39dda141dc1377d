"""`why` says the way on, or why there is none, and never calls one a decision."""

from __future__ import annotations

import pytest
from support.skies import world_with

from spotbeam.service.terminals import Terminal
from spotbeam.twin.why import Explanation, explain

START_US = 1_767_225_600_000_000


def at(network: str, lat_deg: float, lon_deg: float) -> Explanation:
    terminal = Terminal(id="here", lat_deg=lat_deg, lon_deg=lon_deg)
    return explain(world_with(network), terminal, START_US)


def test_a_place_with_a_way_is_served_and_the_way_is_named() -> None:
    found = at("", 50.45, 30.5)
    assert found.service_state == "served"
    assert found.route is not None
    assert found.route.reason is None
    assert found.route.pop == "Sofia, Bulgaria"
    assert found.route.round_trip_ms is not None
    assert 25.0 < found.route.round_trip_ms < 40.0


def test_satellites_in_view_without_a_way_on_are_an_outage_and_no_decision() -> None:
    found = at('mode = "bent_pipe"', -40.0, -125.0)
    assert found.satellites
    assert (found.outcome, found.service_state, found.reason) == (
        "allow",
        "no_route",
        "no_gateway_in_reach",
    )
    assert found.status == "out_of_view"
    assert found.route is not None
    assert found.route.reason == "no_gateway_in_reach"
    assert found.rule == "everywhere"


@pytest.mark.parametrize(("at_", "reason"), [("PL", None), ("UA", "landing_rule")])
def test_a_landing_rule_is_named(at_: str, reason: str | None) -> None:
    found = at(f'landing = [{{ of = ["UA"], at = ["{at_}"] }}]', 50.45, 30.5)
    assert found.route is not None
    assert found.route.reason == reason
    assert found.route.landing[0].at == (at_,)
