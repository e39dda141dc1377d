"""`spotbeam route` as a user meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import spotbeam
from spotbeam.cli.app import main
from spotbeam.cli.route import shown_way
from spotbeam.errors import InputError

STATIONS = "name,lat_deg,lon_deg\nOslo,59.91,10.75\nCairo,30.04,31.24\nPole,-89.0,0\n"


@pytest.fixture
def stations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "stations.csv"
    file.write_text(STATIONS)
    return file


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["route", *arguments]) == 0
    return capsys.readouterr().out


def test_all_pairs_as_json(stations: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ("hypatia-s1", "--stations", str(stations), "--all-pairs", "--times", "0,1,2", "--json")
    pairs = json.loads(run(capsys, *given))["pairs"]
    assert [(p["from"], p["to"]) for p in pairs[:3]] == [
        ("Oslo", "Cairo"),
        ("Oslo", "Pole"),
        ("Cairo", "Pole"),
    ]
    assert [p["time_s"] for p in pairs[::3]] == [0.0, 1.0, 2.0]
    for pair in pairs:
        if pair["to"] == "Pole":
            assert pair["rtt_ms"] is None
            assert pair["reason"] == "no_satellite_there"
        else:
            assert set(pair) == {"from", "to", "time_s", "rtt_ms"}
            assert 24.0 < pair["rtt_ms"] < 99.0  # 3,640 km apart: light alone takes 24.3 ms


def test_a_place_and_its_point_of_presence(
    stations: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = stations.with_name("route.png")
    given = ("black-sea", "50.45,30.5", "--duration", "2m", "--out", str(picture))
    shown = run(capsys, *given)
    assert "a model, not a measurement" in shown
    assert "points of presence: Sofia, Bulgaria" in shown
    assert picture.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    found = json.loads(run(capsys, *given[:4], "--json"))
    assert found["policy"]["from"]["outcome"] == "allow"
    assert len(found["steps"]) == 8
    assert found["summary"]["with_path_fraction"] == 1.0
    step = found["steps"][0]
    assert step["rtt_ms"] > 2 * step["propagation_one_way_ms"]


def test_by_land_is_told_beside_the_way_over_the_sky(
    stations: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ("black-sea", "50.45,30.5", "35.68,139.69", "--duration", "1m", "--by-land")
    assert "along fibre from Sofia, Bulgaria to Tokyo, Japan" in run(capsys, *given)
    found = json.loads(run(capsys, *given, "--json"))
    assert (
        found["summary"]["by_land"]["round_trip_ms"]["min"] > 2 * 43.4
    )  # light, 8,200 km in glass
    assert all(step["by_land"]["reason"] is None for step in found["steps"])
    assert main(["route", "black-sea", "50.45,30.5", "--by-land"]) == 2
    assert "give TO as well" in capsys.readouterr().err


def test_no_way_says_why_and_policy_is_told_apart(
    stations: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ("black-sea", "-40,-125", "--duration", "1m", "--mode", "bent_pipe")
    shown = run(capsys, *given)
    assert "no gateway is in reach of any of them" in shown
    found = json.loads(run(capsys, *given, "--json"))
    assert found["summary"]["no_route"] == {"no_gateway_in_reach": 4}
    assert {step["rtt_ms"] for step in found["steps"]} == {None}
    assert found["policy"]["from"]["reason"] == "IN_OCEAN"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["hypatia-s1"], "give a place to start from"),
        (["hypatia-s1", "--all-pairs"], "--all-pairs needs --stations"),
        (["hypatia-s1", "150.45,30.5"], "did you mean 30.5,150.45"),
        (["hypatia-s1", "0,0", "Atlantiss"], "unknown place 'Atlantiss'"),
        (["hypatia-s1", "0,0", "--times", "0,x"], "--times: 'x' is not a number"),
        (["hypatia-s1", "0,0", "--times", "nan"], "--times: 'nan' is not a number"),
        (["hypatia-s1", "0,0", "--times", "1e30"], "--times: '1e30' is more than 1,000,000,000"),
        (["hypatia-s1", "0,0", "--times", "0,9,-1"], "--times: '-1' is before the start"),
        (["hypatia-s1", "0,0", "--times", "0", "--duration", "5m"], "--duration: '5m' has no mean"),
        (["hypatia-s1", "0,0", "--times", "0", "--step", "5s"], "--step: '5s' has no meaning"),
        (["hypatia-s1", "0,0", "--duration", "-5m"], "duration: '-5m' is not above zero"),
        (["hypatia-s1", "0,0", "--duration=-5m"], "duration: '-5m' is not above zero"),
        (["hypatia-s1", "0,0", "--step", "-5s"], "step: '-5s' is not above zero"),
        (
            ["hypatia-s1", "--stations", "stations.csv", "--all-pairs", "--view", "un"],
            "--view: 'un' changes nothing",
        ),
        (
            ["hypatia-s1", "--stations", "stations.csv", "--all-pairs", "--out", "q.png"],
            "--out: 'q.png': a picture is of one route",
        ),
        (["hypatia-s1", "--stations", "none.csv", "--all-pairs"], "none.csv: cannot be read"),
        (["hypatia-s1", "0,0", "1,1", "--out", "x.jpg"], "is not the name of a PNG file"),
    ],
)
def test_a_mistake_is_one_message(
    arguments: list[str], message: str, stations: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["route", *arguments]) == 2
    said = capsys.readouterr()
    assert message in said.err
    assert not said.out
    assert list(stations.parent.iterdir()) == [stations]


@pytest.mark.parametrize(
    ("numbers", "shown"),
    [([1, 2, 3, 4, 5], "1 2 3 4 5"), ([1, 2, 3, 4, 5, 6], "1 2 … 2 … 5 6")],
)
def test_a_way_is_shortened_only_where_that_saves_something(numbers: list[int], shown: str) -> None:
    assert shown_way(numbers) == shown


@pytest.mark.parametrize(
    ("at", "message"),
    [
        ((float("nan"), 0.0), "nan,0: lat_deg nan is not within -90..90"),
        ((0.0, 181.0), "0,181: lon_deg 181 is not within -180..180"),
    ],
)
def test_a_place_off_the_globe_is_refused_from_python(
    at: tuple[float, float], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        spotbeam.route("hypatia-s1", at, times_s=[0.0])


def test_a_terminal_of_the_scenario_is_judged_as_itself(
    stations: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = json.loads(run(capsys, "black-sea", "boat-1", "--times", "0", "--json"))
    assert own["policy"]["from"]["terminal"] == "boat-1"
    assert own["policy"]["from"]["outcome"] == "allow"
    there = f"{own['from']['lat_deg']},{own['from']['lon_deg']}"
    other = json.loads(run(capsys, "black-sea", there, "--times", "0", "--json"))
    assert other["policy"]["from"]["terminal"] == "reference"


def test_the_scenarios_own_names_come_before_shipped_ones(
    stations: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("g.csv").write_text("name,lat_deg,lon_deg\nLondon,10,10\n")
    Path("own.toml").write_text(OWN)
    places = {}
    for name in ("Tokyo", "London", "Sydney"):
        found = json.loads(run(capsys, "own.toml", name, "--times", "0", "--json"))
        places[name] = (found["from"]["lat_deg"], found["from"]["lon_deg"])
    assert places["Tokyo"] == (48.0, 2.0)
    assert places["London"] == (10.0, 10.0)
    assert places["Sydney"][1] == pytest.approx(151.2, abs=0.1)


def test_a_mode_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="'bent-pipe' is no mode"):
        spotbeam.route("black-sea", (50.0, 30.0), mode="bent-pipe")  # type: ignore[arg-type]


OWN = """
name = "own"
view = "un"
[time]
start = "2026-01-01T00:00:00Z"
duration = "1m"
[constellation]
shells = ["starlink-gen1/1"]
[area]
resolution = 0
[network]
gateways = "g.csv"
pops = "none"
[[fleet]]
id = "f"
terminals = [{ id = "Tokyo", lat_deg = 48.0, lon_deg = 2.0 }]
[[rule]]
id = "everywhere"
gate = "territory"
effect = "grant"
grounds = ["assumption:no-policy"]
"""
