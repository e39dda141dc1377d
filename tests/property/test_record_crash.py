"""Stop the publishing of a record at each write, fsync and rename: nothing published is lost.

Two ways to stop: the process ends there, or the power goes, and with it all that was not synced.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from spotbeam.record import disk, keys, merkle
from spotbeam.record.checkpoint import Checkpoint, sign_checkpoint
from spotbeam.record.keys import signer_from_seed
from spotbeam.record.merkle import leaf_hash
from spotbeam.record.tile_reader import directory, fsck
from spotbeam.record.tile_writer import TileWriter, read_checkpoint

LOG = signer_from_seed("log.example/crash", keys.ED25519, b"\1" * 32)
SIZES = (3, 255, 258, 515)


class Stopped(BaseException):
    """The machine has stopped here."""


def entry(number: int) -> bytes:
    return b"entry %d" % number


def point(size: int) -> Checkpoint:
    leaves = [leaf_hash(entry(i)) for i in range(size)]
    return Checkpoint(LOG.key.name, size, merkle.root_hash(leaves))


def publish_on(path: Path) -> None:
    """Publish whatever is missing, as a log does that starts again."""
    writer = TileWriter(path)
    for size in SIZES:
        if size > writer.size:
            writer.append(entry(i) for i in range(writer.size, size))
            writer.flush()
            writer.publish(sign_checkpoint(point(size), [LOG]))


class Counted:
    """`os` for `disk`, which counts each step and stops the world before one of them."""

    def __init__(self, stop_at: int | None, sync: bool) -> None:
        self.steps = 0
        self.stop_at = stop_at
        self.sync = sync
        self.synced: set[int] = set()
        self.unsynced: dict[Path, bool] = {}
        self._opened: dict[int, Path] = {}

    def __getattr__(self, name: str) -> object:
        return getattr(os, name)

    def _step(self) -> None:
        self.steps += 1
        if self.steps == self.stop_at:
            raise Stopped

    def open(self, path: Path, flags: int, mode: int = 0o777) -> int:
        handle = os.open(path, flags, mode)
        self._opened[handle] = Path(path)
        return handle

    def write(self, handle: int, data: bytes) -> int:
        self._step()
        self.unsynced[self._opened[handle]] = True
        return os.write(handle, data)

    def fsync(self, handle: int) -> None:
        self._step()
        if self.sync:
            self.unsynced.pop(self._opened[handle], None)

    def replace(self, old: Path, new: Path) -> None:
        self._step()
        os.replace(old, new)
        if self.unsynced.pop(Path(old), False):
            self.unsynced[Path(new)] = True

    def lose_power(self) -> None:
        """What was written and never synced is gone; the names that point to it may stay."""
        for path in self.unsynced:
            if path.exists():
                path.write_bytes(b"")


@contextmanager
def world(monkeypatch: pytest.MonkeyPatch, counted: Counted) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setattr(disk, "os", counted)
        yield


def survives(path: Path) -> None:
    """What is published holds as it stands, and the writer goes on to the same end."""
    published = read_checkpoint(path)
    if published:
        assert published == point(published.size)
        assert fsck(directory(path), published).entries == published.size
    publish_on(path)
    assert read_checkpoint(path) == point(SIZES[-1])
    assert fsck(directory(path), point(SIZES[-1])).entries == SIZES[-1]


def every_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, then: Callable[[Counted], None], sync: bool
) -> int:
    counting = Counted(None, sync)
    with world(monkeypatch, counting):
        publish_on(tmp_path / "whole")
    for stop_at in range(1, counting.steps + 1, 1):
        counted = Counted(stop_at, sync)
        path = tmp_path / str(stop_at)
        with world(monkeypatch, counted), pytest.raises(Stopped):
            publish_on(path)
        then(counted)
        survives(path)
    return counting.steps


@pytest.fixture(autouse=True)
def _no_real_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    """The counted `os` never syncs; the runs that mend need not either."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)


def test_a_writer_stopped_at_any_step_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert every_step(tmp_path, monkeypatch, lambda counted: None, sync=True) > 50


def test_a_loss_of_power_at_any_step_loses_nothing_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert every_step(tmp_path, monkeypatch, Counted.lose_power, sync=True) > 50


def test_without_syncing_the_same_loss_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: were the files not synced before they are named, this very test would fail."""
    with pytest.raises(Exception, match=r"tile|checkpoint|note"):
        every_step(tmp_path, monkeypatch, Counted.lose_power, sync=False)
