"""Receipts and evidence of two views: what they prove, and that nothing else passes for them."""

from __future__ import annotations

from pathlib import Path

import pytest

from spotbeam.errors import BadSignature, MalformedRecord, ProofMismatch, QuorumNotMet, RecordError
from spotbeam.record import keys
from spotbeam.record.checkpoint import Checkpoint, sign_checkpoint
from spotbeam.record.cosignature import cosign
from spotbeam.record.evidence import equivocation, verify_equivocation
from spotbeam.record.keys import signer_from_seed
from spotbeam.record.merkle import Tree, leaf_hash
from spotbeam.record.note import add_signatures
from spotbeam.record.policy import parse_policy
from spotbeam.record.receipt import make_receipt, parse_receipt, verify_receipt
from spotbeam.record.tile_reader import TileReader, directory
from spotbeam.record.tile_writer import TileWriter

NOW_S = 1_800_000_000
LOG = signer_from_seed("log.example/e", keys.ED25519, b"\1" * 32)
WITNESS = signer_from_seed("w.example", keys.COSIGNATURE_ED25519, b"\2" * 32)
POLICY = parse_policy(f"log {LOG.key}\nwitness W {WITNESS.key}\nquorum W\n".encode())


def entry(number: int) -> bytes:
    return b'{"n":%d}' % number


TREE = Tree(leaf_hash(entry(i)) for i in range(300))
OTHER = Tree(leaf_hash(entry(i)) for i in (*range(100), 999, *range(101, 300)))


def note(tree: Tree, size: int) -> bytes:
    return sign_checkpoint(Checkpoint(LOG.key.name, size, tree.root(size)), [LOG])


@pytest.fixture
def receipt(tmp_path: Path) -> bytes:
    writer = TileWriter(tmp_path)
    writer.append(entry(i) for i in range(300))
    writer.flush()
    point = Checkpoint(LOG.key.name, 300, TREE.root())
    signed = add_signatures(note(TREE, 300), [cosign(point, WITNESS, NOW_S)])
    writer.publish(signed)
    reader = TileReader(directory(tmp_path), point)
    with pytest.raises(ValueError, match="not the checkpoint"):
        make_receipt(reader, note(TREE, 299), [1])
    return bytes(make_receipt(reader, signed, [299, 17, 0, 17]))


def test_a_receipt_proves_each_entry(receipt: bytes) -> None:
    read, witnessed = verify_receipt(receipt, POLICY, now_s=NOW_S)
    assert [(each.index, each.entry) for each in read.entries] == [
        (0, entry(0)),
        (17, entry(17)),
        (299, entry(299)),
    ]
    assert (witnessed.checkpoint.size, witnessed.time_s) == (300, NOW_S)
    assert bytes(read) == receipt
    with pytest.raises(QuorumNotMet):
        verify_receipt(receipt, POLICY, now_s=NOW_S - 1)


def test_every_changed_byte_of_a_receipt_is_noticed(receipt: bytes) -> None:
    for at in range(len(receipt)):
        changed = receipt[:at] + bytes([receipt[at] ^ 1]) + receipt[at + 1 :]
        with pytest.raises(RecordError):
            verify_receipt(changed, POLICY, now_s=NOW_S)


def test_a_receipt_has_one_form(receipt: bytes) -> None:
    lines = receipt.split(b"\n")
    where = [at for at, line in enumerate(lines) if line.startswith(b"entry ")]
    first, second, third = where
    end = lines.index(b"")
    for order in (
        [*lines[second:third], *lines[first:second], *lines[third:end]],
        [*lines[first:second], *lines[first:second]],
        [],
        lines[first + 1 : end],
    ):
        with pytest.raises(MalformedRecord):
            parse_receipt(b"\n".join([lines[0], *order, *lines[end:]]))


def test_two_roots_for_one_size_convict() -> None:
    data = bytes(equivocation(note(TREE, 200), note(OTHER, 200)))
    smaller, larger = verify_equivocation(data, [LOG.key])
    assert smaller.size == larger.size == 200
    with pytest.raises(BadSignature):
        verify_equivocation(data, [signer_from_seed(LOG.key.name, 1, b"\3" * 32).key])


@pytest.mark.parametrize("old", [101, 128, 129, 255, 256, 299])
def test_two_sizes_convict_with_the_true_root_of_the_prefix(old: int) -> None:
    proof = OTHER.consistency_proof(old, 300)
    data = bytes(equivocation(note(OTHER, 300), note(TREE, old), OTHER.root(old), proof))
    smaller, larger = verify_equivocation(data, [LOG.key])
    assert (smaller.size, larger.size) == (old, 300)


def test_an_honest_log_is_not_convicted() -> None:
    honest = TREE.consistency_proof(128, 300)
    for prefix, proof in (
        (TREE.root(128), honest),
        (OTHER.root(128), honest),
        (OTHER.root(128), OTHER.consistency_proof(128, 300)),
        (bytes(32), honest),
        (TREE.root(128), [bytes(32), *honest[1:]]),
    ):
        data = bytes(equivocation(note(TREE, 128), note(TREE, 300), prefix, proof))
        with pytest.raises(ProofMismatch):
            verify_equivocation(data, [LOG.key])
    with pytest.raises(ProofMismatch):
        verify_equivocation(bytes(equivocation(note(TREE, 5), note(TREE, 5))), [LOG.key])
    # Another log's checkpoint is no second view of this one.
    other = signer_from_seed("log.example/f", keys.ED25519, b"\4" * 32)
    foreign = sign_checkpoint(Checkpoint(other.key.name, 200, OTHER.root(200)), [other])
    with pytest.raises(ProofMismatch, match="different logs"):
        verify_equivocation(bytes(equivocation(note(TREE, 200), foreign)), [LOG.key, other.key])
