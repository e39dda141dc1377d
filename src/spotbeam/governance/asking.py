"""Requests: who may sign one, and how it ends by refusal or withdrawal. A lapse needs nobody."""

from __future__ import annotations

from msgspec.structs import replace

from spotbeam.governance.entries import Entry
from spotbeam.governance.entries.asking import Arrival, Lapse, Refusal, Request, Withdrawal
from spotbeam.governance.roster import human_of
from spotbeam.governance.state import Asked, Seated, State
from spotbeam.governance.void import Void, demand


def arrived(state: State, entry: Entry, body: Arrival) -> State:
    """Something arrived; only that is on record, and nothing follows from it."""
    return state


def requested(state: State, entry: Entry, body: Request, person: Seated) -> State:
    """Register a request, signed by the asker or by a registrar."""
    demand(
        body.asker == person.id or "registrar" in person.roles,
        "not_registrar",
        "only a registrar signs for somebody else",
    )
    demand(body.answer_by_us > state.witnessed_us, "too_late", "the answer time is past already")
    if body.arrival is not None:
        demand(body.arrival in state.seen, "unknown", "there is no such arrival")
    asked = Asked(id=entry.envelope.id, request=body, signed_by=person.id, index=state.newest)
    return _await(
        replace(state, requests=state.requests.insert(asked.id, asked)), "since", asked.id
    )


def refused(state: State, entry: Entry, body: Refusal, person: Seated) -> State:
    """Refuse a request: service stays as it is, and the ground stands in the record."""
    asked = open_request(state, body.request)
    demand("approver" in person.roles, "not_approver", "the person's seat does not decide")
    mine = {
        human_of(state.seated, name)
        for name in (asked.signed_by, asked.request.asker, asked.request.on_behalf_of)
    }
    demand(person.human not in mine, "own_proposal", "whoever asked does not answer")
    return _ended(state, replace(asked, status="refused", ended_by=entry.envelope.id))


def request_withdrawn(state: State, entry: Entry, body: Withdrawal, person: Seated) -> State:
    """Take back a request; only whoever signed it may."""
    asked = open_request(state, body.target)
    demand(asked.signed_by == person.id, "not_theirs", "only whoever signed it takes it back")
    return _ended(state, replace(asked, status="withdrawn", ended_by=entry.envelope.id))


def lapse_noted(state: State, entry: Entry, body: Lapse) -> State:
    """Note a lapse that has happened; the note changes nothing."""
    asked = state.requests.get(body.request)
    demand(asked is not None, "unknown", "there is no such request")
    assert asked is not None
    demand(asked.has_lapsed(state.witnessed_us), "not_lapsed", "the answer time is not past")
    return state


def open_request(state: State, name: str) -> Asked:
    """A request that can still be answered.

    Raises:
        Void: There is none of this id, it has its answer, or it lapsed.
    """
    asked = state.requests.get(name)
    if asked is None:
        raise Void("unknown", "there is no such request")
    demand(asked.status == "registered", "answered", f"the request was {asked.status}")
    demand(not asked.has_lapsed(state.witnessed_us), "lapsed", "the request has lapsed")
    return asked


def _ended(state: State, asked: Asked) -> State:
    state = replace(state, requests=state.requests.insert(asked.id, asked))
    return _await(state, "ended", asked.id)


def _await(state: State, kind: str, name: str) -> State:
    return replace(state, awaiting=state.awaiting.insert(state.newest, (kind, name)))
