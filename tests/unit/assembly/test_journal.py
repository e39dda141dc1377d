"""The journal of what was signed here, and how a record is compared with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.governance import World

from spotbeam.assembly.journal import compared, note_signed, read_journal
from spotbeam.errors import InputError
from spotbeam.governance.entries.asking import Withdrawal


def signed_here(world: World, path: Path, data: bytes) -> None:
    note_signed(path, data, world.origin, world.now.genesis, now_us=7)


def test_what_was_signed_here_and_is_in_the_record_is_fine(tmp_path: Path) -> None:
    world, path = World(), tmp_path / "signed.jsonl"
    world.request()
    signed_here(world, path, world.entries[-1])
    found = compared(
        read_journal(path), [world.keys["rex"].digest], [world.entries], world.now.genesis
    )
    assert (found.missing, found.foreign) == ((), ())
    assert path.stat().st_mode & 0o077 == 0


def test_the_logs_own_stamp_makes_no_difference(tmp_path: Path) -> None:
    world, path = World(), tmp_path / "signed.jsonl"
    world.request()
    stamped = json.loads(world.entries[-1]) | {"recorded_us": 1}
    signed_here(world, path, world.entries[-1])
    world.entries[-1] = json.dumps(stamped, sort_keys=True, separators=(",", ":")).encode()
    found = compared(read_journal(path), [], [world.entries], world.now.genesis)
    assert (found.missing, found.foreign) == ((), ())


def test_what_never_arrived_and_what_was_signed_elsewhere_are_found(tmp_path: Path) -> None:
    world, path = World(), tmp_path / "signed.jsonl"
    name = world.request()
    held_back = world.write(Withdrawal(target=name), "rex")
    signed_here(world, path, held_back)
    found = compared(
        read_journal(path), [world.keys["rex"].digest], [world.entries], world.now.genesis
    )
    assert [each.type for each in found.missing] == ["withdrawal"]
    assert found.foreign == ((1, name),)
    # The same statement with another key, or in another record, is another signature.
    other = World(salt="1" * 64)
    other.request()
    again = compared(
        read_journal(path), [other.keys["rex"].digest], [other.entries], other.now.genesis
    )
    assert len(again.missing) == 1


def test_an_entry_that_says_it_opens_a_log_confuses_nobody(tmp_path: Path) -> None:
    """A void entry in the middle cannot make a reader take the log for another one."""
    world, path = World(), tmp_path / "signed.jsonl"
    world.add(b'{"body":{"origin":"elsewhere"},"type":"open"}')
    world.request()
    signed_here(world, path, world.entries[-1])
    found = compared(read_journal(path), [], [world.entries], world.now.genesis)
    assert (found.missing, found.foreign) == ((), ())


def test_a_line_cut_off_by_a_crash_does_not_count(tmp_path: Path) -> None:
    world, path = World(), tmp_path / "signed.jsonl"
    assert read_journal(path) == ()
    world.request()
    signed_here(world, path, world.entries[-1])
    whole = path.read_bytes()
    for cut in (1, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole + whole[:cut])
        assert len(read_journal(path)) == 1
    path.write_bytes(b"junk\n" + whole)
    with pytest.raises(InputError, match="line 1: is damaged"):
        read_journal(path)
