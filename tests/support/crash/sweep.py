"""Stop a journal at its numbers, and check what a disk is left with."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Collection, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import msgspec
from support.crash.journal import read_journal
from support.crash.volume import LOSSES, Image, Loss, Volume, read_image, write_image

SHARE = 10
"""CI stops at one number in so many; the soak at all."""


class Takes(Protocol):
    """What collects marks."""

    def take(self, mark: dict[str, Any]) -> None: ...


T = TypeVar("T", bound=Takes)


class Fault(msgspec.Struct, frozen=True):
    """What a check found.

    Args:
        number: The operation that was not carried out any more.
        operation: That operation in words.
        loss: What was lost, of which machines.
        seed: Draws the same again.
        what: What the check said.
    """

    number: int
    operation: str
    loss: str
    seed: str
    what: str


class Sweep(msgspec.Struct, frozen=True):
    """What became of stopping a journal: how many images were checked, and what was found."""

    numbers: int
    images: int
    faults: tuple[Fault, ...]


class Sweeper(Generic[T]):
    """Stops journals at their numbers.

    Args:
        scratch: A folder for images.
        promised: Makes an empty collection of what was promised.
        check: Raises where an image does not hold what was promised.
        seed: Of all that is drawn.
        losses: Which losses to try at each number.
    """

    def __init__(
        self,
        scratch: Path,
        promised: Callable[[], T],
        check: Callable[[Path, T, random.Random], None],
        *,
        seed: int = 0,
        losses: Sequence[Loss] = LOSSES,
    ) -> None:
        self._scratch = scratch
        self._promised = promised
        self._check = check
        self._seed = seed
        self._losses = losses

    def stop(
        self, journal: Path, home: Path, numbers: Collection[int], *, most_faults: int = 200
    ) -> Sweep:
        """Stop before each of the numbers, and after the end.

        Args:
            journal: What happened.
            home: The folder that it happened in.
            numbers: Where to stop.
            most_faults: No more is tried once so many are found.
        """
        volume, promised = Volume(home), self._promised()
        faults: list[Fault] = []
        images = 0
        checked: set[bytes] = set()
        for operation in [*read_journal(journal), None]:
            if len(faults) >= most_faults:
                break
            if operation is None or (operation.number and operation.number in numbers):
                for loss in self._losses:
                    seed = f"{self._seed} {operation.number if operation else 'end'} {loss}"
                    rng = random.Random(seed)
                    image, what = _lose(volume, loss, rng)
                    digest = _digest(image, promised)
                    if digest in checked:
                        continue
                    checked.add(digest)
                    images += 1
                    fault = self._try(image, promised, rng)
                    if fault:
                        number = operation.number if operation else 0
                        faults.append(Fault(number, str(operation), what, seed, fault))
            if operation is not None:
                volume.apply(operation)
                if operation.kind == "mark":
                    promised.take(operation.mark)
        return Sweep(len(numbers), images, tuple(faults))

    def _try(self, image: Image, promised: T, rng: random.Random) -> str | None:
        folder = self._scratch / "image"
        write_image(image, folder)
        try:
            self._check(folder, promised, rng)
        except Exception as fault:
            return f"{type(fault).__name__}: {fault}"
        finally:
            shutil.rmtree(folder)
        return None


def drawn(journal: Path, seed: int, share: int = SHARE, after: int = 0) -> set[int]:
    """One number in `share` of a journal, past the first `after`; all of them where it is 1."""
    numbers = [each.number for each in read_journal(journal) if each.number > after]
    return set(random.Random(seed).sample(numbers, -(-len(numbers) // share)))


def after_marks(journal: Path, after: int = 0) -> set[int]:
    """The numbers that come first after something was promised, past the first `after`.

    Then the least has happened since, and most is lost.
    """
    chosen: set[int] = set()
    promised = False
    for operation in read_journal(journal):
        promised = promised or operation.kind == "mark"
        if promised and operation.number > after:
            chosen.add(operation.number)
            promised = False
    return chosen


def _lose(volume: Volume, loss: Loss, rng: random.Random) -> tuple[Image, str]:
    """One machine in two times out of four, some in one, else all of them."""
    if loss == "killed":
        return volume.image(lambda _: loss, rng), "killed"
    lucky: dict[str, bool] = {}
    share = rng.choice((0.0, 0.0, 0.5, 0.8))

    def loss_of(name: str) -> Loss:
        lucky[name] = rng.random() < share
        return "killed" if lucky[name] else loss

    image = volume.image(loss_of, rng)
    unlucky = [name for name, spared in lucky.items() if not spared]
    return image, f"power lost ({loss}) on {' '.join(unlucky) or 'none'}"


def _digest(image: Image, promised: object) -> bytes:
    hashed = sha256(msgspec.msgpack.encode(list(image.items())))
    hashed.update(repr(sorted(vars(promised).items())).encode())
    return hashed.digest()


def promises(journal: Path, promised: T) -> T:
    """All that was promised in a journal."""
    for operation in read_journal(journal):
        if operation.kind == "mark":
            promised.take(operation.mark)
    return promised


def differences(journal: Path, home: Path) -> list[str]:
    """Where a folder is not what the model of a disk makes of its journal.

    SQLite's wal-index is left out: it is changed through memory, and built anew.
    """
    volume = Volume(home)
    for operation in read_journal(journal):
        volume.apply(operation)
    image, real = volume.image(lambda _: "killed", random.Random(0)), read_image(home)
    return [
        path
        for path in sorted({*image, *real})
        if image.get(path, b"none") != real.get(path, b"none") and not path.endswith("-shm")
    ]


def told(sweep: Sweep) -> str:
    """What was found, in a few lines."""
    lines = [f"{len(sweep.faults)} of {sweep.images} images do not hold:"]
    lines += [
        f"{fault.loss} before {fault.operation}\n    [{fault.seed}] {fault.what}"
        for fault in sweep.faults[:12]
    ]
    return "\n".join(lines)
