"""`spotbeam trace`: a terminal along a track, second by second."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import cyclopts

from spotbeam.assembly.asked_terminal import option_of, refuse_properties
from spotbeam.assembly.trace import TraceAnswer
from spotbeam.assembly.trace import trace as follow
from spotbeam.cli.output import print_json, progress, say
from spotbeam.errors import InputError
from spotbeam.twin.trips.track import counted

Flag = Annotated[bool, cyclopts.Parameter(negative="")]
Hyphen = cyclopts.Parameter(allow_leading_hyphen=True)
_MOST_LEGS = 40


def trace(
    scenario: str,
    track: str,
    /,
    *,
    terminal: str | None = None,
    class_: Annotated[
        Literal["fixed", "portable", "land", "maritime", "aero", "uncrewed"] | None,
        cyclopts.Parameter(name="--class"),
    ] = None,
    protection: Literal["none", "medical", "emergency", "aid"] | None = None,
    fleet: str | None = None,
    sponsor: str | None = None,
    registrant_country: str | None = None,
    plan: str | None = None,
    unverified: Flag = False,
    distress: Flag = False,
    position_error_m: Annotated[float | None, Hyphen] = None,
    assurance: int | None = None,
    attested: Flag = False,
    step: Annotated[str, Hyphen] = "1s",
    longest_gap: Annotated[str, Hyphen] = "10m",
    elements: Path | None = None,
    view: str | None = None,
    out: Path | None = None,
    force: Flag = False,
    json: Flag = False,
) -> None:
    """Follow a terminal along a track: who serves it, how far the internet is, and why not.

    Parameters
    ----------
    scenario
        A TOML file or a shipped name.
    track
        GPX, GeoJSON with times, or CSV (time,lat_deg,lon_deg, and altitude_m, speed_kmh, error_m,
        network_lat_deg, network_lon_deg); or a shipped one: to-sevastopol, to-sevastopol-fast,
        to-ochakiv.
    terminal
        Id of one of the scenario's terminals; where it is, the track says.
    class_
        Mobility: fixed, portable, land, maritime, aero, uncrewed.
    protection
        none, medical, emergency, aid.
    fleet
        Fleet that it belongs to.
    sponsor
        Who pays for it.
    registrant_country
        ISO 3166-1 alpha-2.
    plan
        Its plan.
    unverified
        It is not verified.
    distress
        It is in distress.
    position_error_m
        Radius of the disc that holds the true position with 95 % probability.
    assurance
        Level of position assurance throughout, 0 to 3; as the track bears out if not given.
    attested
        The terminal's own hardware vouches for it.
    step
        From one verdict to the next.
    longest_gap
        Between fixes that are further apart, nobody knows where it was.
    elements
        A file of element sets instead of the scenario's sky.
    view
        Point of view on borders.
    out
        A folder for trace.parquet, trace.geojson, trace.png and summary.json.
    force
        Write into that folder whatever it holds, and replace files of these names.
    json
        Print the summary as JSON.
    """
    if force and out is None:
        raise InputError("there is no folder to write into", place="--force", hint="add --out")
    properties: dict[str, Any] = {
        "mobility": class_,
        "protection": protection,
        "fleet": fleet,
        "sponsor": sponsor,
        "registrant_country": registrant_country,
        "plan": plan,
        "verified": False if unverified else None,
        "distress": True if distress else None,
        "position_error_m": position_error_m,
    }
    refuse_properties(properties, option_of)
    with progress("Following", quiet=json) as bar:
        answer = follow(
            scenario,
            track,
            terminal=terminal,
            elements=elements,
            view=view,
            step=step,
            longest_gap=longest_gap,
            assurance=assurance,
            attested=attested,
            out=out,
            force=force,
            progress=bar,
            **properties,
        )
    if json:
        print_json(answer.summary)
        return
    _show(answer)
    if out is not None:
        say(f"written: {', '.join(answer.written)} in {out}")


def _show(answer: TraceAnswer) -> None:
    found = answer.summary
    who = found["terminal"]
    verified = "" if who["verified"] else "not "
    kind = f"{who['mobility']} terminal, {verified}verified"
    say(f"{found['track']} ({kind}), in {found['scenario']}")
    say(f"  a model, not a measurement; borders in the point of view {found['view']}")
    latency = found["round_trip_ms"]
    way = (
        f"round trip {latency['median']:.1f} ms (median; {latency['min']:.1f} to "
        f"{latency['max']:.1f})"
        if latency
        else "no way to the internet"
    )
    least = "at least " if answer.trip.may_miss_handovers else ""
    say(
        f"  served {100 * found['served_fraction']:.1f} % of {counted(found['steps'], 'step')}; "
        f"{way}; {least}{counted(found['handovers'], 'handover')}"
    )
    levels = ", ".join(
        f"{level}: {count:,}" for level, count in found["assurance"].items() if count
    )
    say(f"  position assurance, steps by level: {levels}")
    for note in found["notes"]:
        say(f"  note: {note}")
    say("")
    for leg in found["legs"][:_MOST_LEGS]:
        say(f"  {leg['from']}  {leg['lasts_s']:>8,.0f} s  {leg['says']}")
    more = len(found["legs"]) - _MOST_LEGS
    if more > 0:
        say(f"  … and {more:,} more with --json")
