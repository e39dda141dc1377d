"""The model against what users see: countries in the order of their published medians."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import spearmanr

from spotbeam.assembly.build import build
from spotbeam.assembly.scenarios import load_scenario
from spotbeam.land.gateways import GroundSite, great_circle_km, shipped_sites
from spotbeam.network.routing import internet_choices, path_to_internet
from spotbeam.network.settings import Network
from spotbeam.twin.nets import net_of, periods
from spotbeam.twin.routes import terminals

Floats = npt.NDArray[np.float64]

SAMPLE = Path(__file__).parents[1] / "data" / "latency" / "sample_2026-03.csv"


def rows() -> list[dict[str, str]]:
    with SAMPLE.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def published_ms() -> Floats:
    return np.array([float(row["published_ms"]) for row in rows()])


def model_ms(network: Network) -> Floats:
    """Median round trips from each place of the sample, over an hour under the filed shells."""
    base, folder = load_scenario("world")
    world = build(msgspec.structs.replace(base, network=network), folder, with_terminals=False)
    net = net_of(world, n_steps=6)
    places = [
        GroundSite(name=row["place"], lat_deg=float(row["lat_deg"]), lon_deg=float(row["lon_deg"]))
        for row in rows()
    ]
    sites = terminals(net, places)
    everywhere = np.ones(len(net.segment.gateways), dtype=np.bool_)
    times_us = world.grid.start_us + np.arange(6, dtype=np.int64) * 600_000_000
    seen = np.full((len(times_us), len(places)), np.nan)
    for period, group, positions in periods(net, times_us):
        choice = internet_choices(net.mesh, period, sites, net.segment, everywhere)
        for row in range(len(places)):
            path = path_to_internet(
                positions[0], choice, sites, row, net.segment, net.settings.latency
            )
            seen[group, row] = np.nan if path is None else path.round_trip_ms
    return np.asarray(np.nanmedian(seen, axis=0))


@pytest.fixture(scope="module")
def shipped_ms() -> Floats:
    return model_ms(Network())


def test_countries_are_ordered_as_users_measure_them(shipped_ms: Floats) -> None:
    assert spearmanr(shipped_ms, published_ms()).statistic > 0.8


def test_the_median_country_is_within_some_milliseconds(shipped_ms: Floats) -> None:
    assert np.median(np.abs(shipped_ms - published_ms())) < 6.0


def test_without_the_inferred_gateways_the_order_is_much_poorer(
    tmp_path: Path, shipped_ms: Floats
) -> None:
    listed = [site for site in shipped_sites("gateway") if site.status != "inferred"]
    path = tmp_path / "listed.csv"
    write_sites(path, listed)
    world = Network(gateways=str(path))
    poorer = spearmanr(model_ms(world), published_ms()).statistic
    assert poorer < spearmanr(shipped_ms, published_ms()).statistic - 0.15


def write_sites(path: Path, sites: Sequence[GroundSite]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["name", "lat_deg", "lon_deg"])
        writer.writerows([site.name, site.lat_deg, site.lon_deg] for site in sites)


def test_every_point_of_presence_has_a_gateway_near_it() -> None:
    gateways = shipped_sites("gateway")
    lat, lon = ([getattr(site, name) for site in gateways] for name in ("lat_deg", "lon_deg"))
    for pop in shipped_sites("pop"):
        assert great_circle_km(pop.lat_deg, pop.lon_deg, lat, lon).min() <= 300.0, pop.name


def test_planned_sites_are_left_out_unless_asked_for() -> None:
    assert {site.status for site in shipped_sites("gateway")} == {"operational", "inferred"}
    assert {site.status for site in shipped_sites("pop")} == {"operational"}
    assert "planned" in {site.status for site in shipped_sites("gateway", planned=True)}
