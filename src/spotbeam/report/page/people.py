"""The section about fleets: how many terminals are served, limited, denied, and by which rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spotbeam.report import legend
from spotbeam.report.captions import count
from spotbeam.report.page.drawn_cells import place
from spotbeam.report.page.markup import Column, Markup, join, listing, table, tag
from spotbeam.report.page.words import reason_cell, rule_link, state_word
from spotbeam.twin.forecast import Answer
from spotbeam.twin.world import World

# A fleet of no more than this is listed terminal by terminal.
_FEW = 20


def fleets_section(world: World, answer: Answer) -> Markup:
    """Fleets by service state, with the reasons, and small fleets one by one."""
    if not answer.fleets:
        body: Markup = tag("p", "The scenario has no terminals.")
    else:
        body = join((_fleets_table(world, answer), _few_table(answer), _file_line(answer)))
    return tag("section", tag("h2", "Fleets"), body, id="fleets", class_="wide")


def _fleets_table(world: World, answer: Answer) -> Markup:
    notes = {fleet.id: fleet.note for fleet in world.scenario.fleet}
    rows = []
    for fleet in answer.fleets:
        states = fleet["states"]
        note = notes.get(fleet["id"])
        rows.append(
            (
                join((fleet["id"], tag("small", note, class_="soft") if note else None)),
                join((f"{fleet['terminals']:,}", _bar(fleet))),
                *(f"{states.get(name, 0):,}" for name in legend.STATES),
                _reasons(fleet),
            )
        )
    headings = (
        Column("Fleet"),
        Column("Terminals", True),
        *(Column(state_word(name), True) for name in legend.STATES),
        Column("Reason and deciding rule"),
    )
    note = "A terminal has the state that it has at most steps of the run."
    return table("Terminals by service state", headings, rows, note=note)


def _bar(fleet: Mapping[str, Any]) -> Markup:
    """The fleet's states as one bar; the numbers stand beside it."""
    total, at, parts = max(1, fleet["terminals"]), 0.0, []
    for name in legend.STATES:
        width = 1000.0 * fleet["states"].get(name, 0) / total
        if width > 0:
            shown = max(4.0, width - 8.0)
            parts.append(f'<rect class="f-{name}" x="{at:.0f}" width="{shown:.0f}" height="60"/>')
            at += width
    return tag(
        "svg",
        Markup("".join(parts)),
        viewBox="0 0 1000 60",
        preserveAspectRatio="none",
        class_="bar",
        aria_hidden="true",
    )


def _reasons(fleet: Mapping[str, Any]) -> Markup:
    """Everything but plain service, by reason and rule."""
    found = []
    for item in fleet["reasons"]:
        if item["state"] == "served":
            continue
        number = tag("b", f"{item['terminals']:,}")
        if item["state"] == "limited":
            rule = rule_link(item["rule"]) if item["rule"] else None
            found.append(join((number, " limited ", rule)))
        elif item["state"] == "no_satellite":
            found.append(join((number, " no satellite in view")))
        elif item["state"] == "no_route":
            found.append(join((number, " no way to a gateway: ", tag("code", item["reason"]))))
        else:
            found.append(join((number, " ", reason_cell(item["reason"], item["rule"]))))
    return listing(found) if found else Markup('<span class="soft">—</span>')


def _few_table(answer: Answer) -> Markup | None:
    """Each terminal of the small fleets."""
    few = {fleet["id"] for fleet in answer.fleets if fleet["terminals"] <= _FEW}
    if not few:
        return None
    columns: dict[str, list[Any]] = answer.terminals.to_pydict()
    rows = []
    for i, fleet in enumerate(columns["fleet"]):
        if fleet not in few:
            continue
        state = columns["state"][i]
        limit = columns["max_mbps"][i]
        shown = state_word(state)
        reason = None if state == "limited" else columns["reason"][i]
        rows.append(
            (
                columns["id"][i],
                fleet,
                tag("span", place(columns["lat_deg"][i], columns["lon_deg"][i]), class_="place"),
                ", ".join(columns["territories"][i]),
                join((shown, f" to {limit:g} Mbit/s" if limit is not None else None)),
                reason_cell(reason, columns["rule"][i]),
            )
        )
    headings = (
        Column("Terminal"), Column("Fleet"), Column("Position"), Column("Territories"),
        Column("State"), Column("Reason and deciding rule"),
    )  # fmt: skip
    title = f"Fleets of up to {_FEW} terminals, one by one"
    return table(title, headings, rows)


def _file_line(answer: Answer) -> Markup:
    number = count(answer.terminals.num_rows, "terminal")
    link = tag("a", "terminals.parquet", href="terminals.parquet")
    return tag("p", f"A row for each of {number} is in ", link, ".", class_="soft")
