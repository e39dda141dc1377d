"""`spotbeam history`: what was intended on some ground, as known now and as known then."""

from __future__ import annotations

import time as clock
from pathlib import Path
from typing import Annotated

import cyclopts
from msgspec.structs import replace

from spotbeam.assembly.histories import Account, Standing, account
from spotbeam.assembly.reading import ReadRecord, read_record
from spotbeam.assembly.timelines import event_line
from spotbeam.assembly.workspace import find_workspace
from spotbeam.cli.output import print_json, progress, say
from spotbeam.cli.receipts import show_genesis
from spotbeam.times import MICROSECONDS, format_time, parse_time

Flag = Annotated[bool, cyclopts.Parameter(negative="")]
Several = Annotated[tuple[str, ...], cyclopts.Parameter(negative="")]
_WORDS = {
    "granted": "service is granted",
    "granted_in_part": "service is granted on a part of it, or to some",
    "denied": "service is denied to everybody",
    "not_granted": "no rule grants service: dark by default",
}


def history(
    territory: str,
    /,
    *,
    source: Several = (),
    time: str | None = None,
    known_time: str | None = None,
    view: str | None = None,
    genesis: str | None = None,
    workspace: Annotated[Path | None, cyclopts.Parameter(name=["--workspace", "-w"])] = None,
    json: Flag = False,
) -> None:
    """Say what is intended on some ground, by whose decision, and how it came to that.

    Parameters
    ----------
    territory
        A territory id, as UA-43, or a cell, as h3:841e265ffffffff.
    source
        The record's folder or address, given again for mirrors and for other logs of the same
        record; those of the workspace if not given.
    time
        The instant asked about, RFC 3339 with Z; now if not given.
    known_time
        Tell beside it what was known at this instant; that of --time if only that is given.
    view
        Point of view on borders; that of the workspace, or un.
    genesis
        SHA-256 of entry 0, brought by hand; that of the workspace if no source is given.
    workspace
        The folder that holds spotbeam.toml.
    json
        Print the whole account as JSON.
    """
    now_us = int(clock.time()) * MICROSECONDS
    at_us = now_us if time is None else parse_time(time, place="--time")
    known_us = at_us if known_time is None else parse_time(known_time, place="--known-time")
    sources = source
    if not sources:
        found = find_workspace(workspace)
        sources = found.source_names()
        genesis, view = genesis or found.settings.genesis, view or found.settings.view
    with progress("Reading", quiet=json) as bar:
        read = read_record(*sources, genesis=genesis, progress=bar)
    told = account(read, territory, at_us=at_us, known_us=known_us, view=view or "un")
    if json:
        heading = {
            "origin": read.checkpoint.origin,
            "size": read.checkpoint.size,
            "root": read.checkpoint.root.hex(),
            "genesis": read.history.now.genesis,
            "is_genesis_checked": read.is_genesis_checked,
            "witnessed": format_time(read.time_s * MICROSECONDS),
        }
        print_json({"record": heading, "history": told})
        return
    _show(read, told, None if known_time is None and time is None else known_us)


def _show(read: ReadRecord, told: Account, known_us: int | None) -> None:
    """Say it; what was known at another time only where one was asked about (not None)."""
    name = told.territory if told.name == told.territory else f"{told.territory} ({told.name})"
    say(f"{name}, in the point of view {told.view}, by the record {read.checkpoint.origin}")
    held = ", ".join(told.administered_by) or "nobody that is known"
    claimed = ", ".join(told.claimed_by) or "nobody that is known"
    say(f"  administered by {held}; claimed by {claimed} ({told.citation})")
    if not read.is_genesis_checked:
        show_genesis(read.history.now.genesis, False)
    when = format_time(told.now.at_us)
    say("")
    say(f"Intended at {when}, as known now (witnessed {_known(told.now)}):")
    _show_standing(told.now)
    say("")
    if known_us is not None:
        _show_known_then(told, when, known_us)
    say("All that is on record about it:")
    for event in told.events:
        say(f"  {event_line(event, told.now.known_us)}")
    if not told.events:
        say("  nothing")
    say("")
    say("This is what people decided. What an edge did with it, the record does not show.")


def _show_known_then(told: Account, when: str, known_us: int) -> None:
    say(f"Intended at {when}, as known at {format_time(known_us)} (witnessed {_known(told.then)}):")
    if replace(told.then, known_us=told.now.known_us, size=told.now.size) == told.now:
        say("  the same")
    else:
        _show_standing(told.then)
    say("")
    say(f"Witnessed only after {format_time(known_us)}:")
    for event in told.learnt:
        say(f"  {event_line(event, told.now.known_us)}")
    if not told.learnt:
        say("  nothing about this ground")
    say("")


def _show_standing(standing: Standing) -> None:
    say(f"  {_WORDS[standing.word]}")
    for text in standing.switch.says:
        say(f"  {text}")
    for rule in standing.rules:
        part = {"all": "on all of it", "part": "on a part of it", "maybe": "perhaps on it"}
        until = "" if rule.until_us is None else f", until {format_time(rule.until_us)}"
        say(
            f"  rule {rule.rule}, {part[rule.extent]}: {rule.says}{until}; since entry "
            f"{rule.bound_index}, by {rule.change} (entry {rule.index}) of {rule.proposer}, for "
            f"the request {rule.request}, approved by {', '.join(rule.approvers) or 'nobody'}"
        )
    for text in standing.seals:
        say(f"  sealed: {text}")
    for text in standing.open_requests:
        say(f"  open: {text}")


def _known(standing: Standing) -> str:
    return format_time(standing.known_us) if standing.known_us else "nothing yet"
