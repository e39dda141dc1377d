"""Options that every command has which reads a record and writes nothing."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import cyclopts

from spotbeam.assembly.reading import ReadRecord
from spotbeam.assembly.telling import chronicle_of, some_record
from spotbeam.chronicle.reading import Chronicle
from spotbeam.cli.output import progress
from spotbeam.times import MICROSECONDS, parse_time

Flag = Annotated[bool, cyclopts.Parameter(negative="")]
Several = Annotated[tuple[str, ...], cyclopts.Parameter(negative="")]


@cyclopts.Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Reads:
    """Which record is read, as known when, and how it is shown."""

    source: Several = ()
    """The record's folder or address; that of the workspace if left out. Again for mirrors."""
    genesis: str | None = None
    """SHA-256 of entry 0, brought by hand; that of the workspace if no source is given."""
    workspace: Annotated[Path | None, cyclopts.Parameter(name=["--workspace", "-w"])] = None
    """Your workspace; the nearest spotbeam.toml from here upwards if left out."""
    known_time: str | None = None
    """As known at this instant, RFC 3339 with Z; now if left out."""
    json: Flag = False
    """Print JSON."""

    @property
    def at_us(self) -> int:
        """The instant up to which things follow from time alone."""
        if self.known_time is None:
            return int(time.time()) * MICROSECONDS
        return parse_time(self.known_time, place="--known-time")

    def record(self) -> ReadRecord:
        """The record, checked from its entry 0 on."""
        with progress("Reading", quiet=self.json) as told:
            return some_record(
                self.source, genesis=self.genesis, workspace=self.workspace, progress=told
            )

    def chronicle(self) -> Chronicle:
        """The record as history, as far as it was known."""
        whole = chronicle_of(self.record())
        return whole if self.known_time is None else whole.known_at(self.at_us)
