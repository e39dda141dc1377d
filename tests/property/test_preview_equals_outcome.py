"""What a preview lists is what an edge answers: 100,000 terminals, one by one, change by change.

The outcome is not computed by the code that previews: the change is written, approved and witnessed
in a record, the record is folded, and an edge's own live table decides. A sample is decided again
by the verdict in its slow form, on ground of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pytest
from support.governance import LICENCE, World, rule
from support.impacts import (
    CELL,
    CRIMEA,
    GROUND,
    PEOPLE,
    black_sea,
    change_of,
    openings,
    over_the_black_sea,
    put_list,
    terminals_named,
)

from spotbeam.assembly.impacts import preview
from spotbeam.edge.enforcing import enforced
from spotbeam.edge.live import LiveTable
from spotbeam.edge.openings import Held
from spotbeam.governance.entries.acts import DropRule, PutRule, PutSponsor
from spotbeam.governance.entries.deciding import Bounds, Emergency, Seal, Stage
from spotbeam.governance.entries.rules import RuleEntry, ThresholdsEntry, WhoEntry
from spotbeam.governance.entries.words import DAY_US, HOUR_US, SECOND_US, Span
from spotbeam.governance.history import state
from spotbeam.governance.policy import Openings
from spotbeam.governance.seals import commitment, sealed_value
from spotbeam.land.territories import ground
from spotbeam.record.keys import encode_base64
from spotbeam.service.policy import Policy
from spotbeam.service.position import Motion, places
from spotbeam.service.terminals import Protection, Terminals
from spotbeam.service.verdict import OUTCOMES, REASONS, SETTLED, verdict
from spotbeam.twin.impact.tried import named_cells

MANY = 100_000
ANCHOR_US = 60 * SECOND_US
SALT = bytes(range(16))
NEAR_THE_NECK = ("h3:861e4a35fffffff", "h3:861e4b507ffffff", "h3:861e4a04fffffff")

Answers = dict[str, tuple[str, str, str | None, float | None]]


class Made(NamedTuple):
    """A proposal, and what is known beside the record: before and after."""

    body: Any
    id: str = "the-change"
    given: Openings = openings(v1=terminals_named(0, 200))


def sealed(world: World) -> Made:
    off = RuleEntry(
        id="off",
        effect="deny",
        gate="cell",
        where=(CELL,),
        who=WhoEntry(protection=(Protection.NONE,)),
        grounds=(str(LICENCE),),
    )
    value = sealed_value((off,))
    body = Seal(
        request=world.request(where=GROUND, verb="restrict"),
        grounds=(LICENCE,),
        commitment=commitment(world.origin, "seal-1", value, SALT),
        bounds=Bounds(where=("UA",), cells=(CELL,), verb="restrict", lasts_us=DAY_US),
        open_by_us=world.clock_us + 30 * DAY_US,
        impact="0" * 64,
        lapses_us=world.clock_us + DAY_US,
    )
    lists = openings(v1=terminals_named(0, 200)).lists
    return Made(body, "seal-1", Openings(lists=lists, seals={"seal-1": (value, SALT)}))


def put(*rules: RuleEntry, **changes: Any) -> Callable[[World], Made]:
    return lambda world: Made(change_of(world, *map(PutRule, rules), **changes))


CHANGES: dict[str, Callable[[World], Made]] = {
    "a grant over a peninsula": put(rule("crimea", where=CRIMEA[:2], guard_km="2")),
    "a deny over cells": put(
        rule("cells-off", effect="deny", gate="cell", where=NEAR_THE_NECK, guard_km="1.5")
    ),
    "a wider exception": put(
        rule("ua-authorised", where=("UA", "UA/sea"), except_=(*CRIMEA, "UA-65"), guard_km="20")
    ),
    "the next version of a list": lambda world: Made(
        change_of(world, put_list(world, 2, terminals_named(100, 5_000))),
        given=openings(v1=terminals_named(0, 200), v2=terminals_named(100, 5_000)),
    ),
    "a lower speed cap": put(
        rule(
            "ua-speed-cap",
            effect="deny",
            gate="mobility",
            where=("UA", "UA/sea"),
            thresholds=ThresholdsEntry(over_kmh="60"),
        )
    ),
    "an exemption": put(
        rule(
            "aid",
            effect="exempt",
            gate=None,
            lifts=("mobility",),
            who=WhoEntry(protection=(Protection.AID,), fleet=("lorries", "clinics")),
        )
    ),
    "a limit": put(
        rule("slow-ships", effect="limit", gate="plan", where=("XZ", "UA/sea"), max_mbps="40")
    ),
    "a rule is dropped": lambda world: Made(change_of(world, DropRule("ua-authorised"))),
    "a sponsor's term ends": lambda world: Made(
        change_of(
            world,
            PutRule(rule("paid", effect="deny", gate="list", who=WhoEntry(sponsor_lapsed=True))),
            PutSponsor(sponsor="s1", until_us=world.clock_us + HOUR_US),
        )
    ),
    "only for a time": lambda world: Made(
        change_of(world, DropRule("medical"), window=Span(until_us=world.clock_us + 2 * DAY_US))
    ),
    "only from later on": lambda world: Made(
        change_of(world, DropRule("medical"), window=Span(from_us=world.clock_us + DAY_US))
    ),
    "stage by stage": lambda world: Made(
        change_of(
            world,
            PutRule(rule("order", effect="deny", gate="order", where=("UA-43", "UA-65"))),
            rollout=(
                Stage(from_us=world.clock_us + DAY_US, where=NEAR_THE_NECK),
                Stage(from_us=world.clock_us + 2 * DAY_US, where=("UA-65",)),
            ),
        )
    ),
    "an emergency": lambda world: Made(
        Emergency(
            request=world.request(where=GROUND, verb="deactivate"),
            grounds=(LICENCE,),
            acts=(
                PutRule(rule("off", effect="deny", gate="order", where=("UA-65",), emergency=True)),
                DropRule("medical"),
            ),
            lasts_us=6 * HOUR_US,
            impact="4" * 64,
            lapses_us=world.clock_us + DAY_US,
        )
    ),
    "a seal that is open here": sealed,
}


@pytest.fixture(scope="module")
def terminals() -> Terminals:
    return over_the_black_sea(MANY)


@pytest.mark.parametrize("kind", CHANGES)
def test_people_listed_are_people_changed(kind: str, terminals: Terminals) -> None:
    world = black_sea()
    body, name, given = CHANGES[kind](world)
    world.say(body, "ada", name)
    shown = preview(
        world.now,
        world.now.changes[name].proposal,
        name,
        at_us=world.clock_us + ANCHOR_US,
        terminals=terminals,
        openings=given,
    )
    without = world.history()
    give = give_of(given)
    if isinstance(body, Emergency):
        world.approve(name, "bo", "cy")
    else:
        world.approve(name, *PEOPLE)
    world.anchor(after_us=ANCHOR_US)
    assert world.status(name) == "bound", world.now.changes[name].stood_still
    changed = 0
    for stage in shown.terminals:
        before = answers(policy_at(without, give, stage.at_us), terminals, stage.at_us)
        after = answers(policy_at(world.history(), give, stage.at_us), terminals, stage.at_us)
        expected = {n: (before[n], after[n]) for n in before if before[n] != after[n]}
        listed = list_of(stage.changes)
        assert list(listed) == [n for n in terminals.id.to_pylist() if n in expected]
        assert listed == expected
        assert stage.kinds["same"] == MANY - len(expected)
        changed += len(expected)
        slowly(world, without, give, stage.at_us, terminals, before, after)
    assert changed > 0  # nothing would be shown by a change that changes nobody


def give_of(given: Openings) -> Callable[[str], bytes | None]:
    """The openings as the log's server hands them to an edge."""
    files: dict[str, bytes] = {}
    for (name, version), rows in given.lists.items():
        lines = [f"{terminal},{encode_base64(salt)}\n" for terminal, salt in rows]
        files[f"lists/{name}/{version}"] = ("terminal,salt\n" + "".join(lines)).encode()
    for name, (value, salt) in given.seals.items():
        files[f"seals/{name}"] = msgspec.json.encode(
            {"value": value.decode(), "salt": encode_base64(salt)}
        )
    return files.get


