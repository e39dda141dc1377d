"""A trip as a picture: a strip chart over time, and its track on a map, coloured alike."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from spotbeam.report import legend
from spotbeam.report.map.map_canvas import WIDTH_IN, Panel, Sheet, compound_of, font, wrapped
from spotbeam.report.map.map_ground import map_ground
from spotbeam.report.map.projection import Frame
from spotbeam.report.route_picture import frame_around
from spotbeam.times import format_time
from spotbeam.twin.trips.track import counted
from spotbeam.twin.trips.trip import Leg, Trip, reason_words
from spotbeam.twin.world import World

Floats = npt.NDArray[np.float64]
_MARGIN_IN = 0.55
_STRIP_IN = 0.30
_CHART_IN = 1.15
_LATENCY, _SPEED = "#0B6E99", "#56626C"
_HATCH = {"served": None, "limited": "..", "no_satellite": "xx", "no_route": "\\\\", "denied": "//"}
_MOST_NOTES = 8


def draw_trip(world: World, trip: Trip) -> bytes:
    """The trip as a PNG.

    From above: what service was like and why not; round trip; speed, with the thresholds of rules
    that ask for it; satellites in turn; then the map.
    """
    width = WIDTH_IN - 2 * _MARGIN_IN
    known = ~np.isnan(trip.moving.lat_deg)
    frame = frame_around(trip.moving.lat_deg[known], trip.moving.lon_deg[known])
    map_width = min(width, 5.0 * frame.width / frame.height)
    map_height = map_width * frame.height / frame.width
    notes = _notes(trip)
    lines = [line for note in notes for line in wrapped(note, width - 0.2, 8.5)]
    charts_in = 2 * (_CHART_IN + 0.22) + 2 * (_STRIP_IN + 0.28)
    top = 0.92 + charts_in + 0.30 + 0.165 * len(lines) + 0.25
    sheet = Sheet(top + map_height + 0.75)
    who = f"{trip.terminal.mobility} terminal, {'' if trip.terminal.verified else 'not '}verified"
    title = f"{trip.track.name}: {who}"
    sheet.text(_MARGIN_IN, 0.40, wrapped(title, width, 14, bold=True)[0], 14, bold=True)
    times_us = trip.moving.time_us
    window = f"{format_time(int(times_us[0]))} to {format_time(trip.end_us)}"
    head = f"{world.scenario.name}: {window}. A model, not a measurement."
    sheet.text(_MARGIN_IN, 0.62, head, 8.5, colour=legend.MUTED)
    minutes = (times_us - times_us[0]) / 60e6
    y = 0.92
    y = _states(sheet, trip, minutes, y, width)
    y = _line(sheet, trip.sky.round_trip_ms, minutes, y, width, "round trip, ms", _LATENCY)
    y = _speeds(sheet, world, trip, minutes, y, width)
    y = _satellites(sheet, trip, minutes, y, width)
    for number, line in enumerate(lines):
        sheet.text(_MARGIN_IN, y + 0.30 + 0.165 * number, line, 8.5)
    _map(sheet, world, trip, frame, top, map_width, map_height, width)
    return sheet.png()


def _notes(trip: Trip) -> list[str]:
    """What became of service, leg by leg."""
    times_us = trip.moving.time_us
    shown = [
        f"{format_time(int(times_us[leg.first]))[11:19]}  {reason_words(leg)}"
        for leg in trip.legs[:_MOST_NOTES]
    ]
    more = len(trip.legs) - len(shown)
    return [*shown, f"and {more:,} more"] if more > 0 else shown


def _axes(sheet: Sheet, minutes: Floats, y_in: float, height_in: float, width_in: float) -> Axes:
    axes: Axes = sheet.axes(_MARGIN_IN + 0.35, y_in, width_in - 0.35, height_in)
    axes.set_xlim(minutes[0], max(minutes[-1], minutes[0] + 1e-3))
    axes.set_axis_on()
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(legend.MUTED)
    axes.tick_params(colors=legend.MUTED, length=2.5, width=0.6, labelbottom=False)
    return axes


def _labelled(axes: Axes, label: str) -> None:
    for each in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        each.set_fontproperties(font(7))
    axes.set_ylabel(label, fontproperties=font(7.5), color=legend.MUTED, labelpad=2)


def _states(sheet: Sheet, trip: Trip, minutes: Floats, y_in: float, width_in: float) -> float:
    axes = _axes(sheet, minutes, y_in, _STRIP_IN, width_in)
    axes.set_ylim(0, 1)
    axes.set_yticks([])
    for leg in trip.legs:
        first, last = minutes[leg.first], minutes[min(leg.stop, len(minutes) - 1)]
        axes.add_patch(
            Rectangle(
                (float(first), 0),
                float(last - first),
                1,
                facecolor=_colour(leg),
                hatch=_HATCH[leg.state],
                edgecolor="#FFFFFF",
                linewidth=0,
            )
        )
    _labelled(axes, "")
    seen = dict.fromkeys(leg.state for leg in trip.legs)
    at = _MARGIN_IN + 0.35
    for state in seen:
        sheet.text(at, y_in + _STRIP_IN + 0.17, f"■ {_label(state)}", 8, colour=_of(state))
        at += 0.45 + 0.075 * len(_label(state))
    return y_in + _STRIP_IN + 0.28


def _line(
    sheet: Sheet,
    values: Floats,
    minutes: Floats,
    y_in: float,
    width_in: float,
    label: str,
    colour: str,
    limits: tuple[tuple[str, float], ...] = (),
) -> float:
    axes = _axes(sheet, minutes, y_in, _CHART_IN, width_in)
    finite = values[np.isfinite(values)]
    most = max([float(finite.max()) if len(finite) else 1.0, *(v for _, v in limits)])
    axes.set_ylim(0, 1.15 * most + 1e-9)
    axes.add_line(Line2D(minutes, values, color=colour, linewidth=1.0))
    for name, value in limits:
        axes.add_line(
            Line2D(minutes[[0, -1]], [value, value], color="#B4443C", linewidth=0.8, linestyle="--")
        )
        axes.text(
            minutes[0],
            value,
            f" {name}: {value:g}",
            fontproperties=font(7),
            color="#B4443C",
            va="bottom",
        )
    _labelled(axes, label)
    return y_in + _CHART_IN + 0.22


def _speeds(
    sheet: Sheet, world: World, trip: Trip, minutes: Floats, y_in: float, width_in: float
) -> float:
    asked = tuple(
        (rule.id, rule.thresholds.over_kmh)
        for rule in world.policy.rules
        if rule.thresholds.over_kmh is not None
    )
    speed = trip.moving.speed_kmh
    return _line(sheet, speed, minutes, y_in, width_in, "speed, km/h", _SPEED, asked)


def _satellites(sheet: Sheet, trip: Trip, minutes: Floats, y_in: float, width_in: float) -> float:
    axes = _axes(sheet, minutes, y_in, _STRIP_IN, width_in)
    axes.set_ylim(0, 1)
    axes.set_yticks([])
    axes.tick_params(labelbottom=True)
    # Handovers and the two ends of every gap.
    turns = np.flatnonzero(np.diff(trip.sky.satellite)) + 1
    cuts = [0, *turns.tolist(), len(minutes) - 1]
    for number, (first, last) in enumerate(pairwise(cuts)):
        if trip.sky.satellite[first] >= 0:
            begin = float(minutes[first])
            axes.add_patch(
                Rectangle(
                    (begin, 0),
                    float(minutes[last]) - begin,
                    1,
                    facecolor=("#8FB8C9", "#C9DCE4")[number % 2],
                    linewidth=0,
                )
            )
    _labelled(axes, "")
    axes.set_xlabel("minutes", fontproperties=font(7.5), color=legend.MUTED, labelpad=1)
    least = "at least " if trip.may_miss_handovers else ""
    text = f"serving satellites in turn: {least}{counted(len(trip.handovers), 'handover')}"
    sheet.text(_MARGIN_IN + 0.35, y_in - 0.05, text, 7.5, colour=legend.MUTED)
    return y_in + _STRIP_IN + 0.28


def _map(
    sheet: Sheet,
    world: World,
    trip: Trip,
    frame: Frame,
    top: float,
    map_width: float,
    map_height: float,
    width: float,
) -> None:
    panel = Panel(sheet, frame, _MARGIN_IN + (width - map_width) / 2, top, map_width)
    ground = map_ground(frame, world.ground)
    land = compound_of(ground.land)
    if land is not None:
        panel.area(land, legend.LAND)
    panel.graticule(labels=True)
    panel.lines(ground.coasts, 0.5, legend.BORDER)
    panel.lines(ground.borders, 0.4, legend.MUTED)
    panel.lines(ground.disputed, 0.6, legend.MUTED, style=(0, (1.2, 1.4)))
    moving = trip.moving
    for leg in trip.legs:
        part = slice(leg.first, min(leg.stop + 1, len(moving.time_us)))
        known = ~np.isnan(moving.lat_deg[part])
        if known.sum() > 1:
            x, y = frame.project(moving.lat_deg[part][known], moving.lon_deg[part][known])
            line = np.column_stack([x, y])
            style = "-" if leg.is_served else (0, (1.6, 1.0))
            panel.lines([line], 2.6, _colour(leg), style=style, zorder=7)
    known = ~np.isnan(moving.lat_deg)
    ends = np.flatnonzero(known)[[0, -1]]
    x, y = frame.project(moving.lat_deg[ends], moving.lon_deg[ends])
    panel.dots(x, y, marker="s", size_pt=4.0, colour=legend.INK)
    for name, at_x, at_y in zip(("start", "end"), x, y, strict=True):
        panel.name(float(at_x), float(at_y) - 0.035 * frame.height, [name], 8)
    panel.rim()
    note = f"Borders: Natural Earth; point of view: {world.ground.view}; {frame.name}."
    sheet.text(_MARGIN_IN, top + map_height + 0.42, note, 7.5, colour=legend.MUTED)


def _colour(leg: Leg) -> str:
    return _of(leg.state)


def _of(state: str) -> str:
    return legend.STATES[state].colour


def _label(state: str) -> str:
    return legend.STATES[state].label
