"""How a record goes on in another log: closed by a change, or left by its people.

A log that was closed names the next one; that one's entry 0 is `open`. A log whose key is lost, or
whose witnesses hold entries that nobody has, is left with `succession`, which the full quorum
signs. Either must agree with the state on every number of the log before. Which log an entry is
read from is the reader's word (`onward`), never the entry's: in any other log, and anywhere but in
its entry 0, either is void.
"""

from __future__ import annotations

from msgspec.structs import replace
from rpds import HashTrieMap

from spotbeam.errors import MalformedRecord
from spotbeam.governance.anchors import root_of
from spotbeam.governance.entries.logs import Ended, Open, Succession, succession_statement
from spotbeam.governance.entries.people import WitnessQuorum
from spotbeam.governance.proofs import check_proof
from spotbeam.governance.quorum import is_enough
from spotbeam.governance.state import State, state_digest
from spotbeam.governance.void import Void, demand
from spotbeam.governance.witnesses import next_policy, worthy_policy
from spotbeam.record.policy import WitnessPolicy


def ending(state: State) -> Ended:
    """The numbers with which the log at hand ends here; a closed log ended where it was closed."""
    return state.final or Ended(
        origin=state.origin,
        size=state.size,
        root=root_of(state.frontier).hex(),
        state_digest=state_digest(state),
    )


def onward(state: State) -> State:
    """The state with which entry 0 of the next log is read.

    What a closed log holds beyond its end is forgotten, and so is a next log that never began. A
    record of nothing, and one that this reader cannot read on, stay as they are.
    """
    if not state.genesis or state.halted is not None:
        return state
    earlier = (*state.earlier, ending(state)) if state.is_open else state.earlier
    count = sum(each.size for each in earlier)
    return replace(
        state,
        size=0,
        frontier=(),
        frontiers=HashTrieMap(),
        anchored_size=0,
        earlier=earlier,
        final=None,
        findings=HashTrieMap({n: found for n, found in state.findings.items() if n < count}),
    )


def log_opened(state: State, body: Open) -> State:
    """Begin the log that the closed one named."""
    _demand_first(state)
    closing = state.closing
    demand(closing is not None, "not_closed", "the log before it was not closed")
    assert closing is not None
    demand(body.origin == closing.origin, "other_log", "the closed log named another one")
    _demand_agrees(state, body.previous)
    policy = worthy_policy(closing.witness_quorum, closing.origin)
    return _begun(state, closing.origin, closing.witness_quorum, policy)


def succeeded(state: State, body: Succession) -> State:
    """Begin a log on the word of the full quorum, without the log before it.

    Contacts keep nobody away: it decides about no ground, and where the log is lost no time passes.
    """
    _demand_first(state)
    _demand_agrees(state, body.previous)
    try:
        text = succession_statement(state.genesis, body)
    except MalformedRecord:
        raise Void("too_large", "the statement is larger than an entry may be") from None
    signers = [each.person for each in body.signatures]
    demand(len(set(signers)) == len(signers), "repeated", "a person signed it twice")
    for each in body.signatures:
        person = state.seated.persons.get(each.person)
        demand(person is not None and not person.has_left, "not_seated", "a signer has no seat")
        assert person is not None
        demand("approver" in person.roles, "not_approver", "a signer's seat does not decide")
        key = person.keys.get(each.key)
        demand(key is not None, "not_their_key", "a key is not one of its signer's")
        assert key is not None
        demand(not key.is_revoked, "revoked", "a signer's key is revoked")
        demand(
            max(person.from_us, key.from_us) <= state.witnessed_us,
            "newcomer",
            "a signer's seat or key does not count yet",
        )
        check_proof(key.key, each.proof, text)
    full = state.seated.quorum_at(state.witnessed_us)
    demand(is_enough(state, full, signers), "quorum", "the full quorum has not signed it")
    policy = next_policy(state, body.origin, body.witness_quorum)
    state = _begun(state, body.origin, body.witness_quorum, policy)
    return replace(state, begin_by_us=body.begin_by_us)


def _demand_first(state: State) -> None:
    demand(
        state.size == 1 and not state.is_open,
        "not_first",
        "a log goes on from another only in its entry 0",
    )


def _demand_agrees(state: State, previous: Ended) -> None:
    demand(
        state.earlier[-1:] == (previous,),
        "other_past",
        "the log before it ended at another size, with another root or in another state",
    )


def _begun(state: State, origin: str, quorum: WitnessQuorum, policy: WitnessPolicy) -> State:
    return replace(
        state,
        origin=origin,
        witness_quorum=quorum,
        witness_policy=policy,
        closing=None,
        begin_by_us=None,
    )
