"""The log: what it acknowledged stays, what it signed it can prove, and when it must stop."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from spotbeam.errors import Forked, MalformedRecord, QuorumNotMet, RecordError
from spotbeam.record import keys, merkle
from spotbeam.record.checkpoint import parse_signed_checkpoint, verify_checkpoint
from spotbeam.record.checkpoint_store import MemoryCheckpoints
from spotbeam.record.keys import signer_from_seed
from spotbeam.record.log import Log, create_log
from spotbeam.record.merkle import leaf_hash
from spotbeam.record.note import add_signatures
from spotbeam.record.policy import WitnessPolicy, parse_policy, verify_witnessed
from spotbeam.record.tile_reader import TileReader, directory, fsck
from spotbeam.record.witness import Witness, origin_hash, read_witness_answer

ORIGIN = "log.example/log"
LOG = signer_from_seed(ORIGIN, keys.ED25519, b"\1" * 32)
SIGNERS = {
    f"W{n}": signer_from_seed(f"w{n}.example", keys.COSIGNATURE_ED25519, bytes([n + 2]) * 32)
    for n in range(3)
}
POLICY: WitnessPolicy = parse_policy(
    (
        f"log {LOG.key}\n"
        + "".join(f"witness {name} {each.key}\n" for name, each in SIGNERS.items())
        + "group all-three all W0 W1 W2\nquorum all-three\n"
    ).encode()
)
NOBODY = dict.fromkeys(SIGNERS)
NOW_S = 1_800_000_000


def entry(number: int) -> bytes:
    return b"entry %d" % number


def opened(path: Path) -> Log:
    return Log(path / "log.sqlite", path / "tiles", LOG)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    create_log(tmp_path / "log.sqlite", ORIGIN)
    log = opened(tmp_path)
    log.confirm(NOBODY, POLICY)
    yield log
    log.close()


@pytest.fixture
def witnesses() -> dict[str, Witness]:
    return {
        name: Witness({ORIGIN: [LOG.key]}, [signer], MemoryCheckpoints())
        for name, signer in SIGNERS.items()
    }


def witnessed(log: Log, note: bytes, witnesses: dict[str, Witness], now_s: int) -> bytes:
    """Ask every witness, as a log does over HTTP; a witness that is behind is asked again."""
    for name, witness in witnesses.items():
        held = 0
        for _ in range(2):
            body = bytes(log.witness_request(held, note))
            answer = witness.add_checkpoint(body, now_s=now_s)
            read = read_witness_answer(
                answer.status, answer.body, note, [SIGNERS[name].key], now_s=now_s
            )
            if read.held_size is None:
                break
            held = read.held_size
        note = add_signatures(note, read.cosignatures)
    log.publish(note, POLICY, now_s=now_s)
    return note


def held(witnesses: dict[str, Witness]) -> dict[str, bytes | None]:
    answers = {name: each.checkpoint(origin_hash(ORIGIN)) for name, each in witnesses.items()}
    return {name: each.body if each.status == 200 else None for name, each in answers.items()}


def test_from_entries_to_a_witnessed_record_on_static_files(
    log: Log, witnesses: dict[str, Witness], tmp_path: Path
) -> None:
    at = 0
    for round_, count in enumerate((1, 299, 1, 400)):
        assert log.append([entry(at + i) for i in range(count)]) == range(at, at + count)
        at += count
        note = witnessed(log, log.sign(), witnesses, NOW_S + round_)
    published = directory(tmp_path / "tiles")("checkpoint")
    assert published == note
    found = verify_witnessed(note, POLICY, now_s=NOW_S + 10)
    assert (found.checkpoint.size, found.time_s) == (701, NOW_S + 3)
    assert fsck(directory(tmp_path / "tiles"), found.checkpoint).entries == 701
    assert list(log.entries()) == [entry(i) for i in range(701)]
    assert list(log.entries(290, 310)) == [entry(i) for i in range(290, 310)]
    proof = log.reader().inclusion_proof(300)
    merkle.verify_inclusion(leaf_hash(entry(300)), 300, 701, proof, found.checkpoint.root)


def test_an_entry_too_long_is_refused_whole(log: Log) -> None:
    with pytest.raises(MalformedRecord):
        log.append([b"ok", b"x" * 65_536])
    assert (log.size, log.append([b"x" * 65_535])) == (0, range(1))


def test_threads_share_transactions_and_each_gets_its_own_numbers(log: Log) -> None:
    got: dict[int, list[int]] = {}

    def work(worker: int) -> None:
        got[worker] = [log.append([b"%d %d" % (worker, i)])[0] for i in range(40)]

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(number for each in got.values() for number in each) == list(range(320))
    stored = list(log.entries())
    for worker, numbers in got.items():
        assert numbers == sorted(numbers)
        assert [stored[n] for n in numbers] == [b"%d %d" % (worker, i) for i in range(40)]


def test_nothing_is_signed_before_the_witnesses_were_asked(
    log: Log, witnesses: dict[str, Witness], tmp_path: Path
) -> None:
    log.append([entry(i) for i in range(10)])
    witnessed(log, log.sign(), witnesses, NOW_S)
    log.close()
    again = opened(tmp_path)
    again.append([entry(10)])
    with pytest.raises(RecordError, match="does not know yet"):
        again.sign()
    with pytest.raises(QuorumNotMet):
        again.confirm(
            {name: note for name, note in held(witnesses).items() if name != "W1"}, POLICY
        )
    again.confirm(held(witnesses), POLICY)
    assert parse_signed_checkpoint(again.sign())[0].size == 11
    again.close()


def test_a_restored_backup_cannot_fork_the_log(
    log: Log, witnesses: dict[str, Witness], tmp_path: Path
) -> None:
    log.append([entry(i) for i in range(10)])
    witnessed(log, log.sign(), witnesses, NOW_S)
    log.close()
    backup = tmp_path / "backup"
    backup.mkdir()
    for file in tmp_path.glob("log.sqlite*"):
        shutil.copy(file, backup)
    shutil.copytree(tmp_path / "tiles", backup / "tiles")
    went_on = opened(tmp_path)
    went_on.confirm(held(witnesses), POLICY)
    went_on.append([entry(10)])
    witnessed(went_on, went_on.sign(), witnesses, NOW_S + 1)
    went_on.close()
    restored = opened(backup)
    with pytest.raises(Forked, match="has signed 11 entries"):
        restored.confirm(held(witnesses), POLICY)
    restored.append([b"another entry"])
    with pytest.raises(Forked, match="another root"):
        restored.confirm(held(witnesses), POLICY)
    with pytest.raises(RecordError):
        restored.sign()
    restored.close()
    # The control: a log that asks nobody does sign the second view.
    careless = opened(backup)
    careless.confirm(NOBODY, POLICY)
    one = verify_checkpoint(careless.sign(), [LOG.key])
    two = verify_checkpoint((tmp_path / "tiles/checkpoint").read_bytes(), [LOG.key])
    assert one.size == two.size
    assert one.root != two.root
    careless.close()


def test_a_file_that_lost_entries_is_not_opened(log: Log, tmp_path: Path) -> None:
    log.append([entry(i) for i in range(10)])
    log.sign()
    log.close()
    database = sqlite3.connect(tmp_path / "log.sqlite")
    database.execute("DELETE FROM entry WHERE number = 9")
    database.commit()
    with pytest.raises(Forked, match="10 entries were signed, but only 9"):
        opened(tmp_path)
    database.execute("INSERT INTO entry VALUES (9, ?, ?)", (b"another", leaf_hash(b"another")))
    database.commit()
    shutil.rmtree(tmp_path / "tiles")
    with pytest.raises(Forked, match="not those that were signed"):
        opened(tmp_path)
    database.execute("DELETE FROM entry WHERE number = 4")
    database.commit()
    database.close()
    with pytest.raises(RecordError, match="holds 9 entries, the last is 9"):
        opened(tmp_path)


def test_lost_tiles_are_written_again_from_the_file(log: Log, tmp_path: Path) -> None:
    log.append([entry(i) for i in range(700)])
    note = log.sign()
    log.close()
    before = {
        p.relative_to(tmp_path): p.read_bytes()
        for p in tmp_path.glob("tiles/**/*[0-9]")
        if p.is_file()
    }
    shutil.rmtree(tmp_path / "tiles")
    again = opened(tmp_path)
    again.confirm(NOBODY, POLICY)
    assert again.sign() == note
    after = {
        p.relative_to(tmp_path): p.read_bytes()
        for p in tmp_path.glob("tiles/**/*[0-9]")
        if p.is_file()
    }
    assert before == after
    again.close()


def test_the_second_writer_fences_the_first(log: Log, tmp_path: Path) -> None:
    log.append([entry(0)])
    second = opened(tmp_path)
    with pytest.raises(RecordError, match="another process has taken over"):
        log.append([entry(1)])
    with pytest.raises(RecordError, match="has stopped"):
        log.sign()
    assert second.append([b"mine"]) == range(1, 2)
    assert list(second.entries()) == [entry(0), b"mine"]
    second.close()


def test_a_writer_fenced_between_append_and_sign_publishes_nothing(
    log: Log, tmp_path: Path
) -> None:
    log.append([entry(0)])
    second = opened(tmp_path)
    with pytest.raises(RecordError, match="another process"):
        log.sign()
    assert not (tmp_path / "tiles/checkpoint").exists()
    second.close()


def test_a_full_disk_acknowledges_nothing_and_stops_the_log(log: Log, tmp_path: Path) -> None:
    log.append([entry(0)])
    (pages,) = log._entries._database.execute("PRAGMA page_count").fetchone()
    log._entries._database.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(RecordError, match="full"):
        log.append([b"x" * 60_000] * 10)
    with pytest.raises(RecordError, match="has stopped"):
        log.append([entry(1)])
    log.close()
    again = opened(tmp_path)
    assert list(again.entries()) == [entry(0)]
    assert again.append([entry(1)]) == range(1, 2)
    again.close()


def test_a_log_is_never_started_over(log: Log, tmp_path: Path) -> None:
    with pytest.raises(FileExistsError):
        create_log(tmp_path / "log.sqlite", ORIGIN)
    with pytest.raises(FileNotFoundError):
        Log(tmp_path / "other.sqlite", tmp_path / "tiles", LOG)
    with pytest.raises(ValueError, match="its key is named"):
        Log(tmp_path / "log.sqlite", tmp_path / "tiles", signer_from_seed("x", 1, b"\1" * 32))
    assert log.append([entry(0)]) == range(1)  # a wrong key has not fenced anyone out
    with pytest.raises(MalformedRecord):
        create_log(tmp_path / "new.sqlite", "two\nlines")
    assert not (tmp_path / "new.sqlite").exists()


def test_the_database_is_set_to_survive_a_loss_of_power(log: Log) -> None:
    assert log._entries._database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert log._entries._database.execute("PRAGMA synchronous").fetchone() == (2,)


def test_a_reader_of_an_older_checkpoint_is_served_from_the_same_files(
    log: Log, tmp_path: Path
) -> None:
    log.append([entry(i) for i in range(5)])
    old = parse_signed_checkpoint(log.sign())[0]
    log.append([entry(i) for i in range(5, 300)])
    log.sign()
    assert list(TileReader(directory(tmp_path / "tiles"), old).entries()) == [
        entry(i) for i in range(5)
    ]


def test_what_a_witness_holds_past_the_published_is_compared_without_writing(
    log: Log, witnesses: dict[str, Witness], tmp_path: Path
) -> None:
    """The log signed, the witnesses signed, and the power went before the tiles were there."""
    log.append([entry(i) for i in range(300)])
    log.publish(log.sign(), None, now_s=None)
    shutil.copytree(tmp_path / "tiles", tmp_path / "before")
    log.append([entry(i) for i in range(300, 1_100)])
    witnessed(log, log.sign(), witnesses, NOW_S)
    log.close()
    shutil.rmtree(tmp_path / "tiles")
    shutil.move(tmp_path / "before", tmp_path / "tiles")
    files = sorted((tmp_path / "tiles").rglob("*"))
    again = opened(tmp_path)
    again.confirm(held(witnesses), POLICY)
    assert sorted((tmp_path / "tiles").rglob("*")) == files
    assert parse_signed_checkpoint(again.sign())[0].size == 1_100
    again.close()


def test_nothing_is_published_without_the_quorum(
    log: Log, witnesses: dict[str, Witness], tmp_path: Path
) -> None:
    log.append([entry(0)])
    note = log.sign()
    some = {name: witness for name, witness in witnesses.items() if name != "W2"}
    with pytest.raises(QuorumNotMet, match="W2"):
        witnessed(log, note, some, NOW_S)
    assert not (tmp_path / "tiles/checkpoint").exists()
    log.append([entry(1)])
    newer = witnessed(log, log.sign(), witnesses, NOW_S + 1)
    assert (tmp_path / "tiles/checkpoint").read_bytes() == newer
    log.append([entry(2)])
    log.sign()
    with pytest.raises(RecordError, match="not the checkpoint that the log signed last"):
        log.publish(newer, POLICY, now_s=NOW_S + 2)


def test_a_signature_that_one_witness_saw_comes_back_after_a_restore(
    log: Log, witnesses: dict[str, Witness], tmp_path: Path
) -> None:
    log.append([entry(0)])
    witnessed(log, log.sign(), witnesses, NOW_S)
    log.close()
    shutil.copytree(tmp_path, tmp_path.with_name("backup"))
    again = opened(tmp_path)
    again.confirm(held(witnesses), POLICY)
    again.append([entry(1)])
    with pytest.raises(QuorumNotMet):
        witnessed(again, again.sign(), {"W1": witnesses["W1"]}, NOW_S + 1)
    again.close()
    restored = opened(tmp_path.with_name("backup"))
    with pytest.raises(Forked, match="'W1' has signed 2 entries"):
        restored.confirm(held(witnesses), POLICY)
    restored.close()
