"""Drawing on a Matplotlib figure without Matplotlib's global state: panels, patterns, text.

Everything is set here by hand, so that a user's own Matplotlib settings change nothing and the
same forecast gives the same bytes.
"""

from __future__ import annotations

import io
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path as FilePath
from typing import Any, Literal

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.ft2font import FT2Font
from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch, Polygon, Rectangle
from matplotlib.path import Path
from matplotlib.patheffects import withStroke
from PIL import Image

from spotbeam.report import legend
from spotbeam.report.map.graticule import crossing, degrees, graticule
from spotbeam.report.map.palette import reduced
from spotbeam.report.map.projection import EARTH_RADIUS_KM, Floats, Frame, Rings

WIDTH_IN = 9.0  # one inch is a hundred pixels of a README page
DPI = 200
POINT_IN = 1.0 / 72.0

_FONTS = FilePath(matplotlib.get_data_path()) / "fonts" / "ttf"
_HATCHES = {
    "plain": None,
    "dots": "...",
    "cross": "xxx",
    "back": "\\\\\\",
    "forward": "///",
    "level": "---",
    "sparse": "//",
}


@cache
def _face(bold: bool) -> FT2Font:
    return FT2Font(str(_FONTS / ("DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf")))


def font(size_pt: float, *, bold: bool = False) -> FontProperties:
    """The one font of all pictures, which comes with Matplotlib."""
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return FontProperties(fname=str(_FONTS / name), size=size_pt)


def drawable(text: str, *, bold: bool = False) -> str:
    """The text with a box for each character that the font does not have."""
    face = _face(bold)
    flat = " ".join(text.split())
    return "".join(c if face.get_char_index(ord(c)) else "\N{WHITE SQUARE}" for c in flat)


def text_width_in(text: str, size_pt: float, *, bold: bool = False) -> float:
    """Width of a line of text in inches, kerning left out."""
    face = _face(bold)
    face.set_size(size_pt, 72.0)
    units = sum(face.load_char(ord(c)).linearHoriAdvance for c in drawable(text, bold=bold))
    return float(units) / 65536.0 * POINT_IN


