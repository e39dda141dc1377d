"""The live table against one scalar verdict at a time, carried along by a plain dictionary."""

from __future__ import annotations

import random

import h3.api.numpy_int as h3
import numpy as np
import pytest

from spotbeam.edge.live import LiveTable
from spotbeam.kernels.verdicts import NEVER
from spotbeam.land.territories import ground
from spotbeam.service.policy import Policy, Sponsor, TerminalList
from spotbeam.service.position import Motion, place
from spotbeam.service.rules import rules_from
from spotbeam.service.terminals import Terminals
from spotbeam.service.verdict import FRESH, OUTCOMES, REASONS, Memory, verdict
from spotbeam.times import parse_time, to_datetime

AT_US = parse_time("2026-03-01T12:00:00Z")
S = 1_000_000


def cells(lat_deg: float, lon_deg: float, rings: int = 2) -> list[str]:
    middle = h3.latlng_to_cell(lat_deg, lon_deg, 4)
    return [f"h3:{int(cell):x}" for cell in h3.grid_disk(middle, rings)]


def policy_of(*tables: dict, at_us: int = AT_US, lists: dict | None = None) -> Policy:
    grants = [
        {"id": f"{name}-ok", "effect": "grant", "gate": "territory", "where": [name]}
        for name in ("UA", "RO", "MD")
    ]
    return Policy(
        rules=rules_from(
            [{"grounds": ["order:x"], **table} for table in (*grants, *tables)],
            "test",
            known_territories=ground("un").ids(),
        ),
        lists=tuple(
            TerminalList(name=name, terminals=frozenset(ids)) for name, ids in (lists or {}).items()
        ),
        sponsors=(Sponsor(id="s1", until=to_datetime(AT_US + 90 * S)),),
        record_index=7,
        witnessed_at_us=at_us,
    )


SPEED = {
    "id": "speed",
    "effect": "deny",
    "gate": "mobility",
    "where": ["UA"],
    "thresholds": {"over_kmh": 75, "clear_below_kmh": 65, "for_s": 10},
}


def terminals(source: random.Random, ids: list[int]) -> Terminals:
    near = [(46.1, 33.6), (47.0, 28.9), (45.2, 28.8), (48.4, 26.6)]
    at = [source.choice(near) for _ in ids]
    return Terminals.from_columns(
        {
            "id": [f"kit-{number}" for number in ids],
            "lat_deg": [lat + source.uniform(-1.5, 1.5) for lat, _ in at],
            "lon_deg": [lon + source.uniform(-1.5, 1.5) for _, lon in at],
            "position_error_m": [source.choice((0.0, 30.0, 9_000.0)) for _ in ids],
            "speed_kmh": [source.choice((0.0, 70.0, 90.0)) for _ in ids],
            "protection": [source.choice(("none", "none", "medical")) for _ in ids],
            "sponsor": [source.choice(("s1", "")) for _ in ids],
            "distress": [source.random() < 0.05 for _ in ids],
        }
    )


class Slow:
    """What the table does, one terminal at a time, on a ground that is cut anew for each policy."""

    def __init__(self) -> None:
        self.terminals: dict[str, object] = {}
        self.memory: dict[str, Memory] = {}
        self.policy = Policy()

    def put(self, arrived: Terminals) -> None:
        for terminal in arrived.rows():
            self.terminals[terminal.id] = terminal

    def decide(self, at_us: int) -> dict[str, tuple[str, str, str | None]]:
        named = {
            name
            for rule in self.policy.rules
            for name in (*rule.where, *rule.except_)
            if name.startswith("h3:")
        }
        over = ground("un", cells=sorted(named))
        kept = {rule.id for rule in self.policy.rules}
        found = {}
        for name, terminal in self.terminals.items():
            memory = self.memory.get(name, FRESH)
            rules = {rule: each for rule, each in memory.rules.items() if rule in kept}
            position = place(
                self.policy,
                over,
                terminal.lat_deg,
                terminal.lon_deg,
                error_m=terminal.position_error_m,
                assurance=terminal.assurance,
            )
            motion = Motion(speed_kmh=terminal.speed_kmh, altitude_m=terminal.altitude_m)
            memory = Memory(rules=rules, served=memory.served, data_gb=memory.data_gb)
            decided, self.memory[name] = verdict(
                self.policy, terminal, position, motion, memory, at_us, "un"
            )
            found[name] = decided.outcome, decided.reason, decided.rule
        return found


def shown(table: LiveTable) -> dict[str, tuple[str, str, str | None]]:
    columns, rules = table.columns, [rule.id for rule in table.policy.rules]
    return {
        name: (OUTCOMES[outcome], REASONS[reason], rules[rule] if rule >= 0 else None)
        for name, outcome, reason, rule in zip(
            table.terminals.id.to_pylist(),
            columns.outcome.tolist(),
            columns.reason.tolist(),
            columns.rule.tolist(),
            strict=True,
        )
    }


