"""Entries with which a record goes on in another log: how the last one ended, on whose word.

Either can only be entry 0 of its log.
"""

from __future__ import annotations

from typing import Annotated, Any, cast

import msgspec

from spotbeam.governance.entries.people import Proof, WitnessQuorum
from spotbeam.governance.entries.words import Count, Digest, Id, Moment, Name, Words
from spotbeam.record.canonical import Json, canonical_json

SUCCESSION = "spotbeam.org/succession/v1"


class Ended(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a log ended: all that the next one has to agree with.

    Attributes:
        size: How many entries it counts; whatever it may hold beyond has no effect.
        root: Its root at that size, in hexadecimal.
        state_digest: Of the state after its last entry.
    """

    origin: Name
    size: Count
    root: Digest
    state_digest: Digest


class Open(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="open"):
    """Entry 0 of the log that the one before it named when it was closed."""

    origin: Name
    previous: Ended


class Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A rostered person's signature over a succession statement."""

    person: Id
    key: Digest
    proof: Proof


class Succession(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="succession"
):
    """Entry 0 of a log by which the people of the record go on without the log before it.

    Attributes:
        previous: The log that is left, as far as it was folded.
        witness_quorum: Of this log, with its key.
        begin_by_us: Its first anchor is dated no later, so that it cannot be kept for later.
        words: Why.
        signatures: Of people who meet the full quorum together, all over one statement.
    """

    origin: Name
    previous: Ended
    witness_quorum: WitnessQuorum
    begin_by_us: Moment
    words: Words
    signatures: Annotated[tuple[Signature, ...], msgspec.Meta(min_length=2, max_length=100)]


def succession_statement(genesis: str, body: Succession) -> bytes:
    """The one text that everybody signs who leaves a log: all of the body but the signatures.

    Args:
        genesis: Digest of the first log's entry 0, in hexadecimal.
        body: Its signatures are not part of the text.
    """
    plain: dict[str, Any] = msgspec.to_builtins(body)
    del plain["type"], plain["signatures"]
    return canonical_json(cast("Json", {"context": SUCCESSION, "genesis": genesis, **plain}))
