"""`spotbeam change show`, `list` and `withdraw`: how proposals stand, and taking them back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import cyclopts
import msgspec

from spotbeam.assembly.sending import at_desk
from spotbeam.assembly.signatures import own_signatures
from spotbeam.cli.output import console, print_json, table
from spotbeam.cli.signing import Place, Signer, say_recorded, show_facts
from spotbeam.control import asking
from spotbeam.control.standing import Standing, standing
from spotbeam.control.wording import plain, proposal_facts, quorum_words
from spotbeam.errors import UnknownName
from spotbeam.governance.state import State
from spotbeam.times import format_time

_HERE, _WRITES = Place(), Signer()


def withdraw(change: str, /, *, by: Signer = _WRITES) -> None:
    """Take back a proposal that you made, or an approval that you gave, before it binds.

    Parameters
    ----------
    change
        The proposal or the approval; a proposal that you have approved means your approval.
    """
    here, signing = by.here, by.signing()
    with at_desk(here, signing) as desk:
        target = _theirs(desk.state, change, signing.person)
        signing.title = f"Take back {target}"
        data = asking.withdrawal(
            desk.state,
            target,
            signing.hand,
            id=desk.new_id("wdr", by.id),
            now_us=desk.now_us,
        )
        recorded = desk.send(data, wait=by.wait)
    say_recorded(recorded, f"{target} is taken back", by)


def show(change: str, /, *, at: Place = _HERE) -> None:
    """Say what a proposal does and how it stands: what is missing, who may still approve it.

    Also says which of your own signatures are missing from the record, and which were not made
    on this machine.

    Parameters
    ----------
    change
        The proposal.
    """
    here, followed = at.here, at.followed()
    state = followed.now
    demand_known(state, change)
    own = own_signatures(here, followed)
    if at.json:
        print_json({**standing_json(state, change), "own_signatures": own})
        return
    show_facts(
        [*proposal_facts(state, state.changes[change]), *standing_facts(standing(state, change))]
    )
    say_own(own.missing, own.foreign)


def show_all(
    *, all: Annotated[bool, cyclopts.Parameter(negative="")] = False, at: Place = _HERE
) -> None:
    """List proposals: those that are pending, or all; and what of your own signatures is amiss.

    Parameters
    ----------
    all
        Those that are bound, rejected, withdrawn or lapsed too.
    """
    here, followed = at.here, at.followed()
    state = followed.now
    found = [standing(state, name) for name in state.changes]
    found = sorted((f for f in found if all or f.word == "pending"), key=lambda f: f.index)
    own = own_signatures(here, followed)
    if at.json:
        print_json(
            {
                "proposals": [standing_json(state, each.id) for each in found],
                "own_signatures": own,
            }
        )
        return
    rows = [
        [
            each.id,
            each.kind,
            each.word,
            each.request,
            each.proposer,
            ", ".join(said.person for said in each.said if said.why_not is None) or "nobody",
            "; ".join(each.missing)
            or (f"bound {format_time(each.bound_us)}" if each.bound_us else "-"),
        ]
        for each in found
    ]
    title = "Proposals" if all else "Pending proposals"
    columns = ["id", "kind", "stands", "request", "proposed by", "approved by", "missing"]
    console().print(table(title, columns, rows) if rows else f"{title}: none.")
    say_own(own.missing, own.foreign)


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


def demand_known(state: State, name: str) -> None:
    """Stop at a proposal that the record does not hold.

    Raises:
        UnknownName: With the nearest one.
    """
    if name not in state.changes:
        raise UnknownName("proposal", name, sorted(state.changes))


def _word(found: Standing) -> str:
    if found.bound_us is not None:
        return f"bound since {format_time(found.bound_us)}, by the anchor at {found.bound_index}"
    if found.word == "pending":
        return f"pending, can bind until {format_time(found.lapses_us)}"
    return found.word


def _theirs(state: State, name: str, person: str) -> str:
    """The proposal itself for whoever made it, their approval of it for whoever gave one."""
    proposed = state.changes.get(name)
    if proposed is None or proposed.proposer == person:
        return name
    given = proposed.approvals.get(person)
    return name if given is None else given.id
