"""Following a log: what is accepted, kept and refused, whoever shows what."""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path

import pytest
from support.edge_records import forked, junk, publish
from support.governance import START_US, World, rule, witness_quorum

from spotbeam.edge import snapshots
from spotbeam.edge import walk as walking
from spotbeam.edge.follow import Follower
from spotbeam.edge.keeping import Kept
from spotbeam.edge.walk import Walked
from spotbeam.errors import MalformedRecord, ProofMismatch, RecordError, Unreachable
from spotbeam.governance.entries.acts import CloseLog, PutRule, SetRules
from spotbeam.governance.entries.logs import Open
from spotbeam.governance.snapshots import write_snapshot
from spotbeam.governance.state import state_digest
from spotbeam.governance.succession import ending, onward
from spotbeam.record.checkpoint import parse_signed_checkpoint
from spotbeam.record.evidence import verify_equivocation
from spotbeam.record.tile_reader import Fetch, TileReader, directory, fsck


@pytest.fixture
def world() -> World:
    world = World()
    world.pass_change()
    return world


def follow(tmp_path: Path, world: World, *sources: Fetch) -> Follower:
    return Follower(sources, world.now.genesis, tmp_path / "kept")


def accepted(follower: Follower) -> Walked:
    assert follower.walked is not None
    return follower.walked


def test_it_accepts_keeps_and_goes_on(world: World, tmp_path: Path) -> None:
    log = publish(world, tmp_path / "log")
    follower = follow(tmp_path, world, log)
    assert follower.walked is None
    first = follower.refresh(None)
    assert first is not None
    assert state_digest(first.history.now) == state_digest(world.now)
    assert follower.refresh(None) is None  # nothing newer
    world.pass_change(PutRule(rule("another")))
    publish(world, tmp_path / "log")
    second = follower.refresh(None)
    assert second is not None
    assert second.first == first.checkpoint.size
    assert state_digest(second.history.now) == state_digest(world.now)


def test_a_restart_goes_on_where_it_was(world: World, tmp_path: Path) -> None:
    junk(world, 300)
    log = publish(world, tmp_path / "log")
    follow(tmp_path, world, log).refresh(None)
    asked: list[str] = []

    def counted(path: str) -> bytes | None:
        asked.append(path)
        return log(path)

    again = follow(tmp_path, world, counted)
    assert state_digest(accepted(again).history.now) == state_digest(world.now)
    assert again.refresh(None) is None
    assert asked == ["checkpoint"]


def test_what_it_keeps_is_a_record_of_its_own(world: World, tmp_path: Path) -> None:
    junk(world, 300)
    follower = follow(tmp_path, world, publish(world, tmp_path / "log", size=290))
    follower.refresh(None)
    publish(world, tmp_path / "log")
    follower.refresh(None)
    kept = Kept(tmp_path / "kept")
    assert fsck(kept.fetch(0), accepted(follower).checkpoint).entries == len(world.entries)


def test_fresh_signatures_are_news_and_older_ones_are_not(world: World, tmp_path: Path) -> None:
    log = publish(world, tmp_path / "log")
    follower = follow(tmp_path, world, log)
    first = follower.refresh(None)
    assert first is not None
    publish(world, tmp_path / "log", at_us=world.clock_us - 30_000_000)
    assert follower.refresh(None) is None
    publish(world, tmp_path / "log", at_us=world.clock_us + 60_000_000)
    again = follower.refresh(None)
    assert again is not None
    assert again.time_s == first.time_s + 60
    assert again.entries == ()


def test_another_record_is_refused_for_ever(world: World, tmp_path: Path) -> None:
    other = World(salt="1" * 64)
    log = publish(other, tmp_path / "other")
    follower = follow(tmp_path, world, log)
    assert follower.refresh(None) is None
    assert follower.walked is None
    assert follower.standings[0].code == "proof_mismatch"
    follow(tmp_path, world, publish(world, tmp_path / "log")).refresh(None)
    with pytest.raises(ProofMismatch):
        Follower([log], other.now.genesis, tmp_path / "kept").refresh(None)


def test_the_first_record_met_is_the_one_that_is_followed(world: World, tmp_path: Path) -> None:
    log = publish(world, tmp_path / "log")
    follower = Follower([log], None, tmp_path / "kept")
    follower.refresh(None)
    assert follower.genesis == world.now.genesis
    other = publish(World(salt="1" * 64), tmp_path / "other")
    again = Follower([other], None, tmp_path / "kept")
    assert again.refresh(None) is None
    assert again.genesis == world.now.genesis


