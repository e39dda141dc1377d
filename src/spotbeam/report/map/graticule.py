"""Meridians and parallels of a picture, and where they meet its frame."""

from __future__ import annotations

import numpy as np

from spotbeam.report.map.projection import Floats, Frame


def graticule(frame: Frame) -> list[tuple[str, float, Floats, Floats]]:
    """Meridians and parallels across a frame: kind, degrees, x and y along each."""
    if frame.kind == "world":
        step, lats, lons = 30.0, (-60.0, 60.0), (-150.0, 150.0)
        low, high = -90.0, 90.0
    else:
        half_deg = float(np.degrees(np.hypot(frame.width, frame.height) / 2.0)) * 1.1
        step = next((s for s in (0.5, 1, 2, 5, 10, 15) if frame.height * 57.3 / s <= 7), 30.0)
        low, high = max(-90.0, frame.lat_0_deg - half_deg), min(90.0, frame.lat_0_deg + half_deg)
        widest = float(np.cos(np.radians(min(85.0, max(abs(low), abs(high))))))
        half_lon = min(180.0, half_deg / widest)
        lats, lons = (low, high), (frame.lon_0_deg - half_lon, frame.lon_0_deg + half_lon)
    found = []
    along = np.linspace(lons[0] if frame.kind == "region" else -180.0,
                        lons[1] if frame.kind == "region" else 180.0, 241)  # fmt: skip
    for lat in np.arange(np.ceil(lats[0] / step) * step, lats[1] + 1e-9, step):
        x, y = frame.project(np.full(241, lat), along)
        found.append(("parallel", float(lat), x, y))
    up = np.linspace(low, high, 241)
    lon_step = step if frame.kind == "world" else _meridian_step(frame, step)
    for lon in np.arange(np.ceil(lons[0] / lon_step) * lon_step, lons[1] + 1e-9, lon_step):
        x, y = frame.project(up, np.full(241, lon))
        found.append(("meridian", float(lon), x, y))
    return found


def _meridian_step(frame: Frame, step: float) -> float:
    """Meridians stand as far apart on the map as parallels, in round degrees."""
    wanted = step / max(0.05, float(np.cos(np.radians(frame.lat_0_deg))))
    return next((s for s in (0.5, 1, 2, 5, 10, 15, 30) if s >= 0.8 * wanted), 45.0)


def crossing(along: Floats, across: Floats, edge: float) -> float | None:
    """Where a line crosses an edge of the frame: `across` at which `along` equals `edge`."""
    side = along - edge
    cuts = np.flatnonzero((side[:-1] < 0.0) != (side[1:] < 0.0))
    if not len(cuts):
        return None
    i = int(cuts[0])
    share = side[i] / (side[i] - side[i + 1])
    return float(across[i] + share * (across[i + 1] - across[i]))


def degrees(kind: str, value: float) -> str:
    """A meridian's or parallel's name, as 35° E."""
    value = (value + 180.0) % 360.0 - 180.0 if kind == "meridian" else value
    sides = ("E", "W") if kind == "meridian" else ("N", "S")
    side = "" if value == 0 else f" {sides[value < 0]}"
    return f"{abs(value):g}°{side}"
