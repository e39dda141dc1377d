"""Routes of a scenario over time: between two places, to the internet, among many stations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from spotbeam.kernels.paths.ground import InReach
from spotbeam.kernels.paths.walking import path_lengths_km
from spotbeam.land.gateways import GroundSite, great_circle_km
from spotbeam.network.ground_segment import landing_classes, may_land
from spotbeam.network.mesh import Sites
from spotbeam.network.routing import (
    Path,
    Plan,
    forwarding,
    internet_choices,
    path_between,
    path_to_internet,
    walk,
)
from spotbeam.times import MICROSECONDS, format_time
from spotbeam.twin.nets import Net, periods
from spotbeam.units import SPEED_OF_LIGHT_KM_S

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

NO_ROUTE = {
    "no_satellite": "no satellite is in reach",
    "no_satellite_there": "no satellite stays in reach of the second place",
    "no_lasting_satellite": "satellites are in reach, but none stays in reach through the period",
    "no_gateway": "there is no gateway to land at",
    "no_gateway_in_reach": "satellites are in reach, but no gateway is in reach of any of them",
    "not_linked": "satellites are in reach at both ends, but no links lead from one to the other",
    "landing_rule": "there is a way, but not to a gateway that the landing rules allow",
}


class RouteStep(msgspec.Struct, frozen=True, kw_only=True):
    """The route at one moment.

    Attributes:
        path: None where there is none.
        reason: Why there is none, a key of `NO_ROUTE`; None where there is one.
        without_landing_ms: Round trip if no landing rule bound it; None where none does or
            there would be no path either.
    """

    time_us: int
    path: Path | None
    reason: str | None
    without_landing_ms: float | None = None


class Route(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """A route over a run.

    Attributes:
        origin: Where it begins.
        end: Where it ends; None for the internet.
        landing: Indices of the landing rules that bind it.
    """

    origin: GroundSite
    end: GroundSite | None
    steps: tuple[RouteStep, ...]
    landing: tuple[int, ...] = ()


def route_between(
    net: Net, origin: GroundSite, end: GroundSite, times_us: Ints
) -> Iterator[RouteStep]:
    """The path of least delay between two terminals, over the sky alone, at rising instants."""
    sites = terminals(net, (origin, end))
    latency = net.settings.latency
    for period, group, positions in periods(net, times_us):
        hops = forwarding(net.mesh, period, sites)
        satellites = walk(hops, 0, 1)
        reason = None if satellites else why_no_pair(in_reach_of(net, period, sites), 0, 1)
        for index, position in zip(group, positions, strict=True):
            path = None
            if satellites:
                path = path_between(position, satellites, sites, 0, 1, latency)
            yield RouteStep(time_us=int(times_us[index]), path=path, reason=reason)


def in_reach_of(net: Net, period: Plan, sites: Sites) -> Ints:
    """How many satellites stay in reach of each place through a period; -1 for none but at first.

    Shape (n,).
    """
    lasting = np.diff(net.mesh.reach(sites, period.now, period.until).offset)
    at_first = np.diff(net.mesh.reach(sites, period.now, period.now).offset)
    return np.where((lasting == 0) & (at_first > 0), -1, lasting)


def why_no_pair(in_reach: Ints, i: int, j: int) -> str:
    """Why there is no path from place i to place j: a key of `NO_ROUTE`."""
    if in_reach[i] <= 0:
        return "no_lasting_satellite" if in_reach[i] else "no_satellite"
    return "not_linked" if in_reach[j] > 0 else "no_satellite_there"


def route_to_internet(
    net: Net, origin: GroundSite, times_us: Ints, landing: Sequence[int] = ()
) -> Iterator[RouteStep]:
    """The path of least delay from a terminal to a point of presence, at rising instants.

    Args:
        net: The network.
        origin: Where the terminal is.
        times_us: When.
        landing: Indices of the landing rules that bind it.
    """
    sites = terminals(net, (origin,))
    latency, segment = net.settings.latency, net.segment
    allowed = may_land(segment, net.settings.landing, landing)
    anywhere = np.ones_like(allowed)
    for period, group, positions in periods(net, times_us):
        choice = internet_choices(net.mesh, period, sites, segment, allowed)
        free = choice
        if landing:
            free = internet_choices(net.mesh, period, sites, segment, anywhere)
        reason = None
        if choice.pop[0] < 0:
            reason = why_no_internet(net, period, sites, could_land=bool(free.pop[0] >= 0))
        for index, position in zip(group, positions, strict=True):
            path = path_to_internet(position, choice, sites, 0, segment, latency)
            other = None
            if landing:
                other = path_to_internet(position, free, sites, 0, segment, latency)
            yield RouteStep(
                time_us=int(times_us[index]),
                path=path,
                reason=reason,
                without_landing_ms=other.round_trip_ms if other else None,
            )


def why_no_internet(net: Net, period: Plan, sites: Sites, *, could_land: bool) -> str:
    """Why the first of some places has no path: a key of `NO_ROUTE`.

    Args:
        net: The network.
        period: When.
        sites: The place.
        could_land: There would be a path without the landing rules.
    """
    up = in_reach_of(net, period, sites)[0]
    if up <= 0:
        return "no_lasting_satellite" if up else "no_satellite"
    if could_land:
        return "landing_rule"
    reach = net.mesh.reach(net.segment.gateways, period.now, period.until)
    return why_no_landing(reach, is_bent_pipe=net.settings.mode == "bent_pipe")


def why_no_landing(gateways: InReach, *, is_bent_pipe: bool) -> str:
    """Why traffic that has a way up has none down, with or without landing rules.

    Args:
        gateways: Which satellites each gateway can talk to.
        is_bent_pipe: Satellites pass nothing on.
    """
    if len(gateways.offset) == 1:
        return "no_gateway"
    return "not_linked" if len(gateways.satellite) and not is_bent_pipe else "no_gateway_in_reach"


def terminals(net: Net, places: Sequence[GroundSite]) -> Sites:
    """Places as terminals, with the terminals' mask."""
    return Sites.at(
        tuple(place.name for place in places),
        [place.lat_deg for place in places],
        [place.lon_deg for place in places],
        net.min_elevation_deg,
    )


