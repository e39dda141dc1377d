"""Evidence that a log has signed two views: anyone can check it with the log's key alone.

    spotbeam.org/equivocation@v1
    prefix <base64>                     the true root of the first entries of the larger tree
    <hash>…                             the consistency proof from there to the larger tree

    <the log's checkpoint of the smaller tree>
    <an empty line>
    <the log's checkpoint of the larger tree>

The proof rebuilds the larger root from the prefix's root; the log signed another root for that
many entries. No hash in it can be made up, since the larger root, which the log signed, binds all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from spotbeam.errors import MalformedRecord, ProofMismatch
from spotbeam.record import keys, merkle
from spotbeam.record.checkpoint import Checkpoint, parse_signed_checkpoint, verify_checkpoint
from spotbeam.record.keys import VerifierKey
from spotbeam.record.proof import parse_hash_lines

HEADER = "spotbeam.org/equivocation@v1"


class Equivocation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Two checkpoints of one log, and the proof that they cannot both be true."""

    smaller: bytes
    larger: bytes
    prefix_root: bytes
    proof: tuple[bytes, ...]

    def __bytes__(self) -> bytes:
        lines = [HEADER, f"prefix {keys.encode_base64(self.prefix_root)}"]
        lines.extend(map(keys.encode_base64, self.proof))
        head = "".join(f"{line}\n" for line in lines).encode()
        return b"\n".join((head, self.smaller, self.larger))


def equivocation(
    one: bytes, other: bytes, prefix_root: bytes | None = None, proof: Sequence[bytes] = ()
) -> Equivocation:
    """Put evidence together from two notes that a log signed.

    Args:
        one: A checkpoint.
        other: Another.
        prefix_root: The root that the larger tree really has at the smaller size (from its
            tiles); not needed for two checkpoints of one size.
        proof: The consistency proof from there to the larger tree.
    """
    smaller, larger = sorted((one, other), key=lambda note: parse_signed_checkpoint(note)[0].size)
    root = prefix_root or parse_signed_checkpoint(larger)[0].root
    return Equivocation(smaller, larger, root, tuple(proof))


def verify_equivocation(
    data: bytes, log_keys: Iterable[VerifierKey]
) -> tuple[Checkpoint, Checkpoint]:
    """Check that a log has signed two checkpoints that cannot both be true.

    Returns:
        The two, the smaller first.

    Raises:
        ProofMismatch: They can both be true, as far as this shows.
        BadSignature: The log has not signed both.
        MalformedRecord: The bytes are not those of such evidence.
    """
    parts = data.split(b"\n\n")
    if len(parts) != 5:
        raise MalformedRecord("evidence is a proof and two checkpoints")
    try:
        header, *lines = parts[0].decode("ascii").split("\n")
    except UnicodeDecodeError as fault:
        raise MalformedRecord(f"not ASCII at byte {fault.start}") from None
    if header != HEADER or not lines or not lines[0].startswith("prefix "):
        raise MalformedRecord(f"evidence begins with {HEADER} and the prefix")
    (prefix_root,) = parse_hash_lines([lines[0].removeprefix("prefix ")])
    known = list(log_keys)
    smaller = verify_checkpoint(parts[1] + b"\n\n" + parts[2] + b"\n", known)
    larger = verify_checkpoint(parts[3] + b"\n\n" + parts[4], known)
    if smaller.origin != larger.origin:
        raise ProofMismatch("the two checkpoints are of different logs")
    merkle.verify_consistency(
        smaller.size, larger.size, prefix_root, larger.root, parse_hash_lines(lines[1:])
    )
    if prefix_root == smaller.root:
        raise ProofMismatch("the two checkpoints are consistent: the log has not forked")
    return smaller, larger
