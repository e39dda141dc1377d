"""Wrong input of every kind: one message with place, value and fix, exit code 2, nothing written.

The command runs in this process, because a hundred processes would take minutes.
"""

from __future__ import annotations

import gzip
import json
import lzma
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from spotbeam.cli.app import main

BASE = """
name = "harbour"

[time]
start = "2026-01-01T00:00:00Z"
duration = "2m"
step = "60s"

[constellation]
shells = ["iridium-next"]

[area]
resolution = 2
bounds = [40.0, 26.0, 50.0, 42.0]
"""
RULE = """
[[rule]]
id = "licence"
gate = "territory"
effect = "grant"
where = ["UA"]
grounds = ["authorisation:a"]
"""
REQUEST = """
[[request]]
verb = "activate"
asker = "a port"
where = ["UA"]
since = 2025-01-01T00:00:00Z
"""
FLEET = """
[[fleet]]
id = "boats"
count = 3
where = ["UA"]
"""
INLINE = """
[[fleet]]
id = "boats"
terminals = [{ id = "b", lat_deg = 44.0, lon_deg = 32.0 }]
"""
SQUARE = [[30.6, 46.3], [30.9, 46.3], [30.9, 46.6], [30.6, 46.6], [30.6, 46.3]]

Refused = Callable[..., str]


