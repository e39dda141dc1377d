"""Opens the files that a scenario names and resolves it into a world."""

from __future__ import annotations

import hashlib
from pathlib import Path

from spotbeam.errors import ScenarioError
from spotbeam.formats.element_files import read_elements
from spotbeam.formats.terminal_files import read_terminals
from spotbeam.formats.territory_files import read_territories
from spotbeam.twin import fleets
from spotbeam.twin.scenario import Scenario
from spotbeam.twin.world import Loaded, World, build_world


def build(scenario: Scenario, folder: Path, *, with_terminals: bool = True) -> World:
    """Open the files that a scenario names and resolve it."""
    sources: dict[str, str] = {}

    def opened(name: str) -> Path:
        path = folder / name
        if not path.is_file():
            raise ScenarioError(f"there is no file {name!r}", place=scenario.name)
        shown = path.name if Path(name).is_absolute() else name
        with path.open("rb") as stream:
            sources[shown] = hashlib.file_digest(stream, "sha256").hexdigest()
        return path

    elements, elements_report = None, None
    if scenario.constellation.elements is not None:
        elements, elements_report = read_elements(opened(scenario.constellation.elements))
    own = [
        territory
        for table in scenario.territory
        for territory in read_territories(opened(table.file), default_id=table.id)
    ]
    from_files = {
        fleet.id: read_terminals(
            opened(fleet.file), fleet=fleet.id, common=fleets.given(fleet.common)
        )
        for fleet in (scenario.fleet if with_terminals else ())
        if fleet.file is not None
    }
    lists = {
        table.name: frozenset(table.terminals) | _list_file(opened(table.file))
        if table.file
        else frozenset(table.terminals)
        for table in scenario.list_
    }
    loaded = Loaded(
        elements=elements,
        elements_report=elements_report,
        own_territories=own,
        fleets=from_files,
        lists=lists,
        sources=sources,
    )
    return build_world(scenario, loaded, with_terminals=with_terminals)


def _list_file(path: Path) -> frozenset[str]:
    lines = path.read_text(encoding="utf-8").split("\n")
    ids = (line.split("#", 1)[0].strip() for line in lines)
    return frozenset(name for name in ids if name)
