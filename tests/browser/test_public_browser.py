"""The public site in a real browser: phone and desk, without scripts, judged by axe-core."""

from __future__ import annotations

import functools
import http.server
import os
import shutil
import threading
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest
from support.chromium import Chromium
from support.edge_records import publish
from support.episodes import Episodes

from spotbeam.cli.app import main

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PAGES = (
    "index.html",
    "territory/UA-43.html",
    "territory/UA-63.html",
    "requests.html",
    "accounts.html",
    "alerts.html",
    "who.html",
    "party/owner.html",
    "party/cy.html",
    "how-to-check.html",
)
QUESTIONS = (
    "Is it on?",
    "Since when?",
    "Who asked?",
    "Who decided?",
    "What do others say?",
    "How do I check?",
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    program = next((path for name in PROGRAMS if (path := shutil.which(name))), None)
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("Chromium is missing: CI must have it")
        pytest.skip("needs Chromium (as the package chromium of Debian)")
    with Chromium(program, tmp_path_factory.mktemp("profile")) as found:
        yield found


@pytest.fixture(scope="module")
def played() -> Episodes:
    return Episodes()


@pytest.fixture(scope="module")
def site(played: Episodes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The site as any file server shows it."""
    folder = tmp_path_factory.mktemp("published")
    publish(played.world, folder / "record")
    assert main(["publish", str(folder / "site"), "--source", str(folder / "record")]) == 0

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(folder / "site"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()


def entry_pages(played: Episodes) -> list[str]:
    seen = played.world.now.seen
    return [f"entry/{seen[played.events[name]]}.html" for name in ("contacts", "coast", "cut")]


@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits_asks_nobody_else_and_needs_no_script(
    browser: Chromium, site: str, played: Episodes, width: int
) -> None:
    for path in (*PAGES, *entry_pages(played)):
        browser.open(f"{site}/{path}", width=width, scripts=False)
        assert browser.complaints == [], path
        assert {each.rsplit("/", 1)[1] for each in browser.requests} == {"style.css"}
        assert browser.value("document.documentElement.scrollWidth") <= width, path
        assert browser.value("document.scripts.length") == 0
        assert browser.value("document.querySelectorAll('h1').length") == 1


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 800)])
@pytest.mark.parametrize("place", ["UA-43", "UA-63", "TW"])
def test_six_questions_are_answered_on_the_first_screen(
    browser: Chromium, site: str, place: str, width: int, height: int
) -> None:
    browser.open(f"{site}/territory/{place}.html", width=width, height=height, scripts=False)
    shown = browser.value(
        "[...document.querySelectorAll('.answers > div')]"
        f".filter(e => e.getBoundingClientRect().bottom <= {height})"
        ".map(e => [e.querySelector('dt').innerText, e.querySelector('dd').innerText])"
    )
    assert tuple(question for question, _ in shown) == QUESTIONS
    assert all(answer.strip() for _, answer in shown)


def test_what_it_answers(browser: Chromium, site: str) -> None:
    answers = {}
    for place in ("UA-43", "UA-63", "UA-65"):
        browser.open(f"{site}/territory/{place}.html", width=1280, scripts=False)
        answers[place] = browser.value("document.querySelector('.answers').innerText")
    assert "No: no rule grants service" in answers["UA-43"]
    assert "The ministry, to activate: refused" in answers["UA-43"]
    assert "cy refused" in answers["UA-43"]
    assert "Contacts between the owner and a head of state" in answers["UA-43"]
    assert "Yes: service is granted" in answers["UA-63"]
    assert "signed by bo, cy" in answers["UA-63"]
    assert "signed by dee, eli" in answers["UA-65"]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing(browser: Chromium, site: str, played: Episodes, dark: bool) -> None:
    axe = resources.files("axe_core_python").joinpath("axe.min.js").read_text("utf-8")
    browser.dark(dark)
    for path in (*PAGES, *entry_pages(played)):
        browser.open(f"{site}/{path}", width=1280)
        browser.value(axe + ";0")
        answer = browser.call(
            "Runtime.evaluate",
            expression="axe.run().then(r => r.violations.map("
            "v => v.id + ': ' + v.nodes.map(n => n.html).join(' | ').slice(0, 300)))",
            awaitPromise=True,
            returnByValue=True,
        )
        assert answer["result"]["value"] == [], path
    browser.dark(False)


def test_axe_would_find_something(browser: Chromium, tmp_path: Path) -> None:
    """The judge is awake: it objects to a page that deserves it."""
    bad = tmp_path / "bad.html"
    bad.write_text("<html><body><img src='data:,'><p style='color:#ccc'>faint</p></body></html>")
    axe = resources.files("axe_core_python").joinpath("axe.min.js").read_text("utf-8")
    browser.open(bad.as_uri(), width=800)
    browser.value(axe + ";0")
    answer = browser.call(
        "Runtime.evaluate",
        expression="axe.run().then(r => r.violations.map(v => v.id))",
        awaitPromise=True,
        returnByValue=True,
    )
    assert {"image-alt", "color-contrast", "html-has-lang"} <= set(answer["result"]["value"])
