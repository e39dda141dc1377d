"""A scenario with everything it names resolved: satellites, cells, ground, terminals, policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath

import msgspec
import numpy as np
import numpy.typing as npt

from spotbeam.errors import ElementsError, InputError, ScenarioError, TerminalsError, UnknownName
from spotbeam.land import cells, territories, views
from spotbeam.land.cells import CellGrid
from spotbeam.land.gateways import GroundSite
from spotbeam.land.territories import Ground, OwnTerritory
from spotbeam.service.compiled import CompiledPolicy, compile_policy
from spotbeam.service.policy import Policy, TerminalList
from spotbeam.service.rules import refuse_unknown_territories
from spotbeam.service.terminals import Terminals, concatenate
from spotbeam.sky import constellation, in_service
from spotbeam.sky.elements import ElementSets, ElementsReport, age_s
from spotbeam.sky.own_shells import own_shell_elements
from spotbeam.times import MICROSECONDS, TimeGrid, format_duration, parse_duration, parse_time
from spotbeam.twin import fleets
from spotbeam.twin.scenario import Area, Scenario

_DEFAULT_START = "2026-01-01T00:00:00Z"
_HOUR_US = 3600 * MICROSECONDS
_MAX_CELLS = 2_500_000  # the world at resolution 5 has 2,016,842


class Loaded(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """What the scenario's files hold, read by the caller.

    Attributes:
        gateways: Of the scenario's own file; None for those that are shipped.
        pops: Likewise, points of presence.
        sources: SHA-256 of each file by the name that the scenario gives it.
    """

    elements: ElementSets | None = None
    elements_report: ElementsReport | None = None
    own_territories: Sequence[OwnTerritory] = ()
    fleets: Mapping[str, Terminals] = {}
    lists: Mapping[str, frozenset[str]] = {}
    gateways: tuple[GroundSite, ...] | None = None
    pops: tuple[GroundSite, ...] | None = None
    sources: Mapping[str, str] = {}


class Sky(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """The satellites of a run.

    Attributes:
        in_service: The satellites that serve.
        n_total: All satellites that were read.
        class_counts: Satellites by class, as `sky.in_service` infers them.
        age_s: Median age of the element sets at the start of the run; None for filed shells.
    """

    in_service: ElementSets
    n_total: int
    class_counts: dict[str, int]
    min_elevation_deg: float
    source: str
    age_s: float | None
    report: ElementsReport | None


class World(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """Everything a forecast or an explanation needs; no file is opened after this."""

    scenario: Scenario
    grid: TimeGrid
    sky: Sky
    ground: Ground
    cells: CellGrid
    cell_face: npt.NDArray[np.int32]
    terminals: Terminals
    policy: Policy
    compiled: CompiledPolicy
    notices: tuple[str, ...]
    sources: Mapping[str, str]
    gateways: tuple[GroundSite, ...] | None = None
    pops: tuple[GroundSite, ...] | None = None


def build_world(scenario: Scenario, loaded: Loaded, *, with_terminals: bool = True) -> World:
    """Resolve a scenario.

    Args:
        scenario: The scenario.
        loaded: What its files hold.
        with_terminals: Draw and check the fleets; `why` at a place does without.

    Raises:
        ScenarioError: it names something that does not exist or leaves nothing to forecast.
        ElementsError: the element sets are older than the scenario allows.
    """
    notices: list[str] = []
    sky_elements, start_us = _elements_and_start(scenario, loaded)
    grid = scenario.grid(start_us)
    sky = _sky(scenario, loaded, sky_elements, grid, notices)
    if scenario.view not in views.names():
        raise UnknownName(
            "point of view", scenario.view, views.names(), place=f"{scenario.name}, view"
        )
    ground = territories.ground(scenario.view, loaded.own_territories, cells=_named_cells(scenario))
    refuse_unknown_territories(scenario.rules, ground.ids(), scenario.name)
    _refuse_unknown_ground_of_landing(scenario, ground)
    _refuse_unknown_ground_of_requests(scenario, ground)
    grid_cells, cell_face = _cells(scenario, ground)
    notices += _without_a_cell(loaded, ground, cell_face, scenario.area.resolution)
    policy = Policy(
        rules=scenario.rules,
        lists=tuple(
            TerminalList(name=name, terminals=ids) for name, ids in sorted(loaded.lists.items())
        ),
        sponsors=scenario.sponsor,
        requests=scenario.request,
    )
    terminals = _terminals(scenario, loaded, ground) if with_terminals else concatenate([])
    return World(
        scenario=scenario,
        grid=grid,
        sky=sky,
        ground=ground,
        cells=grid_cells,
        cell_face=cell_face,
        terminals=terminals,
        policy=policy,
        compiled=compile_policy(policy, ground),
        notices=tuple(notices),
        sources=loaded.sources,
        gateways=loaded.gateways,
        pops=loaded.pops,
    )


def _terminals(scenario: Scenario, loaded: Loaded, ground: Ground) -> Terminals:
    parts = [
        fleets.terminals_of(
            fleet,
            ground,
            loaded.fleets.get(fleet.id),
            place=f"{scenario.name}, fleet {fleet.id!r}",
        )
        for fleet in scenario.fleet
    ]
    try:
        return concatenate(parts)
    except TerminalsError as error:
        names = ", ".join(repr(fleet.id) for fleet in scenario.fleet)
        raise TerminalsError(
            error.message,
            place=f"{scenario.name}, fleets {names}",
            hint="a terminal belongs to one fleet, and its id to no other terminal",
        ) from None


def _elements_and_start(scenario: Scenario, loaded: Loaded) -> tuple[ElementSets, int]:
    start_us = scenario.start_us
    if loaded.elements is not None:
        if start_us is None:
            median_us = int(np.median(loaded.elements.epoch_us))
            start_us = -(-median_us // _HOUR_US) * _HOUR_US
        return loaded.elements, start_us
    if start_us is None:
        start_us = parse_time(_DEFAULT_START)
    if scenario.constellation.shell:
        return own_shell_elements(scenario.constellation.shell, start_us), start_us
    try:
        shells = [
            shell
            for name in scenario.constellation.shells
            for shell in constellation.shells_named(name)
        ]
    except UnknownName as error:
        raise ScenarioError(
            error.message, place=f"{scenario.name}, constellation, shells", hint=error.hint
        ) from None
    return constellation.shell_elements(shells, start_us), start_us


def _sky(
    scenario: Scenario,
    loaded: Loaded,
    elements: ElementSets,
    grid: TimeGrid,
    notices: list[str],
) -> Sky:
    table = scenario.constellation
    if loaded.elements is None:
        serving, counts, age = elements, {"in_service": len(elements)}, None
    else:
        age = float(np.median(age_s(elements, grid.start_us)))
        _check_age(scenario, elements, age, notices)
        classes = in_service.classify(elements)
        counts = classes.counts()
        chosen = classes.is_in_service if table.include == "in_service" else slice(None)
        serving = elements.take(np.arange(len(elements))[chosen])
        if not len(serving):
            raise ElementsError(
                f"none of its {len(elements)} satellites is in service by its elements",
                place=elements.source,
                hint='set include = "all" under [constellation] to take them all',
            )
    report = loaded.elements_report
    lost = [fault for fault in report.faults if fault.effect == "skipped"] if report else []
    if report is not None and lost:
        notices.append(
            f"{elements.source}: {len(lost)} of {report.read} element sets were left out; "
            f"the first: {lost[0]}"
        )
    mask = table.min_elevation_deg
    if mask is None:
        mask = constellation.default_min_elevation_deg(table.shells)
    return Sky(
        in_service=serving,
        n_total=len(elements),
        class_counts=counts,
        min_elevation_deg=mask,
        source=PurePath(elements.source).name,
        age_s=age,
        report=report,
    )


def age_warning(scenario: Scenario, median_age_s: float) -> str | None:
    """What is wrong with element sets of this age, if they are past the scenario's limit."""
    place = f"{scenario.name}, constellation, max_age"
    limit_us = parse_duration(scenario.constellation.max_age, place=place)
    if abs(median_age_s) * MICROSECONDS <= limit_us:
        return None
    days = median_age_s / 86400
    side = f"{days:.1f} days old" if days > 0 else f"{-days:.1f} days in the future"
    return (
        f"the element sets are {side} (median); the limit is {format_duration(limit_us)}, and "
        "SGP4's error grows by kilometres a day"
    )


