"""`spotbeam log`: keeps a workspace's log, and serves it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import cyclopts

from spotbeam.assembly.serve_log import LogAnnounced, serve_log
from spotbeam.assembly.workspace import find_workspace
from spotbeam.cli.output import print_json

Flag = Annotated[bool, cyclopts.Parameter(negative="")]


def log(
    *,
    workspace: Annotated[Path | None, cyclopts.Parameter(name=["--workspace", "-w"])] = None,
    host: str = "127.0.0.1",
    port: int = 7400,
    json: Flag = False,
) -> None:
    """Keep the log of a workspace: take entries, have them witnessed, publish them.

    Parameters
    ----------
    workspace
        The folder; else the nearest with a `spotbeam.toml`.
    host
        Address to listen on.
    port
        Port to listen on; 0 takes any.
    json
        Print the log's key and digest as JSON.
    """
    serve_log(
        find_workspace(workspace).folder,
        host=host,
        port=port,
        show=lambda announced: _show(announced, json),
    )


def _show(announced: LogAnnounced, json: bool) -> None:
    if json:
        print_json(announced)
    else:
        print(f"Log {announced.origin}, {announced.size:,} entries")
        print(f"  key, for its witnesses   {announced.key}")
        print(f"  genesis, for its readers {announced.genesis}")
    sys.stdout.flush()
