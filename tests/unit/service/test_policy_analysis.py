"""Rules that cannot work: each sort of mistake is found, and what is said holds."""

from __future__ import annotations

import numpy as np
import pytest
from support.rectangles import Rectangles

from spotbeam.service.analysis import check
from spotbeam.service.memory import SETTLED
from spotbeam.service.policy import Policy, Sponsor, TerminalList
from spotbeam.service.position import Motion, place
from spotbeam.service.rules import rules_from
from spotbeam.service.verdict import verdict
from spotbeam.times import parse_time, to_datetime

GROUND = Rectangles()
NEW_YEAR = parse_time("2026-01-01T00:00:00Z")
GRANT = {"id": "grant-a", "effect": "grant", "gate": "territory", "where": ["A", "A/sea"],
         "grounds": ["a:b"]}  # fmt: skip


def rule(id, effect="deny", **fields):
    return {"id": id, "effect": effect, "grounds": ["a:b"], **fields}


def policy(*tables):
    return Policy(
        rules=rules_from([GRANT, *tables], "p.toml", known_territories=GROUND.ids()),
        lists=(
            TerminalList(name="white", terminals=frozenset({"kit"})),
            TerminalList(name="empty", terminals=frozenset()),
        ),
        sponsors=(Sponsor(id="aid", until=to_datetime(NEW_YEAR)), Sponsor(id="firm")),
    )


CAP = rule("cap", gate="mobility", where=["A"], thresholds={"over_kmh": 75})
DEAD = {
    "no ground": (
        [rule("x", gate="order", where=["A-1"], **{"except": ["A"]})],
        "where less except",
    ),
    "both on and off a list": (
        [rule("x", gate="list", who={"on_list": ["white"], "not_on_list": ["white"]})],
        "no terminal is all that 'who' asks for",
    ),
    "an empty list": ([rule("x", gate="list", who={"on_list": ["empty"]})], "no terminal"),
    "a kit that is on the list it must not be on": (
        [rule("x", gate="list", who={"terminal": ["kit"], "not_on_list": ["white"]})],
        "no terminal",
    ),
    "a window that is over": (
        [rule("x", gate="order", when=[{"until": "2025-06-01T00:00:00Z"}])],
        "its windows are over",
    ),
    "faster than anything": (
        [rule("x", gate="mobility", thresholds={"over_kmh": 50_000})],
        "no terminal can pass its thresholds",
    ),
    "farther than the antipode": (
        [rule("x", gate="plan", thresholds={"over_km_from_service_address": 20_100})],
        "no terminal can pass its thresholds",
    ),
    "a sponsor that never lapses": (
        [rule("x", gate="list", who={"sponsor": ["firm"], "sponsor_lapsed": True})],
        "never hold together",
    ),
}


@pytest.mark.parametrize("name", DEAD)
def test_dead_rules(name):
    tables, words = DEAD[name]
    findings = check(policy(*tables), GROUND, from_us=NEW_YEAR)
    assert [(f.kind, f.rule) for f in findings] == [("dead", "x")]
    assert words in findings[0].text
    assert findings[0].example.failing


SHADOWED = {
    "a wider cap before it": ([CAP, rule("x", gate="mobility", where=["A"],
                                         thresholds={"over_kmh": 90})], ("cap",)),
    "the same grant twice": ([GRANT | {"id": "x"}], ("grant-a",)),
    "ground without a grant": ([rule("x", gate="list", where=["B"])], ()),
    "accounts that no rule is asked about": (
        [rule("x", gate="list", who={"account": ["disabled"]})], ()),
    "a limit above a tighter one": (
        [rule("slow", "limit", gate="plan", max_mbps=5),
         rule("x", "limit", gate="list", max_mbps=50)], ("slow",)),
    "an order that stops all before it": (
        [rule("block", gate="order", where=["A"]), rule("x", gate="cell", where=["A-1"])],
        ("block",)),
    "a deny that an exempt always lifts": (
        [rule("free", "exempt", lifts=["mobility"]),
         rule("x", gate="mobility", where=["A"], thresholds={"over_kmh": 90})], ("free",)),
    "hours that a longer window covers": (
        [rule("day", gate="order", when=[{"daily": "06:00-22:00"}]),
         rule("x", gate="order", when=[{"daily": "08:00-17:00"}])], ("day",)),
}  # fmt: skip


