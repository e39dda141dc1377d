"""Why a place, or a terminal, is served or not: everything that the answer rests on."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import msgspec
import numpy as np

from spotbeam.kernels.frames import geodetic_to_ecef_km, look_angles
from spotbeam.service.conditions import Case, Condition, conditions
from spotbeam.service.memory import FRESH, SETTLED, remember
from spotbeam.service.policy import Policy
from spotbeam.service.position import Motion, place
from spotbeam.service.rules import Rule
from spotbeam.service.status import is_withheld_at, service_state, word_of
from spotbeam.service.terminals import Terminal
from spotbeam.service.verdict import Verdict, verdict
from spotbeam.sky.propagation import Propagator, propagator
from spotbeam.times import MICROSECONDS, format_time
from spotbeam.twin.changes import Change, changes
from spotbeam.twin.way_here import RouteHere, route_here, ways_to_open
from spotbeam.twin.world import World, age_warning

_SEARCH_STEP_US = 15 * MICROSECONDS
_SEARCH_STEPS = 1440  # six hours
_SEARCH_BLOCK = 60
_DISTANCES_KM = (2, 5, 10, 20, 50, 100, 200, 400)
_BEARINGS_DEG = tuple(range(0, 360, 15))


class SatelliteInView(msgspec.Struct, frozen=True, kw_only=True):
    """A satellite above the mask, as seen from the place."""

    id: int
    name: str
    elevation_deg: float
    azimuth_deg: float
    range_km: float


class TerritoryHere(msgspec.Struct, frozen=True, kw_only=True):
    """A territory that the place belongs to, and who says what of the land at this place."""

    id: str
    name: str
    claimed_by: tuple[str, ...]
    administered_by: tuple[str, ...]
    citation: str


class RuleHere(msgspec.Struct, frozen=True, kw_only=True):
    """A rule and what it found."""

    id: str
    effect: str
    gate: str | None
    matched: bool
    decided: bool
    grounds: tuple[str, ...]
    conditions: tuple[dict[str, Any], ...]


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """The whole answer.

    Attributes:
        outcome: `allow`, `limit` or `deny`: the verdict.
        reason: The verdict's reason; where it allows, `no_satellite` if none is in view,
            a key of `routes.NO_ROUTE` if there is no way on; `OK`.
        service_state: `served`, `limited`, `no_satellite`, `no_route` or `denied`; denied wins
            over physics.
        route: The way to the internet, or why there is none; None where the scenario has no
            table `[network]`, and nothing then depends on it.
        status: The public word.
        next_satellite: When one comes into view, if none is; None if not within six hours.
    """

    scenario: str
    time: str
    view: str
    lat_deg: float
    lon_deg: float
    terminal: Terminal
    territories: tuple[TerritoryHere, ...]
    satellites: tuple[SatelliteInView, ...]
    min_elevation_deg: float
    rules: tuple[RuleHere, ...]
    outcome: str
    reason: str
    service_state: str
    status: str
    rule: str | None
    verdict: Verdict
    changes: tuple[Change, ...]
    next_satellite: str | None
    notices: tuple[str, ...]
    route: RouteHere | None = None


def explain(world: World, terminal: Terminal, at_us: int) -> Explanation:
    """Explain the answer for one terminal at one moment.

    Args:
        world: The scenario, resolved.
        terminal: With its position and motion.
        at_us: When.
    """
    engine = propagator(world.sky.in_service, engine="sgp4")
    satellites = satellites_in_view(world, engine, terminal, at_us)
    decided = decide(world, at_us, terminal, world.policy)
    face = world.ground.locate(np.array([terminal.lat_deg]), np.array([terminal.lon_deg]))[0]
    ids = world.ground.face_territories[face]
    found = changes(terminal, world.policy, decided, ids, partial(_decide_other, world, at_us))
    if decided.outcome == "deny":
        found += _elsewhere(world, terminal, at_us, decided)
    upcoming = None if satellites else _next_in_view(world, engine, terminal, at_us)
    route = None
    here = (terminal.lat_deg, terminal.lon_deg, ids, at_us)
    if world.scenario.network is not None:
        route = route_here(world, *here)
    state = service_state(
        decided.outcome,
        has_satellite=bool(satellites),
        has_route=route is None or route.reason is None,
    )
    if state == "no_route":
        found += ways_to_open(world, *here, decided)
    is_withheld = is_withheld_at(world.policy, ids, at_us)
    reason = decided.reason if state in ("denied", "limited") else "OK"
    if state == "no_satellite":
        reason = "no_satellite"
    elif state == "no_route" and route is not None and route.reason is not None:
        reason = route.reason
    return Explanation(
        scenario=world.scenario.name,
        time=format_time(at_us),
        view=world.scenario.view,
        lat_deg=terminal.lat_deg,
        lon_deg=terminal.lon_deg,
        terminal=terminal,
        territories=_territories(world, terminal, ids),
        satellites=tuple(satellites),
        min_elevation_deg=world.sky.min_elevation_deg,
        rules=_rules(world, terminal, at_us, decided),
        outcome=decided.outcome,
        reason=reason,
        service_state=state,
        status=word_of(state, decided.reason, is_withheld=is_withheld),
        rule=decided.rule,
        verdict=decided,
        changes=tuple(found),
        next_satellite=None if upcoming is None else format_time(upcoming),
        notices=_notices(world, at_us),
        route=route,
    )


def _notices(world: World, at_us: int) -> tuple[str, ...]:
    """The world's notices, and one more if the moment is too far from the element sets."""
    age_s = world.sky.age_s
    if age_s is None:
        return world.notices
    later_s = (at_us - world.grid.start_us) / MICROSECONDS
    warning = age_warning(world.scenario, age_s + later_s)
    if warning is None or any(warning in notice for notice in world.notices):
        return world.notices
    return (*world.notices, f"{world.sky.source}: at {format_time(at_us)} {warning}")


