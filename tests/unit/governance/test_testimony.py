"""What people tell is taken in, and steers nobody but its own teller."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from support.governance import LICENCE, World, rule
from support.weakened import Case, Patch, instead, is_bound, without

from spotbeam.governance import testimony
from spotbeam.governance.entries.accounts import (
    AlertAct,
    Claim,
    Contact,
    Disclosed,
    Disclosure,
    Grade,
    Interest,
    Matter,
    Notice,
    Observation,
    Party,
    PositionSeen,
    Source,
    Tie,
    TieEnd,
    Verification,
    ZeroReport,
)
from spotbeam.governance.entries.acts import ConfirmContact, PutRule, SilenceAlerts
from spotbeam.governance.entries.words import DAY_US, SECOND_US, Ground
from spotbeam.governance.quorum import CONTACT_COUNTS_US
from spotbeam.governance.state import state_digest

SOURCE = Source(name="The Harbour Gazette", published="2024-10-25")


def tie(world: World, person: str = "cy", where: tuple[str, ...] = ("UA",), **changes: Any) -> Tie:
    body: dict[str, Any] = {
        "person": person,
        "party": "state-xx",
        "kind": "contract",
        "where": where,
        "from_us": world.clock_us - 400 * DAY_US,
    }
    return Tie(**{**body, **changes})


def words(world: World, contact: str, matter: str, claim: str) -> list[Any]:
    """One of every kind that has no effect on any decision."""
    at_us = world.now.witnessed_us
    return [
        Party(party="state-xx", name="The state of X", kind="state"),
        Party(party="owner", name="The owner", kind="person", role="owner", part_of="spotbeam-op"),
        Interest(party="state-xx", where=("UA-43",), kind="claimant"),
        Disclosure(contact=contact, disclosed=Disclosed(to="the licensor", at_us=at_us)),
        ZeroReport(from_us=at_us - 90 * DAY_US, until_us=at_us),
        Matter(title="Calls in autumn", where=("UA-43",), parties=("owner", "state-xx")),
        Claim(about=matter, stance="asserts", source=SOURCE, quote="They spoke often."),
        Claim(about=claim, stance="retracts", source=SOURCE, quote="We were wrong."),
        Grade(claim=claim, reliability="F", credibility=6),
        Notice(about=claim, to="owner", role="named", at_us=at_us, failure="no address"),
        AlertAct(alert="a1-00ff", act="acknowledge", words="seen"),
        Observation(
            by="probe-7",
            at_us=at_us,
            seen=PositionSeen(where="UA", terminal_class="land", jump_m=90_000, jump_s=1),
        ),
    ]


def told(world: World) -> tuple[str, str, str]:
    contact = world.say(
        Contact(person="owner", party="state-xx", where=("UA-43",), at_us=world.clock_us), "rex"
    )
    matter = world.say(Matter(title="Calls"), "rex")
    body = Claim(about=matter, stance="denies", source=SOURCE, quote="Never.")
    claim = world.say(body, "rex")
    world.anchor()
    return contact, matter, claim


def test_every_kind_is_taken_in_and_changes_nothing_that_decides() -> None:
    world = World()
    names = told(world)
    before = world.now
    for body in words(world, *names):
        world.say(body, "rex")
        assert world.last_code() is None, body
    after = world.now
    for field in ("roster", "requests", "changes", "layers", "contacts", "ties", "pending"):
        assert getattr(after, field) == getattr(before, field)
    assert is_bound(world, world.pass_change())


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (lambda w, c: Claim(about="e99", stance="denies", source=SOURCE, quote="No."), "unknown"),
        (lambda w, c: Grade(claim="e99", reliability="A"), "unknown"),
        (lambda w, c: Grade(claim=c), "empty"),
        (lambda w, c: Notice(about=c, to="x", role="named", at_us=0), "outcome"),
        (
            lambda w, c: Notice(
                about=c, to="x", role="named", at_us=0, receipt="1" * 64, failure="no"
            ),
            "outcome",
        ),
        (lambda w, c: ZeroReport(from_us=5, until_us=5), "period"),
        (lambda w, c: ZeroReport(from_us=5, until_us=w.now.witnessed_us + 1), "period"),
        (lambda w, c: TieEnd(tie="e99", until_us=5), "unknown"),
        (lambda w, c: Disclosure(contact=c, disclosed=Disclosed(to="x", at_us=5)), "unknown"),
        (lambda w, c: Verification(request="e99", how="call-back"), "unknown"),
        (lambda w, c: tie(w, until_us=w.clock_us - 500 * DAY_US), "period"),
    ],
)
def test_what_contradicts_itself_is_void(body: Callable[[World, str], Any], code: str) -> None:
    world = World()
    _, _, claim = told(world)
    digest = state_digest(world.now)
    world.say(body(world, claim), "rex")
    assert world.last_code() == code
    assert state_digest(world.now) != digest  # it is listed as void


def test_a_tie_keeps_its_declarer_from_approving_there_and_nowhere_else() -> None:
    world = World()
    world.say(tie(world), "cy")
    world.anchor()
    assert not is_bound(world, world.pass_change(people=("bo", "cy")))
    abroad = world.change(PutRule(rule("pl", where=("PL",))), request=world.request(("PL",)))
    world.approve(abroad, "bo", "cy")
    world.anchor()
    assert is_bound(world, abroad)
    assert is_bound(world, world.pass_change(people=("bo", "dee")))


def test_a_tie_without_ground_keeps_nobody_away() -> None:
    world = World()
    world.say(tie(world, where=()), "cy")
    assert is_bound(world, world.pass_change(people=("bo", "cy")))


@pytest.mark.parametrize("after_us", [-SECOND_US, 0])
def test_a_tie_counts_ninety_days_past_its_end_to_the_second(after_us: int) -> None:
    world = World()
    name = world.say(tie(world), "cy")
    world.anchor()
    world.say(TieEnd(tie=name, until_us=world.clock_us - 300 * DAY_US), "cy")
    ended_us = world.now.ties[name].until_us
    assert ended_us == world.now.witnessed_us  # not before it was told, whatever it says
    change = world.change()
    world.anchor(after_us=ended_us + CONTACT_COUNTS_US + after_us - world.clock_us)
    assert world.now.witnessed_us == ended_us + CONTACT_COUNTS_US + after_us
    # The proposal lapsed meanwhile: ask anew, under the clock as it stands.
    assert world.now.changes[change].has_lapsed(world.now.witnessed_us)
    fresh = world.change()
    world.approve(fresh, "bo", "cy") if after_us == 0 else world.approve(fresh, "bo")
    if after_us < 0:
        world.approve(fresh, "cy")
        assert world.last_code() == "recused"
    world.anchor()
    assert is_bound(world, fresh) == (after_us == 0)


def test_a_quorum_confirms_a_tie_that_somebody_else_declared() -> None:
    world = World()
    name = world.say(tie(world), "ada")
    world.pass_change(ConfirmContact(name), people=("bo", "dee"))
    assert world.now.ties[name].counts
    assert not is_bound(world, world.pass_change(people=("bo", "cy")))
    world.say(TieEnd(tie=name, until_us=world.clock_us), "ada")
    assert world.last_code() == "not_theirs"


def test_a_ground_holds_only_from_when_it_is_issued() -> None:
    world = World()
    world.anchor()
    later = Ground(
        kind="authorisation",
        id="ua-2022-02",
        issuer="Licensing authority",
        from_us=world.clock_us + DAY_US,
    )
    world.change(grounds=(later,))
    assert world.last_code() == "ground_not_yet"
    world.anchor(after_us=DAY_US)
    assert is_bound(world, world.pass_change(grounds=(later,)))


# -- attacks, each beside the same attack where one check is taken out


def passes(world: World, *acts: Any, people: tuple[str, ...] = ("bo", "cy"), **how: Any) -> bool:
    """Try to have a change bind that may be void from the start."""
    name = world.change(*acts, **how)
    if name not in world.now.changes:
        return False
    world.approve(name, *people)
    world.anchor()
    return is_bound(world, name)


def planted_tie() -> bool:
    """Declare a tie for an approver of the other party, so that they may not say no."""
    world = World()
    world.say(tie(world, "cy"), "ada")
    world.anchor()
    return not is_bound(world, world.pass_change(people=("bo", "cy")))


def planted_claim() -> bool:
    """Have a paper say that an approver spoke with the other side."""
    world = World()
    world.anchor()
    matter = world.say(Matter(title="Calls", where=("UA",), parties=("cy",)), "ada")
    world.say(
        Claim(about=matter, stance="asserts", source=SOURCE, quote="Cy called.", names=("cy",)),
        "ada",
    )
    world.anchor()
    return not is_bound(world, world.pass_change(people=("bo", "cy")))


def tie_shed() -> bool:
    """End one's own tie years ago, on the day of the decision."""
    world = World()
    name = world.say(tie(world), "cy")
    world.anchor()
    world.say(TieEnd(tie=name, until_us=world.clock_us - 300 * DAY_US), "cy")
    return is_bound(world, world.pass_change(people=("bo", "cy")))


