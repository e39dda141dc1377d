"""What the pages on accounts, alerts and publishing show is what the commands read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from spotbeam.cli.accounts import _ALONE, _NOUNS
from spotbeam.cli.app import app
from spotbeam.watch.rules import RULES

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = {
    name: (DOCS / f"{name}.md").read_text("utf-8") for name in ("accounts", "alerts", "public")
}
SHELL = re.findall(r"^```sh\n(.*?)^```", "\n".join(PAGES.values()), re.DOTALL | re.MULTILINE)
COMMANDS = re.findall(r"^(spotbeam .*?)(?<!\\)$", "".join(SHELL), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_and_their_options_are_there(command: str) -> None:
    words = re.sub(r"\\\n\s*|\s+#.*", " ", command)
    tokens = re.findall(r"'[^']*'|\"[^\"]*\"|\S+", words)[1:]
    app.parse_args([token.strip("'\"") for token in tokens], exit_on_error=False, print_error=False)


def test_every_command_is_on_a_page() -> None:
    text = "\n".join(PAGES.values())
    for noun, (_, verbs) in _NOUNS.items():
        assert any(f"spotbeam {noun} {verb}" in text for verb in verbs), noun
    for name in _ALONE:
        assert f"spotbeam {name}" in text, name


def test_every_rule_is_explained_at_its_level() -> None:
    rows = dict(re.findall(r"^\| (A\d+) \| (\w+) \|", PAGES["alerts"], re.MULTILINE))
    assert rows == {rule.id: rule.level for rule in RULES.values()}
