"""`spotbeam edge`: follows a record and answers who is served."""

from __future__ import annotations

from pathlib import Path

from spotbeam.assembly.serve_edge import EdgeSettings, default_name, serve_edge
from spotbeam.cli.output import progress
from spotbeam.errors import InputError
from spotbeam.times import MICROSECONDS, parse_duration


def edge(
    *sources: str,
    store: Path,
    genesis: str | None = None,
    openings: str | None = None,
    token_file: Path | None = None,
    ack: str | None = None,
    view: str = "un",
    every: str = "1s",
    name: str | None = None,
    host: str = "127.0.0.1",
    port: int = 7420,
) -> None:
    """Run an edge: it follows a record from any mirror and answers who is served.

    It believes no source: it accepts what the witness quorum signed, checks every entry, and
    enforces what these say. What it has accepted survives a crash, and it never goes back.

    Parameters
    ----------
    sources
        The log and its mirrors: folders or http://… One that holds is enough.
    store
        The edge's own folder. Do not share it between edges.
    genesis
        Digest of entry 0, brought by hand from those who began the record. Needed at first.
    openings
        Where lists and seals are given to it: a folder, or the URL of the log's server.
    token_file
        File with the edge token that the log's server asks for.
    ack
        URL of the log's server, to tell how far this edge is.
    view
        Point of view on borders; printed in every answer.
    every
        How often the sources are asked.
    name
        What it calls itself when it acknowledges; else this machine's name.
    host
        Address to listen on.
    port
        Port to listen on; 0 takes any.
    """
    settings = EdgeSettings(
        sources=sources,
        genesis=genesis,
        store=store,
        openings=openings,
        token=None if token_file is None else _token(token_file),
        ack=ack,
        view=view,
        every_s=parse_duration(every, place="--every") / MICROSECONDS,
        name=default_name() if name is None else name,
    )
    with progress("reading the record") as told:
        serve_edge(settings, host=host, port=port, progress=told)


def _token(path: Path) -> str:
    try:
        token = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as fault:
        why = getattr(fault, "strerror", None) or "it is not plain text"
        raise InputError(f"cannot be read: {why}", place=f"--token-file {path}") from None
    if not token or any(not each.isprintable() or each == " " for each in token):
        raise InputError("holds no token", place=f"--token-file {path}")
    return token
