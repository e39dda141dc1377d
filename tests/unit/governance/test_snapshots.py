"""A fold that goes on from a snapshot comes to what one from entry 0 comes to."""

from __future__ import annotations

import pytest
from support.governance import World
from support.governance_records import record_for_vectors

from spotbeam.errors import MalformedRecord
from spotbeam.governance.anchors import root_of
from spotbeam.governance.history import fold, next_log
from spotbeam.governance.snapshots import read_snapshot, snapshot_point, write_snapshot
from spotbeam.governance.state import state_digest
from spotbeam.record.checkpoint import Checkpoint

RECORD = record_for_vectors()
WHOLE = state_digest(fold(RECORD).now)


@pytest.mark.parametrize("size", range(1, len(RECORD) + 1))
def test_a_fold_goes_on_from_any_entry(size: int) -> None:
    before = fold(RECORD[:size]).now
    data = write_snapshot(before)
    assert snapshot_point(data) == Checkpoint(before.origin, size, root_of(before.frontier))
    read = read_snapshot(data)
    assert state_digest(read.now) == state_digest(before)
    assert write_snapshot(read.now)[:200] == data[:200] or len(write_snapshot(read.now)) == len(
        data
    )
    assert state_digest(fold(RECORD[size:], read).now) == WHOLE


def test_a_fold_goes_on_through_the_next_log() -> None:
    world = World()
    world.pass_change()
    world.rotate()
    after = read_snapshot(write_snapshot(world.now))
    assert state_digest(after.now) == state_digest(world.now)
    assert after.now.earlier == world.now.earlier
    assert next_log(after).now.origin == next_log(world.history()).now.origin


def test_it_says_from_when_on_it_knows_what_was_known() -> None:
    before = fold(RECORD[:20])
    read = read_snapshot(write_snapshot(before.now))
    assert read.known_at(read.now.witnessed_us) is read.now
    with pytest.raises(ValueError, match="snapshot"):
        read.known_at(read.now.witnessed_us - 1)
    assert fold(RECORD[20:], read).begins_us == before.now.witnessed_us


def test_every_byte_that_is_not_as_written_is_noticed() -> None:
    data = write_snapshot(fold(RECORD[:12]).now)
    for at in range(0, len(data), 7):
        broken = data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :]
        # The words before the digest are compared with what was accepted, not here.
        try:
            point = snapshot_point(broken)
        except MalformedRecord:
            continue
        assert point != snapshot_point(data) or at < 200
        with pytest.raises(MalformedRecord):
            read_snapshot(broken)
    for cut in (0, 10, 100, len(data) - 1):
        with pytest.raises(MalformedRecord):
            read_snapshot(data[:cut])


def test_one_of_a_release_whose_fold_was_another_is_left_alone() -> None:
    # It would bring in what that release did not count, and this reader would leave the others.
    data = write_snapshot(World().now)
    older = data.replace(b"snapshot@v2", b"snapshot@v1", 1)
    assert older != data
    for read in (snapshot_point, read_snapshot):
        with pytest.raises(MalformedRecord):
            read(older)
