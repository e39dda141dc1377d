"""The cells as a drawing inside the page: each one says, when pointed at, what it has and why."""

from __future__ import annotations

import textwrap
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spotbeam.report import legend
from spotbeam.report.bands import Band, availability_bands, satellite_bands
from spotbeam.report.map.map_ground import MapGround, map_ground
from spotbeam.report.map.projection import EARTH_RADIUS_KM, Floats, Frame, cell_rings, frame_of
from spotbeam.report.page.drawn_cells import DrawnCells, drawn_cells
from spotbeam.report.page.markup import Markup, join, safe, tag
from spotbeam.twin.forecast import Answer
from spotbeam.twin.world import World

_WIDTH = 9600  # units of the drawing: ten to a pixel at its largest, so that whole numbers do


class CellMap(NamedTuple):
    """The drawing, and the scales of its other two layers."""

    svg: Markup
    satellites: list[Band]
    availability: list[Band]


class _Pen:
    """From the frame's coordinates to whole units of the drawing, y downwards."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.height = max(1, round(_WIDTH * frame.height / frame.width))

    def units(self, x: Floats, y: Floats) -> npt.NDArray[np.int64]:
        """Shape (n, 2)."""
        scale = _WIDTH / self.frame.width
        return np.rint(
            np.column_stack([(x - self.frame.west) * scale, (self.frame.north - y) * scale])
        ).astype(np.int64)

    def path(self, lines: list[Floats], *, closed: bool = False) -> str:
        """Lines in the frame's coordinates as path data."""
        parts = []
        for line in lines:
            points = self.units(line[:, 0], line[:, 1])
            keep = np.any(np.diff(points, axis=0, prepend=points[:1] - 1) != 0, axis=1)
            if keep.sum() > 1:
                parts.append(_relative(points[keep]) + ("z" if closed else ""))
        return "".join(parts)


def _relative(points: npt.NDArray[np.int64]) -> str:
    """Path data with steps in place of positions, which are shorter."""
    (x, y), steps = points[0].tolist(), np.diff(points, axis=0).tolist()
    text = " ".join(f"{dx} {dy}" for dx, dy in steps)
    return f"M{x} {y}l{text}".replace(" -", "-")


def cell_map(world: World, answer: Answer) -> CellMap:
    """The drawing of all cells, or of groups of them, with borders and terminals."""
    drawn = drawn_cells(world, answer)
    frame = frame_of(drawn.cells)
    pen = _Pen(frame)
    ground = map_ground(frame, world.ground)
    satellites = satellite_bands(drawn.satellites_mean)
    availability = availability_bands(drawn.available_fraction)
    cells = _cells(drawn, pen, satellites, availability)
    body = join(
        (
            _definitions(pen),
            _shape("path", pen.path(ground.land, closed=True), class_="land"),
            tag("g", cells, class_="cells", clip_path="url(#rim)"),
            _lines(pen, ground),
            _terminals(answer, pen),
            _names(pen, ground) if frame.kind == "region" else None,
            _scale_bar(pen) if frame.kind == "region" else None,
        )
    )
    svg = tag(
        "svg",
        tag("title", "Map of the cells", id="map-title"),
        tag(
            "desc",
            "Each cell is coloured and patterned by its public status; the tables below hold the "
            "same facts.",
            id="map-desc",
        ),
        body,
        viewBox=f"0 0 {_WIDTH} {pen.height}",
        role="img",
        aria_labelledby="map-title map-desc",
        class_=f"map {frame.kind}{' fine' if _is_fine(drawn, frame) else ''}",
    )
    return CellMap(svg, satellites, availability)


def _is_fine(drawn: DrawnCells, frame: Frame) -> bool:
    """Whether cells are so small that an edge around each would hide them."""
    width_km = float(np.sqrt(np.median(drawn.cells.area_km2)))
    return width_km / EARTH_RADIUS_KM / frame.width * _WIDTH < 170.0


def _shape(name: str, path: str, **attributes: object) -> Markup:
    return tag(name, d=path, **attributes) if path else Markup("")


def _definitions(pen: _Pen) -> Markup:
    """The patterns of the status words, in colours that the style sheet sets."""
    found = [Markup(f'<clipPath id="rim">{_outline(pen)}</clipPath>')]
    for name, word in legend.WORDS.items():
        marks = _PATTERN_MARKS[word.pattern]
        if marks:
            found.append(
                Markup(
                    f'<pattern id="p-{name}" class="p-{name}" width="120" height="120" '
                    f'patternUnits="userSpaceOnUse">{marks}</pattern>'
                )
            )
    return join((tag("defs", *found), _outline(pen, class_="sea")))


def _outline(pen: _Pen, **attributes: object) -> Markup:
    x, y = pen.frame.outline()
    return _shape("path", pen.path([np.column_stack([x, y])], closed=True), **attributes)


