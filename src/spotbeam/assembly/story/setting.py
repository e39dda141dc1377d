"""Sets the stage: keys, witnesses, the server's workspace, a folder for each person, the edge."""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

from spotbeam.assembly.founding import Founded, found_workspace
from spotbeam.assembly.key_files import new_key_file, write_new
from spotbeam.assembly.serve_witness import prepare_witness
from spotbeam.assembly.story.cast import (
    SCENARIO,
    SEATS,
    WITNESSES,
    label,
    roster_text,
)
from spotbeam.assembly.story.stage import Player, Stage, free_ports
from spotbeam.assembly.workspace import SETTINGS, Settings, Workspace, open_workspace, settings_text
from spotbeam.record import disk


class Setting(NamedTuple):
    """What the story is played with.

    Attributes:
        server: The operator's workspace, with the log and its key.
        people: The workspace of each person: a machine of their own.
        log_port: Where the log answers; whoever holds the server holds the port.
        log, edge: The running processes.
    """

    folder: Path
    server: Workspace
    genesis: str
    people: dict[str, Workspace]
    log_port: int
    log: Player
    edge: Player


def set_up(folder: Path, stage: Stage) -> Setting:
    """Make all folders and start all processes; they may still be starting when this returns."""
    log_port, *ports = free_ports(1 + len(WITNESSES))
    keys = {}
    for seat in SEATS:
        own = folder / "people" / seat.person
        disk.make_folder(own / "keys")
        made = new_key_file(own / "keys" / f"{seat.person}.key", seat.person)
        keys[seat.person] = str(made.path.resolve())
    witnesses = []
    for witness, port in zip(WITNESSES, ports, strict=True):
        enrolment = prepare_witness(
            folder / "witnesses" / label(witness),
            f"http://127.0.0.1:{port}",
            name=witness.name,
            mirror=witness.is_mirror,
        )
        line = enrolment.policy[-1].split(" ")  # a mirror's own key comes after its witness's
        witnesses.append((witness, line[2], line[3]))
    roster = folder / "roster.toml"
    write_new(roster, roster_text(keys, witnesses).encode())
    founded = found_workspace(
        folder / "server",
        roster,
        scenario=SCENARIO,
        with_rules=True,
        now_us=time.time_ns() // 1_000,
    )
    for (witness, _, _), port in zip(witnesses, ports, strict=True):
        place = folder / "witnesses" / label(witness)
        stage.start(label(witness), "witness", place, "--port", str(port), "--log", founded.log_key)
    edge = _start_edge(folder, stage, founded, log_port)
    log = start_log(stage, founded.workspace, log_port)
    return Setting(
        folder=folder,
        server=founded.workspace,
        genesis=founded.workspace.settings.genesis,
        people={seat.person: _own_place(folder, seat.person, founded, log_port) for seat in SEATS},
        log_port=log_port,
        log=log,
        edge=edge,
    )


def start_log(stage: Stage, server: Workspace, port: int) -> Player:
    """Start the log's server."""
    return stage.start("log", "log", "--workspace", server.folder, "--port", str(port))


def _start_edge(folder: Path, stage: Stage, founded: Founded, log_port: int) -> Player:
    """Start the edge: all that it is told is where the record is, and the digest of entry 0."""
    url = f"http://127.0.0.1:{log_port}"
    token = folder / "server" / "private" / "edge.token"
    return stage.start(
        "edge",
        *("edge", url, "--genesis", founded.workspace.settings.genesis),
        *("--store", folder / "edge", "--port", "0", "--every", "0.25s", "--ack", url),
        *("--openings", url, "--token-file", token),
    )


def _own_place(folder: Path, person: str, founded: Founded, log_port: int) -> Workspace:
    """A person's own folder: they follow the record over HTTP and hand in what they have signed."""
    own = folder / "people" / person
    url = f"http://127.0.0.1:{log_port}"
    settings = founded.workspace.settings
    theirs = Settings(
        origin=settings.origin,
        genesis=settings.genesis,
        record=url,
        log=url,
        scenario=settings.scenario,
        view=settings.view,
    )
    write_new(own / SETTINGS, settings_text(theirs).encode())
    return open_workspace(own)
