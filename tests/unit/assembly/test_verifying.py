"""A published record is changed in every way that is known to have happened to somebody's log.

Each case is one line: what is done to the files, and what is found. The files are those of a
record with people, witnesses, void entries and more than one full tile; what damages them holds no
key unless the case says so.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support.edge_records import forked, junk, publish
from support.governance import ORIGIN, World, rule, seed
from support.governance_records import rich_world

from spotbeam import errors
from spotbeam.assembly.reading import fold, read_record
from spotbeam.assembly.verifying import check_source, verify
from spotbeam.errors import RecordError
from spotbeam.governance.anchors import genesis_digest
from spotbeam.governance.entries.acts import PutRule
from spotbeam.governance.state import state_digest
from spotbeam.record import keys
from spotbeam.record.checkpoint import Checkpoint, sign_checkpoint
from spotbeam.record.cosignature import cosign
from spotbeam.record.evidence import verify_equivocation
from spotbeam.record.keys import COSIGNATURE_ED25519, ED25519, signer_from_seed
from spotbeam.record.merkle import leaf_hash, root_hash
from spotbeam.record.note import add_signatures
from spotbeam.record.tile_writer import TileWriter
from spotbeam.record.tiles import encode_bundle

SMALL, LARGE = 300, 530
LEFT = "tile/1/000.p/1"
"""A partial tile of the smaller size: nobody needs it any more, and it may be gone."""


@pytest.fixture(scope="module")
def world() -> World:
    """A record that goes on in tiles of two levels, with a partial tile left over on the way."""
    made = rich_world()
    made.witnesses = ("w1", "w2", "w3", "w4")
    junk(made, LARGE - 1 - len(made.entries))
    made.anchor()
    return made


@pytest.fixture(scope="module")
def whole(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "record"
    publish(world, path, SMALL)
    publish(world, path, LARGE)
    return path


@pytest.fixture
def record(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "record"))


def files_of(path: Path) -> list[str]:
    return sorted(each.relative_to(path).as_posix() for each in path.rglob("*") if each.is_file())


def test_a_whole_record_holds_and_says_what_it_is(world: World, whole: Path) -> None:
    genesis = genesis_digest(world.entries[0])
    steps: list[tuple[int, int]] = []
    found = verify(whole, genesis=genesis, progress=lambda done, total: steps.append((done, total)))
    assert (found.origin, found.size) == (ORIGIN, LARGE)
    assert found.root == root_hash(map(leaf_hash, world.entries)).hex()
    assert found.is_genesis_checked
    assert found.state_digest == state_digest(world.now)
    assert found.witnessed_us == world.clock_us
    assert found.anchors == len({state.anchored_size for _, state in world.anchors})
    assert [each.index for each in found.void] == sorted(
        each.index for index in world.now.findings for each in world.now.findings[index]
    )
    (source,) = found.sources
    assert source.signed_by == ("w1", "w2", "w3", "w4")
    assert source.entry_bytes == sum(map(len, world.entries))
    assert source.leftovers.earlier == (LEFT,)
    assert not verify(whole).is_genesis_checked
    assert steps[-1] == (2 * LARGE, 2 * LARGE)
    assert steps == sorted(steps)
    assert state_digest(fold(whole, genesis=genesis).now) == state_digest(world.now)


def test_every_file_is_looked_at_and_the_one_that_is_wrong_is_named(record: Path) -> None:
    seen = 0
    for name in files_of(record):
        file = record / name
        data = file.read_bytes()
        offsets = {0, 1, 2, 31, 32, len(data) // 3, len(data) // 2, len(data) - 2, len(data) - 1}
        for offset in sorted(at for at in offsets if 0 <= at < len(data)):
            for bit in (0, 7):
                changed = bytearray(data)
                changed[offset] ^= 1 << bit
                file.write_bytes(changed)
                with pytest.raises(RecordError) as fault:
                    verify(record)
                assert fault.value.place == name, (name, offset, bit, fault.value)
                seen += 1
        file.write_bytes(data)
    assert seen > 100
    verify(record)


@pytest.mark.parametrize("cut", [0, 1, 2, 33, -33, -2, -1])
def test_a_file_that_was_cut_off_is_named(record: Path, cut: int) -> None:
    for name in files_of(record):
        file = record / name
        data = file.read_bytes()
        if data[:cut] == data:
            continue
        file.write_bytes(data[:cut])
        with pytest.raises(RecordError) as fault:
            verify(record)
        assert fault.value.place == name
        file.write_bytes(data + b"\n" if cut == 0 else data + data[-1:])
        with pytest.raises(RecordError) as fault:
            verify(record)
        assert fault.value.place == name
        file.write_bytes(data)


def test_a_file_that_is_gone_is_named(record: Path) -> None:
    for name in set(files_of(record)) - {LEFT}:
        data = (record / name).read_bytes()
        (record / name).unlink()
        with pytest.raises(errors.MissingRecord) as fault:
            verify(record)
        assert fault.value.place == name
        (record / name).write_bytes(data)


Damage = Callable[[Path, World], object]


def swap(one: str, other: str) -> Damage:
    def damage(path: Path, world: World) -> None:
        a, b = (path / one).read_bytes(), (path / other).read_bytes()
        (path / one).write_bytes(b)
        (path / other).write_bytes(a)

    return damage


def entries_of(path: Path, entries: list[bytes]) -> None:
    """Put other entries in the place of the first bundle's; the tiles stay."""
    (path / "tile/entries/000").write_bytes(encode_bundle(entries[:256]))


