"""A route as a picture: the round trip over time, and the way on a map."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from spotbeam.kernels.frames import ecef_to_geodetic
from spotbeam.network.routing import Path
from spotbeam.report import legend
from spotbeam.report.map.map_canvas import (
    WIDTH_IN,
    Panel,
    Sheet,
    compound_of,
    font,
    text_width_in,
    wrapped,
)
from spotbeam.report.map.map_ground import map_ground
from spotbeam.report.map.projection import Frame, equal_earth, lambert_equal_area
from spotbeam.times import format_time
from spotbeam.twin.nets import Net
from spotbeam.twin.routes import NO_ROUTE, Route
from spotbeam.twin.world import World

Floats = npt.NDArray[np.float64]

_MARGIN_IN = 0.55
_CHART_IN = 2.1
_MAX_MAP_IN = 5.6
_TOTAL, _LIGHT, _GAP, _HANDOVER = "#0B6E99", "#E08A1E", "#B4443C", "#56626C"
_MOST_PATHS = 40
_KEY_PT, _KEY_LINE_IN = 8.0, 0.17


def draw_route(world: World, net: Net, route: Route) -> bytes:
    """The route as a PNG: round trip, light's share of it, handovers and gaps; then its ways."""
    frame, ways = _frame(net, route)
    width = WIDTH_IN - 2 * _MARGIN_IN
    map_width = min(width, _MAX_MAP_IN * frame.width / frame.height)
    map_height = map_width * frame.height / frame.width
    key = key_rows(route, width)
    top = 0.95 + _CHART_IN + 0.68 + _KEY_LINE_IN * len(key)
    sheet = Sheet(top + map_height + 0.75)
    end = route.end.name if route.end else "the internet"
    mode = "lasers" if net.settings.mode == "lasers" else "bent pipe"
    title = wrapped(f"{route.origin.name} to {end}, {mode}", width, 14, bold=True)
    sheet.text(_MARGIN_IN, 0.40, title[0], 14, bold=True)
    first, last = route.steps[0].time_us, route.steps[-1].time_us
    window = f"{world.scenario.name}: {format_time(first)} to {format_time(last)}"
    sheet.text(_MARGIN_IN, 0.62, f"{window}. A model, not a measurement.", 8.5, colour=legend.MUTED)
    chart(sheet, route, _MARGIN_IN, 0.95, width)
    for index, row in enumerate(key):
        for x_in, text, colour in row:
            y = 0.95 + _CHART_IN + 0.42 + _KEY_LINE_IN * index
            sheet.text(_MARGIN_IN + x_in, y, text, _KEY_PT, colour=colour)
    left = _MARGIN_IN + (width - map_width) / 2
    panel = Panel(sheet, frame, left, top, map_width)
    ground = map_ground(frame, world.ground)
    land = compound_of(ground.land)
    if land is not None:
        panel.area(land, legend.LAND)
    panel.graticule(labels=frame.kind == "region")
    panel.lines(ground.coasts, 0.5, legend.BORDER)
    panel.lines(ground.borders, 0.4, legend.MUTED)
    panel.lines(ground.disputed, 0.6, legend.MUTED, style=(0, (1.2, 1.4)))
    for index, (lat, lon) in reversed(list(enumerate(ways))):
        _way(panel, lat, lon, bold=index == 0)
    _places(panel, net, route)
    panel.rim()
    drawn = (
        f"Thick: the first path; thin: {len(ways) - 1} others of the run. Dots are satellites "
        f"over the ground. "
        if ways
        else ""
    )
    note = f"{drawn}Borders: Natural Earth; point of view: {world.ground.view}; {frame.name}."
    for index, line in enumerate(wrapped(note, width, 7.5)):
        y = top + map_height + 0.42 + 0.15 * index
        sheet.text(_MARGIN_IN, y, line, 7.5, colour=legend.MUTED)
    return sheet.png()


