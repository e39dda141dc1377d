"""A scenario: the whole input of a run, as one frozen value.

It is written as TOML. Unknown keys are errors with a suggestion; files it names are relative to
the file it stands in. Reading the files it names is `assembly`'s work.
"""

from __future__ import annotations

import hashlib
import math
import tomllib
from collections.abc import Iterable
from datetime import datetime
from pathlib import PurePath
from typing import Annotated, Any, Literal

import msgspec

from spotbeam.decode import decode
from spotbeam.errors import ScenarioError
from spotbeam.network.settings import Network
from spotbeam.service.policy import Request, Sponsor
from spotbeam.service.rules import Rule, rules_from
from spotbeam.sky.own_shells import OwnShell
from spotbeam.times import TimeGrid, format_time, from_datetime, parse_duration, parse_time
from spotbeam.twin.network_checks import refuse_contradictions_of_the_network

Fraction = Annotated[float, msgspec.Meta(ge=0, le=1)]
Latitude = Annotated[float, msgspec.Meta(ge=-90, le=90)]
Longitude = Annotated[float, msgspec.Meta(ge=-180, le=180)]
Percentage = Annotated[float, msgspec.Meta(ge=0)]

MAX_STEPS = 10_000_000
_LONGEST_NAME = 100
_FIRST_US = parse_time("1957-01-01T00:00:00Z")
_LAST_US = parse_time("2200-01-01T00:00:00Z")


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of the scenario file."""


class Time(_Table, frozen=True):
    """When: a window of equal steps.

    Without `start` a run on filed shells starts at 2026-01-01T00:00:00Z and a run on element sets
    at the first whole hour after the median epoch; the answer names it.
    """

    start: str | None = None
    duration: str | float = "1h"
    step: str | float = "15s"


class Constellation(_Table, frozen=True):
    """The sky: filed shells by the name of their system, a file of element sets, or own shells."""

    shells: tuple[str, ...] = ()
    elements: str | None = None
    shell: tuple[OwnShell, ...] = ()
    min_elevation_deg: Annotated[float, msgspec.Meta(ge=0, le=90)] | None = None
    include: Literal["in_service", "all"] = "in_service"
    max_age: str | float = "14d"
    when_old: Literal["warn", "refuse"] = "warn"


class Area(_Table, frozen=True):
    """The ground: which H3 cells the forecast covers.

    A cell belongs to the area if its centre lies in one of `territories` (`land` means all land,
    `world` everything) and within `bounds` (south, west, north, east; west may exceed east).
    """

    resolution: Annotated[int, msgspec.Meta(ge=0, le=6)] = 4
    territories: tuple[str, ...] = ("world",)
    bounds: tuple[Latitude, Longitude, Latitude, Longitude] | None = None


class Terminal(_Table, frozen=True):
    """A terminal written inline; also what all of a drawn fleet have in common."""

    id: str | None = None
    fleet: str | None = None
    sponsor: str | None = None
    registrant_country: str | None = None
    mobility: str | None = None
    protection: str | None = None
    verified: bool | None = None
    account: str | None = None
    plan: str | None = None
    distress: bool | None = None
    lat_deg: Latitude | None = None
    lon_deg: Longitude | None = None
    position_error_m: float | None = None
    assurance: int | None = None
    speed_kmh: float | None = None
    altitude_m: float | None = None
    service_lat_deg: Latitude | None = None
    service_lon_deg: Longitude | None = None


class Fleet(_Table, frozen=True):
    """Terminals under one name: from a file, inline, or drawn over territories.

    Drawn: `count` positions over `where` less `except`, within `bounds` if given (south, west,
    north, east), by population or evenly by area. The same seed gives the same positions.
    """

    id: str
    file: str | None = None
    terminals: tuple[Terminal, ...] = ()
    count: Annotated[int, msgspec.Meta(ge=1, le=50_000_000)] | None = None
    where: tuple[str, ...] = ()
    except_: tuple[str, ...] = msgspec.field(default=(), name="except")
    bounds: tuple[Latitude, Longitude, Latitude, Longitude] | None = None
    draw: Literal["population", "area"] = "population"
    seed: Annotated[int, msgspec.Meta(ge=0)] = 1
    common: Terminal = msgspec.field(default_factory=Terminal)
    note: str | None = None


class OwnTerritory(_Table, frozen=True):
    """A file of the user's own territories."""

    file: str
    id: str | None = None


class NamedList(_Table, frozen=True):
    """A list of terminals that rules may refer to, inline or a text file with an id a line."""

    name: str
    terminals: tuple[str, ...] = ()
    file: str | None = None


class Output(_Table, frozen=True):
    """What a forecast writes beside its tables."""

    fields: tuple[Literal["satellites_in_view", "elevation_max_deg", "best_satellite"], ...] = (
        "satellites_in_view",
        "elevation_max_deg",
        "best_satellite",
    )


