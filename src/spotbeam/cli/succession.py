"""`spotbeam succession`: leave a log whose key is lost, on the word of the full quorum."""

from __future__ import annotations

import time
from pathlib import Path

from spotbeam.assembly.successions import (
    begin_succession,
    read_leaving,
    sign_leaving,
    write_leaving,
)
from spotbeam.cli.output import console, print_json
from spotbeam.cli.signing import Flag, Place, Signer, ask, demand_somebody, show_facts
from spotbeam.control.succeeding import demand_decides, demand_leavable
from spotbeam.control.wording import plain
from spotbeam.errors import InputError
from spotbeam.governance.entries.logs import Succession
from spotbeam.record.policy import parse_policy
from spotbeam.times import format_time

_HERE, _WRITES = Place(), Signer()
STATEMENT = Path("succession.json")


def write(
    draft: Path,
    /,
    *,
    words: str,
    begin_by: str = "30d",
    out: Path = STATEMENT,
    at: Place = _HERE,
) -> None:
    """Write down how the record goes on without its log, for its people to sign.

    Have the witnesses of the lost log stop signing it first.

    Parameters
    ----------
    draft
        TOML with [close_log], as `spotbeam init NEXT --after` makes it.
    words
        Why the log is left.
    begin_by
        Until when the next log begins: a duration or an instant.
    out
        The file that is passed round.
    """
    now_us = time.time_ns() // 1000
    body = write_leaving(at.followed().now, draft, words, begin_by, out, now_us=now_us)
    if at.json:
        print_json({"file": str(out), **dict(_facts(body))})
        return
    show_facts(_facts(body))
    console().print(
        f"  next: each approver, on their own machine: spotbeam succession sign {out}",
        markup=False,
    )


def sign(
    file: Path, /, *, out: Path | None = None, yes: Flag = False, by: Signer = _WRITES
) -> None:
    """Sign that the record leaves its log, over the record as your own machine follows it.

    Parameters
    ----------
    file
        What `spotbeam succession write` wrote.
    out
        Your signature, for whoever keeps the next log; <you>.signature.json if left out.
    yes
        Do not ask before signing.
    """
    if by.id is not None or by.wait:
        raise InputError("a signature is no entry of its own", hint="leave --id and --wait")
    demand_somebody(yes=yes)
    now_us = time.time_ns() // 1000
    body, state, signing = read_leaving(file), by.followed().now, by.signing()
    demand_decides(state, signing.hand)
    demand_leavable(state, body, now_us=now_us)
    facts = _facts(body)
    if not by.json:
        show_facts(facts)
    ask(f"Sign as {signing.person} that the record leaves {plain(state.origin)}?", yes=yes)
    signing.title = "Leave a log"
    signing.facts = facts
    place = out or Path(f"{signing.person}.signature.json")
    sign_leaving(by.here, state, body, signing, place, now_us=now_us)
    if by.json:
        print_json({"file": str(place), "person": signing.person, **dict(facts)})
        return
    console().print(f"{place}: send it to whoever keeps the next log", markup=False)


def begin(file: Path, signatures: list[Path], /, *, at: Place = _HERE) -> None:
    """Begin the next log with what its people signed; the workspace is that of the next log.

    Parameters
    ----------
    file
        What `spotbeam succession write` wrote.
    signatures
        What people signed: enough of them for the full quorum.
    """
    name = begin_succession(at.here, file, signatures)
    if at.json:
        print_json({"id": name, "index": 0})
        return
    console().print(f"{name}: entry 0; next: spotbeam log", markup=False)


def _facts(body: Succession) -> tuple[tuple[str, str], ...]:
    left, quorum = body.previous, body.witness_quorum
    return (
        ("leaves", plain(left.origin)),
        ("at", f"{left.size:,} entries"),
        ("root", left.root),
        ("state", left.state_digest),
        ("goes on in", plain(body.origin)),
        ("with the key", plain(str(parse_policy(quorum.policy.encode()).logs[0].key))),
        ("witnesses", plain(", ".join(sorted(quorum.organisations)))),
        ("begins by", format_time(body.begin_by_us)),
        ("why", plain(body.words)),
    )
