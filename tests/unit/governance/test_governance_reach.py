"""Ground and people that a proposal reaches without naming them, each beside a control.

What a change moves decides who must agree, who is kept away and which approvals fall. So whatever
moves service has to count there: the stages of a roll-out, the ground that a rule had before, the
rules that ask about a list, and every id of one human.
"""

from __future__ import annotations

import sys
from itertools import product
from typing import Any

import h3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from support.governance import LICENCE, NEXT, ZERO, World, rule, witness_quorum
from support.weakened import Case, Patch, instead, is_bound, without

from spotbeam.governance import proposing, quorum, reads
from spotbeam.governance.entries.accounts import Contact
from spotbeam.governance.entries.acts import CloseLog, DropRule, Merge, PutList, PutRule, PutSponsor
from spotbeam.governance.entries.deciding import Emergency, Stage
from spotbeam.governance.entries.people import QuorumRule, SmallRule
from spotbeam.governance.entries.rules import WhoEntry
from spotbeam.governance.entries.words import DAY_US
from spotbeam.governance.ground import may_overlap

CELL = f"h3:{h3.latlng_to_cell(48.0, 31.0, 5)}"
WORLD = tuple(f"h3:{cell}" for cell in sorted(h3.get_res0_cells()))
LARGE = QuorumRule(persons=3, factors=3)


def small_change_rolled_out_everywhere() -> bool:
    """Bring in a rule on one cell, with a stage that is the whole world: two people pass it."""
    world = World(quorum=QuorumRule(persons=3, factors=3, small=SmallRule(cells=5)))
    off = rule("off", effect="deny", gate="cell", where=(CELL,))
    stage = Stage(from_us=world.clock_us + 1, where=WORLD)
    return is_bound(world, world.pass_change(PutRule(off), rollout=(stage,)))


def emergency(world: World, id: str, where: tuple[str, ...]) -> str | None:
    """An emergency that denies on some ground, asked for and passed by two people."""
    off = rule(id, effect="deny", gate="order", where=where, emergency=True)
    body = Emergency(
        request=world.request(where),
        grounds=(LICENCE,),
        acts=(PutRule(off),),
        lasts_us=DAY_US,
        impact=ZERO,
        lapses_us=world.clock_us + DAY_US,
    )
    name = world.say(body, "ada")
    if name not in world.now.changes:
        return None
    world.approve(name, "bo", "cy")
    world.anchor()
    return name


def emergencies_chained_by_rewording() -> bool:
    """While one in Ukraine waits for its review, take another rule of Ukraine away "in France"."""
    world = World(quorum=LARGE)
    world.pass_change(people=("bo", "cy", "eli"))
    first = emergency(world, "first", ("UA",))
    assert first is not None
    assert is_bound(world, first)
    second = emergency(world, "ua-authorised", ("FR",))
    return second is not None and is_bound(world, second)


def met(world: World, name: str = "cy") -> None:
    """Somebody records that they met a party with an interest in Ukraine."""
    world.say(Contact(person=name, party="a-party", where=("UA",), at_us=world.clock_us), name)


def recused_by_no_rewording() -> bool:
    """Take a rule of Ukraine to another country, with somebody who is kept away from Ukraine."""
    world = World()
    world.pass_change()
    met(world)
    moved = world.change(PutRule(rule(where=("FR",))), request=world.request(("FR",)))
    if moved not in world.now.changes:
        return False
    world.approve(moved, "bo", "cy")
    world.anchor()
    return is_bound(world, moved)


def recused_under_one_id_only() -> bool:
    """Approve under another id of the same human."""
    world = World()
    world.pass_change(Merge(person="dee", same_as="cy"))
    met(world)
    return is_bound(world, world.pass_change(people=("bo", "dee")))


def recused_from_rules_not_from_lists() -> bool:
    """Change who is on the list that a rule of Ukraine asks about, under a request for France."""
    world = World()
    served = rule(who=WhoEntry(on_list=("served",)))
    rows = PutList(list="served", version=1, count=1, root=ZERO)
    assert is_bound(world, world.pass_change(PutRule(served), rows))
    met(world)
    more = PutList(list="served", version=2, count=2, root=ZERO)
    return is_bound(world, world.pass_change(more, request=world.request(("FR",))))


def closes_the_next_log_too() -> bool:
    """Have two closing changes approved; the second waits for the log that the first opens."""
    world = World()
    names = [
        world.change(CloseLog(origin=origin, witness_quorum=witness_quorum(log=log, origin=origin)))
        for origin, log in ((NEXT, "log-2"), (f"{NEXT}b", "log-3"))
    ]
    for name in names:
        world.approve(name, "bo", "cy")
    world.anchor()
    assert is_bound(world, names[0])
    world.move_on()
    world.open()
    world.anchor()
    return is_bound(world, names[1])


