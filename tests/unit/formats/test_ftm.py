"""FollowTheMoney: what we write is what its schema allows, and what it writes is read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.accounts import read_world
from support.episodes import Episodes

from spotbeam.errors import InputError
from spotbeam.formats.ftm import entities, entity_lines, read_entities

DATA = Path(__file__).parents[2] / "data" / "ftm"
FACTS: dict[str, Any] = json.loads((DATA / "schemata-4.11.2.json").read_text())["schemata"]
THEIRS = (DATA / "written-by-followthemoney.jsonl").read_bytes()


@pytest.fixture(scope="module")
def ours() -> list[dict[str, Any]]:
    return list(entities(read_world(Episodes().world)))


def test_every_entity_is_one_by_the_schema(ours: list[dict[str, Any]]) -> None:
    """The committed facts are followthemoney's own; its library found no fault in these either."""
    by_id = {each["id"]: each for each in ours}
    assert len(by_id) == len(ours) > 30
    for each in ours:
        schema = FACTS[each["schema"]]
        assert set(schema["required"]) <= each["properties"].keys()
        for name, values in each["properties"].items():
            kind = schema["properties"][name]
            assert values, (each, name)
            if kind in ("LegalEntity", "Person", "Organization", "Thing", "Asset", "Company"):
                for value in values:
                    assert kind in FACTS[by_id[value]["schema"]]["is"], (each, name)


def test_every_entity_says_which_entry_it_is_from(ours: list[dict[str, Any]]) -> None:
    for each in ours:
        properties = each["properties"]
        told = [*properties.get("notes", ()), *properties.get("description", ())]
        assert (
            "recordId" in properties
            or any("genesis" in text for text in told)
            or (each["schema"] in ("Organization", "Person"))
        )


def test_ids_stay_as_the_record_grows() -> None:
    played = Episodes()
    before = {each["id"] for each in entities(read_world(played.world))}
    played.world.anchor()
    assert before == {each["id"] for each in entities(read_world(played.world))}


def test_what_it_writes_itself_is_read() -> None:
    found = read_entities(THEIRS, "theirs.jsonl")
    assert {(party.party, party.kind) for party in found.parties} == {
        ("p-1", "person"),
        ("ministry", "body"),
        (next(p.party for p in found.parties if p.kind == "firm"), "firm"),
    }
    assert sorted(kind for _, _, kind, *_ in found.ties) == ["contract", "holding", "office"]
    (dinner,) = found.matters
    assert (dinner.title, dinner.date) == ("A dinner", "2023-12-01")
    assert set(dinner.parties) == {"p-1", "ministry"}
    assert found.claims == ((0, "The Gazette", "They met twice.", ""),)
    assert dict(found.skipped) == {"Passport": 1}


def test_what_both_can_hold_comes_back() -> None:
    chronicle = read_world(Episodes().world)
    found = read_entities(entity_lines(chronicle), "ours.jsonl")
    names = {told.body.name for told in chronicle.parties.values()}
    assert names <= {party.name for party in found.parties}
    titles = {matter.title for matter in found.matters}
    assert {"Contacts between the owner and a head of state", "Paid access around the island"} <= (
        titles
    )
    quotes = {words for _, _, words, _ in found.claims}
    assert "They have been in regular contact since the autumn." in quotes
    assert len(found.ties) >= 1


@pytest.mark.parametrize(
    "data", [b"{", b"[]", b'{"id": 1, "schema": "Person"}', b'{"id": "x"}', b"\xff", b"null"]
)
def test_a_line_that_is_no_entity_is_named(data: bytes) -> None:
    with pytest.raises(InputError) as fault:
        read_entities(THEIRS + data + b"\n", "f.jsonl")
    assert "f.jsonl, line" in str(fault.value)
