"""Files of element sets: every format and packing gives the same sets; damage has one message."""

from __future__ import annotations

import gzip
import json
import lzma
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sgp4 import omm
from sgp4.api import WGS72, Satrec

from spotbeam.errors import ElementsError, OutputError
from spotbeam.formats import element_files
from spotbeam.formats.element_files import read_elements, write_elements
from spotbeam.sky.elements import COLUMNS, ElementSets, parse_elements

DATA = Path(__file__).resolve().parents[2] / "data" / "elements"
SUFFIXES = ("tle", "3le", "json", "csv", "xml", "kvn")


def assert_same(one: ElementSets, other: ElementSets) -> None:
    for column in COLUMNS:
        assert getattr(one, column).tolist() == getattr(other, column).tolist(), column
    assert one.name == other.name
    assert one.international_designator == other.international_designator


def by_sgp4(path: Path) -> list[Satrec]:
    """The satellites of a file as the sgp4 library's own readers give them."""
    if path.suffix in (".tle", ".3le"):
        lines = path.read_text().splitlines()
        pairs = zip(lines[1::3], lines[2::3], strict=True)
        return [Satrec.twoline2rv(first, second, WGS72) for first, second in pairs]
    with path.open() as opened:
        if path.suffix == ".json":
            records = json.load(opened)
        else:
            read = {".csv": omm.parse_csv, ".xml": omm.parse_xml}[path.suffix]
            records = list(read(opened))
    satellites = []
    for record in records:
        satellite = Satrec()
        omm.initialize(satellite, record | {"OBJECT_ID": record["OBJECT_ID"] or ""})
        satellites.append(satellite)
    return satellites


def assert_as_sgp4(elements: ElementSets, satellites: list[Satrec]) -> None:
    per_day = 2 * np.pi / 1440
    columns = {
        "satnum": elements.catalogue_number,
        "no_kozai": elements.mean_motion_rev_day * per_day,
        "ecco": elements.eccentricity,
        "inclo": np.radians(elements.inclination_deg),
        "nodeo": np.radians(elements.raan_deg),
        "argpo": np.radians(elements.argument_of_perigee_deg),
        "mo": np.radians(elements.mean_anomaly_deg),
        "bstar": elements.bstar,
        "ndot": elements.mean_motion_dot_rev_day2 * per_day / 1440,
        "nddot": elements.mean_motion_ddot_rev_day3 * per_day / 1440**2,
    }
    for name, ours in columns.items():
        theirs = [getattr(satellite, name) for satellite in satellites]
        np.testing.assert_allclose(ours, theirs, rtol=1e-13, atol=0, err_msg=name)
    days = [(sat.jdsatepoch - 2440587.5) + sat.jdsatepochF for sat in satellites]
    # OMM epochs go through one float64 of days since 1949 there: half of 0.3 µs, and 1 µs parsed
    assert np.abs(elements.epoch_us - np.array(days) * 86_400e6).max() < 5


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_format_gives_the_same_sets(suffix: str) -> None:
    elements, report = read_elements(DATA / f"eight.{suffix}")
    expected, _ = read_elements(DATA / "eight.tle")
    assert (report.read, report.kept, report.faults) == (8, 8, ())
    assert_same(elements, expected)
    assert elements.catalogue_number.tolist()[-1] == 100404
    assert elements.name[0] == "IRIDIUM 106"
    assert elements.international_designator[0] == "2017-003A"


@pytest.mark.parametrize("suffix", [suffix for suffix in SUFFIXES if suffix != "kvn"])
def test_every_format_is_read_as_the_sgp4_library_reads_it(suffix: str) -> None:
    path = DATA / f"eight.{suffix}"
    assert_as_sgp4(read_elements(path)[0], by_sgp4(path))


