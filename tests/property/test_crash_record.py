"""Stop a log, its witnesses and its mirror before any of their writes: nothing told is untold.

In each run every write, sync, rename and so on has a number. At a number the process is killed, or
the machines lose power and with it what was not synced; then everything is opened again and held
to what had been promised. One number in ten is drawn; the soak stops at all of them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.crash import publishing
from support.crash.lives import PUBLISH, Lives
from support.crash.recorded import Promised, check
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
from support.crash.volume import Loss

SEED = 20_260_722

soak = pytest.mark.soak


@pytest.fixture(scope="module")
def shim() -> Iterator[Shim]:
    with Shim("support.crash.recording", "support.crash.publishing") as shim:
        yield shim


@pytest.fixture
def folder() -> Iterator[Path]:
    with scratch() as folder:
        yield folder


def stopped_everywhere(shim: Shim, folder: Path, share: int) -> None:
    lives = Lives(shim, folder)
    assert lives.begin()
    assert differences(lives.journal, lives.home) == []
    numbers = drawn(lives.journal, SEED, share)
    sweep = Sweeper(folder, Promised, check, seed=SEED).stop(lives.journal, lives.home, numbers)
    assert not sweep.faults, told(sweep)
    assert sweep.images > 2 * len(numbers)


def test_a_record_stopped_at_a_tenth_of_its_writes_keeps_every_promise(
    shim: Shim, folder: Path
) -> None:
    stopped_everywhere(shim, folder, SHARE)


@soak
def test_a_record_stopped_at_each_of_its_writes_keeps_every_promise(
    shim: Shim, folder: Path
) -> None:
    stopped_everywhere(shim, folder, 1)


def really_killed(shim: Shim, folder: Path, share: int) -> None:
    lives = Lives(shim, folder)
    lives.begin()
    killed = 0
    for number in sorted(drawn(lives.journal, SEED, share)):
        if lives.begin(kill_at=number):  # threads took turns otherwise, and it was done before
            continue
        killed += 1
        assert last_number(lives.journal) == number - 1
        assert differences(lives.journal, lives.home) == []
        check(lives.home, promises(lives.journal, Promised()), random.Random(number))
    assert killed


def test_processes_that_are_really_killed_leave_what_the_model_says(
    shim: Shim, folder: Path
) -> None:
    really_killed(shim, folder, 8 * SHARE)


@soak
def test_a_process_that_is_really_killed_at_each_write_leaves_what_the_model_says(
    shim: Shim, folder: Path
) -> None:
    really_killed(shim, folder, 1)


@pytest.mark.parametrize(
    ("weakness", "killing_shows_it", "what"),
    [
        # The page cache outlives a process: only a loss of power shows what was not synced.
        ("synchronous_off", False, r"batch .* is lost|has forgotten|were signed, but only"),
        ("files_unsynced", False, r"the (note|tile|bundle) has|what was published is gone"),
        ("names_unsynced", False, r"is missing|is gone|is not there"),
        ("witness_unsynced", False, r"has forgotten"),
        ("in_place", True, r"the (note|signatures|tile|bundle)"),
        ("witness_answers_first", True, r"has forgotten"),
        ("checkpoint_first", True, r"is missing|is not met"),
    ],
)
def test_with_a_fault_built_in_the_same_check_finds_it(
    shim: Shim, folder: Path, weakness: str, killing_shows_it: bool, what: str
) -> None:
    """The controls: were the record careless in one of these ways, the tests above would fail."""
    lives = Lives(shim, folder, weakness=weakness)
    assert lives.begin()
    found: dict[Loss, Sweep] = {}
    for loss in ("killed", "all"):
        numbers = drawn(lives.journal, SEED, SHARE if loss == "all" or killing_shows_it else 20)
        sweeper = Sweeper(folder, Promised, check, seed=SEED, losses=(loss,))
        late = numbers & set(range(200, 10_000))
        found[loss] = sweeper.stop(lives.journal, lives.home, late, most_faults=2)
    assert bool(found["killed"].faults) == killing_shows_it, told(found["killed"])
    shown = found["killed" if killing_shows_it else "all"]
    with pytest.raises(AssertionError, match=what):
        assert not shown.faults, told(shown)


def killed_then_robbed_of_power(lives: Lives, sweeper: Sweeper[Any], share: int) -> Iterator[str]:
    """Kill at some numbers; a second process goes on; then its machine loses power.

    What was found, number by number.
    """
    lives.begin()
    for number in sorted(drawn(lives.journal, SEED, share)):
        if lives.begin(kill_at=number):
            continue
        lives.go_on()
        sweep = sweeper.stop(lives.journal, lives.home, after_marks(lives.journal, number - 1))
        if sweep.faults:
            yield f"killed at {number}: {told(sweep)}"


def publishing_twice(shim: Shim, folder: Path, share: int, weakness: str = "") -> Iterator[str]:
    sweeper = Sweeper(
        folder, publishing.Published, publishing.check, seed=SEED, losses=("all", "some")
    )
    return killed_then_robbed_of_power(Lives(shim, folder, PUBLISH, weakness), sweeper, share)


def test_what_a_killed_process_left_unsynced_is_synced_before_anything_rests_on_it(
    shim: Shim, folder: Path
) -> None:
    assert list(publishing_twice(shim, folder, SHARE)) == []


@soak
def test_what_any_killed_process_left_unsynced_is_synced(shim: Shim, folder: Path) -> None:
    assert list(publishing_twice(shim, folder, 1)) == []


@soak
def test_a_record_really_killed_goes_on_and_then_loses_power(shim: Shim, folder: Path) -> None:
    sweeper = Sweeper(folder, Promised, check, seed=SEED, losses=("all", "some"))
    assert list(killed_then_robbed_of_power(Lives(shim, folder), sweeper, SHARE)) == []


def test_a_name_that_is_only_seen_is_not_yet_kept(shim: Shim, folder: Path) -> None:
    """The control: a process that trusts the names it sees loses what it has published."""
    assert any(publishing_twice(shim, folder, 2, "names_trusted"))
