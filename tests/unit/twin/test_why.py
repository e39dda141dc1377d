"""Explanations: what they rest on, and suggestions that hold when they are taken."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np
import pytest
from skyfield.api import EarthSatellite, load, wgs84

import spotbeam
from spotbeam.assembly.build import build
from spotbeam.errors import InputError
from spotbeam.service.rules import rules_from
from spotbeam.service.terminals import Terminal
from spotbeam.service.verdict import Verdict
from spotbeam.sky.propagation import satrecs
from spotbeam.times import to_datetime
from spotbeam.twin.changes import Change, with_rules
from spotbeam.twin.scenario import parse_scenario
from spotbeam.twin.why import as_json, decide, explain
from spotbeam.twin.world import World

SCENARIO = """
name = "small"
[time]
start = "2026-01-01T00:00:00Z"
[constellation]
shells = ["oneweb-phase1"]
min_elevation_deg = 20
[area]
resolution = 2
bounds = [40.0, 26.0, 50.0, 42.0]
[[list]]
name = "kits"
terminals = ["kit-1"]
[[rule]]
id = "licence"
gate = "territory"
effect = "grant"
where = ["UA", "UA/sea", "RO"]
except = ["UA-43", "UA-43/sea", "UA-40", "UA-40/sea"]
guard_km = 5
grounds = ["authorisation:a"]
[[rule]]
id = "cap"
gate = "mobility"
effect = "deny"
where = ["UA", "UA/sea"]
who = { verified = false }
thresholds = { over_kmh = 75, clear_below_kmh = 65, for_s = 10 }
grounds = ["order:b"]
[[rule]]
id = "listed"
gate = "list"
effect = "deny"
where = ["UA"]
who = { mobility = ["land"], not_on_list = ["kits"] }
grounds = ["order:c"]
[[rule]]
id = "assured"
gate = "assurance"
effect = "deny"
where = ["UA"]
thresholds = { below_assurance = 2 }
grounds = ["order:d"]
[[rule]]
id = "sea-limit"
gate = "plan"
effect = "limit"
where = ["UA/sea"]
max_mbps = 10
grounds = ["contract:e"]
"""

KYIV, CRIMEA, OPEN_SEA = (50.45, 30.52), (45.2, 34.1), (43.3, 34.0)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    scenario = parse_scenario(SCENARIO, place="small.toml")
    return build(scenario, tmp_path_factory.mktemp("scenario"), with_terminals=False)


def terminal(at: tuple[float, float], **properties: Any) -> Terminal:
    return Terminal(id=properties.pop("id", "t"), lat_deg=at[0], lon_deg=at[1], **properties)


CASES = {
    "crimea": terminal(CRIMEA),
    "fast": terminal(KYIV, speed_kmh=90.0, verified=False),
    "unlisted": terminal(KYIV, mobility="land"),
    "unlisted and fast": terminal(KYIV, mobility="land", speed_kmh=90.0, verified=False),
    "unassured": terminal(KYIV, assurance=0),
    "open sea": terminal(OPEN_SEA),
    "guard band": terminal((46.17, 33.66)),
    "disabled": terminal(KYIV, account="disabled"),
    "served": terminal(KYIV),
    "listed": terminal(KYIV, id="kit-1", mobility="land"),
    "limited": terminal((46.4, 30.9)),
}


def applied(world: World, asked: Terminal, change: Change, at_us: int) -> Verdict:
    """The verdict after a suggestion, taken as data and nothing else."""
    policy = world.policy
    if change.kind in ("terminal", "place"):
        asked = msgspec.structs.replace(asked, **change.patch)
    elif "remove_rule" in change.patch:
        gone = change.patch["remove_rule"]
        policy = with_rules(policy, tuple(rule for rule in policy.rules if rule.id != gone))
    elif "add_rule" in change.patch:
        rule = {"grounds": ["proposal:test"], **change.patch["add_rule"]}
        policy = with_rules(policy, (*policy.rules, *rules_from([rule], "test")))
    else:
        (entry,) = [each for each in policy.lists if each.name == change.patch["list"]]
        on = entry.terminals | {change.patch["on"]} if "on" in change.patch else frozenset()
        lists = (msgspec.structs.replace(entry, terminals=on),)
        policy = msgspec.structs.replace(policy, lists=lists)
    return decide(world, at_us, asked, policy)


@pytest.mark.parametrize("name", CASES)
def test_every_suggestion_flips_the_answer_when_it_is_taken(world: World, name: str) -> None:
    found = explain(world, CASES[name], world.grid.start_us)
    assert found.changes, "there is always a way to another answer"
    for change in found.changes:
        after = applied(world, CASES[name], change, world.grid.start_us)
        assert after.outcome == change.outcome != found.outcome, change.text
        assert after.reason == change.reason


@pytest.mark.parametrize(
    ("name", "reason", "rule"),
    [
        ("crimea", "NOT_AUTHORISED", None),
        ("fast", "MOVING_TOO_FAST_FOR_POLICY", "cap"),
        ("unlisted", "NOT_LISTED", "listed"),
        ("unassured", "POSITION_NOT_ASSURED", "assured"),
        ("open sea", "IN_OCEAN", None),
        ("guard band", "GUARD_BAND", "licence"),
        ("disabled", "ACCOUNT_DISABLED", None),
        ("served", "OK", "licence"),
        ("limited", "ROAM_RESTRICTED", "sea-limit"),
    ],
)
def test_the_reason_and_the_rule(world: World, name: str, reason: str, rule: str | None) -> None:
    found = explain(world, CASES[name], world.grid.start_us)
    assert (found.reason, found.rule) == (reason, rule)
    assert [each.id for each in found.rules if each.decided] == ([rule] if rule else [])
    assert {each.id for each in found.rules if each.matched} == set(found.verdict.matched)
    for each in found.rules:
        assert each.matched == all(condition["holds"] for condition in each.conditions)


def test_the_satellites_are_those_that_skyfield_sees(world: World) -> None:
    at_us = world.grid.start_us
    found = {each.id: each for each in explain(world, CASES["served"], at_us).satellites}
    timescale = load.timescale(builtin=True)
    moment = timescale.from_datetime(to_datetime(at_us))
    site = wgs84.latlon(*KYIV)
    elements = world.sky.in_service
    checked = 0
    for number, satrec in zip(elements.catalogue_number, satrecs(elements), strict=True):
        satellite = EarthSatellite.from_satrec(satrec, timescale)
        altitude, azimuth, distance = (satellite - site).at(moment).altaz()
        if abs(altitude.degrees - 20.0) < 0.02:
            continue
        assert (int(number) in found) == (altitude.degrees > 20.0)
        if int(number) in found:
            seen = found[int(number)]
            assert seen.elevation_deg == pytest.approx(altitude.degrees, abs=0.01)
            assert seen.range_km == pytest.approx(distance.km, abs=0.5)
            turn = (seen.azimuth_deg - azimuth.degrees + 180.0) % 360.0 - 180.0
            assert abs(turn) * np.cos(altitude.radians) < 0.02
            checked += 1
    assert checked > 5


def test_the_place_says_who_claims_and_who_administers(world: World) -> None:
    places = {each.id: each for each in explain(world, CASES["crimea"], 0).territories}
    assert {"UA", "UA-43"} <= set(places)
    assert places["UA-43"].administered_by == ("RU",)
    assert set(places["UA-43"].claimed_by) == {"RU", "UA"}
    assert places["UA-43"].citation


def test_the_json_names_what_scripts_rely_on(world: World) -> None:
    data = as_json(explain(world, CASES["fast"], world.grid.start_us))
    expected = {"time", "view", "territories", "satellites", "rules", "outcome", "reason"}
    assert expected <= set(data)
    assert {"id", "name", "elevation", "azimuth", "range"} <= set(data["satellites"][0])
    assert {rule["id"] for rule in data["rules"]} == {"licence", "cap"}
    msgspec.json.encode(data)


@pytest.mark.parametrize(
    ("at", "told"),
    [
        ((math.nan, 0.0), "at: lat_deg nan is not within -90..90"),
        ((0.0, 190.0), "at: lon_deg 190 is not within -180..180"),
    ],
)
def test_a_place_off_the_globe_is_refused(at: tuple[float, float], told: str) -> None:
    with pytest.raises(InputError, match=told):
        spotbeam.why("black-sea", at)


def test_a_property_that_cannot_be_is_named() -> None:
    with pytest.raises(InputError, match=r"^mobility: 'boat' is not a known mobility"):
        spotbeam.why("black-sea", (50.0, 30.0), mobility="boat")
    with pytest.raises(InputError, match=r"^spede_kmh: unknown column"):
        spotbeam.why("black-sea", (50.0, 30.0), spede_kmh=3)