def sponsor_moves_under_a_rule() -> bool:
    """Have a rule about lapsed sponsors approved, then give a sponsor another date."""
    world = World()
    world.pass_change(PutSponsor(sponsor="relief", until_us=None))
    lapsed = rule("unpaid", effect="deny", gate="plan", who=WhoEntry(sponsor_lapsed=True))
    waiting = world.change(PutRule(lapsed))
    world.approve(waiting, "bo", "cy")
    date = world.change(PutSponsor(sponsor="relief", until_us=world.clock_us))
    world.approve(date, "bo", "cy")
    world.now = quietly_first(world, date)
    world.anchor()
    return is_bound(world, waiting)


def rule_moves_under_a_sponsor() -> bool:
    """Have a sponsor's date approved, then bring in the rule that it decides about."""
    world = World()
    world.pass_change(PutSponsor(sponsor="relief", until_us=None))
    date = world.change(PutSponsor(sponsor="relief", until_us=world.clock_us))
    world.approve(date, "bo", "cy")
    lapsed = rule("unpaid", effect="deny", gate="plan", who=WhoEntry(sponsor_lapsed=True))
    waiting = world.change(PutRule(lapsed))
    world.approve(waiting, "bo", "cy")
    world.now = quietly_first(world, waiting)
    world.anchor()
    return is_bound(world, date)


def quietly_first(world: World, change: str) -> Any:
    """The state in which an anchor looks at one change before the others."""
    return replace(world.now, pending=world.now.pending.insert(change, -1))


def _as_worded(patch: Patch) -> None:
    for module in (quorum, proposing):
        patch.setattr(
            module,
            "act_ground",
            lambda state, _, act: (
                quorum.rule_ground(state, act.rule) if isinstance(act, DropRule) else act.rule.where
            ),
        )


def _blind_to_sponsors(patch: Patch) -> None:
    patch.setattr(reads, "_sponsors_read", lambda *_: iter(()))
    patch.setattr(reads, "SPONSORS", "nobody-asks")


CASES = {
    "a small change rolled out everywhere": Case(
        small_change_rolled_out_everywhere, instead(quorum, "reached", lambda rule, _: rule.where)
    ),
    "emergencies chained by rewording": Case(emergencies_chained_by_rewording, _as_worded),
    "a recused person rewords": Case(recused_by_no_rewording, _as_worded),
    "a recused person has two ids": Case(
        recused_under_one_id_only,
        instead(quorum, "contacts_of", lambda state, each: state.contacts_of.get(each.id, ())),
    ),
    "a recused person changes a list": Case(
        recused_from_rules_not_from_lists, instead(quorum, "_list_ground", lambda *_: None)
    ),
    "two logs closed at once": Case(closes_the_next_log_too, without("other_log")),
    "a sponsor moves under a rule": Case(sponsor_moves_under_a_rule, _blind_to_sponsors),
    "a rule moves under a sponsor": Case(rule_moves_under_a_sponsor, _blind_to_sponsors),
}


@pytest.mark.parametrize("name", CASES)
def test_the_attack_fails(name: str) -> None:
    assert not CASES[name].attack()


@pytest.mark.parametrize("name", CASES)
def test_without_the_check_it_succeeds(name: str, monkeypatch: Patch) -> None:
    case = CASES[name]
    case.weaken(monkeypatch)
    assert case.attack()


def test_a_stage_of_cells_is_read_with_the_rules_near_it() -> None:
    world = World()
    world.pass_change(PutRule(rule("near", effect="deny", gate="cell", where=(CELL,))))
    far = rule("far", where=(WORLD[0],))
    stage = Stage(from_us=world.clock_us + 1, where=(CELL,))
    body = world.change_body(PutRule(far), request=world.request(()), rollout=(stage,))
    assert "rule:near" not in reads.keys_read(world.now, world.change_body(PutRule(far)))
    assert "rule:near" in reads.keys_read(world.now, body)


NAMES = st.lists(
    st.sampled_from(["UA", "UA/sea", "UA-43", "UA-43/sea", "UA-65", "UA-65/sea", "PL", "PL-01"]),
    min_size=1,
    unique=True,
)


@given(NAMES, NAMES)
def test_sets_of_names_overlap_where_two_of_them_do(one: list[str], other: list[str]) -> None:
    def same(a: str, b: str) -> bool:
        land, another = a.removesuffix("/sea"), b.removesuffix("/sea")
        if a[:2] != b[:2]:
            return False
        at_sea = a.endswith("/sea") and b.endswith("/sea")
        return at_sea or land == another or "-" not in land or "-" not in another

    assert may_overlap(one, other) == any(same(a, b) for a, b in product(one, other))


def test_one_entry_with_thousands_of_names_holds_up_nobody() -> None:
    letters = "ABCDEFGHIJKLMNOPQRST"
    names = [f"UA-{a}{b}{c}" for a, b, c in product(letters, repeat=3)]
    calls = 0

    def count(frame: object, event: str, _: object) -> None:
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count)
    try:
        assert not may_overlap(tuple(names[:2_000]), tuple(names[2_000:4_000]))
    finally:
        sys.setprofile(None)
    assert calls < 100_000, "every name was compared with every other"
