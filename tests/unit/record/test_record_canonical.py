"""Canonical JSON takes one form of everything, whatever Python's own parser would take."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spotbeam.errors import MalformedRecord
from spotbeam.record import canonical
from spotbeam.record.canonical import MAX_DEPTH, MAX_INTEGER, canonical_json, parse_canonical

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-MAX_INTEGER, MAX_INTEGER)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(VALUES)
def test_what_is_written_is_read_back_and_nothing_else_means_it(value: object) -> None:
    data = canonical_json(value)  # type: ignore[arg-type]
    assert parse_canonical(data) == value == json.loads(data)
    for other in (
        json.dumps(value, indent=1).encode(),
        json.dumps(value, separators=(",", ":")).encode(),
        b" " + data,
        data + b"\n",
        b"\xef\xbb\xbf" + data,
        data.decode().encode("utf-16"),
    ):
        if other != data:
            with pytest.raises(MalformedRecord):
                parse_canonical(other)


def test_keys_are_sorted_by_utf_16_as_rfc_8785_shows() -> None:
    # The example of RFC 8785 section 3.2.3.
    data = '{"\\r":1,"1":2,"\x80":3,"ö":4,"€":5,"😀":6,"\ufb33":7}'.encode()
    assert list(parse_canonical(data)) == ["\r", "1", "\x80", "ö", "€", "😀", "\ufb33"]
    by_code_point = '{"\\r":1,"1":2,"\x80":3,"ö":4,"€":5,"\ufb33":7,"😀":6}'.encode()
    with pytest.raises(MalformedRecord):
        parse_canonical(by_code_point)


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1,"a":1}',
        b'{"a":{"b":1,"b":2}}',
        b'{"b":1,"a":2}',
        b"1.0",
        b"1.5",
        b"1e2",
        b"1E400",
        b"-0",
        b"01",
        b"+1",
        b"1_000",
        "１".encode(),
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"9007199254740992",
        b"-9007199254740992",
        b"1" * 60_000,
        b'"\\ud800"',
        b'{"\\ud800":1}',
        b'"\\udc00\\ud800"',
        b'"\xed\xa0\x80"',
        b'"\\u0061"',
        b'"\\/"',
        b'"\\u000A"',
        b'"\n"',
        b'"\xff"',
        b'"',
        b'"' + b"\\" * 60_001,
        b"[1,]",
        b"[1 ,2]",
        b"{}{}",
        b"",
        b"true false",
        b"'a'",
        b"[" * 65_000,
        b"[" * 17 + b"]" * 17,
        b'{"a":' * 17 + b"1" + b"}" * 17,
        b'"' + b"a" * 65_534 + b'"',
        b"\0",
        b"// c\n1",
    ],
    ids=lambda data: repr(data[:24]),
)
def test_everything_else_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedRecord):
        parse_canonical(data)


def test_the_limits_themselves_are_allowed() -> None:
    for data in (
        b"[" * MAX_DEPTH + b"]" * MAX_DEPTH,
        b'"' + b"a" * 65_533 + b'"',
        b"9007199254740991",
        b'"[[[[[[[[[[[[[[[[[[[[[["',
        b'"\\"[[[[[[[[[[[[[[[[[[[[[["',
    ):
        assert canonical_json(parse_canonical(data)) == data


@pytest.mark.parametrize(
    "value",
    [1.0, float("nan"), 2**53, b"x", {1: 2}, {"a": {2}}, "\ud800", {"\ud800": 1}, "x" * 65_535],
    ids=repr,
)
def test_what_has_no_canonical_form_is_not_written(value: object) -> None:
    with pytest.raises(MalformedRecord):
        canonical_json(value)  # type: ignore[arg-type]
    deep: list[object] = []
    for _ in range(MAX_DEPTH):
        deep = [deep]
    with pytest.raises(MalformedRecord):
        canonical_json(deep)  # type: ignore[arg-type]


@given(
    st.binary().map(lambda rest: b'"' + rest) | st.text('"\\\\a').map(lambda t: f'"{t}'.encode())
)
def test_a_string_that_does_not_end_is_looked_at_once(data: bytes) -> None:
    # Were it not taken to its end, every quote in it would be tried again: the work would grow with
    # the square of an entry's length, and one entry would hold up every reader.
    assert canonical._STRING.match(data) is not None
