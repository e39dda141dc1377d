"""The public site of a record: pages beside a copy of the log, for any file server.

Written again from the same record it is the same, byte for byte. Addresses are permanent: nothing
is ever taken away, and a proof that was written once stays as it is. An edition is made ready apart
and then moved into place file by file, those that link to others last: a run that is broken off
while it works leaves the edition before it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec

from spotbeam.assembly.copying import mirror
from spotbeam.assembly.public_site import MARK, RECORD, Site
from spotbeam.assembly.reading import ReadRecord
from spotbeam.chronicle.reading import Chronicle
from spotbeam.errors import OutputError
from spotbeam.formats.atomic import write_bytes

_NEXT = ".next"
"""Where an edition is made ready: until all of it is, the one before stands untouched."""
Progress = Callable[[int, int], object]


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """What a run wrote.

    Attributes:
        written: Files that are new or other than before.
        kept: Files that were so already.
    """

    folder: str
    written: int
    kept: int


def publish(
    read: ReadRecord,
    chronicle: Chronicle,
    folder: Path,
    *,
    view: str,
    source: str | None = None,
    genesis: str | None = None,
    base_url: str | None = None,
    progress: Progress | None = None,
) -> Published:
    """Write or bring up to date the site of a record.

    Args:
        read: The record, checked.
        chronicle: The same, as history.
        folder: The site's; made if it is not there.
        view: Point of view on borders.
        source: Where the record lies, to keep a copy of it in the site; None: no copy.
        genesis: Digest of entry 0, for that copy.
        base_url: Where the site will stand, for feeds; None: they have relative addresses.
        progress: Told how many files are done, and of how many.

    Raises:
        OutputError: The folder holds something else, or cannot be written.
    """
    _claim(folder, read.history.now.genesis)
    if source is not None:
        mirror(source, folder / RECORD, genesis=genesis)
    site = Site(read, chronicle, view, has_record=source is not None)
    staged = folder / _NEXT
    changed = []
    done = 0
    total = 2 * len(read.entries) + 8
    try:
        shutil.rmtree(staged, ignore_errors=True)  # of a run that was killed
        for path, make, is_permanent in site.files(base_url):
            done += 1
            if not (is_permanent and (folder / path).exists()):
                data = make()
                if not _is_so(folder / path, data):
                    (staged / path).parent.mkdir(parents=True, exist_ok=True)
                    write_bytes(staged / path, data)
                    changed.append(path)
            if progress is not None:
                progress(min(done, total), total)
        for path in changed:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            os.replace(staged / path, folder / path)
    except OSError as fault:
        place = fault.filename or folder
        raise OutputError(f"cannot be written: {fault.strerror}", place=str(place)) from None
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return Published(folder=str(folder), written=len(changed), kept=done - len(changed))


def _is_so(path: Path, data: bytes) -> bool:
    return path.exists() and path.read_bytes() == data


def _claim(folder: Path, genesis: str) -> None:
    """Take an empty folder, or an earlier edition of this record, and nothing else.

    The mark comes before anything else, so that a first run that was broken off can go on.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        names = {path.name for path in folder.iterdir()}
    except OSError as fault:
        raise OutputError(f"cannot be written: {fault.strerror}", place=str(folder)) from None
    if names and MARK not in names:
        raise OutputError(
            "holds other files, and no edition of a record's site",
            place=str(folder),
            hint="name an empty folder",
        )
    mark = f"{genesis}\n".encode()
    if not names:
        write_bytes(folder / MARK, mark)
    elif not _is_so(folder / MARK, mark):  # its proofs, which stay, would be of the other one
        raise OutputError(
            "holds the site of another record", place=str(folder), hint="name an empty folder"
        )
