"""Stepped scales: which step of a scale each cell falls into, with its label and colour."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spotbeam.report import legend

Floats = npt.NDArray[np.float64]


class Band(NamedTuple):
    """One step of a stepped scale.

    Attributes:
        label: What it spans.
        tone: Place of its colour in the scale.
        colour: That colour.
        cells: Which cells it holds.
    """

    label: str
    tone: int
    colour: str
    cells: npt.NDArray[np.bool_]


def satellite_bands(mean: Floats) -> list[Band]:
    """Up to eight even steps of the mean number of satellites in view."""
    n = len(legend.SATELLITE_SCALE)
    if not len(mean):
        return []
    low, high = float(mean.min()), float(mean.max())
    for step in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000):
        # A mean that is a whole step but for rounding belongs to the step that it reaches.
        first, last = int(np.floor(low / step + 1e-9)), int(np.floor(high / step + 1e-9))
        if last - first < n:
            break
    number = np.floor(mean / step + 1e-9).astype(np.int64)
    steps_used = last - first + 1
    tones = np.arange(n)
    if steps_used < n - 1:  # few steps: take well separated tones
        tones = np.linspace(1, n - 2, steps_used).round().astype(int)
    return [
        Band(
            f"{index * step:g}–{(index + 1) * step:g}",
            tone,
            legend.SATELLITE_SCALE[tone],
            number == index,
        )
        for index, tone in zip(range(first, last + 1), tones[:steps_used].tolist(), strict=True)
    ]


def availability_bands(fraction: Floats) -> list[Band]:
    """The share of steps with a satellite in view, in the steps that services promise."""
    edges = (0.0, 0.5, 0.9, 0.99, 0.999)
    labels = ("0", "<50", "<90", "<99", "<99.9", "<100", "100")
    tiny = 1e-12
    number = np.searchsorted(np.array(edges), fraction - tiny, side="left")
    number = np.where(fraction <= 0.0, 0, np.maximum(number, 1))
    number = np.where(fraction >= 1.0 - tiny, len(labels) - 1, number)
    return [
        Band(label, index, colour, number == index)
        for index, (label, colour) in enumerate(zip(labels, legend.AVAILABILITY_SCALE, strict=True))
    ]
