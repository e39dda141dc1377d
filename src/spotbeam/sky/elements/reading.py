"""Which format the bytes are in, and the reader that fits."""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_left
from collections.abc import Callable
from importlib import import_module

from spotbeam.errors import ElementsError, UnknownName
from spotbeam.sky.elements.fields import shown
from spotbeam.sky.elements.gathering import Gathering
from spotbeam.sky.elements.values import ElementSets, ElementsReport, Provenance

Reader = Callable[[str, Gathering], None]

# format: module, function, whether it works by line instead of by character
_READERS: dict[str, tuple[str, str, bool]] = {
    "omm-json": ("omm_json", "read_omm_json", False),
    "omm-xml": ("omm_xml", "read_omm_xml", False),
    "omm-kvn": ("omm_kvn", "read_omm_kvn", True),
    "omm-csv": ("omm_csv", "read_omm_csv", True),
    "tle": ("tle", "read_tle", True),
}
FORMATS = tuple(_READERS)

# What only that format has. The commonest marker decides, so that one damaged byte cannot hide
# what the rest of the file says.
_MARKERS = (
    ("omm-json", re.compile(r'"(?:NORAD_CAT_ID|EPOCH)"\s*:')),
    ("omm-xml", re.compile(r"<(?:[\w.-]+:)?(?:NORAD_CAT_ID|EPOCH)>")),
    ("omm-kvn", re.compile(r"^[ \t]*(?:NORAD_CAT_ID|EPOCH)[ \t]*=", re.MULTILINE)),
    ("tle", re.compile(r"^[12] [ 0-9A-Z][ 0-9]{3}[0-9][A-Z ]", re.MULTILINE)),
)
_CSV_HEADER = re.compile(r"[^\n]*\b(?:NORAD_CAT_ID|MEAN_MOTION|EPOCH)\b[^\n]*,")
_FORMATS_HINT = "pass OMM in JSON, CSV, XML or KVN, or two-line sets, as CelesTrak serves them"


def parse_elements(
    data: bytes | str, *, source: str, format: str | None = None
) -> tuple[ElementSets, ElementsReport]:
    """Read element sets from bytes or text in any format, and report what was wrong.

    A set that cannot be used is skipped and reported, by line and field; the others are kept.
    Of two sets of one satellite the later epoch is kept.

    Args:
        data: Uncompressed; text is UTF-8.
        source: The file as messages and provenance name it.
        format: One of `omm-json`, `omm-csv`, `omm-xml`, `omm-kvn`, `tle`; by content if None.

    Raises:
        ElementsError: not element sets at all, or not one usable set.
        UnknownName: no such format.
    """
    raw = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
    text = _text(raw, source)
    if format is None:
        format = _sniff(text, source)
    elif format not in _READERS:
        raise UnknownName("format of element sets", format, FORMATS, place=source)
    module, function, by_line = _READERS[format]
    read: Reader = getattr(import_module(f"{__package__}.{module}"), function)
    into = Gathering(source, (lambda line: line) if by_line else _LineOf(text))
    read(text, into)
    provenance = Provenance(
        source=source,
        format=format,
        sha256=hashlib.sha256(raw).hexdigest(),
        originator=into.originators.pop() if len(into.originators) == 1 else "",
        creation_date=into.creation_date,
    )
    elements = into.elements(provenance)
    faults = tuple(sorted(into.faults, key=lambda fault: fault.line))
    report = ElementsReport(format=format, read=into.read, kept=len(elements), faults=faults)
    if not len(elements):
        if not faults:
            raise ElementsError("holds no element sets", place=source, hint=_FORMATS_HINT)
        sets = "no element set" if into.read == 1 else f"none of {into.read:,} element sets"
        raise ElementsError(
            f"{sets} can be used: {faults[0]}",
            place=source,
            hint="download the file again, or mend the line" if into.read else _FORMATS_HINT,
        )
    return elements, report


class _LineOf:
    """The line of a character, from 1; the line ends are found when first asked."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._ends: list[int] | None = None

    def __call__(self, position: int) -> int:
        if self._ends is None:
            self._ends = [end.start() for end in re.finditer("\n", self._text)]
        return bisect_left(self._ends, position) + 1


def _text(raw: bytes, source: str) -> str:
    """The text with plain line ends; what is not UTF-8 becomes U+FFFD, in its set only."""
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise ElementsError("is UTF-16 text", place=source, hint="save it as UTF-8")
    text = raw.decode("utf-8", "replace").removeprefix("\ufeff")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise ElementsError("is empty", place=source, hint=_FORMATS_HINT)
    return text


def _sniff(text: str, source: str) -> str:
    counts = {name: len(marker.findall(text)) for name, marker in _MARKERS}
    best = max(counts, key=lambda name: counts[name])
    if counts[best]:
        return best
    if _CSV_HEADER.match(text.lstrip()[:10_000]):
        return "omm-csv"
    raise ElementsError(
        f"is not element sets: it begins {shown(text.lstrip())!r}", place=source, hint=_FORMATS_HINT
    )
