"""Gateways and points of presence as ends of paths: fibre included, landing rules obeyed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from spotbeam.kernels.paths import UNREACHABLE_NS, GroundLinks
from spotbeam.kernels.paths.ground import InReach
from spotbeam.land.gateways import GroundSite, great_circle_km
from spotbeam.network.mesh import Sites, ground_links
from spotbeam.network.settings import Landing, Latency
from spotbeam.units import SPEED_OF_LIGHT_KM_S

Mask = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


class GroundSegment(msgspec.Struct, frozen=True, eq=False):
    """Where traffic comes down, and how far it is from there to the internet.

    Attributes:
        gateways: (n_gateway) sites.
        territories: of each gateway's place, under the run's point of view.
        pop: names of the points of presence.
        pop_lat_deg, pop_lon_deg: (n_pop,).
        fibre_ms: (n_gateway, n_pop), one way, with the gateway's own processing.
    """

    gateways: Sites
    territories: tuple[tuple[str, ...], ...]
    pop: tuple[str, ...]
    pop_lat_deg: npt.NDArray[np.float64]
    pop_lon_deg: npt.NDArray[np.float64]
    fibre_ms: npt.NDArray[np.float64]


def ground_segment(
    gateways: Sequence[GroundSite],
    territories: Iterable[Collection[str]],
    pops: Sequence[GroundSite],
    min_elevation_deg: float,
    latency: Latency,
) -> GroundSegment:
    """Put gateways and points of presence together.

    Without points of presence, traffic ends at its gateway.
    """
    sites = Sites.at(
        tuple(site.name for site in gateways),
        [site.lat_deg for site in gateways],
        [site.lon_deg for site in gateways],
        min_elevation_deg,
    )
    lat = np.array([site.lat_deg for site in pops])
    lon = np.array([site.lon_deg for site in pops])
    if pops:
        length_km = great_circle_km(sites.lat_deg[:, None], sites.lon_deg[:, None], lat, lon)
    else:
        length_km = np.zeros((len(sites), 1))
    return GroundSegment(
        sites,
        tuple(tuple(each) for each in territories),
        tuple(site.name for site in pops),
        lat,
        lon,
        fibre_ms(length_km, latency) + latency.gateway_ms,
    )


def fibre_ms(great_circle_km: npt.ArrayLike, latency: Latency) -> npt.NDArray[np.float64]:
    """One-way delay of fibre between places so far apart over the ground, detour included."""
    speed_km_ms = SPEED_OF_LIGHT_KM_S / latency.fibre_index / 1e3
    return np.asarray(np.asarray(great_circle_km) * latency.fibre_detour / speed_km_ms)


def landing_classes(
    landing: Sequence[Landing], of_places: Sequence[Collection[str]]
) -> tuple[list[tuple[int, ...]], Ints]:
    """Sort places by the landing rules that bind them.

    Args:
        landing: The rules.
        of_places: The territories of each place.

    Returns:
        The classes, each the indices of the rules that bind its places, and the class of each
        place, shape (n,).
    """
    found: dict[tuple[int, ...], int] = {}
    of = np.empty(len(of_places), dtype=np.int64)
    for index, territories in enumerate(of_places):
        here = set(territories)
        bound = tuple(i for i, rule in enumerate(landing) if here & set(rule.of))
        of[index] = found.setdefault(bound, len(found))
    return list(found), of


def may_land(segment: GroundSegment, landing: Sequence[Landing], rules: Iterable[int]) -> Mask:
    """At which gateways traffic bound by some of the rules may come down: (n_gateway,) bool."""
    allowed = np.ones(len(segment.gateways), dtype=np.bool_)
    for index in rules:
        at = set(landing[index].at)
        allowed &= np.array([bool(at & set(each)) for each in segment.territories], dtype=np.bool_)
    return allowed


class Ends(msgspec.Struct, frozen=True, eq=False):
    """Where paths to the internet may end: at each point of presence, by some gateway.

    Attributes:
        links: from each point of presence to the satellites that some gateway sees: the delay
            down, through the gateway and along the fibre, over the best gateway.
        gateway: (n_link,), that gateway.
    """

    links: GroundLinks
    gateway: npt.NDArray[np.int32]


def internet_ends(segment: GroundSegment, reach: InReach, allowed: Mask) -> Ends:
    """Points of presence as seen from the satellites, over the gateways that are allowed.

    Args:
        segment: The ground.
        reach: Which satellites each gateway can talk to.
        allowed: (n_gateway,), gateways that this traffic may land at.
    """
    down = ground_links(reach)
    gateway = np.repeat(np.arange(len(segment.gateways)), np.diff(reach.offset))
    kept = allowed[gateway]
    gateway, satellite, delay = gateway[kept], down.satellite[kept], down.delay_ns[kept]
    order = np.argsort(satellite, kind="stable")
    gateway, satellite, delay = gateway[order], satellite[order], delay[order]
    seen, first = np.unique(satellite, return_index=True)
    n_pop = segment.fibre_ms.shape[1]
    fibre_ns = np.rint(segment.fibre_ms * 1e6).astype(np.int64)
    total = np.minimum(delay[:, None] + fibre_ns[gateway], UNREACHABLE_NS)
    if not len(seen):
        empty = np.empty(0, np.int32)
        return Ends(GroundLinks(np.zeros(n_pop + 1, np.int64), empty, empty), empty)
    least = np.minimum.reduceat(total, first, axis=0)
    group = np.repeat(np.arange(len(seen)), np.diff(np.append(first, len(satellite))))
    row = np.where(total == least[group], np.arange(len(satellite))[:, None], len(satellite))
    best = gateway[np.minimum.reduceat(row, first, axis=0)]
    return Ends(
        GroundLinks(
            np.arange(n_pop + 1, dtype=np.int64) * len(seen),
            np.tile(seen, n_pop).astype(np.int32),
            least.T.ravel().astype(np.int32),
        ),
        best.T.ravel().astype(np.int32),
    )
