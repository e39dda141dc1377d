"""The links that are up: at a moment, or through one period between two plans."""

from __future__ import annotations

import math
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from spotbeam.kernels.frames import geodetic_to_ecef_km, up_ecef
from spotbeam.kernels.paths import UNREACHABLE_NS, GroundLinks, Links, to_ns
from spotbeam.kernels.paths.ground import InReach, in_reach
from spotbeam.network.topology import AHEAD, NEXT, Topology
from spotbeam.sky.propagation import Propagator
from spotbeam.units import SPEED_OF_LIGHT_KM_S, WGS84_EQUATORIAL_RADIUS_KM

Floats = npt.NDArray[np.float64]
_MS_NS = 1e6


class Sites(msgspec.Struct, frozen=True, eq=False):
    """Places on the ground that have antennas.

    Attributes:
        name: As people call them.
        lat_deg, lon_deg: (n,), WGS 84, height 0.
        min_elevation_deg: their mask; -90 lets the range alone decide.
        position_ecef_km: (n, 3).
        up_ecef: (n, 3).
    """

    name: tuple[str, ...]
    lat_deg: Floats
    lon_deg: Floats
    min_elevation_deg: float
    position_ecef_km: Floats
    up_ecef: Floats

    @classmethod
    def at(
        cls,
        name: tuple[str, ...],
        lat_deg: npt.ArrayLike,
        lon_deg: npt.ArrayLike,
        min_elevation_deg: float,
    ) -> Sites:
        """Sites at places, degrees."""
        lat, lon = np.asarray(lat_deg, np.float64), np.asarray(lon_deg, np.float64)
        return cls(
            name, lat, lon, min_elevation_deg, geodetic_to_ecef_km(lat, lon), up_ecef(lat, lon)
        )

    def __len__(self) -> int:
        return len(self.name)


class Limits(NamedTuple):
    """What a link must keep to."""

    max_link_km: float = math.inf
    link_floor_km: float = 80.0
    max_ground_km: float = math.inf


class Moment(NamedTuple):
    """Satellites at one instant and the links between them.

    Attributes:
        time_us: the instant.
        position_ecef_km: (n_sat, 3), km; NaN where a satellite is failed or cannot be placed.
        length_km: (n_sat, 4), of the links in `Topology.neighbour`; NaN where there is none or
            it is too long, or passes too low.
    """

    time_us: int
    position_ecef_km: Floats
    length_km: Floats


class Mesh:
    """A constellation's links over time."""

    def __init__(self, topology: Topology, propagator: Propagator, limits: Limits) -> None:
        self.topology = topology
        self.limits = limits
        self._propagator = propagator

    def positions_ecef_km(self, times_us: npt.NDArray[np.int64]) -> Floats:
        """Where satellites are: (n_time, n_sat, 3), km; NaN for those that have failed."""
        position_ecef_km, _ = self._propagator.positions_ecef_km(times_us)
        position_ecef_km[:, ~self.topology.is_up] = np.nan
        return position_ecef_km

    def moment(self, time_us: int, position_ecef_km: Floats) -> Moment:
        """The links at an instant, satellites being at (n_sat, 3), km."""
        lengths = link_lengths_km(self.topology, position_ecef_km, self.limits)
        return Moment(time_us, position_ecef_km, lengths)

    def links(self, now: Moment, until: Moment, satellite_ms: float = 0.0) -> Links:
        """Links that are up at both moments, with the delays of the first.

        Args:
            now: When the delays are taken.
            until: The same moment, or the end of a period.
            satellite_ms: added to every link, for the satellite at its far end.
        """
        length_km = np.where(np.isnan(until.length_km), np.nan, now.length_km)
        delay = to_ns(length_km + satellite_ms * SPEED_OF_LIGHT_KM_S / 1e3, SPEED_OF_LIGHT_KM_S)
        neighbour = np.where(np.isnan(length_km), -1, self.topology.neighbour)
        return Links(neighbour.astype(np.int32), delay, self.topology.grids)

    def reach(self, sites: Sites, now: Moment, until: Moment) -> InReach:
        """Satellites that sites can talk to at both moments, with the ranges of the first."""
        found = self._reach_at(sites, now)
        if until.time_us == now.time_us or not found.satellite.size:
            return found
        later = self._reach_at(sites, until)
        n_sat = len(now.position_ecef_km)
        pair, later_pair = (
            np.repeat(np.arange(len(sites)), np.diff(each.offset)) * n_sat + each.satellite
            for each in (found, later)
        )
        stays = np.isin(pair, later_pair, assume_unique=True)
        offset = np.concatenate([[0], np.cumsum(stays)])[found.offset]
        return InReach(offset, found.satellite[stays], found.range_km[stays])

    def _reach_at(self, sites: Sites, moment: Moment) -> InReach:
        return in_reach(
            sites.position_ecef_km,
            sites.up_ecef,
            moment.position_ecef_km,
            sites.min_elevation_deg,
            self.limits.max_ground_km,
        )


def ground_links(reach: InReach, extra_ms: float = 0.0) -> GroundLinks:
    """Ground links with their delays, each with some milliseconds added."""
    delay = to_ns(reach.range_km + extra_ms * SPEED_OF_LIGHT_KM_S / 1e3, SPEED_OF_LIGHT_KM_S)
    return GroundLinks(reach.offset, reach.satellite, delay)


def link_lengths_km(topology: Topology, position_ecef_km: Floats, limits: Limits) -> Floats:
    """Length of every link at one moment: (n_sat, 4), km; NaN where it is not up.

    A link is up if it is no longer than `max_link_km` and its straight line passes no lower than
    `link_floor_km` over a sphere of the equatorial radius. The same number stands at both ends.
    """
    length_km = np.full(topology.neighbour.shape, np.nan)
    floor_km = WGS84_EQUATORIAL_RADIUS_KM + limits.link_floor_km
    for column in (AHEAD, NEXT):
        row = np.flatnonzero(topology.neighbour[:, column] >= 0)
        other = topology.neighbour[row, column]
        here, there = position_ecef_km[row], position_ecef_km[other]
        line = there - here
        square = np.einsum("ij,ij->i", line, line)
        # Where along the line it is nearest to the Earth's centre; beyond its ends, an end is.
        with np.errstate(invalid="ignore", divide="ignore"):
            along = np.clip(-np.einsum("ij,ij->i", here, line) / square, 0.0, 1.0)
        nearest = here + along[:, None] * line
        good = square <= limits.max_link_km**2
        good &= np.einsum("ij,ij->i", nearest, nearest) >= floor_km**2
        length = np.where(good, np.sqrt(square), np.nan)
        length_km[row, column] = length
        length_km[other, column + 1] = length
    return length_km


def is_up(delay_ns: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
    """Which delays stand for a link or a path that exists."""
    return np.asarray(delay_ns < UNREACHABLE_NS)