def drop_an_entry(path: Path, world: World) -> None:
    entries_of(path, world.entries[:7] + world.entries[8:])


def entry_of_another_log(path: Path, world: World) -> None:
    other = World(salt="f" * 64)
    entries_of(path, [*world.entries[:7], other.entries[0], *world.entries[8:]])


def two_entries_changed_places(path: Path, world: World) -> None:
    entries_of(path, [*world.entries[:7], world.entries[8], world.entries[7], *world.entries[9:]])


def rewritten(path: Path, world: World, by: tuple[str, ...], logs: tuple[str, ...]) -> None:
    """Everything is made again over other entries, and signed with the keys that are left."""
    entries = [*world.entries[:7], b"another entry", *world.entries[8:]]
    shutil.rmtree(path)
    writer = TileWriter(path)
    writer.append(entries)
    writer.flush()
    root = root_hash(map(leaf_hash, entries))
    writer.publish(world.note(LARGE, by=by, root=root, logs=logs))


def without_witnesses(path: Path, world: World) -> None:
    rewritten(path, world, (), ("log",))


def with_too_few_witnesses(path: Path, world: World) -> None:
    rewritten(path, world, ("w1", "w2"), ("log",))


def with_another_log_key(path: Path, world: World) -> None:
    rewritten(path, world, ("w1", "w2", "w3", "w4"), ("a thief",))


def checkpoint_of_a_fork(path: Path, world: World) -> None:
    other = forked(world)
    other.entries[7] = b"another entry"
    (path / "checkpoint").write_bytes(other.note(LARGE))


def checkpoint_of_another_log(path: Path, world: World) -> None:
    other = World(origin="log.example/else")
    (path / "checkpoint").write_bytes(other.note(1))


def dated_in_the_future(path: Path, world: World) -> None:
    (path / "checkpoint").write_bytes(world.note(LARGE, at_us=4_000_000_000_000_000))


def unsigned_by_the_log(path: Path, world: World) -> None:
    note = (path / "checkpoint").read_bytes().split(b"\n")
    kept = [line for line in note if not line.startswith(f"— {ORIGIN}".encode())]
    (path / "checkpoint").write_bytes(b"\n".join(kept))


