"""A scenario: the whole input of a run, as one frozen value.

It is written as TOML. Unknown keys are errors with a suggestion; files it names are relative to
the file it stands in. Reading the files it names is `assembly`'s work.
"""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import PurePath
from typing import Annotated, Any, Literal

import msgspec

from spotbeam.decode import decode
from spotbeam.errors import ScenarioError
from spotbeam.service.policy import Request, Sponsor
from spotbeam.service.rules import Rule, rules_from
from spotbeam.times import TimeGrid, parse_duration, parse_time

Fraction = Annotated[float, msgspec.Meta(ge=0, le=1)]
Latitude = Annotated[float, msgspec.Meta(ge=-90, le=90)]
Longitude = Annotated[float, msgspec.Meta(ge=-180, le=180)]
Percentage = Annotated[float, msgspec.Meta(ge=0)]


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
    """The sky: filed shells by the name of their system, or a file of element sets."""

    shells: tuple[str, ...] = ()
    elements: str | None = None
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
    seed: int = 1
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

    def grid(self, start_us: int) -> TimeGrid:
        """The run's steps from a start on."""
        place = f"{self.name}, time"
        duration_us = parse_duration(self.time.duration, place=f"{place}, duration")
        step_us = parse_duration(self.time.step, place=f"{place}, step")
        if step_us > duration_us:
            raise ScenarioError(
                f"step {self.time.step} is longer than the duration {self.time.duration}",
                place=place,
            )
        return TimeGrid.over(start_us, duration_us, step_us)

    @property
    def start_us(self) -> int | None:
        """The start that the scenario names, if it names one."""
        if self.time.start is None:
            return None
        return parse_time(self.time.start, place=f"{self.name}, time, start")


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
    scenario = decode(data, Scenario, place=place, error=ScenarioError)
    if not isinstance(rules, list):
        raise ScenarioError("'rule' must be written as [[rule]] tables", place=place)
    scenario = msgspec.structs.replace(scenario, rules=tuple(rules_from(rules, place)))
    _refuse_contradictions(scenario, place)
    return scenario


def _refuse_contradictions(scenario: Scenario, place: str) -> None:
    sky = scenario.constellation
    if bool(sky.shells) == bool(sky.elements):
        raise ScenarioError("give either 'shells' or 'elements'", place=f"{place}, constellation")
    seen: set[str] = set()
    for index, fleet in enumerate(scenario.fleet):
        at = f"{place}, fleet[{index}] {fleet.id!r}"
        if fleet.id in seen:
            raise ScenarioError("two fleets have this id", place=at)
        seen.add(fleet.id)
        ways = [bool(fleet.file), bool(fleet.terminals), fleet.count is not None]
        if sum(ways) != 1:
            raise ScenarioError("give one of 'file', 'terminals' or 'count'", place=at)
        if fleet.count is not None and not fleet.where:
            raise ScenarioError("a drawn fleet needs 'where'", place=at)
        for row, terminal in enumerate(fleet.terminals):
            if terminal.id is None or terminal.lat_deg is None or terminal.lon_deg is None:
                raise ScenarioError(
                    "a terminal needs id, lat_deg and lon_deg", place=f"{at}, terminals[{row}]"
                )
    scenario.grid(scenario.start_us or 0)
