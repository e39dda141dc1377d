"""The network of a world: its links, its gateways, and the periods that routes are planned for."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from spotbeam.errors import InputError
from spotbeam.land.gateways import GroundSite, shipped_sites
from spotbeam.network.ground_segment import GroundSegment, ground_segment
from spotbeam.network.mesh import Limits, Mesh
from spotbeam.network.planes import sort_into_planes
from spotbeam.network.routing import Plan, plan
from spotbeam.network.settings import Latency, Network
from spotbeam.network.topology import (
    GridShape,
    Topology,
    plus_grid,
    plus_grid_of_planes,
    with_failures,
    without_links,
)
from spotbeam.sky import constellation
from spotbeam.sky.elements import ElementSets
from spotbeam.sky.propagation import Engine, propagator
from spotbeam.times import parse_duration
from spotbeam.twin.world import World

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_PERIODS_AT_A_TIME = 32
_LONGEST_PERIOD_US = 300_000_000


class Net(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """Everything that routes rest on.

    Attributes:
        settings: The scenario's table, or the defaults.
        elements: The satellites, in the order of all rows.
        period_us: How long a plan holds; None where every moment is planned for itself.
        min_elevation_deg: The terminals' mask.
    """

    settings: Network
    elements: ElementSets
    mesh: Mesh
    segment: GroundSegment
    period_us: int | None
    min_elevation_deg: float


def net_of(
    world: World,
    *,
    latency: Latency | None = None,
    engine: Engine = "auto",
    n_steps: int | None = None,
) -> Net:
    """Build the network of a world.

    Args:
        world: The scenario, resolved. Without a table `[network]` the defaults count.
        latency: Instead of the scenario's.
        engine: Of the propagation.
        n_steps: How many steps will be asked for, if known.

    Raises:
        InputError: a failed satellite or link that does not exist.
    """
    settings = world.scenario.network or Network()
    latency = latency or settings.latency
    settings = msgspec.structs.replace(settings, latency=latency)
    mask_deg = world.sky.min_elevation_deg
    limits = Limits(
        max_link_km=settings.max_link_km or math.inf,
        link_floor_km=settings.link_floor_km,
        max_ground_km=settings.max_ground_km or math.inf,
    )
    elements = world.sky.in_service
    gateway_mask_deg = settings.gateway_min_elevation_deg
    gateways = _sites(world.gateways, "gateway", settings)
    pops = _sites(world.pops, "pop", settings)
    return Net(
        settings=settings,
        elements=elements,
        mesh=Mesh(topology_of(world), propagator(elements, engine=engine, n_steps=n_steps), limits),
        segment=ground_segment(
            gateways,
            territories_at(world, gateways),
            pops,
            mask_deg if gateway_mask_deg is None else gateway_mask_deg,
            latency,
        ),
        period_us=_period_us(settings, f"{world.scenario.name}, network"),
        min_elevation_deg=mask_deg,
    )


def _period_us(settings: Network, place: str) -> int | None:
    if settings.reconfigure == "always":
        return None
    period_us = parse_duration(settings.reconfigure, place=place)
    if period_us > _LONGEST_PERIOD_US:
        raise InputError(
            f"reconfigure = {settings.reconfigure!r} is longer than 5 minutes",
            place=place,
            hint="what holds at both ends of a longer plan need not hold in between",
        )
    return period_us


def _sites(
    own: tuple[GroundSite, ...] | None, kind: str, settings: Network
) -> tuple[GroundSite, ...]:
    name = settings.gateways if kind == "gateway" else settings.pops
    if own is not None or name != "shipped":
        return tuple(site for site in own or () if settings.planned or site.status != "planned")
    return shipped_sites("gateway" if kind == "gateway" else "pop", planned=settings.planned)


def territories_at(world: World, places: Sequence[GroundSite]) -> list[tuple[str, ...]]:
    """The territories of places, under the world's point of view."""
    lat = np.array([place.lat_deg for place in places])
    lon = np.array([place.lon_deg for place in places])
    names = world.ground.face_territories
    return [tuple(names[face]) if face >= 0 else () for face in world.ground.locate(lat, lon)]


def topology_of(world: World) -> Topology:
    """The links that the scenario's satellites are built to hold, without what has failed."""
    sky, settings = world.scenario.constellation, world.scenario.network or Network()
    elements = world.sky.in_service
    if settings.mode == "bent_pipe":
        topology = without_links(len(elements))
    elif sky.elements is not None:
        topology = plus_grid_of_planes(len(elements), sort_into_planes(elements))
    elif sky.shell:
        topology = plus_grid(
            [
                GridShape(
                    shell.planes,
                    shell.satellites_per_plane,
                    None if shell.pattern == "star" else shell.shift,
                )
                for shell in sky.shell
            ]
        )
    else:
        topology = plus_grid(
            [
                GridShape(
                    shell.planes,
                    shell.satellites_per_plane,
                    None if shell.pattern == "star" else shell.phasing,
                )
                for name in sky.shells
                for shell in constellation.shells_named(name)
            ]
        )
    if not (settings.failed_satellites or settings.failed_links):
        return topology
    return with_failures(
        topology,
        elements.catalogue_number,
        settings.failed_satellites,
        settings.failed_links,
        place=f"{world.scenario.name}, network",
    )


def periods(net: Net, times_us: Ints) -> Iterator[tuple[Plan, Ints, Floats]]:
    """Plans for rising instants, one at a time, so that memory does not grow with a run.

    Yields:
        The plan of a period; which of the instants lie in it, as indices; where the satellites
        are at those, (n, n_sat, 3), km.
    """
    starts = times_us if net.period_us is None else times_us // net.period_us * net.period_us
    cuts = np.flatnonzero(np.diff(starts)) + 1
    groups = np.split(np.arange(len(times_us)), cuts) if len(times_us) else []
    for first in range(0, len(groups), _PERIODS_AT_A_TIME):
        some = groups[first : first + _PERIODS_AT_A_TIME]
        begins = starts[[group[0] for group in some]]
        ends = begins if net.period_us is None else begins + net.period_us
        wanted = np.unique(np.concatenate([begins, ends, *(times_us[group] for group in some)]))
        positions = net.mesh.positions_ecef_km(wanted)
        for group, begin, end in zip(some, begins, ends, strict=True):
            at, until, during = (np.searchsorted(wanted, t) for t in (begin, end, times_us[group]))
            now = net.mesh.moment(int(begin), positions[at])
            later = now if end == begin else net.mesh.moment(int(end), positions[until])
            yield plan(net.mesh, now, later, net.settings.latency), group, positions[during]
