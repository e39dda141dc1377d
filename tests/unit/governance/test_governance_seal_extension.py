"""A seal is given more time once, by the full quorum, on record."""

from __future__ import annotations

import h3
import pytest
from support.governance import LICENCE, World, rule
from support.weakened import Case, Patch, instead, is_bound, without

from spotbeam.governance import reads_digest
from spotbeam.governance import seals as seals_module
from spotbeam.governance.entries.accounts import Contact
from spotbeam.governance.entries.acts import ExtendSeal, PutRule
from spotbeam.governance.entries.deciding import Bounds, Opening, Seal
from spotbeam.governance.entries.people import QuorumRule
from spotbeam.governance.entries.rules import RuleEntry, WhoEntry
from spotbeam.governance.entries.words import DAY_US
from spotbeam.governance.seals import commitment, sealed_value
from spotbeam.record.keys import encode_base64

CELL, INSIDE = "h3:841e265ffffffff", "h3:851e2643fffffff"
FRONT = rule(
    "front", where=(INSIDE,), effect="deny", gate="cell", who=WhoEntry(protection=("none",))
)
SALT = b"s" * 16


def sealed(world: World, name: str = "seal-1", **changes: object) -> Seal:
    fields: dict[str, object] = {
        "request": world.request(verb="restrict", where=("UA-43",)),
        "grounds": (LICENCE,),
        "commitment": commitment(world.origin, name, sealed_value((FRONT,)), SALT),
        "bounds": Bounds(where=("UA-43",), cells=(CELL,), verb="restrict", lasts_us=90 * DAY_US),
        "open_by_us": world.clock_us + 3 * DAY_US,
        "impact": "6" * 64,
        "lapses_us": world.clock_us + DAY_US,
    }
    return Seal(**{**fields, **changes})  # type: ignore[arg-type]


def with_seal(name: str = "seal-1", **how: object) -> World:
    world = World(**how)  # type: ignore[arg-type]
    world.say(sealed(world, name), "ada", name)
    world.approve(name, "bo", "cy", "dee")
    world.anchor()
    assert world.status(name) == "bound"
    return world


def extend(world: World, days: int, people: tuple[str, ...] = ("bo", "cy"), **how: object) -> str:
    act = ExtendSeal(seal="seal-1", open_by_us=world.clock_us + days * DAY_US)
    change = world.change(act, **how)
    if change in world.now.changes:
        world.approve(change, *people)
        world.anchor()
    return change


def test_a_seal_that_was_given_more_time_is_not_overdue() -> None:
    world = with_seal()
    change = extend(world, 30)
    assert is_bound(world, change)
    assert world.now.extended["seal-1"] == change
    world.anchor(after_us=20 * DAY_US)
    world.say(sealed(world, "seal-2"), "ada", "seal-2")
    assert world.last_code() is None
    world.anchor(after_us=11 * DAY_US)
    world.say(sealed(world, "seal-3"), "ada", "seal-3")
    assert world.last_code() == "seal_overdue"
    opening = Opening(
        seal="seal-1", value=sealed_value((FRONT,)).decode(), salt=encode_base64(SALT)
    )
    world.say(opening, "ada")
    assert world.last_code() is None
    world.say(sealed(world, "seal-4"), "ada", "seal-4")
    assert world.last_code() is None


def test_an_extension_is_for_later_and_for_a_seal_that_waits() -> None:
    world = with_seal()
    for act, code in (
        (ExtendSeal(seal="seal-1", open_by_us=world.clock_us + DAY_US), "too_late"),
        (ExtendSeal(seal="seal-9", open_by_us=world.clock_us + 9 * DAY_US), "unknown"),
    ):
        world.change(act)
        assert world.last_code() == code
    world.change(
        ExtendSeal(seal="seal-1", open_by_us=world.clock_us + 9 * DAY_US),
        request=world.request(where=("PL",)),
    )
    assert world.last_code() == "not_asked"


def test_an_extension_does_not_bind_after_the_opening() -> None:
    world = with_seal()
    change = world.change(ExtendSeal(seal="seal-1", open_by_us=world.clock_us + 9 * DAY_US))
    world.approve(change, "bo", "cy")
    value = sealed_value((FRONT,)).decode()
    world.say(Opening(seal="seal-1", value=value, salt=encode_base64(SALT)), "ada")
    world.anchor()
    assert world.now.changes[change].stood_still == "unknown"
    assert "seal-1" not in world.now.overdue_from