class TestSources:
    """One that withholds, lags, lies or hangs stops nobody."""

    def test_one_good_source_is_enough(self, world: World, tmp_path: Path) -> None:
        log = publish(world, tmp_path / "log")

        def down(path: str) -> bytes | None:
            raise Unreachable("http://example", "no server answers there")

        def withholding(path: str) -> bytes | None:
            return log(path) if path == "checkpoint" else None

        def lying(path: str) -> bytes | None:
            data = log(path)
            return data and data.replace(b"ministry", b"monastry")

        def talking(path: str) -> bytes | None:
            return b"hello"

        sources = (down, withholding, lying, talking)
        bad = Follower(sources, world.now.genesis, tmp_path / "bad")
        assert bad.refresh(None) is None
        assert [s.code for s in bad.standings] == [
            "unreachable",
            "missing_record",
            "proof_mismatch",
            "malformed_record",
        ]
        bad.close()
        follower = follow(tmp_path, world, *sources, log)
        assert follower.refresh(None) is not None
        follower.close()

    def test_one_that_hangs_is_left_alone(self, world: World, tmp_path: Path) -> None:
        log = publish(world, tmp_path / "log")
        hung = threading.Event()

        def hanging(path: str) -> bytes | None:
            hung.wait(20.0)
            return log(path)

        follower = Follower([hanging, log], world.now.genesis, tmp_path / "kept", patience_s=0.05)
        try:
            assert follower.refresh(None) is not None
            world.pass_change()
            publish(world, tmp_path / "log")
            assert follower.refresh(None) is not None  # and it is not asked a second time
            assert follower.standings[0].size is None
        finally:
            hung.set()
            follower.close()

    def test_one_that_stops_in_the_middle_is_left_too(self, world: World, tmp_path: Path) -> None:
        log = publish(world, tmp_path / "log")
        hung = threading.Event()

        def stopping(path: str) -> bytes | None:
            if path != "checkpoint":
                hung.wait(20.0)
            return log(path)

        follower = Follower([stopping, log], world.now.genesis, tmp_path / "kept", stalled_s=0.05)
        try:
            for _ in range(2):
                assert follower.refresh(None) is not None
                world.pass_change()
                publish(world, tmp_path / "log")
            hung.set()
            for _ in range(100):
                follower.refresh(None)
                if follower.standings[0].fault is None:
                    break
                time.sleep(0.02)
            assert follower.standings[0].size == len(world.entries)
        finally:
            hung.set()
            follower.close()

    def test_one_that_lags_is_no_fault(self, world: World, tmp_path: Path) -> None:
        mirror = publish(world, tmp_path / "mirror", size=3)
        log = publish(world, tmp_path / "log")
        follower = follow(tmp_path, world, log, mirror)
        follower.refresh(None)
        assert [s.fault for s in follower.standings] == [None, None]
        assert [s.size for s in follower.standings] == [len(world.entries), 3]
        assert accepted(follower).checkpoint.size == len(world.entries)
        assert follower.evidence == ()
        follower.close()

    def test_much_junk_is_gone_through_less_and_less_often(
        self, world: World, tmp_path: Path
    ) -> None:
        other = forked(world)
        junk(other, 3_000)
        fetch = publish(other, tmp_path / "junk", by=("w3",))
        asked: list[str] = []

        def sending(path: str) -> bytes | None:
            asked.append(path)
            return fetch(path)

        follower = follow(tmp_path, world, sending)
        for _ in range(100):
            follower.refresh(None)
        assert asked.count("checkpoint") == 100
        assert 1 < asked.count("tile/entries/001") < 12
        # Once the quorum has signed something it is read at once.
        publish(world, tmp_path / "log")
        first = follow(tmp_path, world, directory(tmp_path / "log"))
        first.refresh(None)
        sources = {"now": sending}
        warm = follow(tmp_path, world, lambda path: sources["now"](path))
        for _ in range(20):
            warm.refresh(None)
        world.pass_change(PutRule(rule("real")))
        sources["now"] = publish(world, tmp_path / "log")
        assert warm.refresh(None) is not None

    def test_a_source_that_is_down_is_followed_as_soon_as_it_is_back(
        self, world: World, tmp_path: Path
    ) -> None:
        log = publish(world, tmp_path / "log")
        is_down = True

        def flaky(path: str) -> bytes | None:
            if is_down:
                raise Unreachable("http://example", "no server answers there")
            return log(path)

        follower = follow(tmp_path, world, flaky)
        for _ in range(50):
            assert follower.refresh(None) is None
        assert follower.standings[0].failures == 50
        is_down = False
        assert follower.refresh(None) is not None

    def test_a_folder_that_cannot_be_read_is_a_silent_source(
        self, world: World, tmp_path: Path
    ) -> None:
        (tmp_path / "log" / "checkpoint").mkdir(parents=True)
        follower = follow(tmp_path, world, directory(tmp_path / "log"))
        assert follower.refresh(None) is None
        assert follower.standings[0].code == "unreachable"


