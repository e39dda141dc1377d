"""The map of a forecast as a picture: status, satellites in view, availability, terminals."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

import numpy as np

from spotbeam.report import legend
from spotbeam.report.bands import Band, availability_bands, satellite_bands
from spotbeam.report.captions import constellation_line, count, square_km, window_line
from spotbeam.report.map.map_canvas import (
    WIDTH_IN,
    Panel,
    Sheet,
    box,
    compound,
    compound_of,
    distinct_pixels,
    swatch,
    text_width_in,
    wrapped,
)
from spotbeam.report.map.map_ground import MapGround, map_ground
from spotbeam.report.map.projection import Frame, Rings, cell_rings, frame_of
from spotbeam.twin.forecast import Answer
from spotbeam.twin.world import World

_MARGIN_IN = 0.28
_LEGEND_IN = 2.35
_GAP_IN = 0.22
_MAX_MAP_HEIGHT_IN = 6.4
_MARKERS = {"dot": "o", "square": "s", "ring": "o", "triangle": "^", "cross": "x"}


class _Scene(NamedTuple):
    """What all panels of one picture share."""

    world: World
    answer: Answer
    frame: Frame
    rings: Rings
    ground: MapGround


def draw_map(world: World, answer: Answer) -> bytes:
    """The forecast as a PNG, about 900 pixels wide at half of its own resolution.

    The large map shows each cell's public status by colour and pattern, with counts and areas
    beside it; the small ones show satellites in view, the share of time with any, and terminals.
    """
    frame = frame_of(world.cells)
    scene = _Scene(
        world,
        answer,
        frame,
        cell_rings(frame, world.cells),
        map_ground(frame, world.ground),
    )
    beside = _is_beside(frame)
    map_width = WIDTH_IN - 2 * _MARGIN_IN
    if beside:
        map_width -= _LEGEND_IN + _GAP_IN + 0.22
    map_width = min(map_width, _MAX_MAP_HEIGHT_IN * frame.width / frame.height)
    map_height = map_width * frame.height / frame.width
    n_small = 3 if answer.terminals.num_rows else 2
    small_width = (WIDTH_IN - 2 * _MARGIN_IN - (n_small - 1) * _GAP_IN) / n_small
    small_width = min(small_width, 3.2 * frame.width / frame.height)
    small_height = small_width * frame.height / frame.width

    title = wrapped(_title(world), WIDTH_IN - 2 * _MARGIN_IN, 15, bold=True)
    head_in = 0.42 + 0.27 * (len(title) - 1) + 0.55
    key_in = max(0.0, _legend_height(scene) - map_height) if beside else _legend_height(scene)
    top_small = head_in + map_height + key_in + 0.30 + 0.34
    notes = _notes(scene)
    sheet = Sheet(top_small + small_height + 0.62 + 0.165 * len(notes) + 0.12)

    _head(sheet, scene, title)
    left = _MARGIN_IN + (0.22 if beside else (WIDTH_IN - 2 * _MARGIN_IN - map_width) / 2)
    _status_map(sheet, scene, left, head_in, map_width)
    if beside:
        _legend(sheet, scene, left + map_width + _GAP_IN, head_in, columns=1)
    else:
        _legend(sheet, scene, _MARGIN_IN, head_in + map_height + 0.16, columns=3)
    panels = [_satellites_map, _availability_map, _terminals_map][:n_small]
    for index, draw in enumerate(panels):
        draw(sheet, scene, _MARGIN_IN + index * (small_width + _GAP_IN), top_small, small_width)
    for index, line in enumerate(notes):
        y = top_small + small_height + 0.66 + 0.165 * index
        sheet.text(_MARGIN_IN, y, line, 7.5, colour=legend.MUTED)
    return sheet.png()


def _title(world: World) -> str:
    return world.scenario.title or world.scenario.name


def _head(sheet: Sheet, scene: _Scene, title: list[str]) -> None:
    for index, line in enumerate(title):
        sheet.text(_MARGIN_IN, 0.42 + 0.27 * index, line, 15, bold=True)
    y = 0.42 + 0.27 * (len(title) - 1) + 0.20
    room = WIDTH_IN - 2 * _MARGIN_IN
    for line in (window_line(scene.answer.summary), constellation_line(scene.answer.summary)):
        fitting = wrapped(line, room, 8.5)
        sheet.text(_MARGIN_IN, y, fitting[0], 8.5, colour=legend.MUTED)
        y += 0.165


def _notes(scene: _Scene) -> list[str]:
    area = scene.answer.summary["area"]
    text = (
        f"Each cell (H3 resolution {area['resolution']}) shows what a fixed, verified terminal at "
        "its centre has at most steps of the run; the report and cells.parquet say why. "
        f"Borders: Natural Earth; point of view: {scene.world.ground.view}; dotted: disputed "
        f"boundaries. "
        f"{scene.frame.name}."
    )
    return wrapped(text, WIDTH_IN - 2 * _MARGIN_IN, 7.5)


# --- The large map ---------------------------------------------------------------------------


def _status_map(sheet: Sheet, scene: _Scene, x_in: float, y_in: float, width_in: float) -> None:
    panel = _panel(sheet, scene, x_in, y_in, width_in)
    status = np.array(scene.answer.cells["status"].to_pylist(), dtype=object)
    fine = _cell_width_in(scene, width_in) > 0.1
    for name in legend.in_rank(status.tolist()):
        word = legend.word_of(name)
        path = compound(scene.rings.of(status == name))
        panel.area(
            path,
            word.fill,
            pattern=word.pattern,
            ink=word.ink,
            edge="#FFFFFF70" if fine else None,
            edge_pt=0.3,
        )
    panel.graticule(labels=scene.frame.kind == "region")
    _lines(panel, scene.ground, 1.0)
    if scene.frame.kind == "region":
        _names(panel, scene)
        panel.scale_bar()
    panel.rim()


def _panel(sheet: Sheet, scene: _Scene, x_in: float, y_in: float, width_in: float) -> Panel:
    panel = Panel(sheet, scene.frame, x_in, y_in, width_in)
    land = compound_of(scene.ground.land)
    if land is not None:
        panel.area(land, legend.LAND)
    return panel


def _lines(panel: Panel, ground: MapGround, weight: float) -> None:
    world = panel.frame.kind == "world"
    thin = weight * (0.5 if world else 1.0)
    if weight >= 1.0:
        for lines in (ground.coasts, ground.borders, ground.disputed):
            panel.lines(lines, 1.2 if world else 2.0, "#FFFFFF60")
    panel.lines(ground.coasts, 0.65 * thin, legend.BORDER)
    panel.lines(ground.borders, 0.75 * thin, legend.BORDER)
    panel.lines(ground.disputed, 1.0 * thin, legend.BORDER, style=(0, (1.2, 1.4)))
    panel.lines(ground.own, 1.1 * thin, legend.OWN, style=(0, (4.0, 1.6)))


def _names(panel: Panel, scene: _Scene) -> None:
    per_in = scene.frame.width / panel.width_in
    for label in scene.ground.labels:
        room_in = label.room / per_in
        size = 8.5 if room_in > 0.45 else 7.5
        lines = wrapped(label.text, max(0.75, 1.2 * room_in), size)
        width = max(text_width_in(line, size) for line in lines)
        half = (width / 2.0 + 0.03) * per_in
        inside = scene.frame.west < label.x - half and label.x + half < scene.frame.east
        # A name may reach past the circle that it stands in, but not far.
        fits = room_in > 0.13 and width < 3.2 * room_in and len(lines) < 3
        if inside and (fits or label.of == "own"):
            panel.name(label.x, label.y, lines, size, muted=label.of == "disputed")


def _cell_width_in(scene: _Scene, width_in: float) -> float:
    """Width of a cell of middling size on the sheet."""
    area = float(np.median(scene.world.cells.area_km2)) / 6371.0**2
    return float(np.sqrt(area)) * width_in / scene.frame.width


# --- The legend ------------------------------------------------------------------------------


def _legend_rows(scene: _Scene) -> list[str]:
    return legend.in_rank(scene.answer.summary["area"]["cells_by_status"])


def _legend_height(scene: _Scene) -> float:
    n_words = len(_legend_rows(scene))
    if not _is_beside(scene.frame):
        return 0.42 * -(-n_words // 3) + 0.1
    states, fleets = _state_counts(scene), scene.answer.fleets
    terminals = 0.36 + 0.22 * len(states) if states else 0.0
    return 0.42 * n_words + 0.26 + terminals + (0.36 + 0.33 * len(_fleet_rows(fleets)))


def _is_beside(frame: Frame) -> bool:
    """Whether the legend stands beside the map; a wide map has it below."""
    return frame.width / frame.height < 1.75


def _fleet_rows(fleets: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The fleets that the legend has room for, as they stand in the scenario."""
    return fleets if len(fleets) <= 7 else fleets[:6]


