"""`spotbeam trace` as a user meets it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from spotbeam.cli.app import main

FILES = {"trace.parquet", "trace.geojson", "trace.png", "summary.json"}
KYIV = "00:00:00Z,50.40,30.50 00:01:00Z,50.41,30.50 00:02:00Z,50.42,30.51"


@pytest.fixture
def here(small: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a scenario that runs in a second."""
    monkeypatch.chdir(small.parent)
    return small.parent


def track(folder: Path, fixes: str, name: str = "track.csv", columns: str = "") -> str:
    """A file of fixes on 1 January 2026, each as time,latitude,longitude."""
    rows = [f"2026-01-01T{fix}" for fix in fixes.split()]
    (folder / name).write_text("\n".join([f"time,lat_deg,lon_deg{columns}", *rows]) + "\n")
    return name


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["trace", "small.toml", *arguments]) == 0
    return capsys.readouterr().out


def summary(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(told(capsys, *arguments, "--json"))
    return found


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["trace", "small.toml", *arguments]) == 2
    return capsys.readouterr().err


def contents(folder: Path) -> dict[str, bytes]:
    return {item.name: item.read_bytes() for item in folder.iterdir() if item.is_file()}


# -- whose folder it is


def test_the_same_trip_goes_into_its_own_folder_again(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = (track(here, KYIV), "--step", "15s", "--out", "trip")
    told(capsys, *given)
    first = contents(here / "trip")
    assert set(first) == FILES
    # As a run leaves it that was killed before its last file.
    (here / "trip" / "summary.json").unlink()
    (here / "trip" / ".summary.json.0a0b0c0d.part").write_text("{")
    told(capsys, *given)
    told(capsys, *given)
    again = contents(here / "trip")
    assert set(again) == FILES
    assert again["summary.json"] == first["summary.json"]
    assert again["trace.geojson"] == first["trace.geojson"]


def test_another_trip_and_what_is_no_trip_are_not_written_over(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = track(here, KYIV)
    told(capsys, name, "--step", "15s", "--out", "trip")
    assert main(["forecast", "small.toml", "--out", "forecast", "--workers", "1"]) == 0
    capsys.readouterr()
    (here / "letters").mkdir()
    (here / "letters" / "dear.txt").write_text("dear")
    (here / "notes").mkdir()
    (here / "notes" / "summary.json").write_text('{"of": "somebody else"}')
    for folder, what in {
        "trip": "holds another trip",
        "forecast": "holds files that are no trip's",
        "letters": "holds files that are no trip's",
        "notes": "holds files that are no trip's",
        "small.toml": "is a file, not a folder",
    }.items():
        before = contents(here / folder) if (here / folder).is_dir() else None
        said = refused(capsys, name, "--step", "20s", "--out", folder)
        assert f"{folder}: {what}" in said
        assert "--out" in said
        assert before is None or contents(here / folder) == before
    # Asked to, it replaces its own four files and leaves the others.
    told(capsys, name, "--step", "20s", "--out", "letters", "--force")
    told(capsys, name, "--step", "20s", "--out", "trip", "--force")
    assert set(contents(here / "letters")) == {*FILES, "dear.txt"}
    assert json.loads((here / "trip" / "summary.json").read_bytes())["step"] == "20s"
    assert "--out" in refused(capsys, name, "--force")
