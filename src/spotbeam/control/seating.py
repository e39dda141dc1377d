"""People and their keys: what a person does at once, and what a quorum must pass."""

from __future__ import annotations

from spotbeam.control.hand import Hand, written
from spotbeam.errors import Refused
from spotbeam.governance.entries import possession_statement
from spotbeam.governance.entries.people import Possession, Revocation
from spotbeam.governance.state import State


def possession(origin: str, genesis: str, entry: str, hand: Hand) -> Possession:
    """Prove to hold a key, good for one entry of one record only.

    Args:
        origin: The log's name.
        genesis: Digest of entry 0, in hexadecimal; empty for entry 0 itself.
        entry: Id of the entry that brings the key in.
        hand: Whose key it is.
    """
    text = possession_statement(origin, genesis, hand.person, hand.key, entry)
    return Possession(key=hand.key, proof=hand.sign(text))


def revocation(state: State, revoked: str, hand: Hand, *, id: str, now_us: int) -> bytes:
    """Give up one of one's own keys, at once.

    Raises:
        Refused: It is not one of theirs, or is revoked already.
    """
    person = state.seated.persons.get(hand.person)
    if person is not None and revoked not in person.keys:
        raise Refused("not_their_key", f"{hand.person} has no key {revoked[:16]}…")
    return written(state, Revocation(revoked=revoked), hand, id=id, now_us=now_us)
