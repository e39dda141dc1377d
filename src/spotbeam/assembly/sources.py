"""Where a record comes from: a folder here, or a plain web server somewhere.

A source is opened once and read through one function, `Fetch`; whatever is read stays unbelieved
until it leads to a signed root. One reading has one checkpoint: a log that grows meanwhile does
not move under a reader's feet.
"""

from __future__ import annotations

from pathlib import Path

from spotbeam.errors import InputError, MissingRecord
from spotbeam.record import disk
from spotbeam.record.tile_reader import Fetch, directory
from spotbeam.record.tiles import CHECKPOINT_PATH, parse_tile_path

HOW = "give the folder that holds `checkpoint` and `tile/`, or its address as http://…"


def open_source(source: str | Path) -> Fetch:
    """Open a record that is published in a folder or under an address.

    Args:
        source: A folder, or `http://…` or `https://…`.

    Returns:
        A function from a path, as `checkpoint` or `tile/0/000`, to its bytes; None where there
        is nothing.

    Raises:
        InputError: There is no such folder, or the address is of another kind.
    """
    text = str(source)
    if is_url(text):
        from spotbeam.http.client import fetch_from  # a reader of folders needs no HTTP

        return fetch_from(text)
    if "://" in text:
        raise InputError("only http and https are read", place=text, hint=HOW)
    path = Path(source)
    if path.is_file():
        raise InputError("is a file, not a record's folder", place=text, hint=HOW)
    if not path.is_dir():
        raise InputError("there is no such folder", place=text, hint=HOW)
    return directory(path)


def is_url(source: str | Path) -> bool:
    """Whether a source is the address of a web server."""
    return str(source).lower().startswith(("http://", "https://"))


def published_note(fetch: Fetch) -> bytes:
    """The bytes of the published checkpoint, unverified.

    Raises:
        MissingRecord: Nothing is published there.
    """
    note = fetch(CHECKPOINT_PATH)
    if note is None:
        raise MissingRecord("a file of the record is missing", place=CHECKPOINT_PATH, hint=HOW)
    return note


def pinned(fetch: Fetch, note: bytes) -> Fetch:
    """The same source, whose checkpoint is this one however often it is asked for."""
    return lambda path: note if path == CHECKPOINT_PATH else fetch(path)


def spooled(fetch: Fetch, folder: Path) -> Fetch:
    """The same source, each tile of which is fetched once and then read from a folder.

    Several passes over a remote record download it once, and an interrupted download goes on
    where it stopped if the folder is kept. What lies there is believed no more than the source.
    """
    kept = directory(folder)

    def read(path: str) -> bytes | None:
        if path == CHECKPOINT_PATH:
            return fetch(path)
        parse_tile_path(path)  # nothing else may name a file here
        data = kept(path)
        if data is None:
            data = fetch(path)
            if data is not None:
                disk.replace(folder / path, data)
        return data

    return read
