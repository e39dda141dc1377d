"""The record: the tree beside pymerkle, tiles, checks, canonical JSON and durable appends."""

from __future__ import annotations

import tempfile
import threading
import time
from pathlib import Path

import pymerkle
from side_by_side import compare

from spotbeam.record import keys
from spotbeam.record.canonical import canonical_json, parse_canonical
from spotbeam.record.checkpoint import Checkpoint, sign_checkpoint
from spotbeam.record.cosignature import cosign, verify_cosignature
from spotbeam.record.keys import signer_from_seed
from spotbeam.record.log import Log, create_log
from spotbeam.record.merkle import Tree, leaf_hash, verify_inclusion
from spotbeam.record.policy import parse_policy
from spotbeam.record.tile_reader import TileReader, directory, fsck
from spotbeam.record.tile_writer import TileWriter

LEAVES = 20_000
LOG = signer_from_seed("log.example/bench", keys.ED25519, b"\1" * 32)
ENTRY = {
    "actor": "person/anna",
    "asker": "hospital.example",
    "id": "req_01J8ZQ5W3X",
    "type": "request:submitted",
    "verb": "exempt",
    "where": ["UA-43", "UA-65", "x-crossing"],
    "words": "Dialysis ward on mains power only until the line is mended. " * 4,
}


def appends_and_proofs() -> None:
    entries = [b"%d" % number for number in range(LEAVES)]

    def grow() -> Tree:
        tree = Tree()
        for entry in entries:
            tree.append(leaf_hash(entry))
        return tree

    def grow_at_once() -> Tree:
        return Tree(map(leaf_hash, entries))

    def grow_theirs() -> pymerkle.InmemoryTree:
        tree = pymerkle.InmemoryTree(algorithm="sha256")
        for entry in entries:
            tree.append_entry(entry)
        return tree

    ours, theirs = grow(), grow_theirs()
    assert ours.root() == theirs.get_root() == grow_at_once().root()
    compare(
        {
            "Spotbeam, one by one": grow,
            "Spotbeam, in one batch": grow_at_once,
            "pymerkle": grow_theirs,
        },
        repeats=7,
        items=(LEAVES, "appends"),
        title=f"{LEAVES:,} entries into a tree",
    )
    asked = range(0, LEAVES, 10)
    for index in asked:
        path = theirs.prove_inclusion(index + 1, LEAVES).path
        assert path[1:] == ours.inclusion_proof(index)

    def prove() -> None:
        for index in asked:
            ours.inclusion_proof(index)

    def prove_theirs() -> None:
        for index in asked:
            theirs.prove_inclusion(index + 1, LEAVES)

    compare(
        {"Spotbeam": prove, "pymerkle": prove_theirs},
        repeats=7,
        items=(len(asked), "proofs"),
        title=f"Inclusion proofs in a tree of {LEAVES:,}",
    )

    def prove_growth() -> None:
        for old in asked[1:]:
            ours.consistency_proof(old)

    def prove_growth_theirs() -> None:
        for old in asked[1:]:
            theirs.prove_consistency(old, LEAVES)

    compare(
        {"Spotbeam": prove_growth, "pymerkle": prove_growth_theirs},
        repeats=7,
        items=(len(asked) - 1, "proofs"),
        title=f"Consistency proofs to a tree of {LEAVES:,}",
    )


def tiles(folder: Path) -> None:
    size = 100_000
    entry = canonical_json(ENTRY)
    began = time.process_time()
    writer = TileWriter(folder)
    writer.append(entry + b"%d" % number for number in range(size))
    writer.flush()
    point = Checkpoint(LOG.key.name, size, writer.root())
    writer.publish(sign_checkpoint(point, [LOG]))
    written = time.process_time() - began
    began = time.process_time()
    report = fsck(directory(folder), point)
    checked = time.process_time() - began
    print(
        f"\n{size:,} entries ({report.entry_bytes / 1e6:.0f} MB) to {report.tiles:,} tiles: "
        f"{written:.2f} CPU s; fsck: {checked:.2f} CPU s"
    )
    reader = TileReader(directory(folder), point)

    def prove_from_tiles() -> None:
        for index in range(0, size, 100):
            reader.inclusion_proof(index)

    def check() -> None:
        for index, leaf, proof in ready:
            verify_inclusion(leaf, index, size, proof, point.root)

    ready = [
        (index, leaf_hash(reader.entry(index)), reader.inclusion_proof(index))
        for index in range(0, size, 100)
    ]
    compare(
        {"prove from tiles": prove_from_tiles, "check a proof": check},
        items=(size / 100, "proofs"),
        title=f"A record of {size:,} entries on disk",
    )


def signatures_and_json() -> None:
    point = Checkpoint(LOG.key.name, 1_000_000, b"\7" * 32)
    signers = {
        "Ed25519": signer_from_seed("w.example", keys.COSIGNATURE_ED25519, b"\2" * 32),
        "ML-DSA-44": signer_from_seed("w.example", keys.COSIGNATURE_MLDSA44, b"\2" * 32),
    }
    lines = {name: cosign(point, signer, 1_800_000_000) for name, signer in signers.items()}

    def verify(name: str) -> None:
        for _ in range(1_000):
            verify_cosignature(point, lines[name], signers[name].key, now_s=None)

    compare(
        {name: lambda name=name: verify(name) for name in signers},
        items=(1_000, "cosignatures"),
        title="Cosignatures verified",
    )
    data = canonical_json(ENTRY)

    def parse() -> None:
        for _ in range(2_000):
            parse_canonical(data)

    compare(
        {"parse and hold to its canonical form": parse},
        items=(2_000, "entries"),
        title=f"Entries of {len(data)} bytes",
    )


def durable(folder: Path) -> None:
    """Wall time, for here it is the disk that is measured."""
    entry = canonical_json(ENTRY)
    create_log(folder / "log.sqlite", LOG.key.name)
    log = Log(folder / "log.sqlite", folder / "tiles", LOG)
    witness = signer_from_seed("w.example", keys.COSIGNATURE_ED25519, b"\2" * 32).key
    log.confirm(
        {"W": None}, parse_policy(f"log {LOG.key}\nwitness W {witness}\nquorum W\n".encode())
    )
    for callers in (1, 32):
        each = 1_600 // callers

        def work(each: int = each) -> None:
            for _ in range(each):
                log.append([entry])

        threads = [threading.Thread(target=work) for _ in range(callers)]
        began = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        wall = time.perf_counter() - began
        print(f"durable appends, {callers} callers: {1_600 / wall:,.0f} entries per second (wall)")
    began = time.perf_counter()
    log.append([entry] * 10_000)
    print(
        f"durable append of 10,000 together: {10_000 / (time.perf_counter() - began):,.0f} "
        "entries per second (wall)"
    )
    began = time.perf_counter()
    log.publish(log.sign(), None, now_s=None)
    print(f"sign and publish 13,200 entries as tiles: {time.perf_counter() - began:.2f} s (wall)")
    log.close()


def main() -> None:
    appends_and_proofs()
    signatures_and_json()
    with tempfile.TemporaryDirectory() as folder:
        tiles(Path(folder) / "published")
        durable(Path(folder))


if __name__ == "__main__":
    main()
