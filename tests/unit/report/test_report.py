import base64
import hashlib
import re
from collections import Counter
from html.parser import HTMLParser

import h3.api.numpy_int as h3
import numpy as np
import pytest
from support.forecasts import DECISIONS, small_forecast

from spotbeam.land.cells import cells_of_world
from spotbeam.report import captions, glossary, legend
from spotbeam.report.page import drawn_cells, forecast_repr_html, report_html
from spotbeam.report.page.markup import Markup, tag
from spotbeam.service.verdict import REASONS

HOSTILE = "<script>alert(1)</script>\"'&<b onmouseover=alert(2)>"
VOID = {"meta", "link", "input", "img", "wbr", "br"}


class Page(HTMLParser):
    """What a page holds, read strictly: every element closed, in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.text = [], [], []
        self.tables, self.inline = [], {"script": [], "style": []}
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, name, attributes):
        facts = dict(attributes)
        assert len(facts) == len(attributes), f"<{name}> says something twice"
        self.elements.append((name, facts, tuple(self.open)))
        if name == "table":
            self.tables.append({"caption": "", "head": [], "rows": []})
        if name == "tr" and "tbody" in self.open:
            self.tables[-1]["rows"].append([])
        if name in ("th", "td"):
            line = self.tables[-1]["rows"][-1] if "tbody" in self.open else self.tables[-1]["head"]
            line.append("")
        if name not in VOID:
            self.open.append(name)

    def handle_endtag(self, name):
        assert self.open.pop() == name

    def handle_data(self, data):
        inside = self.open[-1] if self.open else ""
        if inside in self.inline:
            self.inline[inside].append(data)
            return
        self.text.append(data)
        if "caption" in self.open and "small" not in self.open:
            self.tables[-1]["caption"] += data
        elif "tbody" in self.open and {"th", "td"} & set(self.open):
            self.tables[-1]["rows"][-1][-1] += data
        elif "thead" in self.open:
            self.tables[-1]["head"][-1] += data

    def all(self, name):
        return [facts for found, facts, _ in self.elements if found == name]

    def table(self, caption):
        (found,) = [table for table in self.tables if table["caption"] == caption]
        return found


@pytest.fixture(scope="module")
def forecast():
    return small_forecast()


@pytest.fixture(scope="module")
def text(forecast):
    return report_html(*forecast, picture=b"\x89PNG not drawn here")


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


# --- What it says ----------------------------------------------------------------------------


def test_every_cell_is_drawn_and_says_why(forecast, page):
    _, answer = forecast
    cells = [
        facts for facts in page.all("path") if "c" in facts.get("class", "").split()
    ]  # fmt: skip
    assert len(cells) == answer.cells.num_rows
    words = Counter(re.search(r"s-(\w+)", facts["class"]).group(1) for facts in cells)
    assert words == Counter(answer.cells["status"].to_pylist())
    titles = drawn_cells.cell_titles(answer)
    said = "".join(page.text)
    for title, cell, reason, rule in zip(
        titles,
        *(answer.cells[name].to_pylist() for name in ("cell", "reason", "rule")),
        strict=True,
    ):
        assert title in said
        assert title.startswith(h3.int_to_str(cell))
        assert reason is None or (reason in title and glossary.REASONS[reason][1:-1] in title)
        assert rule is None or f"rule {rule}" in title


def test_the_tables_hold_the_numbers_of_the_answer(forecast, page):
    _, answer = forecast
    area = answer.summary["area"]
    status = {row[0].strip(): row[1] for row in page.table("Status of the ground")["rows"]}
    assert status == {
        legend.WORDS[name].label: f"{number:,}" for name, number in area["cells_by_status"].items()
    }
    why = page.table("Why: status, reason and rule")["rows"]
    assert len(why) == len(DECISIONS)
    for word, reason, rule in DECISIONS:
        (row,) = [row for row in why if row[0].strip() == legend.WORDS[word].label]
        assert reason is None or reason in row[1]
        assert rule is None or rule in row[1]
    rules = page.table("Rules and what each decided")["rows"]
    cells, terminals = (
        Counter(table["rule"].to_pylist()) for table in (answer.cells, answer.terminals)
    )
    assert [(row[0], int(row[5]), int(row[6])) for row in rules] == [
        (name, cells[name], terminals[name]) for name in answer.summary["policy"]["rules"]
    ]
    fleets = page.table("Terminals by service state")["rows"]
    for row, fleet in zip(fleets, answer.fleets, strict=True):
        assert row[0].startswith(fleet["id"])
        assert [int(cell) for cell in row[1:7]] == [
            fleet["terminals"],
            *(fleet["states"][name] for name in legend.STATES),
        ]
    few = page.table("Fleets of up to 20 terminals, one by one")["rows"]
    assert [row[1] for row in few] == ["boats"] * 6
    (disputed,) = page.table("Disputed land in this area")["rows"]
    assert disputed[1:3] == ["RU, UA", "RU"]
    assert "resolution 68/262" in disputed[5]
    (request,) = page.table("Open requests")["rows"]
    assert "a ministry" in request
    indented = [row[0] for row in page.table("Countries, seas and own territories")["rows"]]
    assert indented == ["UA Ukraine", "UA-43 Crimea"]


def test_every_status_reason_and_rule_has_cells_in_the_sample(page):
    rows = page.table("Cells")["rows"]
    assert {row[3].strip() for row in rows} == {word.label for word in legend.WORDS.values()}
    assert max(Counter(row[3] for row in rows).values()) == 25


def test_it_names_its_time_sources_age_and_view(page):
    said = " ".join("".join(page.text).replace("\u00a0", " ").split())
    for fact in (
        "2026-01-01 00:00 to 01:00 UTC, 240 steps of 15 s",
        "constellations/starlink.csv.xz",
        "element sets 9 h 27 min old at the start (median)",
        "ab" * 32,
        "6,500 satellites",
        "point of view: un",
        "made by hand: nothing was computed",
        "Natural Earth",
        "model",
    ):
        assert fact in said
    assert not re.search(r"\blive\b|because of|real.time", said, re.IGNORECASE)


def test_every_code_has_plain_language():
    assert set(REASONS) <= set(glossary.REASONS)
    assert {reason for _, reason, _ in DECISIONS if reason} <= set(glossary.REASONS)


def test_rules_are_said_in_words(forecast):
    world, _ = forecast
    said = {
        rule.id: "; ".join(
            (
                glossary.effect_in_words(rule),
                glossary.where_in_words(rule),
                glossary.whom_in_words(rule),
                glossary.conditions_in_words(rule),
            )
        ).replace("\u00a0", " ")
        for rule in world.policy.rules
    }
    assert said["ua-authorised"].startswith(
        "grants at the territory gate; UA, UA/sea; except UA-43; guard band 5 km; all terminals"
    )
    assert "not verified" in said["ua-speed-cap"]
    assert "over 75 km/h, clears below 65 km/h; for 10 s or longer" in said["ua-speed-cap"]
    assert said["medical"].startswith("exempts from list, mobility; everywhere; protection medical")
    assert (
        "at most 50 Mbit/s; after 48 h without a witness it denies" in said["aid-bandwidth"]
        or "after 2.0 days without a witness it denies" in said["aid-bandwidth"]
    )
    assert "from 2025-01-01T00:00:00Z daily 22:00 to 06:00 UTC" in said["sanction"]


# --- How it is made --------------------------------------------------------------------------


def test_same_forecast_same_bytes(forecast, text):
    assert report_html(*forecast, picture=b"\x89PNG not drawn here") == text


def test_it_asks_nobody_for_anything(text, page):
    for name, facts, _ in page.elements:
        for key in ("src", "href", "action", "poster", "data", "srcset"):
            target = facts.get(key)
            if target is None:
                continue
            local = r"#[\w%.-]+|data:[\w/+;,=-]*|(summary|cells|terminals|forecast|map)\.\w+/?"
            assert re.fullmatch(local, target), (name, key, target[:80])
    styles = "".join(page.inline["style"])
    assert "@import" not in styles
    assert set(re.findall(r"url\(([^)]*)\)", styles)) <= {f"#p-{name}" for name in legend.WORDS}
    (policy,) = [f["content"] for f in page.all("meta") if f.get("http-equiv")]
    assert "default-src 'none'" in policy
    for kind in ("style", "script"):
        (content,) = page.inline[kind]
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert not [name for name, facts, _ in page.elements if "style" in facts]


def test_what_users_write_stays_text():
    world, answer = small_forecast(
        title=HOSTILE,
        note=HOSTILE,
        asker=HOSTILE,
        fleet=HOSTILE,
        territory=HOSTILE,
        notices=(HOSTILE,),
    )
    for text in (
        report_html(world, answer, picture=None),
        forecast_repr_html(world, answer, picture=b"PNG"),
    ):
        page = Page(text)
        assert not [facts for facts in page.all("b") if facts]
        assert all(not key.startswith("on") for _, facts, _ in page.elements for key in facts)
        assert "alert(1)" not in "".join(page.inline["script"])
        assert len(page.inline["script"]) <= 1
        assert "".join(page.text).count(HOSTILE) >= 3


def test_markup_escapes_all_but_markup():
    assert tag("p", "<&>", Markup("<br>"), title='"') == '<p title="&quot;">&lt;&amp;&gt;<br></p>'


# --- How it reads ----------------------------------------------------------------------------


def test_tables_headings_and_links_are_sound(page):
    assert page.all("html") == [{"lang": "en"}]
    ids = [facts["id"] for _, facts, _ in page.elements if "id" in facts]
    assert len(set(ids)) == len(ids)
    for facts in page.all("a"):
        if facts["href"].startswith("#"):
            assert facts["href"][1:] in ids
    assert {name for name, _, _ in page.elements} >= {"header", "nav", "main", "footer", "h1"}
    assert len(page.all("h1")) == 1
    for table in page.tables:
        assert table["caption"]
        assert all(table["head"])
        assert {len(row) for row in table["rows"]} <= {len(table["head"])}
    assert all(facts.get("scope") in ("col", "row") for facts in page.all("th"))
    for facts in page.all("svg"):
        assert facts.get("aria-hidden") == "true" or facts.get("aria-labelledby")
    for facts in page.all("input"):
        assert facts["id"]
    wide = [facts for facts in page.all("div") if facts.get("class") == "scroll"]
    assert len(wide) == len(page.tables)
    assert all(facts["tabindex"] == "0" and facts["aria-label"] for facts in wide)


def luminance(colour):
    digits = colour[1:] if len(colour) == 7 else "".join(c * 2 for c in colour[1:])
    value = np.array([int(digits[i : i + 2], 16) for i in (0, 2, 4)]) / 255.0
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4) @ np.array(
        [0.2126, 0.7152, 0.0722]
    )


@pytest.mark.parametrize("shade", ["light", "dark"])
def test_text_has_contrast(page, shade):
    """WCAG 2.2, success criterion 1.4.3: 4.5 to 1."""
    blocks = re.findall(r":root\s*{([^}]*)}", "".join(page.inline["style"]))
    colours = dict(re.findall(r"--(\w+):\s*(#\w{3,6})\b", blocks[0]))
    if shade == "dark":
        colours.update(re.findall(r"--(\w+):\s*(#\w{3,6})\b", blocks[1]))
    for front in ("ink", "soft", "link", "mark"):
        for back in ("page", "shade"):
            one, other = sorted((luminance(colours[front]), luminance(colours[back])))
            assert (other + 0.05) / (one + 0.05) >= 4.5, (front, back)


# --- Many cells ------------------------------------------------------------------------------


def test_coarser_cells_are_those_of_h3():
    rng = np.random.default_rng(3)
    cells = rng.choice(cells_of_world(3).cell, 500)
    for resolution in (0, 1, 2):
        wanted = [h3.cell_to_parent(cell, resolution) for cell in cells.tolist()]
        assert drawn_cells.parents(cells, resolution).tolist() == wanted


def test_too_many_cells_are_joined_and_the_picture_stands_beside(monkeypatch):
    monkeypatch.setattr(drawn_cells, "MAX_CELLS", 500)
    monkeypatch.setattr("spotbeam.report.page.map_section.MAX_CELLS", 500)
    monkeypatch.setattr(drawn_cells, "_MAX_GROUPS", 200)
    world, answer = small_forecast(cells=cells_of_world(1), resolution=1)
    drawn = drawn_cells.drawn_cells(world, answer)
    assert len(drawn.titles) == 122
    counts = [int(title.split("\u00a0")[0]) for title in drawn.titles]
    assert sum(counts) == answer.cells.num_rows
    page = Page(report_html(world, answer, picture=b"\x89PNG"))
    (image,) = page.all("img")
    assert image["src"] == "data:image/png;base64," + base64.b64encode(b"\x89PNG").decode()
    assert "842 cells by public status" in image["alt"]


def test_a_forecast_without_terminals_has_a_page():
    page = Page(report_html(*small_forecast(terminals=False), picture=None))
    assert "The scenario has no terminals." in page.text


# --- Notebooks -------------------------------------------------------------------------------


def test_the_fragment_keeps_to_itself(forecast):
    page = Page(forecast_repr_html(*forecast, picture=b"\x89PNG"))
    assert [table["caption"] for table in page.tables] == [
        "Status of the ground", "Territories", "Fleets by service state",
    ]  # fmt: skip
    assert not {"style", "script", "link"} & {name for name, _, _ in page.elements}
    assert not [facts for _, facts, _ in page.elements if "id" in facts]
    (image,) = page.all("img")
    assert image["alt"]


# --- Captions --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (1.0, "100 %"), (0.0, "0 %"), (0.5, "50.0 %"), (0.9996, "99.96 %"),
        (0.99999, "over 99.99 %"), (1e-7, "under 0.01 %"), (0.00012, "0.01 %"), (0.0312, "3.1 %"),
    ],
)  # fmt: skip
def test_shares_never_round_to_all_or_nothing(value, said):
    assert captions.share(value).replace("\u00a0", " ") == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (15, "15 s"), (0.25, "0.25 s"), (119, "119 s"), (120, "2 min"), (150, "2 min 30 s"),
        (3600, "60 min"), (7200, "2 h"), (12_000, "3 h 20 min"), (172_800, "2.0 days"),
    ],
)  # fmt: skip
def test_durations_are_said_shortly(seconds, said):
    assert captions.duration(seconds).replace("\u00a0", " ") == said


@pytest.mark.parametrize(
    ("km2", "said"), [(940.4, "940 km²"), (12_345, "12,300 km²"), (3_414_000, "3.41 million km²")]
)
def test_areas_are_said_shortly(km2, said):
    assert captions.square_km(km2).replace("\u00a0", " ") == said