@pytest.fixture
def refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Refused:
    """Run the command on files that must be refused; the message, after what holds for all."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, **files: str | bytes) -> str:
        for name, data in files.items():
            path = tmp_path / name.replace("__", ".")
            path.write_bytes(data.encode() if isinstance(data, str) else data)
        before = sorted(tmp_path.rglob("*"))
        code = main(arguments)
        printed = capsys.readouterr()
        assert code == 2, printed.err
        assert printed.out == ""
        assert printed.err.startswith("spotbeam: ")
        assert printed.err.count("spotbeam: ") == 1, "more than one message"
        assert len(printed.err.splitlines()) <= 3, "more than a message and its fix"
        assert sorted(tmp_path.rglob("*")) == before, "something was written"
        return printed.err

    return run


def changed(old: str, new: str, text: str = BASE + RULE + REQUEST + FLEET) -> str:
    assert old in text
    return text.replace(old, new, 1)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("resolution", "resolutoin", "area: unknown key 'resolutoin'.*did you mean 'resolution'"),
        ("[area]", "[aera]", "unknown key 'aera'.*did you mean 'area'"),
        ("[area]", "[time]", "not valid TOML.*line"),
        ('name = "harbour"', "", "missing required field `name`"),
        ('"harbour"', '""', "name: '' cannot name a folder"),
        ('"harbour"', '"../../elsewhere"', "name: '../../elsewhere' cannot name a folder"),
        ('"harbour"', '"a\\u0000b"', "cannot name a folder"),
        ('"harbour"', f'"{"n" * 300}"', "cannot name a folder.*100 at most"),
        ('name = "harbour"', 'name = "harbour"\nview = "marsian"', "view: unknown point of view"),
        ("resolution = 2", "resolution = 7", r"area.resolution: .*<= 6 \(it is 7\)"),
        ("resolution = 2", "resolution = nan", "area, resolution: nan is not a number"),
        ("40.0, 26.0", "nan, 26.0", r"area, bounds\[0\]: nan is not a number"),
        ("40.0, 26.0, 50.0", "50.0, 26.0, 40.0", "south 50 is not below north 40.*did you mean"),
        ("40.0, 26.0, 50.0", "40.0, 26.0, 95.0", r"area.bounds\[2\]: .*it is 95.0"),
        ("[area]", "[area]\nterritories = []", r"area: territories = \[\] names nothing"),
        ("[area]", '[area]\nterritories = ["JP"]', r"centre in JP within the bounds \[40"),
        ('["iridium-next"]', '["iridum-next"]', "shells: unknown .*'iridium-next'"),
        ('["iridium-next"]', '["iridium-next", "iridium-next"]', "two shells are called"),
        ('["iridium-next"]', '["iridium-next"]\nmax_age = "soon"', "max_age: 'soon' is not a dur"),
        ('"2m"', '"52000w"', "524,160,000 steps; a run has 10,000,000 at most"),
        ('"2m"', '"999999999999999999999w"', "a run has 10,000,000 at most"),
        ('"2m"', "inf", "time, duration: inf is not a number"),
        ('"2m"', '"30s"', "step 60s is longer than the duration 30s"),
        ('"60s"', '"0s"', "time, step: '0s' is not above zero"),
        ('"2026-01', '"0001-01', "time: reaches outside of 1957"),
        ('"2026-01', '"9999-12', "time: reaches outside of 1957"),
        ('"2026-01-01', '"2026-02-30', "start: '2026-02-30T00:00:00Z' is not a time"),
    ],
)
def test_a_scenario(refused: Refused, old: str, new: str, told: str) -> None:
    assert re.search(told, refused("forecast", "s.toml", s__toml=changed(old, new)), re.DOTALL)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (BASE + RULE.replace('["UA"]', '["Atlantis"]'), "rule 'licence', where: unknown territ"),
        (BASE + RULE + 'except = ["UA-99"]', "rule 'licence', except: unknown territory 'UA-99'"),
        (BASE + RULE.replace('"UA"', '"h3:000000000000000"'), "rule 'licence': .*not an H3 cell"),
        (BASE + REQUEST.replace('"UA"', '"Atlantis"'), r"request\[0\], where: unknown territory"),
        (BASE + REQUEST.replace('"UA"', '"h3:zz"'), r"request\[0\], where: .*not an H3 cell"),
        (BASE + REQUEST.replace('["UA"]', "[]"), r"request\[0\]: where = \[\] names nothing"),
        (BASE + REQUEST.replace("activate", "ask"), "'ask'.*known: activate, deactivate"),
        (BASE + FLEET.replace('"UA"', '"Atlantis"'), "fleet 'boats', where: unknown territory"),
        (BASE + FLEET + 'except = ["UA/see"]', "fleet 'boats', except: .*did you mean 'UA/sea'"),
        (BASE + '[[territory]]\nfile = "no.geojson"', r"territory\[0\], file: there is no file"),
        (BASE + '[[territory]]\nfile = "."', r"territory\[0\], file: '.' is a folder"),
        (BASE + f'[[territory]]\nfile = "{"x" * 5000}"', "cannot be read: File name too long"),
        (BASE + FLEET.replace("count = 3", "count = 0"), r"fleet\[0\].count: .*>= 1"),
        (BASE + FLEET + "seed = -1", r"fleet\[0\].seed: .*>= 0 \(it is -1\)"),
        (BASE + FLEET + 'except = ["UA"]', "room for only 0 of 3 terminals in UA less UA"),
        (BASE + FLEET + "bounds = [50, 1, 40, 2]", "boats', bounds: south 50 is not below"),
        (BASE + FLEET + 'file = "f.csv"', "give one of 'file', 'terminals' or 'count'"),
        (BASE + FLEET + 'common = { id = "x" }', "common: 'id' has no meaning here"),
        (BASE + FLEET + FLEET, "two fleets are called 'boats'"),
        (BASE + INLINE + INLINE.replace('"boats"', '"ships"'), "fleets 'boats', 'ships': .*'b'"),
        (BASE + INLINE.replace("44.0", "nan"), r"terminals\[0\], lat_deg: nan is not a number"),
        (BASE + INLINE.replace("44.0", "144.0"), r"terminals\[0\].lat_deg: .*it is 144.0"),
        (BASE + '[[list]]\nname = "a"\n[[list]]\nname = "a"', "two lists are called 'a'"),
        (BASE + '[[list]]\nname = "a"\nfile = "s.toml/x"', "list 'a', file: .*s.toml/x"),
        (BASE + '[[sponsor]]\nid = "a"\n[[sponsor]]\nid = "a"', "two sponsors are called 'a'"),
        (BASE + "[reference_terminal]\nlat_deg = 3.0", "'lat_deg' has no meaning here"),
        (BASE + '[output]\nfields = ["best_satellite", "best_satellite"]', "two fields are called"),
        ("\x00", "not valid TOML"),
        ("", "missing required field `name`"),
    ],
)
def test_what_a_scenario_names(refused: Refused, text: str, told: str) -> None:
    assert re.search(told, refused("forecast", "s.toml", s__toml=text), re.DOTALL)


def _polygon(*rings: object) -> str:
    return json.dumps({"type": "Polygon", "coordinates": rings})


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (_polygon([[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]), r"crosses itself at \[0.5, 0.5\]"),
        (_polygon(SQUARE[:-1]), "is not closed.*repeat the first position"),
        (_polygon(SQUARE).replace("30.6", "NaN"), r"coordinates\[0\]\[0\]\[0\]: NaN is not a num"),
        (_polygon(SQUARE).replace("30.6", "1e999"), "1e999 is too large"),
        (_polygon([[46, 130], [47, 130], [47, 131], [46, 130]]), "latitude 130.0 is not within"),
        (_polygon(SQUARE, [[0, 0], [0, 1], [1, 1], [0, 0]]), "hole lies outside"),
        (_polygon([[170, 0], [-170, 0], [-170, 9], [170, 9], [170, 0]]), "antimeridian"),
        (_polygon([[i / 6e5, i % 2] for i in range(500_002)]), "more than 500000 positions"),
        ('{"type": "Polygon", "type": "Polygon", "coordinates": []}', "key .type. stands twice"),
        ('{"type": "GeometryCollection", "geometries": [' * 40 + "]}" * 40, "nested 80 deep"),
        ("[" * 100_000, "nested 100000 deep"),
        (_polygon(SQUARE)[:60], "not valid JSON"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"", "is empty"),
    ],
)
def test_a_territory_file(refused: Refused, data: str | bytes, told: str) -> None:
    text = BASE + '[[territory]]\nfile = "t.geojson"\n'
    found = refused("policy", "check", "s.toml", s__toml=text, t__geojson=data)
    assert found.startswith("spotbeam: t.geojson")
    assert re.search(told, found, re.DOTALL)


def test_two_files_with_the_same_territory(refused: Refused) -> None:
    shape = json.dumps({"type": "Feature", "properties": {"name": "A"}, "geometry": None})
    shape = shape.replace("null", _polygon(SQUARE))
    text = BASE + '[[territory]]\nfile = "t.geojson"\n[[territory]]\nfile = "u.geojson"\n'
    found = refused(
        "why", "s.toml", "--at", "1,1", s__toml=text, t__geojson=shape, u__geojson=shape
    )
    assert "u.geojson and t.geojson both have a territory 'x-a'" in found


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ("id,lat_deg,lon_deg\nb,91,2\n", r"row 1 \(line 2\), lat_deg: 91"),
        ("id,lat_deg,lon_deg\nb,nan,2\n", r"row 1 \(line 2\), lat_deg: 'nan' is not a finite"),
        ("id,lat_deg,lon_deg\nb,1\n", r"row 1 \(line 2\): 2 values under 3 columns"),
        ("id,lat_deg\nb,1\n", "header: the column 'lon_deg' is missing"),
        ("id,lat_deg,lon_deg,speed\nb,1,2,3\n", "unknown column 'speed'"),
        ("id,lat_deg,lon_deg\nb,1,2\nb,1,2\n", "'b' is also the id of row 1"),
        (b"id,lat_deg,lon_deg\nGr\xfcn,1,2\n", "line 2: byte 0xfc is not UTF-8"),
        ("", "is empty"),
        (
            "id,lat_deg,lon_deg\n"
            + "".join(f"t{i},{91.5 if i == 41_277 else 45.1},30.2\n" for i in range(1, 50_001)),
            r"fleet.csv, row 41277 \(line 41278\), lat_deg: 91.5",
        ),
    ],
)
def test_a_fleet_file(refused: Refused, data: str | bytes, told: str) -> None:
    text = BASE + '[[fleet]]\nid = "boats"\nfile = "fleet.csv"\n'
    found = refused("forecast", "s.toml", s__toml=text, fleet__csv=data)
    assert found.startswith("spotbeam: fleet.csv")
    assert re.search(told, found)


def test_a_list_that_is_no_text(refused: Refused) -> None:
    text = BASE + '[[list]]\nname = "a"\nfile = "l.txt"\n'
    found = refused("policy", "check", "s.toml", s__toml=text, l__txt=b"\x00\xff")
    assert "l.txt: byte 1 is not UTF-8" in found


_SETS = (
    b"""ISS
