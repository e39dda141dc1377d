"""Sections about what stands behind the answer: rules, requests, satellites, words, origin."""

from __future__ import annotations

from collections import Counter

import spotbeam
from spotbeam.land import views
from spotbeam.report import glossary, legend
from spotbeam.report.captions import age, count, moment, source
from spotbeam.report.page.markup import (
    Column,
    Markup,
    definitions,
    join,
    listing,
    table,
    tag,
    void,
)
from spotbeam.report.page.words import state_word, status_word
from spotbeam.times import format_time
from spotbeam.twin.forecast import Answer
from spotbeam.twin.world import World

_FILES = (
    ("summary.json", "this page's numbers"),
    ("cells.parquet", "a row a cell (GeoParquet)"),
    ("terminals.parquet", "a row a terminal (GeoParquet)"),
    ("forecast.zarr", "satellites in view, elevation, best satellite; by step and cell (xarray)"),
    ("map.png", "the map as a picture"),
)


def rules_section(world: World, answer: Answer) -> Markup:
    """Each rule, its grounds, and how much it decided; then what has been asked for."""
    cells = Counter(answer.cells["rule"].to_pylist())
    terminals = Counter(answer.terminals["rule"].to_pylist())
    rows: list[tuple[object, ...]] = []
    attributes: list[dict[str, object]] = []
    for rule in world.policy.rules:
        conditions = glossary.conditions_in_words(rule)
        rows.append(
            (
                rule.id,
                glossary.effect_in_words(rule),
                glossary.where_in_words(rule),
                join((glossary.whom_in_words(rule), f"; {conditions}" if conditions else None)),
                listing(_ground(ground) for ground in rule.grounds),
                f"{cells[rule.id]:,}",
                f"{terminals[rule.id]:,}",
            )
        )
        attributes.append({"id": f"rule-{rule.id}"})
    defaults = sum(
        1
        for status, rule_id in zip(
            answer.cells["status"].to_pylist(), answer.cells["rule"].to_pylist(), strict=True
        )
        if rule_id is None and status not in ("available", "out_of_view", "at_capacity")
    )
    denied = sum(
        1
        for state, rule_id in zip(
            answer.terminals["state"].to_pylist(), answer.terminals["rule"].to_pylist(), strict=True
        )
        if rule_id is None and state == "denied"
    )
    headings = (
        Column("Rule"), Column("What it does"), Column("Where"), Column("Whom and when"),
        Column("Grounds"), Column("Cells decided", True), Column("Terminals decided", True),
    )  # fmt: skip
    note = (
        f"Without a grant the answer is no: {count(defaults, 'cell')} and "
        f"{count(denied, 'terminal')} were decided by that default or by a built-in check, not by "
        "a rule."
    )
    return tag(
        "section",
        tag("h2", "Rules"),
        table("Rules and what each decided", headings, rows, note=note, row_attributes=attributes),
        _requests(world),
        id="rules",
        class_="wide",
    )


def _ground(text: str) -> Markup:
    """A ground, `kind:id`, that may break after its colon."""
    kind, _, ident = text.partition(":")
    return tag("code", f"{kind}:", void("wbr"), ident)


def _requests(world: World) -> Markup:
    if not world.policy.requests:
        return tag("p", "No request is open.", class_="soft")
    rows = [
        (
            join((tag("code", request.verb), " ", glossary.VERBS.get(request.verb))),
            ", ".join(request.where),
            request.asker,
            moment(format_time(int(request.since.timestamp()) * 1_000_000)),
        )
        for request in world.policy.requests
    ]
    headings = (Column("Request"), Column("Where"), Column("Asked by"), Column("Open since"))
    note = "A request changes the public word, never who is served."
    return table("Open requests", headings, rows, note=note)


def satellites_section(answer: Answer) -> Markup:
    """Where the satellites come from and how many of them serve."""
    sky = answer.summary["constellation"]
    rows = [
        (name.replace("_", " "), f"{number:,}")
        for name, number in sorted(sky["classes"].items(), key=lambda item: (-item[1], item[0]))
    ]
    facts = definitions(
        (
            ("Source", source(answer.summary)),
            ("Read", count(sky["satellites"], "satellite")),
            ("In service", count(sky["satellites_in_service"], "satellite")),
            ("Left out", count(sky["element_sets_left_out"], "element set")),
            ("Age", age(answer.summary)),
            ("Elevation mask", f"{sky['min_elevation_deg']:g}° above the horizon (WGS 84)"),
            ("Propagation", "SGP4 with WGS 72 constants"),
        ),
        class_="facts",
    )
    classes = table(
        "Satellites by class",
        (Column("Class"), Column("Satellites", True)),
        rows,
        note="Inferred from the elements; only satellites in service count as in view.",
        class_="tight",
    )
    return tag("section", tag("h2", "Satellites"), facts, classes, id="satellites")


def words_section() -> Markup:
    """Status words, service states and reason codes in plain language."""
    words = definitions(
        ((status_word(name), word.meaning) for name, word in legend.WORDS.items()), class_="words"
    )
    states = definitions(
        ((state_word(name), state.meaning) for name, state in legend.STATES.items()),
        class_="words",
    )
    reasons = definitions(
        ((tag("code", code), text) for code, text in glossary.REASONS.items()), class_="words"
    )
    return tag(
        "section",
        tag("h2", "Words"),
        tag("h3", "Status of a cell"),
        tag(
            "p",
            "The reference terminal is fixed, verified, at rest at the cell's centre and exactly "
            "located, unless the scenario says otherwise. A tie goes to the worse word.",
            class_="soft",
        ),
        words,
        tag("h3", "State of a terminal"),
        states,
        tag("details", tag("summary", "Reason codes"), reasons),
        id="words",
    )


def origin_section(world: World, answer: Answer) -> Markup:
    """Everything that the answer depends on, and the files beside this page."""
    summary = answer.summary
    view = views.view(world.ground.view)
    files = listing(
        join((tag("a", name, href=name if not name.endswith(".zarr") else f"{name}/"), f": {text}"))
        for name, text in _FILES
    )
    digests = [
        (tag("code", name), tag("code", digest))
        for name, digest in sorted(summary["files"].items())
    ]
    return tag(
        "section",
        tag("h2", "Origin"),
        definitions(
            (
                ("Scenario", join((summary["scenario"]["name"], ", SHA-256 ",
                                   tag("code", summary["scenario"]["digest"])))),
                ("Policy", join(("version ", tag("code", summary["policy"]["version"]), "; ",
                                 _record(summary["policy"]["record_index"])))),
                ("Run", tag("code", summary["key"])),
                ("Point of view", join((tag("code", view.id), f": {view.title}. ",
                                        view.description))),
                ("Borders", "Natural Earth 10m admin-1, with a cited table of claims"),
                ("Software", f"Spotbeam {spotbeam.__version__}"),
                *digests,
            ),
            class_="facts long",
        ),
        tag("h3", "Files beside this page"),
        files,
        id="origin",
    )  # fmt: skip


def _record(record_index: int | None) -> str:
    if record_index is None:
        return "rules of the scenario, not of a record"
    return f"record index {record_index:,}"
