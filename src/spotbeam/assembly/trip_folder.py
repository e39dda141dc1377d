"""The folder of a trip: whose it is, and what is written into it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from spotbeam.errors import OutputError
from spotbeam.formats.atomic import discard_leftovers, write_bytes
from spotbeam.formats.trip_files import parquet_bytes, steps_table
from spotbeam.formats.trip_geojson import pieces_geojson
from spotbeam.report.trip_picture import draw_trip
from spotbeam.twin.nets import Net
from spotbeam.twin.trips.trip import Trip
from spotbeam.twin.world import World

_SUMMARY = "summary.json"
FILES = ("trace.parquet", "trace.geojson", "trace.png", _SUMMARY)


def claim_trip_folder(folder: Path, key: str, *, force: bool = False) -> None:
    """Refuse a folder that is not this trip's, before any work is done; nothing is written.

    Args:
        folder: It need not be there.
        key: Of the trip.
        force: Take it, whatever it holds.

    Raises:
        OutputError: It holds another trip, or something that is no trip.
    """
    if folder.exists() and not folder.is_dir():
        raise OutputError(
            "is a file, not a folder", place=str(folder), hint="name a folder with --out"
        )
    if force or not folder.exists():
        return
    try:
        found = {item.name for item in folder.iterdir() if not item.name.endswith(".part")}
    except OSError as fault:
        raise _not_written(folder, fault) from None
    theirs = _key_in(folder) if _SUMMARY in found else key
    # A summary is written last: without one, these are the files of a trip that was cut short.
    if found <= set(FILES) and theirs == key:
        return
    is_trip = found <= set(FILES) and theirs is not None
    raise OutputError(
        "holds another trip" if is_trip else "holds files that are no trip's",
        place=str(folder),
        hint="name another folder with --out, or replace the trip's files there with --force",
    )


def write_trip(
    folder: Path, world: World, net: Net, trip: Trip, summary: dict[str, Any]
) -> tuple[str, ...]:
    """Write a trip into a folder, which is made if it is not there; the names of its files.

    Raises:
        OutputError: It cannot be written there.
    """
    text = json.dumps(summary, ensure_ascii=False, indent=1)
    made = {
        "trace.parquet": parquet_bytes(steps_table(net, trip)),
        "trace.geojson": pieces_geojson(trip),
        "trace.png": draw_trip(world, trip),
        _SUMMARY: text.encode() + b"\n",
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        discard_leftovers(folder)
        # A summary beside files that it does not sum up would mislead whoever reads it.
        (folder / _SUMMARY).unlink(missing_ok=True)
        for name, data in made.items():
            write_bytes(folder / name, data)
    except OSError as fault:
        raise _not_written(folder, fault) from None
    return tuple(made)


def _key_in(folder: Path) -> str | None:
    """The key of the trip whose summary lies there; None if it is no trip's."""
    try:
        return str(json.loads((folder / _SUMMARY).read_bytes())["trip"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _not_written(folder: Path, fault: OSError) -> OutputError:
    return OutputError(
        f"cannot be written: {fault.strerror or fault}",
        place=str(folder),
        hint="choose another folder with --out",
    )