@pytest.mark.parametrize("pack", [lzma.compress, gzip.compress, lambda data: data])
@pytest.mark.parametrize("name", ["sets.json.xz", "sets.gz", "sets"])
def test_packed_files_are_read(tmp_path: Path, pack, name: str) -> None:
    raw = (DATA / "eight.json").read_bytes()
    (tmp_path / name).write_bytes(pack(raw))
    if name != "sets" and pack(b"")[:1] == b"":
        with pytest.raises(ElementsError, match=r"is not \.(xz|gz) inside"):
            read_elements(tmp_path / name)
        return
    elements, _ = read_elements(tmp_path / name)
    assert_same(elements, read_elements(DATA / "eight.tle")[0])


def test_streams_one_after_another_are_one_file(tmp_path: Path) -> None:
    raw = (DATA / "eight.3le").read_bytes()
    for name, pack in (("a.xz", lzma.compress), ("a.gz", gzip.compress)):
        (tmp_path / name).write_bytes(pack(raw[:500]) + pack(raw[500:]))
        assert len(read_elements(tmp_path / name)[0]) == 8


@pytest.mark.parametrize("suffix", [".xz", ".gz"])
def test_a_cut_packed_file_is_refused_at_every_length(tmp_path: Path, suffix: str) -> None:
    raw = (DATA / "eight.tle").read_bytes()
    packed = {".xz": lzma.compress, ".gz": gzip.compress}[suffix](raw)
    path = tmp_path / f"cut.tle{suffix}"
    for length in range(1, len(packed), 7):
        path.write_bytes(packed[:length])
        with pytest.raises(ElementsError, match=r"cut\.tle") as caught:
            read_elements(path)
        assert caught.value.hint
    path.write_bytes(packed[:-3])
    with pytest.raises(ElementsError, match="cut short after 1,344 bytes"):
        read_elements(path)


@pytest.mark.parametrize("suffix", [".xz", ".gz"])
def test_a_flipped_bit_in_a_packed_file_is_refused_or_harmless(tmp_path: Path, suffix: str) -> None:
    raw = (DATA / "eight.tle").read_bytes()
    packed = {".xz": lzma.compress, ".gz": gzip.compress}[suffix](raw)
    whole, _ = read_elements(DATA / "eight.tle")
    path = tmp_path / f"flipped{suffix}"
    refused = 0
    for bit in random.Random(0).sample(range(8 * len(packed)), 300):
        flipped = bytearray(packed)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        try:
            elements, _ = read_elements(path)
        except ElementsError:
            refused += 1
        else:  # a flag or a time stamp of the header
            assert_same(elements, whole)
    assert refused > 250


@pytest.mark.parametrize(("name", "pack"), [("b.xz", lzma.compress), ("b.gz", gzip.compress)])
def test_a_bomb_is_refused(tmp_path: Path, name: str, pack, monkeypatch) -> None:
    monkeypatch.setattr(element_files, "LARGEST_BYTES", 2**20)
    (tmp_path / name).write_bytes(pack(b"\n" * 50 * 2**20))
    with pytest.raises(ElementsError, match="holds more than 1 MiB"):
        read_elements(tmp_path / name)
    (tmp_path / "plain").write_bytes(b"\n" * (2**20 + 1))
    with pytest.raises(ElementsError, match="holds more than 1 MiB"):
        read_elements(tmp_path / "plain")


def test_what_cannot_be_opened_is_named(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "starlink.tle").write_text("x")
    with pytest.raises(ElementsError, match=r"no such file\n.*mean .*starlink\.tle"):
        read_elements(tmp_path / "starlnk.tle")
    with pytest.raises(ElementsError, match=r"no such file\n.*no folder"):
        read_elements(tmp_path / "nowhere" / "starlink.tle")
    with pytest.raises(ElementsError, match="is a folder"):
        read_elements(tmp_path)
    with pytest.raises(ElementsError, match="cannot be read"):
        read_elements("a\0b")
    (tmp_path / "sets.zip").write_bytes(b"PK\x03\x04")
    with pytest.raises(ElementsError, match="unpack it first"):
        read_elements(tmp_path / "sets.zip")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(ElementsError, match="may not be read"):
        read_elements(tmp_path / "starlink.tle")


