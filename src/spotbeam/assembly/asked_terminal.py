"""The one terminal that a question is about: of the scenario, or its reference terminal."""

from __future__ import annotations

import math
from typing import Any

import msgspec

from spotbeam.errors import InputError, UnknownName
from spotbeam.service.terminals import Terminal, terminals_from_rows
from spotbeam.twin.world import World


def refuse_no_number(properties: dict[str, Any]) -> None:
    """A NaN in a table stands for the default; one that a user gives is a slip.

    Raises:
        InputError: A property is NaN or infinite.
    """
    for name, value in properties.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise InputError(f"{value} is not a number", place=name, hint="give a plain number")


def asked_terminal(
    world: World, name: str | None, properties: dict[str, Any], *, other_id: str, place: str
) -> Terminal:
    """One terminal, with other properties where they are given.

    Args:
        world: With its terminals, if one of them is named.
        name: Of one of the scenario's terminals; None: its reference terminal.
        properties: By name; None: as it is.
        other_id: Of a reference terminal that has none.
        place: What a message calls it.

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
    return terminals_from_rows([row], place=place).row(0)
