"""Shortest delays between stations over satellites, and the hops that lead along them.

Stations are where paths begin and end and never in between: their links enter as starting values
and are left out of the links that paths follow. Delays are whole nanoseconds, one way. A link's
delay is the same both ways, so that a table of delays *to* stations is one of delays *from* them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spotbeam.kernels.paths import compiled
from spotbeam.kernels.paths.compiled import DOWN, NO_HOP, UNREACHABLE_NS
from spotbeam.kernels.paths.exact import settle_exact

__all__ = [
    "DOWN",
    "NO_HOP",
    "UNREACHABLE_NS",
    "GroundLinks",
    "Hops",
    "Links",
    "next_hops",
    "satellite_delays_ns",
    "settle_exact",
    "start_ns",
    "station_delays_ns",
    "to_ns",
]

Delays = npt.NDArray[np.int32]
Rows = npt.NDArray[np.int32]


class Links(NamedTuple):
    """Links between satellites at one moment.

    Attributes:
        neighbour: (n_sat, k) int32, the satellites that each is linked to; -1 for none.
        delay_ns: (n_sat, k) int32, one way, the same in both directions; `UNREACHABLE_NS` where
            there is no link or it is down.
        grids: (n_grid, 4) int64: first row, planes, slots, and by how many slots the last plane's
            links to the first are shifted (-1: a seam, no such links). Rows are then plane by
            plane, and the four neighbours are ahead, behind, next plane, previous plane. Empty
            where links are irregular.
    """

    neighbour: Rows
    delay_ns: Delays
    grids: npt.NDArray[np.int64]


class GroundLinks(NamedTuple):
    """Links between n stations and satellites at one moment.

    Attributes:
        offset: (n + 1,) int64, where each station's links begin.
        satellite: (n_link,) int32.
        delay_ns: (n_link,) int32, one way.
    """

    offset: npt.NDArray[np.int64]
    satellite: Rows
    delay_ns: Delays


class Hops(NamedTuple):
    """Where traffic to each of n stations goes next.

    Attributes:
        satellite: (n_to, n_sat) int32: the next satellite, `DOWN` to the station, or `NO_HOP`.
        station: (n_from, n_to) int32: the satellite that a sending station hands it to.
        delay_ns: (n_from, n_to) int32, one way.
    """

    satellite: Rows
    station: Rows
    delay_ns: Delays


def to_ns(distance_km: npt.ArrayLike, speed_km_s: float) -> Delays:
    """Delays of distances; `UNREACHABLE_NS` for NaN and for more than a second."""
    delay = np.rint(np.asarray(distance_km, dtype=np.float64) * (1e9 / speed_km_s))
    return np.nan_to_num(delay, nan=UNREACHABLE_NS).clip(1, UNREACHABLE_NS).astype(np.int32)


def station_delays_ns(links: Links, origins: GroundLinks, ends: GroundLinks) -> Delays:
    """The least delay of every pair of stations.

    Returns:
        (n_origin, n_end) int32, ns, one way; `UNREACHABLE_NS` where there is no path.
    """
    n_ends = len(ends.offset) - 1
    found = np.empty((len(origins.offset) - 1, n_ends), dtype=np.int32)
    table = np.empty((len(links.neighbour), compiled.LANES), dtype=np.int32)
    for first in range(0, n_ends, compiled.LANES):
        stop = min(first + compiled.LANES, n_ends)
        compiled.tables(first, stop, *links, *ends, table)
        compiled.join(table, stop - first, *origins, first, found)
    return found


def satellite_delays_ns(links: Links, ends: GroundLinks) -> Delays:
    """The least delay from every satellite to every station: (n_sat, n_end) int32, ns, one way."""
    n_ends = len(ends.offset) - 1
    found = np.empty((len(links.neighbour), n_ends), dtype=np.int32)
    table = np.empty((len(links.neighbour), compiled.LANES), dtype=np.int32)
    for first in range(0, n_ends, compiled.LANES):
        stop = min(first + compiled.LANES, n_ends)
        compiled.tables(first, stop, *links, *ends, table)
        found[:, first:stop] = table[:, : stop - first]
    return found


def next_hops(links: Links, origins: GroundLinks, ends: GroundLinks) -> Hops:
    """The whole forwarding table: of every satellite and every sending station, to every station.

    Of several shortest ways the first counts: down before links, links in their order.
    """
    n_ends, n_origins = len(ends.offset) - 1, len(origins.offset) - 1
    found = Hops(
        np.empty((n_ends, len(links.neighbour)), dtype=np.int32),
        np.empty((n_origins, n_ends), dtype=np.int32),
        np.empty((n_origins, n_ends), dtype=np.int32),
    )
    table = np.empty((len(links.neighbour), compiled.LANES), dtype=np.int32)
    for first in range(0, n_ends, compiled.LANES):
        stop = min(first + compiled.LANES, n_ends)
        compiled.tables(first, stop, *links, *ends, table)
        compiled.hops(
            table, first, stop, links.neighbour, links.delay_ns, *ends, found.satellite
        )  # fmt: skip
        compiled.station_hops(table, stop - first, *origins, first, found.station)
        compiled.join(table, stop - first, *origins, first, found.delay_ns)
    return found


def start_ns(n_sat: int, ends: GroundLinks) -> Delays:
    """Delays over the ground links alone: (n_sat, n_end), what the settling starts from."""
    n_ends = len(ends.offset) - 1
    found = np.full((n_sat, n_ends), UNREACHABLE_NS, dtype=np.int32)
    station = np.repeat(np.arange(n_ends), np.diff(ends.offset))
    np.minimum.at(found, (ends.satellite, station), ends.delay_ns)
    return found
