"""What commands about proposals share: asking before somebody signs, saying how things stand."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import msgspec

from spotbeam.assembly.previews import Seen, sections, see
from spotbeam.assembly.proposals import Prepared
from spotbeam.assembly.proposals import propose as hand_in
from spotbeam.assembly.sending import Desk, wait_until_decided
from spotbeam.cli.impact import show_impact
from spotbeam.cli.output import console, progress
from spotbeam.cli.signing import Signer, say_recorded, show_facts
from spotbeam.control.standing import Standing, standing
from spotbeam.control.wording import plain, prepared_facts, quorum_words
from spotbeam.errors import InputError, SpotbeamError
from spotbeam.governance.state import State
from spotbeam.times import format_time


def ask(question: str, *, yes: bool) -> None:
    """Ask on the terminal; anything but yes signs nothing.

    Raises:
        InputError: Nobody is at a terminal, and `--yes` was not given.
        SpotbeamError: The answer was no.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise InputError(
            "nobody is at a terminal to ask: nothing is signed",
            hint="give --yes if you have read what it would do",
        )
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise SpotbeamError("nothing was signed")


def propose_prepared(desk: Desk, prepared: Prepared, by: Signer, *, yes: bool) -> None:
    """Show what a prepared proposal would do, ask, sign and hand it in; say what is next."""
    facts = prepared_facts(desk.state, prepared.id, desk.signing.person, prepared.body)
    seen = looked_at(desk, prepared.id, prepared.body, prepared.openings())
    if not by.json:
        show_facts(facts)
        show_impact(seen.impact)
    ask(f"Sign and propose {prepared.id} as {desk.signing.person}?", yes=yes)
    desk.signing.title = f"Propose {prepared.id}"
    desk.signing.facts = facts
    desk.signing.sections = sections(seen)
    recorded = hand_in(desk, prepared, seen.digest, wait=by.wait)
    say_recorded(
        recorded,
        "proposed; it has no effect until a quorum has approved it",
        as_json=by.json,
        next_steps=(f"each approver, on their own machine: spotbeam change approve {prepared.id}",),
        impact=seen.digest,
    )


def looked_at(desk: Desk, name: str, body: Any, openings: Any = None) -> Seen:
    """The impact of a proposal as this machine computes it, with progress on a terminal."""
    with progress("Working out the impact") as told:
        return see(
            desk.workspace,
            desk.state,
            body,
            name,
            now_us=desk.now_us,
            openings=openings,
            progress=told,
        )


def wait_and_say(desk: Desk, name: str, by: Signer) -> None:
    """Follow the record until witnesses have seen a word on a proposal, and say what happened."""
    followed = wait_until_decided(desk.workspace, name)
    if not by.json:
        show_standing(standing(followed.now, name))


def show_standing(found: Standing) -> None:
    """How a proposal stands, in plain words."""
    show_facts(standing_facts(found))


def standing_facts(found: Standing) -> list[tuple[str, str]]:
    """How a proposal stands: label and value."""
    facts = [("stands", _word(found)), ("needs", quorum_words(found.needs))]
    for said in found.said:
        text = f"{said.person} ({said.factor}), entry {said.index}"
        if said.why_not is not None:
            text += f": does not count, {said.why_not}"
        facts.append(("approved by", text))
    facts += [("missing", text) for text in found.missing]
    if found.may:
        facts.append(("may approve", ", ".join(found.may)))
    return facts


def standing_json(state: State, name: str) -> dict[str, Any]:
    """How a proposal stands, for scripts."""
    found = standing(state, name)
    return {
        **msgspec.to_builtins(found),
        "bound": None if found.bound_us is None else format_time(found.bound_us),
        "lapses": format_time(found.lapses_us),
    }


def say_own(missing: Sequence[Any], foreign: Sequence[tuple[int, str]]) -> None:
    """Say what of one's own signatures is not where it should be."""
    out = console()
    for each in missing:
        out.print(
            f"not in the record: the {each.type} {each.id} that {each.person} signed here at "
            f"{format_time(each.at_us)}",
            markup=False,
        )
    for index, name in foreign:
        out.print(
            f"not signed here: entry {index}, {plain(name)}, carries your key. If you did not "
            "sign it elsewhere, give the key up: spotbeam roster revoke",
            markup=False,
        )


def _word(found: Standing) -> str:
    if found.bound_us is not None:
        return f"bound since {format_time(found.bound_us)}, by the anchor at {found.bound_index}"
    if found.word == "pending":
        return f"pending, can bind until {format_time(found.lapses_us)}"
    return found.word
