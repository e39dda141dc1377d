"""Options that every command which writes has: who signs, with which key, from which workspace."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import cyclopts
import msgspec
from rich.markup import escape

from spotbeam.assembly.hands import Signing, signing
from spotbeam.assembly.workspace import Followed, Workspace, find_workspace, follow
from spotbeam.cli.output import console, print_json, progress
from spotbeam.control.recording import Recorded
from spotbeam.errors import InputError, SpotbeamError

Flag = Annotated[bool, cyclopts.Parameter(negative="")]


@cyclopts.Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Place:
    """Where somebody works, and how they want to read."""

    workspace: Annotated[Path | None, cyclopts.Parameter(name=["--workspace", "-w"])] = None
    """Your workspace; the nearest spotbeam.toml from here upwards if left out."""
    json: Flag = False
    """Print JSON."""

    @property
    def here(self) -> Workspace:
        """The workspace."""
        return find_workspace(self.workspace)

    def followed(self) -> Followed:
        """The record as this machine follows it; says on standard error what was wrong."""
        with progress("Following the record") as told:
            found = follow(self.here, progress=told)
        warn(found)
        return found


@cyclopts.Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Signer(Place):
    """Who signs, and what happens then."""

    as_: Annotated[str | None, cyclopts.Parameter(name="--as")] = None
    """Who you are: your id on the roster; the key file's own if left out."""
    key: Path | None = None
    """Your key file; keys/<you>.key of the workspace if left out."""
    id: str | None = None
    """Id of the new entry; one that sorts by time if left out."""
    wait: Flag = False
    """Wait until witnesses have seen it, and say what happened."""
    browser: Annotated[bool, cyclopts.Parameter(negative="--no-browser")] = True
    """Open the page for a passkey; --no-browser only prints its address."""

    def signing(self) -> Signing:
        """Whose key signs."""
        return signing(self.here, self.as_, self.key, browser=self.browser)


def demand_somebody(*, yes: bool) -> None:
    """Stop before any work where nobody is there to be asked.

    Raises:
        InputError: Nobody is at a terminal, and `--yes` was not given.
    """
    if not yes and not sys.stdin.isatty():
        raise InputError(
            "nobody is at a terminal to ask: nothing is signed",
            hint="give --yes if you have read what it would do",
        )


def ask(question: str, *, yes: bool) -> None:
    """Ask on the terminal; anything but yes signs nothing.

    Raises:
        InputError: Nobody is at a terminal, and `--yes` was not given.
        SpotbeamError: The answer was no.
    """
    demand_somebody(yes=yes)
    if yes:
        return
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise SpotbeamError("nothing was signed")


def warn(followed: Followed) -> None:
    """Say on standard error which sources did not do."""
    for fault in followed.faults:
        print(f"spotbeam: warning: {shown_lines(fault)}", file=sys.stderr)
    if not followed.is_current:
        print(
            "spotbeam: warning: this is the record as it was accepted before, not as it is now",
            file=sys.stderr,
        )


def shown_lines(text: str) -> str:
    """Text of others for standard error, a line break kept."""
    return "".join(
        each if each.isprintable() or each == "\n" else each.encode("unicode_escape").decode()
        for each in text
    )


def say_recorded(
    recorded: Recorded, what: str, by: Signer, *, next_steps: Sequence[str] = (), **facts: Any
) -> None:
    """Say where an entry is in the log, whether witnesses have seen it, and what to do next."""
    if by.json:
        print_json({**msgspec.to_builtins(recorded), **facts})
        return
    out = console()
    seen = ", witnessed" if by.wait or by.here.keeps_log else ""
    out.print(f"[bold]{escape(recorded.id)}[/bold]: {escape(what)}; entry {recorded.index}{seen}")
    for name, value in facts.items():
        out.print(f"{name.replace('_', ' ')}: {value}", markup=False)
    for step in next_steps:
        out.print(f"  next: {step}", markup=False)


def show_facts(facts: Sequence[tuple[str, str]]) -> None:
    """Label and value, a line each, labels in one column."""
    width = max((len(label) for label, _ in facts), default=0)
    for label, value in facts:
        console().print(f"{label:<{width}}  {value}", markup=False)
