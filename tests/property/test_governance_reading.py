"""What was made fast means what its slow, obvious form means."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import h3
import pytest
import rfc8785
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.json import encode
from msgspec.structs import replace
from rpds import HashTrieMap
from support.governance import World
from support.governance_records import (
    acts_for_vectors,
    logs_for_vectors,
    record_for_vectors,
    rich_world,
)

from spotbeam.errors import MalformedRecord
from spotbeam.governance.apply import apply
from spotbeam.governance.entries import parse_entry, signed, statement, unsigned
from spotbeam.governance.entries.asking import Refusal
from spotbeam.governance.entries.envelope import statement_of
from spotbeam.governance.entries.words import Ground
from spotbeam.governance.ground import cell_within, may_overlap
from spotbeam.governance.state import State, state_digest
from spotbeam.governance.void import Finding, Void
from spotbeam.record.canonical import MAX_DEPTH, parse_canonical

# -- canonical JSON


def slow_parse(data: bytes) -> Any:
    """Canonical JSON by the standard library's reader and the written-out RFC 8785 writer."""

    def whole(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("twice")
        return found

    def no(text: str) -> Any:
        raise ValueError(text)

    value = json.loads(
        data.decode("utf-8"), parse_float=no, parse_constant=no, object_pairs_hook=whole
    )
    if deep(value) > MAX_DEPTH:
        raise ValueError("deep")
    if rfc8785.dumps(value) != data:
        raise ValueError("otherwise")
    return value


def deep(value: Any) -> int:
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return 1 + max(map(deep, inner), default=0)
    return 0


TEXT = st.text(
    st.one_of(
        st.characters(exclude_categories=["Cs"]),
        st.sampled_from('"\\/\b\f\n\r\t\x00\x1f\x7f\x80é€\u2028\uffff\ue000𐀀😀{}[]:,0e.'),
    ),
    max_size=12,
)
NUMBERS = st.one_of(
    st.integers(-(2**53) + 1, 2**53 - 1),
    st.sampled_from([0, 2**53 - 1, 9 * 10**15, 1_780_000_000_000_000, 10**15, -1]),
)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=5),
    max_leaves=20,
)


@given(VALUES)
@example({"\ue000": 1, "😀": 2})
@example({"\uffff": {"𐀀": [], "\ud7ff": 0}})
def test_every_canonical_value_is_read_as_itself(value: Any) -> None:
    data = rfc8785.dumps(value)
    if deep(value) <= MAX_DEPTH:
        found = parse_canonical(data)
        assert found == slow_parse(data)
        assert rfc8785.dumps(found) == data  # type: ignore[arg-type]


@settings(max_examples=500)
@given(VALUES, st.data())
def test_bytes_are_refused_exactly_where_the_slow_reader_refuses_them(
    value: Any, draw: st.DataObject
) -> None:
    data = bytearray(rfc8785.dumps(value))
    for _ in range(draw.draw(st.integers(1, 3))):
        place = draw.draw(st.integers(0, len(data)))
        piece = draw.draw(
            st.one_of(
                st.binary(min_size=0, max_size=2),
                st.sampled_from([b"1.0", b"e5", b"-0", b" ", b"\\u0041", b"\\u00e9", b"\\ud800"]),
                st.sampled_from([b"99999999999999999999", b"9007199254740992", b"00", b"NaN"]),
            )
        )
        data[place : place + draw.draw(st.integers(0, 2))] = piece
    agree(bytes(data))


@pytest.mark.parametrize(
    "data",
    [
        b"9007199254740991",
        b"9007199254740992",
        b"-9007199254740992",
        b"8999999999999999",
        b"1e5",
        b"1E5",
        b"-0",
        b'{"a":1,"a":1}',
        b'{"b":1,"a":1}',
        '{"😀":1,"\ue000":1}'.encode(),
        '{"\ue000":1,"😀":1}'.encode(),
        b'"\\u001F"',
        b'"\\u001f"',
        b'"\\/"',
        b'"\x7f"',
        b'"' + b"[" * 40 + b'"',
        b"[" * 16 + b"]" * 16,
        b"[" * 17 + b"]" * 17,
        b'["\\"",' + b"[" * 15 + b"]" * 16,
        b'"\\',
        b'"\\"[[[[[[[[[[[[[[[[[[[',
        b"",
        b"\xef\xbb\xbf{}",
    ],
)
def test_bytes_at_the_edges(data: bytes) -> None:
    agree(data)


def agree(data: bytes) -> None:
    try:
        expected = slow_parse(data)
    except (ValueError, RecursionError, rfc8785.CanonicalizationError):
        with pytest.raises(MalformedRecord):
            parse_canonical(data)
        return
    found = parse_canonical(data)
    assert found == expected
    assert str(found) == str(expected)  # True is not 1


# -- the signed text