def chart(sheet: Sheet, route: Route, x_in: float, y_in: float, width_in: float) -> None:
    """Draw the round trip over time, light's share of it, handovers and gaps."""
    axes = sheet.axes(x_in, y_in, width_in, _CHART_IN)
    steps = route.steps
    minutes = np.array([(step.time_us - steps[0].time_us) / 60e6 for step in steps])
    total = np.array([step.path.round_trip_ms if step.path else np.nan for step in steps])
    light = np.array([2 * step.path.propagation_ms if step.path else np.nan for step in steps])
    step_min = float(np.diff(minutes).min()) if len(minutes) > 1 else 1.0
    most = float(np.nanmax(total)) if np.isfinite(total).any() else 1.0
    high = most * 1.15
    axes.set_xlim(minutes[0], minutes[-1] + step_min)
    axes.set_ylim(0.0, high)
    edges = np.append(minutes, minutes[-1] + step_min)
    for value, colour, thick in ((total, _TOTAL, 1.3), (light, _LIGHT, 1.0)):
        axes.add_line(
            Line2D(
                edges,
                np.append(value, value[-1]),
                color=colour,
                linewidth=thick,
                drawstyle="steps-post",
            )
        )
    for (before, step), minute in zip(pairwise(steps), minutes[1:], strict=True):
        if before.path and step.path and before.path.satellites[0] != step.path.satellites[0]:
            axes.add_line(
                Line2D([minute, minute], [0, 0.035 * high], color=_HANDOVER, linewidth=0.8)
            )
    for step, minute in zip(steps, minutes, strict=True):
        if step.path is None:
            gap = Rectangle((minute, 0), step_min, high, color=_GAP, alpha=0.25, linewidth=0)
            axes.add_patch(gap)
    _ticks(axes)
    if not _has_path(route):  # a scale without anything on it would be made up
        axes.set_yticks([])
        axes.text(
            0.5,
            0.5,
            "no path",
            transform=axes.transAxes,
            fontproperties=font(11),
            color=_GAP,
            ha="center",
            va="center",
        )


def _has_path(route: Route) -> bool:
    return any(step.path for step in route.steps)


def _ticks(axes: object) -> None:
    from matplotlib.axes import Axes

    assert isinstance(axes, Axes)
    axes.set_axis_on()
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(legend.MUTED)
    axes.tick_params(colors=legend.MUTED, length=2.5, width=0.6)
    for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        label.set_fontproperties(font(7))
    axes.set_xlabel("minutes", fontproperties=font(7.5), color=legend.MUTED, labelpad=1)
    axes.set_ylabel("round trip, ms", fontproperties=font(7.5), color=legend.MUTED, labelpad=2)


def key_rows(route: Route, width_in: float) -> list[list[tuple[float, str, str]]]:
    """The key below the chart, in rows that fit: where each text begins, the text, its colour."""
    parts = []
    if _has_path(route):
        parts = [
            ("all of the model", _TOTAL),
            ("light in the sky", _LIGHT),
            ("ticks below: handovers", _HANDOVER),
        ]
    reasons = dict.fromkeys(step.reason for step in route.steps if step.reason)
    parts += [(f"shaded: {NO_ROUTE[reason]}", _GAP) for reason in reasons if reason]
    rows: list[list[tuple[float, str, str]]] = [[]]
    at = 0.0
    for text, colour in parts:
        for line in wrapped(f"■ {text}", width_in, _KEY_PT):
            long_in = text_width_in(line, _KEY_PT)
            if rows[-1] and at + long_in > width_in:
                rows.append([])
                at = 0.0
            rows[-1].append((at, line, colour))
            at += long_in + 0.3
    return rows


def _frame(net: Net, route: Route) -> tuple[Frame, list[tuple[Floats, Floats]]]:
    """The map's frame, and the paths as places in order, each different one once."""
    ways: dict[tuple[object, ...], tuple[Floats, Floats]] = {}
    for step in route.steps:
        path = step.path
        if path is None or len(ways) >= _MOST_PATHS:
            continue
        way = (path.satellites, path.gateway)
        if way not in ways:
            ways[way] = _points(net, route, path, step.time_us)
    ends = [(route.origin.lat_deg, route.origin.lon_deg)]
    if route.end:
        ends.append((route.end.lat_deg, route.end.lon_deg))
    lat = np.concatenate([*(a for a, _ in ways.values()), [a for a, _ in ends]])
    lon = np.concatenate([*(b for _, b in ways.values()), [b for _, b in ends]])
    return frame_around(lat, lon), list(ways.values())


