"""`spotbeam route`: how far it is through the sky, which way, and why there is no way."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import cyclopts
import msgspec
from rich.console import Console
from rich.markup import escape

from spotbeam.assembly.route import RouteAnswer
from spotbeam.assembly.route import all_pairs as find_pairs
from spotbeam.assembly.route import route as find_route
from spotbeam.cli.output import console, print_json, table
from spotbeam.errors import InputError
from spotbeam.twin.routes import NO_ROUTE

Flag = Annotated[bool, cyclopts.Parameter(negative="")]
Hyphen = cyclopts.Parameter(allow_leading_hyphen=True)


def route(
    scenario: str,
    from_: Annotated[str | None, Hyphen] = None,
    to: Annotated[str | None, Hyphen] = None,
    /,
    *,
    stations: Path | None = None,
    all_pairs: Flag = False,
    times: Annotated[str | None, Hyphen] = None,
    start: str | None = None,
    duration: Annotated[str | None, Hyphen] = None,
    step: Annotated[str | None, Hyphen] = None,
    mode: Literal["lasers", "bent_pipe"] | None = None,
    geometry_only: Flag = False,
    elements: Path | None = None,
    view: str | None = None,
    by_land: Flag = False,
    out: Path | None = None,
    json: Flag = False,
) -> None:
    """Say how far it is through the sky, which way, and why there is no way.

    Parameters
    ----------
    scenario
        A TOML file or a shipped name.
    from_
        Where it begins: LAT,LON in degrees, a terminal of the scenario, a name in --stations, a
        gateway or a point of presence.
    to
        Where it ends, likewise; the internet if not given.
    stations
        A CSV file with name, lat_deg, lon_deg.
    all_pairs
        The round trips of all pairs of stations, each pair once.
    times
        Seconds after the start of the scenario, as 0,1,2; all of its steps if not given.
    start
        RFC 3339 with Z.
    duration
        As 10m or 1h.
    step
        As 15s or 1s.
    mode
        lasers or bent_pipe, instead of the scenario's.
    geometry_only
        Light on straight lines and nothing else.
    elements
        A file of element sets instead of the scenario's sky.
    view
        Point of view on borders.
    by_land
        Also the way down to each place's point of presence and along fibre between them, as most
        traffic between two terminals goes.
    out
        Also draw the route over time, as a PNG file of this name.
    json
        Print everything as JSON.
    """
    for option, given in (("--duration", duration), ("--step", step)):
        if times is not None and given is not None:
            raise InputError(
                f"{given!r} has no meaning beside --times {times:.40}",
                place=option,
                hint="give either --times, or --duration and --step",
            )
    times_s = None if times is None else _times(times)
    common: dict[str, Any] = {
        "times_s": times_s,
        "elements": elements,
        "start": start,
        "duration": duration,
        "step": step,
        "mode": mode,
        "geometry_only": geometry_only,
    }
    if all_pairs:
        if stations is None or from_ is not None:
            raise InputError(
                "--all-pairs needs --stations FILE, and no places beside it", place="route"
            )
        if by_land:
            raise InputError("is for one pair of places, not for all", place="--by-land")
        if view is not None:
            raise InputError(
                f"{view!r} changes nothing: pairs go over the sky alone",
                place="--view",
                hint="leave it out",
            )
        if out is not None:
            raise InputError(
                f"{str(out)!r}: a picture is of one route, and --all-pairs has many",
                place="--out",
                hint="give two places instead, or leave --out away",
            )
        _pairs(scenario, stations, common, json=json)
        return
    if from_ is None:
        raise InputError("give a place to start from", hint="as 48.9,2.4, or --all-pairs")
    answer = find_route(
        scenario,
        _place(from_, "FROM"),
        None if to is None else _place(to, "TO"),
        view=view,
        stations=stations,
        by_land=by_land,
        **common,
    )
    if out is not None:
        from spotbeam.assembly.route_picture import write_route_picture

        write_route_picture(out, answer)
    if json:
        print_json(answer.as_json())
    else:
        _show(answer, out)


def _times(text: str) -> list[float]:
    return [_seconds(part.strip()) for part in text.split(",")]


def _seconds(part: str) -> float:
    try:
        value = float(part)
    except ValueError:
        value = math.nan
    why = "is not a number"
    if value < 0:
        why = "is before the start of the scenario"
    elif value >= 1e9:
        why = "is more than 1,000,000,000, some 30 years"
    elif not math.isnan(value):
        return value
    raise InputError(
        f"{part!r:.40} {why}", place="--times", hint="write seconds after the start, as 0,1,2"
    )


def _place(text: str, role: str) -> tuple[float, float] | str:
    """LAT,LON where the text reads as two numbers, else a name."""
    try:
        lat_deg, lon_deg = (float(part) for part in text.split(","))
    except ValueError:
        return text
    if not (-90 <= lat_deg <= 90 and -180 <= lon_deg <= 180):
        hint = None
        if -90 <= lon_deg <= 90 and -180 <= lat_deg <= 180:
            hint = f"latitude comes first: did you mean {lon_deg:g},{lat_deg:g}?"
        raise InputError(f"{text!r} is not on the globe", place=role, hint=hint)
    return lat_deg, lon_deg


def _pairs(scenario: str, stations: Path, common: dict[str, Any], *, json: bool) -> None:
    """Print all pairs as they come, so that a long run needs no more memory than a short one."""
    places, found = find_pairs(scenario, stations, **common)
    names = [place.name for place in places]
    write = sys.stdout.write
    separator = ""
    if json:
        write('{"pairs": [')
    else:
        write("from\tto\ttime_s\trtt_ms\treason\n")
    for time_s, pairs in found:
        for i, one in enumerate(names):
            for j in range(i + 1, len(names)):
                value = float(pairs.round_trip_ms[i, j])
                reason = pairs.reason(i, j)
                rtt_ms = None if reason else round(value, 6)
                if json:
                    row = {"from": one, "to": names[j], "time_s": time_s, "rtt_ms": rtt_ms}
                    if reason:
                        row["reason"] = reason
                    write(f"{separator}\n  {msgspec.json.encode(row).decode()}")
                    separator = ","
                else:
                    shown = "" if rtt_ms is None else f"{rtt_ms:.3f}"
                    write(f"{one}\t{names[j]}\t{time_s:g}\t{shown}\t{reason or ''}\n")
    if json:
        write("\n]}\n")


def _show(answer: RouteAnswer, out: Path | None) -> None:
    print_to = console()
    route, found, net = answer.route, answer.summary, answer.net
    end = route.end.name if route.end else "the internet"
    print_to.print(
        f"[bold]{escape(route.origin.name)}[/bold] to [bold]{escape(end)}[/bold], "
        f"{net.settings.mode.replace('_', ' ')}: a model, not a measurement"
    )
    rtt = found["round_trip_ms"]
    if rtt:
        print_to.print(
            f"round trip {rtt['median']:.1f} ms (median; {rtt['min']:.1f} to {rtt['max']:.1f}), "
            f"of which light in the sky {found['propagation_round_trip_ms']['median']:.1f} ms; "
            f"satellites on the way: {found['satellites_on_path']['median']:g}"
        )
    print_to.print(
        f"a path at {100 * found['with_path_fraction']:.1f} % of {found['steps']:,} steps; "
        f"{found['handovers']:,} handovers, {found['path_changes']:,} changes of path"
    )
    for reason, count in found["no_route"].items():
        print_to.print(f"no route at {count:,} steps: {NO_ROUTE[reason]}")
    for kind in ("gateways", "pops"):
        shown = ", ".join(f"{escape(k)} ({v:,})" for k, v in list(found.get(kind, {}).items())[:6])
        if shown:
            print_to.print(f"{kind.replace('pops', 'points of presence')}: {shown}")
    if "by_land" in found:
        _show_land(print_to, found["by_land"])
    if "landing" in found:
        _show_landing(print_to, found["landing"])
    for where, verdict in answer.policy.items():
        if verdict["outcome"] != "allow":
            by = f" by the rule {verdict['rule']}" if verdict["rule"] else ""
            name = verdict["terminal"]
            who = "a reference terminal" if name == "reference" else f"terminal {escape(name)}"
            print_to.print(
                f"[yellow]note:[/yellow] {who} at {where.upper()} is not served: "
                f"{verdict['reason']}{escape(by)}"
                if verdict["outcome"] == "deny"
                else f"[yellow]note:[/yellow] a limit holds at {where.upper()}: "
                f"{verdict['reason']}{escape(by)}"
            )
    print_to.print()
    print_to.print(_first_steps(answer))
    if len(route.steps) > 12:
        print_to.print(f"… and {len(route.steps) - 12:,} more with --json")
    if out is not None:
        print_to.print(f"picture: {out}", markup=False)
    for notice in answer.world.notices:
        print_to.print(f"[yellow]note:[/yellow] {escape(notice)}")


def _show_landing(print_to: Console, found: dict[str, Any]) -> None:
    extra, lost = found["extra_round_trip_ms"], found["steps_lost"]
    costs = [f"{extra['median']:+.1f} ms (median)"] if extra else []
    costs += [f"the path at {lost:,} of the steps"] if lost else []
    print_to.print(f"landing rules cost {' and '.join(costs) or 'nothing'}")


def _show_land(print_to: Console, found: dict[str, Any]) -> None:
    rtt = found["round_trip_ms"]
    if rtt:
        most = found["pops"][0]
        between = (
            f"through {most['from']} alone"
            if most["from"] == most["to"]
            else f"along fibre from {most['from']} to {most['to']}"
        )
        print_to.print(
            f"by land {rtt['median']:.1f} ms (median; {rtt['min']:.1f} to {rtt['max']:.1f}), "
            f"{escape(between)}"
        )
    for each in found["no_route"]:
        print_to.print(
            f"no way by land at {each['steps']:,} steps: {each['without'].upper()} has none to the "
            f"internet ({each['reason']})"
        )


def shown_way(numbers: Sequence[int]) -> str:
    """The satellites on a way, those in the middle counted where there are more than five."""
    way = [str(number) for number in numbers]
    return " ".join(way if len(way) <= 5 else [*way[:2], f"… {len(way) - 4} …", *way[-2:]])


def _first_steps(answer: RouteAnswer) -> Any:
    rows: list[list[object]] = []
    for record in answer.as_json()["steps"][:12]:
        if record["rtt_ms"] is None:
            rows.append([record["time"], "–", "–", NO_ROUTE[record["reason"]]])
            continue
        shown = shown_way(record["satellites"])
        landing = " → ".join(filter(None, (record["gateway"], record["pop"])))
        rows.append(
            [
                record["time"],
                f"{record['rtt_ms']:.2f}",
                f"{2 * record['propagation_one_way_ms']:.2f}",
                f"{shown}{' → ' if landing else ''}{landing}",
            ]
        )
    return table("", ["time", "round trip ms", "of it light", "way"], rows)
