"""A preview is the commit itself on a copy: whatever binds afterwards leaves the same state."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from support.governance import LICENCE, START_US, Keys, World, person, rule, witness_quorum

from spotbeam.errors import Refused
from spotbeam.governance.entries.acts import (
    AddFactor,
    DropList,
    DropRule,
    DropSponsor,
    PutBoundaries,
    PutList,
    PutRule,
    PutSponsor,
    Seat,
    SetQuorum,
    SetRules,
    SetWitnesses,
    Unseat,
)
from spotbeam.governance.entries.deciding import Bounds, Emergency, Seal, Stage
from spotbeam.governance.entries.people import Boundaries, Factor, QuorumRule
from spotbeam.governance.entries.rules import WhoEntry
from spotbeam.governance.entries.words import DAY_US, HOUR_US, SECOND_US, Span
from spotbeam.governance.history import intended
from spotbeam.governance.preview import as_if_bound, reads, rivals
from spotbeam.governance.state import state_digest

PEOPLE = ("bo", "cy", "dee")
ANCHOR_US = 60 * SECOND_US
DECIDED = (
    "layers",
    "rules_over",
    "rules_naming",
    "requests",
    "roster",
    "unreviewed",
    "seals",
    "overdue_from",
    "witness_quorum",
    "rules_version",
    "pending",
    "witnessed_us",
)


def settled_world() -> World:
    """A record with a rule, a list that another rule asks about, a sponsor, and a seated person."""
    world = World(quorum=QuorumRule(persons=3, factors=2))
    kits = rule("kits", effect="deny", gate="list", who=WhoEntry(not_on_list=("kits",)))
    world.pass_change(
        PutRule(rule()),
        PutRule(kits),
        PutList(list="kits", version=1, count=3, root="2" * 64),
        PutSponsor(sponsor="relief"),
        people=PEOPLE,
    )
    assert world.codes() == []
    return world


def seat(world: World) -> Seat:
    new = Keys("fay")
    proof = new.possession("fay", "the-change", world.now.genesis, world.origin)
    return Seat(person=person("fay", new, "civil", ("approver",)), possessions=(proof,))


CHANGES: dict[str, Any] = {
    "a rule comes in": lambda w: w.change_body(PutRule(rule("b", where=("UA-43",)))),
    "a rule is worded anew": lambda w: w.change_body(PutRule(rule(except_=("UA-43",)))),
    "a rule goes": lambda w: w.change_body(DropRule("ua-authorised")),
    "a list moves on": lambda w: w.change_body(
        PutList(list="kits", version=2, count=9, root="3" * 64)
    ),
    "a list goes with its rule": lambda w: w.change_body(DropRule("kits"), DropList("kits")),
    "a sponsor ends": lambda w: w.change_body(
        PutSponsor(sponsor="relief", until_us=START_US + 9 * DAY_US)
    ),
    "a sponsor goes": lambda w: w.change_body(DropSponsor("relief")),
    "borders are drawn": lambda w: w.change_body(
        PutBoundaries(Boundaries(view="un", source="Natural Earth", digest="4" * 64))
    ),
    "later": lambda w: w.change_body(
        PutRule(rule("b")), window=Span(from_us=START_US + 3 * DAY_US)
    ),
    "for a time": lambda w: w.change_body(
        DropRule("ua-authorised"), window=Span(until_us=START_US + 3 * DAY_US)
    ),
    "stage by stage": lambda w: w.change_body(
        PutRule(rule("b", where=("UA-43", "UA-65"))),
        rollout=(
            Stage(from_us=START_US + DAY_US, where=("h3:841e265ffffffff",)),
            Stage(from_us=START_US + 2 * DAY_US, where=("UA-65",)),
        ),
    ),
    "an emergency": lambda w: Emergency(
        request=w.request(verb="deactivate"),
        grounds=(LICENCE,),
        acts=(PutRule(rule("off", effect="deny", gate="order", emergency=True)),),
        lasts_us=6 * HOUR_US,
        impact="4" * 64,
        lapses_us=w.clock_us + DAY_US,
    ),
    "a seal": lambda w: Seal(
        request=w.request(verb="restrict"),
        grounds=(LICENCE,),
        commitment="5" * 64,
        bounds=Bounds(
            where=("UA",), cells=("h3:841e265ffffffff",), verb="restrict", lasts_us=DAY_US
        ),
        open_by_us=w.clock_us + DAY_US,
        impact="6" * 64,
        lapses_us=w.clock_us + DAY_US,
    ),
    "people": lambda w: w.change_body(
        seat(w),
        Unseat("eli"),
        AddFactor(Factor(id="press", name="Press", party="a-union")),
        SetQuorum(QuorumRule(persons=4, factors=2)),
    ),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_the_state_after_is_the_one_that_was_shown(kind: str) -> None:
    world = settled_world()
    other = world.request(where=("MD",))  # not witnessed yet: the same anchor will cover it
    body = CHANGES[kind](world)
    at_us = world.clock_us + ANCHOR_US
    draft = as_if_bound(world.now, body, "the-change", at_us)
    name = world.say(body, "ada", "the-change")
    before = state_digest(world.now)
    logged = as_if_bound(world.now, world.now.changes[name].proposal, name, at_us)
    assert state_digest(world.now) == before  # a preview changes nothing
    world.approve(name, *PEOPLE)
    world.anchor(after_us=ANCHOR_US)
    assert world.status(name) == "bound", world.now.changes[name].stood_still
    assert world.now.requests[other].since_us == at_us
    for shown in (draft, logged):
        for field in DECIDED:
            assert getattr(shown, field) == getattr(world.now, field), field
    for hours in (0, 5, 7, 30, 60, 100, 24 * 20):
        when = at_us + hours * HOUR_US
        said, came = intended(logged, when), intended(world.now, when)
        for field in ("rules", "lists", "sponsors", "boundaries", "requests", "seals", "until_us"):
            assert getattr(said, field) == getattr(came, field), (field, hours)


def test_new_witnesses_are_shown_though_no_anchor_has_asked_them_yet() -> None:
    world = settled_world()
    quorum = witness_quorum(("w1", "w2", "w3", "w4"))
    body = world.change_body(SetWitnesses(quorum))
    shown = as_if_bound(world.now, body, "the-change", world.clock_us)
    assert shown.witness_quorum == quorum


REFUSALS: dict[str, tuple[Any, str]] = {
    "no such rule": (lambda w: w.change_body(DropRule("nobody")), "unknown"),
    "no such list": (
        lambda w: w.change_body(PutRule(rule("b", who=WhoEntry(on_list=("nobody",))))),
        "unknown",
    ),
    "a version is left out": (
        lambda w: w.change_body(PutList(list="kits", version=3, count=1, root="3" * 64)),
        "list_version",
    ),
    "ground that nobody asked about": (
        lambda w: w.change_body(PutRule(rule("b", where=("MD",)))),
        "not_asked",
    ),
    "mixed": (lambda w: w.change_body(DropRule("kits"), SetRules(version=2)), "mixed"),
    "the window is past": (
        lambda w: w.change_body(DropRule("kits"), window=Span(until_us=START_US)),
        "window",
    ),
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_what_the_record_would_void_is_refused_for_the_same_reason(kind: str) -> None:
    world = settled_world()
    make, code = REFUSALS[kind]
    body = make(world)
    with pytest.raises(Refused) as refused:
        as_if_bound(world.now, body, "the-change", world.clock_us)
    assert refused.value.code == code
    world.say(body, "ada", "the-change")
    assert world.last_code() == code


def test_what_has_ended_has_no_preview() -> None:
    world = settled_world()
    name = world.change()
    late = world.clock_us + 21 * DAY_US
    with pytest.raises(Refused, match="lapsed"):
        as_if_bound(world.now, world.now.changes[name].proposal, name, late)
    world.approve(name, *PEOPLE)
    world.anchor()
    assert world.status(name) == "bound"
    with pytest.raises(Refused, match="bound"):
        as_if_bound(world.now, world.now.changes[name].proposal, name, world.clock_us)
    body = world.change_body(request="nobody-asked")
    with pytest.raises(Refused, match="no request"):
        as_if_bound(world.now, body, "b", world.clock_us)


def test_an_id_cannot_be_lent_to_another_proposal() -> None:
    world = settled_world()
    name = world.change()
    other = world.change_body(DropRule("kits"))
    with pytest.raises(Refused, match="another"):
        as_if_bound(world.now, other, name, world.clock_us)


def test_what_it_reads_and_what_else_is_pending_is_named() -> None:
    world = settled_world()
    first = world.change(PutRule(rule(except_=("UA-43",))))
    second = world.change(PutRule(rule("b", where=("UA-43",))))
    proposal = world.now.changes[second].proposal
    assert reads(world.now, proposal) == ("rule:kits", "rule:ua-authorised")
    assert rivals(world.now, proposal, second) == (first,)
    elsewhere = world.change(
        PutRule(rule("md", where=("MD",))), request=world.request(where=("MD",))
    )
    assert rivals(world.now, world.now.changes[elsewhere].proposal, elsewhere) == ()


def test_the_clock_cannot_be_turned_back() -> None:
    world = settled_world()
    body = world.change_body(impact=sha256(b"").hexdigest())
    shown = as_if_bound(world.now, body, "b", 0)
    assert shown.witnessed_us == world.now.witnessed_us
