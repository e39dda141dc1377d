"""Shortest delays over a sky, beside SciPy, NetworkX and Hypatia.

    python benchmarks/bench_routes.py [most rounds, 5]

What each is given is what a good user would give it: SciPy a sparse matrix that is built once (not
timed), with one-way edges so that no station relays; NetworkX a directed graph, built once (not
timed), asked for some of the sources only and the time scaled up, as it would take a minute.
Answers are compared before anything is timed. Hypatia (satgenpy, from the package index) runs if
it is installed; it needs ten steps at least, so it is timed once and not in rounds. Without it the
figure that was recorded on another day is named, as recorded.
"""

from __future__ import annotations

import importlib.util
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra
from side_by_side import compare

from spotbeam.assembly.build import build
from spotbeam.assembly.scenarios import load_scenario
from spotbeam.formats.site_csv import read_sites
from spotbeam.kernels.paths import GroundLinks, Links, next_hops, station_delays_ns
from spotbeam.network.mesh import Limits, Mesh, Sites, ground_links
from spotbeam.network.routing import forwarding
from spotbeam.network.topology import GridShape, plus_grid
from spotbeam.sky.own_shells import OwnShell, own_shell_elements
from spotbeam.sky.propagation import propagator
from spotbeam.twin.nets import net_of, periods
from spotbeam.twin.routes import terminals

START_US = 1_767_225_600_000_000
DATA = Path(__file__).resolve().parents[1] / "tests" / "data" / "hypatia"
RECORDED = "14 CPU seconds a step on two cores of an AMD EPYC (recorded 2026-11-22)"


def sky(planes: int, slots: int, n_station: int) -> tuple[Mesh, Links, GroundLinks, np.ndarray]:
    shell = OwnShell(
        name="grid", planes=planes, satellites_per_plane=slots, inclination_deg=53.0,
        altitude_km=550.0, phasing=1,
    )  # fmt: skip
    topology = plus_grid([GridShape(planes, slots, 1)])
    mesh = Mesh(topology, propagator(own_shell_elements([shell], START_US)), Limits())
    rng = np.random.default_rng(7)
    lat = np.degrees(np.arcsin(rng.uniform(*np.sin(np.radians([-55.0, 55.0])), n_station)))
    names = tuple(map(str, range(n_station)))
    sites = Sites.at(names, lat, rng.uniform(-180, 180, n_station), 25.0)
    times_us = np.array([START_US], dtype=np.int64)
    now = mesh.moment(START_US, mesh.positions_ecef_km(times_us)[0])
    return mesh, mesh.links(now, now), ground_links(mesh.reach(sites, now, now)), times_us


