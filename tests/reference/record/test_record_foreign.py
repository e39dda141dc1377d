"""Other people's Python: tlog-scales reads our record and we its; pymerkle finds the same roots."""

from __future__ import annotations

from pathlib import Path

import pymerkle
import pytest
from support.running_log import RunningLog
from tlog_scales import signing, tlog
from tlog_scales.backend import LocalBackend
from tlog_scales.reader import TilesReader
from tlog_scales.writer import TilesWriter

from spotbeam.cli.app import main
from spotbeam.record import keys, merkle
from spotbeam.record.checkpoint import Checkpoint, sign_checkpoint, verify_checkpoint
from spotbeam.record.cosignature import cosign, verify_cosignatures
from spotbeam.record.keys import VerifierKey, parse_verifier_key, signer_from_seed
from spotbeam.record.merkle import Tree, leaf_hash
from spotbeam.record.note import add_signatures
from spotbeam.record.tile_reader import TileReader, directory, fsck
from spotbeam.record.tile_writer import TileWriter

NOW_S = 1_800_000_000
LOG = signer_from_seed("log.example/scales", keys.ED25519, b"\1" * 32)
WITNESSES = [
    signer_from_seed("witness.example/ed", keys.COSIGNATURE_ED25519, b"\2" * 32),
    signer_from_seed("witness.example/pq", keys.COSIGNATURE_MLDSA44, b"\3" * 32),
]
SIZE = 1_300


def entry(number: int) -> bytes:
    return b"entry %d" % number * (number % 4)


def test_tlog_scales_reads_and_verifies_our_record(tmp_path: Path) -> None:
    tree = Tree(leaf_hash(entry(i)) for i in range(SIZE))
    point = Checkpoint(LOG.key.name, SIZE, tree.root())
    writer = TileWriter(tmp_path)
    writer.append(entry(i) for i in range(SIZE))
    writer.flush()
    note = add_signatures(
        sign_checkpoint(point, [LOG]), [cosign(point, each, NOW_S) for each in WITNESSES]
    )
    writer.publish(note)
    theirs = TilesReader(LocalBackend(tmp_path))
    read = theirs.get_checkpoint()
    assert (read.origin, read.size, read.root_hash) == (point.origin, SIZE, point.root)
    assert theirs.calculate_root_hash() == point.root
    for signer in (LOG, *WITNESSES):
        read.verify(signing.Vkey.from_string(str(signer.key)))
    for index in (0, 255, 256, 1_279, 1_280, SIZE - 1):
        assert theirs.get_entry(index) == entry(index)
        proof = theirs.get_inclusion_proof(index, SIZE)
        assert proof.node_hashes == tree.inclusion_proof(index)
        ours = tlog.InclusionProof(index, SIZE, tree.inclusion_proof(index))
        ours.check(leaf_hash(entry(index)), point.root)
    for old in (1, 256, 999):
        assert theirs.get_consistency_proof(old, SIZE).node_hashes == tree.consistency_proof(old)
        tlog.ConsistencyProof(old, SIZE, tree.consistency_proof(old)).check(
            tree.root(old), point.root
        )


def test_we_read_and_verify_a_record_that_tlog_scales_wrote(tmp_path: Path) -> None:
    log = signing.PlainEd25519Signer("log.example/theirs", b"\5" * 32)
    witness = signing.MLDSA44CosignatureSigner("witness.example/theirs", b"\6" * 32)
    writer = TilesWriter.create(tmp_path / "log", "log.example/theirs")
    for until in (3, 256, 700):
        for number in range(writer.size, until):
            writer.add_leaf(entry(number))
        writer.commit([log, witness])
    note = (tmp_path / "log/checkpoint").read_bytes()
    log_key = parse_verifier_key(log.vkey.serialize())
    witness_key = parse_verifier_key(witness.vkey.serialize())
    point = verify_checkpoint(note, [log_key])
    assert point.size == 700
    assert [each.key for each in verify_cosignatures(note, [witness_key], now_s=None)] == [
        witness_key
    ]
    assert fsck(directory(tmp_path / "log"), point).entries == 700
    reader = TileReader(directory(tmp_path / "log"), point)
    assert list(reader.entries()) == [entry(i) for i in range(700)]


