"""`spotbeam policy`: finds rules that do nothing, or too much."""

from __future__ import annotations

from typing import Annotated

import cyclopts
from rich.markup import escape

from spotbeam.assembly.policies import check_policy
from spotbeam.cli.output import console, print_json
from spotbeam.service.analysis import Finding
from spotbeam.service.terminals import Terminal
from spotbeam.times import format_time

Flag = Annotated[bool, cyclopts.Parameter(negative="")]


def check(scenario: str, /, *, view: str | None = None, json: Flag = False) -> int:
    """Find dead, shadowed and contradictory rules, each with a case that shows it.

    Exit code 0 when nothing is found, 1 when something is.

    Parameters
    ----------
    scenario
        A TOML file or a shipped name.
    view
        Point of view on borders.
    json
        Print the findings as JSON.
    """
    findings = check_policy(scenario, view=view)
    if json:
        print_json(findings)
    elif not findings:
        console().print("No dead, shadowed or contradictory rule.")
    else:
        for finding in findings:
            _show(finding)
    return 1 if findings else 0


def _show(finding: Finding) -> None:
    out = console()
    out.print(f"[bold]{finding.kind}[/bold]: rule [bold]{escape(finding.rule)}[/bold]: ", end="")
    out.print(finding.text, markup=False)
    out.print(f"  fix: {finding.fix}", markup=False)
    out.print(f"  tried: {finding.method}", markup=False)
    example = finding.example
    if example is not None:
        ground = ", ".join(example.territories)
        verdict = example.verdict
        rule = f" by {verdict.rule}" if verdict.rule else ""
        out.print(
            f"  case: {_terminal(example.terminal)} on {ground} at {format_time(example.at_us)}: "
            f"{verdict.outcome}, {verdict.reason}{rule}",
            markup=False,
        )
        for condition in example.failing:
            out.print(f"        fails: {condition}", markup=False)
    out.print()


def _terminal(terminal: Terminal) -> str:
    """What sets a terminal apart from one with all defaults."""
    plain = Terminal(id=terminal.id)
    given = [
        f"{name}={_shown(getattr(terminal, name))}"
        for name in terminal.__struct_fields__
        if getattr(terminal, name) == getattr(terminal, name)
        and getattr(terminal, name) != getattr(plain, name)
    ]
    return f"a terminal with {', '.join(given)}" if given else "an ordinary terminal"


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
