"""Files of element sets: opened, unpacked, read; and written."""

from __future__ import annotations

import csv
import gzip
import io
import json
import lzma
import os
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from spotbeam.errors import ElementsError, nearest
from spotbeam.formats.atomic import write_bytes
from spotbeam.sky.elements import COLUMNS, ElementSets, ElementsReport, parse_elements

# A hundred times the public catalogue in JSON (33,000 objects, 15 MB in 2026) is 1.5 GB and
# nobody's file; a sixth of that is room enough, and what a bomb may cost.
LARGEST_BYTES = 256 * 1024 * 1024
_MOST_XZ_MEMORY_BYTES = 128 * 1024 * 1024  # `xz -9` asks for 65 MiB; a hostile header for 4 GiB
_XZ = b"\xfd7zXZ\x00"
_GZIP = b"\x1f\x8b"
_DOWNLOAD_AGAIN = "download or copy the file again"


def read_elements(path: str | os.PathLike[str]) -> tuple[ElementSets, ElementsReport]:
    """Read a file of element sets: OMM (JSON, CSV, XML, KVN) or TLE, plain, `.xz` or `.gz`.

    A compressed stream that is cut short or damaged is refused whole: its check value says that
    what came out is not what went in. Plain files lose only the sets that are damaged.

    Raises:
        ElementsError: the file cannot be opened or unpacked, or holds nothing usable.
    """
    file = Path(path)
    source = str(file)
    packed = _read_bytes(file)
    return parse_elements(_unpacked(packed, file), source=source)


def write_elements(path: str | os.PathLike[str], elements: ElementSets) -> None:
    """Write element sets as OMM: `.json` or `.csv`, also `.json.xz`, `.csv.gz` and so on.

    Every number reads back as exactly the same; the file appears whole or not at all. Four
    keywords that SGP4 does not use and readers expect carry CelesTrak's usual values
    (EPHEMERIS_TYPE 0, CLASSIFICATION_TYPE U, ELEMENT_SET_NO 999) and a REV_AT_EPOCH of 0.

    Raises:
        ElementsError: no such format, or a value or name that would not read back.
        OutputError: the file cannot be written.
    """
    file = Path(path)
    place = str(file)
    _refuse_unreadable(elements, place)
    name = file.name.lower()
    packing = next((suffix for suffix in (".xz", ".gz") if name.endswith(suffix)), "")
    written = name.removesuffix(packing)
    if written.endswith(".json"):
        data = _omm_json(elements)
    elif written.endswith(".csv"):
        data = _omm_csv(elements)
    else:
        hint = "name it .json or .csv, with .xz or .gz after it if it shall be packed"
        raise ElementsError("element sets are not written in this format", place=place, hint=hint)
    if packing == ".xz":
        data = lzma.compress(data)
    elif packing == ".gz":
        data = gzip.compress(data, mtime=0)
    write_bytes(file, data)


def _records(elements: ElementSets) -> Iterator[dict[str, str | int | float]]:
    epochs = np.datetime_as_string(elements.epoch_us.astype("datetime64[us]"), unit="us")
    for row in range(len(elements)):
        yield {
            "OBJECT_NAME": elements.name[row],
            "OBJECT_ID": elements.international_designator[row],
            "EPOCH": str(epochs[row]),
            "MEAN_MOTION": float(elements.mean_motion_rev_day[row]),
            "ECCENTRICITY": float(elements.eccentricity[row]),
            "INCLINATION": float(elements.inclination_deg[row]),
            "RA_OF_ASC_NODE": float(elements.raan_deg[row]),
            "ARG_OF_PERICENTER": float(elements.argument_of_perigee_deg[row]),
            "MEAN_ANOMALY": float(elements.mean_anomaly_deg[row]),
            "EPHEMERIS_TYPE": 0,
            "CLASSIFICATION_TYPE": "U",
            "NORAD_CAT_ID": int(elements.catalogue_number[row]),
            "ELEMENT_SET_NO": 999,
            "REV_AT_EPOCH": 0,
            "BSTAR": float(elements.bstar[row]),
            "MEAN_MOTION_DOT": float(elements.mean_motion_dot_rev_day2[row]),
            "MEAN_MOTION_DDOT": float(elements.mean_motion_ddot_rev_day3[row]),
        }


def _omm_json(elements: ElementSets) -> bytes:
    lines = [
        json.dumps(record, ensure_ascii=False, allow_nan=False) for record in _records(elements)
    ]
    return ("[\n" + ",\n".join(lines) + "\n]\n").encode()


