"""The map of a change: which cells gain, which lose, which stay as they are."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from spotbeam.control.wording import plain
from spotbeam.land.cells import CellGrid
from spotbeam.report import legend
from spotbeam.report.captions import count
from spotbeam.report.map.map_canvas import (
    WIDTH_IN,
    Panel,
    Sheet,
    box,
    compound,
    compound_of,
    wrapped,
)
from spotbeam.report.map.map_ground import map_ground
from spotbeam.report.map.projection import cell_rings, frame_of
from spotbeam.twin.impact.changed import CellChanges
from spotbeam.twin.impact.kinds import KINDS

_MARGIN_IN = 0.3
_LABELS_IN = 0.25  # degrees of latitude, left of a region
_MOST_HEIGHT_IN = 7.5


class _Look(NamedTuple):
    label: str
    fill: str
    ink: str
    pattern: legend.Pattern


# From the legend of forecasts: what is open there is what is gained here, and so on.
_LOOKS = {
    "same": _Look("stays as it is", legend.WORDS["not_offered"].fill, "none", "plain"),
    "rule": _Look("same answer by another rule", legend.AVAILABILITY_SCALE[-1], "none", "plain"),
    "reason": _Look(
        "another reason",
        legend.WORDS["awaiting_approval"].fill,
        legend.WORDS["awaiting_approval"].ink,
        "back",
    ),
    "eased": _Look("limited less", legend.SATELLITE_SCALE[3], "none", "plain"),
    "limited": _Look(
        "limited more",
        legend.WORDS["at_capacity"].fill,
        legend.WORDS["at_capacity"].ink,
        "dots",
    ),
    "gained": _Look("gains service", legend.WORDS["available"].fill, "none", "plain"),
    "lost": _Look(
        "loses service",
        legend.WORDS["blocked_by_order"].fill,
        legend.WORDS["blocked_by_order"].ink,
        "forward",
    ),
}


def draw_changes(changes: CellChanges, title: str, *, reference: str = "ordinary") -> bytes:
    """The cells of a change as a PNG, about 900 pixels wide at half of its own resolution.

    Args:
        changes: From `cell_changes`; there is at least one cell.
        title: Foreign text is escaped.
        reference: The terminal whose service is drawn, in the phase in which it changes most.
    """
    area = changes.area
    phase = changes.fullest(reference)
    kind = np.array(KINDS, dtype=object)[changes.kind_of(phase, reference)]
    cells = CellGrid(area.cell, area.lat_deg, area.lon_deg, area.area_m2 / 1e6, 0)
    frame = frame_of(cells)
    room = WIDTH_IN - 2 * _MARGIN_IN - 2 * _LABELS_IN
    width = min(room, _MOST_HEIGHT_IN * frame.width / frame.height)
    found = [name for name in _LOOKS if (kind == name).any()]
    lines = wrapped(plain(title), WIDTH_IN - 2 * _MARGIN_IN, 14, bold=True)
    top = 0.42 + 0.26 * len(lines) + 0.18
    height = width * frame.height / frame.width
    sheet = Sheet(top + height + 0.75)
    for number, line in enumerate(lines):
        sheet.text(_MARGIN_IN, 0.40 + 0.26 * number, line, 14, bold=True)
    told = f"Terminal: {plain(reference)}; {changes.phases[phase]}; view: {changes.view}"
    sheet.text(_MARGIN_IN, top - 0.16, told, 8.5, colour=legend.MUTED)
    panel = Panel(sheet, frame, (WIDTH_IN - width) / 2, top, width)
    borders = map_ground(frame, changes.ground)
    land = compound_of(borders.land)
    if land is not None:
        panel.area(land, legend.LAND)
    rings = cell_rings(frame, cells)
    for name in found:
        look = _LOOKS[name]
        path = compound(rings.of(kind == name))
        panel.area(path, look.fill, pattern=look.pattern, ink=look.ink)
    panel.lines(borders.coasts, 0.65, legend.BORDER)
    panel.lines(borders.borders, 0.75, legend.BORDER)
    panel.lines(borders.disputed, 1.0, legend.BORDER, style=(0, (1.2, 1.4)))
    panel.graticule(labels=frame.kind == "region")
    if frame.kind == "region":
        panel.scale_bar()
    panel.rim()
    each = (WIDTH_IN - 2 * _MARGIN_IN) / max(1, len(found))
    for number, name in enumerate(found):
        look, x = _LOOKS[name], _MARGIN_IN + number * each
        y = top + height + 0.30
        box(sheet, x, y, 0.28, 0.19, look.fill, pattern=look.pattern, ink=look.ink)
        sheet.text(x + 0.36, y + 0.09, look.label, 8.5)
        number_of = count(int((kind == name).sum()), "cell")
        sheet.text(x + 0.36, y + 0.23, number_of, 7.5, colour=legend.MUTED)
    return sheet.png()
