"""Reading one log: what is accepted, what is refused and why, and how little a warm reader does."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.edge_records import forked, junk, publish
from support.governance import ORIGIN, START_US, World, witness_quorum

from spotbeam.edge import walk as walking
from spotbeam.edge.walk import Walked, walk
from spotbeam.errors import (
    BadSignature,
    Forked,
    MalformedRecord,
    MissingRecord,
    ProofMismatch,
    QuorumNotMet,
    RecordError,
    RolledBack,
)
from spotbeam.governance.entries.acts import SetRules, SetWitnesses
from spotbeam.governance.entries.deciding import Anchor
from spotbeam.governance.history import fold
from spotbeam.governance.state import state_digest
from spotbeam.record.checkpoint import parse_signed_checkpoint
from spotbeam.record.merkle import leaf_hash, root_hash
from spotbeam.record.tile_reader import Fetch

START_S = START_US // 1_000_000


@pytest.fixture
def world() -> World:
    world = World()
    world.pass_change()
    return world


def more(fetch: Fetch, walked: Walked, now_s: int | None = None) -> Walked:
    return walk(
        fetch,
        genesis=walked.genesis,
        onto=walked.history,
        held=walked.checkpoint,
        now_s=now_s,
    )


class Counted:
    """A source that remembers what it was asked for."""

    def __init__(self, fetch: Fetch) -> None:
        self.fetch = fetch
        self.paths: list[str] = []

    def __call__(self, path: str) -> bytes | None:
        self.paths.append(path)
        return self.fetch(path)


def test_a_cold_reader_arrives_at_the_state_of_the_log(world: World, tmp_path: Path) -> None:
    fetch = publish(world, tmp_path)
    walked = walk(fetch, genesis=world.now.genesis, now_s=None)
    # The oracle: the entries folded straight, and the root over their hashes.
    assert state_digest(walked.history.now) == state_digest(fold(world.entries).now)
    assert walked.checkpoint.root == root_hash(map(leaf_hash, world.entries))
    assert walked.entries == tuple(world.entries)
    assert walked.genesis == world.now.genesis
    assert walked.time_s == world.clock_us // 1_000_000
    assert walked.history.now.layers  # and there is a rule in it


def test_time_is_the_earliest_by_which_the_quorum_had_signed(tmp_path: Path) -> None:
    world = World(witnesses=("w1", "w2", "w3", "w4"))  # three of four
    fetch = publish(world, tmp_path, by=())
    note = world.note(by=("w1",), at_us=START_US + 10_000_000)
    for name, at_s in (("w2", 30), ("w3", 20), ("w4", 40)):
        line = world.note(by=(name,), at_us=START_US + at_s * 1_000_000).splitlines(True)[-1]
        note += line
    walked = walk(fetch, genesis=None, now_s=None, note=note)
    assert walked.time_s == START_S + 30  # w1, w3, w2; w4 was not needed


def test_a_warm_reader_fetches_only_what_is_new(world: World, tmp_path: Path) -> None:
    fetch = publish(world, tmp_path, size=3)
    first = walk(fetch, genesis=None, now_s=None)
    junk(world, 600)
    publish(world, tmp_path)
    counted = Counted(fetch)
    second = more(counted, first)
    assert state_digest(second.history.now) == state_digest(fold(world.entries).now)
    assert second.first == 3
    assert second.entries == tuple(world.entries[3:])
    assert [path for path in counted.paths if not path.startswith("tile/entries/")] == [
        "checkpoint"
    ]
    junk(world, 1)
    publish(world, tmp_path)
    counted = Counted(fetch)
    more(counted, second)
    assert len(counted.paths) == 2  # the checkpoint and the last bundle


def test_a_fresh_signature_on_the_same_tree_needs_nothing_else(
    world: World, tmp_path: Path
) -> None:
    fetch = publish(world, tmp_path)
    first = walk(fetch, genesis=None, now_s=None)
    world.clock_us += 60_000_000
    publish(world, tmp_path)
    counted = Counted(fetch)
    again = more(counted, first)
    assert again.time_s == first.time_s + 60
    assert counted.paths == ["checkpoint"]
    assert again.entries == ()


def test_another_record_is_refused_by_the_digest_of_entry_0(world: World, tmp_path: Path) -> None:
    other = World(salt="1" * 64)
    fetch = publish(other, tmp_path)
    with pytest.raises(ProofMismatch, match="begins with another entry"):
        walk(fetch, genesis=world.now.genesis, now_s=None)
    assert walk(fetch, genesis=None, now_s=None).genesis == other.now.genesis


@pytest.mark.parametrize("by", [(), ("w1",), ("w1", "w2")])
def test_without_the_quorum_nothing_is_handed_out(
    world: World, tmp_path: Path, by: tuple[str, ...]
) -> None:
    fetch = publish(world, tmp_path, by=by)
    with pytest.raises(QuorumNotMet):
        walk(fetch, genesis=None, now_s=None)


def test_the_logs_own_signature_is_asked_for_beside_the_quorum(
    world: World, tmp_path: Path
) -> None:
    fetch = publish(world, tmp_path, logs=("thief",))
    with pytest.raises(BadSignature):
        walk(fetch, genesis=None, now_s=None)


def test_a_change_of_the_witnesses_is_walked_through(world: World, tmp_path: Path) -> None:
    fetch = publish(world, tmp_path)
    warm = walk(fetch, genesis=None, now_s=None)
    new = ("w1", "w2", "w3", "w4", "w5")
    name = world.change(SetWitnesses(witness_quorum(new, "new log")))
    world.approve(name, "bo", "cy")
    world.witnesses = new
    world.anchor(logs=("log", "new log"))
    assert world.status(name) == "bound"
    world.log_seed = "new log"
    world.witnesses = ("w4", "w5", "w1", "w2")
    publish(world, tmp_path)
    for walked in (walk(fetch, genesis=None, now_s=None), more(fetch, warm)):
        assert walked.checkpoint.size == len(world.entries)
    # Those who were in the old quorum, and the old key, no longer count.
    world.witnesses, world.log_seed = ("w1", "w2", "w3"), "log"
    old = world.note()
    for onto in (None, warm):
        with pytest.raises((BadSignature, QuorumNotMet)):
            walk(
                fetch,
                genesis=None,
                onto=onto.history if onto else None,
                held=onto.checkpoint if onto else None,
                now_s=None,
                note=old,
            )


def test_a_smaller_checkpoint_is_a_rollback(world: World, tmp_path: Path) -> None:
    fetch = publish(world, tmp_path)
    walked = walk(fetch, genesis=None, now_s=None)
    with pytest.raises(RolledBack, match=f"{walked.checkpoint.size} were accepted"):
        walk(
            fetch,
            genesis=None,
            onto=walked.history,
            held=walked.checkpoint,
            now_s=None,
            note=world.note(3),
        )


def test_two_roots_of_one_size_are_a_fork(world: World, tmp_path: Path) -> None:
    fetch = publish(world, tmp_path)
    walked = walk(fetch, genesis=None, now_s=None)
    for logs, error in ((("log",), Forked), (("thief",), BadSignature)):
        with pytest.raises(error):
            walk(
                fetch,
                genesis=None,
                onto=walked.history,
                held=walked.checkpoint,
                now_s=None,
                note=world.note(root=bytes(32), logs=logs),
            )


def test_a_larger_checkpoint_that_does_not_continue_ours_is_a_fork(
    world: World, tmp_path: Path
) -> None:
    other = forked(world)
    world.pass_change()
    fetch = publish(world, tmp_path / "one")
    walked = walk(fetch, genesis=None, now_s=None)
    junk(other, 300)
    theirs = publish(other, tmp_path / "other")
    with pytest.raises(Forked, match="does not continue"):
        more(theirs, walked)
    assert walk(theirs, genesis=None, now_s=None)  # to a cold reader it is as good as any


def test_an_entry_that_was_not_logged_is_named(world: World, tmp_path: Path) -> None:
    fetch = publish(world, tmp_path)
    size = len(world.entries)

    def forging(path: str) -> bytes | None:
        data = fetch(path)
        return data.replace(b"ministry", b"monastry") if data and "entries" in path else data

    with pytest.raises(ProofMismatch, match=r"tile/entries/000.p/\d+: entry 1 is not") as caught:
        walk(forging, genesis=world.now.genesis, now_s=None)
    assert caught.value.place == f"tile/entries/000.p/{size}"


def test_files_that_are_missing_or_broken_are_named(world: World, tmp_path: Path) -> None:
    fetch = publish(world, tmp_path)
    with pytest.raises(MissingRecord, match="checkpoint"):
        walk(lambda path: None, genesis=None, now_s=None)
    with pytest.raises(MissingRecord, match="tile/entries/000"):
        walk(lambda path: None if "entries" in path else fetch(path), genesis=None, now_s=None)
    with pytest.raises(MalformedRecord, match="tile/entries/000"):
        walk(
            lambda path: b"\xff\xff\x00" if "entries" in path else fetch(path),
            genesis=None,
            now_s=None,
        )
    with pytest.raises(MalformedRecord, match="checkpoint"):
        walk(lambda path: b"junk", genesis=None, now_s=None)


def test_a_record_that_does_not_begin_with_a_genesis_says_so(tmp_path: Path) -> None:
    world = World()
    world.entries = [b"{}"]
    with pytest.raises(MalformedRecord, match="entry 0"):
        walk(publish(world, tmp_path), genesis=None, now_s=None)


def test_the_checkpoint_of_another_log_is_refused(world: World, tmp_path: Path) -> None:
    fetch = publish(world, tmp_path)
    world.origin = "other.example/log"
    note = world.note()
    with pytest.raises(BadSignature, match=r"other\.example"):
        walk(fetch, genesis=None, now_s=None, note=note)
    world.origin = ORIGIN


class TestDates:
    def test_zero_and_future_cosignatures_do_not_count(self, world: World, tmp_path: Path) -> None:
        fetch = publish(world, tmp_path)
        now_s = world.clock_us // 1_000_000
        assert walk(fetch, genesis=None, now_s=now_s).time_s == now_s
        with pytest.raises(QuorumNotMet):
            walk(fetch, genesis=None, now_s=now_s - 1)

    def test_one_witness_cannot_move_the_time_where_all_must_sign(
        self, world: World, tmp_path: Path
    ) -> None:
        fetch = publish(world, tmp_path)
        note = world.note(by=("w1", "w2"))
        late_us = world.clock_us + 40 * 365 * 86_400_000_000
        note += world.note(by=("w3",), at_us=late_us).splitlines(True)[-1]
        # The control: by the cosignatures alone, the quorum is met forty years from now.
        policy = world.now.witness_policy
        assert policy is not None
        found = walking.verify_witnessed(note, policy, now_s=None)
        assert found.time_s == late_us // 1_000_000
        with pytest.raises(BadSignature, match="more than 1 organisations"):
            walk(fetch, genesis=None, now_s=None, note=note)

    def test_nor_through_an_anchor(self, world: World, tmp_path: Path) -> None:
        late_us = world.clock_us + 40 * 365 * 86_400_000_000
        note = world.note(by=("w1", "w2")).decode()
        note += world.note(by=("w3",), at_us=late_us).decode().splitlines(True)[-1]
        junk(world, 1)
        world.log_says(Anchor(size=len(world.entries) - 1, note=note))
        assert world.last_code() == "misdated"
        fetch = publish(world, tmp_path)
        assert walk(fetch, genesis=None, now_s=None).time_s < late_us // 1_000_000


class TestJunk:
    """What a source can make a reader do for nothing."""

    def test_a_reader_stops_where_no_anchor_vouches(
        self, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(walking, "MOST_UNVOUCHED", 500)
        junk(world, 2_000)
        fetch = publish(world, tmp_path, by=("w1",))
        counted = Counted(fetch)
        with pytest.raises(QuorumNotMet):
            walk(counted, genesis=None, now_s=None)
        assert len(counted.paths) < 5  # of nine
        # What the quorum signed is read to its end, however much it is.
        publish(world, tmp_path)
        assert walk(fetch, genesis=None, now_s=None).checkpoint.size == len(world.entries)

    def test_a_reader_stops_before_junk_fills_its_memory(
        self, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(walking, "MOST_UNVOUCHED_BYTES", 10_000)
        junk(world, 2_000)
        fetch = publish(world, tmp_path, by=("w1",))
        counted = Counted(fetch)
        with pytest.raises(QuorumNotMet):
            walk(counted, genesis=None, now_s=None)
        assert len(counted.paths) < 5  # of nine
        publish(world, tmp_path)
        assert walk(fetch, genesis=None, now_s=None).checkpoint.size == len(world.entries)

    def test_a_warm_reader_folds_nothing_before_the_root_holds(
        self, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fetch = publish(world, tmp_path)
        walked = walk(fetch, genesis=None, now_s=None)
        junk(world, 300)
        publish(world, tmp_path)

        def forging(path: str) -> bytes | None:
            data = fetch(path)
            return data.replace(b"junk", b"jink") if data and "entries" in path else data

        def fails(*_: object) -> None:
            raise AssertionError("it was folded")

        with monkeypatch.context() as patched:
            patched.setattr(walking, "fold", fails)
            with pytest.raises(ProofMismatch):
                more(forging, walked)


def test_an_unknown_rules_version_stops_the_reader(tmp_path: Path) -> None:
    world = World()
    world.pass_change(SetRules(version=77))
    assert world.now.halted
    halted_at = world.now.size
    junk(world, 3)
    fetch = publish(world, tmp_path)
    walked = walk(fetch, genesis=None, now_s=None)
    assert walked.history.now.halted
    assert walked.history.now.size == halted_at
    assert walked.checkpoint.size == halted_at + 3
    with pytest.raises(RecordError, match="version 77"):
        more(fetch, walked)


def test_progress_is_told(world: World, tmp_path: Path) -> None:
    junk(world, 3_000)
    told: list[tuple[int, int]] = []
    walk(
        publish(world, tmp_path),
        genesis=None,
        now_s=None,
        progress=lambda done, of: told.append((done, of)),
    )
    size = len(world.entries)
    assert told[-1] == (size, size)
    assert [done for done, _ in told] == sorted({done for done, _ in told})
    assert parse_signed_checkpoint(world.note())[0].size == size
