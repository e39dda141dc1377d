"""Rules version 1 means today what it meant when its vectors were written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.governance import NEXT, ORIGIN, World
from support.governance_records import logs_vectors, vectors

from spotbeam.governance import VERSIONS
from spotbeam.governance.entries import statement
from spotbeam.governance.entries.envelope import parse_entry
from spotbeam.governance.entries.logs import succession_statement
from spotbeam.record.canonical import canonical_json

FOLDER = Path(__file__).parents[2] / "data" / "governance"


def held(version: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / f"rules-{version}.json").read_text())
    return found


@pytest.mark.parametrize("version", sorted(VERSIONS))
def test_every_rules_version_has_vectors_and_keeps_to_them(version: int) -> None:
    kept = held(version)
    entries = [text.encode("latin-1") for text in kept["entries"]]
    assert vectors(entries) == kept
    assert kept["findings"]
    assert "bound" in kept["changes"].values()


def test_acts_that_came_later_keep_to_their_vectors() -> None:
    kept = json.loads((FOLDER / "acts-1.json").read_text())
    assert vectors([text.encode("latin-1") for text in kept["entries"]]) == kept
    assert sorted(kept["changes"].values()).count("pending") == 2
    assert [code for _, code in kept["findings"]] == ["extended"]


def test_what_people_told_keeps_to_its_vectors() -> None:
    kept = json.loads((FOLDER / "accounts-1.json").read_text())
    assert vectors([text.encode("latin-1") for text in kept["entries"]]) == kept
    assert sorted(kept["changes"].values()).count("bound") == 2
    codes = [code for _, code in kept["findings"]]
    assert codes == ["unknown", "not_theirs", "recused", "unverified"]


def test_logs_that_follow_each_other_keep_to_their_vectors() -> None:
    kept = json.loads((FOLDER / "logs-1.json").read_text())
    logs = [[text.encode("latin-1") for text in log["entries"]] for log in kept["logs"]]
    assert logs_vectors(logs) == kept
    origins = [log["origin"] for log in kept["logs"]]
    assert len(set(origins)) == len(origins) == 3
    assert set(kept["logs"][-1]["changes"].values()) == {"bound"}


def test_the_statement_that_leaves_a_log_is_this_text() -> None:
    world = World()
    world.move_on()
    body = world.succession("bo", "cy")
    left, quorum = body.previous, body.witness_quorum
    assert (
        succession_statement(world.now.genesis, body)
        == (
            f'{{"begin_by_us":{body.begin_by_us},"context":"spotbeam.org/succession/v1",'
            f'"genesis":"{world.now.genesis}","origin":"{NEXT}",'
            f'"previous":{{"origin":"{ORIGIN}","root":"{left.root}","size":{left.size},'
            f'"state_digest":"{left.state_digest}"}},"witness_quorum":{{"faulty":1,'
            '"mirrors":["w1","w2","w3"],'
            '"organisations":{"w1":"org-w1","w2":"org-w2","w3":"org-w3"},'
            f'"policy":{json.dumps(quorum.policy, ensure_ascii=False)}}},'
            '"words":"The key of the log is lost."}'
        ).encode()
    )


def test_the_statement_that_an_approver_signs_is_this_text() -> None:
    """Written out, so that any other program can build it and any signer can show it."""
    world = World()
    change = world.change()
    data = world.write(world.approval(change), "cy", "an-approval")
    envelope = parse_entry(data).envelope
    body = envelope.body
    assert (
        statement(world.origin, world.now.genesis, envelope)
        == (
            '{"actor":"cy",'
            f'"body":{{"change":"{body["change"]}","expires_us":{body["expires_us"]},'
            f'"impact":"{body["impact"]}","reads":"{body["reads"]}","window":{{'
            '"from_us":null,"until_us":null},"word":"approve"},'
            '"context":"spotbeam.org/statement/v1",'
            f'"genesis":"{world.now.genesis}","id":"an-approval","key":"{envelope.key}",'
            f'"origin":"{ORIGIN}","type":"approval","v":1}}'
        ).encode()
    )
    assert data == canonical_json(json.loads(data))


def test_every_byte_of_an_approval_is_signed() -> None:
    """Any byte changed, and it is void; `recorded_us` alone is the server's own."""
    world = World()
    change = world.change()
    data = world.write(world.approval(change), "cy")
    at = data.index(b'"recorded_us":') + len(b'"recorded_us":')
    unsigned = range(at, data.index(b",", at))
    for place in range(len(data)):
        if place in unsigned:
            continue
        for flip in (1, 0x20):
            changed = data[:place] + bytes([data[place] ^ flip]) + data[place + 1 :]
            after = world.step(world.now, changed)
            assert after.findings.get(world.now.size), place
            assert after.changes is world.now.changes
