"""`spotbeam demo`: the main job on an embedded default."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Annotated

import cyclopts

from spotbeam.assembly.forecast import forecast as run_forecast
from spotbeam.cli.forecast import show
from spotbeam.cli.output import console, progress
from spotbeam.compute.blocks import default_workers

_TRY_NEXT = """
Try next:
  spotbeam why black-sea --at 44.6,33.5                  why is Sevastopol dark?
  spotbeam why black-sea --at 49.0,31.4 --speed-kmh 90 --unverified
  spotbeam forecast taiwan-strait                        another scenario
  spotbeam policy check black-sea                        rules that do nothing, or too much
"""


def demo(
    *,
    browser: Annotated[bool, cyclopts.Parameter(negative="--no-browser")] = True,
    out: Path = Path("forecasts") / "black-sea",
) -> None:
    """Forecast service over the Black Sea and open the report. Needs no network.

    Parameters
    ----------
    browser
        Open the report in a browser; --no-browser only prints its path.
    out
        Folder for the files.
    """
    with progress("Forecasting black-sea") as on_progress:
        result = run_forecast(
            "black-sea", workers=default_workers(), out=out, force=True, on_progress=on_progress
        )
    show(result)
    console().print(_TRY_NEXT, markup=False)
    report = (result.folder / "report.html").resolve()
    if browser and not webbrowser.open(report.as_uri()):
        console().print(f"No browser found; open {report}")