def test_the_statement_of_every_entry_is_cut_from_its_bytes() -> None:
    world = rich_world()
    count = 0
    for data in world.entries:
        try:
            entry = parse_entry(data)
        except Void:
            continue
        if entry.envelope.key is not None:
            expected = statement(world.origin, world.now.genesis, entry.envelope)
            assert statement_of(world.origin, world.now.genesis, entry) == expected
            count += 1
    assert count >= 40


@given(TEXT.filter(bool), st.sampled_from([',"id":"', '","id":"x","key":"', ',"body":', "}"]))
def test_no_words_in_a_body_move_its_ends(words: str, trap: str) -> None:
    world = WORLD
    body = Refusal(
        request="id",
        grounds=(Ground(kind="order", id="id"), Ground(kind="safety", id="body")),
        quote=trap + words + trap,
    )
    origin = "log.example/" + words
    envelope = unsigned(body, id="id", actor="body", key=world.keys["cy"].digest)
    entry = parse_entry(signed(envelope, origin, "0" * 64, world.keys["cy"].sign))
    assert statement_of(origin, "0" * 64, entry) == statement(origin, "0" * 64, envelope)
    other = replace(envelope, actor="bodi")
    assert statement_of(origin, "0" * 64, entry) != statement(origin, "0" * 64, other)


WORLD = World()


# -- the digest of a state


def plain(value: Any) -> Any:
    """What the digest is over: maps as pairs in order, structs as a name and what is not empty."""
    if isinstance(value, HashTrieMap | dict):
        return [[key, plain(value[key])] for key in sorted(value)]
    if isinstance(value, Finding):
        return [value.index, value.code]
    if isinstance(value, Struct):
        kept = {}
        for name in value.__struct_fields__:
            field = getattr(value, name)
            is_sized = isinstance(field, tuple | str | HashTrieMap | dict)
            if name in ("rules_over", "rules_naming", "standing") or field is None:
                continue
            if not (is_sized and len(field) == 0):
                kept[name] = plain(field)
        return [type(value).__name__, kept]
    if isinstance(value, tuple):
        return [plain(each) for each in value]
    return value.hex() if isinstance(value, bytes) else value


@pytest.mark.parametrize(
    "entries", [record_for_vectors(), acts_for_vectors(), *logs_for_vectors()[:1]]
)
def test_a_state_has_the_digest_of_all_that_it_holds(entries: list[bytes]) -> None:
    now = State()
    assert state_digest(now) == sha256(encode(plain(now), order="sorted")).hexdigest()
    for number, data in enumerate(entries):
        now = apply(now, data)
        if number % 5 == 0 or number > len(entries) - 4:
            assert state_digest(now) == sha256(encode(plain(now), order="sorted")).hexdigest()


def test_anything_that_a_state_holds_moves_its_digest() -> None:
    """Each field that is not an index is set to something else."""
    state = rich_world().now
    for name in set(State.__struct_fields__) - {"rules_over", "rules_naming", "standing"}:
        field = getattr(state, name)
        other: Any = "other" if field is None or isinstance(field, str) else None
        if isinstance(field, int):
            other = field + 1
        if not (isinstance(field, tuple | HashTrieMap) and len(field) == 0):
            assert state_digest(replace(state, **{name: other})) != state_digest(state), name


# -- ground

CELL = "831e26fffffffff"
NAMES = st.sampled_from(
    [
        "UA",
        "UA-43",
        "UA-65",
        "UA/sea",
        "UA-43/sea",
        "UA-65/sea",
        "PL",
        "PL-30",
        "x-place",
        f"h3:{CELL}",
        f"h3:{h3.cell_to_parent(CELL, 0)}",
        f"h3:{h3.cell_to_center_child(CELL, 15)}",
        *(f"h3:{cell}" for cell in sorted(h3.cell_to_children(CELL, 4))[:3]),
        *(f"h3:{cell}" for cell in sorted(h3.cell_to_children(CELL, 5))[:3]),
        "h3:831e27fffffffff",
        "h3:000000000000000",
        "h3:831e26ffffffff0",
        "h3:fffffffffffffff",
    ]
)


def overlaps(a: str, b: str) -> bool:
    """Two names, by their own words."""
    if a.startswith("h3:") and b.startswith("h3:"):
        return cell_within(a, b) or cell_within(b, a)
    if a.startswith(("h3:", "x-")) or b.startswith(("h3:", "x-")):
        return True
    if a[:2] != b[:2]:
        return False
    if a.endswith("/sea") and b.endswith("/sea"):
        return True
    land, other = a.removesuffix("/sea"), b.removesuffix("/sea")
    return land == other or "-" not in land or "-" not in other


@settings(max_examples=600)
@given(st.lists(NAMES, max_size=4), st.lists(NAMES, max_size=4))
def test_ground_may_overlap_where_some_pair_of_names_may(one: list[str], two: list[str]) -> None:
    expected = not one or not two or any(overlaps(a, b) for a in one for b in two)
    assert may_overlap(one, two) == expected
    assert may_overlap(tuple(two), frozenset(one)) == expected
