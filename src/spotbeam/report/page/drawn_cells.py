"""What the page's map draws: every cell of the run, or groups of them where they are too many."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from spotbeam.land.cells import CellGrid, grid_of
from spotbeam.report import legend
from spotbeam.report.captions import count, duration, share
from spotbeam.report.glossary import reason_in_words
from spotbeam.twin.forecast import Answer
from spotbeam.twin.world import World

MAX_CELLS = 20_000  # a page with more shapes than this is slow to open
_MAX_GROUPS = 6_000


class DrawnCells(NamedTuple):
    """Cells as a map draws them, n of them.

    Attributes:
        cells: Their grid.
        status: Public status word of each.
        satellites_mean, available_fraction: Shape (n,).
        titles: What each says of itself, in lines.
    """

    cells: CellGrid
    status: list[str]
    satellites_mean: npt.NDArray[np.float64]
    available_fraction: npt.NDArray[np.float64]
    titles: list[str]


def drawn_cells(world: World, answer: Answer) -> DrawnCells:
    """Every cell of the run if there are few enough, else groups of neighbours."""
    if len(world.cells.cell) > MAX_CELLS:
        return _groups(world, answer)
    return DrawnCells(
        world.cells,
        answer.cells["status"].to_pylist(),
        answer.cells["satellites_mean"].to_numpy(),
        answer.cells["available_fraction"].to_numpy(),
        cell_titles(answer),
    )


def parents(cells: npt.NDArray[np.uint64], resolution: int) -> npt.NDArray[np.uint64]:
    """The coarser cell that each cell belongs to.

    An H3 id holds its resolution in bits 52 to 55 and a digit of three bits for each resolution,
    all ones where it has none (h3geo.org, "H3 Index").
    """
    without = cells & ~np.uint64(0xF << 52)
    unused = np.uint64((1 << 3 * (15 - resolution)) - 1)
    coarse: npt.NDArray[np.uint64] = without | np.uint64(resolution << 52) | unused
    return coarse


def _groups(world: World, answer: Answer) -> DrawnCells:
    """Cells joined under a coarser one, which has the status of most of their area."""
    resolution = world.cells.resolution - 1
    while resolution > 0 and len(np.unique(parents(world.cells.cell, resolution))) > _MAX_GROUPS:
        resolution -= 1
    ids, group = np.unique(parents(world.cells.cell, resolution), return_inverse=True)
    grid = grid_of(ids, resolution)
    area = world.cells.area_km2
    weight = np.bincount(group, area)
    table = answer.cells

    def mean(name: str) -> npt.NDArray[np.float64]:
        found: npt.NDArray[np.float64] = np.bincount(group, area * table[name].to_numpy()) / weight
        return found

    low = np.full(len(ids), np.iinfo(np.int64).max)
    high = np.zeros(len(ids), dtype=np.int64)
    np.minimum.at(low, group, table["satellites_min"].to_numpy().astype(np.int64))
    np.maximum.at(high, group, table["satellites_max"].to_numpy().astype(np.int64))
    reasons: list[Counter[tuple[str, Any, Any]]] = [Counter() for _ in ids]
    areas: list[Counter[str]] = [Counter() for _ in ids]
    names = ("status", "reason", "rule")
    rows = zip(*(table[name].to_pylist() for name in names), strict=True)
    for (status, reason, rule), at, km2 in zip(rows, group.tolist(), area.tolist(), strict=True):
        reasons[at][(status, reason, rule)] += 1
        areas[at][status] += km2
    satellites, fraction = mean("satellites_mean"), mean("available_fraction")
    titles = []
    for i, counted in enumerate(reasons):
        parts = [
            f"{number:,} {legend.word_of(status).label}{follows(reason, rule)}"
            for (status, reason, rule), number in counted.most_common(4)
        ]
        titles.append(
            f"{count(counted.total(), 'cell')} around "
            f"{place(grid.lat_deg[i], grid.lon_deg[i])}\n{chr(10).join(parts)}\n"
            f"{satellites[i]:.1f} satellites in view on average ({low[i]} to {high[i]}), "
            f"{share(fraction[i])} of the time"
        )
    status_of = [max(sorted(counted), key=lambda word: counted[word]) for counted in areas]
    return DrawnCells(grid, status_of, satellites, fraction, titles)


def cell_titles(answer: Answer) -> list[str]:
    """What each cell says of itself: place, status, satellites, reason, rule, territories."""
    columns: dict[str, list[Any]] = answer.cells.to_pydict()
    titles = []
    for row in zip(
        *(
            columns[name]
            for name in (
                "cell",
                "lat_deg",
                "lon_deg",
                "status",
                "reason",
                "rule",
                "satellites_min",
                "satellites_mean",
                "satellites_max",
                "available_fraction",
                "longest_gap_s",
                "territories",
            )
        ),
        strict=True,
    ):
        cell, lat, lon, status, reason, rule, low, mean, high, fraction, gap, territories = row
        lines = [
            f"{cell:x} at {place(lat, lon)}",
            f"{legend.word_of(status).label}{follows(reason, rule)}",
            f"{mean:.1f} satellites in view on average ({low} to {high}), {share(fraction)} of the "
            f"time" + (f", longest gap {duration(gap)}" if gap > 0 else ""),
            ", ".join(territories),
        ]
        titles.append("\n".join(lines))
    return titles


def place(lat_deg: float, lon_deg: float) -> str:
    """A position, as 46.12° N, 33.40° E."""
    return (
        f"{abs(lat_deg):.2f}° {'S' if lat_deg < 0 else 'N'}, "
        f"{abs(lon_deg):.2f}° {'W' if lon_deg < 0 else 'E'}"
    )


def follows(reason: str | None, rule: str | None) -> str:
    """Reason and rule after a status word."""
    text = ""
    if reason is not None:
        words = reason_in_words(reason)
        said = f"{words[0].lower()}{words[1:].rstrip('.')} ({reason})" if words else reason
        text += f": {said}"
    return f"{text}; rule {rule}" if rule is not None else text
