import io
import itertools

import matplotlib
import numpy as np
import pyproj
import pytest
import shapely
from matplotlib.image import imread
from support.forecasts import small_forecast

from spotbeam.land import borders, views
from spotbeam.land.cells import cells_in, cells_of_world
from spotbeam.report import legend
from spotbeam.report.bands import availability_bands, satellite_bands
from spotbeam.report.map.map_canvas import (
    DPI,
    Panel,
    Sheet,
    compound,
    distinct_pixels,
    text_width_in,
    wrapped,
)
from spotbeam.report.map.map_ground import map_ground
from spotbeam.report.map.picture import draw_map
from spotbeam.report.map.projection import (
    Frame,
    cell_rings,
    equal_earth,
    frame_of,
    lambert_equal_area,
)
from spotbeam.service.status import PUBLIC_WORDS
from spotbeam.twin.tables import TERMINAL_STATES

# --- Colours ---------------------------------------------------------------------------------

# Machado, Oliveira and Fernandes (2009), severity 1.0, on linear RGB.
SIGHTS = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}


def linear(colour):
    value = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255.0
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    to_xyz = np.array(
        [
            [0.4124564, 0.3575761, 0.1804375],
            [0.2126729, 0.7151522, 0.0721750],
            [0.0193339, 0.1191920, 0.9503041],
        ]
    )
    x = to_xyz @ np.clip(rgb, 0, 1) / np.array([0.95047, 1.0, 1.08883])
    f = np.where(x > 216 / 24389, np.cbrt(x), (24389 / 27 * x + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def ciede2000(one, other):
    """Sharma, Wu and Dalal, "The CIEDE2000 color-difference formula" (2005)."""
    (l1, a1, b1), (l2, a2, b2) = one, other
    mean_c7 = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    g = 0.5 * (1 - np.sqrt(mean_c7 / (mean_c7 + 25.0**7)))
    a1, a2 = (1 + g) * a1, (1 + g) * a2
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = np.degrees(np.arctan2(b1, a1)) % 360, np.degrees(np.arctan2(b2, a2)) % 360
    turn = 0.0 if c1 * c2 == 0 else (h2 - h1 + 180) % 360 - 180
    dl, dc, dh = l2 - l1, c2 - c1, 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2))
    lm, cm = (l1 + l2) / 2, (c1 + c2) / 2
    hm = h1 + h2 if c1 * c2 == 0 else (h1 + turn / 2) % 360
    t = (
        1
        - 0.17 * np.cos(np.radians(hm - 30))
        + 0.24 * np.cos(np.radians(2 * hm))
        + 0.32 * np.cos(np.radians(3 * hm + 6))
        - 0.20 * np.cos(np.radians(4 * hm - 63))
    )
    sl = 1 + 0.015 * (lm - 50) ** 2 / np.sqrt(20 + (lm - 50) ** 2)
    sc, sh = 1 + 0.045 * cm, 1 + 0.015 * cm * t
    rt = (
        -2
        * np.sqrt(cm**7 / (cm**7 + 25.0**7))
        * np.sin(np.radians(60 * np.exp(-(((hm - 275) / 25) ** 2))))
    )
    return np.sqrt((dl / sl) ** 2 + (dc / sc) ** 2 + (dh / sh) ** 2 + rt * (dc / sc) * (dh / sh))


def test_the_measure_of_colour_difference_agrees_with_its_authors():
    # Sharma, Wu and Dalal (2005), table 1, pairs 1, 7, 17 and 25.
    for one, other, difference in (
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, 0.0, 0.0), (50.0, -1.0, 2.0), 2.3669),
        ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ):
        assert ciede2000(one, other) == pytest.approx(difference, abs=1e-4)


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize(
    "colours",
    [
        [word.fill for word in legend.WORDS.values()],
        [word.dark_fill for word in legend.WORDS.values()],
        [state.colour for state in legend.STATES.values()],
    ],
    ids=["words", "words on a dark page", "states"],
)
def test_colours_stay_apart_for_every_sight(colours, sight):
    seen = [lab(SIGHTS[sight] @ linear(colour)) for colour in colours]
    assert min(ciede2000(a, b) for a, b in itertools.combinations(seen, 2)) > 20