def tie_ended_by_a_friend() -> bool:
    """Have a colleague end the tie of an approver, backwards."""
    world = World()
    name = world.say(tie(world), "cy")
    world.anchor()
    world.say(TieEnd(tie=name, until_us=world.clock_us - 300 * DAY_US), "ada")
    world.anchor(after_us=CONTACT_COUNTS_US)
    return is_bound(world, world.pass_change(people=("bo", "cy")))


def forged_letter() -> bool:
    """Bring a letter that the ministry never wrote, and have a change follow from it."""
    world = World()
    request = world.request(verified="unverified")
    return passes(world, request=request)


def letter_verified_by_its_bearer() -> bool:
    """Have the registrar who brought it in say that it is genuine."""
    world = World()
    request = world.request(verified="unverified")
    world.say(Verification(request=request, how="call-back"), "rex")
    return passes(world, request=request)


def alarm_about_alarms_silenced() -> bool:
    world = World()
    world.anchor()
    act = SilenceAlerts(rule="A15", until_us=world.clock_us + DAY_US, words="too loud")
    return passes(world, act)


def silenced_for_good() -> bool:
    world = World()
    world.anchor()
    act = SilenceAlerts(rule="A6", until_us=world.clock_us + 3_000 * DAY_US, words="too loud")
    return passes(world, act)


