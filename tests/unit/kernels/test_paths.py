"""Shortest delays equal SciPy's, on grids and off; hops lead along them; stations never relay."""

from __future__ import annotations

import numpy as np
import pytest
from support.networks import by_scipy, random_grid, random_ground, random_links

from spotbeam.kernels import paths
from spotbeam.kernels.paths import DOWN, NO_HOP, UNREACHABLE_NS, GroundLinks, Links

SHAPES = [
    [(5, 7, 0)],
    [(6, 4, 3)],
    [(4, 9, -1)],
    [(1, 5, 0)],
    [(7, 1, 0)],
    [(2, 6, 1)],
    [(3, 3, 2)],
    [(12, 11, 5), (4, 6, -1), (9, 3, 1)],
]


def some_links(rng: np.random.Generator, case: int) -> Links:
    if case < len(SHAPES):
        return random_grid(rng, SHAPES[case], down=0.0 if case % 2 else 0.15)
    return random_links(rng, 60, 5, 0.3 + 0.1 * (case - len(SHAPES)))


def general(links: Links) -> Links:
    return links._replace(grids=np.empty((0, 4), dtype=np.int64))


@pytest.mark.parametrize("case", range(len(SHAPES) + 4))
@pytest.mark.parametrize("seed", range(4))
def test_delays_are_those_of_scipy(case: int, seed: int) -> None:
    rng = np.random.default_rng(100 * case + seed)
    links = some_links(rng, case)
    n = len(links.neighbour)
    origins, ends = random_ground(rng, n, 9, 4), random_ground(rng, n, 131, 5)
    found = paths.station_delays_ns(links, origins, ends)
    assert np.array_equal(found, by_scipy(links, origins, ends))
    assert np.array_equal(found, paths.station_delays_ns(general(links), origins, ends))
    exact = paths.settle_exact(links.neighbour, links.delay_ns, paths.start_ns(n, ends))
    assert np.array_equal(paths.satellite_delays_ns(links, ends), exact)


@pytest.mark.parametrize("case", range(len(SHAPES) + 4))
def test_hops_lead_along_a_shortest_path_and_never_through_a_station(case: int) -> None:
    rng = np.random.default_rng(case)
    links = some_links(rng, case)
    n = len(links.neighbour)
    stations = random_ground(rng, n, 12, 4)
    table = paths.next_hops(links, stations, stations)
    assert np.array_equal(table.delay_ns, paths.station_delays_ns(links, stations, stations))
    links_of = [
        dict(zip(a, d, strict=True)) for a, d in zip(links.neighbour, links.delay_ns, strict=True)
    ]
    ground = [
        dict(zip(stations.satellite[a:b], stations.delay_ns[a:b], strict=True))
        for a, b in zip(stations.offset, stations.offset[1:], strict=False)
    ]
    for i in range(12):
        for j in range(12):
            at = table.station[i, j]
            if table.delay_ns[i, j] == UNREACHABLE_NS:
                assert at == NO_HOP
                continue
            spent = ground[i][at]
            for _ in range(n):
                towards = table.satellite[j, at]
                if towards == DOWN:
                    spent += ground[j][at]
                    break
                spent += links_of[at][towards]
                at = towards
            else:
                pytest.fail("goes round in a circle")
            assert spent == table.delay_ns[i, j]


def test_a_station_does_not_relay_though_it_would_be_the_only_way() -> None:
    """Two satellites without a link, three stations: the middle one sees both."""
    links = Links(
        np.full((2, 1), -1, np.int32),
        np.full((2, 1), UNREACHABLE_NS, np.int32),
        np.empty((0, 4), np.int64),
    )
    stations = GroundLinks(
        np.array([0, 1, 3, 4]), np.array([0, 0, 1, 1], np.int32), np.full(4, 10, np.int32)
    )
    found = paths.station_delays_ns(links, stations, stations)
    assert found[0, 1] == found[1, 2] == 20
    assert found[0, 2] == UNREACHABLE_NS
    linked = links._replace(
        neighbour=np.array([[1], [0]], np.int32), delay_ns=np.full((2, 1), 500, np.int32)
    )
    assert paths.station_delays_ns(linked, stations, stations)[0, 2] == 520


def test_delays_of_distances() -> None:
    found = paths.to_ns([299792.458, 0.0, np.nan, 1e9], 299792.458)
    assert found.tolist() == [10**9, 1, UNREACHABLE_NS, UNREACHABLE_NS]
