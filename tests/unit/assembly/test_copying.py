"""A copy of a record grows, and is never replaced by what does not continue it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.edge_records import forked, junk, publish
from support.governance import ORIGIN, World, rule, seed

from spotbeam import errors
from spotbeam.assembly import copying
from spotbeam.assembly.copying import INCOMING, mirror
from spotbeam.assembly.verifying import verify
from spotbeam.errors import InputError, OutputError
from spotbeam.governance.anchors import genesis_digest
from spotbeam.governance.entries.acts import PutRule
from spotbeam.record.evidence import verify_equivocation
from spotbeam.record.keys import ED25519, signer_from_seed
from spotbeam.record.tile_reader import Fetch, directory


def files(path: Path) -> dict[str, bytes]:
    return {
        each.relative_to(path).as_posix(): each.read_bytes()
        for each in sorted(path.rglob("*"))
        if each.is_file()
    }


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World()
    made.pass_change()
    junk(made, 600 - len(made.entries))
    publish(made, tmp_path / "log")
    return made


def test_a_copy_is_a_record_that_others_can_verify_and_copy(world: World, tmp_path: Path) -> None:
    genesis = genesis_digest(world.entries[0])
    found = mirror(tmp_path / "log", tmp_path / "copy", genesis=genesis)
    assert (found.origin, found.size, found.before) == (ORIGIN, 600, 0)
    assert files(tmp_path / "copy") == files(tmp_path / "log")
    verify(tmp_path / "copy", tmp_path / "log", genesis=genesis)
    world.pass_change(PutRule(rule("more")))
    publish(world, tmp_path / "log")
    found = mirror(tmp_path / "log", tmp_path / "copy", genesis=genesis)
    assert (found.size, found.before) == (len(world.entries), 600)
    mirror(tmp_path / "copy", tmp_path / "second")
    assert verify(tmp_path / "second").size == len(world.entries)


def test_an_interrupted_copy_goes_on_with_what_it_has(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[str] = []
    left = 4

    def failing(source: str | Path) -> Fetch:
        real = directory(Path(source))

        def fetch(path: str) -> bytes | None:
            if len(fetched) == left:
                raise KeyboardInterrupt
            if path != "checkpoint":
                fetched.append(path)
            return real(path)

        return fetch

    monkeypatch.setattr(copying, "open_source", failing)
    with pytest.raises(KeyboardInterrupt):
        mirror(tmp_path / "log", tmp_path / "copy")
    assert not (tmp_path / "copy/checkpoint").exists()
    assert set(files(tmp_path / "copy" / INCOMING)) == set(fetched)
    left = 1_000
    mirror(tmp_path / "log", tmp_path / "copy")
    assert len(fetched) == len(set(fetched)), "what was there already was downloaded again"
    assert files(tmp_path / "copy") == files(tmp_path / "log")


def test_only_what_is_new_is_downloaded(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror(tmp_path / "log", tmp_path / "copy")
    world.anchor()
    publish(world, tmp_path / "log")
    fetched: list[str] = []

    def watched(source: str | Path) -> Fetch:
        real = directory(Path(source))
        return lambda path: fetched.append(path) or real(path)  # type: ignore[func-returns-value]

    monkeypatch.setattr(copying, "open_source", watched)
    mirror(tmp_path / "log", tmp_path / "copy")
    assert "tile/entries/001" not in fetched
    assert "tile/0/001" not in fetched
    assert f"tile/entries/002.p/{len(world.entries) - 512}" in fetched


def refused(tmp_path: Path, source: Path, kind: type[Exception], message: str) -> None:
    before = files(tmp_path / "copy")
    with pytest.raises(kind, match=message):
        mirror(source, tmp_path / "copy", evidence=tmp_path / "evidence")
    assert files(tmp_path / "copy") == before
    verify(tmp_path / "copy")


def test_what_does_not_continue_the_copy_is_refused_and_convicts_the_log(
    world: World, tmp_path: Path
) -> None:
    mirror(tmp_path / "log", tmp_path / "copy")
    log = signer_from_seed(ORIGIN, ED25519, seed("log")).key
    for size in (590, 600, 605):
        other = forked(world)
        junk(other, 10)
        other.entries[500] = b"another entry"
        publish(other, tmp_path / f"fork-{size}", size)
        refused(tmp_path, tmp_path / f"fork-{size}", errors.Forked, "two views")
        verify_equivocation((tmp_path / "evidence").read_bytes(), [log])
        (tmp_path / "evidence").unlink()
    publish(other, tmp_path / "thief", 605, logs=("a thief",))
    refused(tmp_path, tmp_path / "thief", errors.BadSignature, "no trusted key")
    assert not (tmp_path / "evidence").exists()


def test_what_its_witnesses_did_not_sign_never_reaches_the_copy(
    world: World, tmp_path: Path
) -> None:
    """Else one bad source would leave files that no good one could ever replace."""
    mirror(tmp_path / "log", tmp_path / "copy")
    other = forked(world)
    junk(other, 300)
    publish(other, tmp_path / "unsigned", by=("w1",))
    refused(tmp_path, tmp_path / "unsigned", errors.QuorumNotMet, "not met")
    junk(world, 10)
    publish(world, tmp_path / "log")
    assert mirror(tmp_path / "log", tmp_path / "copy").size == 610
    verify(tmp_path / "copy")


def test_an_older_source_and_older_signatures_replace_nothing(world: World, tmp_path: Path) -> None:
    publish(world, tmp_path / "old", 500)
    mirror(tmp_path / "log", tmp_path / "copy")
    refused(tmp_path, tmp_path / "old", errors.RolledBack, "500 entries; the copy holds 600")
    now = (tmp_path / "copy/checkpoint").read_bytes()
    (tmp_path / "log/checkpoint").write_bytes(world.note(at_us=world.clock_us - 60_000_000))
    mirror(tmp_path / "log", tmp_path / "copy")
    assert (tmp_path / "copy/checkpoint").read_bytes() == now
    later = world.note(at_us=world.clock_us + 60_000_000)
    (tmp_path / "log/checkpoint").write_bytes(later)
    mirror(tmp_path / "log", tmp_path / "copy")
    assert (tmp_path / "copy/checkpoint").read_bytes() == later


def test_the_next_log_of_a_record_is_copied_with_the_one_before_it(tmp_path: Path) -> None:
    world = World()
    world.pass_change()
    world.close()
    publish(world, tmp_path / "first")
    world.move_on()
    world.open()
    world.pass_change(PutRule(rule("later")))
    publish(world, tmp_path / "second")
    with pytest.raises(InputError, match="goes on from the log"):
        mirror(tmp_path / "second", tmp_path / "copy")
    found = mirror(tmp_path / "second", tmp_path / "copy", earlier=[tmp_path / "first"])
    assert found.size == len(world.entries)
    world.anchor()
    publish(world, tmp_path / "second")
    found = mirror(tmp_path / "second", tmp_path / "copy", earlier=[tmp_path / "first"])
    assert found.size == found.before + 1
    with pytest.raises(InputError, match="and the copy is of"):
        mirror(tmp_path / "first", tmp_path / "copy")


def test_a_folder_with_something_else_in_it_is_left_alone(world: World, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy/thesis.txt").write_text("years of work")
    with pytest.raises(OutputError, match=r"holds something else: 'thesis\.txt'"):
        mirror(tmp_path / "log", tmp_path / "copy")
    assert files(tmp_path / "copy") == {"thesis.txt": b"years of work"}
    with pytest.raises(OutputError, match="not a folder"):
        mirror(tmp_path / "log", tmp_path / "copy/thesis.txt")
    with pytest.raises(InputError, match="its own source"):
        mirror(tmp_path / "log", tmp_path / "log")
    shutil.rmtree(tmp_path / "copy")
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy/checkpoint").write_bytes(b"junk")
    with pytest.raises(errors.MalformedRecord) as fault:
        mirror(tmp_path / "log", tmp_path / "copy")
    assert fault.value.place == str(tmp_path / "copy/checkpoint")
