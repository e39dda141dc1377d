"""What docs/switch.md shows is what the commands read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from spotbeam.cli.app import app
from spotbeam.control.drafts import parse_draft
from spotbeam.control.founding import parse_roster

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "switch.md").read_text(encoding="utf-8")
TOML = re.findall(r"^```toml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
SHELL = re.findall(r"^```(?:sh|console)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
COMMANDS = re.findall(r"^(?:\$ )?(spotbeam .*?)(?<!\\)$", "".join(SHELL), re.DOTALL | re.MULTILINE)


def test_the_roster_is_one() -> None:
    roster = parse_roster(TOML[0], "roster.toml")
    assert [person.id for person in roster.person] == ["ada", "bo", "cy", "rex"]


@pytest.mark.parametrize("text", TOML[1:])
def test_the_drafts_are_drafts(text: str) -> None:
    draft = parse_draft(text, "draft.toml", emergency="lasts" in text.splitlines()[0])
    assert draft.rules or draft.close_log


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_and_their_options_are_there(command: str) -> None:
    words = re.sub(r"\\\n\s*|\s+#.*", " ", command)
    tokens = re.findall(r"'[^']*'|\"[^\"]*\"|\S+", words)[1:]
    app.parse_args([token.strip("'\"") for token in tokens], exit_on_error=False, print_error=False)


def test_every_writing_command_is_on_the_page() -> None:
    for words in (
        "key new", "key show", "key prove", "key passkey", "init", "join", "roster show",
        "roster revoke", "request new", "request list", "request refuse", "change propose",
        "change preview", "change approve", "change reject", "change show", "change list",
        "emergency propose", "emergency review", "seal", "open", "witness", "log",
        "succession write", "succession sign", "succession begin",
    ):  # fmt: skip
        assert f"spotbeam {words}" in PAGE, words
