"""Opens the files that a scenario names and resolves it into a world."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from spotbeam.errors import ScenarioError
from spotbeam.formats.element_files import read_elements
from spotbeam.formats.site_csv import read_sites
from spotbeam.formats.terminal_files import read_terminals
from spotbeam.formats.territory_files import read_territories
from spotbeam.land.gateways import GroundSite
from spotbeam.land.territories import OwnTerritory
from spotbeam.network.settings import Network
from spotbeam.twin import fleets
from spotbeam.twin.scenario import Scenario
from spotbeam.twin.world import Loaded, World, build_world


def build(scenario: Scenario, folder: Path, *, with_terminals: bool = True) -> World:
    """Open the files that a scenario names and resolve it."""
    sources: dict[str, str] = {}
    opened_as: dict[str, Path] = {}

    def opened(name: str, field: str) -> Path:
        path = folder / name
        shown = path.name if Path(name).is_absolute() else name
        if opened_as.setdefault(shown, path) != path:
            shown = f"{shown} ({field})"
        sources[shown] = _digest(path, name, f"{scenario.name}, {field}")
        return path

    elements, elements_report = None, None
    if scenario.constellation.elements is not None:
        elements, elements_report = read_elements(
            opened(scenario.constellation.elements, "constellation, elements")
        )
    own = [
        territory
        for index, table in enumerate(scenario.territory)
        for territory in read_territories(
            opened(table.file, f"territory[{index}], file"), default_id=table.id
        )
    ]
    _refuse_repeated_territories(scenario, own)
    from_files = {
        fleet.id: read_terminals(
            opened(fleet.file, f"fleet {fleet.id!r}, file"),
            fleet=fleet.id,
            common=fleets.given(fleet.common),
        )
        for fleet in (scenario.fleet if with_terminals else ())
        if fleet.file is not None
    }
    lists = {
        table.name: frozenset(table.terminals)
        | _list_file(opened(table.file, f"list {table.name!r}, file"))
        if table.file
        else frozenset(table.terminals)
        for table in scenario.list_
    }

    def sites(name: str, field: str) -> tuple[GroundSite, ...] | None:
        if name == "shipped":
            return None
        if name == "none":
            return ()
        return read_sites(opened(name, f"network, {field}"))

    network = scenario.network or Network()
    loaded = Loaded(
        gateways=sites(network.gateways, "gateways"),
        pops=sites(network.pops, "pops"),
        elements=elements,
        elements_report=elements_report,
        own_territories=own,
        fleets=from_files,
        lists=lists,
        sources=sources,
    )
    return build_world(scenario, loaded, with_terminals=with_terminals)


def _refuse_repeated_territories(scenario: Scenario, own: Sequence[OwnTerritory]) -> None:
    first: dict[str, str] = {}
    for territory in own:
        if territory.id in first:
            raise ScenarioError(
                f"{territory.source} and {first[territory.id]} both have a territory "
                f"{territory.id!r}",
                place=f"{scenario.name}, territory",
                hint="give one of them another name or id",
            )
        first[territory.id] = territory.source


def _digest(path: Path, name: str, place: str) -> str:
    """SHA-256 of a file; a name that cannot be opened ends here, for all kinds of file."""
    try:
        if path.is_dir():
            raise ScenarioError(f"{name!r} is a folder, not a file", place=place)
        if not path.is_file():
            hint = f"looked for {path}"
            raise ScenarioError(f"there is no file {name!r}", place=place, hint=hint)
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        reason = f"{name!r} cannot be read: {error.strerror}"
        raise ScenarioError(reason, place=place) from None


def _list_file(path: Path) -> frozenset[str]:
    """Ids, one a line; what follows a # is a remark."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ScenarioError(
            f"byte {error.start} is not UTF-8",
            place=path.name,
            hint="a list is a text file with one terminal id a line",
        ) from None
    ids = (line.split("#", 1)[0].strip() for line in text.split("\n"))
    return frozenset(name for name in ids if name)
