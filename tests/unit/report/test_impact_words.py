"""An impact in words: the protected first, claims marked, foreign text harmless."""

from __future__ import annotations

import io
from typing import Any

import msgspec
import numpy as np
import pytest
from matplotlib.image import imread
from support.governance import World, rule
from support.impacts import (
    CRIMEA,
    black_sea,
    change_of,
    openings,
    over_the_black_sea,
    put_list,
    terminals_named,
)

from spotbeam.assembly.impacts import preview
from spotbeam.cli.impact import show_impact
from spotbeam.governance.entries.acts import DropRule, PutRule
from spotbeam.governance.entries.rules import WhoEntry
from spotbeam.governance.entries.words import HOUR_US
from spotbeam.report import legend
from spotbeam.report.impact_words import Section, sections_of
from spotbeam.report.map.impact_picture import draw_changes
from spotbeam.service.terminals import Terminals
from spotbeam.twin.impact.changed import cell_changes
from spotbeam.twin.impact.whole import Impact

TRICK = "\u202egninepo\x1b[2J"
GIVEN = openings(v1=terminals_named(0, 200))


@pytest.fixture(scope="module")
def world() -> World:
    return black_sea()


def shown(world: World, body: Any, terminals: Terminals | None = None) -> Impact:
    return preview(
        world.now, body, "chg-1", at_us=world.clock_us, terminals=terminals, openings=GIVEN
    )


def section(impact: Impact, title: str) -> Section:
    return next(part for part in sections_of(impact) if part.title == title)


def test_the_protected_are_named_first_and_the_operator_claims(world: World) -> None:
    impact = shown(world, change_of(world, DropRule("ua-authorised")), over_the_black_sea(2_000))
    part = section(impact, "Terminals")
    assert part.is_claim
    assert [p.title for p in sections_of(impact) if p.is_claim] == ["Terminals"]
    assert "operator's claim" in part.lines[0]
    named = [line for line in part.lines if line.strip().startswith("PROTECTED")]
    assert [line.split(":")[0].split(", ")[1] for line in named] == ["medical", "emergency", "aid"]
    found = impact.terminals[0]
    for line, group in zip(
        named, sorted(found.protected, key=lambda g: g.name == "aid"), strict=True
    ):
        assert f"of {group.terminals:,}" in line or group.name in ("medical", "emergency")
    totals = part.lines.index(next(line for line in part.lines if "lose service" in line))
    assert totals >= part.lines.index(named[0])
    medical = next(group for group in found.protected if group.name == "medical")
    assert f"PROTECTED, medical: {medical.kinds['lost']:,} lose service" in part.text


def test_no_terminals_no_claim(world: World) -> None:
    impact = shown(world, change_of(world, DropRule("ua-authorised")))
    assert not any(part.is_claim for part in sections_of(impact))
    assert impact.facts()["terminals"] is None


