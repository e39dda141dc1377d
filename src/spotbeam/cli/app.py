"""The `spotbeam` command: parses, calls the library, prints. Commands load when they are called."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence

import cyclopts

import spotbeam
from spotbeam.cli import accounts, switch
from spotbeam.errors import SpotbeamError

USAGE = 2
INTERRUPTED = 130

app = cyclopts.App(
    name="spotbeam",
    help="Forecast which ground a satellite constellation can serve, decide who is served there, "
    "and prove who decided.",
    version=lambda: f"spotbeam {spotbeam.__version__}",
    help_format="plaintext",
    suppress_keyboard_interrupt=False,
)
for name, meaning in {
    "demo": "Play a switch that nobody flips alone, and forecast service over the Black Sea.\n\n"
    "Needs no network: every process listens on this machine only, and ends with the demo.",
    "forecast": "Forecast a scenario and write its files.\n\n"
    "Ctrl-C keeps what is done; the same command with the same --out goes on from there.",
    "why": "Say why a place or a terminal is served or not, and what would change that.",
    "route": "Say how far it is through the sky, which way, and why there is no way.",
    "trace": "Follow a terminal along a track: who serves it, how far the internet is, why not.",
    "scenarios": "List the shipped scenarios, or print one as TOML to start your own from.",
    "territories": "List territory ids under a point of view; who administers and who claims them.",
    "history": "Say what is intended on some ground at a time, as known now and as known then.",
    "log": "Keep a log on this machine: take entries, have them witnessed, publish them.",
    "edge": "Run an edge: follow a record from any mirror, and answer who is served.",
    "witness": "Run a witness of logs; with --mirror keep and serve every entry as well.",
}.items():
    # The help stands here so that listing the commands loads none of them.
    app.command(f"spotbeam.cli.{name}:{name}", name=name, help=meaning)

elements = cyclopts.App(name="elements", help="Element sets: fetch, inspect.")
elements.command(
    "spotbeam.cli.elements:fetch",
    name="fetch",
    help="Download a group's element sets (OMM) from CelesTrak, at most once in two hours.",
)
elements.command(
    "spotbeam.cli.elements:show",
    name="show",
    help="Say what is in a file of element sets: how many, how old, which of them are in service.",
)
app.command(elements)

policy = cyclopts.App(name="policy", help="Rules: find the dead, the shadowed, the contradictory.")
policy.command(
    "spotbeam.cli.policy:check",
    name="check",
    help="Find dead, shadowed and contradictory rules, each with a case that shows it.\n\n"
    "Exit code 0 when nothing is found, 1 when something is.",
)
app.command(policy)

record = cyclopts.App(name="record", help="The record: check it, read it, prove from it, copy it.")
for name, meaning in {
    "verify": "Check a whole record from entry 0 on, or a receipt; name the first fault.\n\n"
    "Exit code 0 when all holds, 1 when something does not.",
    "show": "Say in plain sentences what is in a record, or show one entry in full.",
    "mirror": "Keep a full copy of a record, verified before it is kept.",
    "fsck": "Rebuild every tile of a record from its entries; name the first file that is wrong.",
}.items():
    record.command(f"spotbeam.cli.record:{name}", name=name, help=meaning)
record.command(
    "spotbeam.cli.receipts:prove",
    name="prove",
    help="Write a receipt for a decision: one file that proves it without us and offline.",
)
record.command(
    "spotbeam.cli.restoring:restore",
    name="restore",
    help="Fill a log's own file again from a copy of the record, checked first.",
)
app.command(record)

switch.register(app)
accounts.register(app)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code: 0 done, 1 failed, 2 wrong input, 130 interrupted."""
    tokens = list(sys.argv[1:] if arguments is None else arguments)
    if sys.stdout is None:  # closed by the caller, as with >&-
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 (open until the process ends)
    try:
        result = app(tokens, exit_on_error=False, print_error=False, result_action="return_value")
        sys.stdout.flush()
    except SpotbeamError as error:
        _complain(str(error))
        return error.exit_code
    except cyclopts.CycloptsError as error:
        _complain(str(error))
        return USAGE
    except KeyboardInterrupt:
        _complain("interrupted; what was done is kept, and the same command goes on")
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever reads our output has gone; say nothing more and let Python close quietly.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        # A full disk, a folder that is gone: what was written is whole, and a run can go on.
        _complain(f"{error.filename}: {error.strerror}" if error.filename else str(error))
        return 1
    except MemoryError:
        _complain("not enough memory\n  take a coarser resolution, a smaller area or fewer workers")
        return 1
    return result if isinstance(result, int) else 0


def _complain(message: str) -> None:
    with contextlib.suppress(BrokenPipeError):
        print(f"spotbeam: {_shown(message)}", file=sys.stderr)


def _shown(message: str) -> str:
    """What others wrote is quoted in messages: nothing in it may steer a terminal."""
    return "".join(
        each if each.isprintable() or each == "\n" else each.encode("unicode_escape").decode()
        for each in message
    )