def policy_at(history: Any, give: Any, at_us: int) -> Policy:
    """What an edge enforces that was given these openings."""
    intended, held = state(history, at_us), Held()
    held.take(intended, give)
    found = enforced(
        intended,
        held,
        frozenset(ground("un").ids()),
        view="un",
        witnessed_us=at_us,
    )
    assert found.lacks == ()
    return found.policy


def answers(policy: Policy, terminals: Terminals, at_us: int) -> Answers:
    """What an edge answers for every terminal, from its live table."""
    table = LiveTable(ground("un"))
    table.put(terminals, at_us)
    columns = table.enforce(policy, at_us)
    rules = [each.id for each in policy.rules]
    rows = zip(
        table.terminals.id.to_pylist(),
        columns.outcome.tolist(),
        columns.reason.tolist(),
        columns.rule.tolist(),
        columns.max_mbps.tolist(),
        strict=True,
    )
    return {
        name: (
            OUTCOMES[outcome],
            REASONS[reason],
            rules[number] if number >= 0 else None,
            mbps if mbps == mbps else None,
        )
        for name, outcome, reason, number, mbps in rows
    }


def list_of(changes: Any) -> dict[str, tuple[Any, Any]]:
    columns = changes.to_pydict()
    sides = [
        zip(
            *(columns[f"{side}_{field}"] for field in ("outcome", "reason", "rule", "max_mbps")),
            strict=True,
        )
        for side in ("before", "after")
    ]
    return dict(zip(columns["id"], zip(*sides, strict=True), strict=True))