class TestSplit:
    """A log that signs two views: nobody accepts both, and the evidence convicts it."""

    def branches(self, world: World, tmp_path: Path) -> tuple[World, Fetch, Fetch]:
        other = forked(world)
        world.pass_change(PutRule(rule("one")))
        other.pass_change(PutRule(rule("two")))
        junk(other, 5)
        return other, publish(world, tmp_path / "one"), publish(other, tmp_path / "two")

    def test_a_reader_stays_on_its_branch_and_keeps_the_evidence(
        self, world: World, tmp_path: Path
    ) -> None:
        other, one, two = self.branches(world, tmp_path)
        follower = follow(tmp_path, world, one)
        follower.refresh(None)
        both = Follower([one, two], world.now.genesis, tmp_path / "kept")
        assert both.refresh(None) is None
        assert both.standings[1].code == "forked"
        assert "rule:one" in accepted(both).history.now.layers
        (path,) = both.evidence
        smaller, larger = verify_equivocation(path.read_bytes(), both.log_keys)
        assert {smaller.size, larger.size} == {len(world.entries), len(other.entries)}
        # And it goes on with its own branch.
        world.pass_change(PutRule(rule("three")))
        publish(world, tmp_path / "one")
        assert both.refresh(None) is not None
        both.close()

    @pytest.mark.parametrize("mine", ["one", "two"])
    def test_smaller_equal_and_larger_views_convict(
        self, world: World, tmp_path: Path, mine: str
    ) -> None:
        _, one, two = self.branches(world, tmp_path)
        ours, theirs = (one, two) if mine == "one" else (two, one)
        follower = follow(tmp_path, world, ours)
        follower.refresh(None)
        note = theirs("checkpoint")
        assert note is not None
        assert follower.compare(note, theirs) is not None
        own = ours("checkpoint")
        assert own is not None
        assert follower.compare(own, ours) is None

    def test_what_the_log_did_not_sign_convicts_nobody(self, world: World, tmp_path: Path) -> None:
        other = forked(world)
        other.log_seed = "thief"
        junk(world, 1)
        junk(other, 2)
        one, two = publish(world, tmp_path / "one"), publish(other, tmp_path / "two")
        follower = follow(tmp_path, world, one, two)
        follower.refresh(None)
        assert follower.evidence == ()
        assert follower.standings[1].code == "bad_signature"
        follower.close()

    def test_each_of_two_readers_is_shown_one_view(self, world: World, tmp_path: Path) -> None:
        """Three witnesses of three organisations, of which one lies: all must sign."""
        other = forked(world)
        world.pass_change(PutRule(rule("one")))
        other.pass_change(PutRule(rule("two")))
        one = publish(world, tmp_path / "one")
        # The honest two signed the first view; the liar signs the other as well.
        two = publish(other, tmp_path / "two", by=("w3",))
        left = Follower([one], world.now.genesis, tmp_path / "left")
        right = Follower([two], world.now.genesis, tmp_path / "right")
        assert left.refresh(None) is not None
        assert right.refresh(None) is None
        assert right.standings[0].code == "quorum_not_met"
        # The control: a reader to whom the log's signature is enough would have taken it.
        note = two("checkpoint")
        assert note is not None
        reader = TileReader(two, parse_signed_checkpoint(note)[0])
        assert reader.root() != TileReader(one, accepted(left).checkpoint).root()
        # Whoever compares finds the log out.
        path = left.compare(note, two)
        assert path is not None
        verify_equivocation(path.read_bytes(), left.log_keys)


