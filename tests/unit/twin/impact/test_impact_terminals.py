"""The operator's own terminals: counted in every way, the protected never hidden in a total."""

from __future__ import annotations

import random
from collections import Counter

import msgspec
import numpy as np
import pytest
from support.policies import T0, policy_of, random_at_us, random_tables, random_terminals
from support.rectangles import IDS, Rectangles

from spotbeam.service.compiled import bind, compile_policy, verdicts
from spotbeam.service.policy import Policy
from spotbeam.service.rules import Effect, rules_from
from spotbeam.service.terminals import Terminals
from spotbeam.service.verdict import OUTCOMES, REASONS
from spotbeam.twin.impact.over_terminals import Standings, TerminalImpact, terminal_impact

GRANT = {
    "id": "open",
    "effect": "grant",
    "gate": "territory",
    "where": ["A"],
    "grounds": ["authorisation:a"],
}
SLOW = {
    "id": "slow",
    "effect": "limit",
    "gate": "plan",
    "where": ["A-1"],
    "max_mbps": 10,
    "grounds": ["contract:a"],
}


def policy(*tables: dict) -> Policy:
    return Policy(rules=rules_from(tables, "test", known_territories=IDS))


def terminals() -> Terminals:
    rows = [
        # id, fleet, protection, lat, lon, error
        ("inside", "f1", "none", 1.5, 0.5, 0.0),
        ("clinic", "f1", "medical", 0.5, 1.2, 0.0),
        ("aid", "f2", "aid", 0.2, 1.1, 0.0),
        ("outside", "f2", "none", 1.0, 3.0, 0.0),
        ("nowhere", "f2", "none", np.nan, np.nan, 0.0),
        ("edge", "f1", "none", 1.5, 1.999, 2_000.0),
    ]
    names = ("id", "fleet", "protection", "lat_deg", "lon_deg", "position_error_m")
    return Terminals.from_columns(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))


def found(before: Policy, after: Policy) -> TerminalImpact:
    return terminal_impact(before, after, (Rectangles(), terminals()), T0)  # type: ignore[arg-type]


def test_every_kind_of_change_has_its_name() -> None:
    none, open_, slow = policy(), policy(GRANT), policy(GRANT, SLOW)
    slower = policy(GRANT, SLOW | {"max_mbps": 5})
    named = policy(GRANT | {"id": "other"})
    assert found(none, open_).kinds == {"same": 2, "gained": 3, "reason": 1}
    assert found(open_, none).kinds == {"same": 2, "lost": 3, "reason": 1}
    assert found(open_, slow).kinds == {"same": 4, "limited": 2}
    assert found(slow, slower).kinds == {"same": 4, "limited": 2}
    assert found(slower, slow).kinds == {"same": 4, "eased": 2}
    assert found(slow, open_).kinds == {"same": 4, "eased": 2}
    assert found(open_, named).kinds == {"same": 2, "rule": 4}
    assert found(open_, open_).kinds == {"same": 6}


def test_the_protected_come_first_and_each_for_itself() -> None:
    lost = found(policy(GRANT), policy())
    assert next(iter(lost.by)) == "protection"
    assert {g.name: dict(g.kinds) for g in lost.protected} == {
        "medical": {"lost": 1},
        "aid": {"lost": 1},
    }
    assert lost.reasons[0].kind == "lost"
    assert lost.unknown == 1
    assert lost.straddling == 1


def test_territories_are_those_of_the_position_and_overlap() -> None:
    lost = found(policy(GRANT), policy())
    counts = {group.name: dict(group.kinds) for group in lost.by["territory"]}
    at_edge = {"reason": 1}  # its disc crosses into B: it had no service before either
    assert counts == {"A": {"lost": 3} | at_edge, "A-1": {"lost": 2}, "x-own": at_edge}


def test_the_rows_say_from_what_to_what_and_by_which_rule() -> None:
    changes = found(policy(GRANT), policy(GRANT, SLOW)).changes.to_pylist()
    assert [row["id"] for row in changes] == ["clinic", "aid"]
    row = changes[0]
    assert (row["before_outcome"], row["before_reason"], row["before_rule"]) == (
        "allow",
        "OK",
        "open",
    )
    assert (row["after_outcome"], row["after_rule"], row["after_max_mbps"]) == ("limit", "slow", 10)
    assert (row["kind"], row["fleet"], row["protection"]) == ("limited", "f1", "medical")


