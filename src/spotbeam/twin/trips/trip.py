"""A trip: for every step who served it, how well, what the policy said and why not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from spotbeam.service.memory import FRESH, Memory
from spotbeam.service.position import Motion, Position, places
from spotbeam.service.status import service_state
from spotbeam.service.terminals import Terminal
from spotbeam.service.verdict import Verdict, verdict
from spotbeam.times import MICROSECONDS, format_duration, format_time
from spotbeam.twin.nets import Net
from spotbeam.twin.routes import NO_ROUTE
from spotbeam.twin.trips.assurance import Assuring, assurance
from spotbeam.twin.trips.sky import SkySteps, sky_over
from spotbeam.twin.trips.track import Moving, Track, sampled
from spotbeam.twin.world import World

Progress = Callable[[int, int], object]
_AT_ONCE = 3_600


class Leg(msgspec.Struct, frozen=True, kw_only=True):
    """Steps one after the other with one state, for one reason, by one rule.

    Attributes:
        first, stop: Steps, `stop` excluded.
        state: `served`, `limited`, `no_satellite`, `no_route`, or `denied`.
        reason: `OK`, a verdict's reason, a key of `NO_ROUTE`, or `no_satellite`.
        rule: That decided; None where physics or a default did.
    """

    first: int
    stop: int
    state: str
    reason: str
    rule: str | None

    @property
    def is_served(self) -> bool:
        return self.state in ("served", "limited")


class Handover(msgspec.Struct, frozen=True, kw_only=True):
    """From one satellite to another, by catalogue number, at the first step under the other."""

    step: int
    from_id: int
    to_id: int


class Trip(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """All of it.

    Attributes:
        step_us: From one step to the next.
        longest_gap_us: Between fixes that are further apart, nobody knows where it was.
        period_us: How long the network's plans hold; None where it plans at every moment.
        level: Position assurance at each step.
        verdicts: What the policy said at each step.
        memory: What is remembered after the last.
    """

    track: Track
    terminal: Terminal
    step_us: int
    longest_gap_us: int
    period_us: int | None
    moving: Moving
    sky: SkySteps
    level: np.ndarray
    verdicts: tuple[Verdict, ...]
    memory: Memory
    legs: tuple[Leg, ...]
    handovers: tuple[Handover, ...]

    @property
    def gaps(self) -> tuple[Leg, ...]:
        """The legs without service."""
        return tuple(leg for leg in self.legs if not leg.is_served)

    @property
    def end_us(self) -> int:
        """When the last fix was: up to a step later than the last step."""
        return int(self.track.time_us[-1])

    @property
    def may_miss_handovers(self) -> bool:
        """Whether the network plans more often than there are steps."""
        return self.period_us is None or self.step_us > self.period_us

    def span_us(self, leg: Leg) -> tuple[int, int]:
        """From when to when: the first step of a leg to that of the next, or to the end."""
        times_us = self.moving.time_us
        until = int(times_us[leg.stop]) if leg.stop < len(times_us) else self.end_us
        return int(times_us[leg.first]), until


def trace(
    world: World,
    net: Net,
    terminal: Terminal,
    track: Track,
    *,
    step_us: int = MICROSECONDS,
    longest_gap_us: int = 600 * MICROSECONDS,
    level: int | None = None,
    assuring: Assuring | None = None,
    memory: Memory = FRESH,
    progress: Progress | None = None,
) -> Trip:
    """Follow a terminal along a track.

    Args:
        world: The scenario, resolved.
        net: Its network, or the usual one.
        terminal: Who travels; where and how fast is the track's to say.
        track: The fixes.
        step_us: From one verdict to the next.
        longest_gap_us: Between fixes that are further apart, nobody knows where it was.
        level: Position assurance throughout; None: as the track bears out.
        assuring: What the track is held to for that.
        memory: What is remembered of the terminal from before.
        progress: Told how many steps are decided, and of how many.
    """
    moving = sampled(track, step_us, longest_gap_us)
    sky = sky_over(world, net, moving)
    if level is None:
        levels = assurance(track, terminal.mobility, assuring)[moving.fix]
    else:
        levels = np.full(len(moving.time_us), level, dtype=np.int64)
    verdicts, after, speed_kmh = [], memory, 0.0
    for position, index in _positions(world, moving, levels, terminal):
        # Silence says nothing of a speed: the last one that is known stands.
        if not np.isnan(moving.speed_kmh[index]):
            speed_kmh = float(moving.speed_kmh[index])
        motion = Motion(speed_kmh=speed_kmh, altitude_m=float(moving.altitude_m[index]))
        now_us = int(moving.time_us[index])
        found, after = verdict(
            world.policy, terminal, position, motion, after, now_us, world.scenario.view
        )
        verdicts.append(found)
        if progress is not None and index % _AT_ONCE == 0:
            progress(index, len(moving.time_us))
    return Trip(
        track=track,
        terminal=terminal,
        step_us=step_us,
        longest_gap_us=longest_gap_us,
        period_us=net.period_us,
        moving=moving,
        sky=sky,
        level=levels,
        verdicts=tuple(verdicts),
        memory=after,
        legs=tuple(_legs(world, sky, verdicts, ~np.isnan(moving.lat_deg))),
        handovers=tuple(_handovers(net, sky)),
    )


def _positions(
    world: World, moving: Moving, levels: np.ndarray, terminal: Terminal
) -> Iterator[tuple[Position, int]]:
    error_m = np.fmax(moving.error_m, terminal.position_error_m)
    for first in range(0, len(levels), _AT_ONCE):
        part = slice(first, first + _AT_ONCE)
        found = places(
            world.policy,
            world.ground,
            moving.lat_deg[part],
            moving.lon_deg[part],
            error_m[part],
            levels[part],
        )
        yield from ((position, first + number) for number, position in enumerate(found))


def _legs(
    world: World, sky: SkySteps, verdicts: list[Verdict], known: npt.NDArray[np.bool_]
) -> Iterator[Leg]:
    has_network = world.scenario.network is not None
    keys: list[tuple[str, str, str | None]] = []
    for index, found in enumerate(verdicts):
        state = str(
            service_state(
                found.outcome,
                has_satellite=bool(sky.in_view[index]),
                has_route=not has_network or not sky.reason[index],
            )
        )
        reason, rule = found.reason, found.rule
        if state == "no_satellite":
            reason, rule = "no_satellite" if known[index] else "UNKNOWN_LOCATION", None
        elif state == "no_route":
            reason, rule = sky.reason[index], None
        elif state == "served":
            reason, rule = "OK", None
        keys.append((state, reason, rule))
    first = 0
    for index in range(1, len(keys) + 1):
        if index == len(keys) or keys[index] != keys[first]:
            state, reason, rule = keys[first]
            yield Leg(first=first, stop=index, state=state, reason=reason, rule=rule)
            first = index


def _handovers(net: Net, sky: SkySteps) -> Iterator[Handover]:
    """Changes of satellite from one step to the next; to lose it or to find one is none."""
    numbers = net.elements.catalogue_number
    before, after = sky.satellite[:-1], sky.satellite[1:]
    for step in np.flatnonzero((before != after) & (before >= 0) & (after >= 0)):
        from_id, to_id = int(numbers[before[step]]), int(numbers[after[step]])
        yield Handover(step=int(step) + 1, from_id=from_id, to_id=to_id)


def reason_words(leg: Leg) -> str:
    """Why a leg is as it is, in words."""
    if leg.state == "served":
        return "served"
    if leg.state == "no_satellite":
        if leg.reason == "UNKNOWN_LOCATION":
            return "allowed, but nobody knows where it is"
        return "no satellite in view"
    if leg.state == "no_route":
        return f"no way on: {NO_ROUTE.get(leg.reason, leg.reason)}"
    by = f" (rule {leg.rule})" if leg.rule else ""
    word = "limited" if leg.state == "limited" else "denied"
    return f"{word}: {leg.reason}{by}"


def _notes(trip: Trip) -> Iterator[str]:
    """What a reader of the figures has to know."""
    if trip.may_miss_handovers:
        often = "at every moment"
        if trip.period_us is not None:
            often = f"every {format_duration(trip.period_us)}"
        yield (
            f"handovers are counted from step to step, and the network plans {often}: with "
            f"a step of {format_duration(trip.step_us)} some may be missed, and "
            f"{len(trip.handovers):,} is the least that there were"
        )


def summary_of(world: World, trip: Trip) -> dict[str, Any]:
    """The trip in figures, for people and programs."""
    times_us, n = trip.moving.time_us, len(trip.moving.time_us)
    latency = trip.sky.round_trip_ms[~np.isnan(trip.sky.round_trip_ms)]

    def leg(each: Leg) -> dict[str, Any]:
        from_us, to_us = trip.span_us(each)
        return {
            "from": format_time(from_us),
            "to": format_time(to_us),
            "lasts_s": (to_us - from_us) / MICROSECONDS,
            "state": each.state,
            "reason": each.reason,
            "rule": each.rule,
            "says": reason_words(each),
        }

    served = sum(each.stop - each.first for each in trip.legs if each.is_served)
    return {
        "scenario": world.scenario.name,
        "view": world.scenario.view,
        "track": trip.track.name,
        "terminal": msgspec.to_builtins(
            {
                name: getattr(trip.terminal, name)
                for name in ("id", "fleet", "mobility", "protection", "verified")
            }
        ),
        "start": format_time(int(times_us[0])),
        "end": format_time(trip.end_us),
        "step": format_duration(trip.step_us),
        "steps": n,
        "served_fraction": round(served / n, 6),
        "round_trip_ms": None
        if not len(latency)
        else {
            "min": round(float(latency.min()), 3),
            "median": round(float(np.median(latency)), 3),
            "max": round(float(latency.max()), 3),
        },
        "handovers": len(trip.handovers),
        "notes": list(_notes(trip)),
        "assurance": {str(value): int((trip.level == value).sum()) for value in range(4)},
        "legs": [leg(each) for each in trip.legs],
        "gaps": [leg(each) for each in trip.gaps],
    }