def binding_landing(net: Net, territories: Sequence[str]) -> tuple[int, ...]:
    """Indices of the landing rules that bind a terminal in some territories."""
    return landing_classes(net.settings.landing, [territories])[0][0]


class PairsAt(NamedTuple):
    """Round trips among n places at one moment, over the sky alone.

    Attributes:
        round_trip_ms: (n, n); NaN where there is no path, and on the diagonal.
        in_reach: (n,), see `in_reach_of`.
    """

    time_us: int
    round_trip_ms: Floats
    in_reach: Ints

    def reason(self, i: int, j: int) -> str | None:
        """Why there is no path between two places, a key of `NO_ROUTE`; None where there is."""
        is_none = np.isnan(self.round_trip_ms[i, j])
        return why_no_pair(self.in_reach, i, j) if is_none else None


def pairs_at(net: Net, places: Sequence[GroundSite], times_us: Ints) -> Iterator[PairsAt]:
    """Round trips among many terminals, over the sky alone, at rising instants."""
    sites = terminals(net, places)
    latency = net.settings.latency
    for period, group, positions in periods(net, times_us):
        hops = forwarding(net.mesh, period, sites)
        in_reach = in_reach_of(net, period, sites)
        for index, position in zip(group, positions, strict=True):
            length_km, satellites = path_lengths_km(
                hops.satellite,
                hops.station,
                sites.position_ecef_km,
                sites.position_ecef_km,
                position,
            )
            across_ms = length_km * 1e3 / SPEED_OF_LIGHT_KM_S + latency.satellite_ms * satellites
            round_trip_ms = 2.0 * (across_ms + latency.terminal_round_trip_ms)
            np.fill_diagonal(round_trip_ms, np.nan)
            yield PairsAt(int(times_us[index]), round_trip_ms, in_reach)


