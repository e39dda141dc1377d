"""The section with the map, and beside it what each status comes to and why."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Sequence
from typing import Any

from spotbeam.report import legend
from spotbeam.report.bands import Band
from spotbeam.report.captions import count, share, square_km
from spotbeam.report.page.cell_map import cell_map
from spotbeam.report.page.drawn_cells import MAX_CELLS
from spotbeam.report.page.markup import Column, Markup, join, listing, table, tag, void
from spotbeam.report.page.words import reason_cell, state_mark, status_word
from spotbeam.twin.forecast import Answer
from spotbeam.twin.world import World


def map_section(world: World, answer: Answer, picture: bytes | None) -> Markup:
    """The map, and beside it what each status comes to and why."""
    return tag(
        "section",
        tag("h2", "Where service is available, and why"),
        tag("div", _drawn_figure(world, answer), _status_table(answer), class_="beside"),
        _picture_figure(answer, picture) if _has_groups(answer) else None,
        _reasons_table(answer),
        id="map",
        class_="wide",
    )


def _has_groups(answer: Answer) -> bool:
    """Whether there are too many cells to draw each in the page."""
    return int(answer.cells.num_rows) > MAX_CELLS


def _drawn_figure(world: World, answer: Answer) -> Markup:
    drawing = cell_map(world, answer)
    layers = [("status", "status"), ("satellites", "satellites in view"),
              ("availability", "time with a satellite")]  # fmt: skip
    choices = [
        tag(
            "label",
            void("input", type="radio", name="layer", id=f"layer-{name}", checked=name == "status"),
            " ",
            title,
        )
        for name, title in layers
    ]
    dots = None
    if answer.terminals.num_rows:
        box = void("input", type="checkbox", id="layer-terminals")
        dots = tag("label", box, f" terminals ({answer.terminals.num_rows:,})")
    controls = tag("fieldset", tag("legend", "Show"), *choices, dots, class_="layers")
    keys = join(
        (
            _key("satellites", "Satellites in view, mean over the run", drawing.satellites),
            _key("availability", "Steps with a satellite in view, %", drawing.availability),
            _terminal_key(answer),
        )
    )
    what = "group of neighbouring cells" if _has_groups(answer) else "cell"
    hint = tag(
        "p",
        f"Point at a {what} to read what it has and why. The tables hold the same.",
        class_="hint",
        id="cell",
        aria_live="polite",
    )
    joined = (
        f"{count(answer.cells.num_rows, 'cell')} are too many to draw each in a page: neighbours "
        "are joined here and show the status of most of their area; the picture below and "
        "cells.parquet have each. "
    )
    caption = tag(
        "figcaption",
        joined if _has_groups(answer) else None,
        f"Each cell shows what the reference terminal at its centre has at most steps of the run. "
        f"Borders: Natural Earth; point of view: {answer.summary['view']}; dotted: "
        "disputed boundaries. Model, not measurement.",
    )
    return tag("figure", controls, drawing.svg, keys, hint, caption, class_="cellmap")


def _key(layer: str, title: str, bands: Sequence[Band]) -> Markup:
    mark = {"satellites": "v", "availability": "a"}[layer]
    steps = [
        tag(
            "li",
            tag(
                "svg",
                Markup('<rect width="300" height="100"/>'),
                viewBox="0 0 300 100",
                class_=f"{mark}{band.tone}",
                aria_hidden="true",
                preserveAspectRatio="none",
            ),
            tag("span", band.label),
        )
        for band in bands
    ]
    return tag(
        "div", tag("p", title), tag("ul", *steps), class_=f"key k-{layer}", id=f"key-{layer}"
    )


def _terminal_key(answer: Answer) -> Markup | None:
    counts = Counter(answer.terminals["state"].to_pylist())
    if not counts:
        return None
    items = [
        join((state_mark(name), " ", f"{legend.STATES[name].label}: {counts[name]:,}"))
        for name in legend.STATES
        if counts[name]
    ]
    return tag("div", tag("p", "Terminals"), listing(items), class_="key marks", id="key-terminals")


def _picture_figure(answer: Answer, picture: bytes | None) -> Markup:
    area = answer.summary["area"]
    words = "; ".join(
        f"{legend.word_of(name).label} {square_km(area['area_km2_by_status'][name])}"
        for name in legend.in_rank(area["cells_by_status"])
    )
    image: Markup | None = None
    if picture is not None:
        data = base64.b64encode(picture).decode()
        image = void(
            "img",
            src=f"data:image/png;base64,{data}",
            alt=f"Map of {area['cells']:,} cells by public status: {words}.",
        )
    link = tag("a", "cells.parquet", href="cells.parquet")
    caption = tag("figcaption", "Every cell of the run; the reason on each is in ", link, ".")
    return tag("figure", image, caption, class_="picture")


def _status_table(answer: Answer) -> Markup:
    area = answer.summary["area"]
    rows = []
    for name in legend.in_rank(area["cells_by_status"]):
        km2 = area["area_km2_by_status"][name]
        part = tag("small", f"{share(km2 / area['area_km2'])} of the ground")
        cells = f"{area['cells_by_status'][name]:,}"
        rows.append((status_word(name), cells, join((square_km(km2), part))))
    columns = (Column("Status"), Column("Cells", True), Column("Area", True))
    return table("Status of the ground", columns, rows, class_="tight")


def _reasons_table(answer: Answer) -> Markup:
    """Every combination of status, reason and rule that occurs."""
    columns = answer.cells.select(["status", "reason", "rule", "area_km2"]).to_pydict()
    cells, km2 = Counter[tuple[str, str | None, str | None]](), Counter[tuple[Any, Any, Any]]()
    for status, reason, rule, area in zip(*columns.values(), strict=True):
        cells[(status, reason, rule)] += 1
        km2[(status, reason, rule)] += area
    rank = legend.in_rank(columns["status"])
    order = sorted(cells, key=lambda key: (rank.index(key[0]), -km2[key], str(key)))
    rows = [
        (status_word(key[0]), reason_cell(key[1], key[2]), f"{cells[key]:,}", square_km(km2[key]))
        for key in order
    ]
    headings = (
        Column("Status"), Column("Reason and deciding rule"), Column("Cells", True),
        Column("Area", True),
    )  # fmt: skip
    return table("Why: status, reason and rule", headings, rows)