def _omm_csv(elements: ElementSets) -> bytes:
    text = io.StringIO()
    writer: csv.DictWriter[str] | None = None
    for record in _records(elements):
        if writer is None:
            writer = csv.DictWriter(text, fieldnames=list(record), lineterminator="\n")
            writer.writeheader()
        writer.writerow(record)
    return text.getvalue().encode()


def _refuse_unreadable(elements: ElementSets, place: str) -> None:
    """What would not read back as it is must not be written."""
    for column in COLUMNS:
        finite = np.isfinite(getattr(elements, column))
        if not finite.all():
            number = elements.catalogue_number[np.argmin(finite)]
            raise ElementsError(f"satellite {number} has {column} that is no number", place=place)
    for row, name in enumerate(elements.name):
        if not (name + elements.international_designator[row]).isprintable():
            number = elements.catalogue_number[row]
            raise ElementsError(f"satellite {number} has the name {name!r}", place=place)


def _read_bytes(file: Path) -> bytes:
    place = str(file)
    try:
        with open(file, "rb") as opened:
            data = opened.read(LARGEST_BYTES + 1)
    except FileNotFoundError:
        raise ElementsError("no such file", place=place, hint=_neighbour(file)) from None
    except IsADirectoryError:
        hint = "name one file of element sets in it"
        raise ElementsError("is a folder, not a file", place=place, hint=hint) from None
    except PermissionError:
        hint = "make it readable for the user who runs Spotbeam"
        raise ElementsError("may not be read", place=place, hint=hint) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise ElementsError(f"cannot be read: {reason}", place=place) from None
    if len(data) > LARGEST_BYTES:
        raise _too_large(place)
    return data


def _unpacked(data: bytes, file: Path) -> bytes:
    place = str(file)
    suffix = file.suffix.lower()
    if data[: len(_XZ)] == _XZ:
        return _unpack_xz(data, place)
    if data[: len(_GZIP)] == _GZIP:
        return _unpack_gzip(data, place)
    if suffix in (".xz", ".gz") and data:
        raise ElementsError(f"is not {suffix} inside", place=place, hint=_DOWNLOAD_AGAIN)
    if data[:3] == b"BZh" or data[:4] in (b"PK\x03\x04", b"\x28\xb5\x2f\xfd"):
        hint = "unpack it first; .xz and .gz are read directly"
        raise ElementsError("is packed in a way that is not read", place=place, hint=hint)
    return data


def _unpack_xz(data: bytes, place: str) -> bytes:
    unpacked = bytearray()
    try:
        while data:
            stream = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MOST_XZ_MEMORY_BYTES)
            unpacked += stream.decompress(data, LARGEST_BYTES + 1 - len(unpacked))
            if len(unpacked) > LARGEST_BYTES:
                raise _too_large(place)
            if not stream.eof:
                raise _cut_short(".xz", place, len(unpacked))
            data = stream.unused_data.lstrip(b"\x00")  # stream padding
    except lzma.LZMAError as error:
        raise _damaged(".xz", place, error) from None
    return bytes(unpacked)


def _unpack_gzip(data: bytes, place: str) -> bytes:
    unpacked = bytearray()
    try:
        while data:
            stream = zlib.decompressobj(wbits=31)
            unpacked += stream.decompress(data, LARGEST_BYTES + 1 - len(unpacked))
            if len(unpacked) > LARGEST_BYTES:
                raise _too_large(place)
            if not stream.eof:
                raise _cut_short(".gz", place, len(unpacked))
            data = stream.unused_data.lstrip(b"\x00")
    except zlib.error as error:
        raise _damaged(".gz", place, error) from None
    return bytes(unpacked)


def _cut_short(kind: str, place: str, unpacked: int) -> ElementsError:
    message = f"the {kind} stream is cut short after {unpacked:,} bytes of content"
    return ElementsError(message, place=place, hint=_DOWNLOAD_AGAIN)


def _damaged(kind: str, place: str, error: Exception) -> ElementsError:
    return ElementsError(
        f"the {kind} stream is damaged: {error}", place=place, hint=_DOWNLOAD_AGAIN
    )


def _too_large(place: str) -> ElementsError:
    return ElementsError(
        f"holds more than {LARGEST_BYTES // 2**20} MiB",
        place=place,
        hint="the whole public catalogue is a tenth of that: is it the right file?",
    )


def _neighbour(file: Path) -> str | None:
    try:
        name = nearest(file.name, os.listdir(file.parent))
    except OSError:
        return f"there is no folder {file.parent} either"
    return f"did you mean {file.parent / name}?" if name else None
