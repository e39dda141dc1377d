"""From a key file to somebody's hand: a file key signs at once, a passkey asks on a page."""

from __future__ import annotations

import sys
import webbrowser
from collections.abc import Callable
from pathlib import Path

from spotbeam.assembly.key_files import PersonalKey, read_key_file
from spotbeam.assembly.workspace import Workspace
from spotbeam.control.hand import Hand, file_hand
from spotbeam.control.passkeys import passkey_hand
from spotbeam.control.wording import plain
from spotbeam.errors import InputError
from spotbeam.governance.entries.people import PasskeyKey, PasskeyProof

Facts = tuple[tuple[str, str], ...]
_SUFFIXES = (".key", ".passkey")


class Signing:
    """Whose key signs, and what a passkey's page shows.

    Args:
        found: The key.
        browser: Whether to open the page in a browser.
        title: The page's title.
        facts: Label and value of what is signed, in plain words; may be set until it is signed.
        sections: Further text: title, text, whether it is only somebody's claim.
    """

    def __init__(self, found: PersonalKey, *, browser: bool = True) -> None:
        self.found = found
        self.browser = browser
        self.title = "Sign an entry of the record"
        self.facts: Facts = ()
        self.sections: tuple[tuple[str, str, bool], ...] = ()

    @property
    def person(self) -> str:
        """Who signs."""
        return self.found.person

    @property
    def hand(self) -> Hand:
        """Their hand."""
        if self.found.signer is not None:
            return file_hand(self.found.person, self.found.signer)
        assert isinstance(self.found.key, PasskeyKey)
        return passkey_hand(self.found.person, self.found.key, self._ask)

    def _ask(self, key: PasskeyKey, text: bytes) -> PasskeyProof:
        from spotbeam.http.passkey_page import Section, Shown, sign  # file keys need no server

        sections = tuple(
            Section(title=title, text=words, is_claim=is_claim)
            for title, words, is_claim in self.sections
        )
        facts = (("you are", self.found.person), *self.facts)
        shown = Shown(title=plain(self.title), facts=facts, sections=sections)
        return sign(key, text, shown, announce=announcer(browser=self.browser))


def signing(
    workspace: Workspace | None, person: str | None, key: Path | None, *, browser: bool = True
) -> Signing:
    """Whoever signs, by their id, their key file, or both.

    Args:
        workspace: In whose `keys/` a key is looked for that was not named.
        person: Their id; None: the key file's own.
        key: Their key file.
        browser: Whether to open a passkey's page in a browser.

    Raises:
        InputError: Neither is given, the file is no key that can sign, or it is somebody else's.
    """
    if key is None:
        key = _key_of(workspace, person)
    found = read_key_file(key)
    if found.signer is None and found.proof is not None:
        raise InputError(
            "is a proof of possession; it cannot sign",
            place=str(key),
            hint="name the key file, as ada.key or ada.passkey",
        )
    if person is not None and person != found.person:
        raise InputError(
            f"the key is {found.person}'s, not {person}'s", place=str(key), hint="see --as, --key"
        )
    return Signing(found, browser=browser)


def announcer(*, browser: bool) -> Callable[[str], object]:
    """Says where a page is, and opens it."""

    def announce(address: str) -> None:
        print(f"Your passkey is asked for on this machine: {address}", file=sys.stderr, flush=True)
        if browser:
            webbrowser.open(address)

    return announce


def _key_of(workspace: Workspace | None, person: str | None) -> Path:
    if person is None:
        raise InputError("who signs is not said", hint="give --as PERSON, --key FILE, or both")
    folder = Path() if workspace is None else workspace.keys
    for suffix in _SUFFIXES:
        path = folder / f"{person}{suffix}"
        if path.is_file():
            return path
    raise InputError(
        f"there is no key of {person!r} in {folder}",
        hint="name it with --key, or make one: `spotbeam key new`",
    )