# What was done, what is found, and in which file. The first ones are the ends of real logs.
GRAVEYARD: dict[str, tuple[Damage, type[RecordError], str]] = {
    "the operator deleted the database and began again": (
        lambda path, world: (shutil.rmtree(path), publish(World(salt="e" * 64), path)),
        errors.ProofMismatch,
        "entry 0",
    ),
    "a bit of an entry flipped": (
        lambda path, world: flip(path / "tile/entries/000", 5_000),
        errors.ProofMismatch,
        "tile/entries/000",
    ),
    "a bit of a hash flipped": (
        lambda path, world: flip(path / "tile/0/001", 4_000),
        errors.ProofMismatch,
        "tile/0/001",
    ),
    "the disk was full: a tile is empty": (
        lambda path, world: (path / "tile/0/001").write_bytes(b""),
        errors.MalformedRecord,
        "tile/0/001",
    ),
    "the disk was full: a bundle ends within an entry": (
        lambda path, world: cut(path / "tile/entries/001", 1_000),
        errors.MalformedRecord,
        "tile/entries/001",
    ),
    "entries were lost before they were merged: signed for, and nowhere": (
        lambda path, world: (path / "checkpoint").write_bytes(world_and_more(world)),
        errors.MissingRecord,
        "tile/entries/002.p/19",
    ),
    "two tiles changed places": (
        swap("tile/0/000", "tile/0/001"),
        errors.ProofMismatch,
        "tile/0/000",
    ),
    "two bundles changed places": (
        swap("tile/entries/000", "tile/entries/001"),
        errors.ProofMismatch,
        "tile/entries/000",
    ),
    "an entry was dropped": (drop_an_entry, errors.ProofMismatch, "tile/entries/000"),
    "an entry is of another log": (
        entry_of_another_log,
        errors.ProofMismatch,
        "tile/entries/000",
    ),
    "two entries changed places": (
        two_entries_changed_places,
        errors.ProofMismatch,
        "tile/entries/000",
    ),
    "all was made again with the log's key alone": (
        without_witnesses,
        errors.QuorumNotMet,
        "checkpoint",
    ),
    "all was made again, and some witnesses help": (
        with_too_few_witnesses,
        errors.QuorumNotMet,
        "checkpoint",
    ),
    "all was made again, by witnesses without the log's key": (
        with_another_log_key,
        errors.BadSignature,
        "checkpoint",
    ),
    "the checkpoint is of a fork": (
        checkpoint_of_a_fork,
        errors.ProofMismatch,
        "checkpoint",
    ),
    "the checkpoint is of another log": (
        checkpoint_of_another_log,
        errors.ProofMismatch,
        "checkpoint",
    ),
    "the witnesses' clocks are ahead of ours": (
        dated_in_the_future,
        errors.QuorumNotMet,
        "checkpoint",
    ),
    "the log's own signature is gone": (unsigned_by_the_log, errors.BadSignature, "checkpoint"),
}


def flip(file: Path, offset: int) -> None:
    data = bytearray(file.read_bytes())
    data[offset] ^= 4
    file.write_bytes(data)


def cut(file: Path, size: int) -> None:
    file.write_bytes(file.read_bytes()[:size])


def world_and_more(world: World) -> bytes:
    """A checkpoint over one more entry than there is."""
    root = root_hash(leaf_hash(each) for each in [*world.entries, b"lost"])
    return world.note(LARGE + 1, root=root)


@pytest.mark.parametrize("name", GRAVEYARD)
def test_what_ended_other_logs_is_found(name: str, record: Path, world: World) -> None:
    damage, kind, place = GRAVEYARD[name]
    verify(record, genesis=genesis_digest(world.entries[0]))
    damage(record, world)
    with pytest.raises(kind) as fault:
        verify(record, genesis=genesis_digest(world.entries[0]))
    assert fault.value.place == place


def test_an_old_checkpoint_holds_by_itself_and_shows_that_it_is_old(
    record: Path, world: World, tmp_path: Path
) -> None:
    """Nothing in a record says that there is no more of it: only what somebody kept does."""
    kept = tmp_path / "kept"
    kept.write_bytes((record / "checkpoint").read_bytes())
    (record / "checkpoint").write_bytes(world.note(SMALL))
    found = verify(record)
    assert found.size == SMALL
    assert set(found.sources[0].leftovers.past) == {
        "tile/0/001",
        "tile/0/002.p/18",
        "tile/1/000.p/2",
        "tile/entries/001",
        "tile/entries/002.p/18",
    }
    with pytest.raises(errors.RolledBack, match=r"300 entries; .* has 530"):
        verify(record, held=kept)


