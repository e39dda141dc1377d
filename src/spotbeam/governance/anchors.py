"""Witnessed time: a cosigned checkpoint in the log says by when everything below it existed."""

from __future__ import annotations

from hashlib import sha256

from msgspec.structs import replace
from rpds import HashTrieMap

from spotbeam.governance.binding import bound
from spotbeam.governance.dating import is_dated
from spotbeam.governance.entries import Entry
from spotbeam.governance.entries.deciding import Anchor
from spotbeam.governance.entries.words import DAY_US
from spotbeam.governance.state import State, found
from spotbeam.governance.void import Finding, demand
from spotbeam.governance.witnesses import time_us, witnessed
from spotbeam.record.merkle import EMPTY_ROOT, leaf_hash, node_hash

APPROVAL_LASTS_US = DAY_US


def anchored(state: State, entry: Entry, body: Anchor) -> State:
    """Move witnessed time on, and bind what is now approved and witnessed.

    The witnesses' quorum is that of the state; the root is compared with that of the entries
    themselves, so that another log's checkpoint is no anchor of this one.
    """
    policy = state.witness_policy
    assert policy is not None
    demand(
        state.anchored_size < body.size < state.size,
        "not_witnessed",
        "an anchor covers more than the last one did, and not itself",
    )
    found_note = witnessed(body.note, policy)
    checkpoint = found_note.checkpoint
    demand(
        checkpoint.size == body.size and checkpoint.root == root_of(state.frontiers[body.size]),
        "not_witnessed",
        "the checkpoint is of another tree",
    )
    quorum = state.witness_quorum
    assert quorum is not None
    demand(
        is_dated(found_note, policy, quorum),
        "misdated",
        "the checkpoint is dated later than enough organisations confirm",
    )
    at_us = time_us(found_note)
    demand(
        state.begin_by_us is None or at_us <= state.begin_by_us,
        "expired",
        "the succession was to begin earlier",
    )
    kept = {size: hashes for size, hashes in state.frontiers.items() if size > body.size}
    state = replace(
        state,
        witnessed_us=max(state.witnessed_us, at_us),
        begin_by_us=None,
        anchored_size=body.size,
        frontiers=HashTrieMap(kept),
    )
    state = covered(state, state.before + body.size)
    for name in sorted(state.pending, key=lambda each: state.pending[each]):
        if name in state.pending:
            state = bound(state, name, body.note)
    return state


def grown(frontier: tuple[bytes, ...], size: int, data: bytes) -> tuple[bytes, ...]:
    """The frontier after one more entry on top of `size`."""
    hashed = leaf_hash(data)
    while size & 1:
        hashed = node_hash(frontier[-1], hashed)
        frontier = frontier[:-1]
        size >>= 1
    return (*frontier, hashed)


def root_of(frontier: tuple[bytes, ...]) -> bytes:
    """The root over the complete subtrees, largest first."""
    if not frontier:
        return EMPTY_ROOT
    *left, hashed = frontier
    for subtree in reversed(left):
        hashed = node_hash(subtree, hashed)
    return hashed


def covered(state: State, stop: int) -> State:
    """Date what the anchor covers; let approvals fall that it finds expired or dated too far."""
    at_us = state.witnessed_us
    # What an earlier log left uncovered is covered with the entry that names its root.
    for index in sorted(each for each in state.awaiting if each < stop):
        kind, name = state.awaiting[index]
        state = replace(state, awaiting=state.awaiting.remove(index))
        if kind == "since":
            asked = replace(state.requests[name], since_us=at_us)
            state = replace(state, requests=state.requests.insert(name, asked))
        elif kind == "ended":
            asked = replace(state.requests[name], ended_us=at_us)
            state = replace(state, requests=state.requests.insert(name, asked))
        elif kind == "proposal":
            proposed = replace(state.changes[name], anchored_us=at_us)
            state = replace(state, changes=state.changes.insert(name, proposed))
        elif kind == "approval":
            state = _approval_covered(state, index, name)
    return state


def _approval_covered(state: State, index: int, name: str) -> State:
    at_us = state.witnessed_us
    proposed = state.changes[state.approvals[name]]
    given = next((each for each in proposed.approvals.values() if each.id == name), None)
    if given is None:  # taken back, replaced or suspended meanwhile
        return state
    if at_us < given.approval.expires_us <= at_us + APPROVAL_LASTS_US:
        approvals = proposed.approvals.insert(given.person, replace(given, is_anchored=True))
    else:
        state = found(
            state,
            Finding(index, "expired", "it did not expire within 24 hours after it was witnessed"),
        )
        approvals = proposed.approvals.remove(given.person)
    proposed = replace(proposed, approvals=approvals)
    return replace(state, changes=state.changes.insert(proposed.id, proposed))


def genesis_digest(data: bytes) -> str:
    """SHA-256 of entry 0, in hexadecimal: what a reader is brought by hand."""
    return sha256(data).hexdigest()
