"""What a log's file still holds is compared with the copy, and never replaced."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.edge_records import publish
from support.governance import NEXT, ORIGIN, World, rule, seed
from support.processes import empty_log

from spotbeam.assembly.named_witnesses import NamedWitnesses
from spotbeam.assembly.restoring import Restored, restore_log
from spotbeam.assembly.workspace import open_workspace
from spotbeam.errors import Forked, InputError, ProofMismatch
from spotbeam.governance.entries.acts import PutRule
from spotbeam.record.keys import ED25519, format_signer_key, signer_from_seed
from spotbeam.record.log import Log
from spotbeam.record.witness import origin_hash


@pytest.fixture
def world() -> World:
    made = World()
    made.pass_change(PutRule(rule("ua")))
    return made


def workspace(folder: Path, world: World, *entries: bytes) -> Path:
    """A workspace whose log holds some entries."""
    empty_log(folder, ORIGIN, "log", world.now.genesis, ["record"])
    put(folder, *entries)
    return folder


def put(folder: Path, *entries: bytes) -> None:
    log = opened(folder)
    log.append(entries)
    log.close()


def opened(folder: Path) -> Log:
    signer = signer_from_seed(ORIGIN, ED25519, seed("log"))
    return Log(folder / "private" / "log.sqlite", folder / "record", signer)


def held(folder: Path) -> list[bytes]:
    log = opened(folder)
    found = list(log.entries())
    log.close()
    return found


@pytest.mark.parametrize("kept", [0, 1, 5])
def test_the_file_holds_the_same_entries_again(world: World, tmp_path: Path, kept: int) -> None:
    publish(world, tmp_path / "copy")
    folder = workspace(tmp_path / "ws", world, *world.entries[:kept])
    found = restore_log(open_workspace(folder), tmp_path / "copy")
    count = len(world.entries)
    assert found == Restored(origin=ORIGIN, size=count, before=kept, shown=count)
    assert held(folder) == world.entries


def test_what_a_copy_has_not_seen_stays(world: World, tmp_path: Path) -> None:
    publish(world, tmp_path / "copy")
    more = [*world.entries, b"taken, and not witnessed yet"]
    folder = workspace(tmp_path / "ws", world, *more)
    assert restore_log(open_workspace(folder), tmp_path / "copy").size == len(more)
    assert held(folder) == more


def test_another_entry_is_a_fork_and_stays(world: World, tmp_path: Path) -> None:
    publish(world, tmp_path / "copy")
    ours = [*world.entries[:2], b"another one"]
    folder = workspace(tmp_path / "ws", world, *ours)
    with pytest.raises(Forked, match="entry 2 is another one"):
        restore_log(open_workspace(folder), tmp_path / "copy")
    assert held(folder) == ours


def test_a_copy_of_somebody_elses_record_brings_nothing(world: World, tmp_path: Path) -> None:
    other = World()
    other.pass_change(PutRule(rule("other")))
    publish(other, tmp_path / "copy")
    folder = workspace(tmp_path / "ws", world)
    settings = folder / "spotbeam.toml"
    settings.write_text(settings.read_text().replace(world.now.genesis, "7" * 64))
    with pytest.raises(ProofMismatch, match="begins with another entry"):
        restore_log(open_workspace(folder), tmp_path / "copy")
    assert held(folder) == []


def test_another_key_does_not_go_on(world: World, tmp_path: Path) -> None:
    publish(world, tmp_path / "copy")
    folder = workspace(tmp_path / "ws", world)
    kept = (folder / "private" / "log.sqlite").read_bytes()
    key = format_signer_key(ORIGIN, ED25519, seed("log-2"))
    (folder / "private" / "log.key").write_text(f"{key}\n")
    with pytest.raises(InputError, match="not that with which the record is signed"):
        restore_log(open_workspace(folder), tmp_path / "copy")
    assert (folder / "private" / "log.sqlite").read_bytes() == kept


def test_a_mirror_of_the_next_log_knows_the_witnesses_that_the_last_one_named(
    world: World, tmp_path: Path
) -> None:
    world.close()
    world.anchor()
    publish(world, tmp_path / origin_hash(ORIGIN))
    assert world.now.witness_policy is not None
    wanted = {each.key for each in world.now.witness_policy.witnesses}
    world.move_on()
    world.open()
    publish(world, tmp_path / origin_hash(NEXT))
    assert set(NamedWitnesses(tmp_path).of(NEXT)) >= wanted
    publish(world, tmp_path / "alone" / origin_hash(NEXT))
    assert NamedWitnesses(tmp_path / "alone").of(NEXT) == (), "its own entries name nobody"
