"""The one place where anything commits: a proposal that is approved and witnessed binds.

Rules, lists, sponsors, borders, people, the witness quorum and the rules themselves: all pass here.
"""

from __future__ import annotations

from typing import get_args

from msgspec.structs import replace

from spotbeam.governance.approving import suspended_by
from spotbeam.governance.entries.acts import (
    CloseLog,
    ConfirmContact,
    DropKey,
    DropRule,
    ExtendSeal,
    PolicyAct,
    PutRule,
    Review,
    RosterAct,
    SetRules,
    SetWitnesses,
    SilenceAlerts,
    Unseat,
)
from spotbeam.governance.entries.deciding import Change, Emergency, Seal
from spotbeam.governance.entries.words import Span
from spotbeam.governance.ground import countries
from spotbeam.governance.layers import laid, stages_of
from spotbeam.governance.proposing import demand_possible, window_of
from spotbeam.governance.quorum import (
    demand_eligible,
    full_quorum,
    ground_of,
    is_met,
    moved_cells,
    quorum_for,
    small_country,
)
from spotbeam.governance.reads import act_key, reads_digest
from spotbeam.governance.roster import altered
from spotbeam.governance.seals import extended
from spotbeam.governance.state import Given, Layer, Proposed, State
from spotbeam.governance.testimony import confirmed
from spotbeam.governance.void import Void, demand
from spotbeam.governance.witnesses import next_policy, witnessed, worthy_policy

_POLICY_ACTS = get_args(PolicyAct)
_ROSTER_ACTS = get_args(RosterAct)


def bound(state: State, name: str, note: str) -> State:
    """The state after an anchor looked at a pending proposal: bound, or why not yet.

    Args:
        state: `witnessed_us` is already the anchor's.
        name: The proposal.
        note: The anchor's checkpoint, for changes of the witness quorum.
    """
    proposed = state.changes[name]
    if proposed.has_lapsed(state.witnessed_us):
        gone = replace(proposed, stood_still="lapsed")
        return replace(
            state,
            changes=state.changes.insert(name, gone),
            pending=state.pending.discard(name),
        )
    needed = quorum_for(state, proposed) if proposed.approvals else None
    # Most proposals wait for people: what they read is looked at only once enough have approved.
    if needed is None or not is_met(state, needed, proposed.approvals.values()):
        return state
    approvals = counting(state, proposed)
    if not is_met(state, needed, approvals):
        return state
    try:
        _demand_timely(state, proposed)
        demand_possible(state, proposed.proposal, name)
        is_full = is_met(state, full_quorum(state), approvals)
        return committed(_counted(state, proposed, is_full), proposed, note)
    except Void as fault:
        still = replace(proposed, stood_still=fault.code)
        return replace(state, changes=state.changes.insert(name, still))


def counting(state: State, proposed: Proposed) -> list[Given]:
    """The approvals that hold now: witnessed, unexpired, of what stands now, by eligible people."""
    lasting = [
        given
        for _, given in sorted(proposed.approvals.items())
        if given.is_anchored and given.approval.expires_us > state.witnessed_us
    ]
    reads = reads_digest(state, proposed.proposal) if lasting else ""
    kept = []
    for given in lasting:
        approval, person = given.approval, given.person
        if not (
            approval.change == proposed.digest
            and approval.reads == reads
            and approval.impact == proposed.proposal.impact
            and approval.window == window_of(proposed.proposal)
        ):
            continue
        try:
            demand_eligible(
                state, proposed, state.seated.persons[person], given.key, state.witnessed_us
            )
        except Void:
            continue
        kept.append(given)
    return kept


def _counted(state: State, proposed: Proposed, is_full: bool) -> State:
    """Count the cells that a small change moves, or begin to count anew where all agreed."""
    change = proposed.proposal
    if not isinstance(change, Change):
        return state
    if not is_full:
        country = small_country(state, change)
        assert country is not None
        cells = moved_cells(state, change).union(state.moved.get(country, ()))
        return replace(state, moved=state.moved.insert(country, tuple(sorted(cells))))
    if any(isinstance(act, PutRule | DropRule) for act in change.acts):
        moved = state.moved
        for country in countries(state.requests[change.request].request.where):
            moved = moved.discard(country)
        return replace(state, moved=moved)
    return state