def test_a_flipped_bit_in_fifty_sets_costs_one_of_them() -> None:
    data = (DATA / "fifty.tle").read_bytes()
    whole, _ = parse_elements(data, source="fifty.tle")
    assert len(whole) == 50
    columns = [getattr(whole, column) for column in COLUMNS]
    rows = {number: at for at, number in enumerate(whole.catalogue_number.tolist())}
    for bit in random.Random(0).sample(range(8 * len(data)), 1500):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        elements, report = parse_elements(bytes(flipped), source="fifty.tle")
        assert len(elements) >= 49, bit
        assert len(elements) == 50 or report.skipped == 1, bit
        kept = [rows[number] for number in elements.catalogue_number.tolist()]
        for column, values in zip(COLUMNS, columns, strict=True):
            assert (getattr(elements, column) == values[kept]).all(), (bit, column)


text = st.text(st.characters(exclude_categories=("C", "Z")), max_size=12)
finite = st.floats(-1e9, 1e9, allow_subnormal=False)
angle = st.floats(-360, 360)
sets = st.lists(
    st.tuples(
        st.integers(1, 999_999_999),
        st.integers(-385_000_000_000_000, 4_102_444_799_999_999),  # October 1957 to 2099
        st.floats(0, 20, exclude_min=True),
        st.floats(0, 1, exclude_max=True),
        st.floats(0, 180),
        angle,
        angle,
        angle,
        finite,
        finite,
        finite,
        text,
        text,
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda row: row[0],
)


@settings(max_examples=60, deadline=None)
@given(rows=sets)
def test_what_is_written_is_read_back_exactly(tmp_path_factory, rows) -> None:
    columns = list(zip(*rows, strict=True))
    elements = ElementSets(
        **{
            column: np.array(values, dtype=np.int64 if at < 2 else np.float64)
            for at, (column, values) in enumerate(zip(COLUMNS, columns[:11], strict=True))
        },
        name=columns[11],
        international_designator=columns[12],
        source="built",
    )
    folder = tmp_path_factory.mktemp("written")
    for name in ("a.json", "a.csv", "a.json.gz", "a.csv.xz"):
        write_elements(folder / name, elements)
        back, report = read_elements(folder / name)
        assert_same(back, elements)
        assert report.skipped == 0
    assert not list(folder.glob(".*"))


def test_what_cannot_be_written_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    elements, _ = read_elements(DATA / "eight.tle")
    for name in ("a.tle", "a.xml", "a.gz", "json"):
        with pytest.raises(ElementsError, match=r"\.json or \.csv"):
            write_elements(tmp_path / name, elements)
    with pytest.raises(OutputError):
        write_elements(tmp_path / "nowhere" / "a.json", elements)
    elements.bstar[3] = np.nan
    with pytest.raises(ElementsError, match="44238 has bstar"):
        write_elements(tmp_path / "a.csv", elements)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "format", "count"),
    [
        ("starlink_2021-05-10.tle", "tle", 1433),
        ("starlink_2024-05-20.omm.json.xz", "omm-json", 5977),
        ("starlink_2026-06-14.tle.xz", "tle", 10544),
        ("oneweb_2026-06-14.tle", "tle", 651),
        ("kuiper_2026-06-14.tle", "tle", 328),
        ("iridium_2026-06-14.tle", "tle", 80),
    ],
)
def test_every_set_of_the_real_snapshots_is_read(
    shared_data: Path, tmp_path: Path, name: str, format: str, count: int
) -> None:
    path = shared_data / "constellations" / name
    elements, report = read_elements(path)
    assert (report.format, report.read, report.kept) == (format, count, count)
    assert report.faults == ()
    plain = tmp_path / name.removesuffix(".xz").replace(".omm", "")
    raw = path.read_bytes()
    plain.write_bytes(lzma.decompress(raw) if name.endswith(".xz") else raw)
    assert_as_sgp4(elements, by_sgp4(plain))
