"""`spotbeam why`: the reason for one place or one terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import cyclopts
from rich.markup import escape

from spotbeam.assembly.asked_terminal import option_of, refuse_properties
from spotbeam.assembly.explain import why as explain
from spotbeam.cli.output import console, print_json, table
from spotbeam.errors import InputError
from spotbeam.twin.way_here import RouteHere
from spotbeam.twin.why import Explanation, RuleHere, as_json

_PHYSICS = ("served", "no_satellite", "no_route")
Flag = Annotated[bool, cyclopts.Parameter(negative="")]


def why(
    scenario: str,
    /,
    *,
    at: Annotated[str | None, cyclopts.Parameter(allow_leading_hyphen=True)] = None,
    time: str | None = None,
    terminal: str | None = None,
    class_: Annotated[str | None, cyclopts.Parameter(name="--class")] = None,
    speed_kmh: float | None = None,
    altitude_m: float | None = None,
    position_error_m: float | None = None,
    assurance: int | None = None,
    protection: str | None = None,
    fleet: str | None = None,
    sponsor: str | None = None,
    registrant_country: str | None = None,
    plan: str | None = None,
    account: str | None = None,
    unverified: Flag = False,
    distress: Flag = False,
    elements: Path | None = None,
    view: str | None = None,
    json: Flag = False,
) -> None:
    """Say why a place or a terminal is served or not, and what would change that.

    Parameters
    ----------
    scenario
        A TOML file or a shipped name.
    at
        Latitude and longitude in degrees, as 44.6,33.5.
    time
        RFC 3339 with Z; the start of the scenario if not given.
    terminal
        Id of one of the scenario's terminals.
    class_
        Mobility: fixed, portable, land, maritime, aero, uncrewed.
    speed_kmh
        Ground speed.
    altitude_m
        Height above the ground.
    position_error_m
        Radius of the disc that holds the true position with 95 % probability.
    assurance
        Level of position assurance, 0 to 3.
    protection
        none, medical, emergency, aid.
    fleet
        Fleet that the terminal belongs to.
    sponsor
        Who pays for it.
    registrant_country
        ISO 3166-1 alpha-2.
    plan
        Its plan.
    account
        active, none, disabled, unsupported.
    unverified
        The terminal is not verified.
    distress
        The terminal is in distress.
    elements
        A file of element sets instead of the scenario's sky.
    view
        Point of view on borders.
    json
        Print the whole explanation as JSON.
    """
    properties: dict[str, Any] = {
        "mobility": class_,
        "speed_kmh": speed_kmh,
        "altitude_m": altitude_m,
        "position_error_m": position_error_m,
        "assurance": assurance,
        "protection": protection,
        "fleet": fleet,
        "sponsor": sponsor,
        "registrant_country": registrant_country,
        "plan": plan,
        "account": account,
        "verified": False if unverified else None,
        "distress": True if distress else None,
    }
    if at is not None and terminal is not None:
        raise InputError(
            f"--at {at} and --terminal {terminal} are two places",
            place="why",
            hint="give --at for a place, or --terminal for a terminal where it is",
        )
    refuse_properties(properties, option_of)
    explanation = explain(
        scenario,
        None if at is None else _place(at),
        time=time,
        terminal=terminal,
        elements=elements,
        view=view,
        **properties,
    )
    if json:
        print_json(as_json(explanation))
    else:
        _show(explanation)


def _place(text: str) -> tuple[float, float]:
    try:
        lat_deg, lon_deg = (float(part) for part in text.split(","))
    except ValueError:
        raise InputError(
            f"{text!r} is not a place", place="--at", hint="write LAT,LON in degrees, as 44.6,33.5"
        ) from None
    if not (-90 <= lat_deg <= 90 and -180 <= lon_deg <= 180):
        hint = None
        if -90 <= lon_deg <= 90 and -180 <= lat_deg <= 180:
            hint = f"latitude comes first: did you mean {lon_deg:g},{lat_deg:g}?"
        raise InputError(f"{text!r} is not on the globe", place="--at", hint=hint)
    return lat_deg, lon_deg


def _show(found: Explanation) -> None:
    out = console()
    words = {
        "served": "[green]served[/green]",
        "limited": "[yellow]served, with a limit[/yellow]",
        "no_satellite": "[magenta]no satellite in view[/magenta]",
        "no_route": "[magenta]satellites in view, but no way on[/magenta]",
        "denied": "[red]not served[/red]",
    }
    rule = f", by the rule [bold]{escape(found.rule)}[/bold]" if found.rule else ", by default"
    reason = "" if found.service_state in _PHYSICS else f": {found.reason}{rule}"
    out.print(
        f"[bold]{found.lat_deg:g}, {found.lon_deg:g}[/bold] at {found.time}: "
        f"{words[found.service_state]}{reason}"
    )
    out.print(f"public word: {found.status}; point of view: {found.view}; model, not measurement")
    if found.verdict.grounds:
        out.print(f"grounds: {', '.join(found.verdict.grounds)}", markup=False)
    out.print()
    rows: list[list[object]] = [
        [
            each.id,
            each.name,
            ", ".join(each.administered_by),
            ", ".join(each.claimed_by),
            each.citation,
        ]
        for each in found.territories
    ]
    columns = ["territory", "name", "here administered by", "here claimed by", "source"]
    out.print(table("Territories", columns, rows))
    out.print()
    if found.satellites:
        rows = [
            [
                str(each.id),
                each.name,
                f"{each.elevation_deg:.2f}",
                f"{each.azimuth_deg:.1f}",
                f"{each.range_km:.0f}",
            ]
            for each in found.satellites
        ]
        title = f"{len(rows)} satellites at or above {found.min_elevation_deg:g}°"
        out.print(
            table(title, ["number", "name", "elevation °", "azimuth °", "range km"], rows[:12])
        )
        if len(rows) > 12:
            out.print(f"… and {len(rows) - 12} more with --json")
    else:
        upcoming = found.next_satellite or "not within six hours"
        out.print(f"No satellite at or above {found.min_elevation_deg:g}°; the next: {upcoming}")
    if found.route is not None:
        out.print(_route_line(found.route), markup=False)
    out.print()
    rows = [
        [_mark(each), each.id, each.gate or "exempt", each.effect, _why_not(each)]
        for each in found.rules
    ]
    out.print(table("Rules", ["", "rule", "gate", "effect", "matched, or why not"], rows))
    if found.changes:
        out.print()
        out.print("[bold]What would change the answer[/bold] (each was evaluated again)")
        for change in found.changes:
            out.print(f"  • {change.text}", markup=False)
    for notice in found.notices:
        out.print(f"[yellow]note:[/yellow] {escape(notice)}")


def _route_line(route: RouteHere) -> str:
    bound = "; ".join(f"must land in {', '.join(rule.at)}" for rule in route.landing)
    note = f" ({bound})" if bound else ""
    if route.reason is not None:
        return f"No way to the internet{note}: {route.why}"
    return f"To the internet{note}: {route.round_trip_ms:.1f} ms there and back, by {route.way}"


def _mark(rule: RuleHere) -> str:
    return "→" if rule.decided else "•" if rule.matched else ""


def _why_not(rule: RuleHere) -> str:
    if rule.matched:
        return "matched, and decided" if rule.decided else "matched"
    failed = next(condition for condition in rule.conditions if not condition["holds"])
    found = failed["found"]
    if failed["field"] == "where":
        return "other ground"
    shown = ", ".join(str(item) for item in found) if isinstance(found, list) else str(found)
    return f"{failed['field']}: is {shown}"
