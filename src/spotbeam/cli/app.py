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
app.command("spotbeam.cli.demo:demo", name="demo")
app.command("spotbeam.cli.forecast:forecast", name="forecast")
app.command("spotbeam.cli.why:why", name="why")
app.command("spotbeam.cli.scenarios:scenarios", name="scenarios")
app.command("spotbeam.cli.territories:territories", name="territories")

elements = cyclopts.App(name="elements", help="Element sets: fetch, inspect.")
elements.command("spotbeam.cli.elements:fetch", name="fetch")
elements.command("spotbeam.cli.elements:show", name="show")
app.command(elements)

policy = cyclopts.App(name="policy", help="Rules: find the dead, the shadowed, the contradictory.")
policy.command("spotbeam.cli.policy:check", name="check")
app.command(policy)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code: 0 done, 1 failed, 2 wrong input, 130 interrupted."""
    tokens = list(sys.argv[1:] if arguments is None else arguments)
    try:
        result = app(tokens, exit_on_error=False, print_error=True, result_action="return_value")
        sys.stdout.flush()
    except SpotbeamError as error:
        _complain(str(error))
        return error.exit_code
    except cyclopts.CycloptsError:
        return USAGE
    except KeyboardInterrupt:
        _complain("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever reads our output has gone; say nothing more and let Python close quietly.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return result if isinstance(result, int) else 0


def _complain(message: str) -> None:
    with contextlib.suppress(BrokenPipeError):
        print(f"spotbeam: {message}", file=sys.stderr)
