"""The report in a real browser: on a phone and a desk, dark, without scripts, without a network."""

import os
import shutil

import pytest
from support.chromium import Chromium
from support.forecasts import small_forecast

from spotbeam.report.map.picture import draw_map
from spotbeam.report.page import report_html

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    program = next((path for name in PROGRAMS if (path := shutil.which(name))), None)
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("Chromium is missing: CI must have it")
        pytest.skip("needs Chromium (as the package chromium of Debian)")
    with Chromium(program, tmp_path_factory.mktemp("profile")) as found:
        yield found


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    world, answer = small_forecast(fleet="<script>document.title='broken'</script>")
    path = tmp_path_factory.mktemp("report") / "report.html"
    page = report_html(world, answer, picture=draw_map(world, answer))
    path.write_text(page, encoding="utf-8")
    return path.as_uri()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_fits_and_asks_nobody(browser, address, width, scripts):
    browser.open(address, width=width, scripts=scripts)
    assert browser.requests == []
    assert browser.complaints == []
    assert browser.value("innerWidth") == width
    assert browser.value("document.documentElement.scrollWidth") == width
    assert browser.value("document.title") == "A small forecast · Spotbeam forecast"
    text = browser.value("document.body.innerText")
    for fact in ("blocked by order", "BLOCKED_COUNTRY", "ua-speed-cap", "sanction:eu-833-2014"):
        assert fact in text
    width_of_map = browser.value("document.querySelector('svg.map').getBoundingClientRect().width")
    assert width_of_map > 0.55 * width
    # Nothing but a box that scrolls by itself may reach beyond the window.
    beyond = browser.value(
        "[...document.querySelectorAll('body *')]"
        ".filter(e => !e.closest('.scroll, .skip, .quiet, svg')"
        f" && e.getBoundingClientRect().right > {width} + 1).map(e => e.outerHTML.slice(0, 80))"
    )
    assert beyond == []


def test_pointing_at_a_cell_says_why(browser, address):
    browser.open(address, width=1280)
    x, y = browser.value(
        """(() => {
            document.documentElement.style.scrollBehavior = "auto";
            const cell = document.querySelector(".c.s-blocked_by_order");
            cell.scrollIntoView({block: "center"});
            const box = cell.getBoundingClientRect();
            return [box.left + box.width / 2, box.top + box.height / 2];
        })()"""
    )
    browser.move_to(x, y)
    said = browser.value("document.querySelector('#cell').innerText")
    assert "blocked by order: an order or sanction denies service on this ground" in said
    assert "rule sanction" in said


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_layers_colour_the_cells_without_scripts(browser, address, dark):
    browser.dark(dark)
    browser.open(address, width=1280, scripts=False)
    fills = """[...new Set([...document.querySelectorAll('.cells .c')].map(
        cell => getComputedStyle(cell).fill))].sort()"""
    status = browser.value(fills)
    assert len(status) == 7
    browser.value("document.querySelector('#layer-satellites').click()")
    satellites = browser.value(fills)
    browser.value("document.querySelector('#layer-availability').click()")
    availability = browser.value(fills)
    assert not set(status) & set(satellites)
    assert len(satellites) > 4
    assert len(availability) == 3
    shown = "getComputedStyle(document.querySelector('.terminals')).display"
    assert browser.value(shown) == "none"
    browser.value("document.querySelector('#layer-terminals').click()")
    assert browser.value(shown) == "inline"
    browser.dark(False)


def test_the_keyboard_reaches_everything(browser, address):
    browser.open(address, width=1280)
    reached = browser.value(
        "[...document.querySelectorAll('a, input, summary, [tabindex=\"0\"]')]"
        ".filter(e => e.tabIndex < 0).length"
    )
    assert reached == 0
    first = browser.value("document.querySelector('a').textContent")
    assert first == "Skip to the content"
