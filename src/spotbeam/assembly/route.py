"""`spotbeam.route`: round-trip times and paths over time, between places or to the internet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from spotbeam.assembly.build import build
from spotbeam.assembly.scenarios import adjusted, load_scenario
from spotbeam.errors import InputError, UnknownName
from spotbeam.formats.site_csv import read_sites
from spotbeam.land.gateways import GroundSite, shipped_sites
from spotbeam.network.settings import Latency, Network
from spotbeam.service.terminals import Terminal, terminals_from_rows
from spotbeam.times import MICROSECONDS, format_time
from spotbeam.twin.by_land import LandStep, summary_by_land, way_by_land
from spotbeam.twin.nets import Net, net_of, territories_at
from spotbeam.twin.routes import (
    NO_ROUTE,
    PairsAt,
    Route,
    binding_landing,
    pairs_at,
    route_between,
    route_to_internet,
    step_record,
    summary_of,
)
from spotbeam.twin.scenario import Scenario, refuse_far_time
from spotbeam.twin.why import decide
from spotbeam.twin.world import World

Mode = Literal["lasers", "bent_pipe"]
Place = tuple[float, float] | str
_MAX_TIMES = 1_000_000
_KINDS: tuple[Literal["pop", "gateway"], ...] = ("pop", "gateway")


class RouteAnswer(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """A route over a run, with the network it was found in.

    Attributes:
        by_land: The same two places by land, if asked for.
        policy: The verdict on what stands at each end, the scenario's own terminal or else its
            reference terminal: a path is physics, and whether anybody is served is a decision.
    """

    world: World
    net: Net
    route: Route
    summary: dict[str, Any]
    policy: dict[str, dict[str, Any]]
    by_land: tuple[LandStep, ...] | None = None

    def _reasons(self) -> set[str | None]:
        """Every reason that the answer names."""
        of_sky = {step.reason for step in self.route.steps}
        return of_sky | {step.reason for step in self.by_land or ()}

    def as_json(self) -> dict[str, Any]:
        """Everything as plain data."""
        route = self.route
        start_us = self.world.grid.start_us
        latency = msgspec.to_builtins(self.net.settings.latency)
        steps = [step_record(self.net, step, start_us) for step in route.steps]
        for record, land in zip(steps, self.by_land or (), strict=False):
            record["by_land"] = msgspec.to_builtins(land)
        return {
            "scenario": self.world.scenario.name,
            "view": self.world.scenario.view,
            "from": msgspec.to_builtins(route.origin),
            "to": None if route.end is None else msgspec.to_builtins(route.end),
            "mode": self.net.settings.mode,
            "start": format_time(start_us),
            "latency_model": latency,
            "policy": self.policy,
            "summary": self.summary,
            "reasons": {key: text for key, text in NO_ROUTE.items() if key in self._reasons()},
            "steps": steps,
            "notices": list(self.world.notices),
        }


def route(
    scenario: str | Path | Scenario,
    origin: Place,
    end: Place | None = None,
    *,
    times_s: Sequence[float] | None = None,
    elements: str | Path | None = None,
    start: str | None = None,
    duration: str | float | None = None,
    step: str | float | None = None,
    view: str | None = None,
    mode: Mode | None = None,
    geometry_only: bool = False,
    stations: str | Path | None = None,
    by_land: bool = False,
) -> RouteAnswer:
    """The path of least delay between two places, or from a place to the internet, over time.

    Args:
        scenario: A shipped name, a TOML file, or a `Scenario`.
        origin: Latitude and longitude in degrees, or a name: of a terminal of the scenario, of a
            row of `stations`, of a gateway or a point of presence.
        end: Likewise; left out, the internet: the point of presence of least delay.
        times_s: Seconds after the scenario's start; all of its steps, if left out.
        elements: A file of element sets instead of the scenario's constellation.
        start: RFC 3339 with Z.
        duration: As `1h`, `1d`, or seconds.
        step: As `15s`, or seconds.
        view: Point of view on borders.
        mode: Instead of the scenario's: `lasers` or `bent_pipe`.
        geometry_only: Light on straight lines and nothing else.
        stations: A CSV file with name, lat_deg, lon_deg.
        by_land: Also the way down to each place's point of presence and along fibre between them.

    Raises:
        InputError: something that was given is wrong.
    """
    _refuse_both(times_s, duration, step)
    if mode not in (None, "lasers", "bent_pipe"):
        raise InputError(f"{mode!r} is no mode", place="mode", hint="take lasers or bent_pipe")
    if by_land and end is None:
        raise InputError(
            "the way by land is between two places", place="--by-land", hint="give TO as well"
        )
    named = () if stations is None else read_sites(stations)
    needs_terminals = isinstance(origin, str) or isinstance(end, str)
    world, net = _network(
        scenario,
        elements=elements,
        start=start,
        duration=duration,
        step=step,
        view=view,
        mode=mode,
        geometry_only=geometry_only,
        with_terminals=needs_terminals,
    )
    first = _place(world, origin, named, "FROM")
    last = None if end is None else _place(world, end, named, "TO")
    times_us = _times_us(world, times_s)
    landing: tuple[int, ...] = ()
    if last is None:
        landing = binding_landing(net, territories_at(world, [first])[0])
        steps = tuple(route_to_internet(net, first, times_us, landing))
    else:
        steps = tuple(route_between(net, first, last, times_us))
    found = Route(origin=first, end=last, steps=steps, landing=landing)
    summary, land = summary_of(net, found), None
    if by_land and last is not None:
        land = tuple(way_by_land(world, net, first, last, times_us))
        summary["by_land"] = summary_by_land(land)
    return RouteAnswer(
        world=world,
        net=net,
        route=found,
        summary=summary,
        by_land=land,
        policy={
            end_of: _verdict(world, place, given)
            for end_of, place, given in (("from", first, origin), ("to", last, end))
            if place is not None
        },
    )


def all_pairs(
    scenario: str | Path | Scenario,
    stations: str | Path,
    *,
    times_s: Sequence[float] | None = None,
    elements: str | Path | None = None,
    start: str | None = None,
    duration: str | float | None = None,
    step: str | float | None = None,
    mode: Mode | None = None,
    geometry_only: bool = False,
) -> tuple[tuple[GroundSite, ...], Iterator[tuple[float, PairsAt]]]:
    """Round-trip times among all stations of a file, over the sky alone.

    Returns:
        The stations, and an iterator over instants: seconds after the scenario's start, and the
        round trips then.
    """
    _refuse_both(times_s, duration, step)
    places = read_sites(stations)
    if len(places) < 2:
        raise InputError(
            "has fewer than two stations", place=Path(stations).name, hint="a pair needs two"
        )
    world, net = _network(
        scenario,
        elements=elements,
        start=start,
        duration=duration,
        step=step,
        mode=mode,
        geometry_only=geometry_only,
        with_terminals=False,
    )
    times_us = _times_us(world, times_s)
    start_us = world.grid.start_us

    def each() -> Iterator[tuple[float, PairsAt]]:
        for pairs in pairs_at(net, places, times_us):
            yield (pairs.time_us - start_us) / MICROSECONDS, pairs

    return places, each()


def _network(
    scenario: str | Path | Scenario,
    *,
    mode: Mode | None,
    geometry_only: bool,
    with_terminals: bool,
    **changes: Any,
) -> tuple[World, Net]:
    if isinstance(scenario, Scenario):
        base, folder = scenario, Path.cwd()
    else:
        base, folder = load_scenario(scenario)
    chosen = adjusted(base, **changes)
    if mode is not None:
        settings = msgspec.structs.replace(chosen.network or Network(), mode=mode)
        chosen = msgspec.structs.replace(chosen, network=settings)
    world = build(chosen, folder, with_terminals=with_terminals)
    latency = Latency.geometry_only() if geometry_only else None
    return world, net_of(world, latency=latency, n_steps=world.grid.count)


def _refuse_both(times_s: Sequence[float] | None, *others: str | float | None) -> None:
    if times_s is not None and any(other is not None for other in others):
        raise InputError(
            "stand in place of a duration and a step",
            place="times_s",
            hint="give the one or the other",
        )


def _times_us(world: World, times_s: Sequence[float] | None) -> npt.NDArray[np.int64]:
    if times_s is None:
        if world.grid.count > _MAX_TIMES:
            raise InputError(
                f"{world.grid.count:,} steps; a route has {_MAX_TIMES:,} at most",
                hint="shorten the duration or take a longer step",
            )
        return world.grid.times_us()
    times_us = world.grid.start_us + np.rint(np.array(times_s) * MICROSECONDS).astype(np.int64)
    for time_us in (times_us.min(), times_us.max()) if len(times_us) else ():
        refuse_far_time(int(time_us), place="--times")
    return np.unique(times_us)


def _place(world: World, place: Place, stations: Sequence[GroundSite], role: str) -> GroundSite:
    if not isinstance(place, str):
        lat_deg, lon_deg = place
        return GroundSite(name=f"{lat_deg:g},{lon_deg:g}", lat_deg=lat_deg, lon_deg=lon_deg)
    own = [site for sites in (world.gateways, world.pops) for site in sites or ()]
    shipped = [site for kind in _KINDS for site in shipped_sites(kind, planned=True)]
    sites = {site.name: site for site in stations}
    row = _terminal(world, place)
    if place not in sites and row is not None:
        return GroundSite(name=place, lat_deg=row.lat_deg, lon_deg=row.lon_deg)
    for site in (*own, *shipped):
        sites.setdefault(site.name, site)
    # A town's name is enough where it is the first of that name.
    for site in (*own, *shipped):
        sites.setdefault(site.name.partition(",")[0], site)
    if place in sites:
        return sites[place]
    error = UnknownName("place", place, sites, place=role)
    hint = f"{error.hint}; or write LAT,LON" if error.hint else "write LAT,LON in degrees"
    raise InputError(f"unknown place {place!r}", place=role, hint=hint)


def _terminal(world: World, name: str) -> Terminal | None:
    """The scenario's own terminal of that name."""
    ids = world.terminals.id_array()
    index = ids.index(name).as_py() if len(ids) else -1
    return world.terminals.row(index) if index >= 0 else None


def _verdict(world: World, place: GroundSite, given: Place | None) -> dict[str, Any]:
    own = _terminal(world, given) if isinstance(given, str) else None
    if own is not None and (own.lat_deg, own.lon_deg) == (place.lat_deg, place.lon_deg):
        terminal = own
    else:
        common = msgspec.structs.asdict(world.scenario.reference_terminal)
        row = {key: value for key, value in common.items() if value is not None}
        row |= {"id": "reference", "lat_deg": place.lat_deg, "lon_deg": place.lon_deg}
        whose = f"{world.scenario.name}, reference_terminal"
        terminal = terminals_from_rows([row], place=whose).row(0)
    found = decide(world, world.grid.start_us, terminal, world.policy)
    return {
        "terminal": terminal.id,
        "outcome": found.outcome,
        "reason": found.reason,
        "rule": found.rule,
    }
