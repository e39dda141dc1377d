"""Rules version 1: what each entry does. Frozen once released: a change of meaning is a version 2.

The vectors in tests/data/governance hold it still.
"""

from __future__ import annotations

from msgspec.structs import replace

from spotbeam.governance.anchors import anchored, grown
from spotbeam.governance.approving import approved, suspended_by, withdrawn
from spotbeam.governance.asking import arrived, lapse_noted, refused, requested
from spotbeam.governance.entries import LOG, Entry, parse_entry
from spotbeam.governance.entries.accounts import Contact
from spotbeam.governance.entries.acts import PutBoundaries
from spotbeam.governance.entries.asking import Arrival, Lapse, Refusal, Request, Withdrawal
from spotbeam.governance.entries.deciding import (
    Anchor,
    Approval,
    Change,
    Emergency,
    Opening,
    Seal,
)
from spotbeam.governance.entries.envelope import ON_ITS_OWN_WORD
from spotbeam.governance.entries.logs import Open, Succession
from spotbeam.governance.entries.people import Genesis, Revocation
from spotbeam.governance.entries.words import Span
from spotbeam.governance.layers import laid
from spotbeam.governance.proposing import proposed
from spotbeam.governance.roster import first_roster, signer, without_key
from spotbeam.governance.seals import opened
from spotbeam.governance.state import Layer, Seated, State, found
from spotbeam.governance.succession import ending, log_opened, succeeded
from spotbeam.governance.testimony import told, touched
from spotbeam.governance.void import Finding, Void, demand
from spotbeam.governance.witnesses import worthy_policy

VERSION = 1


def step(state: State, data: bytes) -> State:
    """The state after one more entry, whatever its bytes are."""
    size = state.size + 1
    frontier = grown(state.frontier, state.size, data)
    state = replace(
        state, size=size, frontier=frontier, frontiers=state.frontiers.insert(size, frontier)
    )
    index = state.newest
    try:
        entry = parse_entry(data)
        done = _meant(state, entry)
        done = replace(done, seen=done.seen.insert(entry.envelope.id, index))
        return done if done.closing is None else replace(done, final=ending(done))
    except Void as fault:
        return found(state, Finding(index, fault.code, fault.reason))
    except Exception:
        # Nothing is known to get here, and the fuzz tests fail if anything does. But if it could
        # stop a reader, one junk entry would be a switch for everybody.
        return found(state, Finding(index, "unforeseen", "the entry could not be understood"))


def _meant(state: State, entry: Entry) -> State:
    envelope, body = entry.envelope, entry.body
    demand(envelope.v == VERSION, "other_version", "it was written for another rules version")
    demand(envelope.id not in state.seen, "repeated", "the id is used a second time")
    if envelope.type in ON_ITS_OWN_WORD:
        demand(
            envelope.actor == LOG and envelope.key is None and envelope.proof is None,
            "not_the_log",
            "only the log says this, on its own word",
        )
    if isinstance(body, Genesis):
        return _begun(state, entry, body)
    demand(state.roster is not None, "no_genesis", "the log does not begin with its entry 0")
    if isinstance(body, Open):
        return log_opened(state, body)
    if isinstance(body, Succession):
        return succeeded(state, body)
    demand(state.is_open, "not_open", "the log did not begin as the next one of the record")
    demand(state.closing is None, "closed", "the log is closed")
    match body:
        case Arrival():
            return arrived(state, entry, body)
        case Lapse():
            return lapse_noted(state, entry, body)
        case Anchor():
            return anchored(state, entry, body)
    person = signer(state, entry)
    match body:
        case Request():
            return requested(state, entry, body, person)
        case Refusal():
            return refused(state, entry, body, person)
        case Withdrawal():
            return withdrawn(state, entry, body, person)
        case Change() | Emergency() | Seal():
            return proposed(state, entry, body, person)
        case Approval():
            return approved(state, entry, body, person)
        case Opening():
            return opened(state, body)
        case Revocation():
            return _revoked(state, body, person)
        case Contact():
            return touched(state, entry, body, person)
        case _:
            return told(state, entry, body, person)


def _begun(state: State, entry: Entry, body: Genesis) -> State:
    demand(state.size == 1 and not state.earlier, "not_first", "a record begins once")
    demand(body.rules_version == VERSION, "rules_version", "it begins with another rules version")
    views = [each.view for each in body.boundaries]
    demand(len(set(views)) == len(views), "repeated", "a point of view stands there twice")
    for each in body.boundaries:
        layer = Layer(change=entry.envelope.id, act=PutBoundaries(each), span=Span())
        state = laid(state, f"boundaries:{each.view}", layer)
    return replace(
        state,
        origin=body.origin,
        genesis=entry.digest,
        roster=first_roster(body, entry.envelope.id),
        witness_quorum=body.witness_quorum,
        witness_policy=worthy_policy(body.witness_quorum, body.origin),
    )


def _revoked(state: State, body: Revocation, person: Seated) -> State:
    roster = without_key(state.seated, person, body.revoked)
    return suspended_by(replace(state, roster=roster), person.id, body.revoked)
