"""Approvals and rejections, how they are taken back, and what makes them fall."""

from __future__ import annotations

from msgspec.structs import replace
from rpds import HashTrieMap

from spotbeam.governance.asking import request_withdrawn
from spotbeam.governance.entries import Entry
from spotbeam.governance.entries.asking import Withdrawal
from spotbeam.governance.entries.deciding import Approval
from spotbeam.governance.proposing import window_of
from spotbeam.governance.quorum import demand_eligible
from spotbeam.governance.reads import reads_digest
from spotbeam.governance.state import Given, Proposed, Seated, State, found
from spotbeam.governance.void import Finding, demand


def approved(state: State, entry: Entry, body: Approval, person: Seated) -> State:
    """Take in somebody's word on a proposal. It counts once a checkpoint covers it."""
    name = state.by_digest.get(body.change)
    demand(name is not None, "unknown", "there is no such proposal: its bytes differ, or none is")
    proposed = state.changes[name or ""]
    demand(proposed.status == "pending", "decided", f"the proposal is {proposed.status}")
    demand(not proposed.has_lapsed(state.witnessed_us), "lapsed", "the proposal has lapsed")
    demand(
        body.window == window_of(proposed.proposal), "other_window", "it is about another window"
    )
    demand(body.impact == proposed.proposal.impact, "other_impact", "it is about another impact")
    demand(
        body.reads == reads_digest(state, proposed.proposal),
        "base_moved",
        "the rules or lists that the proposal reads are not those that the approver saw",
    )
    demand(body.expires_us > state.witnessed_us, "expired", "the approval has expired")
    demand_eligible(state, proposed, person, entry.envelope.key or "", state.witnessed_us)
    if body.word == "reject":
        return _closed(state, replace(proposed, status="rejected"))
    for earlier in proposed.approvals.values():
        same = state.seated.persons[earlier.person].human == person.human
        still = earlier.approval.reads == body.reads
        demand(
            not same or not still or earlier.approval.expires_us <= state.witnessed_us,
            "repeated",
            "this person has approved it already",
        )
    given = Given(
        id=entry.envelope.id,
        approval=body,
        person=person.id,
        key=entry.envelope.key or "",
        index=state.newest,
    )
    kept = HashTrieMap(
        {
            each.person: each
            for each in proposed.approvals.values()
            if state.seated.persons[each.person].human != person.human
        }
    )
    proposed = replace(proposed, approvals=kept.insert(person.id, given))
    return replace(
        state,
        changes=state.changes.insert(proposed.id, proposed),
        approvals=state.approvals.insert(given.id, proposed.id),
        awaiting=state.awaiting.insert(given.index, ("approval", given.id)),
    )


def withdrawn(state: State, entry: Entry, body: Withdrawal, person: Seated) -> State:
    """Take back a request, a proposal or an approval that has not had its effect yet."""
    if body.target in state.requests:
        return request_withdrawn(state, entry, body, person)
    if body.target in state.changes:
        proposed = state.changes[body.target]
        demand(proposed.proposer == person.id, "not_theirs", "only its proposer takes it back")
        demand(proposed.status == "pending", "decided", f"the proposal is {proposed.status}")
        return _closed(state, replace(proposed, status="withdrawn"))
    name = state.approvals.get(body.target)
    demand(name is not None, "unknown", "there is nothing of this id to take back")
    proposed = state.changes[name or ""]
    given = proposed.approvals.get(person.id)
    demand(
        given is not None and given.id == body.target and proposed.status == "pending",
        "not_theirs",
        "only the approver takes it back, and only before it binds",
    )
    return _kept(state, replace(proposed, approvals=proposed.approvals.remove(person.id)))


def suspended_by(state: State, person: str, key: str | None = None) -> State:
    """Let the approvals fall of every pending proposal that this person (or key) had approved.

    The others' fall too: they approved next to somebody who turned out not to count.
    """
    for name in sorted(state.pending):
        proposed = state.changes[name]
        given = proposed.approvals.get(person)
        if given is None or (key is not None and given.key != key):
            continue
        state = found(
            _kept(state, replace(proposed, approvals=HashTrieMap(), stood_still="suspended")),
            *(
                Finding(each.index, "suspended", "an approver lost their seat or their key")
                for each in sorted(proposed.approvals.values(), key=lambda each: each.index)
            ),
        )
    return state


def _closed(state: State, proposed: Proposed) -> State:
    return replace(_kept(state, proposed), pending=state.pending.discard(proposed.id))


def _kept(state: State, proposed: Proposed) -> State:
    return replace(state, changes=state.changes.insert(proposed.id, proposed))
