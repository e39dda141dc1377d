"""`spotbeam policy`: a scenario's policy over its ground, without its sky or its fleets."""

from __future__ import annotations

from pathlib import Path

from spotbeam.assembly.build import build
from spotbeam.assembly.scenarios import adjusted, load_scenario
from spotbeam.service.analysis import Finding, check
from spotbeam.twin.scenario import Scenario


def check_policy(
    scenario: str | Path | Scenario, *, view: str | None = None
) -> tuple[Finding, ...]:
    """Rules that can never match, never decide, or contradict one another.

    Args:
        scenario: A shipped name, a TOML file, or a `Scenario`.
        view: Point of view on borders.

    Raises:
        InputError: the scenario is wrong.
    """
    if isinstance(scenario, Scenario):
        base, folder = scenario, Path.cwd()
    else:
        base, folder = load_scenario(scenario)
    world = build(adjusted(base, view=view), folder, with_terminals=False)
    return check(world.policy, world.ground, from_us=world.grid.start_us)
