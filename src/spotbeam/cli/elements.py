"""`spotbeam elements`: fetch element sets, and see what is in a file of them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import cyclopts
import msgspec
import numpy as np
import platformdirs

from spotbeam.cli.output import console, print_json, table
from spotbeam.errors import InputError
from spotbeam.feeds import celestrak
from spotbeam.formats.element_files import read_elements
from spotbeam.sky.in_service import classify
from spotbeam.times import MICROSECONDS, format_time

Flag = Annotated[bool, cyclopts.Parameter(negative="")]


def fetch(
    group: str,
    /,
    *,
    cache: Path | None = None,
    address: str = celestrak.CELESTRAK_GP_URL,
    timeout_s: float = 30.0,
    json: Flag = False,
) -> None:
    """Download a group's element sets (OMM) from CelesTrak, at most once in two hours.

    Parameters
    ----------
    group
        CelesTrak's name of the group, as starlink, oneweb, kuiper, iridium-NEXT.
    cache
        Folder for the files; the user's cache folder if not given.
    address
        Another server that answers the same questions.
    timeout_s
        Give up after this long without an answer.
    json
        Print what happened as JSON.
    """
    if not 0 < timeout_s <= 3600:
        raise InputError(f"{timeout_s:g} is not within 0 to 3600 s", place="--timeout-s")
    folder = cache or Path(platformdirs.user_cache_dir("spotbeam")) / "elements"
    result = celestrak.fetch(
        group,
        cache_dir=folder,
        base_url=address,
        now_us=time.time_ns() // 1000,
        timeout_s=timeout_s,
    )
    if json:
        print_json(msgspec.to_builtins(result) | {"path": str(result.path)})
    else:
        console().print(
            f"{result.path}\n{result.outcome}: {result.satellites:,} element sets, "
            f"{result.skipped:,} skipped, {result.age_s / 3600:.1f} h old",
            markup=False,
        )


def show(file: Path, /, *, json: Flag = False) -> None:
    """Say what is in a file of element sets: how many, how old, which of them are in service.

    Parameters
    ----------
    file
        OMM (JSON, CSV, XML, KVN) or TLE, also .xz and .gz.
    json
        Print it as JSON.
    """
    elements, report = read_elements(file)
    classes = classify(elements)
    epochs = np.sort(elements.epoch_us)
    facts = {
        "file": str(file),
        "format": report.format,
        "element_sets": report.read,
        "kept": report.kept,
        "faults": [
            {
                "line": f.line,
                "field": f.field,
                "value": f.value,
                "reason": f.reason,
                "effect": f.effect,
            }
            for f in report.faults
        ],
        "epoch_first": format_time(int(epochs[0])),
        "epoch_median": format_time(int(np.median(epochs)) // MICROSECONDS * MICROSECONDS),
        "epoch_last": format_time(int(epochs[-1])),
        "classes": classes.counts(),
        "bands": [str(band) for band in classes.bands],
    }
    if json:
        print_json(facts)
        return
    out = console()
    out.print(f"{file}: {report}", markup=False)
    out.print(
        f"epochs {facts['epoch_first']} to {facts['epoch_last']}, median {facts['epoch_median']}"
    )
    rows = [[name, count] for name, count in classes.counts().items()]
    out.print(table("By class, inferred from the elements", ["class", "satellites"], rows))
    for fault in report.faults[:20]:
        out.print(str(fault), markup=False)
    if len(report.faults) > 20:
        out.print(f"… and {len(report.faults) - 20} more with --json")
