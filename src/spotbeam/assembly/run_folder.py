"""The folder of a forecast: whose it is, which blocks are done, what is written when."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import numpy as np

from spotbeam.errors import OutputError
from spotbeam.formats.atomic import discard_leftovers, write_bytes
from spotbeam.twin.coverage import BlockTally
from spotbeam.twin.onward import OnwardTally
from spotbeam.twin.tally import Tally

_T = TypeVar("_T")

Block = tuple[int, int]
FILES = (
    "summary.json",
    "cells.parquet",
    "cells.csv",
    "cells.geojson",
    "terminals.parquet",
    "report.html",
    "map.png",
)
CUBE = "forecast.zarr"
_PROGRESS = ".progress"
_PLAN = "plan.json"


@contextmanager
def told_of_the_disk(path: Path) -> Iterator[None]:
    """Say which folder it was, and that the run can go on, when the disk is full or fails.

    Raises:
        OutputError: in place of any OSError.
    """
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"cannot be written: {error.strerror or error}",
            place=str(path),
            hint="what is there is whole: make room, and the same command goes on from there",
        ) from None


class RunFolder:
    """A forecast's folder while the forecast is being made.

    The blocks that are done lie in `.progress`, each written whole; the folder that a run leaves
    behind has no `.progress`.
    """

    def __init__(self, path: Path, key: str, blocks: list[Block]) -> None:
        self.path = path
        self.key = key
        self.blocks = blocks
        self._progress = path / _PROGRESS

    def claim(self, *, force: bool = False) -> list[Block]:
        """Make the folder this run's own; return the blocks that an interrupted run left done.

        Raises:
            OutputError: it holds another forecast, or something that is no forecast.
        """
        try:
            return self._claim(force)
        except (OSError, ValueError) as error:
            if isinstance(error, OutputError):
                raise
            reason = error.strerror if isinstance(error, OSError) else error
            raise OutputError(
                f"cannot be written: {reason}",
                place=str(self.path),
                hint="choose a folder that you may write to with --out",
            ) from None

    def _claim(self, force: bool) -> list[Block]:
        if self.path.exists() and not self.path.is_dir():
            raise OutputError("is a file, not a folder", place=str(self.path))
        if self._key_in(self._progress / _PLAN) == self.key and self._same_blocks():
            return [block for block in self.blocks if self._file(block).exists()]
        self._refuse_others(force)
        if self.path.is_dir():
            discard_leftovers(self.path)
        for name in FILES:
            (self.path / name).unlink(missing_ok=True)
        shutil.rmtree(self.path / CUBE, ignore_errors=True)
        shutil.rmtree(self._progress, ignore_errors=True)
        self._progress.mkdir(parents=True)
        plan = {"key": self.key, "blocks": self.blocks}
        write_bytes(self._progress / _PLAN, json.dumps(plan).encode())
        return []

    def _refuse_others(self, force: bool) -> None:
        if force or not self.path.exists():
            return
        found = {item.name for item in self.path.iterdir() if not item.name.endswith(".part")}
        if not found:
            return
        keys = {
            self._key_in(self.path / "summary.json"),
            self._key_in(self._progress / _PLAN),
        } - {None}
        if keys <= {self.key} and found <= {*FILES, CUBE, _PROGRESS}:
            return
        what = "another scenario's forecast" if keys else "files that are no forecast's"
        raise OutputError(
            f"holds {what}",
            place=str(self.path),
            hint="name another folder with --out, or replace the forecast with --force",
        )

    def _key_in(self, path: Path) -> str | None:
        try:
            return str(json.loads(path.read_bytes())["key"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _same_blocks(self) -> bool:
        plan = json.loads((self._progress / _PLAN).read_bytes())
        return [tuple(block) for block in plan["blocks"]] == self.blocks

    def _file(self, block: Block) -> Path:
        return self._progress / f"{block[0]:09d}.npz"

    def keep(self, block: Block, result: BlockTally) -> None:
        """Write down that a block is done, with what it leaves behind."""
        arrays = {
            f"{part}.{name}": np.asarray(value)
            for part, tally in result._asdict().items()
            if tally is not None
            for name, value in tally._asdict().items()
        }
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **arrays)
        write_bytes(self._file(block), buffer.getvalue())

    def read(self, block: Block) -> BlockTally:
        """What a finished block left behind."""
        with np.load(self._file(block), allow_pickle=False) as arrays:
            # A scalar comes back as an array without axes.
            steps = int(arrays["cells.steps"])

            def part(name: str, kind: Callable[..., _T]) -> _T:
                names = {
                    key.removeprefix(f"{name}.") for key in arrays if key.startswith(f"{name}.")
                }
                values = {each: arrays[f"{name}.{each}"] for each in names - {"steps"}}
                return kind(steps=steps, **values)

            if "cells_onward.steps" not in arrays:
                return BlockTally(part("cells", Tally), part("terminals", Tally))
            return BlockTally(
                part("cells", Tally),
                part("terminals", Tally),
                part("cells_onward", OnwardTally),
                part("terminals_onward", OnwardTally),
            )

    def close(self) -> None:
        """The run is finished: what is left is the forecast."""
        shutil.rmtree(self._progress)
