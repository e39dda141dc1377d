"""`spotbeam scenarios`: what is shipped, and how one is written."""

from __future__ import annotations

from typing import Annotated

import cyclopts

from spotbeam.assembly.scenarios import load_scenario, shipped_scenarios, shipped_text
from spotbeam.cli.output import console, print_json, table


def scenarios(
    name: str | None = None,
    /,
    *,
    json: Annotated[bool, cyclopts.Parameter(negative="")] = False,
) -> None:
    """List the shipped scenarios, or print one as TOML to start your own from.

    Parameters
    ----------
    name
        Print this one's TOML.
    json
        Print the list as JSON.
    """
    if name is not None:
        print(shipped_text(name), end="")
        return
    found = [load_scenario(each)[0] for each in shipped_scenarios()]
    if json:
        print_json([{"name": each.name, "title": each.title} for each in found])
    else:
        rows = [[each.name, each.title] for each in found]
        console().print(table("Shipped scenarios", ["name", "title"], rows))
