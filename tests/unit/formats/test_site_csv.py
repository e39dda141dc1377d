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


@pytest.mark.parametrize("status", ["operational", "planned", "inferred"])
def test_a_status_that_is_known_is_kept(tmp_path: Path, status: str) -> None:
    file = tmp_path / "gateways.csv"
    file.write_text(f"name,lat_deg,lon_deg,status\nA,1,2,{status}\n")
    assert read_sites(file)[0].status == status


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
        ("name,lat_deg,lon_deg\nA,50,3\nB,50,3,4\n", "row 2: 4 values under 3 columns"),
        ("name,lat_deg,lon_deg\n", "holds no places"),
        ("name;lat_deg;lon_deg\nA;50;3\n", "is separated by semicolons"),
        ("name;lat_deg;lon_deg\nA;50,5;3,1\n", "save it with commas, and points in numbers"),
        ("name\tlat_deg\tlon_deg\nA\t50\t3\n", "is separated by tabs"),
        (
            "name,lat_deg,lon_deg,status\nA,1,2,\nB,1,2,closed\n",
            "row 2, status: 'closed' is not a known status",
        ),
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
    for data in (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"PK\x03\x04\x14\0", b"\0" * 9):
        (tmp_path / "picture.csv").write_bytes(data)
        with pytest.raises(InputError, match=r"picture\.csv: is not text, and so no CSV file"):
            read_sites(tmp_path / "picture.csv")
    (tmp_path / "wide.csv").write_bytes("name,lat_deg,lon_deg\nA,1,2\n".encode("utf-16"))
    with pytest.raises(InputError, match=r"wide\.csv: is UTF-16"):
        read_sites(tmp_path / "wide.csv")
    (tmp_path / "latin.csv").write_bytes(b"name,lat_deg,lon_deg\nM\xfcnchen,1,2\n")
    with pytest.raises(InputError, match="is not UTF-8"):
        read_sites(tmp_path / "latin.csv")
