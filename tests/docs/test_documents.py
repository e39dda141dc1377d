"""What the documents show is run: Python, commands and scenarios."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from spotbeam.cli.app import main
from spotbeam.twin.scenario import parse_scenario

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def blocks(language: str) -> list[object]:
    return [
        pytest.param(found[2], id=f"{page.name}:{page.read_text()[: found.start()].count(chr(10))}")
        for page in PAGES
        for found in BLOCK.finditer(page.read_text())
        if found[1] == language
    ]


@pytest.mark.parametrize("source", blocks("python"))
def test_python_runs(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(source, "example", "exec"), {"__name__": "example"})


@pytest.mark.parametrize("session", blocks("console"))
def test_commands_run(
    session: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    commands = [line[2:] for line in session.splitlines() if line.startswith("$ ")]
    assert commands
    for command in commands:
        program, *arguments = shlex.split(command, comments=True)
        if program == "spotbeam" and arguments[:2] != ["elements", "fetch"]:
            assert main(arguments) == 0, command
            assert capsys.readouterr().out


@pytest.mark.parametrize("text", blocks("toml"))
def test_scenarios_are_valid(text: str) -> None:
    if "name" in tomllib.loads(text):
        assert parse_scenario(text, place="example")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target