1 25544U 98067A   26165.50000000  .00010000  00000-0  18000-3 0  9991
2 25544  51.6400 100.0000 0005000  90.0000 270.0000 15.50000000100001
"""
    * 50
)


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("e__tle", b"", "is empty"),
        ("e__tle", bytes(range(256)) * 9, "is not element sets"),
        ("e__tle", b"<html>403 Forbidden</html>", "is not element sets"),
        ("e__xz", lzma.compress(_SETS)[:-20], ".xz stream is cut short"),
        ("e__gz", gzip.compress(_SETS)[:-20], ".gz stream is cut short"),
        ("e__xz", lzma.compress(_SETS).replace(b"\xfd7zXZ\0", b"\xfd7zXZ\0\xff"), "damaged"),
        ("e__gz", _SETS, "is not .gz inside"),
        ("e__gz", gzip.compress(bytes(1 << 28) + b"0"), "more than 256 MiB"),
        ("e__json", b"[" * 100_000, "is not element sets"),
        ("e__json", b"[]", "is not element sets"),
        (
            "e__json",
            b'[{"NORAD_CAT_ID": 1, "ECCENTRICITY": "nan"}]',
            "no element set can be used.*EPOCH",
        ),
    ],
)
def test_an_element_file(refused: Refused, name: str, data: bytes, told: str) -> None:
    path = name.replace("__", ".")
    arguments = ("forecast", "s.toml", "--elements", path)
    found = refused(*arguments, **{"s__toml": BASE, name: data})
    assert path in found
    assert re.search(told, found)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "give a place or a terminal"),
        (("--at", "here"), "--at: 'here' is not a place"),
        (("--at", "nan,nan"), "--at: 'nan,nan' is not on the globe"),
        (("--at", "144.6,33.5"), "did you mean 33.5,144.6"),
        (("--at", "1,1", "--time", "now"), "'now' is not a time"),
        (("--at", "1,1", "--time", "9999-12-31T23:59:59Z"), "time: reaches outside"),
        (("--at", "1,1", "--class", "boat"), "spotbeam: --class: 'boat' is not a known mob"),
        (("--at", "1,1", "--speed-kmh", "nan"), "--speed-kmh: nan is not a number"),
        (("--at", "1,1", "--speed-kmh", "fast"), "--speed-kmh"),
        (("--at", "1,1", "--assurance", "17"), "spotbeam: --assurance: 17 is not"),
        (("--at", "1,1", "--registrant-country", "ua"), "--registrant-country: 'ua' is not an"),
        (("--at", "1,1", "--elements", "none.tle"), "constellation, elements: there is no file"),
        (("--terminal", "nobody"), "unknown terminal 'nobody'"),
        (("--at", "1,1", "--terminal", "b"), "--at 1,1 and --terminal b are two places"),
        (("--at", "1,1", "--colour", "red"), "Unknown option"),
    ],
)
def test_a_question(refused: Refused, arguments: tuple[str, ...], told: str) -> None:
    assert told in refused("why", "s.toml", *arguments, s__toml=BASE)


def test_a_question_about_a_reference_terminal_that_cannot_be(refused: Refused) -> None:
    text = BASE + '[reference_terminal]\nmobility = "boat"\n'
    found = refused("why", "s.toml", "--at", "1,1", s__toml=text)
    assert "harbour, reference_terminal, mobility: 'boat' is not a known mobility" in found


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("forecst",), "Unknown command"),
        (("forecast",), "SCENARIO"),
        (("forecast", "blacksea"), "did you mean 'black-sea'"),
        (("forecast", "nowhere/s.toml"), "nowhere/s.toml: cannot be read"),
        (("forecast", "."), "cannot be read"),
        (("forecast", "s.toml", "--workers", "0"), "--workers"),
        (("forecast", "s.toml", "--resolution", "many"), "--resolution"),
        (("forecast", "s.toml", "--step", "1ms", "--duration", "1d"), "86,400,000 steps"),
        (("forecast", "s.toml", "--duration", "-5m"), "duration: '-5m' is not above zero"),
        (("forecast", "s.toml", "--duration=-5m"), "duration: '-5m' is not above zero"),
        (("forecast", "s.toml", "--step", "-5m"), "step: '-5m' is not above zero"),
        (("forecast", "s.toml", "--out", "s.toml"), "s.toml: is a file, not a folder"),
        (("forecast", "s.toml", "--out", "s.toml/below"), "s.toml/below: cannot be written"),
        (("forecast", "s.toml", "--out", "a\0b"), "cannot be written"),
        (("elements", "show", "."), "is a folder"),
        (("elements", "fetch", "../x", "--cache", "c"), "'../x' is not the name of a group"),
        (("elements", "fetch", "x", "--cache", "c", "--timeout-s", "nan"), "--timeout-s"),
        (("scenarios", "atlantis"), "unknown scenario 'atlantis'"),
        (("territories", "--view", "marsian"), "unknown point of view 'marsian'"),
    ],
)
def test_a_command(refused: Refused, arguments: tuple[str, ...], told: str) -> None:
    assert told in refused(*arguments, s__toml=BASE)


def test_words_of_a_scenario_are_not_markup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    text = changed('name = "harbour"', 'name = "[bold]x"\ntitle = "[/nope]"').replace(
        '"licence"', '"[red]licence"'
    )
    Path("s.toml").write_text(text)
    assert main(["forecast", "s.toml", "--workers", "1"]) == 0
    assert main(["why", "s.toml", "--at", "50,30"]) == 0
    assert main(["policy", "check", "s.toml"]) in (0, 1)
    printed = capsys.readouterr().out
    assert "[/nope]" in printed
    assert "[red]licence" in printed


@pytest.mark.parametrize("bounds", ["[85, -180, 90, 180]", "[-90, 170, -60, -170]"])
def test_poles_and_the_antimeridian_are_not_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bounds: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("s.toml").write_text(changed("[40.0, 26.0, 50.0, 42.0]", bounds, BASE))
    assert main(["forecast", "s.toml", "--workers", "1", "--out", "out", "--step", "120"]) == 0
    assert json.loads(Path("out/summary.json").read_text())["area"]["cells"] > 3


@pytest.mark.skipif(os.name == "nt", reason="/dev/full is POSIX")
def test_nobody_reads_the_output(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "spotbeam", "scenarios", "black-sea"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr
    closed = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m spotbeam scenarios >&-"],
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert (closed.returncode, closed.stderr) == (0, "")
