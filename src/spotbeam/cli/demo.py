"""`spotbeam demo`: the main job on an embedded default."""

from __future__ import annotations

import shlex
import shutil
import webbrowser
from pathlib import Path
from typing import Annotated

import cyclopts
from rich.markup import escape

from spotbeam.assembly.story.rehearsal import rehearse
from spotbeam.assembly.story.stage import Stage
from spotbeam.assembly.story.telling import Ending, Kind, tell
from spotbeam.cli.output import console
from spotbeam.errors import OutputError

_OURS = ".spotbeam-demo"
_FORECAST_S = 120.0
_LOOKS = {"act": "\n[bold]{}[/bold]", "line": "{}", "quote": "    [italic]{}[/italic]"}
_VERDICT = {"deny": "red", "allow": "green", "limit": "yellow"}


def demo(
    *,
    browser: Annotated[bool, cyclopts.Parameter(negative="--no-browser")] = True,
    out: Path = Path("demo"),
) -> int:
    """Play a switch that nobody flips alone, and forecast service over the Black Sea.

    Needs no network: every process listens on this machine only, and ends with the demo.

    Parameters
    ----------
    browser
        Open the forecast's report in a browser; --no-browser only prints its path.
    out
        Folder for what the demo makes; one of an earlier demo is made anew.
    """
    _make_room(out)
    with Stage(out / "logs") as stage:
        rehearse(stage, _say_compiling)
        # Nobody waits for it until the end: the story needs one core, the forecast the other.
        forecast = stage.start(
            "forecast", "forecast", "black-sea", "--out", out / "forecast", "--workers", "1"
        )
        ending = tell(out, _say)
        console().print("\n[bold]The forecast[/bold]")
        forecast.await_end(_FORECAST_S)
    report = (out / "forecast" / "report.html").resolve()
    console().print(
        f"Where service can be, and where it is, with the reason: {report}", markup=False
    )
    _say_next(out, ending)
    if browser and not webbrowser.open(report.as_uri()):
        console().print(f"No browser found; open {report}", markup=False)
    return 0 if ending.held else 1


def _make_room(out: Path) -> None:
    """An empty folder, marked as the demo's; only one that is so marked is ever removed."""
    if out.exists():
        if not out.is_dir() or (any(out.iterdir()) and not (out / _OURS).exists()):
            raise OutputError(
                "is there already, and is not a demo's",
                place=str(out),
                hint="name another folder with --out",
            )
        shutil.rmtree(out)
    try:
        out.mkdir(parents=True)
        (out / _OURS).touch()
    except OSError as fault:
        raise OutputError(
            f"cannot be made: {fault.strerror}",
            place=str(out),
            hint="name another folder with --out",
        ) from None


def _say_compiling() -> None:
    console().print("Compiling the kernels, for the first time on this machine ...")


def _say(kind: Kind, text: str) -> None:
    out = console()
    if kind == "verdict":
        mark, name, outcome, reason = text[0], *text[1:].split()
        colour = _VERDICT.get(outcome, "default")
        out.print(f"  {mark} {escape(name):<20} [{colour}]{outcome:<6}[/{colour}] {escape(reason)}")
        return
    out.print(_LOOKS[kind].format(escape(text)))


def _say_next(out: Path, ending: Ending) -> None:
    record = shlex.quote(str(out / "server" / "record"))
    word = "as before" if ending.held else "NOT as before"
    console().print(
        f"\n[bold]What is left[/bold]\nOver Crimea every verdict is {word}. The record has "
        f"{ending.size} entries; all of it is in {escape(str(out))}. Try next:\n"
    )
    for command, meaning in (
        (
            f"spotbeam record verify {record} --genesis {ending.setting.genesis}",
            "check every signature, from entry 0 on",
        ),
        (f"spotbeam record show {record}", "read it in plain sentences"),
        (
            f"spotbeam history UA-43 --source {record}",
            "turned off, or never turned on? From the record alone",
        ),
        ("spotbeam why black-sea --at 44.6,33.5", "why is Sevastopol dark in the forecast?"),
        ("spotbeam forecast taiwan-strait", "another scenario"),
        ("spotbeam init --help", "a workspace and a log of your own"),
    ):
        console().print(f"  {command}\n      {meaning}", markup=False)
