"""`spotbeam.why`: one place, one terminal, one moment, the whole reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from spotbeam.assembly.asked_terminal import (
    asked_terminal,
    refuse_off_the_globe,
    refuse_properties,
)
from spotbeam.assembly.build import build
from spotbeam.assembly.scenarios import adjusted, load_scenario
from spotbeam.errors import InputError
from spotbeam.times import parse_time
from spotbeam.twin.scenario import Scenario, refuse_far_time
from spotbeam.twin.why import Explanation, explain


def why(
    scenario: str | Path | Scenario,
    at: tuple[float, float] | None = None,
    *,
    time: str | None = None,
    terminal: str | None = None,
    elements: str | Path | None = None,
    view: str | None = None,
    **properties: Any,
) -> Explanation:
    """Why a place, or a terminal, is served or not.

    Args:
        scenario: A shipped name, a TOML file, or a `Scenario`.
        at: Latitude and longitude in degrees; where a terminal of the scenario is, if left out.
        time: RFC 3339 with Z; the start of the scenario, if left out.
        terminal: Id of one of the scenario's terminals. Without it the scenario's reference
            terminal stands at `at`.
        elements: A file of element sets instead of the scenario's constellation.
        view: Point of view on borders.
        **properties: Other properties of the terminal, as `speed_kmh=90, verified=False`.

    Raises:
        InputError: something that was given is wrong.
    """
    if at is None and terminal is None:
        raise InputError("give a place or a terminal", hint="--at LAT,LON or --terminal ID")
    if at is not None:
        refuse_off_the_globe(*at)
    refuse_properties(properties)
    if isinstance(scenario, Scenario):
        base, folder = scenario, Path.cwd()
    else:
        base, folder = load_scenario(scenario)
    world = build(
        adjusted(base, elements=elements, view=view), folder, with_terminals=terminal is not None
    )
    at_us = world.grid.start_us if time is None else parse_time(time, place="time")
    refuse_far_time(at_us, place="time")
    where = {} if at is None else {"lat_deg": at[0], "lon_deg": at[1]}
    chosen = asked_terminal(
        world,
        terminal,
        where | {key: value for key, value in properties.items() if value is not None},
        other_id="reference",
    )
    return explain(world, chosen, at_us)
