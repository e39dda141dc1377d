"""Approvals and rejections: a person's word on one proposal, exactly as they were shown it."""

from __future__ import annotations

from typing import Literal

from spotbeam.control.hand import Hand, demand_signer, written
from spotbeam.errors import Refused, UnknownName
from spotbeam.governance.entries.deciding import Approval
from spotbeam.governance.proposing import window_of
from spotbeam.governance.quorum import demand_eligible
from spotbeam.governance.reads import reads_digest
from spotbeam.governance.state import Proposed, State
from spotbeam.governance.void import Void

LONGEST_US = 24 * 3_600 * 1_000_000
"""From the anchor that first covers an approval until it must have expired."""
USUAL_US = 23 * 3_600 * 1_000_000
"""What is signed if nothing is said: an hour is left for clocks that differ."""


def approval(
    state: State,
    change: str,
    impact: str,
    hand: Hand,
    *,
    id: str,
    expires_us: int,
    now_us: int,
    word: Literal["approve", "reject"] = "approve",
) -> bytes:
    """Approve or reject a proposal.

    Args:
        state: The record as the approver's own machine follows it.
        change: The proposal's id.
        impact: Digest of the impact as the approver's own machine computed it.
        hand: The approver.
        id: The approval's id.
        expires_us: When it no longer counts if it has not bound; at most 24 hours after the next
            checkpoint.
        now_us: The approver's clock.
        word: Their word.

    Raises:
        Refused: The proposal is decided or lapsed, its impact is another, or they may not decide.
    """
    proposed = pending(state, change)
    demand_same_impact(proposed, impact)
    demand_may(state, proposed, hand)
    body = Approval(
        change=proposed.digest,
        reads=reads_digest(state, proposed.proposal),
        impact=impact,
        window=window_of(proposed.proposal),
        expires_us=expires_us,
        word=word,
    )
    return written(state, body, hand, id=id, now_us=now_us)


def pending(state: State, change: str) -> Proposed:
    """A proposal that can still be decided.

    Raises:
        UnknownName: There is none of this id.
        Refused: It is decided, or it has lapsed.
    """
    proposed = state.changes.get(change)
    if proposed is None:
        raise UnknownName("proposal", change, sorted(state.changes))
    if proposed.status != "pending":
        raise Refused("decided", f"the proposal {change} is {proposed.status} already")
    if proposed.has_lapsed(state.witnessed_us):
        raise Refused("lapsed", f"the proposal {change} has lapsed")
    return proposed


def demand_same_impact(proposed: Proposed, impact: str) -> None:
    """Stop before somebody signs over another impact than they were shown.

    Raises:
        Refused: This machine computed another impact than the proposal carries.
    """
    if proposed.proposal.impact != impact:
        raise Refused(
            "other_impact",
            f"{proposed.id} carries the impact {proposed.proposal.impact[:16]}…, this machine "
            f"computed {impact[:16]}…: nothing is signed",
        )


def demand_may(state: State, proposed: Proposed, hand: Hand) -> None:
    """Stop before somebody is asked to sign who may not decide on this proposal.

    Raises:
        Refused: With the reason.
    """
    demand_signer(state, hand)
    try:
        demand_eligible(
            state, proposed, state.seated.persons[hand.person], hand.key, state.witnessed_us
        )
    except Void as fault:
        raise Refused(fault.code, fault.reason) from None
