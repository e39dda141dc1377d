"""Accounts side by side, as a terminal shows them."""

from __future__ import annotations

from spotbeam.chronicle.contesting import accounts
from spotbeam.chronicle.reading import Chronicle
from spotbeam.chronicle.sides import STATUS_WORDS, accounts_lines
from spotbeam.cli.output import say


def show_accounts(chronicle: Chronicle, about: str) -> None:
    """Say who says what about an event; nothing where nobody says anything."""
    found = accounts(chronicle, about)
    if not found.voices:
        return
    say("")
    say(f"What is said about it ({STATUS_WORDS[found.status]}):")
    for line in accounts_lines(chronicle, found):
        say(f"  {line}")
