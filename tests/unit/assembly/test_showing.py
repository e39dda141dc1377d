"""A record in plain lines: what followed, and nothing that could steer a terminal."""

from __future__ import annotations

import json
import unicodedata
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from support.edge_records import publish
from support.governance import LICENCE, World, rule
from support.governance_records import rich_world

from spotbeam.assembly.reading import read_record
from spotbeam.assembly.showing import Line, in_full, lines
from spotbeam.chronicle.sentences import rule_words
from spotbeam.chronicle.words import named, quoted
from spotbeam.cli.output import print_json, shown, table
from spotbeam.errors import UnknownName
from spotbeam.governance.entries.acts import PutRule
from spotbeam.governance.entries.asking import Refusal
from spotbeam.governance.entries.rules import ThresholdsEntry, WhoEntry
from spotbeam.governance.entries.words import DAY_US, HOUR_US
from spotbeam.governance.state import listed
from spotbeam.times import format_time

HOSTILE = "\x1b[2J\x07\u202egrant\u2066\u200b\x9b31m\nentry 9 bound\u2028\U000e0041"


def told(world: World, path: Path, **chosen: Any) -> list[Line]:
    world.anchor()
    publish(world, path / "record")
    return list(lines(read_record(path / "record"), **chosen))


def of(found: list[Line], name: str) -> Line:
    (line,) = (each for each in found if each.id == name)
    return line


def test_every_kind_of_entry_has_its_sentence_and_every_void_one_its_reason(
    tmp_path: Path,
) -> None:
    world = rich_world()
    world.witnesses = ("w1", "w2", "w3", "w4")
    world.add(b"\xff\x00 not an entry")
    found = told(world, tmp_path)
    assert [each.index for each in found] == list(range(len(world.entries)))
    kinds = {each.type for each in found}
    assert kinds >= {
        "genesis",
        "arrival",
        "request",
        "refusal",
        "withdrawal",
        "change",
        "emergency",
        "seal",
        "approval",
        "contact",
        "anchor",
        "void",
    }
    for gone in listed(world.now):
        assert f"no effect: {gone.code}: {gone.reason}" in found[gone.index].followed
    for line in found:
        assert line.says
        assert "Struct" not in line.says
    assert [each for each in found if each.type == "void"] == [
        each for each in told(world, tmp_path, type="void") if each.type == "void"
    ]


def test_what_followed_is_said_for_every_ending(tmp_path: Path) -> None:
    world = World()
    granted = world.pass_change()
    refused, lapses = world.request(), world.request(answer_by_us=world.clock_us + DAY_US)
    refusal = world.say(Refusal(request=refused, grounds=(LICENCE,), quote="Not now."), "cy")
    rejected = world.change(PutRule(rule("no")))
    world.say(world.approval(rejected, word="reject"), "cy")
    pending = world.change(PutRule(rule("maybe")))
    world.approve(pending, "bo")
    lapsed = world.change(PutRule(rule("late")), lapses_us=world.clock_us + HOUR_US)
    world.anchor(after_us=2 * DAY_US)
    found = told(world, tmp_path)
    change = world.now.changes[granted]
    assert change.bound_us is not None
    assert of(found, granted).followed == (
        f"approved by bo (entry {change.index + 1}), cy (entry {change.index + 2})",
        f"bound at entry {change.bound_index}, {format_time(change.bound_us)}",
    )
    by = world.now.seen[refusal]
    assert of(found, refused).followed[0].startswith(f"refused by entry {by} ({refusal})")
    assert "“Not now.”" in of(found, refusal).says
    assert of(found, lapses).followed[0].startswith("lapsed: nobody had answered by ")
    assert of(found, rejected).followed == ("rejected",)
    assert of(found, pending).followed[-1] == "pending"
    assert of(found, lapsed).followed[-1].startswith("lapsed ")


def test_lines_are_chosen_by_kind_and_by_witnessed_time(tmp_path: Path) -> None:
    world = World()
    world.pass_change()
    early = world.clock_us
    world.anchor(after_us=DAY_US)
    world.request()
    found = told(world, tmp_path)
    read = read_record(tmp_path / "record")
    requests = list(lines(read, type="request"))
    assert requests == [each for each in found if each.type == "request"]
    assert len(requests) == 2
    since = list(lines(read, since_us=early + 1))
    assert since == [each for each in found if (each.witnessed_us or early + 1) > early]
    assert 0 < len(since) < len(found)
    with pytest.raises(UnknownName, match="unknown kind of entry 'requests'"):
        list(lines(read, type="requests"))


def test_what_others_wrote_cannot_steer_a_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = World()
    request = world.request(asker=HOSTILE, on_behalf_of=HOSTILE)
    world.say(Refusal(request=request, grounds=(LICENCE,), quote=HOSTILE), "cy")
    publish(world, tmp_path / "record")
    read = read_record(tmp_path / "record")
    for line in lines(read):
        text = shown(f"{line.says} {line.followed}")
        assert all(unicodedata.category(each)[0] not in "CZ" or each == " " for each in text)
    line, plain = in_full(read, 2)
    print_json({"line": line, "plain": plain})
    out = capsys.readouterr().out
    assert json.loads(out)["plain"]["body"]["quote"] == HOSTILE
    assert all(
        unicodedata.category(each) not in ("Cc", "Cf", "Zl", "Zp") or each == "\n" for each in out
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ministry-of-health", "ministry-of-health"),
        ("log.example/black-sea", "log.example/black-sea"),
        ("Ada -> granted by entry 3", "“Ada -> granted by entry 3”"),
        ("x” -> granted; “", "“x\\u201d -> granted; \\u201c”"),
        ("", "“”"),
    ],
)
def test_a_name_cannot_pass_for_what_followed(text: str, said: str) -> None:
    assert named(text) == said
    assert quoted(text).count("”") == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "grant at the territory gate in UA"),
        ({"where": ()}, "grant at the territory gate everywhere"),
        ({"except_": ("UA-43",)}, "grant at the territory gate in UA except UA-43"),
        (
            {
                "effect": "exempt",
                "gate": None,
                "lifts": ("list",),
                "who": WhoEntry(protection=("medical", "aid"), verified=False),
            },
            "exempt in UA, for terminals not verified, with medical or aid protection, "
            "lifting list",
        ),
        (
            {"gate": "mobility", "effect": "deny", "thresholds": ThresholdsEntry(over_kmh="75")},
            "deny at the mobility gate in UA, for terminals faster than 75 km/h",
        ),
    ],
)
def test_a_rule_says_whom_it_is_about(changes: dict[str, Any], said: str) -> None:
    assert rule_words(rule(**changes)) == said


def test_a_cell_of_a_table_steers_no_terminal() -> None:
    written = StringIO()
    foreign = "agency\x1b[2J\x1b]0;owned\x07\u202eycnega"
    Console(file=written, width=120).print(table("Factors", ["name"], [[foreign]]))
    assert all(char.isprintable() or char == "\n" for char in written.getvalue())
    assert r"\x1b[2J" in written.getvalue()
