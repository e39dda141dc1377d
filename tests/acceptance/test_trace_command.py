"""`spotbeam trace` as a user meets it."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

import spotbeam
from spotbeam.cli.app import main
from spotbeam.errors import InputError
from spotbeam.times import MICROSECONDS, parse_time
from spotbeam.twin.trips.assurance import CLASS_SPEED_KMH
from spotbeam.twin.trips.track import Track

FILES = {"trace.parquet", "trace.geojson", "trace.png", "summary.json"}
KYIV = "00:00:00Z,50.40,30.50 00:01:00Z,50.41,30.50 00:02:00Z,50.42,30.51"

ASSURED = """
[[rule]]
id = "assured"
gate = "assurance"
effect = "deny"
thresholds = { below_assurance = 1 }
grounds = ["order:d"]
"""


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


# -- how long things last


@pytest.mark.parametrize(
    ("fixes", "step", "lasts_s"),
    [
        ("00:00:00Z,50.40,30.50 00:15:00Z,50.42,30.51", "15s", 900.0),
        ("00:00:00Z,50.40,30.50 00:00:10Z,50.40,30.51", "15s", 10.0),
        ("00:00:00Z,50.40,30.50 00:01:40Z,50.40,30.51", "15s", 100.0),
    ],
)
def test_legs_follow_one_another_from_the_start_of_a_trip_to_its_end(
    here: Path, capsys: pytest.CaptureFixture[str], fixes: str, step: str, lasts_s: float
) -> None:
    found = summary(capsys, track(here, fixes), "--step", step, "--longest-gap", "1h")
    legs = found["legs"]
    assert found["step"] == step
    assert legs[0]["from"] == found["start"] == "2026-01-01T00:00:00Z"
    assert legs[-1]["to"] == found["end"]
    assert [leg["to"] for leg in legs[:-1]] == [leg["from"] for leg in legs[1:]]
    assert sum(leg["lasts_s"] for leg in legs) == lasts_s


# -- trace.geojson


def pieces(here: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    told(capsys, *arguments, "--out", "trip")
    text = (here / "trip" / "trace.geojson").read_text()
    found: list[dict[str, Any]] = json.loads(text)["features"]
    return found


def lines_of(feature: dict[str, Any]) -> list[list[list[float]]]:
    geometry = feature["geometry"]
    many = geometry["type"] == "MultiLineString"
    return geometry["coordinates"] if many else [geometry["coordinates"]]


@pytest.mark.parametrize("step", ["15s", "7m"])
def test_every_fix_is_a_vertex_and_a_minute_is_the_furthest_apart(
    here: Path, capsys: pytest.CaptureFixture[str], step: str
) -> None:
    """Whatever the step: a turn that lasts 20 s stays, and so does one between two steps."""
    fixes = (
        "00:00:00Z,50.400,30.50 00:03:05Z,50.420,30.51 00:03:25Z,50.425,30.53 "
        "00:03:40Z,50.420,30.54 00:09:00Z,50.400,30.58"
    )
    found = pieces(here, capsys, track(here, fixes), "--step", step)
    turns = {(float(lon), float(lat)) for _, lat, lon in (fix.split(",") for fix in fixes.split())}
    vertices = [vertex for each in found for line in lines_of(each) for vertex in line]
    assert turns <= {tuple(vertex) for vertex in vertices}
    times = [parse_time(text) for each in found for text in each["properties"]["coordTimes"]]
    assert max(np.diff(times)) <= 60 * MICROSECONDS
    assert len(times) == len(vertices)


def test_a_piece_across_the_antimeridian_is_cut_there(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """There and back, once over the line between two fixes and once with a fix on it."""
    fixes = (
        "00:00:00Z,10.0,179.99 00:00:50Z,10.0,-179.98 "
        "00:01:40Z,10.0,-180.0 00:02:30Z,10.0,179.98 00:03:20Z,10.0,180.0"
    )
    (found,) = pieces(here, capsys, track(here, fixes), "--step", "5s", "--class", "aero")
    lines = lines_of(found)
    assert [(line[0][0], line[-1][0]) for line in lines] == [
        (179.99, 180.0),
        (-180.0, -180.0),
        (180.0, 180.0),
    ]
    for line, times in zip(lines, found["properties"]["coordTimes"], strict=True):
        assert len(line) == len(times) > 1
        assert all(lon > 0 for lon, _ in line) or all(lon < 0 for lon, _ in line)
        assert all(a != b for a, b in pairwise(line))
    # A third of the way lies on this side.
    assert found["properties"]["coordTimes"][0][-1].startswith("2026-01-01T00:00:16.6")


def test_a_piece_whose_whereabouts_nobody_knows_has_no_line(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fixes = (
        "00:00:00Z,50.40,30.50 00:01:00Z,50.41,30.50 00:31:07Z,50.42,30.51 00:32:00Z,50.43,30.51"
    )
    found = pieces(here, capsys, track(here, fixes), "--step", "15s")
    kinds = [each["geometry"] and each["geometry"]["type"] for each in found]
    assert kinds == ["LineString", None, "LineString"]
    assert [each["properties"]["reason"] for each in found][1] == "UNKNOWN_LOCATION"
    assert found[0]["geometry"]["coordinates"] == [[30.5, 50.4], [30.5, 50.41]]


# -- what is said, and what is refused


def test_a_step_longer_than_a_plan_says_that_it_misses_handovers(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Low enough that satellites overlap: one that is lost before the next rises hands nothing over.
    text = (here / "small.toml").read_text()
    (here / "small.toml").write_text(text.replace("_elevation_deg = 30", "_elevation_deg = 8"))
    fixes = "00:00:00Z,50.40,30.50 00:40:00Z,50.42,30.51"
    given = (track(here, fixes), "--longest-gap", "1h", "--step")
    fine, coarse = summary(capsys, *given, "15s"), summary(capsys, *given, "10m")
    assert coarse["handovers"] < fine["handovers"]
    assert fine["notes"] == []
    (note,) = coarse["notes"]
    assert "the network plans every 15s" in note
    shown = told(capsys, *given, "10m")
    assert note in shown
    assert f"at least {coarse['handovers']} handover" in shown
    assert "at least" not in told(capsys, *given, "15s")


def test_a_network_that_plans_at_every_moment_may_always_hand_over_between_steps(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (here / "small.toml").read_text()
    (here / "small.toml").write_text(text + '\n[network]\nreconfigure = "always"\n')
    (note,) = summary(capsys, track(here, KYIV), "--step", "15s")["notes"]
    assert "the network plans at every moment: with a step of 15s some may be missed" in note
    (here / "small.toml").write_text(text + '\n[network]\nreconfigure = "1m"\n')
    assert summary(capsys, "track.csv", "--step", "1m")["notes"] == []
    (note,) = summary(capsys, "track.csv", "--step", "61s")["notes"]
    assert "the network plans every 1m" in note


def test_one_is_not_said_in_the_plural(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fixes = "00:00:00Z,50.40,30.50 00:00:10Z,50.40,30.50"
    shown = told(capsys, track(here, fixes), "--step", "15s")
    assert "of 1 step;" in shown
    assert refused(capsys, track(here, fixes.split()[0])).startswith(
        "spotbeam: track.csv: has 1 fix"
    )


@pytest.mark.parametrize(
    ("given", "place", "value", "fix"),
    [
        (("--position-error-m", "nan"), "position_error_m", "nan", "give a plain number"),
        (("--position-error-m", "inf"), "position_error_m", "inf", "give a plain number"),
        (("--assurance", "9"), "assurance", "9", "give 0, 1, 2 or 3"),
    ],
)
def test_a_slip_is_refused_by_command_and_function_alike(
    here: Path,
    capsys: pytest.CaptureFixture[str],
    given: tuple[str, str],
    place: str,
    value: str,
    fix: str,
) -> None:
    name = track(here, KYIV)
    said = refused(capsys, name, *given, "--out", "trip")
    assert place in said.replace("-", "_")
    assert value in said
    assert fix in said
    assert not (here / "trip").exists()
    more: dict[str, Any] = {place: float(value) if place != "assurance" else int(value)}
    with pytest.raises(InputError, match=f"{place}: {value} is"):
        spotbeam.trace("small.toml", name, **more)


def test_a_track_of_ones_own_is_checked_as_one_from_a_file_is(here: Path) -> None:
    blank = np.full(2, np.nan)
    half = Track(
        name="mine",
        time_us=np.array([0, MICROSECONDS]) + parse_time("2026-01-01T00:00:00Z"),
        lat_deg=np.array([50.40, 50.41]),
        lon_deg=np.array([30.5, 30.5]),
        altitude_m=blank,
        speed_kmh=blank,
        error_m=blank,
        network_lat_deg=np.array([50.40, 50.41]),
        network_lon_deg=np.array([30.5, np.nan]),
    )
    with pytest.raises(InputError, match="mine, fix 2, network_lon_deg: is missing beside"):
        spotbeam.trace("small.toml", half)


# -- how far a position is believed


def test_after_a_jump_nothing_is_believed_until_a_fix_more_than_a_minute_later(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Between fixes nothing shows that a track holds together again, however long they are."""
    fixes = (
        "00:00:00Z,50.40,30.50 00:01:00Z,50.41,30.50 00:02:00Z,50.90,30.50 "
        "00:03:00Z,50.91,30.50 00:06:00Z,50.92,30.50 00:07:00Z,50.93,30.50"
    )
    (here / "small.toml").write_text((here / "small.toml").read_text() + ASSURED)
    given = (track(here, fixes), "--class", "land", "--step", "15s")
    found = summary(capsys, *given)
    doubted = [leg for leg in found["legs"] if leg["reason"] == "POSITION_NOT_ASSURED"]
    assert [(leg["from"][11:], leg["to"][11:]) for leg in doubted] == [("00:02:00Z", "00:06:00Z")]
    assert found["assurance"] == {"0": 16, "1": 13, "2": 0, "3": 0}
    trusted = summary(capsys, *given, "--assurance", "1")
    assert "POSITION_NOT_ASSURED" not in {leg["reason"] for leg in trusted["legs"]}


