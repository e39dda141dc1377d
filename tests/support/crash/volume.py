"""A disk that loses power: what is surely on it after each operation, and what may be.

The model is that of POSIX, which promises less than any file system in use:

- A file's bytes and length are kept by a sync of that file, and by nothing else.
- A name (made, moved, removed) is kept by a sync of its folder, and by nothing else: not by a sync
  of the file, as on ext4, XFS and Btrfs. A rename is one step: both of its halves or none.
- What is not kept may be there or not, each name and each sector on its own, in any order (real
  file systems keep names in order). A sector is 512 or 4,096 bytes and never half written; bytes
  beside those that were written do not change, which is what SQLite assumes too
  (`SQLITE_POWERSAFE_OVERWRITE`).
- A file may be as long as it was to become while its new bytes are missing: zeros, or rubbish.
- After a sync of a file that failed, what it should have kept is gone for good, though processes
  still read it, and later syncs succeed, as on Linux.

Milder than the worst there is: nothing that was synced rots, and a disk does not lie about a sync.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Literal

import msgspec
from support.crash.journal import CREATED, EMPTIED, Operation

Image = Mapping[str, bytes | None]
"""Paths under the root, folders before what is in them, and their bytes; None for a folder."""

Loss = Literal["killed", "all", "contents", "lengths", "some"]
"""How much is lost: nothing, as when a process is killed; all that was not synced; the bytes but
not the names; the bytes but neither names nor lengths; and a draw of names and sectors."""
LOSSES: tuple[Loss, ...] = ("killed", "all", "contents", "lengths", "some")


class UnknownOperation(Exception):
    """The process did something that the model does not know."""


class Change(msgspec.Struct):
    """What was done to a file since its last sync: bytes at an offset, or, without any, a cut."""

    at: int
    data: bytes | None = None
    lost: bool = False


class File:
    """What a process reads of a file, and what is kept of it."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.kept = bytearray()
        self.pending: list[Change] = []

    def change(self, change: Change) -> None:
        _apply(self.data, change)
        self.pending.append(change)

    def sync(self, works: bool) -> None:
        if not works:
            for change in self.pending:
                change.lost = True
            return
        for change in self.pending:
            if not change.lost:
                _apply(self.kept, change)
        self.pending = []

    def after(self, loss: Loss, rng: random.Random) -> bytes:
        if loss == "killed":
            return bytes(self.data)
        if loss in ("all", "contents") or not self.pending:
            return bytes(self.kept)
        if loss == "lengths":
            return bytes(self.kept[: len(self.data)]).ljust(len(self.data), b"\0")
        left = bytearray(self.kept)
        share, sector = rng.choice((0.0, 0.2, 0.8, 1.0)), rng.choice((512, 4096))
        rubbish = rng.random() < 0.5
        for change in self.pending:
            if change.data is None:
                if rng.random() < share:
                    _apply(left, change)
                continue
            for piece in _sectors(change, sector):
                if rng.random() < share:
                    if rubbish and piece.at > len(left):
                        left += rng.randbytes(piece.at - len(left))
                    _apply(left, piece)
        if rubbish and len(left) < len(self.data) and rng.random() < 0.5:
            left += rng.randbytes(len(self.data) - len(left))
        return bytes(left)


class Folder:
    """The names in a folder, and those of them that are kept."""

    def __init__(self) -> None:
        self.names: dict[str, File | Folder] = {}
        self.kept: dict[str, File | Folder] = {}
        self.pending: list[dict[str, File | Folder | None]] = []

    def change(self, names: dict[str, File | Folder | None]) -> None:
        _rename(self.names, names)
        self.pending.append(names)

    def sync(self, works: bool) -> None:
        if not works:  # the file system has stopped, or the names are still to be kept
            return
        for names in self.pending:
            _rename(self.kept, names)
        self.pending = []

    def after(self, loss: Loss, rng: random.Random) -> dict[str, File | Folder]:
        if loss == "all":
            return self.kept
        if loss != "some":
            return self.names
        left = dict(self.kept)
        share = rng.choice((0.0, 0.5, 0.9, 1.0))
        for names in self.pending:
            if rng.random() < share:
                _rename(left, names)
        return left


