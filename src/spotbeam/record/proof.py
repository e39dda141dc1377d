"""One file that proves an entry is in a witnessed record: C2SP tlog-proof.

c2sp.org/tlog-proof@v1
extra <base64>                      left out where there is none; nothing vouches for it
index 73894
<hash>…                             the inclusion proof, sibling of the leaf first

<the signed checkpoint>
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from spotbeam.errors import MalformedRecord
from spotbeam.record import keys, merkle
from spotbeam.record.checkpoint import parse_number, parse_signed_checkpoint
from spotbeam.record.merkle import HASH_SIZE
from spotbeam.record.policy import Witnessed, WitnessPolicy, verify_witnessed

HEADER = "c2sp.org/tlog-proof@v1"
MAX_PROOF_LINES = 63


class LogProof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A proof as it was read: nothing in it is verified.

    Args:
        index: Where the entry is.
        proof: The inclusion proof.
        checkpoint: The signed checkpoint that it leads to.
        extra: Bytes that nothing vouches for, or None.
    """

    index: int
    proof: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None

    def __bytes__(self) -> bytes:
        extra = [] if self.extra is None else [f"extra {keys.encode_base64(self.extra)}"]
        lines = [HEADER, *extra, f"index {self.index}", *map(keys.encode_base64, self.proof)]
        return "".join(f"{line}\n" for line in lines).encode() + b"\n" + self.checkpoint


def parse_proof(data: bytes) -> LogProof:
    """Read a proof without verifying it.

    Raises:
        MalformedRecord: It is not in the one form it may have.
    """
    head, blank, checkpoint = data.partition(b"\n\n")
    if not blank:
        raise MalformedRecord("the proof has no empty line before its checkpoint")
    lines = _lines(head)
    if lines[0] != HEADER:
        raise MalformedRecord(f"a proof begins with {HEADER}", place="line 1")
    at = 1
    extra = None
    if lines[at:] and lines[at].startswith("extra "):
        extra = keys.decode_base64(lines[at].removeprefix("extra "), "the extra data")
        at += 1
    if not lines[at:] or not lines[at].startswith("index "):
        raise MalformedRecord("the index is missing", place=f"line {at + 1}")
    index = parse_number(lines[at].removeprefix("index "), "the index")
    parse_signed_checkpoint(checkpoint)
    return LogProof(index, parse_hash_lines(lines[at + 1 :]), checkpoint, extra)


def verify_proof(
    data: bytes, leaf: bytes, policy: WitnessPolicy, *, now_s: int | None
) -> tuple[LogProof, Witnessed]:
    """Check that the entry with this leaf hash is in a record that the policy's witnesses signed.

    Raises:
        ProofMismatch: The entry is not there.
        BadSignature: A log or witness that the policy knows has signed wrongly, or no log has.
        QuorumNotMet: Too few witnesses have signed.
        MalformedRecord: The bytes are not those of a proof.
    """
    read = parse_proof(data)
    witnessed = verify_witnessed(read.checkpoint, policy, now_s=now_s)
    merkle.verify_inclusion(
        leaf, read.index, witnessed.checkpoint.size, read.proof, witnessed.checkpoint.root
    )
    return read, witnessed


def parse_hash_lines(lines: Sequence[str]) -> tuple[bytes, ...]:
    """Read hashes, one a line in base64, at most 63 of them.

    Raises:
        MalformedRecord: A line is not a hash, or there are too many.
    """
    if len(lines) > MAX_PROOF_LINES:
        raise MalformedRecord(f"{len(lines)} hashes; a proof has at most {MAX_PROOF_LINES}")
    hashes = tuple(keys.decode_base64(line, "a hash of the proof") for line in lines)
    if any(len(each) != HASH_SIZE for each in hashes):
        raise MalformedRecord(f"a hash is {HASH_SIZE} bytes")
    return hashes


def _lines(data: bytes) -> list[str]:
    try:
        return data.decode("ascii").split("\n")
    except UnicodeDecodeError as fault:
        raise MalformedRecord(f"not ASCII at byte {fault.start}") from None