@pytest.mark.parametrize("seed", [1, 2])
def test_a_history_of_policies_reports_and_ticks(seed: int) -> None:
    source = random.Random(seed)
    table, slow = LiveTable(ground("un")), Slow()
    at_us, number = AT_US, 0
    table.enforce(slow.policy, at_us)
    slow.decide(at_us)
    cell_rule = {"id": "cut", "effect": "deny", "gate": "cell", "where": cells(46.1, 33.6)}
    inside = {"id": "in", "effect": "exempt", "lifts": ["mobility"], "where": cells(47.0, 28.9)}
    listed = {"id": "kits", "effect": "deny", "gate": "list", "who": {"not_on_list": ["kits"]}}
    policies = [
        policy_of(SPEED),
        policy_of(SPEED, cell_rule),
        policy_of(SPEED, {**cell_rule, "guard_km": 15.0}, inside),
        policy_of(inside, {**SPEED, "id": "other-speed"}, SPEED),
        policy_of(listed, SPEED, lists={"kits": [f"kit-{n}" for n in range(0, 200, 3)]}),
        policy_of(
            {**SPEED, "on_stale": "deny", "stale_after": "25s"},
            {**cell_rule, "on_stale": "allow_protected", "stale_after": "40s"},
            {"id": "paid", "effect": "deny", "gate": "list", "who": {"sponsor_lapsed": True}},
            at_us=AT_US + 60 * S,
        ),
    ]
    outcomes = set()
    for policy in policies:
        ids = source.sample(range(number + 30), 30)
        number = max(number, *ids) + 1
        arrived = terminals(source, ids)
        if source.random() < 0.5:
            table.install(table.prepared(policy.rules))
        table.put(arrived, at_us)
        slow.put(arrived)
        assert shown(table) == slow.decide(at_us)
        at_us += 3 * S
        table.enforce(policy, at_us)
        slow.policy = policy
        assert shown(table) == slow.decide(at_us)
        for _ in range(4):
            at_us += 5 * S
            before = shown(table)
            is_due = at_us >= table.next_us
            expected = slow.decide(at_us)
            assert (table.tick(at_us) is not None) == is_due
            if not is_due:  # nothing was decided, and nothing had to be
                assert before == expected
            assert shown(table) == expected
            outcomes |= {(outcome, reason) for outcome, reason, _ in expected.values()}
    assert {reason for _, reason in outcomes} >= {
        "OK",
        "NOT_AUTHORISED",
        "CELL_IS_DISABLED",
        "GUARD_BAND",
        "MOVING_TOO_FAST_FOR_POLICY",
        "NOT_LISTED",
        "POLICY_STALE",
        "SPONSOR_LAPSED",
    }


def test_terminals_that_are_gone_are_forgotten() -> None:
    table = LiveTable(ground("un"))
    table.enforce(policy_of(SPEED), AT_US)
    table.put(terminals(random.Random(1), [1, 2, 3]), AT_US)
    table.drop(["kit-2", "nobody"], AT_US)
    assert table.terminals.id.to_pylist() == ["kit-1", "kit-3"]
    assert len(table.columns) == 2


def test_nothing_follows_the_clock_where_nothing_can_change() -> None:
    table = LiveTable(ground("un"))
    table.enforce(policy_of(), AT_US)
    table.put(terminals(random.Random(1), [1]), AT_US)
    assert table.next_us in (NEVER, AT_US + 90 * S)  # the sponsor's term
    assert table.tick(AT_US + 60 * S) is None


def test_an_empty_table_takes_any_policy() -> None:
    table = LiveTable(ground("un"))
    columns = table.enforce(policy_of(SPEED), AT_US)
    assert len(columns) == 0
    assert np.array_equal(columns.outcome, np.array([], dtype=np.uint8))


def test_a_list_that_stays_is_asked_about_in_other_ways() -> None:
    """Who is on a list is kept from one policy to the next; what rules make of it is not."""
    table, slow = LiveTable(ground("un")), Slow()
    arrived = terminals(random.Random(5), list(range(60)))
    kits = {"kits": [f"kit-{n}" for n in range(0, 60, 3)]}
    more = {"other": [f"kit-{n}" for n in range(0, 60, 2)], **kits}
    asked = [
        (kits, {"not_on_list": ["kits"]}),
        (kits, {"on_list": ["kits"]}),
        (more, {"on_list": ["other"]}),
        (more, {"on_list": ["kits"], "not_on_list": ["other"]}),
        (kits, {"not_on_list": ["kits"]}),
    ]
    table.put(arrived, AT_US)
    slow.put(arrived)
    seen = set()
    for number, (lists, who) in enumerate(asked):
        rule = {"id": "kits", "effect": "deny", "gate": "list", "who": who}
        slow.policy = policy_of(rule, lists=lists)
        table.enforce(slow.policy, AT_US + number)
        assert shown(table) == slow.decide(AT_US + number)
        seen.add(frozenset(shown(table).items()))
    assert len(seen) == 4
