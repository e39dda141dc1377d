"""Two views of one log: find them, and put together what convicts the log for ever.

A split is not staleness. A reader stays on the branch that it accepted, under its quorum, and keeps
both signed checkpoints with the proof that they cannot both be true. Only what the log itself
signed counts: anybody can write a text.
"""

from __future__ import annotations

from collections.abc import Sequence

from spotbeam.record.checkpoint import parse_signed_checkpoint, verify_checkpoint
from spotbeam.record.evidence import equivocation, verify_equivocation
from spotbeam.record.keys import VerifierKey
from spotbeam.record.tile_reader import Fetch, TileReader


def evidence_of(
    held: bytes, kept: TileReader, other: bytes, fetch: Fetch, log_keys: Sequence[VerifierKey]
) -> bytes | None:
    """Proof that the log has signed another view than the one held, or None if it has not.

    Args:
        held: The note accepted last.
        kept: The tree under it.
        other: A note from somewhere else.
        fetch: Where that came from: asked for the tiles under a larger checkpoint.
        log_keys: The keys of the log.

    Raises:
        RecordError: The other note is not the log's, or what it claims could not be looked at.
        Unreachable: The source does not answer.
    """
    theirs = verify_checkpoint(other, log_keys)
    ours = parse_signed_checkpoint(held)[0]
    if theirs.size == ours.size:
        prefix_root, proof = theirs.root, []
        differs = theirs.root != ours.root
    elif theirs.size < ours.size:
        prefix_root, proof = kept.root(theirs.size), kept.consistency_proof(theirs.size)
        differs = prefix_root != theirs.root
    else:
        reader = TileReader(fetch, theirs)
        prefix_root, proof = reader.root(ours.size), reader.consistency_proof(ours.size)
        differs = prefix_root != ours.root
    if not differs:
        return None
    data = bytes(equivocation(held, other, prefix_root, proof))
    verify_equivocation(data, log_keys)
    return data
