"""The processes of the story: each a `spotbeam` command of its own, all ended at the end."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from spotbeam.errors import SpotbeamError

_READY = " ready at "
_STARTS_S = 90.0
_ENDS_S = 10.0


class Player:
    """One running command.

    Attributes:
        url: Where it answers.
    """

    def __init__(self, name: str, arguments: Sequence[str], log: Path) -> None:
        self.name = name
        self.url = ""
        self._log = log
        self._errors = log.open("wb")
        self._process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            # The terminal's Ctrl-C is for the story, which then ends its players itself.
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )

    def await_ready(self) -> str:
        """Wait until it says where it answers.

        Raises:
            SpotbeamError: It ended, or said nothing in time.
        """
        stream = self._process.stdout
        assert stream is not None
        handle = stream.fileno()
        until = time.monotonic() + _STARTS_S
        text = b""
        while time.monotonic() < until:
            if select.select([handle], [], [], 0.1)[0]:
                part = os.read(handle, 65_536)
                text += part
                for line in text.decode(errors="replace").splitlines():
                    if _READY in line:
                        self.url = line.partition(_READY)[2].strip()
                        return self.url
                if not part:
                    break
        raise SpotbeamError(f"{self.name} did not start: {self._words()}", hint=f"see {self._log}")

    def ends_within(self, seconds: float) -> bool:
        """Wait for its end, but no longer than this; whether it has ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return self._process.poll() is not None

    def await_end(self, seconds: float) -> str:
        """Wait until it has done what it does; what it said on standard output.

        Raises:
            SpotbeamError: It failed, or is not done in time.
        """
        try:
            said, _ = self._process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise SpotbeamError(f"{self.name} is not done after {seconds:.0f} s") from None
        if self._process.returncode:
            raise SpotbeamError(f"{self.name} failed: {self._words()}", hint=f"see {self._log}")
        return said.decode(errors="replace").rstrip()

    def end(self) -> None:
        """Ask it to end; kill it if it does not."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_ENDS_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._errors.close()

    def _words(self) -> str:
        with contextlib.suppress(OSError):
            lines = self._log.read_text(errors="replace").strip().splitlines()
            if lines:
                return lines[-1][:300]
        return f"exit code {self._process.poll()}"


class Stage:
    """All processes of a story.

    Args:
        folder: Where each leaves what it says on standard error.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._players: list[Player] = []

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for player in reversed(self._players):
            player.end()

    def start(self, name: str, *arguments: str | Path, module: str = "spotbeam") -> Player:
        """Start a command; `await_ready` waits for it."""
        words = [module, *(str(each) for each in arguments)]
        player = Player(name, words, self._folder / f"{name}.log")
        self._players.append(player)
        return player

    def end(self, player: Player) -> None:
        """End one of them before the others."""
        player.end()
        self._players.remove(player)


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody listens on just now."""
    with contextlib.ExitStack() as opened:
        return [opened.enter_context(_bound()).getsockname()[1] for _ in range(count)]


@contextlib.contextmanager
def _bound() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        yield probe
