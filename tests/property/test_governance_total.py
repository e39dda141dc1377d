"""No bytes stop a reader: `apply` never raises, and what is broken has no effect."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import to_builtins
from support.governance import World
from support.governance_records import rich_world

from spotbeam.errors import MalformedRecord
from spotbeam.governance.apply import apply
from spotbeam.governance.entries import BODIES, Envelope, entry_bytes, signed
from spotbeam.governance.entries.deciding import Opening
from spotbeam.governance.entries.logs import Open
from spotbeam.governance.entries.people import Revocation
from spotbeam.governance.history import intended
from spotbeam.governance.policy import policy
from spotbeam.governance.state import State, listed, state_digest

WORLD = rich_world()
MOVED = World()
MOVED.close()
MOVED.move_on()
ENVELOPES = [json.loads(data) for data in WORLD.entries]


def test_the_record_that_is_mutated_is_mostly_valid() -> None:
    assert set(WORLD.codes()) <= {"list_needed", "mixed"}
    elsewhere = {"lapse", "opening", "revocation", "open", "succession"}
    assert {e["type"] for e in ENVELOPES} == set(BODIES) - elsewhere


def check(state: State, data: bytes) -> State:
    after = apply(state, data)
    assert after.size == state.size + 1
    codes = [finding.code for finding in after.findings.get(state.size, ())]
    assert "unforeseen" not in codes
    policy(intended(after, WORLD.clock_us))
    return after


def is_without_effect(before: State, after: State) -> bool:
    """All but size, tree and findings is the very same."""
    names = set(State.__struct_fields__) - {"size", "frontier", "frontiers", "findings"}
    return all(getattr(before, name) is getattr(after, name) for name in names)


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    for state in (State(), WORLD.now):
        after = check(state, data)
        assert is_without_effect(state, after)


HOSTILE = [
    b"",
    b"{}",
    b"[]",
    b"null",
    b'"a"',
    b"1e400",
    b"NaN",
    b"-0",
    b"[" * 60_000,
    b'{"a":' * 20_000,
    b"9" * 60_000,
    b'{"a":1,"a":1}',
    b'"\\ud800"',
    b'{"\\ud800":1}',
    b'{"v":1,"v":2}',
    b'{"a":"\xff"}',
    "\ufeff{}".encode(),
    b'{"v": 1}',
    b"x" * 70_000,
    b'{"v":12345678901234567890}',
    b'{"v":1_000}',
]


@pytest.mark.parametrize("data", HOSTILE, ids=lambda data: repr(data[:20]))
def test_bytes_on_which_parsers_differ(data: bytes) -> None:
    for state in (State(), WORLD.now):
        after = check(state, data)
        assert is_without_effect(state, after)
        assert after.findings[state.size][0].code in ("not_canonical", "malformed")


@given(st.data())
def test_a_valid_entry_with_a_byte_changed_has_no_effect(data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(WORLD.entries) - 1))
    entry = WORLD.entries[index]
    place = data.draw(st.integers(0, len(entry) - 1))
    changed = entry[:place] + bytes([data.draw(st.integers(0, 255))]) + entry[place + 1 :]
    if changed == entry or b'"recorded_us"' not in changed:
        return
    before = prefix(index)
    after = check(before, changed)
    unsigned_now = {"genesis", "arrival", "anchor", "lapse"}
    if ENVELOPES[index]["type"] not in unsigned_now and not _only_recorded(changed, entry):
        assert is_without_effect(before, after)


def _only_recorded(changed: bytes, entry: bytes) -> bool:
    try:
        one, other = json.loads(changed), json.loads(entry)
        one.pop("recorded_us"), other.pop("recorded_us")
    except (ValueError, KeyError):
        return False
    return bool(one == other)


_PREFIXES: list[State] = []


def prefix(index: int) -> State:
    if not _PREFIXES:
        _PREFIXES.append(State())
        for data in WORLD.entries:
            _PREFIXES.append(apply(_PREFIXES[-1], data))
    return _PREFIXES[index]


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**60), 2**60),
    st.integers(-3, 3),
    st.sampled_from(["", "ada", "cy", "log", "UA", "h3:841e265ffffffff", "0" * 64, "e3", "kits"]),
    st.text(max_size=8),
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    if isinstance(value, dict):
        for key in value:
            found += places(value[key], (*path, key))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            found += places(each, (*path, number))
    return found


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copied = dict(value) if isinstance(value, dict) else list(value)
    copied[path[0]] = replaced(value[path[0]], path[1:], new)
    return copied


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_an_insider_may_sign_anything_and_stops_nobody(data: st.DataObject) -> None:
    """The body is mutated, and then signed with the real keys: it gets past every signature."""
    index = data.draw(st.integers(0, len(ENVELOPES) - 1))
    plain = ENVELOPES[index]
    body = plain["body"]
    for _ in range(data.draw(st.integers(1, 3))):
        paths = places(body)
        path = data.draw(st.sampled_from(paths))
        other = data.draw(st.sampled_from(ENVELOPES))["body"]
        pool = places(other)
        grafted = other
        for key in data.draw(st.sampled_from(pool)):
            grafted = grafted[key]
        body = replaced(body, path, data.draw(st.one_of(JSON, st.just(grafted))))
        if not isinstance(body, dict):
            return
    kind = data.draw(st.sampled_from([plain["type"]] * 4 + ["change", "approval", "emergency"]))
    envelope = Envelope(
        v=1,
        type=kind,
        id=data.draw(st.sampled_from(["fresh", plain["id"]])),
        actor=plain["actor"],
        key=plain.get("key"),
        body=body,
        recorded_us=0,
    )
    state = data.draw(st.sampled_from([prefix(index), WORLD.now]))
    try:
        if envelope.key is None:
            written = entry_bytes(envelope)
        else:
            sign = next(k.sign for k in WORLD.keys.values() if k.digest == envelope.key)
            written = signed(envelope, WORLD.origin, WORLD.now.genesis, sign)
    except (MalformedRecord, UnicodeEncodeError):
        return
    after = check(state, written)
    # Whatever it was: on its own it alters neither service nor who decides.
    assert after.layers is state.layers or after.layers == state.layers or kind == "anchor"
    if kind not in ("revocation", "genesis", "anchor"):
        assert after.roster is state.roster
    if data.draw(st.booleans()):
        follower = data.draw(st.sampled_from(WORLD.entries))
        state_digest(check(after, follower))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_nobody_begins_the_next_log_with_another_entry(data: st.DataObject) -> None:
    """The two entries with which it may begin are mutated: the log may say anything."""
    opening = Open(origin=MOVED.origin, previous=MOVED.now.earlier[-1])
    plain = data.draw(st.sampled_from([opening, MOVED.succession("bo", "cy")]))
    body = original = to_builtins(plain)
    kind = original.pop("type")
    for _ in range(data.draw(st.integers(1, 2))):
        path = data.draw(st.sampled_from(places(body)))
        body = replaced(body, path, data.draw(JSON))
        if not isinstance(body, dict):
            return
    envelope = Envelope(v=1, type=kind, id="next", actor="log", body=body, recorded_us=0)
    try:
        written = entry_bytes(envelope)
    except (MalformedRecord, UnicodeEncodeError):
        return
    after = apply(MOVED.now, written)
    assert after.size == 1
    assert "unforeseen" not in [found.code for found in listed(after)]
    assert after.is_open == (body == original)


def test_a_revocation_is_the_one_thing_that_one_person_does_alone() -> None:
    world = World()
    world.say(Revocation(revoked=world.keys["cy"].digest), "cy")
    assert world.codes() == []
    world.request()
    world.say(Opening(seal="none", value="x", salt=""), "cy")
    assert world.last_code() == "revoked"
