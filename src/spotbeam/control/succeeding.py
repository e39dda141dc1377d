"""Leaves a log whose key is lost: one statement, which the people of the full quorum sign."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from spotbeam.control.hand import Hand, demand_signer
from spotbeam.errors import InputError, MalformedRecord, Refused
from spotbeam.governance.entries import LOG, entry_bytes, unsigned
from spotbeam.governance.entries.acts import CloseLog
from spotbeam.governance.entries.logs import Ended, Signature, Succession, succession_statement
from spotbeam.governance.state import State
from spotbeam.governance.succession import ending
from spotbeam.governance.void import Void
from spotbeam.governance.witnesses import next_policy


def leaving(
    state: State, onward: CloseLog, words: str, *, begin_by_us: int, now_us: int
) -> Succession:
    """What everybody signs who leaves a log: an entry that has no signatures yet.

    Args:
        state: The record as far as it was followed.
        onward: The next log and its witnesses.
        words: Why.
        begin_by_us: Its first anchor is dated no later.
        now_us: The clock.

    Raises:
        InputError: The time is past.
        Refused: The record could not go on so, with the reason.
    """
    body = Succession(
        origin=onward.origin,
        previous=ending(state),
        witness_quorum=onward.witness_quorum,
        begin_by_us=begin_by_us,
        words=words,
        signatures=(),
    )
    demand_leavable(state, body, now_us=now_us)
    return body


def demand_leavable(state: State, body: Succession, *, now_us: int) -> None:
    """Stop before anybody signs what could not count for this reader.

    Raises:
        InputError: The time by which it begins is past, or it names another end of the log than
            this reader comes to.
        Refused: The next log has the key or the name of one of this record, or weak witnesses.
    """
    if body.begin_by_us <= now_us:
        raise InputError("the time by which the next log begins is past", place="begin_by")
    own = ending(state)
    if body.previous != own:
        raise InputError(
            f"it leaves {_end(body.previous)}; this machine follows {_end(own)}",
            place="previous",
            hint="bring the record here up to the same size; with the same size and another root "
            "or state, sign nothing",
        )
    try:
        next_policy(state, body.origin, body.witness_quorum)
    except Void as fault:
        raise Refused(fault.code, fault.reason) from None


def statement_of(state: State, body: Succession) -> bytes:
    """The text that is signed.

    Raises:
        Refused: It is larger than an entry may be.
    """
    try:
        return succession_statement(state.genesis, body)
    except MalformedRecord as fault:
        raise Refused("too_large", fault.message) from None


def demand_decides(state: State, hand: Hand) -> None:
    """Stop before somebody is asked to sign whose signature does not count.

    Raises:
        Refused: The person does not decide, or the key is not theirs.
    """
    demand_signer(state, hand)
    if "approver" not in state.seated.persons[hand.person].roles:
        raise Refused("not_approver", f"the seat of {hand.person} does not decide")


def signature(state: State, body: Succession, hand: Hand) -> Signature:
    """Somebody's signature over it.

    Raises:
        Refused: The person does not decide, or the key is not theirs.
    """
    demand_decides(state, hand)
    return Signature(person=hand.person, key=hand.key, proof=hand.sign(statement_of(state, body)))


def succession_entry(
    state: State, body: Succession, signatures: Iterable[Signature], *, id: str, now_us: int
) -> bytes:
    """Entry 0 of the next log."""
    signed = msgspec.structs.replace(body, signatures=tuple(signatures))
    return entry_bytes(
        unsigned(signed, id=id, actor=LOG, recorded_us=now_us, v=state.rules_version)
    )


def _end(ended: Ended) -> str:
    return (
        f"{ended.origin} at {ended.size} entries, root {ended.root[:16]}…, state "
        f"{ended.state_digest[:16]}…"
    )
