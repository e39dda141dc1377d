"""Satellites in view and the highest of them, over every cell of H3 resolution 4.

Against SciPy's k-d tree as a good user would take it: the tree over the cells is built once, not
timed, and asked for the cells within each satellite's own reach; the exact test is then done on
arrays, a satellite at a time. It gives the same answer, which is asserted. The cheapest thing one
could do with the tree stands beside it: one radius for all satellites and distances only, which
counts wrong where heights differ and does not say which satellite is highest.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree
from side_by_side import compare

from spotbeam.formats.element_files import read_elements
from spotbeam.kernels.visibility import prepare, satellites_in_view, satellites_in_view_exact
from spotbeam.land.cells import cells_of_world
from spotbeam.sky.constellation import shell_elements, shells_named
from spotbeam.sky.elements import ElementSets
from spotbeam.sky.propagation import propagator
from spotbeam.units import WGS84_POLAR_RADIUS_KM

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "constellations"
MASK_DEG = 25.0
N_TIME = 16


def satellites() -> tuple[ElementSets, str]:
    file = SHARED / "starlink_2026-06-14.tle.xz"
    if file.exists():
        return read_elements(file)[0], "real satellites of 2026-06-14"
    shells = [*shells_named("starlink-gen1"), *shells_named("starlink-gen2/5")]
    return shell_elements(shells, 1_767_225_600_000_000), "satellites of filed shells"


def reach_km(position_km: np.ndarray) -> np.ndarray:
    """No site farther than this can see the satellite at the mask (law of cosines, taken wide)."""
    sine = np.sin(np.radians(MASK_DEG - 0.2))
    radius_km = np.linalg.norm(position_km, axis=-1)
    level = WGS84_POLAR_RADIUS_KM * sine
    return np.sqrt(level**2 + radius_km**2 - WGS84_POLAR_RADIUS_KM**2) - level


def main(resolution: int = 4) -> None:
    elements, which = satellites()
    start_us = int(np.median(elements.epoch_us))
    times_us = start_us + np.arange(N_TIME, dtype=np.int64) * 15_000_000
    positions, _ = propagator(elements).positions_ecef_km(times_us)
    cells = cells_of_world(resolution)
    began = time.process_time()
    sites = prepare(cells.lat_deg, cells.lon_deg)
    print(f"making {len(cells.lat_deg):,} cells ready: {time.process_time() - began:.2f} s, once")
    began = time.process_time()
    satellites_in_view(sites, positions[:1], MASK_DEG)
    print(f"first call, compiling or loading what is compiled: {time.process_time() - began:.2f} s")

    ground_km, up = sites.position_ecef_km, sites.up_ecef
    cell_tree = cKDTree(ground_km)
    sine_of_mask = np.sin(np.radians(MASK_DEG))
    now_km = positions[0]

    def ours() -> tuple[np.ndarray, np.ndarray]:
        found = satellites_in_view(sites, positions[:1], MASK_DEG)
        return found.n_in_view[0], found.best[0]

    def tree() -> tuple[np.ndarray, np.ndarray]:
        count = np.zeros(len(ground_km), dtype=np.uint16)
        best = np.full(len(ground_km), -1, dtype=np.int32)
        highest = np.full(len(ground_km), -np.inf)
        near = cell_tree.query_ball_point(now_km, reach_km(now_km), return_sorted=False)
        for satellite, listed in enumerate(near):
            cell = np.array(listed, dtype=np.intp)
            line = now_km[satellite] - ground_km[cell]
            sine = np.einsum("cx,cx->c", line, up[cell]) / np.sqrt(
                np.einsum("cx,cx->c", line, line)
            )
            in_view = sine >= sine_of_mask
            cell, sine = cell[in_view], sine[in_view]
            count[cell] += 1
            higher = sine > highest[cell]
            highest[cell[higher]] = sine[higher]
            best[cell[higher]] = satellite
        return count, best

    def tree_one_radius() -> np.ndarray:
        radius_km = float(np.median(reach_km(now_km)))
        counts = cKDTree(now_km).query_ball_point(ground_km, radius_km, return_length=True)
        return np.asarray(counts)

    assert all(np.array_equal(a, b) for a, b in zip(ours(), tree(), strict=True))
    title = (
        f"One step, {len(elements):,} {which}, {len(ground_km):,} cells, above {MASK_DEG:g} degrees"
    )
    compare(
        {
            "Spotbeam: count, highest, its elevation": ours,
            "SciPy k-d tree: count, highest; same answer": tree,
            "SciPy k-d tree: counts only, one radius; approximate": tree_one_radius,
        },
        items=(len(ground_km), "cells"),
        title=title,
    )
    off = np.abs(tree_one_radius() - ours()[0].astype(int)).mean() / ours()[0].mean()
    print(f"The approximate counts are off by {100 * off:.0f} % on average.")

    some = slice(None, None, 100)
    few = prepare(cells.lat_deg[some], cells.lon_deg[some])

    def broadcast() -> np.ndarray:
        line = now_km - few.position_ecef_km[:, None]
        height = np.einsum("csx,cx->cs", line, few.up_ecef)
        elevation_deg = np.degrees(np.arcsin(height / np.linalg.norm(line, axis=2)))
        return (elevation_deg >= MASK_DEG).sum(axis=1)

    compare(
        {
            "Spotbeam": lambda: satellites_in_view(few, positions[:1], MASK_DEG),
            "our exact form": lambda: satellites_in_view_exact(few, positions[:1], MASK_DEG),
            "NumPy broadcasting, elevations by arc sine, counts only": broadcast,
        },
        items=(len(few.up_ecef), "cells"),
        title=f"One step, every hundredth cell: {len(few.up_ecef):,}",
    )
    for mask_deg in (0.0, 25.0, 40.0):
        compare(
            {"Spotbeam": lambda mask=mask_deg: satellites_in_view(sites, positions, mask)},
            items=(N_TIME * len(ground_km), "cell-steps"),
            title=f"{N_TIME} steps, above {mask_deg:g} degrees",
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