def wrapped(text: str, width_in: float, size_pt: float, *, bold: bool = False) -> list[str]:
    """The text in lines that fit; a word too long for a line is cut."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        trial = f"{line} {word}".strip()
        if line and text_width_in(trial, size_pt, bold=bold) > width_in:
            lines.append(line)
            trial = word
        if text_width_in(trial, size_pt, bold=bold) > width_in:
            fits = bisect_left(
                range(1, len(trial)),
                width_in,
                key=lambda n: text_width_in(trial[:n] + "…", size_pt, bold=bold),
            )
            trial = trial[:fits] + "…"
        line = trial
    return [*lines, line] if line else lines


class Sheet:
    """A figure measured in inches from its upper left corner."""

    def __init__(self, height_in: float) -> None:
        self.height_in = height_in
        self.figure = Figure(figsize=(WIDTH_IN, height_in), dpi=DPI, facecolor="white")
        self._canvas = FigureCanvasAgg(self.figure)

    def text(
        self,
        x_in: float,
        y_in: float,
        text: str,
        size_pt: float,
        *,
        bold: bool = False,
        colour: str = legend.INK,
        align: Literal["left", "center", "right"] = "left",
    ) -> None:
        """A line of text; `y_in` is its baseline."""
        self.figure.text(
            x_in / WIDTH_IN,
            1.0 - y_in / self.height_in,
            drawable(text, bold=bold),
            fontproperties=font(size_pt, bold=bold),
            color=colour,
            ha=align,
            va="baseline",
            parse_math=False,
        )

    def axes(self, x_in: float, y_in: float, width_in: float, height_in: float) -> Any:
        """Bare axes; `y_in` is their upper edge."""
        axes = self.figure.add_axes(
            (
                x_in / WIDTH_IN,
                1.0 - (y_in + height_in) / self.height_in,
                width_in / WIDTH_IN,
                height_in / self.height_in,
            )
        )
        axes.set_axis_off()
        return axes

    def png(self) -> bytes:
        """The picture as PNG; the same bytes whenever it is drawn.

        It has a palette of 256 colours, which makes it a third of the size.
        """
        self._canvas.draw()
        pixels = np.asarray(self._canvas.buffer_rgba())[:, :, :3]
        index, palette = reduced(pixels)
        small = Image.fromarray(index)
        small.putpalette(palette.tobytes())
        stream = io.BytesIO()
        small.save(stream, "PNG", optimize=True, dpi=(DPI, DPI))
        return stream.getvalue()


class Panel:
    """A map of one frame on a sheet."""

    def __init__(
        self, sheet: Sheet, frame: Frame, x_in: float, y_in: float, width_in: float
    ) -> None:
        self.frame = frame
        self.width_in = width_in
        self.height_in = width_in * frame.height / frame.width
        self.axes = sheet.axes(x_in, y_in, width_in, self.height_in)
        self.axes.set_xlim(frame.west, frame.east)
        self.axes.set_ylim(frame.south, frame.north)
        x, y = frame.outline()
        edge = Polygon(np.column_stack([x, y]), closed=True, facecolor=legend.SEA, edgecolor="none")
        self.axes.add_patch(edge)
        self._clip = edge

    def rim(self) -> None:
        """The map's edge, drawn last."""
        x, y = self.frame.outline()
        width = 0.7 if self.frame.kind == "world" else 1.2
        self.axes.add_line(Line2D(x, y, color=legend.MUTED, linewidth=width, zorder=20))

    def area(
        self,
        path: Path,
        fill: str,
        *,
        pattern: str = "plain",
        ink: str = "none",
        edge: str | None = None,
        edge_pt: float = 0.0,
    ) -> None:
        """Fill an outline, and draw a pattern over it."""
        flat = PathPatch(path, facecolor=fill, edgecolor="none", linewidth=0)
        self._add(flat)
        if _HATCHES[pattern]:
            lined = PathPatch(
                path, facecolor="none", edgecolor=ink, linewidth=0, hatch=_HATCHES[pattern]
            )
            lined.set_hatch_linewidth(0.7)
            self._add(lined)
        if edge is not None:
            self._add(PathPatch(path, facecolor="none", edgecolor=edge, linewidth=edge_pt))

    def lines(
        self,
        lines: Sequence[Floats],
        width_pt: float,
        colour: str,
        *,
        style: Any = "solid",
        zorder: float = 5.0,
    ) -> None:
        """Draw lines in the frame's coordinates."""
        if len(lines):
            drawn = LineCollection(
                lines, linewidths=width_pt, colors=colour, linestyles=style, zorder=zorder
            )
            drawn.set_capstyle("butt" if style != "solid" else "round")
            self._add(drawn)

    def dots(
        self,
        x: Floats,
        y: Floats,
        *,
        marker: str,
        size_pt: float,
        colour: str,
        hollow: bool = False,
        edge_pt: float = 0.0,
    ) -> None:
        """Draw a mark at each place."""
        drawn = Line2D(
            x,
            y,
            linestyle="none",
            marker=marker,
            markersize=size_pt,
            markerfacecolor="none" if hollow else colour,
            markeredgecolor=colour,
            markeredgewidth=edge_pt,
            zorder=8,
        )
        self._add(drawn)

    def name(
        self, x: float, y: float, lines: list[str], size_pt: float, *, muted: bool = False
    ) -> None:
        """A name on the map, with a pale rim so that it reads over any fill."""
        drawn = self.axes.text(
            x,
            y,
            "\n".join(drawable(line) for line in lines),
            fontproperties=font(size_pt),
            color=legend.INK,
            ha="center",
            va="center",
            linespacing=1.05,
            parse_math=False,
            zorder=9,
            alpha=0.85 if muted else 1.0,
        )
        drawn.set_path_effects([withStroke(linewidth=2.2, foreground="#FFFFFFD0")])

    def graticule(self, *, labels: bool) -> None:
        """Meridians and parallels; on a region, with their degrees along the frame."""
        frame = self.frame
        for kind, value, x, y in graticule(frame):
            self.lines([np.column_stack([x, y])], 0.35, "#4A5A6655", zorder=4.0)
            if not labels:
                continue
            along, across = (y, x) if kind == "meridian" else (x, y)
            edge = frame.south if kind == "meridian" else frame.west
            at = crossing(along, across, edge)
            low, high = (
                (frame.west, frame.east) if kind == "meridian" else (frame.south, frame.north)
            )
            span = high - low
            if at is None or not low + 0.03 * span < at < high - 0.03 * span:
                continue
            below = kind == "meridian"
            self.axes.annotate(
                degrees(kind, value),
                (at, frame.south) if below else (frame.west, at),
                xytext=(0, -3) if below else (-3, 0),
                textcoords="offset points",
                fontproperties=font(7),
                color=legend.MUTED,
                ha="center" if below else "right",
                va="top" if below else "center",
                annotation_clip=False,
            )

    def scale_bar(self) -> None:
        """A bar of a round number of kilometres in the lower right corner."""
        frame = self.frame
        length_km = frame.bar_km()
        length = length_km / EARTH_RADIUS_KM
        right = frame.east - 0.03 * frame.width
        y = frame.south + 0.035 * frame.width
        height = 0.006 * frame.width
        back = Rectangle(
            (right - length - 0.012 * frame.width, y - 0.012 * frame.width),
            length + 0.024 * frame.width,
            0.06 * frame.width,
            facecolor="#FFFFFFCC",
            edgecolor="none",
            zorder=10,
        )
        bar = Rectangle((right - length, y), length, height, facecolor=legend.INK, zorder=11)
        self.axes.add_patch(back)
        self.axes.add_patch(bar)
        self.axes.text(
            right - length / 2.0,
            y + 0.013 * frame.width,
            f"{length_km:g} km",
            fontproperties=font(7.5),
            color=legend.INK,
            ha="center",
            va="bottom",
            zorder=11,
        )

    def _add(self, artist: Any) -> None:
        self.axes.add_artist(artist)
        artist.set_clip_path(self._clip)


