"""The `spotbeam` command: parses, calls the library, prints. Commands load when they are called."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence

import cyclopts

import spotbeam
from spotbeam.errors import SpotbeamError

USAGE = 2
INTERRUPTED = 130

app = cyclopts.App(
    name="spotbeam",
    help="Forecast which ground a satellite constellation can serve, decide who is served there, "
    "and say why.",
    version=lambda: f"spotbeam {spotbeam.__version__}",
    help_format="plaintext",
    suppress_keyboard_interrupt=False,
)
for name, meaning in {
    "demo": "Forecast service over the Black Sea and open the report. Needs no network.",
    "forecast": "Forecast a scenario and write its files.\n\n"
    "Ctrl-C keeps what is done; the same command with the same --out goes on from there.",
    "why": "Say why a place or a terminal is served or not, and what would change that.",
    "route": "Say how far it is through the sky, which way, and why there is no way.",
    "scenarios": "List the shipped scenarios, or print one as TOML to start your own from.",
    "territories": "List territory ids under a point of view; who administers and who claims them.",
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
        _complain("interrupted; what a forecast has done is kept, and the same command goes on")
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
        print(f"spotbeam: {message}", file=sys.stderr)
