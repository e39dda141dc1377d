"""The report's essence for a notebook: the map and three tables, without a style sheet."""

from __future__ import annotations

import base64

from spotbeam.report import legend
from spotbeam.report.captions import constellation_line, count, share, square_km, window_line
from spotbeam.report.map.picture import draw_map
from spotbeam.report.page.markup import Markup, join, tag, void
from spotbeam.twin.forecast import Answer
from spotbeam.twin.world import World

_MAX_TERRITORIES = 15
_CELL = "text-align:left;padding:.15em .9em .15em 0;border-bottom:1px solid #8884"
_NUMBER = _CELL.replace("left", "right", 1)


def forecast_repr_html(world: World, answer: Answer, *, picture: bytes | None = None) -> str:
    """The forecast as a fragment of HTML; what it looks like stays within it.

    Args:
        world: What was forecast.
        answer: What came out.
        picture: The map as PNG, if it has been drawn already.
    """
    data = base64.b64encode(picture or draw_map(world, answer)).decode()
    summary = answer.summary
    title = world.scenario.title or world.scenario.name
    image = void(
        "img",
        src=f"data:image/png;base64,{data}",
        alt=f"Map of {summary['area']['cells']:,} cells by public status",
        style="max-width:100%;width:860px;height:auto;background:#fff",
    )
    lines = (window_line(summary), constellation_line(summary))
    return tag(
        "section",
        tag("div", title, style="font-size:1.2em;font-weight:600"),
        tag("div", join(lines, "<br>"), style="opacity:.75;margin:.2em 0 .6em"),
        image,
        _status(answer),
        _territories(answer),
        _fleets(answer) if answer.fleets else None,
        class_="spotbeam-forecast",
        style="max-width:900px",
    )


def _small_table(caption: str, headings: tuple[str, ...], rows: list[tuple[object, ...]]) -> Markup:
    styles = [_CELL, *[_NUMBER] * (len(headings) - 1)]
    titles = zip(headings, styles, strict=True)
    head = tag("tr", *(tag("th", title, scope="col", style=style) for title, style in titles))
    body = []
    for first, *others in rows:
        start = tag("th", first, scope="row", style=f"{_CELL};font-weight:400")
        body.append(tag("tr", start, *(tag("td", cell, style=_NUMBER) for cell in others)))
    return tag(
        "table",
        tag("caption", caption, style="text-align:left;font-weight:600;padding:.8em 0 .2em"),
        tag("thead", head),
        tag("tbody", *body),
        style="border-collapse:collapse;font-variant-numeric:tabular-nums;margin:0",
    )


def _status(answer: Answer) -> Markup:
    area = answer.summary["area"]
    rows: list[tuple[object, ...]] = [
        (
            legend.word_of(name).label,
            f"{area['cells_by_status'][name]:,}",
            square_km(area["area_km2_by_status"][name]),
            share(area["area_km2_by_status"][name] / area["area_km2"]),
        )
        for name in legend.in_rank(area["cells_by_status"])
    ]
    return _small_table("Status of the ground", ("Status", "Cells", "Area", "Share"), rows)


def _territories(answer: Answer) -> Markup:
    """The largest countries, seas and disputed lands of the run."""
    tops = [record for record in answer.territories if "-" not in record["id"].lstrip("x-")]
    largest = sorted(tops, key=lambda record: (-record["area_km2"], record["id"]))
    rows: list[tuple[object, ...]] = []
    for record in largest[:_MAX_TERRITORIES]:
        why = " · ".join(
            part
            for part in (record["reason"], f"rule {record['rule']}" if record["rule"] else None)
            if part
        )
        name = record["name"]
        rows.append(
            (
                record["id"] if name == record["id"] else f"{record['id']} {name}",
                legend.word_of(record["status"]).label,
                why or "—",
                square_km(record["area_km2"]),
            )
        )
    more = len(tops) - len(rows)
    caption = "Territories" + (f", the {len(rows)} largest of {len(tops)}" if more else "")
    return _small_table(caption, ("Territory", "Status", "Reason and rule", "Area"), rows)


def _fleets(answer: Answer) -> Markup:
    rows: list[tuple[object, ...]] = [
        (
            fleet["id"],
            count(fleet["terminals"], "terminal"),
            *(f"{fleet['states'].get(name, 0):,}" for name in legend.STATES),
        )
        for fleet in answer.fleets
    ]
    headings = ("Fleet", "Size", *(state.label for state in legend.STATES.values()))
    return _small_table("Fleets by service state", headings, rows)
