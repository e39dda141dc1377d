"""The sky over a terminal that moves: which satellite serves it, how high, and the way on.

The network plans anew every 15 seconds, as the real one does (FCC filing SAT-MOD-20200417-00037,
and every measurement since), or as often as the scenario says; a period's plan keeps to links that
last through it. So a terminal is handed over at the beginning of a period and at no other time.
Satellites are propagated every 15 seconds at least; between these instants a cubic through four of
them is within 2 cm of SGP4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spotbeam.kernels.frames import geodetic_to_ecef_km, up_ecef
from spotbeam.land.gateways import GroundSite
from spotbeam.network.ground_segment import may_land
from spotbeam.network.mesh import Sites
from spotbeam.network.routing import (
    Plan,
    ToInternet,
    internet_choices,
    path_to_internet,
    plan,
)
from spotbeam.twin.nets import Net, periods, territories_at
from spotbeam.twin.routes import binding_landing, terminals, why_no_internet
from spotbeam.twin.trips.track import Moving
from spotbeam.twin.world import World

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
PositionsAt = Callable[[Ints], Floats]
# A cubic through instants further apart would be further off.
_KNOT_US = 15_000_000
_KNOTS_AT_A_TIME = 64
_STEPS_AT_A_TIME = 512
# A terminal that flies may leave its satellite this far under the mask before the period ends;
# one that is found further away than it can go has left the plan behind.
_SLACK_DEG = 1.0


class SkySteps(NamedTuple):
    """The sky at each step, (n_step,).

    Attributes:
        satellite: Row of the serving satellite; -1 where there is none.
        elevation_deg: Of it; NaN where there is none.
        in_view: Satellites at or above the mask.
        round_trip_ms: To the point of presence; NaN where there is no way.
        gateway: Row of the gateway; -1 where there is no way.
        pop: Row of the point of presence; -1 likewise.
        reason: Why there is no way, a key of `routes.NO_ROUTE`; empty where there is one.
    """

    satellite: Ints
    elevation_deg: Floats
    in_view: Ints
    round_trip_ms: Floats
    gateway: Ints
    pop: Ints
    reason: list[str]


class _Way(NamedTuple):
    """What a plan has for a terminal.

    Attributes:
        sites: Its place.
        choice: The way from there.
        reason: Why there is none, a key of `routes.NO_ROUTE`; empty where there is one.
        waiting: Row of the satellite that it hangs on without a way; -1 for none.
    """

    sites: Sites
    choice: ToInternet
    reason: str
    waiting: int


def sky_over(world: World, net: Net, moving: Moving) -> SkySteps:
    """The sky over each step of a trip; nothing is known where the position is not."""
    n = len(moving.time_us)
    found = SkySteps(
        satellite=np.full(n, -1, dtype=np.int64),
        elevation_deg=np.full(n, np.nan),
        in_view=np.zeros(n, dtype=np.int64),
        round_trip_ms=np.full(n, np.nan),
        gateway=np.full(n, -1, dtype=np.int64),
        pop=np.full(n, -1, dtype=np.int64),
        reason=["no_position"] * n,
    )
    for steps, period, positions_at in _plans(net, moving):
        at_first = positions_at(moving.time_us[steps[:1]])
        way = _way_of(world, net, moving, int(steps[0]), period, at_first)
        # A long period of short steps is looked at part by part, so that memory does not grow.
        for first in range(0, len(steps), _STEPS_AT_A_TIME):
            part = steps[first : first + _STEPS_AT_A_TIME]
            _fill(net, moving, found, part, way, positions_at(moving.time_us[part]))
    return found


def _plans(net: Net, moving: Moving) -> Iterator[tuple[Ints, Plan, PositionsAt]]:
    """Steps of each period with a known position, its plan, and where satellites are in it."""
    known = np.flatnonzero(~np.isnan(moving.lat_deg))
    times_us, period_us = moving.time_us[known], net.period_us
    if period_us is None:
        for period, group, positions in periods(net, times_us):
            yield known[group], period, partial(_exactly, times_us[group], positions)
        return
    starts = times_us // period_us * period_us
    cuts = np.flatnonzero(np.diff(starts)) + 1
    groups = np.split(known, cuts) if len(known) else []
    parts = -(-period_us // _KNOT_US)
    # From a knot before the period to one after it; that at its end is exactly there.
    along_us = np.arange(-1, parts + 2) * period_us // parts
    at_a_time = max(1, _KNOTS_AT_A_TIME // parts)
    for first in range(0, len(groups), at_a_time):
        some = groups[first : first + at_a_time]
        begins = moving.time_us[[group[0] for group in some]] // period_us * period_us
        knots = np.unique(np.concatenate([begin + along_us for begin in begins]))
        at_knots = net.mesh.positions_ecef_km(knots)
        for group, begin in zip(some, begins, strict=True):
            rows = np.searchsorted(knots, begin + along_us)
            now, until = (
                net.mesh.moment(int(knots[row]), at_knots[row]) for row in (rows[1], rows[-2])
            )
            period = plan(net.mesh, now, until, net.settings.latency)
            yield group, period, partial(_between, knots[rows], at_knots[rows])


def _exactly(at_us: Ints, positions: Floats, times_us: Ints) -> Floats:
    """Where satellites are at some of the instants that they were propagated to."""
    return positions[np.searchsorted(at_us, times_us)]


def _between(knots_us: Ints, at_knots: Floats, times_us: Ints) -> Floats:
    """Where satellites are at instants from the second knot to the last but one."""
    found = np.empty((len(times_us), *at_knots.shape[1:]))
    left = np.searchsorted(knots_us, times_us, side="right") - 1
    for row in np.unique(left):
        is_here = left == row
        along = (times_us[is_here] - knots_us[row]) / (knots_us[row + 1] - knots_us[row])
        found[is_here] = np.tensordot(_cubic(along), at_knots[row - 1 : row + 3], axes=1)
    return found


def _cubic(along: Floats) -> Floats:
    """Lagrange weights of the knots at -1, 0, 1 and 2 for points in [0, 1]: (n, 4)."""
    u = along
    return np.stack(
        [
            -u * (u - 1) * (u - 2) / 6,
            (u + 1) * (u - 1) * (u - 2) / 2,
            -(u + 1) * u * (u - 2) / 2,
            (u + 1) * u * (u - 1) / 6,
        ],
        axis=-1,
    )


def _way_of(
    world: World, net: Net, moving: Moving, step: int, period: Plan, position_ecef_km: Floats
) -> _Way:
    """The way that a plan has for a terminal where it is at a step."""
    lat, lon = float(moving.lat_deg[step]), float(moving.lon_deg[step])
    place = GroundSite(name="terminal", lat_deg=lat, lon_deg=lon)
    landing = binding_landing(net, territories_at(world, [place])[0])
    allowed = may_land(net.segment, net.settings.landing, landing)
    sites = terminals(net, (place,))
    choice = internet_choices(net.mesh, period, sites, net.segment, allowed)
    reason, waiting = "", -1
    if choice.pop[0] < 0:
        anywhere = np.ones_like(allowed)
        free = internet_choices(net.mesh, period, sites, net.segment, anywhere)
        could_land = bool(landing) and bool(free.pop[0] >= 0)
        reason = why_no_internet(net, period, sites, could_land=could_land)
        at = moving.lat_deg[[step]], moving.lon_deg[[step]]
        waiting = _highest(
            _elevations(*at, position_ecef_km)[0],
            _elevations(*at, period.until.position_ecef_km[None])[0],
            net.min_elevation_deg,
        )
    return _Way(sites, choice, reason, waiting)


def _highest(first_deg: Floats, last_deg: Floats, mask_deg: float) -> int:
    """The highest satellite that stays above the mask, or if none does that is; -1 for none.

    Args:
        first_deg: Elevations at the first step of a period.
        last_deg: At its end.
        mask_deg: The terminal's.
    """
    is_seen = first_deg >= mask_deg
    stays = is_seen & (last_deg >= mask_deg)
    if not is_seen.any():
        return -1
    return int(np.argmax(np.where(stays if stays.any() else is_seen, first_deg, -np.inf)))


def _fill(
    net: Net, moving: Moving, found: SkySteps, steps: Ints, way: _Way, position_ecef_km: Floats
) -> None:
    lat, lon = moving.lat_deg[steps], moving.lon_deg[steps]
    elevation_deg = _elevations(lat, lon, position_ecef_km)
    is_seen = elevation_deg >= net.min_elevation_deg
    found.in_view[steps] = is_seen.sum(axis=1)
    for number, step in enumerate(steps):
        path = path_to_internet(
            position_ecef_km[number], way.choice, way.sites, 0, net.segment, net.settings.latency
        )
        reason, satellite = way.reason, way.waiting
        least_deg = net.min_elevation_deg
        if path is not None:
            satellite = path.satellites[0]
            least_deg -= _SLACK_DEG
        if satellite >= 0 and not elevation_deg[number, satellite] >= least_deg:
            reason, satellite = reason or "no_lasting_satellite", -1
        found.satellite[step] = satellite
        found.reason[step] = reason
        if satellite >= 0:
            found.elevation_deg[step] = elevation_deg[number, satellite]
        if path is not None and not reason:
            found.round_trip_ms[step] = path.round_trip_ms
            found.gateway[step] = -1 if path.gateway is None else path.gateway
            found.pop[step] = -1 if path.pop is None else path.pop


def _elevations(lat_deg: Floats, lon_deg: Floats, position_ecef_km: Floats) -> Floats:
    """Of every satellite over each step, degrees: (n_step, n_sat)."""
    site, up = geodetic_to_ecef_km(lat_deg, lon_deg), up_ecef(lat_deg, lon_deg)
    line = position_ecef_km - site[:, None, :]
    height = np.einsum("sij,sj->si", line, up)
    return np.asarray(np.degrees(np.arcsin(height / np.linalg.norm(line, axis=2))))
