"""`spotbeam.trace`: a terminal along a track, second by second."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from spotbeam.assembly.asked_terminal import asked_terminal, refuse_properties
from spotbeam.assembly.build import build
from spotbeam.assembly.scenarios import adjusted, load_scenario
from spotbeam.assembly.shipped_tracks import track_path
from spotbeam.assembly.trip_folder import claim_trip_folder, write_trip
from spotbeam.errors import InputError
from spotbeam.formats.tracks import read_track
from spotbeam.service.terminals import Terminal
from spotbeam.times import MICROSECONDS, parse_duration
from spotbeam.twin.nets import Net, net_of
from spotbeam.twin.scenario import Scenario, refuse_far_time
from spotbeam.twin.trips.assurance import Assuring
from spotbeam.twin.trips.track import Track, check_track
from spotbeam.twin.trips.trip import Progress, Trip, summary_of
from spotbeam.twin.trips.trip import trace as follow
from spotbeam.twin.world import World

_MOST_STEPS = 2_000_000
# Where and how fast it is, the track says.
_FROM_TRACK = {"lat_deg": 0.0, "lon_deg": 0.0, "speed_kmh": 0.0, "altitude_m": 0.0}


class TraceAnswer(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """A trip, with the scenario and network that it was followed in.

    Attributes:
        written: Names of the files in the folder that was asked for.
    """

    world: World
    net: Net
    trip: Trip
    summary: dict[str, Any]
    written: tuple[str, ...] = ()


def trace(
    scenario: str | Path | Scenario,
    track: str | Path | Track,
    *,
    terminal: str | None = None,
    elements: str | Path | None = None,
    view: str | None = None,
    step: str | float = "1s",
    longest_gap: str | float = "10m",
    assurance: int | None = None,
    attested: bool = False,
    out: str | Path | None = None,
    force: bool = False,
    progress: Progress | None = None,
    **properties: Any,
) -> TraceAnswer:
    """Follow a terminal along a track.

    Args:
        scenario: A shipped name, a TOML file, or a `Scenario`.
        track: A GPX, GeoJSON or CSV file, the name of a shipped one, or a `Track`.
        terminal: Id of one of the scenario's terminals; otherwise the scenario's reference
            terminal travels, with these properties.
        elements: A file of element sets instead of the scenario's constellation.
        view: Point of view on borders.
        step: From one verdict to the next.
        longest_gap: Between fixes that are further apart, nobody knows where it was.
        assurance: Level of position assurance throughout; None: as the track bears out.
        attested: The terminal's own hardware vouches for it.
        out: Folder for the files of the trip; none are written if not given.
        force: Write into `out` whatever it holds, and replace files of the same names.
        progress: Told how many steps are decided, and of how many.
        **properties: Of the terminal, as `mobility="maritime", verified=False`.

    Raises:
        InputError: something that was given is wrong; nothing was written.
    """
    if assurance not in (None, 0, 1, 2, 3):
        raise InputError(f"{assurance!r} is no level", place="assurance", hint="give 0, 1, 2 or 3")
    refuse_properties(properties)
    if isinstance(scenario, Scenario):
        base, folder = scenario, Path.cwd()
    else:
        base, folder = load_scenario(scenario)
    if isinstance(track, Track):
        way = check_track(track, track.name)
    else:
        way = read_track(track_path(track))
    for moment_us in (int(way.time_us[0]), int(way.time_us[-1])):
        refuse_far_time(moment_us, place=f"{way.name}, time")
    step_us, gap_us = _positive(step, "step"), _positive(longest_gap, "longest gap")
    n_steps = (int(way.time_us[-1]) - int(way.time_us[0])) // step_us + 1
    if n_steps > _MOST_STEPS:
        raise InputError(
            f"{n_steps:,} steps; a trip has {_MOST_STEPS:,} at most",
            place="step",
            hint="take a longer step, or a part of the track",
        )
    chosen = adjusted(base, elements=elements, view=view)
    world = build(chosen, folder, with_terminals=terminal is not None)
    traveller = asked_terminal(
        world,
        terminal,
        _FROM_TRACK | {key: value for key, value in properties.items() if value is not None},
        other_id="traveller",
    )
    key = _key(world, traveller, way, (step_us, gap_us, assurance, attested))
    if out is not None:
        claim_trip_folder(Path(out), key, force=force)
    net = net_of(world, n_steps=math.ceil(n_steps * step_us / (15 * MICROSECONDS)) * 4)
    trip = follow(
        world,
        net,
        traveller,
        way,
        step_us=step_us,
        longest_gap_us=gap_us,
        level=assurance,
        assuring=Assuring(is_attested=attested),
        progress=progress,
    )
    summary = {"trip": key, **summary_of(world, trip)}
    written = () if out is None else write_trip(Path(out), world, net, trip, summary)
    return TraceAnswer(world=world, net=net, trip=trip, summary=summary, written=written)


def _key(world: World, traveller: Terminal, track: Track, settings: tuple[object, ...]) -> str:
    """Digest of all that a trip depends on: the same key is the same trip."""
    parts = [world.scenario.digest, repr(traveller), track.name, repr(settings)]
    parts += [f"{name} {digest}" for name, digest in sorted(world.sources.items())]
    found = hashlib.sha256("\n".join(parts).encode())
    for name in track.__struct_fields__:
        if name != "name":
            found.update(np.ascontiguousarray(getattr(track, name)).tobytes())
    return found.hexdigest()


def _positive(value: str | float, place: str) -> int:
    found = parse_duration(value, place=place)
    if found < MICROSECONDS // 100:
        raise InputError(f"{value!r} is too short", place=place, hint="as 1s")
    return found
