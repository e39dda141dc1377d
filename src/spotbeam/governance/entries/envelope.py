"""What every entry has around its body, the statement that its actor signed, and its bytes.

    {"actor", "body", "id", "key", "proof", "recorded_us", "type", "v"}

`recorded_us` is the server's own word: information only, and the one field that nobody signs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Annotated, Any, TypeAlias, cast

import msgspec

from spotbeam.errors import MalformedRecord, SpotbeamError
from spotbeam.governance.entries.accounts import (
    AlertAct,
    Claim,
    Contact,
    Disclosure,
    Grade,
    Interest,
    Matter,
    Notice,
    Observation,
    Party,
    Tie,
    TieEnd,
    Verification,
    ZeroReport,
)
from spotbeam.governance.entries.asking import Arrival, Lapse, Refusal, Request, Withdrawal
from spotbeam.governance.entries.deciding import (
    Anchor,
    Approval,
    Change,
    Emergency,
    Opening,
    Seal,
)
from spotbeam.governance.entries.logs import Open, Succession
from spotbeam.governance.entries.people import FileProof, Genesis, Proof, Revocation
from spotbeam.governance.entries.words import Digest, Id, Moment
from spotbeam.governance.void import Void
from spotbeam.record.canonical import MAX_SIZE, Json, canonical_json, parse_canonical_object
from spotbeam.record.keys import encode_base64

LOG = "log"
"""The actor of what the log says on its own word: beginnings, arrivals, lapses and anchors.

A succession is said so too: those whose word it is have signed inside."""
STATEMENT = "spotbeam.org/statement/v1"

Account: TypeAlias = (
    Party
    | Interest
    | Tie
    | TieEnd
    | Disclosure
    | ZeroReport
    | Matter
    | Claim
    | Grade
    | Verification
    | Notice
    | AlertAct
    | Observation
)
"""What people tell, beside contacts."""
Body: TypeAlias = (
    Genesis
    | Arrival
    | Request
    | Refusal
    | Withdrawal
    | Lapse
    | Change
    | Emergency
    | Seal
    | Opening
    | Approval
    | Revocation
    | Contact
    | Anchor
    | Open
    | Succession
    | Account
)
BODIES: Mapping[str, type[Body]] = {
    "genesis": Genesis,
    "arrival": Arrival,
    "request": Request,
    "refusal": Refusal,
    "withdrawal": Withdrawal,
    "lapse": Lapse,
    "change": Change,
    "emergency": Emergency,
    "seal": Seal,
    "opening": Opening,
    "approval": Approval,
    "revocation": Revocation,
    "contact": Contact,
    "anchor": Anchor,
    "open": Open,
    "succession": Succession,
    "party": Party,
    "interest": Interest,
    "tie": Tie,
    "tie_end": TieEnd,
    "disclosure": Disclosure,
    "zero_report": ZeroReport,
    "matter": Matter,
    "claim": Claim,
    "grade": Grade,
    "verification": Verification,
    "notice": Notice,
    "alert_act": AlertAct,
    "observation": Observation,
}
ON_ITS_OWN_WORD = frozenset({"genesis", "arrival", "lapse", "anchor", "open", "succession"})


class Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What stands around a body.

    Attributes:
        v: The rules version for which it was written.
        key: Which of the actor's keys signed; none for the log's own word.
    """

    v: Annotated[int, msgspec.Meta(ge=1, le=10_000)]
    type: str
    id: Id
    actor: Id
    body: dict[str, Any]
    recorded_us: Moment
    key: Digest | None = None
    proof: Proof | None = None


class Entry(msgspec.Struct, frozen=True, eq=False):
    """An entry as it was read.

    Attributes:
        digest: SHA-256 of its bytes, in hexadecimal: what approvals name.
        data: Its bytes.
    """

    envelope: Envelope
    body: Body
    digest: str
    data: bytes = b""


