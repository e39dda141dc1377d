"""Two-line element sets, with or without a name line (TLE, 3LE), Alpha-5 numbers included.

Columns as published by CelesTrak (T.S. Kelso, "Two-Line Element Set Format") and Space-Track.
Every column is checked, then the checksum: a digit that flipped is caught by the sum, a blank
or a full stop that flipped, to which the sum is blind, by the columns.
"""

from __future__ import annotations

import re
from typing import Literal

from spotbeam.sky.elements.fields import (
    FieldFault,
    Row,
    checked_numbers,
    printable,
    tle_catalogue_number,
    tle_designator,
    tle_epoch_us,
)
from spotbeam.sky.elements.gathering import Gathering

WIDTH = 69

# field, first column and last (from 1), pattern, what must stand there
_Column = tuple[str, int, int, str, str]
_EXPONENT = "a sign, five digits, and an exponent of a sign and a digit"
_LINE_1: tuple[_Column, ...] = (
    ("line 1", 1, 2, "1 ", "must begin with '1 '"),
    ("NORAD_CAT_ID", 3, 7, "[ 0-9A-Z][ 0-9]{3}[0-9]", "must be five digits or Alpha-5"),
    ("CLASSIFICATION_TYPE", 8, 8, "[A-Z ]", "must be a letter"),
    ("line 1", 9, 9, " ", "must be blank"),
    ("OBJECT_ID", 10, 17, "[ 0-9A-Z]{8}", "must be letters and digits"),
    ("line 1", 18, 18, " ", "must be blank"),
    ("EPOCH", 19, 32, "([0-9]{2})([ 0-9]{3})\\.([0-9]{8})", "must be YYDDD.DDDDDDDD"),
    ("line 1", 33, 33, " ", "must be blank"),
    ("MEAN_MOTION_DOT", 34, 43, "([ +\\-0]\\.[0-9]{8})", "must be a sign and .NNNNNNNN"),
    ("line 1", 44, 44, " ", "must be blank"),
    ("MEAN_MOTION_DDOT", 45, 52, "([ +\\-])([0-9]{5})([+\\-][0-9])", f"must be {_EXPONENT}"),
    ("line 1", 53, 53, " ", "must be blank"),
    ("BSTAR", 54, 61, "([ +\\-])([0-9]{5})([+\\-][0-9])", f"must be {_EXPONENT}"),
    ("line 1", 62, 62, " ", "must be blank"),
    ("EPHEMERIS_TYPE", 63, 63, "[ 0-9]", "must be a digit"),
    ("line 1", 64, 64, " ", "must be blank"),
    ("ELEMENT_SET_NO", 65, 68, "[ 0-9]{4}", "must be up to four digits"),
    ("checksum", 69, 69, "[0-9]", "must be a digit"),
)
_LINE_2: tuple[_Column, ...] = (
    ("line 2", 1, 2, "2 ", "must begin with '2 '"),
    ("NORAD_CAT_ID", 3, 7, "[ 0-9A-Z][ 0-9]{3}[0-9]", "must be five digits or Alpha-5"),
    ("line 2", 8, 8, " ", "must be blank"),
    ("INCLINATION", 9, 16, "([ 0-9]{3}\\.[0-9]{4})", "must be NNN.NNNN"),
    ("line 2", 17, 17, " ", "must be blank"),
    ("RA_OF_ASC_NODE", 18, 25, "([ 0-9]{3}\\.[0-9]{4})", "must be NNN.NNNN"),
    ("line 2", 26, 26, " ", "must be blank"),
    ("ECCENTRICITY", 27, 33, "([0-9]{7})", "must be seven digits"),
    ("line 2", 34, 34, " ", "must be blank"),
    ("ARG_OF_PERICENTER", 35, 42, "([ 0-9]{3}\\.[0-9]{4})", "must be NNN.NNNN"),
    ("line 2", 43, 43, " ", "must be blank"),
    ("MEAN_ANOMALY", 44, 51, "([ 0-9]{3}\\.[0-9]{4})", "must be NNN.NNNN"),
    ("line 2", 52, 52, " ", "must be blank"),
    ("MEAN_MOTION", 53, 63, "([ 0-9]{2}\\.[0-9]{8})", "must be NN.NNNNNNNN"),
    ("REV_AT_EPOCH", 64, 68, "[ 0-9]{5}", "must be up to five digits"),
    ("checksum", 69, 69, "[0-9]", "must be a digit"),
)
_IN_LINE_2 = frozenset(column[0] for column in _LINE_2) - {"NORAD_CAT_ID", "checksum"}
_FIRST = re.compile("".join(column[3] for column in _LINE_1))
_SECOND = re.compile("".join(column[3] for column in _LINE_2))

