"""Stop a whole record before any of its writes: sequencer, witnesses, mirror and a following edge.

As for the record alone; besides, what was recorded keeps its place, the edge never goes back, and
a cold reader, the edge and the log come to one state.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.crash.lives import Lives
from support.crash.shim import Shim, last_number, scratch
from support.crash.sweep import SHARE, Sweeper, after_marks, differences, drawn, promises, told
from support.crash.volume import LOSSES, Loss
from support.crash.whole import Told, check

WHOLE = "support.crash.whole:live"
SEED = 20_260_722

soak = pytest.mark.soak


@pytest.fixture(scope="module")
def shim() -> Iterator[Shim]:
    with Shim("support.crash.whole") as shim:
        yield shim


@pytest.fixture
def folder() -> Iterator[Path]:
    with scratch() as folder:
        yield folder


def stopped_everywhere(
    shim: Shim, folder: Path, share: int, losses: tuple[Loss, ...] = LOSSES
) -> None:
    lives = Lives(shim, folder, WHOLE)
    assert lives.begin()
    assert differences(lives.journal, lives.home) == []
    numbers = drawn(lives.journal, SEED, share)
    sweeper = Sweeper(folder, Told, check, seed=SEED, losses=losses)
    sweep = sweeper.stop(lives.journal, lives.home, numbers)
    assert not sweep.faults, told(sweep)
    assert sweep.images > len(numbers)


def test_a_whole_record_stopped_at_a_tenth_of_its_writes_keeps_every_promise(
    shim: Shim, folder: Path
) -> None:
    stopped_everywhere(shim, folder, SHARE, ("killed", "all"))


@soak
def test_a_whole_record_stopped_at_each_of_its_writes_keeps_every_promise(
    shim: Shim, folder: Path
) -> None:
    stopped_everywhere(shim, folder, 1)


@soak
def test_a_whole_record_really_killed_goes_on_and_then_loses_power(
    shim: Shim, folder: Path
) -> None:
    lives = Lives(shim, folder, WHOLE)
    lives.begin()
    sweeper = Sweeper(folder, Told, check, seed=SEED, losses=("all", "some"))
    for number in sorted(drawn(lives.journal, SEED, SHARE)):
        if lives.begin(kill_at=number):
            continue
        assert last_number(lives.journal) == number - 1
        assert differences(lives.journal, lives.home) == []
        lives.go_on()
        sweep = sweeper.stop(lives.journal, lives.home, after_marks(lives.journal, number - 1))
        assert not sweep.faults, f"killed at {number}: {told(sweep)}"
        check(lives.home, promises(lives.journal, Told()), random.Random(number))


@pytest.mark.parametrize(
    ("weakness", "what"),
    [
        ("synchronous_off", r"is lost|has forgotten|were signed, but only|has signed \d+ entries"),
        ("files_unsynced", r"the (note|tile|bundle|checkpoint) |is gone|not the digest"),
    ],
)
def test_with_a_fault_built_in_the_same_check_finds_it(
    shim: Shim, folder: Path, weakness: str, what: str
) -> None:
    """The controls: were the record careless in one of these ways, the tests above would fail."""
    lives = Lives(shim, folder, WHOLE, weakness)
    assert lives.begin()
    numbers = drawn(lives.journal, SEED, SHARE) & set(range(300, 10_000))
    sweeper = Sweeper(folder, Told, check, seed=SEED, losses=("all",))
    found = sweeper.stop(lives.journal, lives.home, numbers, most_faults=3)
    with pytest.raises(AssertionError, match=what):
        assert not found.faults, told(found)
