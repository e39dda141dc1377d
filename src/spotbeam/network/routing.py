"""Paths between places, and from a place to the internet, moment by moment.

Routes are planned for a period (15 s by default) with the links that hold from its beginning to
its end, on the delays of its beginning; within the period the path stays and only its length
changes. `always` is a period of no length.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from spotbeam.kernels.paths import DOWN, NO_HOP, GroundLinks, Hops, Links, next_hops
from spotbeam.network.ground_segment import Ends, GroundSegment, internet_ends
from spotbeam.network.mesh import Mesh, Moment, Sites, ground_links, is_up
from spotbeam.network.settings import Latency
from spotbeam.units import SPEED_OF_LIGHT_KM_S

Floats = npt.NDArray[np.float64]
_KM_MS = SPEED_OF_LIGHT_KM_S / 1e3


class Path(msgspec.Struct, frozen=True, kw_only=True):
    """One way through the sky at one moment.

    Attributes:
        satellites: rows of the constellation, from the first to the last on the way.
        gateway: index of the gateway it comes down at; None between two places.
        pop: index of the point of presence; None between two places, or where there is none.
        length_km: up, across and down, straight lines.
        propagation_ms: light along that, one way.
        fibre_ms: from the gateway's antenna to the point of presence, one way.
        one_way_ms: from sender to receiver, all of the model in it.
        round_trip_ms: there and back on the same path.
    """

    satellites: tuple[int, ...]
    gateway: int | None = None
    pop: int | None = None
    length_km: float
    propagation_ms: float
    fibre_ms: float
    one_way_ms: float
    round_trip_ms: float


class Plan(NamedTuple):
    """What holds during one period: the links, and the moments at its beginning and end."""

    now: Moment
    until: Moment
    links: Links


def plan(mesh: Mesh, now: Moment, until: Moment, latency: Latency) -> Plan:
    """Plan a period, on the delays of its beginning."""
    return Plan(now, until, mesh.links(now, until, latency.satellite_ms))


def station_links(mesh: Mesh, period: Plan, sites: Sites, extra_ms: float = 0.0) -> GroundLinks:
    """Ground links that hold through a period."""
    return ground_links(mesh.reach(sites, period.now, period.until), extra_ms)


def forwarding(mesh: Mesh, period: Plan, sites: Sites) -> Hops:
    """The next-hop table of a period, of every satellite and station, to every station.

    Delays in it are the planned ones: one way, without what terminals wait.
    """
    links = station_links(mesh, period, sites)
    return next_hops(period.links, links, links)


def walk(hops: Hops, origin: int, end: int) -> tuple[int, ...] | None:
    """Satellites on the way from one station to another; None if there is no way."""
    at = int(hops.station[origin, end])
    if at == NO_HOP:
        return None
    found = []
    towards = hops.satellite[end]
    while at != DOWN:
        found.append(at)
        at = int(towards[at])
    return tuple(found)


def length_km(
    position_ecef_km: Floats,
    satellites: tuple[int, ...],
    origin_ecef_km: Floats,
    end_ecef_km: Floats,
) -> float:
    """Length of a path: straight lines from place to place by way of satellites."""
    points = np.vstack([origin_ecef_km, position_ecef_km[list(satellites)], end_ecef_km])
    return float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum())


def path_between(
    position_ecef_km: Floats,
    satellites: tuple[int, ...],
    sites: Sites,
    i: int,
    j: int,
    latency: Latency,
) -> Path:
    """A path between two terminals, priced where the satellites (n_sat, 3) are."""
    length = length_km(
        position_ecef_km, satellites, sites.position_ecef_km[i], sites.position_ecef_km[j]
    )
    propagation_ms = length / _KM_MS
    across_ms = propagation_ms + latency.satellite_ms * len(satellites)
    return Path(
        satellites=satellites,
        length_km=length,
        propagation_ms=propagation_ms,
        fibre_ms=0.0,
        one_way_ms=across_ms + latency.terminal_round_trip_ms,
        round_trip_ms=2.0 * (across_ms + latency.terminal_round_trip_ms),
    )


class ToInternet(NamedTuple):
    """The best way to the internet from each of n places: see `internet_choices`.

    Attributes:
        hops: towards every point of presence.
        ends: where they end.
        pop: (n,), the point of presence of least delay; -1 for no path.
    """

    hops: Hops
    ends: Ends
    pop: npt.NDArray[np.int64]


def internet_choices(
    mesh: Mesh,
    period: Plan,
    places: Sites,
    segment: GroundSegment,
    allowed: npt.NDArray[np.bool_],
) -> ToInternet:
    """Choose for each place the gateway and the point of presence of least delay.

    Args:
        mesh: The links.
        period: When.
        places: Terminals.
        segment: Gateways and points of presence.
        allowed: (n_gateway,), where these terminals' traffic may land.
    """
    reach = mesh.reach(segment.gateways, period.now, period.until)
    ends = internet_ends(segment, reach, allowed)
    hops = next_hops(period.links, station_links(mesh, period, places), ends.links)
    if not hops.delay_ns.shape[1]:
        return ToInternet(hops, ends, np.full(len(places), -1))
    pop = hops.delay_ns.argmin(axis=1)
    reached = is_up(hops.delay_ns[np.arange(len(places)), pop])
    return ToInternet(hops, ends, np.where(reached, pop, -1))


def path_to_internet(
    position_ecef_km: Floats,
    choice: ToInternet,
    places: Sites,
    index: int,
    segment: GroundSegment,
    latency: Latency,
) -> Path | None:
    """One place's path to the internet, priced where the satellites are; None if there is none."""
    pop = int(choice.pop[index])
    satellites = walk(choice.hops, index, pop) if pop >= 0 else None
    if satellites is None:
        return None
    links = choice.ends.links
    first, stop = links.offset[pop], links.offset[pop + 1]
    last = first + np.searchsorted(links.satellite[first:stop], satellites[-1])
    gateway = int(choice.ends.gateway[last])
    length = length_km(
        position_ecef_km,
        satellites,
        places.position_ecef_km[index],
        segment.gateways.position_ecef_km[gateway],
    )
    propagation_ms = length / _KM_MS
    fibre_ms = float(segment.fibre_ms[gateway, pop])
    across_ms = propagation_ms + latency.satellite_ms * len(satellites) + fibre_ms
    return Path(
        satellites=satellites,
        gateway=gateway,
        pop=pop if segment.pop else None,
        length_km=length,
        propagation_ms=propagation_ms,
        fibre_ms=fibre_ms,
        one_way_ms=across_ms + latency.uplink_wait_ms,
        round_trip_ms=2.0 * across_ms + latency.terminal_round_trip_ms,
    )