def test_the_document_tells_the_speeds_that_a_jump_is_measured_by() -> None:
    text = (Path(__file__).parents[2] / "docs" / "trips.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| ([\d,]+) \|$", text, re.MULTILINE)
    assert {name: float(speed.replace(",", "")) for name, speed in rows} == CLASS_SPEED_KMH


# -- what is not known


CAPPED = """
[[rule]]
id = "hysteresis"
gate = "mobility"
effect = "deny"
thresholds = { over_kmh = 75, clear_below_kmh = 65 }
grounds = ["order:d"]
"""

LOW = """
[[rule]]
id = "low"
gate = "mobility"
effect = "deny"
thresholds = { over_altitude_m = 5000 }
grounds = ["order:d"]
"""


def with_rules(folder: Path, rules: str) -> str:
    (folder / "ruled.toml").write_text((folder / "small.toml").read_text() + rules)
    return "ruled.toml"


def test_a_silence_does_not_clear_a_speed(here: Path) -> None:
    """90 km/h, then 70, which is above what clears; after a silence still 70."""
    rows = [
        (0, 50.40, 90), (60, 50.41, 70), (120, 50.42, 70),
        (1200, 50.60, 70), (1260, 50.61, 70),
    ]  # fmt: skip
    fixes = " ".join(
        f"{t // 3600:02}:{t // 60 % 60:02}:{t % 60:02}Z,{lat},30.5,{v}" for t, lat, v in rows
    )
    name = track(here, fixes, columns=",speed_kmh")
    found = spotbeam.trace(with_rules(here, CAPPED), name, step="5s").summary
    reasons = {leg["reason"] for leg in found["legs"]}
    assert reasons == {"MOVING_TOO_FAST_FOR_POLICY", "UNKNOWN_LOCATION"}