@pytest.mark.parametrize("scale", [legend.SATELLITE_SCALE, legend.AVAILABILITY_SCALE])
@pytest.mark.parametrize("sight", SIGHTS)
def test_scales_run_from_light_to_dark_for_every_sight(scale, sight):
    lightness = [lab(SIGHTS[sight] @ linear(colour))[0] for colour in scale]
    steps = np.diff(lightness)
    assert (np.abs(steps) > 3).all()
    assert len(set(np.sign(steps))) == 1


def test_colour_never_stands_alone():
    patterns = [word.pattern for word in legend.WORDS.values()]
    assert len(set(patterns)) == len(patterns)
    assert len({state.marker for state in legend.STATES.values()}) == len(legend.STATES)


def test_every_word_of_the_product_has_a_look():
    assert tuple(legend.WORDS) == PUBLIC_WORDS
    assert tuple(legend.STATES) == TERMINAL_STATES


# --- Projections -----------------------------------------------------------------------------


def test_projections_agree_with_proj():
    rng = np.random.default_rng(7)
    lat, lon = np.degrees(np.arcsin(rng.uniform(-1, 1, 500))), rng.uniform(-180, 180, 500)
    world = pyproj.Proj("+proj=eqearth +R=1")
    np.testing.assert_allclose(equal_earth(lat, lon), world(lon, lat), atol=1e-9)
    near = pyproj.Proj("+proj=laea +R=1 +lat_0=-40 +lon_0=171")
    drawn = np.array(lambert_equal_area(lat, lon, -40.0, 171.0))
    seen = np.isfinite(drawn[0])
    assert 0.7 < seen.mean() < 0.8  # a cap of 120 degrees holds three quarters of a sphere
    np.testing.assert_allclose(drawn[:, seen], np.array(near(lon, lat))[:, seen], atol=1e-9)


def test_a_region_across_the_antimeridian_is_one_piece():
    west, east = (
        cells_in(shapely.box(*box), 3) for box in ((176, -20, 180, -14), (-180, -20, -177, -14))
    )
    grid = cells_in(
        shapely.union_all([shapely.box(176, -20, 180, -14), shapely.box(-180, -20, -177, -14)]), 3
    )
    assert len(grid) == len(west) + len(east)
    frame = frame_of(grid)
    assert frame.kind == "region"
    assert np.degrees(frame.width) < 12
    rings = cell_rings(frame, grid)
    assert np.ptp(rings.x) < frame.width


@pytest.mark.parametrize("pole", [90.0, -90.0])
def test_a_region_around_a_pole_is_round(pole):
    south, north = min(pole, pole * 0.9), max(pole, pole * 0.9)
    grid = cells_in(shapely.box(-180, south, 180, north), 2)
    frame = frame_of(grid)
    assert frame.kind == "region"
    assert frame.width == pytest.approx(frame.height, rel=0.15)


@pytest.mark.parametrize("region", [True, False])
def test_cells_are_drawn_with_the_area_that_they_have(region):
    """Both projections keep areas, so pixels must be in proportion to square kilometres."""
    grid = cells_in(shapely.box(10, -40, 60, 40), 2) if region else cells_of_world(2)
    frame = frame_of(grid)
    assert frame.kind == ("region" if region else "world")
    sheet = Sheet(9.0 * frame.height / frame.width)
    panel = Panel(sheet, frame, 0.0, 0.0, 9.0)
    panel.area(compound(cell_rings(frame, grid)), "#FF0000")
    pixels = imread(io.BytesIO(sheet.png()))[:, :, :3]
    red = np.isclose(pixels, [1.0, 0.0, 0.0], atol=0.02).all(axis=2).sum()
    per_pixel = (frame.width * 6371.007 / (9.0 * DPI)) ** 2
    assert red * per_pixel == pytest.approx(grid.area_km2.sum(), rel=0.01)


# --- Bands -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "mean",
    [np.array([0.0]), np.array([7.0, 7.0]), np.linspace(0, 8, 101), np.linspace(19.9, 61.3, 50)],
)
def test_every_cell_is_in_one_step_of_the_satellite_scale(mean):
    bands = satellite_bands(mean)
    assert len(bands) <= len(legend.SATELLITE_SCALE)
    assert (np.sum([band.cells for band in bands], axis=0) == 1).all()
    assert len({band.tone for band in bands}) == len(bands)
    for band in bands:
        low, high = (float(part) for part in band.label.split("–"))
        assert ((mean[band.cells] > low - 1e-6) & (mean[band.cells] < high + 1e-6)).all()


