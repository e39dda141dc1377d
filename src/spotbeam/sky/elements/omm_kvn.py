"""OMM in CCSDS keyword = value notation (502.0-B-3, chapter 7), one message after another."""

from __future__ import annotations

import re

from spotbeam.sky.elements.fields import REQUIRED, FieldFault, check_unit, omm_row
from spotbeam.sky.elements.gathering import Gathering

_KEYWORD = re.compile(r"[A-Z][A-Z0-9_]*", re.ASCII)
# A message begins with the first of these; the others begin one where it was lost.
_OPENING = frozenset({"CCSDS_OMM_VERS", "CREATION_DATE", "ORIGINATOR", "OBJECT_NAME"})
_DATA = frozenset(REQUIRED)


class _Message:
    def __init__(self, line: int) -> None:
        self.line = line
        self.fields: dict[str, str] = {}
        self.lines: dict[str, int] = {}
        self.fault: tuple[FieldFault, int] | None = None
        self.has_data = False


def read_omm_kvn(text: str, into: Gathering) -> None:
    """Gather every message of a file."""
    message = _Message(1)
    for line, written in enumerate(text.split("\n"), start=1):
        if not written or written.isspace() or written.split(None, 1)[0] == "COMMENT":
            continue
        key, equals, value = (part.strip() for part in written.partition("="))
        if not equals or not _KEYWORD.fullmatch(key):
            if message.fault is None:
                message.fault = FieldFault("", written.strip(), "is not KEYWORD = value"), line
            continue
        if key in _OPENING and (message.has_data or key == "CCSDS_OMM_VERS"):
            _close(message, into)
            message = _Message(line)
        message.has_data = message.has_data or key in _DATA
        if key in message.fields and not key.startswith("USER_DEFINED"):
            fault = FieldFault(key, value, "stands twice in one message")
            message.fault = message.fault or (fault, line)
        message.fields[key] = value
        message.lines[key] = line
    _close(message, into)


def _close(message: _Message, into: Gathering) -> None:
    """Keep or report a message; a header alone, before the first data, is neither."""
    fields = message.fields
    if not message.has_data:
        if message.fault is not None:
            fault, line = message.fault
            into.note(fault.field, fault.value, "belongs to no message", line)
        return
    number = fields.get("NORAD_CAT_ID", "").lstrip("+")
    known = int(number) if number.isdecimal() and len(number) <= 9 else None
    if message.fault is not None:
        into.skip(*message.fault, known)
        return
    try:
        for field in (*REQUIRED, "MEAN_MOTION_DDOT"):
            value = fields.get(field, "")
            if value.endswith("]"):
                fields[field], _, unit = value.rpartition("[")
                check_unit(field, unit[:-1])
        row = omm_row(fields)
    except FieldFault as fault:
        into.skip(fault, message.lines.get(fault.field, message.line), known)
    else:
        into.keep(row, message.line)
        into.credit(fields.get("ORIGINATOR", ""), fields.get("CREATION_DATE", ""))