def test_an_altitude_that_one_of_two_fixes_gives_counts(here: Path) -> None:
    fixes = "00:00:00Z,50.40,30.50, 00:05:00Z,50.41,30.50,9000"
    name = track(here, fixes, columns=",altitude_m")
    found = spotbeam.trace(with_rules(here, LOW), name, step="30s").summary
    assert {leg["rule"] for leg in found["legs"]} == {"low"}


def test_nobody_knows_where_it_is_is_no_outage_of_the_sky(here: Path) -> None:
    name = track(here, "00:00:00Z,50.40,30.50 00:01:00Z,50.41,30.50 00:30:00Z,50.42,30.50")
    answer = spotbeam.trace("small.toml", name, step="30s", distress=True, out="lost")
    lost = [leg for leg in answer.summary["legs"] if leg["reason"] == "UNKNOWN_LOCATION"]
    assert lost
    assert all("nobody knows where it is" in leg["says"] for leg in lost)
    steps = pq.read_table(here / "lost" / "trace.parquet").to_pylist()
    unknown = [step for step in steps if step["lat_deg"] is None]
    assert unknown
    assert {(s["satellites_in_view"], s["altitude_m"]) for s in unknown} == {(None, None)}


def test_a_number_with_an_underscore_is_none(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = refused(capsys, track(here, "00:00:00Z,5_1,30.50 00:01:00Z,50.41,30.50"))
    assert "5_1 is not within -90..90" in said