def swatch(sheet: Sheet, x_in: float, y_in: float, word: legend.Word) -> None:
    """A sample of a status word's colour and pattern, as the map draws it."""
    box(sheet, x_in, y_in, 0.28, 0.19, word.fill, pattern=word.pattern, ink=word.ink)


def box(
    sheet: Sheet,
    x_in: float,
    y_in: float,
    width_in: float,
    height_in: float,
    fill: str,
    *,
    pattern: str = "plain",
    ink: str = "none",
    edge_pt: float = 0.8,
) -> None:
    """A filled box with a thin edge; `y_in` is its upper edge."""
    west, east = x_in / WIDTH_IN, (x_in + width_in) / WIDTH_IN
    north, south = 1.0 - y_in / sheet.height_in, 1.0 - (y_in + height_in) / sheet.height_in
    square = Path([(west, south), (east, south), (east, north), (west, north), (west, south)])
    parts = [PathPatch(square, facecolor=fill, edgecolor="none", linewidth=0)]
    if _HATCHES[pattern]:
        lined = PathPatch(
            square, facecolor="none", edgecolor=ink, linewidth=0, hatch=_HATCHES[pattern]
        )
        lined.set_hatch_linewidth(0.7)
        parts.append(lined)
    if edge_pt:
        parts.append(PathPatch(square, facecolor="none", edgecolor=legend.MUTED, linewidth=edge_pt))
    for part in parts:
        part.set_transform(sheet.figure.transFigure)
        sheet.figure.add_artist(part)


def compound(rings: Rings) -> Path:
    """Many rings as one outline: neighbours then meet without a seam between them."""
    n_corners, n_rings = len(rings.x), len(rings.start) - 1
    ring = np.repeat(np.arange(n_rings), np.diff(rings.start))
    at = np.arange(n_corners) + ring
    vertices = np.empty((n_corners + n_rings, 2))
    codes = np.full(n_corners + n_rings, Path.LINETO, dtype=np.uint8)
    vertices[at, 0], vertices[at, 1] = rings.x, rings.y
    ends = rings.start[1:] + np.arange(n_rings)
    vertices[ends, 0], vertices[ends, 1] = rings.x[rings.start[:-1]], rings.y[rings.start[:-1]]
    codes[ends] = Path.CLOSEPOLY
    codes[rings.start[:-1] + np.arange(n_rings)] = Path.MOVETO
    return Path(vertices, codes)


def compound_of(lines: Iterable[Floats]) -> Path | None:
    """Closed lines as one outline."""
    paths = [Path(line, closed=True) for line in lines if len(line) > 3]
    return Path.make_compound_path(*paths) if paths else None


def distinct_pixels(
    panel: Panel, x: Floats, y: Floats, per_pixel: float = 0.5
) -> tuple[Floats, Floats]:
    """One point for each small square that has any: a million dots need no million marks."""
    step = panel.frame.width / (panel.width_in * DPI * per_pixel)
    inside: npt.NDArray[np.bool_] = np.isfinite(x) & np.isfinite(y)
    squares = np.floor(np.column_stack([x[inside], y[inside]]) / step)
    found = (np.unique(squares, axis=0) + 0.5) * step
    return found[:, 0], found[:, 1]
