"""Sections about ground: territories, disputed land, cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from spotbeam.land import borders
from spotbeam.report import legend
from spotbeam.report.captions import count, duration, share, square_km
from spotbeam.report.page.drawn_cells import place
from spotbeam.report.page.markup import Column, Markup, join, listing, table, tag
from spotbeam.report.page.words import reason_cell, status_word
from spotbeam.twin.forecast import Answer
from spotbeam.twin.world import World

Record = Mapping[str, Any]
_ROWS_PER_REASON = 25
_MAX_SUBDIVISIONS = 700


def territories_section(world: World, answer: Answer) -> Markup:
    """Countries, seas and what differs within them; disputed land; the other subdivisions."""
    records = {record["id"]: record for record in answer.territories}
    shown, rest = _ranked(records)
    rows = [_territory_row(records[name], is_part=part) for name, part in shown]
    attributes: list[dict[str, object]] = [
        {"class_": "part" if part else None} for _, part in shown
    ]
    main = table(
        "Countries, seas and own territories",
        _TERRITORY_COLUMNS,
        rows,
        note=(
            "Indented: subdivisions whose status, reason or rule differs from their country's. "
            "A territory has the status of most of its area here; one without a cell centre is "
            "not listed. Sea belts are derived, not a delimitation."
        ),
        row_attributes=attributes,
    )
    return tag(
        "section",
        tag("h2", "Territories"),
        main,
        _disputed_table(world, records),
        _subdivisions(records, rest),
        id="territories",
        class_="wide",
    )


_TERRITORY_COLUMNS = (
    Column("Territory"),
    Column("Status"),
    Column("Reason and deciding rule"),
    Column("Cells", True),
    Column("Area", True),
    Column("Time with a satellite", True),
)


def _territory_row(record: Record, *, is_part: bool = False) -> tuple[object, ...]:
    name, ident = record["name"], record["id"]
    title = join((tag("code", ident), " ", name if name != ident else None))
    by_status = record["area_km2_by_status"]
    others = {word: area for word, area in by_status.items() if word != record["status"]}
    mixed = None
    if others:
        parts = [f"{square_km(others[word])} {legend.word_of(word).label}"
                 for word in legend.in_rank(others)]  # fmt: skip
        mixed = tag("small", "also ", ", ".join(parts), class_="soft")
    return (
        title,
        join((status_word(record["status"]), mixed)),
        reason_cell(record["reason"], record["rule"]),
        f"{record['cells']:,}",
        square_km(record["area_km2"]),
        share(record["available_fraction"]),
    )


def _decision(record: Record) -> tuple[Any, ...]:
    return (record["status"], record["reason"], record["rule"])


def _ranked(records: Mapping[str, Record]) -> tuple[list[tuple[str, bool]], list[str]]:
    """Territories in the order of the table, with whether each is indented; and the rest."""
    disputed = {land.id for land in borders.disputed_lands()}
    parts: dict[str, list[str]] = {}
    tops = []
    for name in sorted(records):
        base = name.removesuffix("/sea")
        if base in disputed:
            continue
        if len(base) > 2 and base[2:3] == "-":
            parts.setdefault(base[:2] + name[len(base) :], []).append(name)
        else:
            tops.append(name)
    shown: list[tuple[str, bool]] = []
    rest: list[str] = []
    for name in dict.fromkeys([*tops, *sorted(parts)]):
        if name in records:
            shown.append((name, False))
        for part in parts.get(name, ()):
            if name not in records or _decision(records[part]) != _decision(records[name]):
                shown.append((part, True))
            else:
                rest.append(part)
    return shown, rest


def _subdivisions(records: Mapping[str, Record], rest: Sequence[str]) -> Markup | None:
    if not rest:
        return None
    if len(rest) > _MAX_SUBDIVISIONS:
        text = f"{count(len(rest), 'subdivision')} decided as their country: in "
        return tag("p", text, tag("a", "summary.json", href="summary.json"), ".", class_="soft")
    rows = [_territory_row(records[name]) for name in rest]
    return tag(
        "details",
        tag("summary", f"{count(len(rest), 'subdivision')} decided as their country"),
        table("Subdivisions decided as their country", _TERRITORY_COLUMNS, rows),
    )


def _disputed_table(world: World, records: Mapping[str, Record]) -> Markup | None:
    """Who claims and who administers the disputed land of this run, and on what record."""
    rows = []
    titles: dict[str, list[str]] = {}
    for land in borders.disputed_lands():
        titles.setdefault(land.id, []).append(land.title)
    for ident in titles:
        if ident not in records:
            continue
        standing = world.ground.standing(ident)
        record = records[ident]
        rows.append(
            (
                join((tag("code", ident), " ", ", ".join(titles[ident]))),
                ", ".join(standing.claimed_by) or "nobody",
                ", ".join(standing.administered_by) or "nobody",
                join((status_word(record["status"]), " ",
                      reason_cell(record["reason"], record["rule"]))),
                f"{record['cells']:,}",
                listing(dict.fromkeys(standing.citation.split("; "))),
            )
        )  # fmt: skip
    if not rows:
        return None
    headings = (
        Column("Land"), Column("Claimed by"), Column("Administered by"), Column("Status here"),
        Column("Cells", True), Column("Source"),
    )  # fmt: skip
    note = (
        f"Which country covers it follows the point of view of the run, {world.ground.view}. "
        "The table takes no side."
    )
    return table("Disputed land in this area", headings, rows, note=note)


# --- Cells -----------------------------------------------------------------------------------


def cells_section(answer: Answer) -> Markup:
    """Some cells of every status, reason and rule; all of them are in the file."""
    columns: dict[str, list[Any]] = answer.cells.to_pydict()
    groups: dict[tuple[Any, ...], list[int]] = {}
    for index, key in enumerate(
        zip(columns["status"], columns["reason"], columns["rule"], strict=True)
    ):
        groups.setdefault(key, []).append(index)
    rank = legend.in_rank(columns["status"])
    chosen = [
        index
        for key in sorted(groups, key=lambda key: (rank.index(key[0]), str(key)))
        for index in groups[key][:_ROWS_PER_REASON]
    ]
    rows = []
    for i in chosen:
        low, high = columns["satellites_min"][i], columns["satellites_max"][i]
        rows.append(
            (
                tag("code", f"{columns['cell'][i]:x}"),
                tag("span", place(columns["lat_deg"][i], columns["lon_deg"][i]), class_="place"),
                ", ".join(columns["territories"][i]),
                status_word(columns["status"][i]),
                reason_cell(columns["reason"][i], columns["rule"][i]),
                f"{columns['satellites_mean'][i]:.1f} ({low} to {high})",
                share(columns["available_fraction"][i]),
                duration(columns["longest_gap_s"][i]) if columns["longest_gap_s"][i] else "none",
            )
        )
    headings = (
        Column("Cell (H3)"), Column("Centre"), Column("Territories"), Column("Status"),
        Column("Reason and deciding rule"), Column("Satellites in view, mean (range)", True),
        Column("Time with a satellite", True), Column("Longest gap", True),
    )  # fmt: skip
    total = answer.cells.num_rows
    text = (
        f"All {count(total, 'cell')} of the run: "
        if len(chosen) == total
        else f"Up to {_ROWS_PER_REASON} cells of each status, reason and rule; "
        f"all {total:,} are in "
    )
    return tag(
        "section",
        tag("h2", "Cells"),
        tag("p", text, tag("a", "cells.parquet", href="cells.parquet"), "."),
        tag("details", tag("summary", f"Table of {count(len(chosen), 'cell')}"),
            table("Cells", headings, rows)),
        id="cells",
        class_="wide",
    )  # fmt: skip