class TestForward:
    """Forward only, whatever is on the disk or at the source."""

    def test_a_log_that_goes_back_is_not_followed(self, world: World, tmp_path: Path) -> None:
        old = tmp_path / "old"
        log = publish(world, tmp_path / "log")
        shutil.copytree(tmp_path / "log", old)
        follower = follow(tmp_path, world, log)
        follower.refresh(None)
        world.pass_change(PutRule(rule("later")))
        publish(world, tmp_path / "log")
        follower.refresh(None)
        back = Follower([directory(old)], world.now.genesis, tmp_path / "kept")
        assert back.refresh(None) is None
        assert "rule:later" in accepted(back).history.now.layers

    def test_an_old_image_of_the_reader_only_goes_forward(
        self, world: World, tmp_path: Path
    ) -> None:
        log = publish(world, tmp_path / "log")
        follow(tmp_path, world, log).refresh(None)
        shutil.copytree(tmp_path / "kept", tmp_path / "image")
        world.pass_change(PutRule(rule("later")))
        publish(world, tmp_path / "log")
        restored = Follower([log], world.now.genesis, tmp_path / "image")
        known = accepted(restored)
        assert "rule:later" not in known.history.now.layers
        assert known.time_s < world.clock_us // 1_000_000  # from which it counts its silence
        assert restored.refresh(None) is not None
        assert "rule:later" in accepted(restored).history.now.layers

    def test_a_damaged_store_says_so(self, world: World, tmp_path: Path) -> None:
        log = publish(world, tmp_path / "log")
        follow(tmp_path, world, log).refresh(None)
        (bundle,) = (tmp_path / "kept/logs/000/tile/entries/000.p").iterdir()
        data = bytearray(bundle.read_bytes())
        data[400] ^= 1
        bundle.write_bytes(data)
        with pytest.raises(RecordError):
            follow(tmp_path, world, log)
        (tmp_path / "kept/genesis").write_text("nonsense")
        with pytest.raises(MalformedRecord, match="move the folder away"):
            follow(tmp_path, world, log)

    def test_two_processes_may_keep_one_folder(self, world: World, tmp_path: Path) -> None:
        log = publish(world, tmp_path / "log")
        one, two = follow(tmp_path, world, log), follow(tmp_path, world, log)
        one.refresh(None)
        for number in range(4):
            world.pass_change(PutRule(rule(f"r{number}")))
            publish(world, tmp_path / "log")
            for follower in (one, two) if number % 2 else (two, one):
                assert follower.refresh(None) is not None
        kept = Kept(tmp_path / "kept")
        assert kept.reader(0).size == len(world.entries)


class TestReplay:
    """Records of demo, staging or last year's log (row 36)."""

    def test_an_entry_of_another_log_is_void_here(self, world: World, tmp_path: Path) -> None:
        staging = World(salt="5" * 64)  # the same people and keys
        staging.pass_change(PutRule(rule("from-staging")))
        assert "rule:from-staging" in staging.now.layers
        for entry in staging.entries[1:]:
            world.add(entry)
        follower = follow(tmp_path, world, publish(world, tmp_path / "log"))
        follower.refresh(None)
        now = accepted(follower).history.now
        assert "rule:from-staging" not in now.layers
        assert len(now.findings) == len(staging.entries) - 1

    def test_a_whole_log_of_another_beginning_is_refused(
        self, world: World, tmp_path: Path
    ) -> None:
        staging = World(salt="5" * 64)
        staging.pass_change()
        log = publish(staging, tmp_path / "staging")
        follower = follow(tmp_path, world, log)
        assert follower.refresh(None) is None
        # The control: a reader that was brought no digest follows it.
        anybody = Follower([log], None, tmp_path / "anybody")
        assert anybody.refresh(None) is not None


class TestJunkEntries:
    """Row 32: junk in the log is listed, and stops nobody."""

    def test_void_entries_are_listed_and_the_next_change_binds(
        self, world: World, tmp_path: Path
    ) -> None:
        for data in (b"", b"\xff" * 65_535, b"[" * 10_000, b'{"v":1,"v":2}', b"null"):
            world.add(data)
        world.pass_change(PutRule(rule("after")))
        follower = follow(tmp_path, world, publish(world, tmp_path / "log"))
        follower.refresh(None)
        now = accepted(follower).history.now
        assert now.halted is None
        assert "rule:after" in now.layers
        assert len(now.findings) == 5

    def test_an_unknown_rules_version_stops_it_and_is_said(
        self, world: World, tmp_path: Path
    ) -> None:
        log = publish(world, tmp_path / "log")
        follower = follow(tmp_path, world, log)
        follower.refresh(None)
        world.pass_change(SetRules(version=9))
        publish(world, tmp_path / "log")
        assert follower.refresh(None) is not None
        halted = accepted(follower)
        assert halted.history.now.halted
        world.clock_us += 600_000_000
        junk(world, 1)
        publish(world, tmp_path / "log")
        assert follower.refresh(None) is None
        assert accepted(follower).time_s == halted.time_s
        again = follow(tmp_path, world, log)
        assert accepted(again).history.now.halted


