"""The witness quorum of a log, and what a cosigned checkpoint says under it."""

from __future__ import annotations

from spotbeam.errors import SpotbeamError
from spotbeam.governance.entries.people import WitnessQuorum
from spotbeam.governance.entries.words import SECOND_US
from spotbeam.governance.state import State
from spotbeam.governance.void import Void, demand
from spotbeam.record.policy import Witnessed, WitnessPolicy, parse_policy, verify_witnessed
from spotbeam.record.quorum import check_quorum

_LATEST_S = 4_102_444_800
"""The year 2100, as the entries' own moments."""


def worthy_policy(quorum: WitnessQuorum, origin: str) -> WitnessPolicy:
    """The policy of a witness quorum that promises something.

    Raises:
        Void: One organisation can meet it, two sets can part, it lacks a mirror or it is none; or
            it is for another log.
    """
    try:
        policy = parse_policy(quorum.policy.encode())
        check_quorum(policy, quorum.organisations, quorum.mirrors, faulty=quorum.faulty)
    except (SpotbeamError, ValueError) as fault:
        raise Void("weak_witnesses", f"the witness quorum is refused: {fault}"[:300]) from None
    demand(
        len(policy.logs) == 1 and policy.logs[0].key.name == origin,
        "weak_witnesses",
        "the witness policy must have the one key of this log",
    )
    known = {witness.name for witness in policy.witnesses}
    demand(
        set(quorum.organisations) == known and set(quorum.mirrors) <= known,
        "weak_witnesses",
        "organisations or mirrors are named that are no witnesses",
    )
    return policy


def next_policy(state: State, origin: str, quorum: WitnessQuorum) -> WitnessPolicy:
    """The policy of a log in which the record may go on.

    Raises:
        Void: It has the name of a log of this record, the key of this log, or weak witnesses.
    """
    used = {state.origin, *(each.origin for each in state.earlier)}
    demand(origin not in used, "repeated", "a log of this record has that name already")
    policy = worthy_policy(quorum, origin)
    assert state.witness_policy is not None
    demand(
        policy.logs[0].key.public_key != state.witness_policy.logs[0].key.public_key,
        "key_reused",
        "the next log has the key of this one",
    )
    return policy


def witnessed(note: str, policy: WitnessPolicy) -> Witnessed:
    """What a note proves under a policy.

    Raises:
        Void: The log did not sign it, or too few witnesses did.
    """
    try:
        found = verify_witnessed(note.encode(), policy, now_s=None)
    except (SpotbeamError, ValueError) as fault:
        raise Void("not_witnessed", f"the checkpoint does not count: {fault}"[:300]) from None
    demand(found.time_s < _LATEST_S, "not_witnessed", "the checkpoint is dated past any clock")
    return found


def time_us(found: Witnessed) -> int:
    """The witnessed time, in microseconds since 1970."""
    return found.time_s * SECOND_US
