"""Which satellites serve, inferred from their elements alone.

`classify` is the whole of it: bands of altitude and inclination that satellites hold together in
evenly filled planes are found first, and each satellite is then judged by its place among them and
by the trend of its mean motion. No filed altitude is consulted and no history is needed.
"""

from __future__ import annotations

from spotbeam.sky.in_service.bands import Band, find_bands
from spotbeam.sky.in_service.classes import ServiceClass, ServiceClasses, classify
from spotbeam.sky.in_service.mean_orbits import MeanOrbits, mean_orbits

__all__ = [
    "Band",
    "MeanOrbits",
    "ServiceClass",
    "ServiceClasses",
    "classify",
    "find_bands",
    "mean_orbits",
]
