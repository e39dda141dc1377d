"""`spotbeam join`: a workspace for approvers and askers, who follow a record and keep no log."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import cyclopts

from spotbeam.assembly.joining import join_workspace
from spotbeam.cli.output import console, print_json, progress
from spotbeam.cli.signing import Flag, show_facts, warn
from spotbeam.control.wording import plain


def join(
    folder: Path,
    /,
    *,
    genesis: str,
    record: Annotated[list[str], cyclopts.Parameter(negative=())],
    log: str | None = None,
    scenario: str | None = None,
    view: str = "un",
    json: Flag = False,
) -> None:
    """Make a workspace that follows a record which another machine keeps.

    The record is read from its entry 0 on and checked; another record than the one whose digest
    you were given is refused, now and later.

    Parameters
    ----------
    folder
        The workspace; it must not exist yet.
    genesis
        Digest of entry 0, as it was carried to you by hand.
    record
        Where the record is read: a URL or a folder; give it again for mirrors.
    log
        The log's server, to which entries go; the first URL of --record if left out.
    scenario
        Whose terminals and area impacts are shown for: a shipped name or a TOML file.
    view
        Point of view on borders.
    json
        Print the facts as JSON.
    """
    with progress("Following the record") as told:
        made, followed = join_workspace(
            folder,
            genesis=genesis,
            record=tuple(record),
            log=log,
            scenario=scenario,
            view=view,
            progress=told,
        )
    warn(followed)
    facts = {
        "workspace": str(folder),
        "origin": made.settings.origin,
        "genesis": made.settings.genesis,
        "entries": followed.walked.checkpoint.size,
    }
    if json:
        print_json(facts)
        return
    show_facts([(name, plain(str(value))) for name, value in facts.items()])
    console().print("\nNext, from there: spotbeam change list; spotbeam roster show", markup=False)
