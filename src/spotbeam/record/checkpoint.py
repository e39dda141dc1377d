"""A checkpoint: a log's name, how many entries it holds, and the root over them.

The text of the signed note, exactly as C2SP tlog-checkpoint v1.0.0:

    example.com/log
    20852163
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

Extension lines are never written and are refused when read: cosignatures of type 0x06 do not
cover them, so two readers could be shown two texts under one signature.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import msgspec

from spotbeam.errors import BadSignature, MalformedRecord, ProofMismatch
from spotbeam.record import keys, merkle
from spotbeam.record.keys import Signer, VerifierKey
from spotbeam.record.note import Note, Signature, parse_note, sign_note, verify_note

_NUMBER = re.compile(r"(0|[1-9][0-9]{0,18})\Z", re.ASCII)


class Checkpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a log says of itself at one size.

    Args:
        origin: The log's name; the name of the key that signs it.
        size: How many entries the tree holds.
        root: The root over them, 32 bytes.
    """

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        if not self.origin or any(char < " " for char in self.origin):
            raise MalformedRecord(f"not an origin: {self.origin!a}")
        if not 0 <= self.size <= merkle.MAX_SIZE:
            raise MalformedRecord(f"no tree has the size {self.size}")
        if len(self.root) != merkle.HASH_SIZE:
            raise MalformedRecord(f"a root is {merkle.HASH_SIZE} bytes, not {len(self.root)}")


def parse_checkpoint(text: bytes) -> Checkpoint:
    """Read the text of a checkpoint (what stands over the signatures).

    Raises:
        MalformedRecord: It is not exactly three lines in the one form they may have.
    """
    try:
        lines = text.decode().split("\n")
    except UnicodeDecodeError as fault:
        raise MalformedRecord(f"not UTF-8 at byte {fault.start}") from None
    if lines[-1] != "" or len(lines) < 4:
        raise MalformedRecord("a checkpoint is three lines, each with a newline")
    if len(lines) > 4:
        raise MalformedRecord("a checkpoint with extension lines is refused", place="line 4")
    origin, size, root, _ = lines
    return Checkpoint(
        origin, parse_number(size, "the tree size"), keys.decode_base64(root, "the root")
    )


def format_checkpoint(checkpoint: Checkpoint) -> bytes:
    """The text of a checkpoint, ready to be signed."""
    root = keys.encode_base64(checkpoint.root)
    return f"{checkpoint.origin}\n{checkpoint.size}\n{root}\n".encode()


def sign_checkpoint(
    checkpoint: Checkpoint, signers: Iterable[Signer], others: Sequence[Signature] = ()
) -> bytes:
    """A checkpoint's note, signed by the log.

    Raises:
        ValueError: A key has another name than the log, or the tree is empty with another root.
    """
    chosen = list(signers)
    if any(signer.key.name != checkpoint.origin for signer in chosen):
        raise ValueError(f"only keys named {checkpoint.origin} sign checkpoints of this log")
    if not checkpoint.size and checkpoint.root != merkle.EMPTY_ROOT:
        raise ValueError("the root of the empty tree is wrong")
    return sign_note(format_checkpoint(checkpoint), chosen, others)


def verify_checkpoint(data: bytes, log_keys: Iterable[VerifierKey]) -> Checkpoint:
    """Check that a note is a checkpoint which its log signed; witnesses are not asked here.

    Raises:
        MalformedRecord: The bytes are not those of a checkpoint.
        BadSignature: No key of this very log has signed it, or one has signed wrongly.
        ProofMismatch: The tree is empty and yet the root is not that of the empty tree.
    """
    read = parse_signed_checkpoint(data)[0]
    mine = [key for key in log_keys if key.name == read.origin]
    if not mine:
        raise BadSignature(f"no trusted key is named {read.origin!r}, as the checkpoint's log is")
    verify_note(data, mine)
    if not read.size and read.root != merkle.EMPTY_ROOT:
        raise ProofMismatch("the root of the empty tree is wrong")
    return read


def parse_signed_checkpoint(data: bytes) -> tuple[Checkpoint, Note]:
    """Read a checkpoint's note without verifying anything.

    Raises:
        MalformedRecord: The bytes are not those of a checkpoint.
    """
    note = parse_note(data)
    return parse_checkpoint(note.text), note


def parse_number(text: str, what: str) -> int:
    """Read a decimal number that could have been written in no other way.

    Raises:
        MalformedRecord: Signs, leading zeros, other digits, underscores, or over 2^63 - 1.
    """
    if not _NUMBER.match(text) or int(text) > merkle.MAX_SIZE:
        raise MalformedRecord(f"{what} is not a decimal number: {text[:40]!a}")
    return int(text)
