"""Stepped scales: which step of a scale each cell falls into, with its label and colour."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spotbeam.formats import legend

Floats = npt.NDArray[np.float64]


class Band(NamedTuple):
    """One step of a stepped scale: a label, a colour, and which cells it holds."""

    label: str
    colour: str
    cells: npt.NDArray[np.bool_]


def satellite_bands(mean: Floats) -> list[Band]:
    """Up to eight even steps of the mean number of satellites in view."""
    top = float(mean.max()) if len(mean) else 0.0
    n = len(legend.SATELLITE_SCALE)
    low = float(mean.min()) if len(mean) else 0.0
    steps = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000)
    step = next(s for s in steps if np.floor(top / s) - np.floor(low / s) < n)
    first = int(np.floor(low / step + 1e-9))
    number = np.floor(mean / step + 1e-9).astype(np.int64)
    bands = []
    for index in range(first, int(number.max() if len(mean) else 0) + 1):
        cells = number == index
        label = f"{index * step:g}–{(index + 1) * step:g}"
        bands.append(Band(label, legend.SATELLITE_SCALE[index - first], cells))
    if len(bands) < n - 1:  # few steps: take well separated tones
        tones = np.linspace(1, n - 2, len(bands)).round().astype(int)
        bands = [
            band._replace(colour=legend.SATELLITE_SCALE[tone])
            for band, tone in zip(bands, tones, strict=True)
        ]
    return bands


def availability_bands(fraction: Floats) -> list[Band]:
    """The share of steps with a satellite in view, in the steps that services promise."""
    edges = (0.0, 0.5, 0.9, 0.99, 0.999)
    labels = ("0", "<50", "<90", "<99", "<99.9", "<100", "100")
    tiny = 1e-12
    number = np.searchsorted(np.array(edges), fraction - tiny, side="left")
    number = np.where(fraction <= 0.0, 0, np.maximum(number, 1))
    number = np.where(fraction >= 1.0 - tiny, len(labels) - 1, number)
    return [
        Band(label, colour, number == index)
        for index, (label, colour) in enumerate(zip(labels, legend.AVAILABILITY_SCALE, strict=True))
    ]
