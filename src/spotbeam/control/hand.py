"""Writes an entry by somebody's own hand: signed on their machine, and tried before it is sent.

Every write is a function of the state as the signer followed it, what they want, and a `Hand`; it
gives the bytes of an entry that `apply` accepts in that state, or says why there are none.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from spotbeam.errors import Refused
from spotbeam.governance.apply import apply
from spotbeam.governance.entries import Body, entry_bytes, parse_entry, statement, unsigned
from spotbeam.governance.entries.people import FileKey, FileProof, Proof
from spotbeam.governance.proofs import key_digest
from spotbeam.governance.state import State
from spotbeam.record.keys import Signer, encode_base64

_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"


class Hand(msgspec.Struct, frozen=True, eq=False):
    """A person with one of their keys.

    Args:
        person: Their id on the roster.
        key: Digest of the key, in hexadecimal.
        sign: The key's proof over a statement; it may ask the person first.
    """

    person: str
    key: str
    sign: Callable[[bytes], Proof]


def file_hand(person: str, signer: Signer) -> Hand:
    """The hand of somebody whose Ed25519 key is in a file."""
    key = file_key(signer)
    return Hand(person, key_digest(key), lambda text: FileProof(encode_base64(signer.sign(text))))


def file_key(signer: Signer) -> FileKey:
    """The public half of a key in a file, as the roster holds it."""
    return FileKey(encode_base64(signer.key.public_key))


def written(state: State, body: Body, hand: Hand, *, id: str, now_us: int) -> bytes:
    """An entry's bytes, signed and tried.

    Args:
        state: The record as the signer follows it.
        body: What is said.
        hand: Who says it.
        id: The entry's id, used nowhere before.
        now_us: The signer's clock: information only.

    Raises:
        Refused: The record would void the entry, with its code and reason.
        MalformedRecord: It is larger than an entry may be.
    """
    demand_signer(state, hand)
    envelope = unsigned(
        body, id=id, actor=hand.person, key=hand.key, recorded_us=now_us, v=state.rules_version
    )
    proof = hand.sign(statement(state.origin, state.genesis, envelope))
    data = entry_bytes(msgspec.structs.replace(envelope, proof=proof))
    tried(state, data)
    return data


def tried(state: State, data: bytes) -> State:
    """The state after an entry that is not void in it.

    Raises:
        Refused: It is void, with its code and reason; or this release cannot read further.
    """
    if state.halted is not None:
        raise Refused("halted", state.halted)
    after = apply(state, data)
    for finding in after.findings.get(after.newest, ()):
        raise Refused(finding.code, finding.reason)
    return after


def demand_signer(state: State, hand: Hand) -> None:
    """Stop before anybody is asked to sign what could not count.

    Raises:
        Refused: The person has no seat, or the key is not one of theirs that counts.
    """
    person = state.seated.persons.get(hand.person)
    if person is None or person.has_left:
        raise Refused("not_seated", f"{hand.person!r} has no seat on the roster")
    key = person.keys.get(hand.key)
    if key is None:
        owner = state.seated.key_owner.get(hand.key)
        whose = f"it is one of {owner}'s" if owner else "nobody on the roster has it"
        raise Refused("not_their_key", f"the key is not one of {hand.person}'s: {whose}")
    if key.is_revoked:
        raise Refused("revoked", f"the key of {hand.person} is revoked")


def digest_of(data: bytes) -> str:
    """SHA-256 of an entry's bytes, in hexadecimal: what approvals name."""
    return parse_entry(data).digest


def new_id(prefix: str, now_us: int, entropy: bytes) -> str:
    """An id that sorts by time, as `req_0m3k5v9q2a7xkd`: the second, then five random letters.

    Args:
        prefix: What it names, as `req`.
        now_us: The clock.
        entropy: Four random bytes or more, so that two people at one moment do not meet.
    """
    number = (now_us // 1_000_000) << 25 | int.from_bytes(entropy[:4], "big") >> 7
    letters = ""
    for _ in range(12):
        number, digit = divmod(number, 32)
        letters = _DIGITS[digit] + letters
    return f"{prefix}_{letters}"
