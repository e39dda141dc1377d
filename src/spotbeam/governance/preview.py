"""What a proposal would do, before anybody approved it: the same commit, on a copy of the state.

Nothing here asks for approvals, and nothing is written. What comes out is the state that the fold
would reach at the anchor that binds the proposal, so that a preview and its outcome cannot differ.
"""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from spotbeam.errors import Refused
from spotbeam.governance.anchors import covered
from spotbeam.governance.binding import committed
from spotbeam.governance.entries.deciding import Seal
from spotbeam.governance.proposing import demand_possible
from spotbeam.governance.reads import act_key, keys_read
from spotbeam.governance.state import Proposal, Proposed, State
from spotbeam.governance.void import Void, demand


def as_if_bound(state: State, proposal: Proposal, id: str, at_us: int) -> State:
    """The state as it would be right after the anchor at which a proposal binds.

    What is in force then is `intended(as_if_bound(…), at_us)`; for a later window or stage, ask
    for that instant. Everything else that is in the log by now counts as witnessed at that anchor
    too; other proposals do not bind there.

    Args:
        state: The record as folded so far.
        proposal: A draft, or a proposal that is in the log.
        id: The id that it has or will have; a seal's commitment is bound to it.
        at_us: Witnessed time of the anchor; earlier than the last one's counts as that.

    Raises:
        Refused: It could not bind in this state, whoever approved it.
    """
    at_us = max(at_us, state.witnessed_us)
    proposal = as_read(proposal)
    known = state.changes.get(id)
    drafted = Proposed(
        id=id,
        digest="",
        proposal=proposal,
        proposer="",
        index=state.newest + 1,
        proposed_us=state.witnessed_us,
    )
    proposed = drafted if known is None else known
    try:
        demand(known is None or known.proposal == proposal, "repeated", "the id means another one")
        demand(proposed.status == "pending", "decided", f"the proposal is {proposed.status}")
        demand(
            proposal.request in state.requests, "unknown", f"there is no request {proposal.request}"
        )
        asked = state.requests[proposal.request]
        demand(asked.status == "registered", "answered", "the request has its answer")
        demand(not asked.has_lapsed(at_us), "lapsed", "the request has lapsed by then")
        demand(proposal.lapses_us > at_us, "lapsed", "the proposal has lapsed by then")
        after = replace(
            state,
            witnessed_us=at_us,
            anchored_size=state.size,
            changes=state.changes.insert(id, replace(proposed, anchored_us=at_us)),
        )
        after = covered(after, state.newest + 1)
        demand_possible(after, proposal, id)
        return committed(after, after.changes[id], None)
    except Void as fault:
        raise Refused(fault.code, fault.reason) from None


def as_read(proposal: Proposal) -> Proposal:
    """A draft as whoever reads its entry will have it.

    Raises:
        Refused: No entry can hold it.
    """
    try:
        return msgspec.convert(msgspec.to_builtins(proposal), type(proposal), strict=True)
    except msgspec.ValidationError as fault:
        raise Refused("malformed", str(fault)[:300]) from None


def reads(state: State, proposal: Proposal) -> tuple[str, ...]:
    """What else a proposal depends on, sorted: if any of it moves, its approvals fall.

    As `rule:…`, `list:…`, `sponsor:…`, `boundaries:…` and `seal:…`, without what it touches.
    """
    own: set[str | None] = set()
    if not isinstance(proposal, Seal):
        own = {act_key(act) for act in proposal.acts}
    return tuple(sorted(keys_read(state, proposal) - own))


def rivals(state: State, proposal: Proposal, id: str) -> tuple[str, ...]:
    """Pending proposals that touch something which this one touches or reads, sorted."""
    mine = keys_read(state, proposal)
    found = []
    for name in sorted(state.pending):
        other = state.changes[name].proposal
        if name == id or isinstance(other, Seal):
            continue
        if any(act_key(act) in mine for act in other.acts):
            found.append(name)
    return tuple(found)
