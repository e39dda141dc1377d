"""A log of opaque bytes that foreigners can read, and that no one can quietly change.

What the bytes mean is not known here. The forms are those of C2SP (docs/record-formats.md names
the versions), so Go's `sumdb` packages and any other tlog tool read what is written, and the
other way round. Every check is a small function on bytes that raises when it fails:

    verify_inclusion(leaf_hash, index, size, proof, root)
    verify_consistency(old_size, new_size, old_root, new_root, proof)
    verify_note(data, keys)                       verify_checkpoint(data, log_keys)
    verify_cosignature(checkpoint, line, key, now_s=…)
    verify_witnessed(data, policy, now_s=…)       verify_proof(data, leaf_hash, policy, now_s=…)
    verify_receipt(data, policy, now_s=…)         verify_equivocation(data, log_keys)
"""

from spotbeam.record.canonical import canonical_json, parse_canonical
from spotbeam.record.checkpoint import (
    Checkpoint,
    format_checkpoint,
    parse_checkpoint,
    parse_signed_checkpoint,
    sign_checkpoint,
    verify_checkpoint,
)
from spotbeam.record.cosignature import (
    Cosignature,
    cosign,
    verify_cosignature,
    verify_cosignatures,
)
from spotbeam.record.evidence import verify_equivocation
from spotbeam.record.keys import Signer, VerifierKey, parse_signer_key, parse_verifier_key
from spotbeam.record.merkle import (
    EMPTY_ROOT,
    Tree,
    leaf_hash,
    node_hash,
    root_hash,
    verify_consistency,
    verify_inclusion,
    verify_subtree,
)
from spotbeam.record.note import Note, Signature, add_signatures, parse_note, sign_note, verify_note
from spotbeam.record.policy import (
    Witnessed,
    WitnessPolicy,
    parse_policy,
    verify_witnessed,
)
from spotbeam.record.proof import LogProof, parse_proof, verify_proof
from spotbeam.record.quorum import check_quorum
from spotbeam.record.receipt import Receipt, parse_receipt, verify_receipt
from spotbeam.record.seal import commit, list_root, verify_opening, verify_row
from spotbeam.record.tile_reader import TileReader, directory, fsck

__all__ = [
    "EMPTY_ROOT",
    "Checkpoint",
    "Cosignature",
    "LogProof",
    "Note",
    "Receipt",
    "Signature",
    "Signer",
    "TileReader",
    "Tree",
    "VerifierKey",
    "WitnessPolicy",
    "Witnessed",
    "add_signatures",
    "canonical_json",
    "check_quorum",
    "commit",
    "cosign",
    "directory",
    "format_checkpoint",
    "fsck",
    "leaf_hash",
    "list_root",
    "node_hash",
    "parse_canonical",
    "parse_checkpoint",
    "parse_note",
    "parse_policy",
    "parse_proof",
    "parse_receipt",
    "parse_signed_checkpoint",
    "parse_signer_key",
    "parse_verifier_key",
    "root_hash",
    "sign_checkpoint",
    "sign_note",
    "verify_checkpoint",
    "verify_consistency",
    "verify_cosignature",
    "verify_cosignatures",
    "verify_equivocation",
    "verify_inclusion",
    "verify_note",
    "verify_opening",
    "verify_proof",
    "verify_receipt",
    "verify_row",
    "verify_subtree",
    "verify_witnessed",
]
