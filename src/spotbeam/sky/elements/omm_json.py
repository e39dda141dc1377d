"""OMM as CelesTrak and Space-Track write it in JSON: an array of flat objects.

Each object is found and parsed by itself, so that damage inside one costs that one. The scan
picks up again at the next opening brace, as no value of an OMM is an object.
"""

from __future__ import annotations

import json
import re
from typing import Any

from spotbeam.sky.elements.fields import FieldFault, Row, omm_row
from spotbeam.sky.elements.gathering import Gathering

# A flat object. A raw line end in a string is no JSON; refusing it here keeps a lost quotation
# mark from running on. Possessive, so that a mismatch costs one pass.
_OBJECT = re.compile(r'\{(?:[^{}"]++|"(?:[^"\\\n\r]++|\\.)*+")*+\}')
_BETWEEN = " \t\r\n,[]"
_NUMBER_OF = re.compile(r'"NORAD_CAT_ID"\s*:\s*"?(\d{1,9})\b', re.ASCII)
_KEY = re.compile(r'"([A-Z][A-Z0-9_]*)"\s*:', re.ASCII)


def read_omm_json(text: str, into: Gathering) -> None:
    """Gather every object of an array, of one object, or of one object a line."""
    decode = json.JSONDecoder(object_pairs_hook=_fields, parse_constant=str).decode
    done = 0  # everything before is kept or reported
    at = text.find("{")
    while at >= 0:
        found = _OBJECT.match(text, at)
        if not found:
            at = text.find("{", at + 1)
            continue
        fault: tuple[FieldFault, int] | None = None
        part = False  # of the damage before it
        row: Row | None = None
        damaged = bool(text[done:at].strip(_BETWEEN))
        try:
            row = omm_row(decode(found[0]))
        except FieldFault as wrong:
            fault = wrong, at + _position_of(wrong.field, found[0])
            part = damaged and '"NORAD_CAT_ID"' not in found[0]
        except (ValueError, RecursionError) as error:
            fault = _syntax_fault(found[0], at, error)
            part = damaged
        if fault and part:  # what follows a stray brace inside a broken set
            at = text.find("{", found.end())
            continue
        if damaged:
            _report_damage(text, done, at, into)
        if row:
            into.keep(row, at)
        elif fault:
            into.skip(*fault, _number(found[0]))
        done = found.end()
        at = text.find("{", done)
    rest = text[done:].strip(_BETWEEN)
    if rest:
        _report_damage(text, done, len(text), into, ends=True)
    elif text.lstrip()[:1] == "[" and "]" not in text[done:]:
        into.note("", "", "the array is not closed: the file may be cut short", len(text.rstrip()))


def _fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        seen: set[str] = set()
        for key, value in pairs:
            if key in seen:
                raise FieldFault(key, value, "stands twice in one set")
            seen.add(key)
    return fields


def _report_damage(
    text: str, start: int, stop: int, into: Gathering, *, ends: bool = False
) -> None:
    """Report what stands between two good sets: the remains of a set, or stray text."""
    region = text[start:stop]
    start += len(region) - len(region.lstrip(_BETWEEN))
    region = text[start:stop].rstrip(_BETWEEN)
    if '"' not in region and len(region) < 40:
        into.note("", region, "stray text between sets", start)
        return
    try:
        json.JSONDecoder(parse_constant=str).raw_decode(region)
        fault, position = FieldFault("", region, "is not an element set"), start
    except (ValueError, RecursionError) as error:
        fault, position = _syntax_fault(region, start, error)
    if ends:
        fault.reason = "the file ends inside this set: it may be cut short"
    into.skip(fault, position, _number(region))


def _syntax_fault(region: str, start: int, error: Exception) -> tuple[FieldFault, int]:
    if not isinstance(error, json.JSONDecodeError):
        return FieldFault("", region, f"is not JSON: {error}"), start
    field = ""
    key_at = 0
    for key in _KEY.finditer(region, 0, error.pos):
        field, key_at = key[1], key.start()
    line_end = region.find("\n", key_at)
    value = region[key_at : line_end if line_end >= 0 else None]
    return FieldFault(field, value.strip(), f"is not JSON: {error.msg}"), start + error.pos


def _position_of(field: str, region: str) -> int:
    """Where a field stands in an object; its second place where it stands twice."""
    first = region.find(f'"{field}"') if field else -1
    second = region.find(f'"{field}"', first + 1) if first >= 0 else -1
    return max(first, second, 0)


def _number(region: str) -> int | None:
    found = _NUMBER_OF.search(region)
    return int(found[1]) if found else None
