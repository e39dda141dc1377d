"""The sequencer step by step: what it publishes when, and what it does in a world gone wrong."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from pathlib import Path

import pytest
from support.governance import NEXT, ORIGIN, START_US, World, seed, witness_quorum
from support.sequencing import Bench, dead

from spotbeam.control.cosigning import Disputed
from spotbeam.edge.walk import walk
from spotbeam.errors import QuorumNotMet, Refused
from spotbeam.governance.entries import parse_entry
from spotbeam.governance.entries.acts import CloseLog, SetWitnesses
from spotbeam.governance.entries.asking import Refusal
from spotbeam.governance.entries.words import SECOND_US
from spotbeam.governance.history import next_log
from spotbeam.governance.state import state_digest
from spotbeam.record.checkpoint import Checkpoint, parse_signed_checkpoint, sign_checkpoint
from spotbeam.record.keys import ED25519, signer_from_seed
from spotbeam.record.log import Log, create_log
from spotbeam.record.tile_reader import directory


@pytest.fixture
def bench(tmp_path: Path):
    made = Bench(tmp_path)
    yield made
    for witness in made.witnesses.values():
        if witness.gate is not None:
            witness.gate.set()
    made.sequencer.close()


def kinds(bench: Bench) -> list[str]:
    return [parse_entry(data).envelope.type for data in bench.log.entries()]


def published(bench: Bench) -> int:
    data = (bench.folder / "record" / "checkpoint").read_bytes()
    return parse_signed_checkpoint(data)[0].size


def test_each_batch_is_witnessed_anchored_and_the_anchor_witnessed_too(bench: Bench) -> None:
    bench.settle()
    assert kinds(bench) == ["genesis", "anchor"]
    assert published(bench) == 2
    bench.say(lambda world: world.request())
    bench.say(lambda world: world.request())
    bench.settle()
    assert kinds(bench) == ["genesis", "anchor", "request", "request", "anchor"]
    assert published(bench) == 5
    assert bench.sequencer.state.anchored_size == 4
    # A reader who trusts nobody comes to the same state.
    found = walk(
        directory(bench.folder / "record"),
        genesis=bench.world.now.genesis,
        now_s=bench.clock.us // SECOND_US,
    )
    assert state_digest(found.history.now) == state_digest(bench.sequencer.state)
    assert bench.sequencer.state_at_digest(5) == state_digest(found.history.now)
    assert bench.sequencer.state_at_digest(3) is None
    assert bench.sequencer.history().anchors == found.history.anchors


def test_nothing_comes_of_itself_but_fresh_cosignatures(bench: Bench) -> None:
    due_s = bench.settle()
    assert due_s == bench.limits.refresh_s
    before = (bench.folder / "record" / "checkpoint").read_bytes()
    bench.clock.pass_s(30)
    assert bench.settle() == 30
    assert (bench.folder / "record" / "checkpoint").read_bytes() == before
    bench.clock.pass_s(30)
    bench.settle()
    after = (bench.folder / "record" / "checkpoint").read_bytes()
    assert after != before
    assert parse_signed_checkpoint(after)[0] == parse_signed_checkpoint(before)[0]
    assert bench.sequencer.status().witnessed_us == bench.clock.us // SECOND_US * SECOND_US
    assert kinds(bench) == ["genesis", "anchor"]


def test_what_apply_would_void_is_refused_with_its_reason_and_not_added(bench: Bench) -> None:
    bench.settle()
    for junk in (b"", b"junk", b"{}", b'{"id":"x"}'):
        with pytest.raises(Refused) as caught:
            bench.sequencer.submit(junk)
        assert caught.value.code in ("not_canonical", "malformed")
    bench.world.request()
    data = bench.world.entries[-1]
    with pytest.raises(Refused) as caught:
        bench.sequencer.submit(data.replace(b"ministry-of-health", b"ministry-of-wealth"))
    assert caught.value.code == "bad_signature"
    assert bench.sequencer.state.size == 2
    assert not bench.sequencer.state.findings
    assert bench.sequencer.submit(data).index == 2


def test_an_entry_that_is_handed_in_twice_is_added_once(bench: Bench) -> None:
    bench.settle()
    (first,) = bench.say(lambda world: world.request())
    bench.clock.pass_s(5)
    again = bench.sequencer.submit(bench.world.entries[-1])
    assert again == first
    # Another entry under that id is another matter.
    with pytest.raises(Refused) as caught:
        bench.say(lambda world: world.add(_request(world, first.id, where=("PL",))))
    assert caught.value.code == "repeated"
    assert bench.sequencer.state.size == 3


def _request(world: World, name: str, **changes: object) -> bytes:
    """A request with an id of somebody's choice."""
    world.request(**changes)
    body = parse_entry(world.entries.pop()).body
    return world.write(body, "rex", id=name)


