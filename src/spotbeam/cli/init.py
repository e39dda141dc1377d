"""`spotbeam init`: a workspace, a log, and entry 0 with the people who decide."""

from __future__ import annotations

import time
from pathlib import Path

from spotbeam.assembly.founding import FIRST_RULES, found_workspace
from spotbeam.cli.output import console, print_json
from spotbeam.cli.signing import Flag, show_facts
from spotbeam.control.wording import plain


def init(
    folder: Path,
    /,
    *,
    roster: Path,
    scenario: str | None = None,
    propose_rules: Flag = False,
    json: Flag = False,
) -> None:
    """Make a workspace with a new log, whose entry 0 seats the people who decide.

    A quorum that promises nothing is refused, with the reason, before anything is written.

    Parameters
    ----------
    folder
        The workspace; it must not exist yet.
    roster
        TOML: origin, [[factor]], [[person]] with their key files, [quorum], [witnesses].
    scenario
        Whose terminals and area impacts are shown for: a shipped name or a TOML file.
    propose_rules
        Write the scenario's rules as the draft of a first change: a fresh record has none.
    json
        Print the facts as JSON.
    """
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
            "--channel letter --answer-by 30d --as PERSON\n"
            f"  spotbeam change propose {FIRST_RULES} --request ID --as PERSON",
            markup=False,
        )
