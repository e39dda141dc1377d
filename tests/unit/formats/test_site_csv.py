"""CSV of places: what is wrong is named by file, row and column."""

from __future__ import annotations

from pathlib import Path

import pytest

from spotbeam.errors import InputError
from spotbeam.formats.site_csv import read_sites


def test_places_come_in_the_order_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "stations.csv"
    file.write_bytes(b'\xef\xbb\xbfname,note,lat_deg,lon_deg\n"Kent, WA",x,47.4,-122.2\nB,,-1,2\n')
    one, other = read_sites(file)
    assert (one.name, one.lat_deg, one.lon_deg) == ("Kent, WA", 47.4, -122.2)
    assert (other.name, other.status) == ("B", "operational")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no column 'name'"),
        ("name,lat,lon_deg\nA,1,2\n", "has no column 'lat_deg'"),
        ("name,lat_deg,lon_deg\nA,91,2\n", "row 1, lat_deg: '91' is not within"),
        ("name,lat_deg,lon_deg\nA,1,2\nB,nan,2\n", "row 2, lat_deg: 'nan' is not within"),
        ("name,lat_deg,lon_deg\nA,1\n", "row 1, lon_deg"),
        ("name,lat_deg,lon_deg\n ,1,2\n", "row 1, name: is empty"),
        ("name,lat_deg,lon_deg\nA,1,2\nA,1,2\n", "row 2, name: 'A' stands in row 1 already"),
        ('name,lat_deg,lon_deg\n"A,1,2\n', "not readable as CSV"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "stations.csv"
    file.write_text(text)
    with pytest.raises(InputError, match=r"stations\.csv") as caught:
        read_sites(file)
    assert message in str(caught.value)


def test_no_file_and_no_utf8(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_sites(tmp_path / "none.csv")
    (tmp_path / "latin.csv").write_bytes(b"name,lat_deg,lon_deg\nM\xfcnchen,1,2\n")
    with pytest.raises(InputError, match="is not UTF-8"):
        read_sites(tmp_path / "latin.csv")