# What a line is meant to be, however damaged. Names have 24 columns at most in this format, so
# a line of 60 is an element line even when its first column is not.
_LOOKS_FIRST = re.compile("1 [ 0-9A-Z][ 0-9]{3}[0-9][A-Z] ")
_LOOKS_SECOND = re.compile("2 [ 0-9A-Z][ 0-9]{3}[0-9] ")
_LONGEST_NAME = 59

# what each byte adds to the checksum
_ADDS = bytes(code - 48 if 48 <= code < 58 else int(code == 45) for code in range(256))

Kind = Literal["blank", "first", "second", "damaged", "name"]


def read_tle(text: str, into: Gathering) -> None:
    """Gather every set of a file of two-line sets; a broken one costs itself only."""
    lines = text.split("\n")
    name: tuple[int, str] | None = None
    strays: list[int] = []
    orphan: int | None = None  # line 1 of this number was reported as lacking its line 2
    kinds = [_kind(line) for line in lines]
    count = len(lines)
    at = 0
    while at < count:
        kind = kinds[at]
        if kind == "blank":
            at += 1
            continue
        if kind == "name":
            if name is not None:
                strays.append(name[0])
            name = (at, lines[at])
            at += 1
            continue
        after = at + 1
        while after < count and kinds[after] == "blank":
            after += 1
        next_kind = kinds[after] if after < count else "name"
        if strays:
            _note_strays(lines, strays, into)
            strays = []
        if (kind, next_kind) in _PAIRS:
            _read_pair(lines, at, after, name, into)
            orphan = None
            at = after + 1
        else:
            number = _number_or_none(lines[at])
            if kind == "second" and orphan is not None and orphan == number:
                orphan = None  # the rest of a set that is reported already
            else:
                _skip_orphan(lines, at, kind, number, into)
                orphan = number
            at += 1
        name = None
    if name is not None:
        strays.append(name[0])
        fault = FieldFault("OBJECT_NAME", lines[strays[0]], "the file ends before its two lines")
        if into.read:
            into.skip(fault, strays[0] + 1)


_PAIRS = {("first", "second"), ("first", "damaged"), ("damaged", "second")}


def parse_pair(first: str, second: str, name: str = "") -> Row:
    """The checked row of two lines.

    Raises:
        FieldFault: the first field that is wrong.
    """
    one = _columns(first, _FIRST, _LINE_1)
    two = _columns(second, _SECOND, _LINE_2)
    if first[2:7] != second[2:7]:
        raise FieldFault("NORAD_CAT_ID", second[2:7], f"line 1 is of satellite {first[2:7]}", 2)
    number = tle_catalogue_number(first[2:7])
    if first[62] not in " 02":
        reason = "not SGP4 elements: 0 and 2 are SGP4, 4 is SGP4-XP"
        raise FieldFault("EPHEMERIS_TYPE", first[62], reason)
    year, day, fraction, dot = one[0], one[1], one[2], one[3]
    inclination, node, eccentricity, perigee, anomaly, motion = two
    try:
        epoch_us = tle_epoch_us(year, day, fraction)
    except ValueError:
        raise FieldFault("EPOCH", first[18:32], "must be YYDDD.DDDDDDDD") from None
    numbers = checked_numbers(
        {
            "MEAN_MOTION": motion,
            "ECCENTRICITY": "0." + eccentricity,
            "INCLINATION": inclination,
            "RA_OF_ASC_NODE": node,
            "ARG_OF_PERICENTER": perigee,
            "MEAN_ANOMALY": anomaly,
            "BSTAR": _exponent_text(one[7], one[8], one[9]),
            "MEAN_MOTION_DOT": dot,
            "MEAN_MOTION_DDOT": _exponent_text(one[4], one[5], one[6]),
        }
    )
    return (number, name, tle_designator(first[9:17]), epoch_us, *numbers)


