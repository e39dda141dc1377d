"""A receipt: several entries and the one witnessed checkpoint that they are all in, in one file.

    spotbeam.org/receipt@v1
    entry 17 <base64 of the entry>
    <hash>…                             its inclusion proof, as in a tlog-proof
    entry 23 …

    <the signed checkpoint>

Which entries belong into a receipt, and what they mean together, is not known here. What holds is
that these bytes were logged at these indices, and that the log and the quorum signed that. That
nothing later undid it, only a reading of the whole record shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import msgspec

from spotbeam.errors import MalformedRecord
from spotbeam.record import keys, merkle
from spotbeam.record.checkpoint import parse_number, parse_signed_checkpoint
from spotbeam.record.merkle import leaf_hash
from spotbeam.record.policy import Witnessed, WitnessPolicy, verify_witnessed
from spotbeam.record.proof import parse_hash_lines
from spotbeam.record.tile_reader import TileReader
from spotbeam.record.tiles import MAX_ENTRY_SIZE

HEADER = "spotbeam.org/receipt@v1"
MAX_ENTRIES = 1_000


class ReceiptEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entry of a receipt, with its proof."""

    index: int
    entry: bytes
    proof: tuple[bytes, ...]


class Receipt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A receipt as it was read: nothing in it is verified."""

    entries: tuple[ReceiptEntry, ...]
    checkpoint: bytes

    def __bytes__(self) -> bytes:
        lines = [HEADER]
        for each in self.entries:
            lines.append(f"entry {each.index} {keys.encode_base64(each.entry)}")
            lines.extend(map(keys.encode_base64, each.proof))
        return "".join(f"{line}\n" for line in lines).encode() + b"\n" + self.checkpoint


def make_receipt(reader: TileReader, note: bytes, indices: Iterable[int]) -> Receipt:
    """Put entries of a published record into a receipt.

    Args:
        reader: The record at the size of the note.
        note: The checkpoint, with the cosignatures that a reader will ask for.
        indices: Which entries.
    """
    if parse_signed_checkpoint(note)[0] != reader.checkpoint:
        raise ValueError("the note is not the checkpoint that is read")
    entries = [
        ReceiptEntry(index, reader.entry(index), tuple(reader.inclusion_proof(index)))
        for index in sorted(set(indices))
    ]
    return Receipt(tuple(entries), note)


def parse_receipt(data: bytes) -> Receipt:
    """Read a receipt without verifying it.

    Raises:
        MalformedRecord: It is not in the one form it may have.
    """
    head, blank, note = data.partition(b"\n\n")
    if not blank:
        raise MalformedRecord("the receipt has no empty line before its checkpoint")
    try:
        header, *lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as fault:
        raise MalformedRecord(f"not ASCII at byte {fault.start}") from None
    if header != HEADER:
        raise MalformedRecord(f"a receipt begins with {HEADER}", place="line 1")
    starts = [at for at, line in enumerate(lines) if line.startswith("entry ")]
    if not starts or starts[0] != 0 or len(starts) > MAX_ENTRIES:
        raise MalformedRecord(f"a receipt holds 1 to {MAX_ENTRIES} entries")
    entries = [
        _parse_entry(lines[at:end])
        for at, end in zip(starts, [*starts[1:], len(lines)], strict=True)
    ]
    if any(a.index >= b.index for a, b in pairwise(entries)):
        raise MalformedRecord("the entries of a receipt stand in order, each once")
    parse_signed_checkpoint(note)
    return Receipt(tuple(entries), note)


def verify_receipt(
    data: bytes, policy: WitnessPolicy, *, now_s: int | None
) -> tuple[Receipt, Witnessed]:
    """Check that every entry of a receipt is in a record that the policy's witnesses signed.

    Raises:
        ProofMismatch: An entry is not in the record.
        BadSignature: A log or witness that the policy knows has signed wrongly, or no log has.
        QuorumNotMet: Too few witnesses have signed.
        MalformedRecord: The bytes are not those of a receipt.
    """
    receipt = parse_receipt(data)
    witnessed = verify_witnessed(receipt.checkpoint, policy, now_s=now_s)
    point = witnessed.checkpoint
    for each in receipt.entries:
        merkle.verify_inclusion(
            leaf_hash(each.entry), each.index, point.size, each.proof, point.root
        )
    return receipt, witnessed


def _parse_entry(lines: Sequence[str]) -> ReceiptEntry:
    words = lines[0].split(" ")
    if len(words) != 3:
        raise MalformedRecord("an entry's line is: entry <index> <base64>")
    entry = keys.decode_base64(words[2], "the entry")
    if len(entry) > MAX_ENTRY_SIZE:
        raise MalformedRecord(f"an entry of {len(entry):,} bytes; a log holds {MAX_ENTRY_SIZE:,}")
    return ReceiptEntry(parse_number(words[1], "the index"), entry, parse_hash_lines(lines[1:]))