def decide(world: World, at_us: int, terminal: Terminal, policy: Policy) -> Verdict:
    """The verdict on a terminal where it says it is, moving as it says."""
    memory = SETTLED if world.scenario.memory == "settled" else FRESH
    motion = Motion(speed_kmh=terminal.speed_kmh, altitude_m=terminal.altitude_m)
    position = place(
        policy,
        world.ground,
        terminal.lat_deg,
        terminal.lon_deg,
        error_m=terminal.position_error_m,
        assurance=terminal.assurance,
    )
    view = world.scenario.view
    return verdict(policy, terminal, position, motion, memory, at_us, view)[0]


def _decide_other(world: World, at_us: int, terminal: Terminal, policy: Policy) -> Verdict:
    return decide(world, at_us, terminal, policy)


def satellites_in_view(
    world: World, engine: Propagator, terminal: Terminal, at_us: int
) -> list[SatelliteInView]:
    """Satellites at or above the mask at the ground below the terminal, the highest first.

    The ground (height 0), not the terminal's altitude: as in a forecast.
    """
    azimuth_deg, elevation_deg, range_km = _look(world, engine, terminal, np.array([at_us]))
    seen = np.flatnonzero(elevation_deg[0] >= world.sky.min_elevation_deg)
    seen = seen[np.argsort(-elevation_deg[0][seen], kind="stable")]
    elements = world.sky.in_service
    return [
        SatelliteInView(
            id=int(elements.catalogue_number[index]),
            name=elements.name[index],
            elevation_deg=round(float(elevation_deg[0, index]), 4),
            azimuth_deg=round(float(azimuth_deg[0, index]), 4),
            range_km=round(float(range_km[0, index]), 3),
        )
        for index in seen
    ]