def test_an_extension_reads_the_seal_and_nothing_else_of_the_policy() -> None:
    world = with_seal()
    change = world.change(ExtendSeal(seal="seal-1", open_by_us=world.clock_us + 9 * DAY_US))
    before = reads_digest(world.now, world.now.changes[change].proposal)
    world.pass_change(PutRule(rule("other")))
    assert reads_digest(world.now, world.now.changes[change].proposal) == before


def again() -> bool:
    """Put the opening off a second time."""
    world = with_seal()
    assert is_bound(world, extend(world, 10))
    return is_bound(world, extend(world, 20))


def two_at_once() -> bool:
    """Have two extensions approved before either binds."""
    world = with_seal()
    changes = [
        world.change(ExtendSeal(seal="seal-1", open_by_us=world.clock_us + days * DAY_US))
        for days in (10, 20)
    ]
    for change in changes:
        world.approve(change, "bo", "cy")
    world.anchor()
    return is_bound(world, changes[1])


def when_overdue() -> bool:
    """Let the day pass, and make it good afterwards."""
    world = with_seal()
    world.anchor(after_us=4 * DAY_US)
    return is_bound(world, extend(world, 10))


def by_a_part() -> bool:
    """Put it off with two people where the full quorum is three."""
    world = with_seal(quorum=QuorumRule(persons=3, factors=2))
    return is_bound(world, extend(world, 10))


def by_somebody_with_a_contact() -> bool:
    """Ask about the whole country, so that a contact on the sealed ground is not looked at."""
    world = with_seal()
    near = f"h3:{h3.cell_to_children(INSIDE[3:], 6)[0]}"
    world.say(Contact(person="cy", party="xx", where=(near,), at_us=world.clock_us), "cy")
    world.anchor()
    request = world.request(where=(CELL,))
    act = ExtendSeal(seal="seal-1", open_by_us=world.clock_us + 10 * DAY_US)
    return is_bound(world, world.pass_change(act, request=request))


CASES = {
    "a second time": Case(again, without("extended")),
    "two at once": Case(two_at_once, without("extended")),
    "when it is overdue": Case(when_overdue, without("seal_overdue")),
    "by a part of the quorum": Case(
        by_a_part,
        lambda patch: patch.setattr("spotbeam.governance.binding.is_met", lambda *_: True),
    ),
    "by somebody with a contact": Case(by_somebody_with_a_contact, without("recused")),
}


@pytest.mark.parametrize("name", CASES)
def test_an_opening_is_not_put_off(name: str) -> None:
    assert not CASES[name].attack()


@pytest.mark.parametrize("name", CASES)
def test_without_the_check_it_is(name: str, monkeypatch: Patch) -> None:
    case = CASES[name]
    case.weaken(monkeypatch)
    assert case.attack()


# -- guessing what a seal holds


def guesses(salt: bytes) -> list[bytes]:
    """What somebody could try who knows the form and the bounds: every cell within them."""
    return [
        bytes.fromhex(
            commitment(
                World().origin,
                "seal-1",
                sealed_value((rule_on(f"h3:{cell}"),)),
                salt,
            )
        )
        for cell in sorted(h3.cell_to_children(CELL[3:], 6))
    ]


def rule_on(cell: str) -> RuleEntry:
    return rule("front", where=(cell,), effect="deny", gate="cell", who=FRONT.who)


def test_a_seal_is_not_guessed_from_its_commitment(monkeypatch: Patch) -> None:
    """All cells inside the bounds are tried; with a salt that is known, one of them is found."""
    hidden = f"h3:{sorted(h3.cell_to_children(CELL[3:], 6))[17]}"
    salt = bytes(range(16))
    world = World()
    value = sealed_value((rule_on(hidden),))
    world.say(
        sealed(world, commitment=commitment(world.origin, "seal-1", value, salt)), "ada", "seal-1"
    )
    proposal = world.now.changes["seal-1"].proposal
    assert isinstance(proposal, Seal)
    held = bytes.fromhex(proposal.commitment)
    assert held not in guesses(bytes(16))
    assert guesses(salt).index(held) == 17
    instead(seals_module, "commit", lambda o, i, f, value, salt: REAL(o, i, f, value, bytes(16)))(
        monkeypatch
    )
    saltless = bytes.fromhex(commitment(world.origin, "seal-1", value, salt))
    assert guesses(bytes(16)).index(saltless) == 17


REAL = seals_module.commit