def summary_of(net: Net, route: Route) -> dict[str, Any]:
    """What a route was like over its run.

    A handover is another first satellite than at the step before, a change of path any other
    satellite, gateway or point of presence; steps without a path are neither.
    """
    paths = [step.path for step in route.steps]
    found = [path for path in paths if path is not None]
    pairs = [(a, b) for a, b in pairwise(paths) if a and b]
    ways = [(path.satellites, path.gateway, path.pop) for path in found]
    reasons = Counter(step.reason for step in route.steps if step.reason)
    answer: dict[str, Any] = {
        "steps": len(paths),
        "with_path_fraction": len(found) / max(1, len(paths)),
        "no_route": dict(sorted(reasons.items())),
        "handovers": sum(a.satellites[0] != b.satellites[0] for a, b in pairs),
        "path_changes": sum(
            (a.satellites, a.gateway, a.pop) != (b.satellites, b.gateway, b.pop) for a, b in pairs
        ),
        "paths": len(set(ways)),
        "round_trip_ms": spread([path.round_trip_ms for path in found]),
        "propagation_round_trip_ms": spread([2 * path.propagation_ms for path in found]),
        "satellites_on_path": spread([float(len(path.satellites)) for path in found]),
    }
    if route.end is not None:
        apart_km = float(
            great_circle_km(
                route.origin.lat_deg, route.origin.lon_deg, route.end.lat_deg, route.end.lon_deg
            )
        )
        answer["great_circle_km"] = apart_km
        answer["great_circle_round_trip_ms"] = 2e3 * apart_km / SPEED_OF_LIGHT_KM_S
    else:
        gateways = Counter(
            net.segment.gateways.name[p.gateway] for p in found if p.gateway is not None
        )
        pops = Counter(net.segment.pop[p.pop] for p in found if p.pop is not None)
        answer["gateways"] = dict(gateways.most_common())
        answer["pops"] = dict(pops.most_common())
    if route.landing:
        answer["landing"] = _landing_cost(net, route)
    return answer


def _landing_cost(net: Net, route: Route) -> dict[str, Any]:
    """What the landing rules cost: milliseconds where there is a path, and steps where not."""
    both = [
        step.path.round_trip_ms - step.without_landing_ms
        for step in route.steps
        if step.path is not None and step.without_landing_ms is not None
    ]
    rules = [net.settings.landing[index] for index in route.landing]
    return {
        "rules": [msgspec.to_builtins(rule) for rule in rules],
        "extra_round_trip_ms": spread(both),
        "steps_lost": sum(step.reason == "landing_rule" for step in route.steps),
    }


def spread(values: Sequence[float]) -> dict[str, float] | None:
    """The least, the median, the 95th percentile and the most; None of nothing."""
    if not values:
        return None
    least, median, high, most = np.percentile(values, [0, 50, 95, 100])
    return {
        "min": float(least),
        "median": float(median),
        "p95": float(high),
        "max": float(most),
    }


def step_record(net: Net, step: RouteStep, start_us: int) -> dict[str, Any]:
    """One step as plain data: satellites by catalogue number, sites by name."""
    path = step.path
    record: dict[str, Any] = {
        "time": format_time(step.time_us),
        "time_s": (step.time_us - start_us) / MICROSECONDS,
        "rtt_ms": None if path is None else path.round_trip_ms,
        "reason": step.reason,
    }
    if path is not None:
        numbers = net.elements.catalogue_number
        record |= {
            "one_way_ms": path.one_way_ms,
            "propagation_one_way_ms": path.propagation_ms,
            "fibre_one_way_ms": path.fibre_ms,
            "length_km": path.length_km,
            "satellites": [int(numbers[row]) for row in path.satellites],
            "gateway": None if path.gateway is None else net.segment.gateways.name[path.gateway],
            "pop": None if path.pop is None else net.segment.pop[path.pop],
        }
    if step.without_landing_ms is not None:
        record["rtt_without_landing_ms"] = step.without_landing_ms
    return record
