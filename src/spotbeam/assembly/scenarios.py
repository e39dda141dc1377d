"""Finds scenarios, by shipped name or by file, and adjusts them."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import msgspec

from spotbeam.errors import ScenarioError, UnknownName
from spotbeam.twin.scenario import Scenario, parse_scenario

_SCENARIOS = resources.files("spotbeam.twin") / "scenarios"


def shipped_scenarios() -> list[str]:
    """Names of the scenarios that come with Spotbeam."""
    return sorted(
        item.name.removesuffix(".toml")
        for item in _SCENARIOS.iterdir()
        if item.name.endswith(".toml")
    )


def shipped_text(name: str) -> str:
    """The TOML of a shipped scenario.

    Raises:
        UnknownName: no such scenario; suggests the nearest.
    """
    if name not in shipped_scenarios():
        raise UnknownName("scenario", name, shipped_scenarios())
    return (_SCENARIOS / f"{name}.toml").read_text(encoding="utf-8")


def load_scenario(name_or_path: str | Path) -> tuple[Scenario, Path]:
    """The scenario of a shipped name or a TOML file, and the folder its files are relative to.

    Raises:
        ScenarioError: no such file, or the file is wrong.
        UnknownName: neither a file nor a shipped name; suggests the nearest.
    """
    text = str(name_or_path)
    if text in shipped_scenarios():
        return parse_scenario(shipped_text(text), place=text), Path.cwd()
    path = Path(name_or_path)
    if not path.exists() and path.suffix != ".toml" and len(path.parts) == 1:
        raise UnknownName("scenario", text, shipped_scenarios())
    try:
        data = path.read_bytes()
        source = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ScenarioError(f"byte {error.start} is not UTF-8", place=str(path)) from None
    except OSError as error:
        raise ScenarioError(f"cannot be read: {error.strerror}", place=str(path)) from None
    return parse_scenario(source, place=path.name), path.resolve().parent


def adjusted(
    scenario: Scenario,
    *,
    elements: str | Path | None = None,
    start: str | None = None,
    duration: str | float | None = None,
    step: str | float | None = None,
    resolution: int | None = None,
    view: str | None = None,
) -> Scenario:
    """The scenario with some of its values replaced, checked like the file."""
    replace = msgspec.structs.replace
    time, sky, area = scenario.time, scenario.constellation, scenario.area
    if elements is not None:
        sky = replace(sky, elements=str(Path(elements).resolve()), shells=(), shell=())
        if scenario.time.start is not None and start is None:
            time = replace(time, start=None)
    given = {"start": start, "duration": duration, "step": step}
    time = replace(time, **{key: value for key, value in given.items() if value is not None})
    if resolution is not None:
        if not 0 <= resolution <= 6:
            raise ScenarioError(
                f"resolution {resolution} is not within 0..6", hint="take 2 to 6; 4 is usual"
            )
        area = replace(area, resolution=resolution)
    changed = replace(scenario, time=time, constellation=sky, area=area, view=view or scenario.view)
    changed.grid(changed.start_us or 0)
    return changed