def parse_entry(data: bytes) -> Entry:
    """Read the bytes of an entry; nothing is verified yet.

    Raises:
        Void: They are not the canonical bytes of a known type.
    """
    try:
        found = parse_canonical_object(data)
    except SpotbeamError as fault:
        raise Void("not_canonical", fault.message) from None
    except (ValueError, RecursionError):
        raise Void("not_canonical", "not canonical JSON") from None
    try:
        envelope = msgspec.convert(found, Envelope, strict=True)
        kind = BODIES.get(envelope.type)
        if kind is None:
            raise Void("unknown_type", "no entry has this type")
        if "type" in envelope.body:
            raise Void("malformed", "the body says its type a second time")
        body = msgspec.convert({**envelope.body, "type": envelope.type}, kind, strict=True)
    except msgspec.ValidationError as fault:
        raise Void("malformed", str(fault)[:300]) from None
    return Entry(envelope, body, sha256(data).hexdigest(), data)


def statement(origin: str, genesis: str, envelope: Envelope) -> bytes:
    """The one text that an actor signs: where, as whom, with which key, and the whole body.

    Args:
        origin: The log's name.
        genesis: Digest of the first log's entry 0, in hexadecimal; empty in entry 0 itself.
        envelope: Its proof and `recorded_us` are not part of the text.
    """
    return canonical_json(
        {
            "context": STATEMENT,
            "origin": origin,
            "genesis": genesis,
            "v": envelope.v,
            "type": envelope.type,
            "id": envelope.id,
            "actor": envelope.actor,
            "key": envelope.key,
            "body": cast("Json", envelope.body),
        }
    )


def statement_of(origin: str, genesis: str, entry: Entry) -> bytes:
    """The statement of an entry that was read, as `statement`, cut from its canonical bytes.

    Args:
        origin: The log's name.
        genesis: Digest of the first log's entry 0, in hexadecimal.
        entry: One that names a key; `parse_entry` has found its bytes canonical.

    Raises:
        MalformedRecord: It is larger than an entry may be.
    """
    said, data = entry.envelope, entry.data
    # Quotes within strings are escaped, the actor's id has none, and behind the body only the
    # envelope has an `id`: so these are where the body begins and ends.
    body = data[data.index(b',"body":') : data.rindex(b',"id":"')]
    text = b"".join(
        (
            b'{"actor":"%s"' % said.actor.encode(),
            body,
            b',"context":"%s","genesis":"%s"' % (STATEMENT.encode(), genesis.encode()),
            b',"id":"%s","key":"%s"' % (said.id.encode(), (said.key or "").encode()),
            b',"origin":%s,"type":"%s"' % (canonical_json(origin), said.type.encode()),
            b',"v":%d}' % said.v,
        )
    )
    if len(text) > MAX_SIZE:
        raise MalformedRecord(f"{len(text):,} bytes of JSON; an entry holds {MAX_SIZE:,}")
    return text


def possession_statement(origin: str, genesis: str, person: str, key: str, entry_id: str) -> bytes:
    """What proves that a person holds a key, good for one entry only."""
    return canonical_json(
        {
            "context": "spotbeam.org/possession/v1",
            "origin": origin,
            "genesis": genesis,
            "person": person,
            "key": key,
            "entry": entry_id,
        }
    )


def unsigned(
    body: Body,
    *,
    id: str,
    actor: str,
    key: str | None = None,
    recorded_us: int = 0,
    v: int = 1,
) -> Envelope:
    """An envelope around a body, to be signed or to be said on the log's own word."""
    plain = msgspec.to_builtins(body)
    kind = plain.pop("type")
    return Envelope(
        v=v,
        type=kind,
        id=id,
        actor=actor,
        body={name: value for name, value in plain.items() if value is not None},
        recorded_us=recorded_us,
        key=key,
    )


def signed(envelope: Envelope, origin: str, genesis: str, sign: Callable[[bytes], bytes]) -> bytes:
    """The bytes of an entry, signed with an Ed25519 key over its statement."""
    proof = FileProof(encode_base64(sign(statement(origin, genesis, envelope))))
    return entry_bytes(msgspec.structs.replace(envelope, proof=proof))


def entry_bytes(envelope: Envelope) -> bytes:
    """The canonical bytes of an entry.

    Raises:
        MalformedRecord: It is too large, or holds what no entry can hold.
    """
    plain = msgspec.to_builtins(envelope)
    return canonical_json({name: value for name, value in plain.items() if value is not None})
