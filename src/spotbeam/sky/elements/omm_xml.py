"""OMM in XML: `<omm>` messages, alone or in an `<ndm>` (CCSDS 505.0-B-3, as CelesTrak writes it).

The file is cut at its `<omm>` tags and each message parsed by itself, so that a broken tag costs
one message. A document type is refused: an OMM has none, and entities are how XML is abused.
"""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from spotbeam.errors import ElementsError
from spotbeam.sky.elements.fields import KEYWORDS, FieldFault, check_unit, omm_row
from spotbeam.sky.elements.gathering import Gathering

_OPEN = re.compile(r"<(?:[A-Za-z][\w.-]*:)?omm(?=[\s>])[^<>]*>")
_CLOSE = re.compile(r"</(?:[A-Za-z][\w.-]*:)?omm\s*>")
_PREFIX = re.compile(r"(</?)[A-Za-z][\w.-]*:")
_NUMBER = re.compile(r"<NORAD_CAT_ID>\s*(\d{1,9})\s*<", re.ASCII)
# What may stand around messages: the declaration, the envelope and its header, comments.
_ENVELOPE = re.compile(
    r"<\?xml[^<>]*\?>|</?(?:[A-Za-z][\w.-]*:)?ndm(?:\s[^<>]*)?>|<!--.*?-->"
    r"|<(MESSAGE_ID|COMMENT|CREATION_DATE|ORIGINATOR)>[^<>]*</\1>|\s+",
    re.DOTALL,
)
_LONGEST_ENVELOPE = 100_000


def read_omm_xml(text: str, into: Gathering) -> None:
    """Gather every message of a file.

    Raises:
        ElementsError: the file declares a document type or entities.
    """
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ElementsError(
            "declares a document type, which no OMM has",
            place=into.source,
            hint="remove the declaration, or download the file again",
        )
    opened = list(_OPEN.finditer(text))
    stops = [tag.start() for tag in opened[1:]] + [len(text)]
    _report_between(text, 0, opened[0].start() if opened else len(text), into)
    for tag, stop in zip(opened, stops, strict=True):
        closed = _CLOSE.search(text, tag.end(), stop)
        if closed is None:
            reason = "this message is not closed"
            if stop == len(text):
                reason += ": the file may be cut short"
            fault = FieldFault("", tag[0], reason)
            into.skip(fault, tag.start(), _number(text[tag.end() : stop]))
            continue
        _read_message(text[tag.end() : closed.start()], tag.end(), tag.start(), into)
        _report_between(text, closed.end(), stop, into)


def _read_message(body: str, start: int, position: int, into: Gathering) -> None:
    number = _number(body)
    try:
        fields = _fields(_parsed(body))
        row = omm_row(fields)
    except FieldFault as fault:
        tags = [tag.start() for tag in re.finditer(rf"<{fault.field}[\s/>]", body)]
        into.skip(fault, start + tags[-1] if tags else position, number)
    except _Malformed as error:
        lines_before = body.split("\n")[: error.line - 1]
        at = start + sum(len(line) + 1 for line in lines_before)
        value = body.split("\n")[error.line - 1].strip()
        into.skip(FieldFault("", value, f"is not XML: {error}"), at, number)
    else:
        into.keep(row, position)
        into.credit(fields.get("ORIGINATOR", ""), fields.get("CREATION_DATE", ""))


class _Malformed(Exception):
    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def _parsed(body: str) -> Element:
    if "</" in body and ":" in body:
        body = _PREFIX.sub(r"\1", body)  # prefixes are declared on a tag that is not here
    try:
        root: Element = fromstring(f"<omm>{body}</omm>")
    except ParseError as error:
        lines = body.count("\n") + 1
        raise _Malformed(str(error).split(":")[0], min(error.position[0], lines)) from None
    except (DefusedXmlException, ValueError) as error:
        raise _Malformed(str(error), 1) from None
    return root


def _fields(root: Element) -> dict[str, str]:
    fields: dict[str, str] = {}
    for element in root.iter():
        field = element.tag.rpartition("}")[2]
        if field not in KEYWORDS:
            continue
        value = (element.text or "").strip()
        if field in fields:
            raise FieldFault(field, value, "stands twice in one message")
        if len(element):
            raise FieldFault(field, value, "holds another element")
        unit = element.get("units")
        if unit is not None:
            check_unit(field, unit)
        fields[field] = value
    return fields


def _report_between(text: str, start: int, stop: int, into: Gathering) -> None:
    """Report what stands between messages and should not."""
    stop = min(stop, start + _LONGEST_ENVELOPE)
    while harmless := _ENVELOPE.match(text, start, stop):
        start = harmless.end()
    rest = text[start:stop].rstrip()
    if not _ENVELOPE.sub("", rest):
        return
    if "<NORAD_CAT_ID" in rest or "<segment" in rest or "<EPOCH" in rest:
        reason = "this message has lost its opening tag"
        into.skip(FieldFault("", rest, reason), start, _number(rest))
    else:
        into.note("", rest, "stray text between messages", start)


def _number(body: str) -> int | None:
    found = _NUMBER.search(body)
    return int(found[1]) if found else None