class Volume:
    """The disk under one folder, as the operations of a journal change it.

    Args:
        root: The folder; it was there and empty before the first operation.
    """

    def __init__(self, root: Path) -> None:
        self._root = str(root)
        self._top = Folder()
        self._open: dict[int, File | Folder] = {}

    def apply(self, operation: Operation) -> None:
        """Do what an operation did.

        Raises:
            UnknownOperation: The model has no idea of it.
        """
        if operation.kind == "unknown":
            raise UnknownOperation(operation.path)
        if operation.kind == "sync":
            self._open[operation.handle].sync(operation.result == 0)
        elif operation.result >= 0 and operation.kind != "mark":
            self._doers[operation.kind](self, operation)

    def image(self, loss_of: Callable[[str], Loss], rng: random.Random) -> Image:
        """What is there after a stop now.

        Args:
            loss_of: What each thing at the top loses, by its name. The names at the top stay:
                each stands for a machine of its own.
            rng: Draws what is kept where chance decides.
        """
        image: dict[str, bytes | None] = {}
        for name, node in sorted(self._top.names.items()):
            image.update(_walk(name, node, loss_of(name), rng))
        return image

    def _do_open(self, operation: Operation) -> None:
        if operation.flags & CREATED:
            folder, name = self._find_folder(operation.path)
            folder.change({name: File()})
        node = self._find(operation.path)
        if operation.flags & EMPTIED and isinstance(node, File):
            node.change(Change(0))
        self._open[operation.handle] = node

    def _do_write(self, operation: Operation) -> None:
        if operation.data:
            self._file(operation).change(Change(operation.offset, operation.data))

    def _do_truncate(self, operation: Operation) -> None:
        self._file(operation).change(Change(operation.offset))

    def _do_rename(self, operation: Operation) -> None:
        folder, name = self._find_folder(operation.path)
        into, new = self._find_folder(operation.other)
        if folder is not into:
            raise UnknownOperation(f"a rename from folder to folder: {operation}")
        node = folder.names[name]
        if node is not folder.names.get(new):  # two names of one file both stay
            folder.change({name: None, new: node})

    def _do_unlink(self, operation: Operation) -> None:
        folder, name = self._find_folder(operation.path)
        folder.change({name: None})

    def _do_mkdir(self, operation: Operation) -> None:
        folder, name = self._find_folder(operation.path)
        folder.change({name: Folder()})

    def _do_link(self, operation: Operation) -> None:
        folder, name = self._find_folder(operation.other)
        folder.change({name: self._find(operation.path)})

    _doers = {  # noqa: RUF012
        "open": _do_open,
        "write": _do_write,
        "truncate": _do_truncate,
        "rename": _do_rename,
        "unlink": _do_unlink,
        "rmdir": _do_unlink,
        "mkdir": _do_mkdir,
        "link": _do_link,
    }

    def _file(self, operation: Operation) -> File:
        node = self._open[operation.handle]
        assert isinstance(node, File)
        return node

    def _find_folder(self, path: str) -> tuple[Folder, str]:
        head, _, name = path.rpartition("/")
        node = self._find(head)
        assert isinstance(node, Folder), path
        return node, name

    def _find(self, path: str) -> File | Folder:
        assert path.startswith(self._root)
        node: File | Folder = self._top
        for name in filter(None, path[len(self._root) :].split("/")):
            assert isinstance(node, Folder), path
            node = node.names[name]
        return node


def write_image(image: Image, root: Path) -> None:
    """Write an image under a folder that is not there yet."""
    root.mkdir()
    for path, data in image.items():
        if data is None:
            (root / path).mkdir()
        else:
            (root / path).write_bytes(data)


def read_image(root: Path) -> Image:
    """What is under a folder now."""
    return {
        str(path.relative_to(root)): None if path.is_dir() else path.read_bytes()
        for path in sorted(root.rglob("*"))
    }


def _walk(
    path: str, node: File | Folder, loss: Loss, rng: random.Random
) -> Iterator[tuple[str, bytes | None]]:
    if isinstance(node, File):
        yield path, node.after(loss, rng)
        return
    yield path, None
    for name, below in sorted(node.after(loss, rng).items()):
        yield from _walk(f"{path}/{name}", below, loss, rng)


def _apply(data: bytearray, change: Change) -> None:
    if change.data is None:
        del data[change.at :]
        data.extend(bytes(change.at - len(data)))
        return
    if change.at > len(data):
        data.extend(bytes(change.at - len(data)))
    data[change.at : change.at + len(change.data)] = change.data


def _sectors(change: Change, size: int) -> Iterable[Change]:
    assert change.data is not None
    end = change.at + len(change.data)
    cuts = [change.at, *range(change.at - change.at % size + size, end, size), end]
    for start, stop in pairwise(cuts):
        yield Change(start, change.data[start - change.at : stop - change.at])


def _rename(names: dict[str, File | Folder], change: Mapping[str, File | Folder | None]) -> None:
    for name, node in change.items():
        if node is None:
            names.pop(name, None)
        else:
            names[name] = node