def test_a_kept_checkpoint_must_be_continued(whole: Path, world: World, tmp_path: Path) -> None:
    kept, evidence = tmp_path / "kept", tmp_path / "evidence"
    kept.write_bytes(world.note(SMALL))
    assert verify(whole, held=kept).size == LARGE
    other = forked(world)
    other.entries[7] = b"another entry"
    kept.write_bytes(other.note(SMALL, by=()))
    with pytest.raises(errors.Forked, match="two views"):
        verify(whole, held=kept, evidence=evidence)
    log = signer_from_seed(ORIGIN, ED25519, seed("log")).key
    smaller, larger = verify_equivocation(evidence.read_bytes(), [log])
    assert (smaller.size, larger.size) == (SMALL, LARGE)
    kept.write_bytes(other.note(SMALL, by=(), logs=("a thief",)))
    evidence.unlink()
    with pytest.raises(errors.BadSignature) as fault:
        verify(whole, held=kept, evidence=evidence)
    assert fault.value.place == str(kept)
    assert not evidence.exists()


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_two_mirrors_that_show_two_views_convict_the_log(
    size: int, whole: Path, world: World, tmp_path: Path
) -> None:
    """Each view alone is whole, signed and witnessed: one of the deaths of real logs."""
    other = forked(world)
    other.entries[SMALL - 20] = b"another entry"
    publish(other, tmp_path / "other", size)
    assert verify(tmp_path / "other").size == size
    evidence = tmp_path / "evidence"
    for pair in ((whole, tmp_path / "other"), (tmp_path / "other", whole)):
        with pytest.raises(errors.Forked, match="two views"):
            verify(*pair, evidence=evidence)
        log = signer_from_seed(ORIGIN, ED25519, seed("log")).key
        smaller, larger = verify_equivocation(evidence.read_bytes(), [log])
        assert smaller.size == size
        assert smaller.root != larger.root or size != LARGE
        evidence.unlink()


def test_a_view_that_only_the_log_signed_convicts_it_too(
    whole: Path, world: World, tmp_path: Path
) -> None:
    other = forked(world)
    other.entries[SMALL - 20] = b"another entry"
    publish(other, tmp_path / "other", SMALL, by=())
    evidence = tmp_path / "evidence"
    with pytest.raises(errors.Forked):
        verify(whole, tmp_path / "other", evidence=evidence)
    log = signer_from_seed(ORIGIN, ED25519, seed("log")).key
    verify_equivocation(evidence.read_bytes(), [log])


def test_a_view_that_the_log_did_not_sign_convicts_nobody(
    whole: Path, world: World, tmp_path: Path
) -> None:
    other = forked(world)
    other.entries[SMALL - 20] = b"another entry"
    publish(other, tmp_path / "other", SMALL, logs=("a thief",))
    with pytest.raises(errors.BadSignature) as fault:
        verify(whole, tmp_path / "other", evidence=tmp_path / "evidence")
    assert fault.value.place == f"{tmp_path / 'other'}, checkpoint"
    assert not (tmp_path / "evidence").exists()


def test_a_mirror_that_is_behind_is_no_fault(whole: Path, world: World, tmp_path: Path) -> None:
    publish(world, tmp_path / "behind", SMALL)
    found = verify(tmp_path / "behind", whole)
    assert found.size == LARGE
    assert [each.size for each in found.sources] == [SMALL, LARGE]


def test_files_can_be_checked_without_any_key(record: Path, world: World) -> None:
    (record / "checkpoint").write_bytes(world.note(LARGE, by=(), logs=("a thief",)))
    assert check_source(record).size == LARGE
    flip(record / "tile/0/001", 77)
    with pytest.raises(errors.ProofMismatch) as fault:
        check_source(record)
    assert fault.value.place == "tile/0/001"


def test_a_log_of_another_kind_is_checked_under_a_policy_file(tmp_path: Path) -> None:
    log = signer_from_seed("foreign.example", keys.ED25519, b"1" * 32)
    witness = signer_from_seed("w.example", COSIGNATURE_ED25519, b"2" * 32)
    entries = [b"opaque %d" % number for number in range(300)]
    writer = TileWriter(tmp_path / "log")
    writer.append(entries)
    writer.flush()
    point = Checkpoint("foreign.example", 300, root_hash(map(leaf_hash, entries)))
    note = add_signatures(sign_checkpoint(point, [log]), [cosign(point, witness, 1_790_000_000)])
    writer.publish(note)
    policy = tmp_path / "policy"
    policy.write_text(f"log {log.key}\nwitness w {witness.key}\nquorum w\n")
    found = verify(tmp_path / "log", policy=policy)
    assert (found.size, found.state_digest, found.sources[0].signed_by) == (300, None, ("w",))
    with pytest.raises(RecordError):
        verify(tmp_path / "log")  # its entries seat nobody
    stranger = signer_from_seed("w.example", COSIGNATURE_ED25519, b"3" * 32)
    policy.write_text(f"log {log.key}\nwitness w {stranger.key}\nquorum w\n")
    with pytest.raises(errors.QuorumNotMet):
        verify(tmp_path / "log", policy=policy)
    policy.write_text(f"log {log.key}\nquorum none\n")
    assert verify(tmp_path / "log", policy=policy).witnessed_us is None


