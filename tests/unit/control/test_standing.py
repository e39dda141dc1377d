"""How proposals stand, in words, against what the fold then does; and text that cannot steer."""

from __future__ import annotations

import pytest
from support.governance import LICENCE, World, rule

from spotbeam.control.standing import standing, word_of
from spotbeam.control.wording import act_words, places, plain, proposal_facts, rule_words
from spotbeam.governance.entries.acts import DropRule, PutRule
from spotbeam.governance.entries.asking import Refusal
from spotbeam.governance.entries.people import QuorumRule, Revocation
from spotbeam.governance.entries.words import DAY_US, HOUR_US, Span


def test_what_is_missing_shrinks_until_it_binds() -> None:
    world = World(quorum=QuorumRule(persons=3, factors=3, must_include=("civil",)))
    name = world.change()
    found = standing(world.now, name)
    assert found.missing == (
        "3 more approvals of 3",
        "approvals from 3 more factors of 3",
        "an approval from the factor civil",
        "a witnessed checkpoint that covers it",
    )
    # Rex, a registrar, asked; ada proposed: neither may.
    assert found.may == ("bo (operator)", "cy (regulator)", "dee (regulator)", "eli (civil)")
    world.anchor()
    world.approve(name, "bo", "cy")
    found = standing(world.now, name)
    assert found.missing == (
        "1 more approval of 3",
        "approvals from 1 more factor of 3",
        "an approval from the factor civil",
        "a witnessed checkpoint that covers it",
    )
    assert {said.why_not for said in found.said} == {"no witnessed checkpoint covers it yet"}
    world.anchor()
    assert {said.why_not for said in standing(world.now, name).said} == {None}
    world.approve(name, "eli")
    assert standing(world.now, name).missing == ("a witnessed checkpoint that covers it",)
    world.anchor()
    found = standing(world.now, name)
    assert (found.word, found.missing, found.may) == ("bound", (), ())
    assert found.bound_us == world.now.witnessed_us
    assert found.bound_index == world.now.size - 1


def test_it_says_why_an_approval_does_not_count() -> None:
    world = World()
    name = world.change()
    world.approve(name, "bo")
    world.anchor()
    world.anchor(after_us=21 * HOUR_US)
    (said,) = standing(world.now, name).said
    assert said.why_not is not None
    assert said.why_not.startswith("it expired at ")
    other = world.change(PutRule(rule("second")))
    world.approve(other, "bo")
    world.pass_change(PutRule(rule("third")), people=("bo", "dee"))
    (said,) = standing(world.now, other).said
    assert said.why_not == "rules or lists that the proposal reads have moved since"


def test_nobody_left_to_approve_is_said() -> None:
    world = World()
    name = world.change()
    world.anchor()
    for person in ("cy", "dee", "eli"):
        world.say(Revocation(revoked=world.keys[person].digest), person)
    world.approve(name, "bo")
    assert "nobody else on the roster may approve it" in standing(world.now, name).missing


@pytest.mark.parametrize("after_us", [21 * DAY_US, 40 * DAY_US])
def test_a_lapse_is_seen_without_an_entry(after_us: int) -> None:
    world = World()
    name = world.change()
    world.anchor()
    world.anchor(after_us=after_us)
    assert standing(world.now, name).word == "lapsed"


def test_how_a_request_stands() -> None:
    world = World()
    open_, refused, late = (world.request() for _ in range(3))
    world.say(Refusal(request=refused, grounds=(LICENCE,), quote="no"), "cy")
    words = [word_of(world.now.requests[n], world.clock_us) for n in (open_, refused)]
    assert words == ["open", "refused"]
    assert word_of(world.now.requests[late], world.clock_us + 61 * DAY_US) == "lapsed"


def test_the_words_of_a_proposal_hold_all_that_it_does() -> None:
    world = World()
    world.pass_change(PutRule(rule("old")))
    changed = rule(
        "ua-cap",
        effect="deny",
        gate="mobility",
        where=tuple(f"UA-{n}" for n in range(10, 30)),
        except_=("UA-43",),
        guard_km="2.5",
        on_stale="deny",
        stale_after_us=HOUR_US,
    )
    name = world.change(
        PutRule(changed), DropRule("old"), window=Span(until_us=world.clock_us + DAY_US)
    )
    text = "\n".join(value for _, value in proposal_facts(world.now, world.now.changes[name]))
    for words in (
        "new rule ua-cap: denies service, at the mobility gate",
        "and 8 more",
        "except UA-43",
        "with a guard of 2.5 km",
        "on silence deny after 1h",
        "takes out the rule old",
        "from when it binds, until 2026-",
        "authorisation:ua-2022-02",
        "registered by rex",
    ):
        assert words in text, words
    (again,) = act_words(world.now, world.change_body(PutRule(rule("old"))))
    assert again.startswith("another wording of rule old")
    assert "everywhere" in rule_words(rule(where=()))
    assert places(()) == "everywhere"


@pytest.mark.parametrize(
    "char",
    [
        "\u202e",
        "\u2066",
        "\x1b",
        "\x07",
        "\n",
        "\t",
        "\u200b",
        "\u2028",
        "\ue000",
        "\U000e0041",
        "\ud800",
        "\u00ad",
        "\u00a0",
    ],
)
def test_nothing_that_could_control_or_hide_is_shown(char: str) -> None:
    shown = plain(f"a{char}b")
    assert char not in shown
    assert shown.startswith("a\\")
    assert shown.isascii()


@pytest.mark.parametrize("text", ["Київ", "São Tomé", "台灣", "عدن", "a-b (c) 12,5 %"])
def test_the_words_of_all_languages_stay(text: str) -> None:
    assert plain(text) == text


def test_an_escape_cannot_be_written_by_hand() -> None:
    assert plain("\\u202e") != plain("\u202e")
