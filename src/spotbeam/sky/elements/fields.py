"""One element set's fields, checked: a row, or the field that is wrong and why."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from math import isfinite
from typing import Any

# catalogue number, name, designator, epoch_us, then the nine float columns in order
Row = tuple[int, str, str, int, *tuple[float, ...]]

HIGHEST_CATALOGUE_NUMBER = 999_999_999  # CCSDS 502.0-B-3, table 4-3: up to nine digits
_ALPHA5 = "ABCDEFGHJKLMNPQRSTUVWXYZ"  # no I and no O: A = 10 to Z = 33
_UNIX_EPOCH_DAY = date(1970, 1, 1).toordinal()
_DAY_US = 86_400_000_000
_LONGEST_SHOWN = 60

# CCSDS 502.0-B-3 section 7.5.10: calendar or day-of-year form, Z optional, second 60 permitted.
_EPOCH = re.compile(
    r"(\d{4})-(?:(\d\d)-(\d\d)|(\d{3}))T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,15}))?Z?", re.ASCII
)
_INTEGER = re.compile(r"[+-]?\d{1,12}", re.ASCII)
_DESIGNATOR = re.compile(r"(\d\d)(\d{3}[A-Z]{1,3})", re.ASCII)

# Two-digit years: 57 to 99 are of the 20th century, Sputnik being of 1957.
_TWO_DIGIT_YEAR_PIVOT = 57
# An epoch outside was damaged, or is not of a satellite (assumption for the later year).
_YEARS = range(1957, 2101)

# Keywords whose value must be what SGP4 needs. CelesTrak's JSON and CSV leave the first four
# out, and then these are meant; 0 and 2 are the ephemeris types of SGP4 in CCSDS 502.0-B-3,
# table 4-3 (4 is SGP4-XP, whose elements SGP4 would propagate to a wrong place).
_MUST_BE: tuple[tuple[str, frozenset[str], str], ...] = (
    ("MEAN_ELEMENT_THEORY", frozenset({"SGP4", "SGP/SGP4"}), "only SGP4 elements can be used"),
    ("REF_FRAME", frozenset({"TEME", "TEMEOFDATE"}), "SGP4 elements are in TEME"),
    ("TIME_SYSTEM", frozenset({"UTC"}), "SGP4 elements are in UTC"),
    ("CENTER_NAME", frozenset({"EARTH"}), "SGP4 is for orbits of the Earth"),
    ("EPHEMERIS_TYPE", frozenset({"0", "2"}), "not SGP4 elements: 0 and 2 are SGP4, 4 is SGP4-XP"),
)

# keyword, lowest, highest, range in words; order of the float columns
_NUMBERS: tuple[tuple[str, float, float, str], ...] = (
    ("MEAN_MOTION", 5e-324, 20.0, "above 0 and at most 20 revolutions a day"),
    ("ECCENTRICITY", 0.0, 1.0 - 2**-53, "0 to below 1"),
    ("INCLINATION", 0.0, 180.0, "0 to 180 degrees"),
    ("RA_OF_ASC_NODE", -360.0, 360.0, "-360 to 360 degrees"),
    ("ARG_OF_PERICENTER", -360.0, 360.0, "-360 to 360 degrees"),
    ("MEAN_ANOMALY", -360.0, 360.0, "-360 to 360 degrees"),
    ("BSTAR", -1e10, 1e10, "a number that a two-line set could hold"),
    ("MEAN_MOTION_DOT", -1e10, 1e10, "a number that a two-line set could hold"),
    ("MEAN_MOTION_DDOT", -1e10, 1e10, "a number that a two-line set could hold"),
)

# Without these a set cannot be propagated; MEAN_MOTION_DDOT may be absent.
REQUIRED = ("NORAD_CAT_ID", "EPOCH", *(number[0] for number in _NUMBERS[:-1]))
KEYWORDS = frozenset(
    {
        *REQUIRED,
        "MEAN_MOTION_DDOT",
        "OBJECT_NAME",
        "OBJECT_ID",
        "ORIGINATOR",
        "CREATION_DATE",
        *(must_be[0] for must_be in _MUST_BE),
    }
)

# CCSDS 502.0-B-3, table 4-3, as written in KVN's brackets and XML's attribute
_UNITS = {
    "MEAN_MOTION": "rev/day",
    "INCLINATION": "deg",
    "RA_OF_ASC_NODE": "deg",
    "ARG_OF_PERICENTER": "deg",
    "MEAN_ANOMALY": "deg",
    "BSTAR": "1/er",
    "MEAN_MOTION_DOT": "rev/day**2",
    "MEAN_MOTION_DDOT": "rev/day**3",
}


class FieldFault(Exception):
    """A field of one set is wrong; the reader of the format adds where it stands.

    `part` is 2 where the fault is known to be in the second line of a two-line set.
    """

    def __init__(self, field: str, value: object, reason: str, part: int = 1) -> None:
        super().__init__(field, value, reason)
        self.part = part
        self.field = field
        self.value = shown(value)
        self.reason = reason


def printable(text: str) -> str:
    """A name without padding; a character that a terminal would act on becomes U+FFFD."""
    text = text.strip()
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else "\ufffd" for char in text)


def shown(value: object) -> str:
    """A value as a message may show it: one line, short, nothing that moves a cursor."""
    text = value if isinstance(value, str) else repr(value)
    text = text[: _LONGEST_SHOWN + 1]
    text = "".join(char if char.isprintable() else "\ufffd" for char in text)
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…"


def omm_row(fields: Mapping[str, Any]) -> Row:
    """The checked row of one OMM, from its keywords.

    Values are text, or the numbers of a JSON file. Keywords that SGP4 does not need are
    passed over. MEAN_MOTION_DDOT, which SGP4 ignores, may be absent and is then 0.

    Raises:
        FieldFault: the first field that is missing or wrong.
    """
    number = catalogue_number(fields.get("NORAD_CAT_ID"))
    for field, allowed, reason in _MUST_BE:
        value = fields.get(field)
        if value is None or value == "" or value == 0:
            continue
        if str(value).strip().upper().lstrip("+") not in allowed or isinstance(value, bool):
            raise FieldFault(field, value, reason)
    epoch = fields.get("EPOCH")
    if epoch is None or epoch == "":
        raise FieldFault("EPOCH", "", "missing")
    if not isinstance(epoch, str):
        raise FieldFault("EPOCH", epoch, "must be text")
    return (
        number,
        _text(fields, "OBJECT_NAME"),
        _text(fields, "OBJECT_ID"),
        omm_epoch_us(epoch),
        *checked_numbers(fields),
    )


def checked_numbers(fields: Mapping[str, Any]) -> tuple[float, ...]:
    """The nine float columns, each finite and in range."""
    values = []
    for field, lowest, highest, words in _NUMBERS:
        raw = fields.get(field)
        if raw.__class__ is not float:
            raw = _number(field, raw)
        if not lowest <= raw <= highest:  # false for NaN too
            raise FieldFault(
                field, fields[field], f"must be {words}" if isfinite(raw) else "is not a number"
            )
        values.append(raw)
    return tuple(values)


def catalogue_number(raw: object) -> int:
    """An OMM catalogue number: a whole number of up to nine digits."""
    if raw is None or raw == "":
        raise FieldFault("NORAD_CAT_ID", "", "missing: the set cannot be told from others")
    if isinstance(raw, str):
        text = raw.strip()
        if not _INTEGER.fullmatch(text):
            raise FieldFault("NORAD_CAT_ID", raw, "must be a whole number of up to nine digits")
        raw = int(text)
    if raw.__class__ is not int or not 0 < raw <= HIGHEST_CATALOGUE_NUMBER:
        raise FieldFault("NORAD_CAT_ID", raw, "must be a whole number from 1 to 999999999")
    return raw


def check_unit(field: str, unit: str) -> None:
    """A unit that is written must be the one that the keyword has."""
    expected = _UNITS.get(field)
    if expected is not None and unit.strip().lower() != expected:
        raise FieldFault(field, f"[{unit}]", f"must be in {expected}")


def tle_catalogue_number(text: str) -> int:
    """The catalogue number of columns 3 to 7: five digits, or Alpha-5 (`A0404` is 100404)."""
    first = text[0]
    rest = text[1:]
    if rest.isdecimal() and rest.isascii() and first in _ALPHA5:
        return (_ALPHA5.index(first) + 10) * 10_000 + int(rest)
    digits = text.lstrip(" ")
    if not digits.isdecimal() or not digits.isascii() or int(digits) == 0:
        reason = "must be five digits, or a letter but I and O and four digits (Alpha-5)"
        raise FieldFault("NORAD_CAT_ID", text, reason)
    return int(digits)


def omm_epoch_us(text: str) -> int:
    """Microseconds since 1970 of an OMM epoch, `2026-06-14T00:31:09.5` or `2026-165T00:31:09`.

    A leap second (second 60) is the instant that follows it, as in POSIX time.
    """
    found = _EPOCH.fullmatch(text.strip())
    if not found:
        raise FieldFault("EPOCH", text, "is not a date and time as 2026-06-14T00:31:09.5")
    year, month, day, day_of_year, hour, minute, second, fraction = found.groups()
    h, m, s = int(hour), int(minute), int(second)
    if h > 23 or m > 59 or s > 60 or (s == 60 and (h, m) != (23, 59)):
        raise FieldFault("EPOCH", text, "has no such time of day")
    if int(year) not in _YEARS:
        raise FieldFault("EPOCH", text, f"is not between {_YEARS[0]} and {_YEARS[-1]}")
    if day_of_year is not None:
        days = days_since_1970(int(year), int(day_of_year), text)
    else:
        try:
            days = date(int(year), int(month), int(day)).toordinal() - _UNIX_EPOCH_DAY
        except ValueError:
            raise FieldFault("EPOCH", text, "is no day of the calendar") from None
    us = 0
    if fraction is not None:
        us = int(fraction.ljust(6, "0")) if len(fraction) <= 6 else _rounded_us(fraction)
    return days * _DAY_US + ((h * 60 + m) * 60 + s) * 1_000_000 + us


def tle_epoch_us(year: str, day: str, fraction: str) -> int:
    """Microseconds since 1970 of a two-line epoch; exact: its last digit is 864 microseconds."""
    written = f"{year}{day}.{fraction}"
    days = days_since_1970(full_year(int(year)), int(day), written)
    return days * _DAY_US + int(fraction) * 864


def days_since_1970(year: int, day_of_year: int, written: str) -> int:
    """Days from 1970 to a day of a year, which must have that day."""
    first = date(year, 1, 1).toordinal()
    length = date(year, 12, 31).toordinal() - first + 1
    if not 1 <= day_of_year <= length:
        raise FieldFault("EPOCH", written, f"{year} has no day {day_of_year}")
    return first + day_of_year - 1 - _UNIX_EPOCH_DAY


def full_year(two_digits: int) -> int:
    """1957 to 2056."""
    return two_digits + (1900 if two_digits >= _TWO_DIGIT_YEAR_PIVOT else 2000)


def tle_designator(text: str) -> str:
    """The international designator of columns 10 to 17, as OMM writes it: `2019-074A`."""
    text = text.strip()
    found = _DESIGNATOR.fullmatch(text)
    return f"{full_year(int(found[1]))}-{found[2]}" if found else text


def _number(field: str, raw: object) -> float:
    if raw is None or raw == "":
        if field == "MEAN_MOTION_DDOT":
            return 0.0
        raise FieldFault(field, "", "missing")
    if raw.__class__ is str:
        text: str = raw
        try:
            # float() alone would take 1_000 and digits of other scripts
            if text.isascii() and "_" not in text:
                return float(text)
        except ValueError:
            pass
    elif raw.__class__ is int or raw.__class__ is float:
        try:
            return float(raw)
        except OverflowError:
            pass
    raise FieldFault(field, raw, "is not a number")


def _text(fields: Mapping[str, Any], field: str) -> str:
    value = fields.get(field)
    if value is None:
        return ""
    if value.__class__ is not str:
        raise FieldFault(field, value, "must be text")
    return printable(value)


def _rounded_us(fraction: str) -> int:
    us, rest = int(fraction[:6]), fraction[6:]
    return us + (rest[0] >= "5")
