"""The one terminal that a question is about: of the scenario, or its reference terminal."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from spotbeam.errors import InputError, TerminalsError, UnknownName
from spotbeam.service.terminals import Terminal, first_fault, terminals_from_rows
from spotbeam.twin.world import World


def refuse_properties(
    properties: Mapping[str, Any], written_as: Callable[[str], str] = str
) -> None:
    """Refuse properties that no terminal can have; None stands for one that is not given.

    A NaN in a table stands for the default; one that a user gives is a slip.

    Args:
        properties: Values by name.
        written_as: From the name of a property to what the user wrote, for the message.

    Raises:
        TerminalsError: the first bad value.
    """
    given = {name: value for name, value in properties.items() if value is not None}
    for name, value in given.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise TerminalsError(
                f"{value} is not a number", place=written_as(name), hint="give a plain number"
            )
    one = {"id": "asked", "lat_deg": 0.0, "lon_deg": 0.0} | given
    fault = first_fault({name: [value] for name, value in one.items()})
    if fault is not None:
        raise TerminalsError(fault.reason, place=written_as(fault.column))


def option_of(name: str) -> str:
    """The option of a command that a property is given by."""
    return "--class" if name == "mobility" else f"--{name.replace('_', '-')}"


def refuse_off_the_globe(lat_deg: float, lon_deg: float) -> None:
    """Refuse coordinates that are none.

    Raises:
        InputError: which, and what it is.
    """
    for name, value, most in (("lat_deg", lat_deg, 90), ("lon_deg", lon_deg, 180)):
        if not abs(value) <= most:
            raise InputError(
                f"{name} {value:g} is not within -{most}..{most}",
                place="at",
                hint="give latitude and longitude in degrees",
            )


def asked_terminal(
    world: World, name: str | None, properties: Mapping[str, Any], *, other_id: str
) -> Terminal:
    """One terminal, with other properties where they are given.

    Args:
        world: With its terminals, if one of them is named.
        name: Of one of the scenario's terminals; None: its reference terminal.
        properties: By name; None: as it is.
        other_id: Of a reference terminal that has none.

    Raises:
        InputError: There is none of this name, or a property cannot be.
    """
    if name is None:
        given = msgspec.structs.asdict(world.scenario.reference_terminal)
        row = {key: value for key, value in given.items() if value is not None}
        row.setdefault("id", other_id)
    else:
        ids = world.terminals.id_array()
        index = ids.index(name).as_py()
        if index < 0:
            raise UnknownName("terminal", name, ids.to_pylist(), place=world.scenario.name)
        row = {
            key: value
            for key, value in msgspec.to_builtins(world.terminals.row(index)).items()
            if value == value
        }
    row |= {key: value for key, value in properties.items() if value is not None}
    fault = first_fault({key: [value] for key, value in row.items()})
    if fault is not None:
        whose = "reference_terminal" if name is None else f"terminal {name!r}"
        raise TerminalsError(fault.reason, place=f"{world.scenario.name}, {whose}, {fault.column}")
    return terminals_from_rows([row]).row(0)