def silenced_by_one() -> bool:
    world = World()
    world.anchor()
    act = SilenceAlerts(rule="A6", until_us=world.clock_us + DAY_US, words="too loud")
    return passes(world, act, people=("bo",))


def _counted(state: Any, entry: Any, body: Any, person: Any) -> Any:
    return _TIED(state, entry, body, state.seated.persons[body.person])


_TIED = testimony._tied
_UNTIED = testimony._untied


def _freed(state: Any, body: TieEnd, person: Any) -> Any:
    known = _UNTIED(state, body, person)
    tied = known.ties[body.tie]
    ended = type(tied)(
        id=tied.id, tie=tied.tie, signed_by=tied.signed_by, counts=True, until_us=body.until_us
    )
    return type(state)(
        **{name: getattr(known, name) for name in known.__struct_fields__ if name != "ties"},
        ties=known.ties.insert(tied.id, ended),
    )


def _steered(state: Any, entry: Any, body: Any, person: Any) -> Any:
    """As if a claim told of a contact that counts."""
    if isinstance(body, Claim) and body.names:
        contact = Contact(
            person=body.names[0], party="state-xx", where=("UA",), at_us=state.witnessed_us
        )
        return testimony.touched(state, entry, contact, state.seated.persons[body.names[0]])
    return _TOLD(state, entry, body, person)


_TOLD = testimony.told


def _steer(patch: Patch) -> None:
    from spotbeam.governance import version_1

    patch.setattr(version_1, "told", _steered)


def anybody(*_: object) -> bool:
    return True


def _one_is_enough(patch: Patch) -> None:
    from spotbeam.governance import binding

    patch.setattr(binding, "is_met", anybody)


CASES = {
    "planted tie": Case(planted_tie, instead(testimony, "_tied", _counted)),
    "planted claim": Case(planted_claim, _steer),
    "tie shed": Case(tie_shed, instead(testimony, "_untied", _freed)),
    "tie ended by a friend": Case(tie_ended_by_a_friend, without("not_theirs")),
    "forged letter": Case(forged_letter, without("unverified")),
    "letter verified by its bearer": Case(letter_verified_by_its_bearer, without("own_request")),
    "alarm about alarms silenced": Case(alarm_about_alarms_silenced, without("silence")),
    "silenced for good": Case(silenced_for_good, without("silence")),
    "silenced by one": Case(silenced_by_one, _one_is_enough),
}


@pytest.mark.parametrize("name", CASES)
def test_the_attack_fails(name: str) -> None:
    assert not CASES[name].attack()


@pytest.mark.parametrize("name", CASES)
def test_without_the_check_it_succeeds(name: str, monkeypatch: Patch) -> None:
    case = CASES[name]
    case.weaken(monkeypatch)
    assert case.attack()


def test_a_request_that_another_person_verified_is_answered() -> None:
    world = World()
    request = world.request(verified="unverified", grounds=(LICENCE,), spoken="By telephone.")
    world.say(Verification(request=request, how="call-back"), "ada")
    assert is_bound(world, world.pass_change(request=request, by="ada"))