@pytest.mark.parametrize("seed", range(25))
def test_one_lookup_for_two_policies_answers_as_two_whole_runs(seed: int) -> None:

    source = random.Random(seed)
    before, after = policy_of(random_tables(source)), policy_of(random_tables(source))
    some, at_us, ground = random_terminals(source, 400), random_at_us(source), Rectangles()
    impact = terminal_impact(before, after, (ground, some), at_us)  # type: ignore[arg-type]
    sides = []
    for each in (before, after):
        compiled = compile_policy(each, ground)
        columns = verdicts(compiled, bind(compiled, some), at_us)
        ids = [rule.id for rule in each.rules]
        sides.append(
            [
                (OUTCOMES[o], REASONS[r], ids[n] if n >= 0 else None, None if m != m else m)
                for o, r, n, m in zip(
                    columns.outcome.tolist(),
                    columns.reason.tolist(),
                    columns.rule.tolist(),
                    columns.max_mbps.tolist(),
                    strict=True,
                )
            ]
        )
    names = some.id.to_pylist()
    expected = {
        name: (was, now) for name, was, now in zip(names, *sides, strict=True) if was != now
    }
    fields = ("outcome", "reason", "rule", "max_mbps")
    listed = {
        row["id"]: tuple(tuple(row[f"{s}_{f}"] for f in fields) for s in ("before", "after"))
        for row in impact.changes.to_pylist()
    }
    assert listed == expected
    # Every total is that of the rows.
    kinds = Counter(impact.changes["kind"].to_pylist())
    assert kinds == {kind: n for kind, n in impact.kinds.items() if kind != "same"}
    for attribute in ("fleet", "sponsor", "protection", "mobility"):
        rows = Counter(
            zip(
                impact.changes[attribute].to_pylist(),
                impact.changes["kind"].to_pylist(),
                strict=True,
            )
        )
        told = {
            (group.name, kind): n
            for group in impact.by[attribute]
            for kind, n in group.kinds.items()
            if kind != "same"
        }
        assert told == dict(rows)
    assert sum(reason.terminals for reason in impact.reasons) == len(expected)
    for row in impact.changes.to_pylist():
        assert row["kind"] == kind_in_words(row), row


def kind_in_words(row: dict) -> str:
    """As `kinds_of`, written out for one row."""
    was, now = row["before_outcome"] != "deny", row["after_outcome"] != "deny"
    if was != now:
        return "lost" if was else "gained"
    if was:
        caps = [row[f"{side}_max_mbps"] or float("inf") for side in ("before", "after")]
        if caps[0] != caps[1]:
            return "limited" if caps[1] < caps[0] else "eased"
    return "rule" if row["before_reason"] == row["after_reason"] else "reason"


@pytest.mark.parametrize("seed", range(40))
def test_taking_away_lets_nobody_in_and_giving_puts_nobody_out(seed: int) -> None:
    """Invariant 9, over terminals that change: a wider deny or a narrower grant only takes away."""

    source = random.Random(seed)
    base = policy_of(random_tables(source))
    some, at_us, ground = random_terminals(source, 300), random_at_us(source), Rectangles()
    denies = [r for r in base.rules if r.effect is Effect.DENY and r.where]
    grants = [r for r in base.rules if r.effect is Effect.GRANT]
    stricter = []
    for rule in denies[:2]:
        wider = msgspec.structs.replace(rule, where=(), except_=())
        stricter.append(tuple(wider if r is rule else r for r in base.rules))
    for rule in grants[:2]:
        more = source.choice([name for name in IDS if name not in rule.except_])
        narrower = msgspec.structs.replace(rule, except_=(*rule.except_, more))
        stricter.append(tuple(narrower if r is rule else r for r in base.rules))
        stricter.append(tuple(r for r in base.rules if r is not rule))
    for rules in stricter:
        strict = msgspec.structs.replace(base, rules=rules, version="")
        widths = (*base.guards_km(), *strict.guards_km())
        standings = Standings(ground, widths, some)  # type: ignore[arg-type]
        assert "gained" not in terminal_impact(base, strict, standings, at_us).kinds
        assert "lost" not in terminal_impact(strict, base, standings, at_us).kinds