def _legend(sheet: Sheet, scene: _Scene, x_in: float, y_in: float, *, columns: int) -> None:
    area = scene.answer.summary["area"]
    y = y_in
    if columns == 1:
        sheet.text(x_in, y + 0.12, "Status of cells", 9, bold=True)
        y += 0.26
    width = (WIDTH_IN - x_in - _MARGIN_IN) / columns
    names = _legend_rows(scene)
    for index, name in enumerate(names):
        at_x = x_in + (index % columns) * width
        at_y = y + 0.42 * (index // columns)
        word = legend.word_of(name)
        swatch(sheet, at_x, at_y, word)
        cells = area["cells_by_status"][name]
        km2 = area["area_km2_by_status"][name]
        sheet.text(at_x + 0.37, at_y + 0.11, word.label, 9)
        detail = f"{count(cells, 'cell')} · {square_km(km2)}"
        sheet.text(at_x + 0.37, at_y + 0.27, detail, 8, colour=legend.MUTED)
    y += 0.42 * -(-len(names) // columns)
    if columns > 1:
        return
    states = _state_counts(scene)
    if states:
        sheet.text(x_in, y + 0.22, "Terminals", 9, bold=True)
        y += 0.30
        for name, number in states.items():
            state = legend.STATES[name]
            _mark(sheet, x_in + 0.14, y + 0.10, state)
            sheet.text(x_in + 0.37, y + 0.135, f"{state.label}: {number:,}", 8.5)
            y += 0.22
        _fleets(sheet, scene.answer.fleets, x_in, y + 0.32)


def _fleets(sheet: Sheet, fleets: list[dict[str, Any]], x_in: float, y_in: float) -> None:
    """A bar a fleet: how its terminals fare."""
    sheet.text(x_in, y_in, "Fleets", 9, bold=True)
    shown = _fleet_rows(fleets)
    for index, fleet in enumerate(shown):
        y = y_in + 0.20 + 0.33 * index
        name = wrapped(fleet["id"], _LEGEND_IN - 0.75, 8)[:1] or [""]
        sheet.text(x_in, y, name[0], 8)
        number = f"{fleet['terminals']:,}"
        sheet.text(x_in + _LEGEND_IN - 0.1, y, number, 8, colour=legend.MUTED, align="right")
        _bar(sheet, fleet, x_in, y + 0.045, _LEGEND_IN - 0.1)
    if len(shown) < len(fleets):
        y = y_in + 0.20 + 0.33 * len(shown)
        more = f"and {count(len(fleets) - len(shown), 'fleet')} more in the report"
        sheet.text(x_in, y, more, 8, colour=legend.MUTED)


def _bar(sheet: Sheet, fleet: dict[str, Any], x_in: float, y_in: float, width_in: float) -> None:
    at = x_in
    for name, state in legend.STATES.items():
        width = width_in * fleet["states"].get(name, 0) / max(1, fleet["terminals"])
        if width > 0.0:
            gap = min(0.012, 0.3 * width)
            pattern, ink = state.pattern, "#FFFFFF90"
            box(
                sheet,
                at,
                y_in,
                width - gap,
                0.09,
                state.colour,
                pattern=pattern,
                ink=ink,
                edge_pt=0,
            )
            at += width


def _mark(sheet: Sheet, x_in: float, y_in: float, state: legend.State) -> None:
    axes = sheet.axes(x_in - 0.06, y_in - 0.06, 0.12, 0.12)
    axes.set_xlim(-1, 1)
    axes.set_ylim(-1, 1)
    axes.plot(
        [0],
        [0],
        marker=_MARKERS[state.marker],
        markersize=5.5,
        linestyle="none",
        color=state.colour,
        markerfacecolor="none" if state.marker == "ring" else state.colour,
        markeredgewidth=1.3,
        clip_on=False,
    )


def _state_counts(scene: _Scene) -> dict[str, int]:
    counts = Counter(scene.answer.terminals["state"].to_pylist())
    return {name: counts[name] for name in legend.STATES if counts[name]}


# --- The small maps --------------------------------------------------------------------------


def _satellites_map(sheet: Sheet, scene: _Scene, x: float, y: float, width: float) -> None:
    mean = scene.answer.cells["satellites_mean"].to_numpy()
    bands = satellite_bands(mean)
    _band_map(sheet, scene, x, y, width, "Satellites in view, mean over the run", bands)


def _availability_map(sheet: Sheet, scene: _Scene, x: float, y: float, width: float) -> None:
    fraction = scene.answer.cells["available_fraction"].to_numpy()
    bands = availability_bands(fraction)
    _band_map(sheet, scene, x, y, width, "Time with a satellite in view, %", bands)


def _band_map(
    sheet: Sheet,
    scene: _Scene,
    x_in: float,
    y_in: float,
    width_in: float,
    title: str,
    bands: list[Band],
) -> None:
    sheet.text(x_in, y_in - 0.09, title, 8.5, bold=True)
    panel = _panel(sheet, scene, x_in, y_in, width_in)
    for band in bands:
        if band.cells.any():
            path = compound(scene.rings.of(band.cells))
            # A hair of the same colour closes the seam between two steps of the scale.
            panel.area(path, band.colour, edge=band.colour, edge_pt=0.2)
    _lines(panel, scene.ground, 0.55)
    panel.rim()
    shown = bands
    each = min(width_in, 2.9) / len(shown)
    y = y_in + panel.height_in + 0.09
    for index, band in enumerate(shown):
        box(sheet, x_in + index * each, y, each, 0.1, band.colour)
        middle = x_in + (index + 0.5) * each
        sheet.text(middle, y + 0.22, band.label, 7, colour=legend.MUTED, align="center")


def _terminals_map(sheet: Sheet, scene: _Scene, x_in: float, y_in: float, width_in: float) -> None:
    sheet.text(x_in, y_in - 0.09, "Terminals by service state", 8.5, bold=True)
    panel = _panel(sheet, scene, x_in, y_in, width_in)
    _lines(panel, scene.ground, 0.55)
    terminals = scene.answer.terminals
    state_of = np.array(terminals["state"].to_pylist(), dtype=object)
    x, y = scene.frame.project(terminals["lat_deg"].to_numpy(), terminals["lon_deg"].to_numpy())
    scale = 2.4 if len(state_of) < 400 else 0.75 if scene.frame.kind == "world" else 1.0
    for name, state in legend.STATES.items():
        chosen = state_of == name
        if not chosen.any():
            continue
        at_x, at_y = distinct_pixels(panel, x[chosen], y[chosen])
        size = {"dot": 1.2, "square": 1.2, "ring": 1.5, "triangle": 1.4, "cross": 1.25}[
            state.marker
        ]
        panel.dots(
            at_x,
            at_y,
            marker=_MARKERS[state.marker],
            size_pt=size * scale,
            colour=state.colour,
            hollow=state.marker == "ring",
            edge_pt=0.35 * scale if state.marker in ("ring", "cross") else 0.0,
        )
    panel.rim()
    y_key = y_in + panel.height_in + 0.15
    at = x_in
    for name, number in _state_counts(scene).items():
        state = legend.STATES[name]
        text = f"{state.label} {number:,}"
        if at + 0.15 + text_width_in(text, 7) > x_in + width_in + 0.05:
            at, y_key = x_in, y_key + 0.16
        _mark(sheet, at + 0.06, y_key, state)
        sheet.text(at + 0.15, y_key + 0.035, text, 7, colour=legend.MUTED)
        at += 0.15 + text_width_in(text, 7) + 0.14