class TestClockOfWitnesses:
    """Row 34, as far as following goes; the edge's clock has its own tests."""

    def test_dates_after_the_readers_clock_do_not_count(self, world: World, tmp_path: Path) -> None:
        at_us = world.clock_us + 86_400_000_000
        log = publish(world, tmp_path / "log", at_us=at_us)
        follower = follow(tmp_path, world, log)
        assert follower.refresh(START_US // 1_000_000 + 3_600) is None
        assert follower.standings[0].code == "quorum_not_met"
        follower = Follower([log], world.now.genesis, tmp_path / "kept")
        assert follower.refresh(at_us // 1_000_000) is not None


class TestChain:
    """A record that goes on in another log."""

    def rotated(self, world: World) -> World:
        origin = "log.example/black-sea-2"
        quorum = witness_quorum(("w1", "w2", "w3"), "second log", origin)
        world.pass_change(CloseLog(origin=origin, witness_quorum=quorum))
        assert world.now.closing is not None
        later = forked(world)
        later.entries = []
        later.origin, later.log_seed = origin, "second log"
        previous = ending(world.now)
        later.now = onward(world.now)
        later.log_says(Open(origin=origin, previous=previous))
        later.anchor()
        later.pass_change(PutRule(rule("in-the-next-log")))
        assert "rule:in-the-next-log" in later.now.layers
        return later

    @pytest.mark.parametrize("order", [(0, 1), (1, 0)])
    def test_it_is_followed_through_all_logs(
        self, world: World, tmp_path: Path, order: tuple[int, int]
    ) -> None:
        later = self.rotated(world)
        sources = [publish(world, tmp_path / "first"), publish(later, tmp_path / "second")]
        follower = follow(tmp_path, world, *(sources[number] for number in order))
        follower.refresh(None)
        assert state_digest(accepted(follower).history.now) == state_digest(later.now)
        assert follower.genesis == world.now.genesis
        later.pass_change(PutRule(rule("more")))
        publish(later, tmp_path / "second")
        assert follower.refresh(None) is not None
        follower.close()
        again = follow(tmp_path, world, sources[1])
        assert state_digest(accepted(again).history.now) == state_digest(later.now)
        assert again.refresh(None) is None

    def test_a_log_that_merely_claims_to_be_next_is_refused(
        self, world: World, tmp_path: Path
    ) -> None:
        later = self.rotated(world)
        impostor = forked(later)
        impostor.log_seed = "thief"
        first = publish(world, tmp_path / "first")
        for number, wrong in enumerate((impostor, World(origin="log.example/black-sea-2"))):
            follower = Follower(
                [first, publish(wrong, tmp_path / f"wrong{number}")],
                world.now.genesis,
                tmp_path / f"kept{number}",
            )
            follower.refresh(None)
            assert accepted(follower).checkpoint.origin == world.origin
            assert follower.standings[1].fault is not None
            follower.close()


class TestSnapshots:
    """A restart goes on from the fold that is kept, and never believes it more than the record."""

    @pytest.fixture(autouse=True)
    def _often(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(snapshots, "EVERY", 3)

    def test_a_restart_folds_only_what_came_after(
        self, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fetch = publish(world, tmp_path / "log")
        first = Follower([fetch], world.now.genesis, tmp_path / "store")
        first.refresh(None)
        first.close()
        folded: list[int] = []
        real = walking.fold
        monkeypatch.setattr(
            walking,
            "fold",
            lambda entries, onto: folded.append(len(entries)) or real(entries, onto),
        )
        again = Follower([fetch], world.now.genesis, tmp_path / "store")
        assert again.walked is not None
        assert sum(folded) == 0
        assert state_digest(again.walked.history.now) == state_digest(world.now)
        world.pass_change()
        publish(world, tmp_path / "log")
        again.refresh(None)
        assert state_digest(again.walked.history.now) == state_digest(world.now)
        again.close()

    @pytest.mark.parametrize("how", ["damaged", "of another record", "gone"])
    def test_one_that_does_not_fit_is_let_go(self, world: World, tmp_path: Path, how: str) -> None:
        fetch = publish(world, tmp_path / "log")
        first = Follower([fetch], world.now.genesis, tmp_path / "store")
        first.refresh(None)
        first.close()
        place = tmp_path / "store" / snapshots.FILE
        if how == "damaged":
            place.write_bytes(place.read_bytes()[:-1] + b"!")
        elif how == "of another record":
            other = World(salt="1" * 64)
            other.anchor()
            place.write_bytes(write_snapshot(other.now))
        else:
            place.unlink()
        again = Follower([fetch], world.now.genesis, tmp_path / "store")
        assert again.walked is not None
        assert state_digest(again.walked.history.now) == state_digest(world.now)
        again.close()
