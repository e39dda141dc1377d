"""A workspace's log and its server."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from spotbeam.assembly.logs import opened_log, read_log_keys
from spotbeam.http.log_server import log_app
from spotbeam.http.serving import listen, serve_on, url_of


class LogAnnounced(msgspec.Struct, frozen=True, kw_only=True):
    """What a log's owner hands out: to witnesses the key, to readers the digest of entry 0."""

    origin: str
    key: str
    genesis: str
    url: str
    size: int


def serve_log(
    workspace: Path, *, host: str, port: int, show: Callable[[LogAnnounced], object]
) -> None:
    """Serve a workspace's log until it is told to stop.

    Args:
        workspace: The folder with `private/` and `record/`.
        host, port: Where it listens; port 0 takes any.
        show: Told what to hand out, before the first request.

    Raises:
        InputError: There is no log, another process has it open, or the port is taken.
        RecordError: The log has lost something, or cannot go on.
    """
    private = workspace / "private"
    socket = listen(host, port)
    try:
        with opened_log(workspace) as sequencer:
            key = str(read_log_keys(private / "log.key")[0].key)
            show(
                LogAnnounced(
                    origin=sequencer.origin,
                    key=key,
                    genesis=sequencer.state.genesis,
                    url=url_of(socket),
                    size=sequencer.state.size,
                )
            )
            app = log_app(
                sequencer,
                record=workspace / "record",
                openings=private / "openings",
                key=key,
                token=lambda: _token(private / "edge.token"),
                clock_us=lambda: time.time_ns() // 1_000,
            )
            serve_on(app, socket, "log")
    finally:
        socket.close()


def _token(path: Path) -> str | None:
    """The edge token, read again each time: it may be changed while the log runs."""
    try:
        return path.read_text("ascii").strip() or None
    except (OSError, UnicodeDecodeError):
        return None