_PATTERN_MARKS = {
    "plain": "",
    "dots": '<path class="dot" d="M13 30a17 17 0 1 0 34 0a17 17 0 1 0-34 0'
    'M73 90a17 17 0 1 0 34 0a17 17 0 1 0-34 0"/>',
    "cross": '<path class="ink" d="M0 0l120 120M120 0L0 120"/>',
    "back": '<path class="ink" d="M0 0l120 120M-30 90l60 60M90-30l60 60"/>',
    "forward": '<path class="ink" d="M0 120L120 0M-30 30L30-30M90 150l60-60"/>',
    "level": '<path class="ink" d="M0 30h120M0 90h120"/>',
    "sparse": '<path class="ink thin" d="M0 120L120 0"/>',
}


def _cells(
    drawn: DrawnCells, pen: _Pen, satellites: list[Band], availability: list[Band]
) -> Markup:
    rings = cell_rings(pen.frame, drawn.cells)
    points = pen.units(rings.x, rings.y)
    shapes: list[list[str]] = [[] for _ in drawn.status]
    for ring, owner in enumerate(rings.owner.tolist()):
        shapes[owner].append(_relative(points[rings.start[ring] : rings.start[ring + 1]]) + "z")
    by_satellites, by_availability = _numbers(satellites), _numbers(availability)
    paths = [
        f'<path class="c s-{safe(name)} v{by_satellites[i]} a{by_availability[i]}" '
        f'd="{"".join(shapes[i])}"><title>{safe(drawn.titles[i])}</title></path>'
        for i, name in enumerate(drawn.status)
    ]
    # The patterns lie over all cells of a status at once: one for each would make the page heavy
    # to draw and, printed, enormous.
    for name in legend.in_rank(drawn.status):
        if legend.word_of(name).pattern != "plain":
            outline = "".join(
                part for at, of in enumerate(drawn.status) if of == name for part in shapes[at]
            )
            paths.append(f'<path class="o o-{safe(name)}" d="{outline}"/>')
    return Markup("\n".join(paths))


def _numbers(bands: list[Band]) -> list[int]:
    found = np.zeros(len(bands[0].cells) if bands else 0, dtype=np.int64)
    for band in bands:
        found[band.cells] = band.tone
    return found.tolist()


def _lines(pen: _Pen, ground: MapGround) -> Markup:
    parts = [
        _shape("path", pen.path(ground.coasts), class_="line coast"),
        _shape("path", pen.path(ground.borders), class_="line border"),
        _shape("path", pen.path(ground.disputed), class_="line disputed"),
        _shape("path", pen.path(ground.own), class_="line own"),
        _outline(pen, class_="rim"),
    ]
    return tag("g", *parts, class_="lines", clip_path="url(#rim)")


_MARKS = {
    "dot": "h0",
    "square": "h0",
    "ring": "m-18 0a18 18 0 1 0 36 0a18 18 0 1 0-36 0",
    "triangle": "m0-22l20 34h-40z",
    "cross": "m-22-22l44 44m0-44l-44 44",
}


def _terminals(answer: Answer, pen: _Pen) -> Markup | None:
    """A mark for each terminal, one path a state; those that fall together are one mark."""
    table = answer.terminals
    if not table.num_rows:
        return None
    x, y = pen.frame.project(table["lat_deg"].to_numpy(), table["lon_deg"].to_numpy())
    state = np.array(table["state"].to_pylist(), dtype=object)
    inside = np.isfinite(x) & np.isfinite(y)
    paths = []
    for name, look in legend.STATES.items():
        chosen = inside & (state == name)
        if chosen.any():
            points = np.unique(pen.units(x[chosen], y[chosen]) // 20 * 20 + 10, axis=0).tolist()
            marks = "".join(f"M{at_x} {at_y}{_MARKS[look.marker]}" for at_x, at_y in points)
            paths.append(_shape("path", marks, class_=f"t t-{name}"))
    return tag("g", *paths, class_="terminals")


def _names(pen: _Pen, ground: MapGround) -> Markup:
    scale = _WIDTH / pen.frame.width
    found = []
    for label in ground.labels:
        room = label.room * scale
        lines = textwrap.wrap(label.text, max(10, int(room / 40)), break_long_words=False)
        is_tight = room < 130 or max(map(len, lines)) * 75 > 3.4 * room or len(lines) > 2
        if is_tight and label.of != "own":
            continue
        x, y = pen.units(np.array([label.x]), np.array([label.y]))[0].tolist()
        half = 40 * max(map(len, lines))
        if x < half or x > _WIDTH - half:
            continue
        kind = "small" if room < 420 else None
        first = y - 75 * (len(lines) - 1)
        spans = [tag("tspan", line, x=x, y=first + 150 * i) for i, line in enumerate(lines)]
        found.append(tag("text", *spans, class_=kind))
    return tag("g", *found, class_="names")


def _scale_bar(pen: _Pen) -> Markup:
    length_km = pen.frame.bar_km()
    length = round(length_km / EARTH_RADIUS_KM * _WIDTH / pen.frame.width)
    right, y = _WIDTH - 220, pen.height - 200
    bar = _shape("path", f"M{right - length} {y}v60h{length}v-60", class_="bar")
    text = tag("text", f"{length_km:g} km", x=right - length // 2, y=y - 40)
    return tag("g", bar, text, class_="scale")