def _check_age(
    scenario: Scenario, elements: ElementSets, median_age_s: float, notices: list[str]
) -> None:
    message = age_warning(scenario, median_age_s)
    if message is None:
        return
    hint = "fetch newer sets, start nearer their epoch (--start), or raise max_age"
    if scenario.constellation.when_old == "refuse":
        raise ElementsError(message, place=elements.source, hint=hint)
    notices.append(f"{elements.source}: {message}; {hint}")


def _named_cells(scenario: Scenario) -> tuple[str, ...]:
    """The H3 cells that rules and requests name, as `h3:84…`."""
    named: dict[str, str] = {}
    for rule in scenario.rules:
        named |= dict.fromkeys((*rule.where, *rule.except_), f"rule {rule.id!r}")
    for index, request in enumerate(scenario.request):
        named |= dict.fromkeys(request.where, f"request[{index}], where")
    found = sorted(name for name in named if name.startswith("h3:"))
    for name in found:
        try:
            cells.cell_from_hex(name)
        except InputError as error:
            place = f"{scenario.name}, {named[name]}"
            raise ScenarioError(error.message, place=place, hint=error.hint) from None
    return tuple(found)


def _refuse_unknown_ground_of_requests(scenario: Scenario, ground: Ground) -> None:
    known = set(ground.ids())
    for index, request in enumerate(scenario.request):
        for name in request.where:
            if name not in known:
                place = f"{scenario.name}, request[{index}], where"
                raise UnknownName("territory", name, sorted(known), place=place)