def _demand_timely(state: State, proposed: Proposed) -> None:
    at_us = state.witnessed_us
    asked = state.requests[proposed.proposal.request]
    demand(asked.since_us is not None, "not_witnessed", "no checkpoint covers the request")
    demand(asked.status == "registered", "answered", "the request has its answer")
    demand(not asked.has_lapsed(at_us), "lapsed", "the request has lapsed")
    demand(proposed.anchored_us is not None, "not_witnessed", "no checkpoint covers the proposal")


def committed(state: State, proposed: Proposed, note: str | None) -> State:
    """The state once a proposal has its effect, at the witnessed time of `state`.

    Nothing of approvals is asked here: `bound` does that, and a preview has none to ask for.

    Args:
        state: `witnessed_us` is when it binds.
        proposed: What commits; it stands in `state.changes`.
        note: The anchor's checkpoint, which new witnesses must have signed too; None for a
            preview, which comes before any anchor.
    """
    at_us, proposal = state.witnessed_us, proposed.proposal
    if isinstance(proposal, Seal):
        span = Span(from_us=at_us, until_us=at_us + proposal.bounds.lasts_us)
        state = laid(state, f"seal:{proposed.id}", Layer(change=proposed.id, act=None, span=span))
        due = state.overdue_from.insert(proposed.id, proposal.open_by_us)
        state = replace(state, overdue_from=due, seals=(*state.seals, proposed.id))
    elif isinstance(proposal, Emergency):
        ground = ground_of(state, proposed)
        span = Span(from_us=at_us, until_us=at_us + proposal.lasts_us)
        state = _acted(state, proposed, proposal, span, note)
        state = replace(state, unreviewed=state.unreviewed.insert(proposed.id, ground))
    else:
        begin_us = max(at_us, proposal.window.from_us or 0)  # never before it was witnessed
        span = Span(from_us=begin_us, until_us=proposal.window.until_us)
        state = _acted(state, proposed, proposal, span, note)
    asked = replace(
        state.requests[proposal.request], status="granted", ended_by=proposed.id, ended_us=at_us
    )
    done = replace(
        state.changes[proposed.id], status="bound", bound_us=at_us, bound_index=state.newest
    )
    return replace(
        state,
        requests=state.requests.insert(asked.id, asked),
        changes=state.changes.insert(done.id, done),
        pending=state.pending.discard(done.id),
    )


def _acted(
    state: State, proposed: Proposed, proposal: Change | Emergency, span: Span, note: str | None
) -> State:
    stages = stages_of(proposal)
    for act in proposal.acts:
        if isinstance(act, _POLICY_ACTS):
            layer = Layer(change=proposed.id, act=act, span=span, stages=stages)
            state = laid(state, act_key(act) or "", layer)
        elif isinstance(act, _ROSTER_ACTS):
            roster = altered(state, state.seated, act, proposed.id, state.witnessed_us)
            state = replace(state, roster=roster)
            if isinstance(act, Unseat):
                state = suspended_by(state, act.person)
            elif isinstance(act, DropKey):
                state = suspended_by(state, act.person, act.key)
        else:
            state = _constituted(state, act, proposed.id, note)
    return state


def _constituted(state: State, act: object, change: str, note: str | None) -> State:
    match act:
        case SetWitnesses():
            policy = worthy_policy(act.witness_quorum, state.origin)
            # The old quorum has counted already: this anchor must satisfy both.
            if note is not None:
                witnessed(note, policy)
            return replace(state, witness_quorum=act.witness_quorum, witness_policy=policy)
        case CloseLog():
            demand(state.closing is None, "closed", "the log is closed already")
            next_policy(state, act.origin, act.witness_quorum)
            return replace(state, closing=act)
        case ExtendSeal():
            return extended(state, act, change)
        case SetRules():
            return replace(state, rules_version=act.version)
        case ConfirmContact():
            return confirmed(state, act.contact)
        case SilenceAlerts():
            return state
        case Review():
            return replace(state, unreviewed=state.unreviewed.remove(act.emergency))
    raise Void("unknown", "an act that nobody can do")
