"""OMM as CelesTrak writes it in CSV: a header of keywords, a line a set.

Lines are split before quotes are looked at: no value of an OMM holds a line end, and so a
lost quotation mark cannot swallow the lines after it.
"""

from __future__ import annotations

import csv

from spotbeam.errors import ElementsError, nearest
from spotbeam.sky.elements.fields import REQUIRED, FieldFault, omm_row
from spotbeam.sky.elements.gathering import Gathering


def read_omm_csv(text: str, into: Gathering) -> None:
    """Gather every line of a table.

    Raises:
        ElementsError: the header lacks a keyword; without it no line means anything.
    """
    lines = text.split("\n")
    first = next(at for at, line in enumerate(lines) if line.strip())
    header = _header(lines[first], f"{into.source}, line {first + 1}")
    number_at = header.index("NORAD_CAT_ID")
    for at in range(first + 1, len(lines)):
        line = lines[at]
        if not line or line.isspace():
            continue
        values: list[str] = []
        try:
            values = _values(line)
            if len(values) != len(header):
                reason = f"has {len(values)} values where the header has {len(header)}"
                raise FieldFault("", line, reason)
            into.keep(omm_row(dict(zip(header, values, strict=True))), at + 1)
        except FieldFault as fault:
            number = values[number_at].strip() if len(values) == len(header) else ""
            known = int(number) if number.isdecimal() and len(number) <= 9 else None
            into.skip(fault, at + 1, known)


def _header(line: str, place: str) -> list[str]:
    try:
        header = [name.strip() for name in _values(line)]
    except FieldFault as fault:
        raise ElementsError(f"the header {fault.reason}", place=place) from None
    twice = next((name for at, name in enumerate(header) if name in header[:at]), None)
    if twice is not None:
        raise ElementsError(f"the column {twice} stands twice in the header", place=place)
    missing = [name for name in REQUIRED if name not in header]
    if missing:
        near = nearest(missing[0], set(header) - set(REQUIRED))
        raise ElementsError(
            f"the header has no column {missing[0]}",
            place=place,
            hint=f"is {near!r} meant to be it?" if near else "keep the header of the download",
        )
    return header


def _values(line: str) -> list[str]:
    if '"' not in line:
        return line.split(",")
    try:
        return next(csv.reader([line], strict=True))
    except (csv.Error, StopIteration) as error:
        raise FieldFault("", line, f"is not CSV: {error}") from None