def _refuse_unknown_ground_of_landing(scenario: Scenario, ground: Ground) -> None:
    known = set(ground.ids())
    for index, rule in enumerate(scenario.network.landing if scenario.network else ()):
        for field, named in (("of", rule.of), ("at", rule.at)):
            for name in named:
                if name not in known:
                    place = f"{scenario.name}, network, landing[{index}], {field}"
                    raise UnknownName("territory", name, sorted(known), place=place)


def _cells(scenario: Scenario, ground: Ground) -> tuple[CellGrid, npt.NDArray[np.int32]]:
    area = scenario.area
    place = f"{scenario.name}, area"
    _refuse_too_many_cells(area, place)
    if area.bounds is not None:
        grid = cells.cells_in_bounds(area.bounds, area.resolution)
    else:
        grid = cells.cells_of_world(area.resolution)
    face = ground.locate(grid.lat_deg, grid.lon_deg)
    allowed = fleets.faces_of(area.territories, ground, place=f"{place}, territories")
    chosen = allowed[face]
    if not chosen.any():
        raise ScenarioError(
            f"no cell of resolution {area.resolution} has its centre in "
            f"{', '.join(area.territories)}"
            + ("" if area.bounds is None else f" within the bounds {list(area.bounds)}"),
            place=place,
            hint="take a finer resolution or a larger area",
        )
    return grid.take(np.flatnonzero(chosen)), face[chosen]


def _without_a_cell(
    loaded: Loaded, ground: Ground, cell_face: npt.NDArray[np.int32], resolution: int
) -> list[str]:
    """A notice for each of the user's own territories that no cell centre lies in."""
    present = {name for face in np.unique(cell_face) for name in ground.face_territories[face]}
    return [
        f"{own.id} holds no centre of a cell of resolution {resolution} in this area, so it is in "
        "no table of cells or territories; its rules count all the same"
        for own in loaded.own_territories
        if own.id not in present
    ]


def _refuse_too_many_cells(area: Area, place: str) -> None:
    """Before millions of cells are made: about 3 kB of memory each by the end of a run."""
    south, west, north, east = area.bounds or (-90.0, -180.0, 90.0, 180.0)
    width_deg = east - west if east >= west else east - west + 360.0
    share = (np.sin(np.radians(north)) - np.sin(np.radians(south))) / 2.0 * width_deg / 360.0
    count = share * (2 + 120 * 7**area.resolution)
    if count > _MAX_CELLS:
        raise ScenarioError(
            f"about {count:,.0f} cells of resolution {area.resolution} lie within its bounds; "
            f"{_MAX_CELLS:,} is the most",
            place=place,
            hint="take a coarser resolution, or narrower bounds",
        )
