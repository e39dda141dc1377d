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


def network_changes(found: Explanation) -> list[dict[str, object]]:
    return [dict(each.patch["network"]) for each in found.changes if each.kind == "network"]


def test_what_would_open_a_way_is_told_and_does() -> None:
    found = at('mode = "bent_pipe"\nlanding = [{ of = ["UA"], at = ["NZ"] }]', 50.45, 30.5)
    assert found.reason == "landing_rule"
    assert network_changes(found) == [{"mode": "lasers"}, {"landing": ()}]
    near = at('mode = "bent_pipe"', 50.45, 30.5)
    assert near.route is not None
    (told,) = (each for each in found.changes if each.patch.get("network") == {"landing": ()})
    assert f"{near.route.round_trip_ms:.1f} ms to the internet" in told.text
    assert (told.outcome, told.reason) == ("allow", "OK")


def test_two_changes_at_once_are_told_where_no_single_one_does() -> None:
    rapa_nui = at('mode = "bent_pipe"\nlanding = [{ of = ["CL"], at = ["AQ"] }]', -27.12, -109.35)
    assert rapa_nui.service_state == "no_route"
    assert network_changes(rapa_nui) == [{"mode": "lasers", "landing": ()}]


def test_where_nothing_would_nothing_is_told() -> None:
    found = at('gateways = "none"\npops = "none"', 50.45, 30.5)
    assert found.reason == "no_gateway"
    assert network_changes(found) == []
    assert network_changes(at("", 50.45, 30.5)) == []