class Scenario(_Table, frozen=True):
    """The whole input of a run. Same scenario and same files, same `summary.json`."""

    name: str
    title: str = ""
    description: str = ""
    view: str = "un"
    time: Time = msgspec.field(default_factory=Time)
    constellation: Constellation = msgspec.field(default_factory=Constellation)
    area: Area = msgspec.field(default_factory=Area)
    territory: tuple[OwnTerritory, ...] = ()
    fleet: tuple[Fleet, ...] = ()
    list_: tuple[NamedList, ...] = msgspec.field(default=(), name="list")
    sponsor: tuple[Sponsor, ...] = ()
    request: tuple[Request, ...] = ()
    reference_terminal: Terminal = msgspec.field(default_factory=Terminal)
    memory: Literal["settled", "fresh"] = "settled"
    output: Output = msgspec.field(default_factory=Output)
    network: Network | None = None
    rules: tuple[Rule, ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256 over the scenario as canonical JSON; files that it names are not in it.

        Nor is the folder that an element file lies in: the same input elsewhere is the same.
        """
        sky = self.constellation
        if sky.elements is not None:
            sky = msgspec.structs.replace(sky, elements=PurePath(sky.elements).name)
        same = msgspec.structs.replace(self, constellation=sky)
        return hashlib.sha256(msgspec.json.encode(same, order="sorted")).hexdigest()

    def grid(self, start_us: int, *, place: str | None = None) -> TimeGrid:
        """The run's steps from a start on.

        Raises:
            ScenarioError: more steps than a run may have, or years that orbits mean nothing in.
        """
        place = f"{place or self.name}, time"
        duration_us = parse_duration(self.time.duration, place=f"{place}, duration")
        step_us = parse_duration(self.time.step, place=f"{place}, step")
        if step_us > duration_us:
            raise ScenarioError(
                f"step {self.time.step} is longer than the duration {self.time.duration}",
                place=place,
            )
        grid = TimeGrid.over(start_us, duration_us, step_us)
        if grid.count > MAX_STEPS:
            raise ScenarioError(
                f"duration {self.time.duration} at step {self.time.step} makes {grid.count:,} "
                f"steps; a run has {MAX_STEPS:,} at most",
                place=place,
                hint="shorten the duration or take a longer step",
            )
        refuse_far_time(start_us, place=place)
        refuse_far_time(grid.end_us, place=place)
        return grid

    @property
    def start_us(self) -> int | None:
        """The start that the scenario names, if it names one."""
        if self.time.start is None:
            return None
        return parse_time(self.time.start, place=f"{self.name}, time, start")


def refuse_far_time(time_us: int, *, place: str) -> None:
    """Refuse years that no orbit means anything in.

    Raises:
        ScenarioError: before 1957 or after 2199.
    """
    if not _FIRST_US <= time_us <= _LAST_US:
        raise ScenarioError(
            f"reaches outside of {format_time(_FIRST_US)} to {format_time(_LAST_US)}",
            place=place,
            hint="there were no satellites before, and nobody knows their orbits after",
        )


def parse_scenario(text: str, *, place: str) -> Scenario:
    """The scenario that a TOML text describes.

    Raises:
        ScenarioError: not TOML (with line and column), an unknown key (with the nearest known
            one), a value of another type or out of range.
        RuleError: a rule that cannot mean anything.
    """
    try:
        data: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"not valid TOML: {error}", place=place) from None
    if "rules" in data:
        raise ScenarioError(
            "unknown key 'rules'", place=place, hint="write each rule as a [[rule]] table"
        )
    rules = data.pop("rule", [])
    _refuse_not_finite(data, place)
    _read_bare_start(data)
    scenario = decode(data, Scenario, place=place, error=ScenarioError)
    if not isinstance(rules, list):
        raise ScenarioError("'rule' must be written as [[rule]] tables", place=place)
    scenario = msgspec.structs.replace(scenario, rules=tuple(rules_from(rules, place)))
    _refuse_contradictions(scenario, place)
    return scenario


def _read_bare_start(data: dict[str, Any]) -> None:
    """TOML has times of its own: `start = 2026-01-01T00:00:00Z` without quotes means the same."""
    time = data.get("time")
    start = time.get("start") if isinstance(time, dict) else None
    if isinstance(time, dict) and isinstance(start, datetime) and start.tzinfo is not None:
        time["start"] = format_time(from_datetime(start))


def _refuse_not_finite(value: Any, place: str) -> None:
    """TOML has nan and inf; no key of a scenario means anything by them."""
    if isinstance(value, float) and not math.isfinite(value):
        raise ScenarioError(f"{value} is not a number", place=place, hint="give a plain number")
    if isinstance(value, dict):
        for key, item in value.items():
            _refuse_not_finite(item, f"{place}, {key}")
    if isinstance(value, list):
        for index, item in enumerate(value):
            _refuse_not_finite(item, f"{place}[{index}]")


def _refuse_contradictions(scenario: Scenario, place: str) -> None:
    _refuse_unfit_name(scenario.name, f"{place}, name")
    _refuse_contradictions_of_the_sky(scenario.constellation, f"{place}, constellation")
    if not scenario.area.territories:
        raise ScenarioError(
            "territories = [] names nothing",
            place=f"{place}, area",
            hint='write ["world"], ["land"] or ids, or leave it out',
        )
    _refuse_bounds(scenario.area.bounds, f"{place}, area, bounds")
    _refuse_repeated("field", scenario.output.fields, f"{place}, output, fields")
    _refuse_repeated("list", (table.name for table in scenario.list_), f"{place}, list")
    _refuse_repeated("sponsor", (sponsor.id for sponsor in scenario.sponsor), f"{place}, sponsor")
    _refuse_repeated("fleet", (fleet.id for fleet in scenario.fleet), f"{place}, fleet")
    for index, fleet in enumerate(scenario.fleet):
        _refuse_contradictions_of_a_fleet(fleet, f"{place}, fleet[{index}] {fleet.id!r}")
    for index, request in enumerate(scenario.request):
        if not request.where:
            raise ScenarioError("where = [] names nothing", place=f"{place}, request[{index}]")
    _refuse_set(scenario.reference_terminal, ("lat_deg", "lon_deg"), f"{place}, reference_terminal")
    if scenario.network is not None:
        refuse_contradictions_of_the_network(scenario.network, f"{place}, network")
    scenario.grid(scenario.start_us or 0, place=place)


def _refuse_unfit_name(name: str, place: str) -> None:
    """A run's folder is named after its scenario, which may come from a stranger."""
    is_fit = (
        name.strip() == name != ""
        and len(name) <= _LONGEST_NAME
        and name.isprintable()
        and not name.startswith(".")
        and not set(name) & set('/\\:*?"<>|')
    )
    if not is_fit:
        shown = repr(name) if len(name) <= _LONGEST_NAME else f"{name[:20]!r}…"
        raise ScenarioError(
            f"{shown} cannot name a folder",
            place=place,
            hint=f"take letters, digits, hyphens and blanks, {_LONGEST_NAME} at most",
        )


def _refuse_contradictions_of_the_sky(sky: Constellation, place: str) -> None:
    if sum(map(bool, (sky.shells, sky.elements, sky.shell))) != 1:
        raise ScenarioError(
            "give either 'shells' or 'elements', or [[constellation.shell]] tables", place=place
        )
    _refuse_repeated("shell", sky.shells, f"{place}, shells")
    _refuse_repeated("shell", (shell.name for shell in sky.shell), f"{place}, shell")
    parse_duration(sky.max_age, place=f"{place}, max_age")


def _refuse_contradictions_of_a_fleet(fleet: Fleet, place: str) -> None:
    if not fleet.id.strip():
        raise ScenarioError("the id is empty", place=place)
    ways = [bool(fleet.file), bool(fleet.terminals), fleet.count is not None]
    if sum(ways) != 1:
        raise ScenarioError("give one of 'file', 'terminals' or 'count'", place=place)
    if fleet.count is not None and not fleet.where:
        raise ScenarioError("a drawn fleet needs 'where'", place=place)
    _refuse_bounds(fleet.bounds, f"{place}, bounds")
    _refuse_set(fleet.common, ("id", "fleet", "lat_deg", "lon_deg"), f"{place}, common")
    for row, terminal in enumerate(fleet.terminals):
        if terminal.id is None or terminal.lat_deg is None or terminal.lon_deg is None:
            raise ScenarioError(
                "a terminal needs id, lat_deg and lon_deg", place=f"{place}, terminals[{row}]"
            )
        _refuse_set(terminal, ("fleet",), f"{place}, terminals[{row}]")


def _refuse_set(terminal: Terminal, fields: Iterable[str], place: str) -> None:
    for field in fields:
        if getattr(terminal, field) is not None:
            raise ScenarioError(f"{field!r} has no meaning here", place=place, hint="take it out")


def _refuse_bounds(bounds: tuple[float, float, float, float] | None, place: str) -> None:
    if bounds is not None and bounds[0] >= bounds[2]:
        south, west, north, east = bounds
        raise ScenarioError(
            f"south {south:g} is not below north {north:g}",
            place=place,
            hint=f"the order is south, west, north, east; did you mean "
            f"[{north:g}, {west:g}, {south:g}, {east:g}]?",
        )


def _refuse_repeated(kind: str, names: Iterable[str], place: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ScenarioError(f"two {kind}s are called {name!r}", place=place)
        seen.add(name)