def test_the_log_itself_says_when_it_recorded_an_entry(bench: Bench) -> None:
    bench.settle()
    bench.clock.pass_s(7)
    bench.say(lambda world: world.request())
    entry = parse_entry(list(bench.log.entries())[-1])
    assert entry.envelope.recorded_us == bench.clock.us
    assert parse_entry(bench.world.entries[0]).digest == bench.sequencer.state.genesis


def test_callers_in_many_threads_share_writes(bench: Bench) -> None:
    bench.settle()
    entries = []
    for _ in range(24):
        bench.world.request()
        entries.append(bench.world.entries[-1])
    done: list[int] = []

    def hand_in(part: list[bytes]) -> None:
        done.extend(bench.sequencer.submit(data).index for data in part)

    threads = [threading.Thread(target=hand_in, args=(entries[n::8],)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(done) == list(range(2, 26))
    bench.settle()
    assert bench.sequencer.state.anchored_size == 26


def test_a_lapse_is_witnessed_and_noted_though_no_entry_came(bench: Bench) -> None:
    bench.settle()
    soon = bench.clock.us + 90 * SECOND_US
    (asked,) = bench.say(lambda world: world.request(answer_by_us=soon))
    (answered,) = bench.say(lambda world: world.request(answer_by_us=soon))
    bench.settle()
    bench.say(
        lambda world: world.say(
            Refusal(
                request=answered.id,
                grounds=world.now.requests[answered.id].request.grounds,
                quote="no",
            ),
            "cy",
        )
    )
    bench.settle()
    before = kinds(bench)
    assert bench.settle() == 60  # the next refresh comes before the answer time
    bench.clock.pass_s(60)
    assert bench.settle() == 30
    assert kinds(bench) == before
    bench.clock.pass_s(30)
    bench.settle()
    added = kinds(bench)[len(before) :]
    assert added == ["anchor", "lapse", "anchor"]
    assert bench.sequencer.state.witnessed_us >= soon
    lapse = parse_entry(list(bench.log.entries())[-2])
    assert lapse.envelope.body == {"request": asked.id}
    # After a restart it is not said again.
    bench.reopen()
    bench.settle()
    bench.clock.pass_s(600)
    bench.settle()
    assert kinds(bench).count("lapse") == 1
    assert not bench.sequencer.state.findings


def test_time_is_what_witnesses_say_even_for_lapses(bench: Bench) -> None:
    bench.settle()
    soon = bench.clock.us + 30 * SECOND_US
    bench.say(lambda world: world.request(answer_by_us=soon))
    bench.settle()
    for witness in bench.witnesses.values():
        witness.behind_s = 10
    bench.clock.pass_s(35)
    assert bench.settle() == 1.0
    assert "lapse" not in kinds(bench)
    size = bench.sequencer.state.size
    assert bench.settle() == 1.0
    assert bench.sequencer.state.size == size, "no anchor comes of a time that is not witnessed"
    bench.clock.pass_s(6)
    bench.settle()
    assert kinds(bench)[-2:] == ["lapse", "anchor"]


def test_somebody_who_takes_the_ids_of_the_log_keeps_it_from_nothing(bench: Bench) -> None:
    bench.settle()
    soon = bench.clock.us + 30 * SECOND_US
    (asked,) = bench.say(lambda world: world.request(answer_by_us=soon))
    (taken,) = bench.say(lambda world: world.add(_request(world, f"lapse-{asked.id}")))
    bench.say(lambda world: world.add(_request(world, "anchor-5")))
    assert bench.sequencer.state.size == 5
    bench.settle()
    bench.clock.pass_s(31)
    bench.settle()
    last = [parse_entry(data).envelope for data in bench.log.entries()]
    assert [each.id for each in last if each.type == "lapse"] == [f"lapse-{asked.id}.2"]
    assert "anchor-5.2" in {each.id for each in last}
    assert taken.id == f"lapse-{asked.id}"
    assert not bench.sequencer.state.findings


def test_without_a_quorum_entries_are_kept_and_not_witnessed(bench: Bench) -> None:
    bench.settle()
    bench.witnesses["w2"].fault = dead()
    (asked,) = bench.say(lambda world: world.request())
    assert bench.sequencer.step() > 0
    status = bench.sequencer.status()
    assert (status.standing, status.size, status.published_size) == ("waiting", 3, 2)
    assert "not signed by w2" in (status.why or "")
    faults = {each.name: each.fault for each in status.witnesses}
    assert faults["w1"] is None
    assert "no server answers" in (faults["w2"] or "")
    assert published(bench) == 2
    with pytest.raises(QuorumNotMet, match="entry 2 is on disk, but not witnessed"):
        raise bench.sequencer.not_witnessed(asked)
    bench.witnesses["w2"].fault = None
    bench.settle()
    assert bench.sequencer.status().standing == "witnessed"
    assert published(bench) == 4


def test_a_silent_witness_holds_up_nobody_and_its_late_word_is_published(tmp_path: Path) -> None:
    bench = Bench(tmp_path, world=World(witnesses=("w1", "w2", "w3", "w4")))
    try:
        bench.settle()
        slow = bench.witnesses["w3"]
        slow.gate = threading.Event()
        bench.say(lambda world: world.request())
        bench.settle()
        assert published(bench) == 4
        note = (bench.folder / "record" / "checkpoint").read_text()
        assert "w3.example" not in note
        names = {each.name: each.fault for each in bench.sequencer.status().witnesses}
        assert names["w3"] == "it has not answered yet"
        asked = slow.asked
        slow.gate.set()
        _until(lambda: slow.asked > asked)
        _until(lambda: bench.sequencer.step() > 0 and "w3.example" in _note(bench))
        assert published(bench) == 4
    finally:
        bench.sequencer.close()


def _note(bench: Bench) -> str:
    return (bench.folder / "record" / "checkpoint").read_text()


def _until(holds) -> None:
    for _ in range(2_000):
        if holds():
            return
        threading.Event().wait(0.005)
    raise AssertionError("that never came")


def test_after_a_restart_nothing_is_signed_or_taken_before_a_quorum_was_heard(bench: Bench) -> None:
    bench.settle()
    for name in ("w1", "w2", "w3"):
        bench.witnesses[name].fault = dead()
    bench.reopen()
    asked = [each.asked for each in bench.witnesses.values()]
    assert bench.sequencer.step() > 0
    assert bench.sequencer.status().standing == "starting"
    assert [each.asked for each in bench.witnesses.values()] == asked, "nobody was asked to sign"
    bench.world.request()
    with pytest.raises(Refused, match="unconfirmed"):
        bench.sequencer.submit(bench.world.entries[-1])
    for name in ("w1", "w2", "w3"):
        bench.witnesses[name].fault = None
    bench.settle()
    assert bench.sequencer.submit(bench.world.entries[-1]).index == 2


def test_a_log_restored_from_an_older_copy_stops(bench: Bench) -> None:
    bench.settle()
    copy = _copied(bench)
    bench.say(lambda world: world.request())
    bench.settle()
    bench.sequencer.close()
    signer = signer_from_seed(ORIGIN, ED25519, seed("log"))
    bench.sequencer = bench.sequence(Log(copy / "log.sqlite", copy / "record", signer))
    assert bench.sequencer.step() == float("inf")
    status = bench.sequencer.status()
    assert status.standing == "stopped"
    assert "has signed 4 entries" in (status.why or "")
    assert len(bench.stops) == 1
    with pytest.raises(Refused, match="stopped"):
        bench.sequencer.submit(bench.world.entries[-1])


def _copied(bench: Bench) -> Path:
    """The files as they are now, as a backup would have them."""
    to = bench.folder / "backup"
    to.mkdir()
    with (
        sqlite3.connect(bench.folder / "log.sqlite") as there,
        sqlite3.connect(to / "log.sqlite") as here,
    ):
        there.backup(here)
    here.close()
    there.close()
    shutil.copytree(bench.folder / "record", to / "record")
    return to


def test_a_thief_of_the_log_key_who_moved_the_witnesses_stops_the_log(bench: Bench) -> None:
    bench.settle()
    copy = _copied(bench)
    signer = signer_from_seed(ORIGIN, ED25519, seed("log"))
    thief = bench.sequence(Log(copy / "log.sqlite", copy / "record", signer))
    thief.step()
    bench.world.request(where=("UA-43",))
    thief.submit(bench.world.entries[-1])
    while thief.step() == 0:
        pass
    thief.close()
    bench.say(lambda world: world.request())
    while bench.sequencer.step() < 10 and not bench.stops:
        pass
    assert bench.sequencer.status().standing == "stopped"
    assert "has signed" in bench.stops[0]


def test_a_witness_that_only_claims_a_fork_stops_nobody(tmp_path: Path) -> None:
    bench = Bench(tmp_path, world=World(witnesses=("w1", "w2", "w3", "w4")))
    try:
        bench.settle()
        stranger = signer_from_seed(ORIGIN, ED25519, seed("stranger"))
        forged = sign_checkpoint(Checkpoint(ORIGIN, 99, b"\1" * 32), [stranger])
        for held in (None, b"junk", forged):
            bench.witnesses["w4"].fault = Disputed("I hold another tree", held)
            bench.say(lambda world: world.request())
            bench.settle()
            assert bench.sequencer.status().standing == "witnessed"
        assert not bench.stops
    finally:
        bench.sequencer.close()


def test_of_two_sequencers_on_one_file_the_first_is_fenced_out(bench: Bench) -> None:
    bench.settle()
    second = bench.sequence(bench.opened())
    second.step()
    bench.world.request()
    with pytest.raises(Refused, match="another process has taken over"):
        bench.sequencer.submit(bench.world.entries[-1])
    assert bench.sequencer.step() == float("inf")
    assert bench.sequencer.status().standing == "stopped"
    bench.sequencer.close()
    bench.sequencer = second
    assert second.submit(bench.world.entries[-1]).index == 2
    bench.settle()
    assert published(bench) == 4


def test_new_witnesses_join_where_old_and_new_have_signed(bench: Bench) -> None:
    bench.settle()
    quorum = witness_quorum(("w2", "w3", "w4", "w5"))
    bench.witnesses["w4"].fault = dead()
    bench.witnesses["w5"].fault = dead()
    (_, change) = bench.say(lambda world: world.change(SetWitnesses(witness_quorum=quorum)))
    bench.say(lambda world: world.approve(change.id, "bo"))
    bench.settle()
    assert bench.witnesses["w4"].asked == 0, "one approval sends the log to nobody"
    bench.say(lambda world: world.approve(change.id, "cy"))
    bench.settle()
    assert bench.witnesses["w4"].asked > 0
    assert bench.sequencer.state.changes[change.id].stood_still == "not_witnessed"
    # Once they answer, the next fresh signatures bind it, although no entry comes.
    bench.witnesses["w4"].fault = bench.witnesses["w5"].fault = None
    bench.clock.pass_s(60)
    bench.settle()
    assert bench.sequencer.state.changes[change.id].status == "bound"
    asked = bench.witnesses["w1"].asked
    bench.say(lambda world: world.request())
    bench.settle()
    assert bench.witnesses["w1"].asked == asked, "whoever has left is asked no more"
    assert "w4.example" in _note(bench)
    found = walk(
        directory(bench.folder / "record"),
        genesis=bench.world.now.genesis,
        now_s=bench.clock.us // SECOND_US,
    )
    assert found.checkpoint.size == bench.sequencer.state.size


def test_an_anchored_entry_is_known_to_be(bench: Bench) -> None:
    bench.settle()
    (asked,) = bench.say(lambda world: world.request())
    future = bench.sequencer.anchored(asked)
    assert not future.done()
    bench.sequencer.step()  # witnessed and published, and the anchor is only on disk
    assert published(bench) == 3
    assert not future.done()
    bench.settle()
    assert future.done()
    assert bench.sequencer.anchored(asked).done()
    assert bench.sequencer.state.witnessed_us >= START_US


def test_a_closed_log_takes_nothing_more_and_the_next_one_goes_on(bench: Bench) -> None:
    bench.settle()
    quorum = witness_quorum(("w1", "w2", "w3"), "log-2", NEXT)
    (_, change) = bench.say(
        lambda world: world.change(CloseLog(origin=NEXT, witness_quorum=quorum))
    )
    bench.say(lambda world: world.approve(change.id, "bo", "cy"))
    bench.settle()
    assert bench.sequencer.state.closing is not None
    status = bench.sequencer.status()
    assert (status.standing, status.size) == ("closed", status.published_size)
    bench.world.request()
    with pytest.raises(Refused, match="closed"):
        bench.sequencer.submit(bench.world.entries[-1])
    bench.clock.pass_s(60)
    bench.settle()
    assert bench.sequencer.state.size == status.size, "it is only witnessed anew"
    before = bench.sequencer.history()
    old = walk(
        directory(bench.folder / "record"),
        genesis=bench.world.now.genesis,
        now_s=bench.clock.us // SECOND_US,
    )

    def opened() -> Log:
        signer = signer_from_seed(NEXT, ED25519, seed("log-2"))
        return Log(bench.folder / "next.sqlite", bench.folder / "next", signer)

    create_log(bench.folder / "next.sqlite", NEXT)
    for witness in bench.witnesses.values():
        witness.origin = NEXT
    bench.sequencer.close()
    bench.log = opened()
    bench.sequencer = bench.sequence(bench.log, before)
    bench.settle()
    assert kinds(bench) == ["open", "anchor"]
    assert bench.sequencer.state.is_open
    bench.world.origin = NEXT
    (asked,) = bench.say(lambda world: world.request())
    assert asked.index == 2
    bench.settle()
    assert kinds(bench) == ["open", "anchor", "request", "anchor"]
    assert bench.sequencer.submit(bench.world.entries[-1]) == asked
    # After a restart it goes on; and a reader walks from the first log into this one.
    bench.sequencer.close()
    bench.log = opened()
    bench.sequencer = bench.sequence(bench.log, before)
    bench.settle()
    found = walk(
        directory(bench.folder / "next"),
        genesis=bench.world.now.genesis,
        onto=next_log(old.history),
        now_s=bench.clock.us // SECOND_US,
    )
    assert state_digest(found.history.now) == state_digest(bench.sequencer.state)
    assert not found.history.now.findings
    assert bench.sequencer.state_at_digest(4) == state_digest(found.history.now)


def test_witnesses_that_disagree_about_the_hour_stop_nothing_for_good(bench: Bench) -> None:
    bench.settle()
    bench.witnesses["w1"].behind_s = -7_200
    bench.say(lambda world: world.request())
    assert bench.sequencer.step() > 0
    assert "not signed by w1" in (bench.sequencer.status().why or ""), "two hours ahead"
    bench.clock.pass_s(8_000)  # the clock of w1 never goes back, so wait until it is behind again
    bench.witnesses["w1"].behind_s = 0
    for name in ("w2", "w3"):
        bench.witnesses[name].behind_s = 7_200
    assert bench.sequencer.step() > 0
    assert "disagree about the time" in (bench.sequencer.status().why or "")
    assert published(bench) == 2
    for name in ("w2", "w3"):
        bench.witnesses[name].behind_s = 0
    bench.settle()
    assert published(bench) == 4
    assert not bench.stops


def test_the_key_of_a_log_changes_where_both_have_signed(bench: Bench) -> None:
    bench.settle()
    quorum = witness_quorum(("w1", "w2", "w3"), "new key")
    (_, change) = bench.say(lambda world: world.change(SetWitnesses(witness_quorum=quorum)))
    bench.say(lambda world: world.approve(change.id, "bo", "cy"))
    bench.settle()
    assert bench.sequencer.state.changes[change.id].stood_still == "not_witnessed"

    def restart(*seeds: str) -> None:
        bench.sequencer.close()
        bench.log = bench.opened(*seeds)
        bench.sequencer = bench.sequence(bench.log)
        bench.settle()

    new_key = signer_from_seed(ORIGIN, ED25519, seed("new key")).key
    for witness in bench.witnesses.values():
        witness.witness.know(new_key)
    restart("log", "new key")
    bench.clock.pass_s(60)
    bench.settle()
    assert bench.sequencer.state.changes[change.id].status == "bound"
    restart("new key")
    bench.say(lambda world: world.request())
    bench.settle()
    found = walk(
        directory(bench.folder / "record"),
        genesis=bench.world.now.genesis,
        now_s=bench.clock.us // SECOND_US,
    )
    assert found.checkpoint.size == bench.sequencer.state.size


def test_a_silent_newcomer_does_not_hold_up_the_quorum_that_counts(bench: Bench) -> None:
    bench.settle()
    gate = threading.Event()
    bench.witnesses["w4"].gate = bench.witnesses["w5"].gate = gate
    quorum = witness_quorum(("w2", "w3", "w4", "w5"))
    (_, change) = bench.say(lambda world: world.change(SetWitnesses(witness_quorum=quorum)))
    bench.say(lambda world: world.approve(change.id, "bo", "cy"))
    bench.settle()
    assert published(bench) == bench.sequencer.state.size
    assert bench.sequencer.state.changes[change.id].status == "pending"
    gate.set()
    _until(lambda: bench.sequencer.step() > 0 and "w5.example" in _note(bench))
    bench.clock.pass_s(60)
    bench.settle()
    assert bench.sequencer.state.changes[change.id].status == "bound"


def test_whoever_waits_is_told_when_the_log_is_closed(bench: Bench) -> None:
    bench.settle()
    gate = threading.Event()
    for name in ("w1", "w2", "w3"):
        bench.witnesses[name].gate = gate
    bench.sequencer.start()
    (asked,) = bench.say(lambda world: world.request())
    future = bench.sequencer.anchored(asked)
    bench.sequencer.close()
    with pytest.raises(QuorumNotMet, match="was closed"):
        future.result(0)
    with pytest.raises(Refused, match="it was closed"):
        bench.sequencer.submit(bench.world.entries[-1])
    gate.set()


def test_a_log_that_stops_while_it_is_written_says_so_at_once(bench: Bench) -> None:
    bench.settle()
    bench.sequencer.start()
    bench.opened().close()  # somebody else takes it over
    bench.world.request()
    with pytest.raises(Refused, match="taken over"):
        bench.sequencer.submit(bench.world.entries[-1])
    _until(lambda: bench.stops)
    assert "taken over" in bench.stops[0]


def test_somebody_who_says_a_thing_twice_stops_nothing(bench: Bench) -> None:
    # `repeated` is said of ids, and of an approval that somebody has given already, of two acts on
    # one thing, of a contact's confirmation: then the log holds no entry of that id to look at.
    bench.settle()
    bench.say(lambda world: world.change())
    (change,) = bench.world.now.pending
    bench.say(lambda world: world.approve(change, "cy"))
    with pytest.raises(Refused) as caught:
        bench.say(lambda world: world.approve(change, "cy"))
    assert caught.value.code == "repeated"
    assert bench.sequencer.status().standing != "stopped"
    bench.say(lambda world: world.approve(change, "bo"))
    bench.settle()
    assert bench.sequencer.state.changes[change].status == "bound"
