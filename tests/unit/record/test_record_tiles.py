"""Tiles on disk: names, exact bytes, what is written when, and every fault a reader must see."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from spotbeam.errors import Forked, MalformedRecord, MissingRecord, ProofMismatch, RecordError
from spotbeam.record import keys, merkle
from spotbeam.record.checkpoint import Checkpoint, sign_checkpoint
from spotbeam.record.keys import signer_from_seed
from spotbeam.record.merkle import Tree, leaf_hash
from spotbeam.record.tile_reader import TileReader, directory, fsck
from spotbeam.record.tile_writer import TileWriter, read_checkpoint
from spotbeam.record.tiles import (
    ENTRIES,
    Tile,
    decode_bundle,
    edge,
    encode_bundle,
    parse_tile_path,
    tiles_at,
)

LOG = signer_from_seed("log.example/tiles", keys.ED25519, b"\1" * 32)


def entry(number: int) -> bytes:
    return b"entry %d" % number


def point(size: int) -> Checkpoint:
    return Checkpoint(
        LOG.key.name, size, merkle.root_hash(leaf_hash(entry(i)) for i in range(size))
    )


def publish(path: Path, *sizes: int) -> TileWriter:
    writer = TileWriter(path)
    for size in sizes:
        writer.append(entry(i) for i in range(writer.size, size))
        writer.flush()
        writer.publish(sign_checkpoint(point(size), [LOG]))
    return writer


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(0, 1_234_067), "tile/0/x001/x234/067"),
        (Tile(63, 999, 1), "tile/63/999.p/1"),
        (Tile(1, 1_000, 17), "tile/1/x001/000.p/17"),
        (Tile(ENTRIES, 5, 255), "tile/entries/005.p/255"),
    ],
)
def test_a_tile_s_path_is_that_of_the_specification(tile: Tile, path: str) -> None:
    assert tile.path == path
    assert parse_tile_path(path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/0",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/0/000/000",
        "tile/0/x000/001",
        "tile/0/001/067",
        "tile/0/x001/x067",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/300",
        "tile/0/000.p/01",
        "tile/0/000.p/",
        "tile/0/../000",
        "/tile/0/000",
        "tile/0/000\n",
        "tile/0/٠٠٠",
        "checkpoint",
    ],
)
def test_no_other_path_names_a_tile(path: str) -> None:
    with pytest.raises(MalformedRecord):
        parse_tile_path(path)


def test_the_tiles_of_70_000_entries_are_those_of_the_specification() -> None:
    tiles = list(tiles_at(70_000))
    count = {level: sum(tile.level == level for tile in tiles) for level in (0, 1, 2, 3)}
    assert count == {0: 274, 1: 2, 2: 1, 3: 0}
    assert [tile.path for tile in edge(70_000)] == [
        "tile/0/273.p/112",
        "tile/1/001.p/17",
        "tile/2/000.p/1",
    ]
    assert edge(256) == [Tile(1, 0, 1)]


def test_a_bundle_holds_entries_of_16_bits_of_length() -> None:
    entries = [b"", b"a", b"\0" * 65_535]
    data = encode_bundle(entries)
    assert data[:5] == b"\0\0\0\x01a"
    assert decode_bundle(data, 3) == entries
    with pytest.raises(MalformedRecord, match="65,536"):
        encode_bundle([b"\0" * 65_536])
    for bad, width in ((data[:-1], 3), (data + b"\0", 3), (data, 2), (data, 4), (b"\0", 1)):
        with pytest.raises(MalformedRecord):
            decode_bundle(bad, width)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("published") / "log"
    publish(path, 1, 3, 256, 257, 600, 66_100)
    return path


def test_all_that_is_published_holds(published: Path) -> None:
    told: list[int] = []
    report = fsck(directory(published), point(66_100), told.append)
    assert report.entries == 66_100
    assert report.tiles == len(list(tiles_at(66_100))) == 259 + 259 + 2 + 1
    assert told[-1] == 66_100
    files = {str(file.relative_to(published)) for file in published.rglob("*") if file.is_file()}
    # Partial tiles of earlier checkpoints are gone once their full tile is published.
    assert files == {"checkpoint", *(tile.path for tile in tiles_at(66_100))}
    level_1 = (published / "tile/1/000").read_bytes()
    assert level_1[:32] == merkle.root_hash(leaf_hash(entry(i)) for i in range(256))


def test_a_reader_proves_as_the_whole_tree_does(published: Path) -> None:
    tree = Tree(leaf_hash(entry(i)) for i in range(66_100))
    reader = TileReader(directory(published), point(66_100), cached_tiles=4)
    for index in (0, 255, 256, 65_535, 65_536, 66_047, 66_048, 66_099):
        for size in (index + 1, 66_100):
            assert reader.inclusion_proof(index, size) == tree.inclusion_proof(index, size)
        assert reader.entry(index) == entry(index)
        assert reader.consistency_proof(index) == tree.consistency_proof(index)
        assert reader.root(index) == tree.root(index)
    assert reader.subtree_proof(512, 768) == tree.subtree_proof(512, 768)
    assert list(reader.entries(250, 260)) == [entry(i) for i in range(250, 260)]
    assert list(reader.entries(66_090)) == [entry(i) for i in range(66_090, 66_100)]
    with pytest.raises(IndexError):
        reader.entry(66_100)


def test_a_reader_may_take_a_full_tile_for_a_partial_one(published: Path) -> None:
    reader = TileReader(directory(published), point(600))
    assert reader.entry(599) == entry(599)
    assert fsck(directory(published), point(600)).entries == 600


def test_every_flipped_byte_in_any_file_is_found(tmp_path: Path) -> None:
    publish(tmp_path, 259)
    files = [tile.path for tile in tiles_at(259)]
    assert len(files) == 5
    fetch = directory(tmp_path)
    for name in files:
        whole = (tmp_path / name).read_bytes()
        for at in range(0, len(whole), 97 if len(whole) > 400 else 1):
            changed = whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :]

            def flipped(path: str, name: str = name, changed: bytes = changed) -> bytes | None:
                return changed if path == name else fetch(path)

            with pytest.raises(RecordError) as caught:
                fsck(flipped, point(259))
            assert "tile/" in str(caught.value)
            with pytest.raises(RecordError):
                list(TileReader(flipped, point(259)).entries())


@pytest.mark.parametrize("how", ["missing", "cut", "longer", "empty"])
def test_a_damaged_file_is_named(tmp_path: Path, how: str) -> None:
    publish(tmp_path, 600)
    for tile in tiles_at(600):
        path = tmp_path / tile.path
        whole = path.read_bytes()
        if how == "missing":
            path.unlink()
        else:
            path.write_bytes({"cut": whole[:-1], "longer": whole + b"x", "empty": b""}[how])
        wanted = MissingRecord if how == "missing" else MalformedRecord
        with pytest.raises(wanted, match=tile.path):
            fsck(directory(tmp_path), point(600))
        path.write_bytes(whole)
    assert fsck(directory(tmp_path), point(600)).entries == 600


def test_entries_of_another_log_are_found_though_all_else_holds(tmp_path: Path) -> None:
    publish(tmp_path, 300)
    bundle = tmp_path / "tile/entries/001.p/44"
    bundle.write_bytes(encode_bundle(entry(i) for i in (*range(256, 299), 1_000)))
    with pytest.raises(ProofMismatch, match="entry 299"):
        list(TileReader(directory(tmp_path), point(300)).entries())
    with pytest.raises(ProofMismatch, match="entry 299"):
        fsck(directory(tmp_path), point(300))
    wrong = Checkpoint(LOG.key.name, 300, sha256(b"").digest())
    with pytest.raises(ProofMismatch):
        TileReader(directory(tmp_path), wrong)


def test_a_writer_goes_on_where_it_stopped_and_never_rewrites(tmp_path: Path) -> None:
    publish(tmp_path, 300)
    writer = TileWriter(tmp_path)
    assert (writer.size, writer.root()) == (300, point(300).root)
    # Cut off after tiles were written and before the checkpoint: the same again is no harm.
    writer.append(entry(i) for i in range(300, 600))
    writer.flush()
    again = TileWriter(tmp_path)
    assert again.size == 300
    again.append(entry(i) for i in range(300, 600))
    again.flush()
    again.publish(sign_checkpoint(point(600), [LOG]))
    assert fsck(directory(tmp_path), point(600)).entries == 600
    # Other entries in the place of some that were already published is a fork.
    writer = TileWriter(tmp_path)
    writer.append([b"x" * 200])
    writer.flush()
    other = TileWriter(tmp_path)
    other.append([b"y" * 200])
    with pytest.raises(Forked, match="already published with other bytes"):
        other.flush()


def test_a_checkpoint_never_goes_back(tmp_path: Path) -> None:
    writer = publish(tmp_path, 5)
    for other, fault in (
        (point(4), ProofMismatch),
        (Checkpoint(LOG.key.name, 5, b"\0" * 32), ProofMismatch),
    ):
        with pytest.raises(fault):
            writer.publish(sign_checkpoint(other, [LOG]))
    elsewhere = signer_from_seed("log.example/other", keys.ED25519, b"\1" * 32)
    renamed = Checkpoint("log.example/other", 5, point(5).root)
    with pytest.raises(Forked):
        writer.publish(sign_checkpoint(renamed, [elsewhere]))
    stale = TileWriter(tmp_path)
    publish(tmp_path, 9)
    with pytest.raises(Forked):
        stale.publish(sign_checkpoint(point(5), [LOG]))
    assert read_checkpoint(tmp_path) == point(9)


def test_a_writer_refuses_tiles_that_do_not_fit_their_checkpoint(tmp_path: Path) -> None:
    publish(tmp_path, 300)
    (tmp_path / "tile/0/001.p/44").write_bytes(b"\0" * 32 * 44)
    with pytest.raises(ProofMismatch):
        TileWriter(tmp_path)


def test_an_empty_log_is_published_too(tmp_path: Path) -> None:
    writer = TileWriter(tmp_path)
    writer.flush()
    writer.publish(sign_checkpoint(point(0), [LOG]))
    assert fsck(directory(tmp_path), point(0)).entries == 0
    assert list(TileReader(directory(tmp_path), point(0)).entries()) == []