def test_an_empty_record_is_one_fault(tmp_path: Path) -> None:
    point = Checkpoint(ORIGIN, 0, root_hash([]))
    note = sign_checkpoint(point, [signer_from_seed(ORIGIN, ED25519, seed("log"))])
    (tmp_path / "checkpoint").write_bytes(note)
    with pytest.raises(errors.MissingRecord, match="no entry yet"):
        verify(tmp_path)
    with pytest.raises(errors.MissingRecord, match="no entry yet"):
        fold(tmp_path)


def test_a_record_that_went_on_in_other_logs_is_checked_as_one(tmp_path: Path) -> None:
    world = World()
    genesis = genesis_digest(world.entries[0])
    world.pass_change()
    world.close()
    publish(world, tmp_path / "first")
    world.move_on()
    world.open()
    world.pass_change(PutRule(rule("later")))
    publish(world, tmp_path / "second")
    shutil.copytree(tmp_path / "second", tmp_path / "mirror")
    sources = (tmp_path / "second", tmp_path / "first", tmp_path / "mirror")
    found = verify(*sources, genesis=genesis)
    assert found.logs == (ORIGIN, world.origin)
    assert (found.origin, found.size) == (world.origin, len(world.entries))
    assert found.state_digest == state_digest(world.now)
    assert found.is_genesis_checked
    read = read_record(*sources, genesis=genesis)
    assert state_digest(read.history.now) == state_digest(world.now)
    assert list(read.entries) == [*world.logs[0], *world.entries]
    with pytest.raises(errors.InputError, match="goes on from the log") as fault:
        verify(tmp_path / "second")
    assert fault.value.place == str(tmp_path / "second")
    flip(tmp_path / "first/tile/entries/000.p" / str(len(world.logs[0])), 3_000)
    with pytest.raises(errors.ProofMismatch) as broken:
        verify(*sources)
    assert broken.value.place is not None
    assert broken.value.place.startswith(f"{tmp_path / 'first'}, tile/entries/000.p/")


def test_what_a_log_holds_after_its_people_left_it_counts_for_nobody(tmp_path: Path) -> None:
    world = World()
    world.pass_change()
    left = len(world.entries)
    lost = forked(world)
    lost.say(lost.change_body(PutRule(rule("unseen"))), "ada", "unseen")
    publish(lost, tmp_path / "first")
    world.move_on("log.example/again")
    world.log_says(world.succession("bo", "cy"))
    world.anchor()
    publish(world, tmp_path / "second")
    found = verify(tmp_path / "first", tmp_path / "second")
    assert found.state_digest == state_digest(world.now)
    assert [each.size for each in found.sources] == [left + 2, len(world.entries)]
    read = read_record(tmp_path / "first", tmp_path / "second")
    assert list(read.entries) == [*lost.entries[:left], *world.entries]
    assert "unseen" not in read.history.now.changes


def test_two_logs_that_are_not_one_record_are_wrong_usage(whole: Path, tmp_path: Path) -> None:
    publish(World(origin="log.example/else"), tmp_path / "else")
    with pytest.raises(errors.InputError, match=r"is the log 'log.example/(else|black-sea)'"):
        verify(whole, tmp_path / "else")


def test_of_several_mirrors_the_one_that_holds_is_read(
    record: Path, world: World, tmp_path: Path
) -> None:
    publish(world, tmp_path / "behind", SMALL)
    flip(record / "tile/entries/001", 1_000)
    read = read_record(record, tmp_path / "behind")
    assert read.checkpoint.size == SMALL
    flip(record / "tile/0/000", 1_000)
    assert read_record(record, tmp_path / "behind").checkpoint.size == SMALL
    with pytest.raises(RecordError):
        read_record(record)