def test_only_a_full_window_is_a_hundred_per_cent():
    fraction = np.array([0.0, 1e-9, 0.5, 0.500001, 0.9, 0.99, 0.999, 0.9999, 1 - 1e-9, 1.0])
    labels = np.empty(len(fraction), dtype=object)
    for band in availability_bands(fraction):
        labels[band.cells] = band.label
    assert labels.tolist() == [
        "0", "<50", "<50", "<90", "<90", "<99", "<99.9", "<100", "<100", "100",
    ]  # fmt: skip


# --- Borders ---------------------------------------------------------------------------------


def test_borders_are_whole_and_disputed_ones_are_told_apart():
    world, _ = small_forecast()
    frame = frame_of(world.cells)
    ground = map_ground(frame, world.ground)
    seen = views.view("un")

    def drawn(territory):
        shapes = borders.piece_geometries()[list(seen.pieces_of(territory))]
        whole = shapely.union_all(shapes)
        return shapely.transform(
            whole, lambda xy: np.column_stack(frame.project(xy[:, 1], xy[:, 0]))
        ).boundary

    def near(lines):
        return shapely.union_all([shapely.LineString(line) for line in lines]).buffer(
            frame.width / 1000
        )

    window = shapely.box(frame.west, frame.south, frame.east, frame.north)
    country = drawn("UA") & window
    every = near(ground.coasts + ground.borders + ground.disputed)
    assert (country - every).length < 0.001 * country.length
    isthmus = (drawn("x-crimea") & window) - near(ground.coasts)
    assert isthmus.length > 0
    assert (isthmus - near(ground.disputed)).length < 0.05 * isthmus.length
    assert {"Crimea and Sevastopol", "Ukraine"} <= {label.text for label in ground.labels}


# --- The picture -----------------------------------------------------------------------------


def test_the_picture_shows_every_status_and_is_the_same_every_time():
    world, answer = small_forecast()
    picture = draw_map(world, answer)
    settings = {"font.size": 30, "hatch.linewidth": 9, "lines.linewidth": 9, "axes.facecolor": "r"}
    with matplotlib.rc_context(settings):
        assert draw_map(world, answer) == picture
    pixels = (imread(io.BytesIO(picture))[:, :, :3] * 255).round().astype(int)
    assert pixels.shape[1] == 1800
    for word in legend.WORDS.values():
        colour = [int(word.fill[i : i + 2], 16) for i in (1, 3, 5)]
        assert (pixels == colour).all(axis=2).sum() > 5000, word.label


@pytest.mark.parametrize("title", ["$x_1$ \\alpha_ 第一\n第二 🛰 <b> " + "word " * 60, "x" * 400])
def test_any_title_can_be_drawn(title):
    world, answer = small_forecast(title=title, fleet=title, terminals=True)
    assert draw_map(world, answer).startswith(b"\x89PNG")


def test_a_picture_of_the_world_and_of_no_terminals_can_be_drawn():
    world, answer = small_forecast(cells=cells_of_world(1), terminals=False, resolution=1)
    assert draw_map(world, answer).startswith(b"\x89PNG")


def test_a_million_dots_are_no_more_marks_than_there_are_pixels():
    frame = Frame("region", 0.0, 0.0, 0.0, 0.0, 1.0, 1.0)
    panel = Panel(Sheet(3.0), frame, 0.0, 0.0, 2.0)
    rng = np.random.default_rng(1)
    x, y = rng.uniform(0, 1, 1_000_000), rng.uniform(0, 1, 1_000_000)
    at_x, at_y = distinct_pixels(panel, x, y)
    assert len(at_x) <= (2.0 * DPI * 0.5) ** 2
    assert np.abs(at_x - 0.5).max() <= 0.5
    assert np.abs(at_y - 0.5).max() <= 0.5


def test_text_is_wrapped_to_its_room():
    lines = wrapped("one two three four five six seven", 0.8, 9)
    assert " ".join(lines) == "one two three four five six seven"
    assert len(lines) > 2
    assert wrapped("", 1.0, 9) == []
    (cut,) = wrapped("x" * 400, 2.0, 9)
    assert cut.endswith("x…")
    assert 1.9 < text_width_in(cut, 9) <= 2.0
