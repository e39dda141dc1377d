"""`spotbeam forecast`: who is served, where, and why, as files."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import cyclopts
from rich.markup import escape

from spotbeam.assembly.forecast import Forecast
from spotbeam.assembly.forecast import forecast as run_forecast
from spotbeam.assembly.scenarios import load_scenario
from spotbeam.cli.output import console, print_json, progress, table
from spotbeam.compute.blocks import default_workers

Hyphen = cyclopts.Parameter(allow_leading_hyphen=True)


def forecast(
    scenario: str,
    /,
    *,
    elements: Path | None = None,
    start: str | None = None,
    duration: Annotated[str | None, Hyphen] = None,
    step: Annotated[str | None, Hyphen] = None,
    resolution: int | None = None,
    view: str | None = None,
    workers: Annotated[
        int | None, cyclopts.Parameter(validator=cyclopts.validators.Number(gte=1))
    ] = None,
    out: Path | None = None,
    force: Annotated[bool, cyclopts.Parameter(negative="")] = False,
    export: Annotated[tuple[Literal["geojson", "csv"], ...], cyclopts.Parameter(negative="")] = (),
    json: Annotated[bool, cyclopts.Parameter(negative="")] = False,
) -> None:
    """Forecast a scenario and write its files.

    Ctrl-C keeps what is done; the same command with the same --out goes on from there.

    Parameters
    ----------
    scenario
        A TOML file or a shipped name (see `spotbeam scenarios`).
    elements
        A file of element sets (OMM or TLE, also .xz and .gz) instead of the scenario's sky.
    start
        First moment, RFC 3339 with Z, as 2026-06-14T00:00:00Z.
    duration
        As 1h, 1d, or seconds.
    step
        As 15s, 4m, or seconds.
    resolution
        H3 resolution of the cells, 0 to 6.
    view
        Point of view on borders, as un, de_facto, ua (see `spotbeam territories`).
    workers
        Processes to compute in; all cores if not given.
    out
        Folder for the files; forecasts/NAME if not given.
    force
        Replace another forecast's files in that folder.
    export
        Also write the cells as geojson or csv; may be given twice.
    json
        Print the summary as JSON.
    """
    chosen, _ = load_scenario(scenario)
    folder = out if out is not None else Path("forecasts") / chosen.name
    with progress(f"Forecasting {chosen.name}", quiet=json) as on_progress:
        result = run_forecast(
            scenario,
            elements=elements,
            start=start,
            duration=duration,
            step=step,
            resolution=resolution,
            view=view,
            workers=workers or default_workers(),
            out=folder,
            force=force,
            exports=export,
            on_progress=on_progress,
        )
    if json:
        print_json(result.summary)
    else:
        show(result)


def _figure(name: str, value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.0f}" if name == "round_trip_ms" else f"{100 * value:.1f} %"


def show(result: Forecast) -> None:
    """Print a forecast's essence for people."""
    out, summary = console(), result.summary
    time, sky, area = summary["time"], summary["constellation"], summary["area"]
    title = summary["scenario"]["title"] or summary["scenario"]["name"]
    out.print(f"[bold]{escape(title)}[/bold]")
    out.print(
        f"{time['start']} to {time['end']}, {time['steps']} steps of {time['step_s']:g} s; "
        f"{sky['satellites_in_service']:,} of {sky['satellites']:,} satellites in service "
        f"({escape(sky['source'])}); mask {sky['min_elevation_deg']:g}°; "
        f"point of view: {summary['view']}"
    )
    out.print()
    words = area["cells_by_status"]
    km2 = area["area_km2_by_status"]
    rows = [
        [word, n, f"{km2[word]:,.0f}"] for word, n in sorted(words.items(), key=lambda i: -i[1])
    ]
    out.print(table("Cells by status of the reference terminal", ["status", "cells", "km²"], rows))
    out.print()
    records = sorted(summary["territories"], key=lambda record: -record["area_km2"])
    shown = [record for record in records if len(record["id"]) == 2 or record["named"]][:24]
    # Physics first, each with its own name; then what comes of it and of the rules, with why.
    physics = {"available_fraction": "in view"}
    if "network" in summary:
        physics |= {"routed_fraction": "way on", "round_trip_ms": "ms"}
    rows = [
        [
            record["id"],
            record["name"],
            record["cells"],
            f"{record['area_km2']:,.0f}",
            *(_figure(key, record[key]) for key in physics),
            record["status"] + (f": {record['reason']}" if record["reason"] else ""),
            record["rule"],
        ]
        for record in shown
    ]
    columns = ["territory", "name", "cells", "km²", *physics.values(), "status: reason", "rule"]
    out.print(table("Countries, and territories that a rule names", columns, rows))
    if len(records) > len(shown):
        out.print(f"… and {len(records) - len(shown)} more in summary.json")
    if summary["fleets"]:
        out.print()
        rows = [
            [
                fleet["id"],
                fleet["terminals"],
                *fleet["states"].values(),
                *(_figure(key, fleet[key]) for key in list(physics)[1:]),
                main_reason(fleet),
            ]
            for fleet in summary["fleets"]
        ]
        states = list(summary["fleets"][0]["states"])
        columns = ["fleet", "terminals", *states, *list(physics.values())[1:], "main reason"]
        out.print(table("Fleets", columns, rows))
    for notice in summary["notices"]:
        out.print(f"[yellow]note:[/yellow] {escape(notice)}")
    out.print()
    out.print(f"Report: {result.folder / 'report.html'}", markup=False)


def main_reason(fleet: Mapping[str, Any]) -> str | None:
    """Why most of a fleet's terminals without service have none; else why most are limited.

    Where reasons are of equally many, that of the state which most of them are in.
    """
    groups = [one for one in fleet["reasons"] if one["state"] not in ("served", "limited")]
    groups = groups or [one for one in fleet["reasons"] if one["state"] == "limited"]
    if not groups:
        return None
    by_state, by_reason = Counter[str](), Counter[tuple[str, str]]()
    rules = defaultdict[tuple[str, str], set[str | None]](set)
    for one in groups:
        key = (one["state"], one["reason"] or one["state"])
        by_state[one["state"]] += one["terminals"]
        by_reason[key] += one["terminals"]
        rules[key].add(one["rule"])
    most = max(by_reason, key=lambda key: (by_reason[key], by_state[key[0]]))
    (rule, *others) = rules[most]
    return f"{most[1]} by {rule}" if rule and not others else most[1]
