"""Writes the files of a trip."""

from __future__ import annotations

import json
from pathlib import Path

from spotbeam.assembly.trace import TraceAnswer
from spotbeam.errors import OutputError
from spotbeam.formats.atomic import write_bytes
from spotbeam.formats.trip_files import parquet_bytes, pieces_geojson, steps_table
from spotbeam.report.trip_picture import draw_trip


def write_trip(folder: Path, answer: TraceAnswer) -> tuple[str, ...]:
    """Write a trip into a folder, which is made if it is not there; the names of its files.

    Raises:
        OutputError: It cannot be written there.
    """
    summary = json.dumps(answer.summary, ensure_ascii=False, indent=1).encode() + b"\n"
    made = {
        "trace.parquet": parquet_bytes(steps_table(answer.net, answer.trip)),
        "trace.geojson": pieces_geojson(answer.trip),
        "trace.png": draw_trip(answer.world, answer.trip),
        "summary.json": summary,
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in made.items():
            write_bytes(folder / name, data)
    except OSError as fault:
        raise OutputError(
            f"cannot be written: {fault.strerror}", place=str(folder), hint="choose another folder"
        ) from None
    return tuple(made)