def frame_around(lat_deg: Floats, lon_deg: Floats) -> Frame:
    """A map that holds some places, with room around them."""
    lat, lon = np.radians(lat_deg), np.radians(lon_deg)
    xyz = np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    middle = xyz.mean(axis=0)
    middle /= max(float(np.linalg.norm(middle)), 1e-9)
    reach_deg = float(np.degrees(np.arccos(np.clip((xyz @ middle).min(), -1.0, 1.0))))
    if reach_deg > 62.0:
        x, y = equal_earth(np.array([0.0, 90.0]), np.array([180.0, 0.0]))
        return Frame("world", 0.0, 0.0, -float(x[0]), -float(y[1]), float(x[0]), float(y[1]))
    lat_0 = float(np.degrees(np.arcsin(np.clip(middle[2], -1.0, 1.0))))
    lon_0 = float(np.degrees(np.arctan2(middle[1], middle[0])))
    x, y = lambert_equal_area(lat_deg, lon_deg, lat_0, lon_0)
    centre_x, centre_y = (x.min() + x.max()) / 2, (y.min() + y.max()) / 2
    half_x = max(0.6 * float(np.ptp(x)), 0.09)
    half_y = max(0.6 * float(np.ptp(y)), 0.06, 0.4 * half_x)
    half_x = max(half_x, 0.8 * half_y)
    return Frame(
        "region",
        lat_0,
        lon_0,
        float(centre_x - half_x),
        float(centre_y - half_y),
        float(centre_x + half_x),
        float(centre_y + half_y),
    )


def _points(net: Net, route: Route, path: Path, time_us: int) -> tuple[Floats, Floats]:
    """Latitudes and longitudes along a path, the satellites' by the ground below them."""
    position = net.mesh.positions_ecef_km(np.array([time_us], dtype=np.int64))[0]
    lat, lon, _ = ecef_to_geodetic(position[list(path.satellites)])
    last_lat, last_lon = [], []
    if route.end:
        last_lat, last_lon = [route.end.lat_deg], [route.end.lon_deg]
    elif path.gateway is not None:
        gateways, segment = net.segment.gateways, net.segment
        last_lat = [float(gateways.lat_deg[path.gateway])]
        last_lon = [float(gateways.lon_deg[path.gateway])]
        if path.pop is not None:
            last_lat.append(float(segment.pop_lat_deg[path.pop]))
            last_lon.append(float(segment.pop_lon_deg[path.pop]))
    return (
        np.concatenate([[route.origin.lat_deg], lat, last_lat]),
        np.concatenate([[route.origin.lon_deg], lon, last_lon]),
    )


def _way(panel: Panel, lat_deg: Floats, lon_deg: Floats, *, bold: bool) -> None:
    x, y = panel.frame.project(lat_deg, lon_deg)
    line = np.column_stack([x, y])
    if panel.frame.kind == "world":  # not across the whole map where it passes the rim
        jumps = np.flatnonzero(np.abs(np.diff(lon_deg)) > 180.0) + 1
        parts = [part for part in np.split(line, jumps) if len(part) > 1]
    else:
        parts = [line]
    panel.lines(parts, 1.6 if bold else 0.5, _TOTAL if bold else "#0B6E9966", zorder=7)
    size = 3.0 if bold else 1.4
    panel.dots(x[1:-1], y[1:-1], marker="o", size_pt=size, colour=_TOTAL)


def _places(panel: Panel, net: Net, route: Route) -> None:
    """The ends, and each gateway and point of presence that was used, with their names."""
    lat, lon = [route.origin.lat_deg], [route.origin.lon_deg]
    names = [route.origin.name]
    if route.end:
        lat.append(route.end.lat_deg)
        lon.append(route.end.lon_deg)
        names.append(route.end.name)
    gateways = dict.fromkeys(s.path.gateway for s in route.steps if s.path)
    pops = dict.fromkeys(s.path.pop for s in route.steps if s.path)
    for index in gateways:
        if index is not None:
            lat.append(float(net.segment.gateways.lat_deg[index]))
            lon.append(float(net.segment.gateways.lon_deg[index]))
            names.append(net.segment.gateways.name[index])
    for index in pops:
        if index is not None:
            lat.append(float(net.segment.pop_lat_deg[index]))
            lon.append(float(net.segment.pop_lon_deg[index]))
            names.append(f"PoP {net.segment.pop[index]}")
    x, y = panel.frame.project(np.array(lat), np.array(lon))
    panel.dots(x, y, marker="s", size_pt=4.0, colour=_GAP)
    taken: list[tuple[float, float]] = []
    for name, at_x, at_y in zip(names[:12], x, y, strict=False):
        lower = 0.035 * panel.frame.height
        below = at_y - lower
        while any(
            abs(below - other) < lower and abs(at_x - other_x) < 0.2 * panel.frame.width
            for other_x, other in taken
        ):
            below -= lower
        taken.append((at_x, below))
        panel.name(at_x, below, [name], 7.5)
