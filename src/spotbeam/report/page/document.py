"""The page: one file, no request to anybody, the same bytes for the same forecast."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources

from spotbeam.report import legend
from spotbeam.report.captions import (
    age,
    count,
    duration,
    share,
    source,
    square_km,
    window,
)
from spotbeam.report.page import behind, people, places
from spotbeam.report.page.map_section import map_section
from spotbeam.report.page.markup import Markup, definitions, join, listing, safe, tag, void
from spotbeam.twin.forecast import Answer
from spotbeam.twin.world import World

_SECTIONS = (
    ("map", "Map"),
    ("territories", "Territories"),
    ("fleets", "Fleets"),
    ("rules", "Rules"),
    ("cells", "Cells"),
    ("satellites", "Satellites"),
    ("words", "Words"),
    ("origin", "Origin"),
)


def report_html(world: World, answer: Answer, *, picture: bytes | None) -> str:
    """The forecast as a self-contained page.

    Args:
        world: What was forecast.
        answer: What came out.
        picture: The map as PNG, shown where there are too many cells to draw each in the page.
    """
    title = world.scenario.title or world.scenario.name
    style, script = _asset("style.css") + _colours(), _asset("page.js")
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; "
        f"script-src '{_hash(script)}'; base-uri 'none'; form-action 'none'"
    )
    head = join(
        (
            void("meta", charset="utf-8"),
            void("meta", http_equiv="Content-Security-Policy", content=policy),
            void("meta", name="viewport", content="width=device-width, initial-scale=1"),
            void("meta", name="color-scheme", content="light dark"),
            void("link", rel="icon", href="data:,"),
            tag("title", f"{title} · Spotbeam forecast"),
            Markup(f"<style>{style}</style>"),
        ),
        "\n",
    )
    body = join(
        (
            tag("a", "Skip to the content", href="#content", class_="skip"),
            _masthead(world, answer),
            _contents(),
            tag(
                "main",
                _notices(answer),
                _figures(answer),
                map_section(world, answer, picture),
                places.territories_section(world, answer),
                people.fleets_section(world, answer),
                behind.rules_section(world, answer),
                places.cells_section(answer),
                behind.satellites_section(answer),
                behind.words_section(),
                behind.origin_section(world, answer),
                id="content",
                tabindex="-1",
            ),
            tag(
                "footer",
                "Made by Spotbeam, an open model. Radio and satellites are modelled; nothing on "
                "this page was measured.",
            ),
            Markup(f"<script>{script}</script>"),
        ),
        "\n",
    )
    page = join((tag("head", "\n", head, "\n"), tag("body", "\n", body, "\n")), "\n")
    return f"<!doctype html>\n{tag('html', page, lang='en')}\n"


@cache
def _asset(name: str) -> str:
    return (resources.files("spotbeam.report.page") / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@cache
def _colours() -> str:
    """The legend's colours as rules of the style sheet, for a light and for a dark page."""
    light, dark, fixed = [], [], []
    for name, word in legend.WORDS.items():
        light.append(f"--{name}:{word.fill};--{name}-ink:{word.ink}")
        dark.append(f"--{name}:{word.dark_fill};--{name}-ink:{word.dark_ink}")
        fixed.append(f".s-{name}{{fill:var(--{name})}}")
        if word.pattern != "plain":
            ink = f"var(--{name}-ink)"
            fixed.append(
                f".o-{name}{{fill:url(#p-{name})}}"
                f".p-{name} .ink{{stroke:{ink}}}.p-{name} .dot{{fill:{ink}}}"
            )
    for name, state in legend.STATES.items():
        fixed.append(f".t-{name}{{stroke:{state.colour}}}.f-{name}{{fill:{state.colour}}}")
    for layer, mark, scale in (
        ("satellites", "v", legend.SATELLITE_SCALE),
        ("availability", "a", legend.AVAILABILITY_SCALE),
    ):
        for number, colour in enumerate(scale):
            fixed.append(
                f".k-{layer} .{mark}{number},.cellmap:has(#layer-{layer}:checked) .cells "
                f".{mark}{number}{{fill:{colour}}}"
            )
    return (
        f":root{{{';'.join(light)}}}"
        f"@media(prefers-color-scheme:dark){{:root{{{';'.join(dark)}}}}}{''.join(fixed)}"
    )


def _masthead(world: World, answer: Answer) -> Markup:
    summary, scenario = answer.summary, world.scenario
    time, area, sky = summary["time"], summary["area"], summary["constellation"]
    facts = definitions(
        (
            ("Window", f"{window(summary)}, {count(time['steps'], 'step')} of "
                       f"{duration(time['step_s'])}"),
            ("Constellation", f"{source(summary)}, "
                              f"{count(sky['satellites_in_service'], 'satellite')} in service"),
            ("Forecast age", age(summary)),
            ("Elevation mask", f"{sky['min_elevation_deg']:g}°"),
            ("Ground", f"{count(area['cells'], 'cell')} of H3 resolution {area['resolution']}, "
                       f"{square_km(area['area_km2'])}"),
            ("Point of view on borders", tag("code", summary["view"])),
        ),
        class_="facts",
    )  # fmt: skip
    description = scenario.description.strip()
    return tag(
        "header",
        tag("p", "Spotbeam forecast · model", class_="kicker"),
        tag("h1", scenario.title or scenario.name),
        tag("p", description, class_="lede") if description else None,
        facts,
    )


def _contents() -> Markup:
    links = listing(tag("a", title, href=f"#{name}") for name, title in _SECTIONS)
    return tag("nav", links, aria_label="On this page")


def _notices(answer: Answer) -> Markup | None:
    notices = answer.summary["notices"]
    if not notices:
        return None
    return tag(
        "section",
        tag("h2", "Notices", id="notices-title"),
        listing(notices),
        class_="notices",
        aria_labelledby="notices-title",
    )


def _figures(answer: Answer) -> Markup:
    """The forecast in four numbers."""
    summary = answer.summary
    area, cover = summary["area"], summary["coverage"]
    cells = area["cells_by_status"].get("available", 0)
    km2 = area["area_km2_by_status"].get("available", 0.0)
    gap_s = cover["longest_gap_s"]
    gap = f"longest gap {duration(gap_s)}" if gap_s else "no gap at any cell"
    tiles = [
        (
            share(km2 / area["area_km2"]),
            "of the ground is available",
            f"{square_km(km2)} in {cells:,} of {count(area['cells'], 'cell')}",
        ),
        (
            share(cover["available_fraction"]),
            "of the time with a satellite in view",
            f"mean over the ground; {gap}",
        ),
        (
            f"{cover['satellites_mean']:.1f}",
            "satellites in view on average",
            f"from {cover['satellites_min']} to {cover['satellites_max']} at any cell and step",
        ),
    ]
    terminals = summary["terminals"]
    if terminals:
        states = {
            name: sum(fleet["states"].get(name, 0) for fleet in answer.fleets)
            for name in legend.STATES
        }
        served = states["served"] + states["limited"]
        tiles.append(
            (
                share(served / terminals),
                f"of {count(terminals, 'terminal')} are served",
                f"{states['limited']:,} of them limited; {states['denied']:,} denied; "
                f"{states['no_satellite']:,} without a satellite"
                + (f"; {states['no_route']:,} without a route" if states["no_route"] else ""),
            )
        )
    items = [
        join((tag("strong", figure), tag("span", what), tag("small", detail)))
        for figure, what, detail in tiles
    ]
    return tag(
        "section",
        tag("h2", "At a glance", class_="quiet"),
        listing(items, class_="figures"),
        aria_label=safe("At a glance"),
    )