def test_tlog_scales_reads_what_a_running_log_publishes(tmp_path: Path) -> None:
    """After every batch, while the log is open: three cosignatures, tiles, entries, proofs."""
    witnesses = [*WITNESSES, signer_from_seed("w.example/3", keys.COSIGNATURE_ED25519, b"\4" * 32)]
    running = RunningLog(tmp_path, LOG, witnesses, NOW_S)
    entries: list[bytes] = []
    theirs = TilesReader(LocalBackend(running.tiles))
    for count in (1, 255, 1, 300):
        before = len(entries)
        batch = [entry(before + number) for number in range(count)]
        running.publish(batch)
        entries += batch
        tree = Tree(map(leaf_hash, entries))
        read = theirs.get_checkpoint()
        assert (read.size, read.root_hash) == (len(entries), tree.root())
        assert theirs.calculate_root_hash() == tree.root()
        for signer in (LOG, *witnesses):
            read.verify(signing.Vkey.from_string(str(signer.key)))
        for index in {0, before, len(entries) - 1}:
            assert theirs.get_entry(index) == entries[index]
            proof = theirs.get_inclusion_proof(index, len(entries))
            assert proof.node_hashes == tree.inclusion_proof(index)
        if before:
            proof = theirs.get_consistency_proof(before, len(entries))
            assert proof.node_hashes == tree.consistency_proof(before)
    running.close()


def test_a_log_that_tlog_scales_wrote_is_verified_by_our_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = signing.PlainEd25519Signer("log.example/theirs", b"\5" * 32)
    witness = signing.MLDSA44CosignatureSigner("witness.example/theirs", b"\6" * 32)
    writer = TilesWriter.create(tmp_path / "log", "log.example/theirs")
    for until in (3, 256, 700):
        for number in range(writer.size, until):
            writer.add_leaf(entry(number))
        writer.commit([log, witness])
    policy = tmp_path / "policy"
    policy.write_text(
        f"log {log.vkey.serialize()}\nwitness w {witness.vkey.serialize()}\nquorum w\n"
    )
    command = ["record", "verify", str(tmp_path / "log"), "--policy", str(policy)]
    assert main(command) == 0
    out = capsys.readouterr().out
    assert "log.example/theirs holds: 700 entries" in out
    assert "the entries are opaque here" in out
    bundle = tmp_path / "log/tile/entries/001"
    data = bytearray(bundle.read_bytes())
    data[1_000] ^= 1
    bundle.write_bytes(data)
    assert main(command) == 1
    assert "tile/entries/001" in capsys.readouterr().err


def test_keys_are_written_alike() -> None:
    for signer in (LOG, *WITNESSES):
        key: VerifierKey = signer.key
        vkey = signing.Vkey(key.name, None, key.algorithm, key.public_key)
        assert vkey.serialize() == str(key)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 100, 257])
def test_pymerkle_finds_the_same_roots_and_proofs(size: int) -> None:
    theirs = pymerkle.InmemoryTree(algorithm="sha256")
    for number in range(size):
        theirs.append_entry(entry(number))
    tree = Tree(leaf_hash(entry(i)) for i in range(size))
    assert tree.root() == theirs.get_root()
    for index in {0, size // 2, size - 1}:
        # pymerkle counts entries from 1 and puts the leaf itself at the head of its path.
        path = theirs.prove_inclusion(index + 1, size).path
        assert path == [leaf_hash(entry(index)), *tree.inclusion_proof(index)]
    for old in {1, size // 2 or 1, size}:
        assert tree.root(old) == theirs.get_root(old)
        merkle.verify_consistency(
            old, size, theirs.get_root(old), theirs.get_root(size), tree.consistency_proof(old)
        )
