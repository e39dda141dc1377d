"""The model of a disk, against a real file system and against what POSIX promises."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.crash.journal import read_journal
from support.crash.shim import Job, Shim, scratch
from support.crash.sweep import differences
from support.crash.volume import Image, Loss, UnknownOperation, Volume

SCRIBBLES = "support.crash.scribbling:"


@pytest.fixture(scope="module")
def shim() -> Iterator[Shim]:
    with Shim("support.crash.scribbling") as shim:
        yield shim


@pytest.fixture
def folder() -> Iterator[Path]:
    with scratch() as folder:
        yield folder


def run(shim: Shim, folder: Path, work: str, before: int = 0) -> tuple[Path, Path]:
    home, journal = folder / f"home{before}", folder / f"journal{before}"
    home.mkdir()
    outcome = shim.run(Job(SCRIBBLES + work, str(home), str(journal), before=before))
    assert outcome.status == 0, outcome.said
    return journal, home


@pytest.mark.parametrize("seed", range(1, 13))
def test_whatever_is_done_to_files_the_journal_says_it_byte_for_byte(
    shim: Shim, folder: Path, seed: int
) -> None:
    journal, home = run(shim, folder, "scribble", seed)
    assert len([each for each in read_journal(journal) if each.number]) > 150
    assert differences(journal, home) == []


def after(journal: Path, home: Path, loss: Loss, seed: int = 0) -> Image:
    volume = Volume(home)
    for operation in read_journal(journal):
        volume.apply(operation)
    return volume.image(lambda _: loss, random.Random(seed))


def test_a_loss_of_power_takes_what_posix_does_not_promise(shim: Shim, folder: Path) -> None:
    journal, home = run(shim, folder, "keep_some")
    top: Image = {"m": None}
    assert after(journal, home, "killed") == {
        **top,
        "m/named": b"unsynced",
        "m/replaced": b"new",
        "m/unnamed": b"synced",
    }
    assert after(journal, home, "all") == {**top, "m/named": b"", "m/replaced": b"old"}
    kept = {"m/replaced": b"new", "m/unnamed": b"synced"}
    assert after(journal, home, "contents") == {**top, "m/named": b"", **kept}
    assert after(journal, home, "lengths") == {**top, "m/named": b"\0" * 8, **kept}
    drawn = [after(journal, home, "some", seed) for seed in range(200)]
    named = {image["m/named"] for image in drawn}
    assert {b"", b"unsynced"} < named  # and rubbish of that length
    assert {len(data or b"") for data in named} == {0, 8}
    # Each name on its own: the synced file may be there or not, the replaced one is old or new.
    assert {("m/unnamed" in image, image["m/replaced"]) for image in drawn} == {
        (there, data) for there in (True, False) for data in (b"old", b"new")
    }
    assert {image.get("m/new") for image in drawn} == {None, b"new"}


def test_what_the_shim_cannot_write_down_is_an_error(shim: Shim, folder: Path) -> None:
    journal, home = run(shim, folder, "copy_unseen")
    with pytest.raises(UnknownOperation, match="sendfile"):
        after(journal, home, "killed")
