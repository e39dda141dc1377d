"""`spotbeam init`: a workspace, a log, and entry 0 with the people who decide."""

from __future__ import annotations

import time
from pathlib import Path

from spotbeam.assembly.founding import FIRST_RULES, found_workspace
from spotbeam.assembly.next_logs import CLOSING, found_next
from spotbeam.assembly.workspace import find_workspace
from spotbeam.cli.output import console, print_json
from spotbeam.cli.signing import Flag, show_facts
from spotbeam.control.wording import plain
from spotbeam.errors import InputError


def init(
    folder: Path,
    /,
    *,
    roster: Path | None = None,
    after: Path | None = None,
    origin: str | None = None,
    scenario: str | None = None,
    propose_rules: Flag = False,
    json: Flag = False,
) -> None:
    """Make a workspace with a new log, whose entry 0 seats the people who decide.

    With --after and --origin it is the log in which a record goes on; it stays empty until the log
    before it was closed, or left.

    A quorum that promises nothing is refused, with the reason, before anything is written.

    Parameters
    ----------
    folder
        The workspace; it must not exist yet.
    roster
        TOML: origin, [[factor]], [[person]] with their key files, [quorum], [witnesses].
    after
        A workspace that follows the record which is to go on in the new log.
    origin
        With --after: the new log's name.
    scenario
        Whose terminals and area impacts are shown for: a shipped name or a TOML file.
    propose_rules
        Write the scenario's rules as the draft of a first change: a fresh record has none.
    json
        Print the facts as JSON.
    """
    if (roster is None) == (after is None) or (after is None) != (origin is None):
        raise InputError(
            "which record the log is for is not said",
            hint="give --roster FILE for a new record, or --after WORKSPACE and --origin NAME for "
            "the next log of one",
        )
    if after is not None and origin is not None:
        if scenario is not None or propose_rules:
            raise InputError(
                "the next log keeps scenario and rules", hint="leave --scenario, --propose-rules"
            )
        _next(folder, after, origin, json=json)
        return
    assert roster is not None
    made = found_workspace(
        folder,
        roster,
        scenario=scenario,
        with_rules=propose_rules,
        now_us=time.time_ns() // 1000,
    )
    settings = made.workspace.settings
    facts = {
        "workspace": str(folder),
        "origin": settings.origin,
        "genesis": settings.genesis,
        "log_key": made.log_key,
    }
    ask = "" if made.rules is None else made.rules.ask
    if json:
        print_json({**facts, "witnesses": dict(made.witnesses), "ask": ask or None})
        return
    show_facts([(name.replace("_", " "), plain(value)) for name, value in facts.items()])
    out = console()
    out.print(
        "\nCarry the genesis digest by hand to every approver, edge and auditor: all that they "
        "trust follows from it.",
        markup=False,
    )
    out.print("\nNext:", markup=False)
    out.print("  give the log key to each witness:", markup=False)
    for name, url in made.witnesses:
        out.print(f"    {plain(name)}  {plain(url)}", markup=False)
    out.print(
        f"  spotbeam log --workspace {folder}\n"
        f"  set log in {folder}/spotbeam.toml to the address that it prints: while it runs, "
        "commands hand entries to it",
        markup=False,
    )
    if made.rules is not None:
        out.print(
            f"  then, in {folder} and with your keys in {folder}/keys:\n"
            f"  spotbeam request new --draft {FIRST_RULES} --verb activate --asker NAME "
            "--channel letter --verified HOW --answer-by 30d --as PERSON\n"
            f"  spotbeam change propose {FIRST_RULES} --request ID --as PERSON",
            markup=False,
        )


def _next(folder: Path, after: Path, origin: str, *, json: bool) -> None:
    made = found_next(folder, find_workspace(after), origin)
    settings = made.workspace.settings
    facts = {
        "workspace": str(folder),
        "origin": settings.origin,
        "after": made.before,
        "genesis": settings.genesis,
        "log_key": made.log_key,
    }
    if json:
        print_json({**facts, "witnesses": dict(made.witnesses), "draft": CLOSING})
        return
    show_facts([(name.replace("_", " "), plain(value)) for name, value in facts.items()])
    out = console()
    out.print("\nNext:", markup=False)
    out.print("  give the log key to each witness:", markup=False)
    for name, url in made.witnesses:
        out.print(f"    {plain(name)}  {plain(url)}", markup=False)
    out.print(
        f"  spotbeam change propose {folder / CLOSING} --request ID --as PERSON\n"
        f"  once that is bound: spotbeam log --workspace {folder}",
        markup=False,
    )
