"""What accounts say of one aspect, as intervals, so that two of them can be laid side by side.

"At least two calls" and "three calls" do not contradict each other; "one call" and "three" do.
"""

from __future__ import annotations

import calendar
import re
from datetime import date

from spotbeam.errors import InputError
from spotbeam.governance.entries.accounts import Said

_NUMBER = re.compile(r"(?:(at least|at most|exactly) )?(\d{1,9})(?: to (\d{1,9}))?", re.ASCII)
_NONE = ("none", "no", "never")
MANY = 10**9


def date_span(text: str) -> tuple[date, date]:
    """The first and the last day of a date or interval: ISO 8601-2 (EDTF), level 0.

    Raises:
        InputError: There is no such day, or the interval ends before it begins.
    """
    begin, _, end = text.partition("/")
    try:
        first, last = _days(begin)[0], _days(end or begin)[1]
    except ValueError:
        raise InputError(
            f"{text!r} is no date", hint="a day, month or year, as 2024-10-25, 2024-10 or 2022/2024"
        ) from None
    if first > last:
        raise InputError(f"{text!r} ends before it begins")
    return first, last


def number_span(text: str) -> tuple[int, int]:
    """The least and the most that a count says.

    Raises:
        InputError: It says no number.
    """
    plain = text.strip().lower()
    if plain in _NONE:
        return 0, 0
    found = _NUMBER.fullmatch(plain)
    if found is None or (found[1] and found[3]):
        raise InputError(
            f"{text!r} says no number", hint="as 3, at least 2, at most 4, 1 to 4 or none"
        )
    least, most = int(found[2]), int(found[3] or found[2])
    if found[1] == "at least":
        most = MANY
    elif found[1] == "at most":
        least = 0
    if least > most:
        raise InputError(f"{text!r} ends before it begins")
    return least, most


def may_agree(one: Said, other: Said) -> bool:
    """Whether two readings of one aspect can both be true.

    What is neither a count nor a date is compared by its words, without case and punctuation.
    """
    try:
        if one.aspect == "number":
            return _meet(number_span(one.value), number_span(other.value))
        if one.aspect == "date":
            first, second = date_span(one.value), date_span(other.value)
            return _meet(
                (first[0].toordinal(), first[1].toordinal()),
                (second[0].toordinal(), second[1].toordinal()),
            )
    except InputError:
        pass  # somebody recorded it elsewhere, without our checks: its words are all there is
    return plain_words(one.value) == plain_words(other.value)


def plain_words(text: str) -> str:
    """A text by its words alone: without case, spaces and punctuation."""
    return " ".join(re.findall(r"\w+", text.casefold()))


def _meet(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]


def _days(text: str) -> tuple[date, date]:
    parts = [int(part) for part in text.split("-")]
    year, month, day = (*parts, 1, 1)[:3]
    if len(parts) == 1:
        return date(year, 1, 1), date(year, 12, 31)
    if len(parts) == 2:
        last = calendar.monthrange(date(year, month, 1).year, month)[1]
        return date(year, month, 1), date(year, month, last)
    return date(year, month, day), date(year, month, day)
