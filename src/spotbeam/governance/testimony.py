"""What people tell: taken in if it is whole, and without effect on any decision.

Three kinds bear on who may decide. A contact and a tie keep their own person from approving, if
that person signed them or a quorum confirmed them: what others write steers nobody. A verification
lets a request be answered that its registrar could not trace to its asker.
"""

from __future__ import annotations

from msgspec.structs import replace

from spotbeam.governance.entries import Entry
from spotbeam.governance.entries.accounts import (
    AlertAct,
    Claim,
    Contact,
    Disclosure,
    Grade,
    Interest,
    Matter,
    Notice,
    Observation,
    Party,
    Tie,
    TieEnd,
    Verification,
    ZeroReport,
)
from spotbeam.governance.entries.acts import SilenceAlerts
from spotbeam.governance.entries.envelope import Account
from spotbeam.governance.entries.words import DAY_US
from spotbeam.governance.state import Declared, Seated, State, Touched
from spotbeam.governance.void import demand

SILENCE_LASTS_US = 30 * DAY_US
"""From when it binds until a silence must end."""
NEVER_SILENT = "A15"
"""The alert about alerts."""


def told(state: State, entry: Entry, body: Account, person: Seated) -> State:
    """Take in what somebody tells.

    Raises:
        Void: It speaks of an entry that is not there, contradicts itself, or is not theirs to say.
    """
    match body:
        case Tie():
            return _tied(state, entry, body, person)
        case TieEnd():
            return _untied(state, body, person)
        case Verification():
            return _verified(state, entry, body, person)
        case ZeroReport():
            demand(body.from_us < body.until_us, "period", "the period ends before it begins")
            ahead = "a report about time that is not over"
            demand(body.until_us <= state.witnessed_us or not state.witnessed_us, "period", ahead)
        case Disclosure():
            demand(body.contact in state.contacts, "unknown", "there is no such contact")
        case Claim():
            _demand_entry(state, body.about)
        case Grade():
            _demand_entry(state, body.claim)
            graded = body.reliability is not None or body.credibility is not None
            demand(graded, "empty", "it grades neither the source nor the information")
        case Notice():
            _demand_entry(state, body.about)
            one = (body.receipt is None) != (body.failure is None)
            demand(one, "outcome", "a notice has a receipt, or says why it failed")
        case Party() | Interest() | Matter() | AlertAct() | Observation():
            pass
    return state


def touched(state: State, entry: Entry, body: Contact, person: Seated) -> State:
    """Take in a contact; it counts at once where its own person signed it."""
    found = Touched(id=entry.envelope.id, contact=body, counts=body.person == person.id)
    known = (*state.contacts_of.get(body.person, ()), found.id)
    return replace(
        state,
        contacts=state.contacts.insert(found.id, found),
        contacts_of=state.contacts_of.insert(body.person, known),
    )


def confirmed(state: State, name: str) -> State:
    """A quorum confirmed a contact or a tie that somebody else recorded: from now on it counts."""
    if name in state.contacts:
        contact = replace(state.contacts[name], counts=True)
        return replace(state, contacts=state.contacts.insert(name, contact))
    tie = replace(state.ties[name], counts=True)
    return replace(state, ties=state.ties.insert(name, tie))


def demand_unconfirmed(state: State, name: str) -> None:
    """Void the confirmation of what is not there, or counts already."""
    found = state.contacts.get(name) or state.ties.get(name)
    demand(found is not None and not found.counts, "unknown", "there is no such contact to confirm")


def demand_verified(state: State, request: str) -> None:
    """Void what answers a request that nobody could trace to its asker."""
    asked = state.requests[request].request
    demand(
        asked.verified != "unverified" or request in state.verified,
        "unverified",
        "nobody has verified that the request came from its asker",
    )


def demand_silence(state: State, act: SilenceAlerts) -> None:
    """Void a silence that never ends, that is over, or that hides who silences."""
    demand(act.rule != NEVER_SILENT, "silence", f"{NEVER_SILENT} is never silenced")
    demand(act.until_us > state.witnessed_us, "too_late", "the silence is over already")
    demand(
        act.until_us <= state.witnessed_us + SILENCE_LASTS_US,
        "silence",
        "a silence lasts 30 days at most",
    )


def _tied(state: State, entry: Entry, body: Tie, person: Seated) -> State:
    demand(
        body.until_us is None or body.until_us > body.from_us, "period", "it ends before it begins"
    )
    found = Declared(
        id=entry.envelope.id,
        tie=body,
        signed_by=person.id,
        counts=body.person == person.id,
        until_us=body.until_us,
    )
    known = (*state.ties_of.get(body.person, ()), found.id)
    return replace(
        state,
        ties=state.ties.insert(found.id, found),
        ties_of=state.ties_of.insert(body.person, known),
    )


def _untied(state: State, body: TieEnd, person: Seated) -> State:
    found = state.ties.get(body.tie)
    demand(found is not None, "unknown", "there is no such tie")
    assert found is not None
    demand(
        person.id in (found.signed_by, found.tie.person),
        "not_theirs",
        "only whoever declared it, or whose it is, says that it is over",
    )
    demand(
        not found.counts or found.tie.person == person.id,
        "not_theirs",
        "only its own person says that a tie is over which keeps them away",
    )
    # Nobody is freed backwards: an end in the past counts from when it is told.
    until_us = max(body.until_us, state.witnessed_us)
    if found.until_us is not None:
        until_us = min(until_us, found.until_us)
    ended = replace(found, until_us=until_us)
    return replace(state, ties=state.ties.insert(ended.id, ended))


def _verified(state: State, entry: Entry, body: Verification, person: Seated) -> State:
    asked = state.requests.get(body.request)
    demand(asked is not None, "unknown", "there is no such request")
    assert asked is not None
    humans = {
        each.human
        for name in (asked.signed_by, asked.request.asker, asked.request.on_behalf_of)
        if (each := state.seated.persons.get(name or "")) is not None
    }
    demand(
        person.human not in humans,
        "own_request",
        "whoever asked or registered it does not verify it",
    )
    return replace(state, verified=state.verified.insert(body.request, entry.envelope.id))


def _demand_entry(state: State, name: str) -> None:
    demand(name in state.seen, "unknown", "there is no entry of this id")