@pytest.mark.parametrize("name", SHADOWED)
def test_shadowed_rules(name):
    tables, because = SHADOWED[name]
    findings = {f.rule: f for f in check(policy(*tables), GROUND)}
    assert findings["x"].kind == "shadowed"
    assert findings["x"].because[: len(because)] == because
    assert "x" in findings["x"].example.verdict.matched
    assert findings["x"].example.verdict.rule != "x"


CONTRADICTORY = {
    "a grant that a deny takes back": (
        [GRANT | {"id": "x", "where": ["B"]},
         rule("not-b", gate="territory", where=["B", "B/sea"])], ("not-b",)),
    "an exempt with nothing to lift": ([CAP, rule("x", "exempt", lifts=["cell"])], ()),
    "a limit for nobody": ([rule("x", "limit", gate="plan", where=["B"], max_mbps=5)], ()),
}  # fmt: skip


@pytest.mark.parametrize("name", CONTRADICTORY)
def test_contradictory_rules(name):
    tables, because = CONTRADICTORY[name]
    findings = {f.rule: f for f in check(policy(*tables), GROUND)}
    assert findings["x"].kind == "contradictory"
    assert findings["x"].because[: len(because)] == because


@pytest.mark.parametrize(
    "tables",
    [
        [CAP, rule("slower", gate="mobility", where=["A"], thresholds={"over_kmh": 60})],
        # Bites later, but holds on for longer.
        [CAP, rule("sticky", gate="mobility", where=["A"],
                   thresholds={"over_kmh": 90, "clear_below_kmh": 50})],
        # Bites in the seconds that the other one waits.
        [CAP | {"thresholds": {"over_kmh": 75, "for_s": 60}},
         rule("now", gate="mobility", where=["A"], thresholds={"over_kmh": 75})],
        # Matters outside A only: within 10 km of it.
        [rule("in-a", gate="order", where=["A"]), GRANT | {"id": "grant-b", "where": ["B"]},
         rule("near-a", gate="order", where=["A"], guard_km=10)],
        [rule("part", gate="territory", where=["A-1"])],
        [CAP, rule("medical", "exempt", lifts=["mobility"], who={"protection": ["medical"]})],
        [rule("lapsed", gate="list", who={"sponsor_lapsed": True})],
        [rule("night", gate="order", when=[{"daily": "22:00-06:00"}])],
    ],
    ids=lambda tables: tables[-1]["id"],
)  # fmt: skip
def test_rules_that_work_are_left_alone(tables):
    assert check(policy(*tables), GROUND) == ()


def test_every_example_is_what_the_verdict_says_there():
    tables = [case[-1] | {"id": f"x{n}"} for n, (case, _) in enumerate(DEAD.values())]
    tables += [CAP, rule("cap-2", gate="mobility", where=["A"], thresholds={"over_kmh": 90})]
    whole = policy(*tables)
    findings = check(whole, GROUND, from_us=NEW_YEAR)
    assert len(findings) == len(DEAD) + 1
    shown = 0
    for finding in findings:
        example = finding.example
        if np.isnan(example.terminal.lat_deg) or example.motion != "held":
            continue
        terminal = example.terminal
        at = place(whole, GROUND, terminal.lat_deg, terminal.lon_deg, assurance=terminal.assurance)
        motion = Motion(speed_kmh=terminal.speed_kmh, altitude_m=terminal.altitude_m)
        again, _ = verdict(whole, terminal, at, motion, SETTLED, example.at_us, GROUND.view)
        assert again == example.verdict
        shown += 1
    assert shown >= 7
