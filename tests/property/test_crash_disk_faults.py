"""Full disks, broken disks and bits that turn over: the record says so, and loses nothing told."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.crash.journal import read_journal
from support.crash.lives import LIVE_THROUGH, Lives
from support.crash.recorded import Promised, check, tree_root
from support.crash.recording import NOW_S, Parties
from support.crash.shim import Shim, last_number, scratch
from support.crash.sweep import (
    SHARE,
    Sweep,
    Sweeper,
    after_marks,
    differences,
    drawn,
    promises,
    told,
)
from support.crash.volume import read_image, write_image
from support.crash.worker import Here

from spotbeam.errors import RecordError
from spotbeam.record.checkpoint import parse_signed_checkpoint

SEED = 20_260_722

soak = pytest.mark.soak


@pytest.fixture(scope="module")
def shim() -> Iterator[Shim]:
    with Shim("support.crash.recording") as shim:
        yield shim


@pytest.fixture
def folder() -> Iterator[Path]:
    with scratch() as folder:
        yield folder


def full_from_some(shim: Shim, folder: Path, share: int) -> None:
    lives = Lives(shim, folder, LIVE_THROUGH)
    assert lives.begin()
    refusals = 0
    for number in sorted(drawn(lives.journal, SEED, share)):
        assert lives.begin(full_from=number)
        assert differences(lives.journal, lives.home) == []
        promised = promises(lives.journal, Promised())
        assert not [name for name in promised.first if name.endswith("tried")]
        assert all(
            "full" in why or "space" in why or "disk" in why or "open" in why
            for why in promised.refused
        )
        refusals += len(promised.refused)
        check(lives.home, promised, random.Random(number))
    assert refusals


def test_a_disk_that_fills_up_stops_the_log_with_a_reason_until_there_is_space(
    shim: Shim, folder: Path
) -> None:
    full_from_some(shim, folder, 3 * SHARE)


@soak
def test_a_disk_that_fills_up_at_any_write(shim: Shim, folder: Path) -> None:
    full_from_some(shim, folder, 1)


def syncs(journal: Path, share: int) -> list[int]:
    numbers = [each.number for each in read_journal(journal) if each.kind == "sync"]
    return sorted(random.Random(SEED).sample(numbers, -(-len(numbers) // share)))


def broken_at_some(shim: Shim, folder: Path, share: int, most: int = 1_000) -> None:
    """A sync fails, the work goes on with what is open, then the power goes too."""
    lives = Lives(shim, folder, LIVE_THROUGH)
    assert lives.begin()
    refusals = 0
    for number in syncs(lives.journal, share):
        assert lives.begin(broken=(number, number + 2))
        promised = promises(lives.journal, Promised())
        refusals += len(promised.refused)
        assert all("I/O error" in why or "Input/output" in why for why in promised.refused)
        sweep = robbed(lives, folder, number, most)
        assert not sweep.faults, f"sync {number} failed: {told(sweep)}"
    assert refusals


def robbed(lives: Lives, folder: Path, number: int, most: int) -> Sweep:
    """Cut the power after each promise since, or after so many of them."""
    numbers = sorted(after_marks(lives.journal, number))
    chosen = random.Random(number).sample(numbers, min(most, len(numbers)))
    sweeper = Sweeper(folder, Promised, check, seed=SEED, losses=("all",))
    return sweeper.stop(lives.journal, lives.home, chosen)


def test_a_sync_that_fails_is_not_taken_for_one_that_worked(shim: Shim, folder: Path) -> None:
    broken_at_some(shim, folder, 3 * SHARE, most=6)


@soak
def test_any_sync_that_fails_is_not_taken_for_one_that_worked(shim: Shim, folder: Path) -> None:
    broken_at_some(shim, folder, 1)


def broken_then_killed(
    shim: Shim, folder: Path, share: int, most: int, weakness: str = "", only: str = ""
) -> Iterator[str]:
    """A sync fails and its process dies; the next one sees what was written, and goes on.

    What was found when the power went after that, fault by fault.
    """
    lives = Lives(shim, folder, weakness=weakness)
    assert lives.begin()
    files = {each.handle: each.path for each in read_journal(lives.journal) if each.path}
    wanted = {
        each.number
        for each in read_journal(lives.journal)
        if each.kind == "sync" and files[each.handle].endswith(only)
    }
    for number in sorted(wanted & set(syncs(lives.journal, share))):
        if lives.begin(kill_at=number + 1, broken=(number, number + 1)):
            continue
        lives.go_on()
        sweep = robbed(lives, folder, number, most)
        if sweep.faults:
            yield f"sync {number} failed: {told(sweep)}"


def test_a_process_after_one_whose_sync_failed_writes_it_anew(shim: Shim, folder: Path) -> None:
    assert list(broken_then_killed(shim, folder, 3 * SHARE, 6)) == []


@soak
def test_a_process_after_one_whose_any_sync_failed_writes_it_anew(shim: Shim, folder: Path) -> None:
    assert list(broken_then_killed(shim, folder, 1, 1_000)) == []


def test_what_reads_well_after_a_failed_sync_is_not_on_disk(shim: Shim, folder: Path) -> None:
    """The control: a log that trusts the write-ahead log it finds loses entries."""
    assert any(broken_then_killed(shim, folder, 2, 30, "wal_trusted", "/log.sqlite-wal"))


def turned_over(shim: Shim, folder: Path, count: int) -> None:
    lives = Lives(shim, folder)
    assert lives.begin()
    promised = promises(lives.journal, Promised())
    image = read_image(lives.home)
    rng = random.Random(SEED)
    databases = [path for path in image if path.endswith(".sqlite")]
    files = [path for path, data in image.items() if data]
    found = 0
    for number in range(count):
        path = rng.choice(databases if number % 2 else files)
        data = bytearray(image[path] or b"")
        at = rng.randrange(len(data))
        if number % 4 == 3:  # where SQLite keeps what leads to everything else
            at = at - at % 4096 + rng.randrange(120)
        bit = rng.randrange(8)
        data[at] ^= 1 << bit
        target = folder / "image"
        write_image({**image, path: bytes(data)}, target)
        try:
            check(target, promised, random.Random(number))
        except RecordError:
            found += 1
        except Exception as fault:
            raise AssertionError(f"bit {bit} of byte {at} of {path}") from fault
        finally:
            shutil.rmtree(target)
    assert count > found > count // 4


def test_a_bit_that_turned_over_is_found_or_changes_nothing(shim: Shim, folder: Path) -> None:
    """In the files of log and witnesses, and in tiles: never another answer, never two views."""
    turned_over(shim, folder, 100)


@soak
def test_many_bits_that_turned_over(shim: Shim, folder: Path) -> None:
    turned_over(shim, folder, 5_000)


def test_a_witness_whose_table_is_not_found_does_not_begin_anew(shim: Shim, folder: Path) -> None:
    """One bit in the name of a table is enough to lose sight of all that was signed."""
    lives = Lives(shim, folder)
    assert lives.begin()
    path = lives.home / "w0" / "checkpoints.sqlite"
    data = path.read_bytes()
    assert data.count(b"tablecheckpointcheckpoint") == 1
    path.write_bytes(data.replace(b"tablecheckpointcheckpoint", b"tablecheckpointcheckpoinu"))
    promised = promises(lives.journal, Promised())
    with pytest.raises(RecordError, match=r"w0/checkpoints\.sqlite"):
        Parties(Here(lives.home, promised.made))
    # The control: a store that makes whatever table it lacks would sign a second view.
    path.unlink()
    parties = Parties(Here(lives.home, promised.made - {"w0"}))
    name, body = next(each for each in promised.sent if each[0] == "w0")
    assert parties.witnesses[name].add_checkpoint(body, now_s=NOW_S).status == 200
    parties.close()


def test_a_bit_turned_over_in_a_write_ahead_log_makes_no_second_view(
    shim: Shim, folder: Path
) -> None:
    """SQLite takes it for a write that was cut off; what witnesses have signed tells the log."""
    lives = Lives(shim, folder)
    assert lives.begin()
    rng = random.Random(SEED)
    shorter = refused = 0
    for number in rng.sample(range(last_number(lives.journal) // 2, last_number(lives.journal)), 4):
        if lives.begin(kill_at=number):
            continue
        promised = promises(lives.journal, Promised())
        image = read_image(lives.home)
        path = "log/log.sqlite-wal"
        for _ in range(10 if image.get(path) else 0):
            data = bytearray(image[path] or b"")
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
            target = folder / "image"
            write_image({**image, path: bytes(data)}, target)
            parties = None
            try:
                parties = Parties(Here(target, promised.made))
                shorter += any(n not in list(parties.log.entries()) for n in sent_in(promised))
                parties.confirm()
                parties.append("after", [b"after the stop"])
                point = parse_signed_checkpoint(parties.publish())[0]
                entries = list(parties.log.entries())
                for each in (*promised.cosigned.values(), point):
                    assert tree_root(entries[: each.size]) == each.root, "two views"
            except RecordError:
                refused += 1
            finally:
                if parties is not None:
                    parties.close()
                shutil.rmtree(target)
    assert shorter
    assert refused


def sent_in(promised: Promised) -> list[bytes]:
    """The first entry of each acknowledged batch."""
    return [promised.submitted[name][0] for name in promised.first]