def test_foreign_text_cannot_turn_what_is_read_around(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    tricky = Terminals.from_columns(
        {"id": ["t1"], "lat_deg": [46.5], "lon_deg": [33.0], "fleet": [TRICK], "sponsor": [TRICK]}
    )
    named = rule("b", effect="deny", gate="order", where=("UA-65",), who=WhoEntry(fleet=(TRICK,)))
    impact = shown(world, change_of(world, PutRule(named)), tricky)
    assert impact.terminals[0].kinds == {"lost": 1}
    show_impact(impact)
    printed = capsys.readouterr().out
    assert TRICK not in printed
    assert "\x1b" not in printed
    assert r"\u202egninepo\x1b[2J: 1 lose service" in printed
    assert impact.digest in printed


def test_each_rule_and_list_says_what_becomes_of_it(world: World) -> None:
    body = change_of(
        world,
        DropRule("medical"),
        PutRule(rule("crimea", where=CRIMEA[:1])),
        PutRule(rule("high-seas", where=("XZ",))),
        put_list(world, 2, terminals_named(5, 20)),
    )
    text = section(shown(world, body), "Effect on cells and rules").text
    assert "rule crimea: new" in text
    assert "rule medical: taken out" in text
    assert "rule high-seas: another wording" in text
    assert "list verified: version 1 with 200 terminals -> version 2 with 15 terminals" in text


def test_silence_is_said_even_where_it_changes_nothing() -> None:
    world = World()
    world.pass_change(PutRule(rule(where=("MD",))), request=world.request(where=("MD",)))

    def silence(**changes: Any) -> str:
        words = rule("b", effect="deny", gate="order", where=("MD",), **changes)
        body = world.change_body(PutRule(words), request=world.request(where=("MD",)))
        impact = preview(world.now, body, "b", at_us=world.clock_us)
        return section(impact, "If the record falls silent").text

    assert silence() == "Nothing changes: no rule here does anything else when it goes stale."
    told = silence(on_stale="deny", stale_after_us=HOUR_US, who=WhoEntry(fleet=("f",)))
    assert "deny POLICY_STALE" in told
    assert "ordinary" in told  # its whole ground goes dark, whoever it is about


def test_what_cannot_be_opened_and_what_is_pending_is_said(world: World) -> None:
    one, other = black_sea(), DropRule("medical")
    rival = one.say(change_of(one, other), "ada", "chg-0")
    body = change_of(one, other)
    impact = preview(one.now, body, "chg-1", at_us=one.clock_us)
    text = section(impact, "What else it hangs on").text
    assert f"{rival} is pending on the same things" in text
    assert "list:verified cannot be opened here" in text
    assert "rule:ua-authorised" in text


def test_facts_are_plain_values(world: World) -> None:
    impact = shown(world, change_of(world, DropRule("medical")), over_the_black_sea(500))
    facts = msgspec.json.decode(msgspec.json.encode(impact.facts()))
    assert facts["digest"] == impact.digest == impact.public.digest
    assert facts["terminals"]["claimed_by"] == "the operator"
    assert facts["terminals"]["stages"][0]["terminals"] == 500
    assert [each["elevation_deg"] for each in facts["borders"]] == sorted(
        each["elevation_deg"] for each in facts["borders"]
    )


def test_the_map_shows_as_much_of_each_colour_as_changes(world: World) -> None:
    body = change_of(world, PutRule(rule("crimea", where=CRIMEA[:1])))
    found = cell_changes(world.now, body, "b", world.clock_us)
    png = draw_changes(found, f"What {TRICK} would do")
    assert png == draw_changes(found, f"What {TRICK} would do")
    pixels = (imread(io.BytesIO(png))[:, :, :3] * 255).round().astype(int)

    def share(name: str) -> float:
        colour = legend.WORDS[name].fill
        rgb = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
        return float((pixels == rgb).all(axis=2).mean())

    gained = found.kind_of(0, "ordinary") == 2
    drawn = share("available") / (share("available") + share("not_offered"))
    area = found.area.area_m2
    assert drawn == pytest.approx(area[gained].sum() / area.sum(), abs=0.06)


def test_the_table_of_cells_adds_up_to_what_is_signed(world: World) -> None:
    body = change_of(world, PutRule(rule("crimea", where=CRIMEA[:1])))
    found = cell_changes(world.now, body, "b", world.clock_us)
    table = found.table().to_pydict()
    impact = shown(world, body)
    effects = [e for e in impact.public.seen[0].phases[0].effects if e.territory == "*"]
    for effect in effects:
        rows = [
            people
            for ref, kind, before, after, people in zip(
                table["reference"],
                table["kind"],
                table["before"],
                table["after"],
                table["people"],
                strict=True,
            )
            if (ref, kind, before, after)
            == (effect.reference, effect.kind, effect.before, effect.after)
        ]
        assert (len(rows), sum(rows)) == (effect.cells, effect.people)
    assert len(table["cell"]) == sum(effect.cells for effect in effects)
    assert np.isin(np.array(table["cell"], dtype=np.uint64), found.area.cell).all()
