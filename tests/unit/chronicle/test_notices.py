"""Notices: to whom one is owed, by when, and what the record says became of it."""

from __future__ import annotations

from typing import Any

import pytest
from support.accounts import STATE, claim, read_world, with_parties
from support.governance import LICENCE, World, rule

from spotbeam.chronicle.notices import DUE_US, PROTECTED, Owed, owed
from spotbeam.governance.entries.accounts import Interest, Matter, Notice, Party
from spotbeam.governance.entries.acts import (
    Act,
    DropList,
    DropRule,
    DropSponsor,
    PutList,
    PutRule,
    PutSponsor,
)
from spotbeam.governance.entries.deciding import Bounds, Seal
from spotbeam.governance.entries.rules import WhoEntry
from spotbeam.governance.entries.words import DAY_US, SECOND_US


def owing(world: World, about: str, *, after_us: int = 0) -> dict[tuple[str, str], Owed]:
    """What is owed about one entry, by whom and as what."""
    found = owed(read_world(world), world.clock_us + after_us)
    return {(each.to, each.role): each for each in found if each.about == about}


def licensed(world: World) -> World:
    with_parties(world)
    world.say(Party(party="authority", name="The authority", kind="body"), "rex")
    world.say(Interest(party="authority", where=("UA",), kind="licensor"), "rex")
    world.anchor()
    return world


def others(**who: Any) -> WhoEntry:
    return WhoEntry(protection=("none",), **who)


def put_list(name: str, version: int = 1) -> PutList:
    return PutList(list=name, version=version, count=0, root="1" * 64)


def test_a_request_is_told_to_whoever_licenses_service_on_its_ground() -> None:
    world = licensed(World())
    there, elsewhere = world.request(("UA-43",)), world.request(("MT",))
    world.anchor()
    assert set(owing(world, there)) == {("authority", "licensor")}
    assert owing(world, elsewhere) == {}


def test_nothing_is_owed_before_it_is_witnessed() -> None:
    world = licensed(World())
    name = world.request()
    assert owing(world, name) == {}
    world.anchor()
    (each,) = owing(world, name).values()
    assert each.due_us == world.clock_us + DUE_US["licensor"]


@pytest.mark.parametrize(
    ("act", "to"),
    [
        (PutRule(rule(who=others())), {("aid-fund", "sponsor")}),
        (PutRule(rule()), {("aid-fund", "sponsor"), (PROTECTED, "protected")}),
        (PutRule(rule(where=("UA-43",), who=others())), {("aid-fund", "sponsor")}),
        (PutRule(rule(where=("MT",), who=others())), set()),
        (PutRule(rule(who=others(sponsor=("school-fund",)))), {("school-fund", "sponsor")}),
        (DropRule("fleet"), {("aid-fund", "sponsor")}),
        (put_list("crews", 2), {("aid-fund", "sponsor")}),
        (put_list("unasked"), set()),
        (PutSponsor(sponsor="ship-fund"), {("ship-fund", "sponsor")}),
        (DropSponsor(sponsor="aid-fund"), {("aid-fund", "sponsor")}),
    ],
)
def test_whom_a_change_may_touch(act: Act, to: set[tuple[str, str]]) -> None:
    world = licensed(World())
    listed = others(sponsor=("aid-fund",), on_list=("crews",))
    fleet = rule("fleet", where=("UA",), who=listed)
    world.pass_change(PutSponsor(sponsor="aid-fund"), put_list("crews"))
    world.pass_change(PutRule(fleet))
    assert world.codes() == []
    where = act.rule.where if isinstance(act, PutRule) else ("UA",)
    name = world.change(act, request=world.request(where))
    world.anchor()
    assert world.codes() == []
    licensor = {("authority", "licensor")} if where != ("MT",) else set()
    assert set(owing(world, name)) == to | licensor


def test_a_sponsor_whose_rule_is_gone_is_touched_no_more() -> None:
    world = licensed(World())
    fleet = rule("fleet", who=others(sponsor=("aid-fund",)))
    world.pass_change(PutSponsor(sponsor="aid-fund"))
    before = world.pass_change(PutRule(fleet))
    world.pass_change(DropRule("fleet"))
    after = world.pass_change(PutRule(rule(who=others())))
    assert world.codes() == []
    assert ("aid-fund", "sponsor") in owing(world, before)
    assert ("aid-fund", "sponsor") not in owing(world, after)


def test_a_list_that_is_dropped_with_its_rule_touches_whom_the_rule_named() -> None:
    world = licensed(World())
    listed = others(sponsor=("aid-fund",), on_list=("crews",))
    world.pass_change(PutSponsor(sponsor="aid-fund"), put_list("crews"))
    world.pass_change(PutRule(rule("fleet", who=listed)))
    name = world.pass_change(DropRule("fleet"), DropList("crews"))
    assert world.codes() == []
    assert ("aid-fund", "sponsor") in owing(world, name)


def test_a_seal_is_told_to_the_licensor_only() -> None:
    world = licensed(World())
    world.pass_change(PutRule(rule()))
    seal = Seal(
        request=world.request(),
        grounds=(LICENCE,),
        commitment="1" * 64,
        bounds=Bounds(
            where=("UA",), cells=("h3:841e265ffffffff",), verb="restrict", lasts_us=DAY_US
        ),
        impact="2" * 64,
        open_by_us=world.clock_us + 10 * DAY_US,
        lapses_us=world.clock_us + 5 * DAY_US,
    )
    name = world.say(seal, "ada")
    world.anchor()
    assert world.codes() == []
    assert set(owing(world, name)) == {("authority", "licensor")}


def test_a_notice_that_is_owed_served_failed_and_overdue() -> None:
    world = licensed(World())
    name = world.request()
    world.anchor()
    key = ("authority", "licensor")
    due_us = DUE_US["licensor"]

    def stands(after_us: int = 0) -> str:
        return owing(world, name, after_us=after_us)[key].status

    assert (stands(due_us - SECOND_US), stands(due_us)) == ("owed", "overdue")
    told: dict[str, Any] = {"about": name, "to": "authority", "at_us": world.clock_us}
    world.say(Notice(role="sponsor", receipt="1" * 64, **told), "rex")
    world.anchor()
    assert stands() == "owed"  # told as somebody else
    world.say(Notice(role="licensor", failure="no answer", **told), "rex")
    world.anchor()
    assert stands(due_us) == "failed"
    receipt = world.say(Notice(role="licensor", receipt="1" * 64, **told), "rex")
    world.anchor()
    served = owing(world, name, after_us=due_us)[key]
    assert (served.status, served.notice, served.was_late) == ("served", receipt, False)


def test_whom_a_claim_names_is_told_and_its_speaker_is_not() -> None:
    world = with_parties(World())
    about = world.say(Matter(title="Calls"), "rex")
    name = world.say(claim(about, party=STATE, names=(STATE, "owner")), "rex")
    world.say(claim(name, "retracts", party=STATE, names=("owner",)), "rex")
    world.anchor()
    assert [(each.about, each.to) for each in owed(read_world(world), world.clock_us)] == [
        (name, "owner")
    ]