def checksum(line: str) -> int:
    """The sum of the first 68 columns, modulo 10: digits as they are, a minus sign as 1."""
    return sum(line[: WIDTH - 1].encode("ascii", "replace").translate(_ADDS)) % 10


def _columns(line: str, pattern: re.Pattern[str], columns: tuple[_Column, ...]) -> tuple[str, ...]:
    which = columns[0][0]
    part = 2 if columns is _LINE_2 else 1
    if len(line) < WIDTH:
        raise FieldFault(which, line, f"has {len(line)} columns of {WIDTH}", part)
    found = pattern.match(line)
    if not found:
        for field, first, last, allowed, reason in columns:
            value = line[first - 1 : last]
            if not re.fullmatch(allowed, value):
                where = f"column {first}" if first == last else f"columns {first} to {last}"
                raise FieldFault(field, value, f"{where} {reason}", part)
    if len(line) > WIDTH and line[WIDTH] not in " \t":
        raise FieldFault(which, line[WIDTH:], f"goes on after column {WIDTH}", part)
    total = checksum(line)
    if ord(line[WIDTH - 1]) - 48 != total:
        raise FieldFault("checksum", line[WIDTH - 1], f"{which} adds up to {total}", part)
    assert found is not None
    return found.groups()


def _exponent_text(sign: str, digits: str, exponent: str) -> str:
    """` 14948-3` is 0.14948e-3."""
    return f"{sign.strip()}.{digits}e{exponent}"


def _kind(line: str) -> Kind:
    if line[:2] == "1 " and _LOOKS_FIRST.match(line):
        return "first"
    if line[:2] == "2 " and _LOOKS_SECOND.match(line):
        return "second"
    if not line or line.isspace() or line[0] == "#":
        return "blank"
    return "damaged" if len(line.rstrip()) > _LONGEST_NAME else "name"


def _read_pair(
    lines: list[str], at: int, after: int, name: tuple[int, str] | None, into: Gathering
) -> None:
    label = ""
    if name is not None:
        label = name[1].strip()
        label = printable(label[2:] if label[:2] == "0 " else label)
    try:
        row = parse_pair(lines[at], lines[after], label)
    except FieldFault as fault:
        number = _number_or_none(lines[at]) or _number_or_none(lines[after])
        in_second = fault.part == 2 or fault.field in _IN_LINE_2
        into.skip(fault, (after if in_second else at) + 1, number)
        return
    into.keep(row, (at if name is None else name[0]) + 1)


def _skip_orphan(
    lines: list[str], at: int, kind: Kind, number: int | None, into: Gathering
) -> None:
    which, other = ("line 2", "line 1 before") if kind == "second" else ("line 1", "line 2 after")
    if kind == "damaged":
        reason = "is neither a name nor line 1 or 2 of a set"
        which = ""
    else:
        reason = f"has no {other} it"
    into.skip(FieldFault(which, lines[at].rstrip(), reason), at + 1, number)


def _note_strays(lines: list[str], strays: list[int], into: Gathering) -> None:
    more = f", {len(strays)} lines" if len(strays) > 1 else ""
    reason = f"a name without its two lines{more}, or text that belongs to no set"
    into.note("OBJECT_NAME", lines[strays[0]].strip(), reason, strays[0] + 1)


def _number_or_none(line: str) -> int | None:
    try:
        return tle_catalogue_number(line[2:7]) if len(line) >= 7 else None
    except FieldFault:
        return None