def slowly(
    world: World,
    without: Any,
    give: Any,
    at_us: int,
    terminals: Terminals,
    before: Answers,
    after: Answers,
) -> None:
    """A sample of those that change and of those that do not, by the verdict that explains."""
    changed = np.array([before[n] != after[n] for n in terminals.id.to_pylist()])
    source = np.random.default_rng(3)
    rows = np.concatenate(
        [source.permutation(np.flatnonzero(mask))[:60] for mask in (changed, ~changed)]
    )
    few = terminals.take(rows)
    for history, said in ((without, before), (world.history(), after)):
        policy = policy_at(history, give, at_us)
        earth = ground("un", cells=named_cells(policy.rules))
        spots = places(policy, earth, few.lat_deg, few.lon_deg, few.position_error_m, few.assurance)
        for terminal, spot in zip(few.rows(), spots, strict=True):
            motion = Motion(speed_kmh=terminal.speed_kmh, altitude_m=terminal.altitude_m)
            found, _ = verdict(policy, terminal, spot, motion, SETTLED, at_us, "un")
            outcome, reason, by, mbps = said[terminal.id]
            assert (found.outcome, found.reason, found.rule) == (outcome, reason, by)
            assert (found.max_mbps or 0.0) == pytest.approx(mbps or 0.0)


def test_no_order_of_terminals_and_no_split_changes_the_list(terminals: Terminals) -> None:
    world = black_sea()
    body = put(rule("crimea", where=CRIMEA[:2]))(world).body
    few = terminals.take(np.arange(4_000))

    def listed(some: Terminals) -> dict[str, Any]:
        given = openings(v1=terminals_named(0, 200))
        found = preview(world.now, body, "b", at_us=world.clock_us, terminals=some, openings=given)
        return list_of(found.terminals[0].changes)

    whole = listed(few)
    turned = few.take(np.random.default_rng(1).permutation(len(few)))
    assert listed(turned) == whole
    halves = listed(few.take(np.arange(1_500))) | listed(few.take(np.arange(1_500, 4_000)))
    assert halves == whole
    assert msgspec.json.encode(whole) != b"{}"