def irregular(links: Links, rng: np.random.Generator) -> Links:
    """A twentieth of the links fails, and as many others take their place, anywhere near."""
    neighbour, delay = links.neighbour.copy(), links.delay_ns.copy()
    n = len(neighbour)
    for column, back in ((0, 1), (2, 3)):
        failed = np.flatnonzero(rng.random(n) < 0.05)
        other = neighbour[failed, column]
        neighbour[failed, column], neighbour[other, back] = -1, -1
    new = np.full((n, 1), -1, dtype=np.int32)
    pairs = rng.permutation(n)[: n // 10 * 2].reshape(-1, 2)
    new[pairs[:, 0], 0], new[pairs[:, 1], 0] = pairs[:, 1], pairs[:, 0]
    length = np.full((n, 1), 2**30 - 1, dtype=np.int32)
    given = rng.integers(3_000_000, 9_000_000, len(pairs))
    length[pairs[:, 0], 0] = length[pairs[:, 1], 0] = given
    return Links(
        np.hstack([neighbour, new]), np.hstack([delay, length]), np.empty((0, 4), np.int64)
    )


def edges(links: Links, ground: GroundLinks) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """One-way edges: stations to satellites, between satellites, satellites to stations."""
    n, m = len(links.neighbour), len(ground.offset) - 1
    row, column = np.nonzero(links.neighbour >= 0)
    station = np.repeat(np.arange(m), np.diff(ground.offset))
    rows = np.concatenate([row, n + station, ground.satellite])
    columns = np.concatenate([links.neighbour[row, column], ground.satellite, n + m + station])
    weight = np.concatenate([links.delay_ns[row, column], ground.delay_ns, ground.delay_ns])
    order = np.lexsort((weight, columns, rows))
    rows, columns, weight = rows[order], columns[order], weight[order]
    once = np.r_[True, (np.diff(rows) != 0) | (np.diff(columns) != 0)]
    return rows[once], columns[once], weight[once] / 1e6, n + 2 * m


def matrix(title: str, links: Links, ground: GroundLinks, rounds: int) -> float:
    n, m = len(links.neighbour), len(ground.offset) - 1
    rows, columns, weight_ms, size = edges(links, ground)
    graph = csr_matrix((weight_ms, (rows, columns)), shape=(size, size))

    def scipy() -> np.ndarray:
        return dijkstra(graph, indices=np.arange(n, n + m))[:, n + m :]

    ours = station_delays_ns(links, ground, ground) / 1e6
    theirs = scipy()
    there = np.isfinite(theirs)
    assert np.array_equal(there, ours < 1000.0)
    print(f"largest difference: {np.abs(ours - theirs)[there].max():.2g} ms")
    found = compare(
        {"Spotbeam": lambda: station_delays_ns(links, ground, ground), "SciPy dijkstra": scipy},
        repeats=rounds,
        items=(m, "sources"),
        title=title,
    )
    return found["Spotbeam"]


def by_networkx(links: Links, ground: GroundLinks, ours_s: float, some: int = 10) -> None:
    if importlib.util.find_spec("networkx") is None:
        print("\nNetworkX is not installed: left out.")
        return
    import networkx

    n, m = len(links.neighbour), len(ground.offset) - 1
    rows, columns, weight_ms, _ = edges(links, ground)
    graph = networkx.DiGraph()
    graph.add_weighted_edges_from(
        zip(rows.tolist(), columns.tolist(), weight_ms.tolist(), strict=True)
    )
    ours = station_delays_ns(links, ground, ground) / 1e6
    spent = []
    for source in range(some):
        began = time.process_time()
        far = networkx.single_source_dijkstra_path_length(graph, n + source)
        spent.append(time.process_time() - began)
        for end in range(m):
            if n + m + end in far:
                assert abs(far[n + m + end] - ours[source, end]) < 1e-3
    whole = float(np.median(spent)) * m
    print(
        f"\nNetworkX: {np.median(spent):.3g} CPU seconds a source, median of {some}; "
        f"{whole:.0f} s for {m:,}: {whole / ours_s:,.0f} times Spotbeam."
    )


def shell_1(rounds: int) -> None:
    scenario, folder = load_scenario("hypatia-s1")
    net = net_of(build(scenario, folder, with_terminals=False), engine="sgp4")
    sites = terminals(net, read_sites(DATA / "stations.csv"))
    start_us = 946_684_800_000_000
    times_us = start_us + np.arange(20, dtype=np.int64) * 100_000

    def whole() -> None:
        """Positions, ranges, links, and the next hop of every node to every station."""
        for period, _, _ in periods(net, times_us):
            forwarding(net.mesh, period, sites)

    (period, _, _) = next(periods(net, times_us[:1]))
    ground = ground_links(net.mesh.reach(sites, period.now, period.now))
    rows, columns, weight_ms, size = edges(period.links, ground)
    graph = csr_matrix((weight_ms, (rows, columns)), shape=(size, size))
    n = net.mesh.topology.neighbour.shape[0]
    found = compare(
        {
            "Spotbeam: 20 whole steps, from elements to next hops": whole,
            "Spotbeam: one table of next hops": lambda: next_hops(period.links, ground, ground),
            "SciPy dijkstra with predecessors, one step, graph built before": lambda: dijkstra(
                graph, indices=np.arange(n, n + 100), return_predecessors=True
            ),
        },
        repeats=rounds,
        title="Shell 1, 1,584 satellites, 100 stations, by Hypatia's rules",
    )
    step_s = next(iter(found.values())) / 20
    print(f"\nA whole step: {step_s * 1e3:.2f} ms; 200 s at 100 ms: {2000 * step_s:.1f} s.")
    theirs_s = hypatia_step_s()
    if theirs_s is None:
        print(f"Hypatia is not installed (satgenpy, exputil). {RECORDED}: ", end="")
        print(f"{14.0 / step_s:,.0f} times Spotbeam, by that record.")
    else:
        print(f"Hypatia (satgenpy), 10 steps in this run: {theirs_s:.1f} CPU s a step: ", end="")
        print(f"{theirs_s / step_s:,.0f} times Spotbeam.")


def hypatia_step_s() -> float | None:
    """CPU seconds a step of Hypatia's generator; None where it is not installed."""
    if any(importlib.util.find_spec(name) is None for name in ("satgen", "exputil")):
        return None
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))
    import build_hypatia_fixture as recipe

    with tempfile.TemporaryDirectory() as folder:
        return recipe.generate(folder)


def main(rounds: int = 5) -> None:
    _, links, ground, _ = sky(100, 100, 1000)
    began = time.process_time()
    station_delays_ns(links, ground, ground)
    spent = time.process_time() - began
    print(f"first call, compiling or loading what is compiled: {spent:.2f} s")
    title = "10,000 satellites, +Grid, 1,000 x 1,000 stations"
    ours_s = matrix(title, links, ground, rounds)
    by_networkx(links, ground, ours_s)
    uneven = irregular(links, np.random.default_rng(5))
    matrix(f"{title}, a twentieth of the links elsewhere", uneven, ground, rounds)
    shell_1(rounds)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