def _look(
    world: World, engine: Propagator, terminal: Terminal, times_us: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    position_ecef_km, _ = engine.positions_ecef_km(times_us)
    if world.scenario.network is not None:
        failed = world.scenario.network.failed_satellites
        position_ecef_km[:, np.isin(world.sky.in_service.catalogue_number, failed)] = np.nan
    site_ecef_km = geodetic_to_ecef_km(terminal.lat_deg, terminal.lon_deg, 0.0)
    return look_angles(site_ecef_km, terminal.lat_deg, terminal.lon_deg, position_ecef_km)


def _next_in_view(world: World, engine: Propagator, terminal: Terminal, at_us: int) -> int | None:
    for first in range(1, _SEARCH_STEPS, _SEARCH_BLOCK):
        steps = np.arange(first, first + _SEARCH_BLOCK, dtype=np.int64)
        times_us = at_us + steps * _SEARCH_STEP_US
        _, elevation_deg, _ = _look(world, engine, terminal, times_us)
        seen = np.nanmax(elevation_deg, axis=1, initial=-90.0) >= world.sky.min_elevation_deg
        if seen.any():
            return int(times_us[seen.argmax()])
    return None


def _territories(
    world: World, terminal: Terminal, ids: tuple[str, ...]
) -> tuple[TerritoryHere, ...]:
    """The territories of the place. Of a country with disputed parts, only this part counts."""
    pieces = world.ground.pieces_at(terminal.lat_deg, terminal.lon_deg)
    holders = {holder for piece in pieces for holder in piece.administered_by.split("/")}
    claimants = {state for piece in pieces for state in piece.claimed_by}
    citations = list(dict.fromkeys(piece.citation for piece in pieces))
    found = []
    for name in ids:
        standing = world.ground.standing(name)
        is_of_pieces = bool(pieces) and not (name.startswith("h3:") or world.ground.is_own(name))
        is_land = is_of_pieces and not name.endswith("/sea")
        found.append(
            TerritoryHere(
                id=name,
                name=world.ground.name_of(name),
                claimed_by=tuple(sorted(claimants)) if is_of_pieces else standing.claimed_by,
                administered_by=tuple(sorted(holders - {""}))
                if is_of_pieces
                else standing.administered_by,
                citation="; ".join(citations) if is_land else standing.citation,
            )
        )
    return tuple(found)


def _rules(world: World, terminal: Terminal, at_us: int, decided: Verdict) -> tuple[RuleHere, ...]:
    position = place(
        world.policy,
        world.ground,
        terminal.lat_deg,
        terminal.lon_deg,
        error_m=terminal.position_error_m,
        assurance=terminal.assurance,
    )
    motion = Motion(speed_kmh=terminal.speed_kmh, altitude_m=terminal.altitude_m)
    memory = SETTLED if world.scenario.memory == "settled" else FRESH
    remembered = remember(world.policy, position, motion, memory, at_us)
    case = Case(world.policy, terminal, position, motion, remembered, at_us)
    return tuple(_rule(rule, case, decided) for rule in world.policy.rules)


def _rule(rule: Rule, case: Case, decided: Verdict) -> RuleHere:
    return RuleHere(
        id=rule.id,
        effect=rule.effect,
        gate=rule.gate,
        matched=rule.id in decided.matched,
        decided=rule.id == decided.rule,
        grounds=rule.grounds,
        conditions=tuple(_condition(condition) for condition in conditions(rule, case)),
    )


def _condition(condition: Condition) -> dict[str, Any]:
    found = condition.found
    if isinstance(found, tuple | list | set | frozenset):
        found = [list(item) if isinstance(item, tuple) else item for item in found]
    return {"field": condition.field, "holds": condition.holds, "found": found}


def _elsewhere(world: World, terminal: Terminal, at_us: int, decided: Verdict) -> list[Change]:
    """The nearest place, of those tried in all directions, where the answer is another."""
    for distance_km in _DISTANCES_KM:
        for bearing_deg in _BEARINGS_DEG:
            lat_deg, lon_deg = _moved(terminal.lat_deg, terminal.lon_deg, distance_km, bearing_deg)
            other = msgspec.structs.replace(terminal, lat_deg=lat_deg, lon_deg=lon_deg)
            after = decide(world, at_us, other, world.policy)
            if after.outcome != decided.outcome:
                face = world.ground.locate(np.array([lat_deg]), np.array([lon_deg]))[0]
                where = ", ".join(world.ground.face_territories[face])
                return [
                    Change(
                        kind="place",
                        text=f"{distance_km} km away, at {lat_deg:.4f}, {lon_deg:.4f} ({where}): "
                        f"{'allowed' if after.outcome == 'allow' else 'allowed with a limit'}",
                        patch={"lat_deg": lat_deg, "lon_deg": lon_deg},
                        outcome=after.outcome,
                        reason=after.reason,
                    )
                ]
    return []


def _moved(
    lat_deg: float, lon_deg: float, distance_km: float, bearing_deg: float
) -> tuple[float, float]:
    """The point at a distance and bearing on a sphere of 6371 km."""
    angle = distance_km / 6371.0
    lat, bearing = np.radians(lat_deg), np.radians(bearing_deg)
    to_lat = np.arcsin(np.sin(lat) * np.cos(angle) + np.cos(lat) * np.sin(angle) * np.cos(bearing))
    turn = np.arctan2(
        np.sin(bearing) * np.sin(angle) * np.cos(lat), np.cos(angle) - np.sin(lat) * np.sin(to_lat)
    )
    lon = (lon_deg + np.degrees(turn) + 180.0) % 360.0 - 180.0
    return round(float(np.degrees(to_lat)), 6), round(float(lon), 6)


def as_json(explanation: Explanation) -> Mapping[str, Any]:
    """The explanation as plain data; only rules that matched are under `rules`."""
    data: dict[str, Any] = msgspec.to_builtins(explanation)
    for satellite in data["satellites"]:
        # The bare words are for scripts; the unit stands in the other name.
        satellite["elevation"] = satellite["elevation_deg"]
        satellite["azimuth"] = satellite["azimuth_deg"]
        satellite["range"] = satellite["range_km"]
    data["rules_not_matched"] = [rule for rule in data["rules"] if not rule["matched"]]
    data["rules"] = [rule for rule in data["rules"] if rule["matched"]]
    return data
