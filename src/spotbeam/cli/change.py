"""`spotbeam change`: propose, see what it would do, approve or reject, and see how it stands."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Literal

from spotbeam.assembly.impacts import write_changes
from spotbeam.assembly.previews import sections, see
from spotbeam.assembly.proposals import prepare, prepare_change, read_draft
from spotbeam.assembly.sending import at_desk, entry_file, wait_until_decided
from spotbeam.cli.deciding import looked_at, propose_prepared
from spotbeam.cli.impact import MOST_LINES, show_impact
from spotbeam.cli.output import print_json, progress
from spotbeam.cli.signing import Flag, Place, Signer, ask, demand_somebody, say_recorded, show_facts
from spotbeam.cli.standings import demand_known, standing_facts, standing_json
from spotbeam.control import approving
from spotbeam.control.drafts import later_us, parse_draft
from spotbeam.control.standing import standing
from spotbeam.control.wording import prepared_facts, proposal_facts
from spotbeam.edge.freshness import as_of
from spotbeam.errors import InputError

_HERE, _WRITES = Place(), Signer()


def propose(file: Path, /, *, request: str, yes: Flag = False, by: Signer = _WRITES) -> None:
    """Propose a change of rules, lists, sponsors, people or witnesses, from a draft.

    It has no effect until a quorum has approved it and witnesses have seen that.

    Parameters
    ----------
    file
        TOML: [[rule]], drop_rule, [[list]], [[sponsor]], from, until, [[rollout]]; or [[seat]],
        unseat, [[add_key]], [[drop_key]], [[factor]], [[merge]], [quorum], [witnesses],
        [close_log].
    request
        The request that it answers.
    yes
        Do not ask before signing.
    """
    draft = parse_draft(entry_file(file), file.name)
    here, signing = by.here, by.signing()
    with at_desk(here, signing) as desk:
        prepared = prepare_change(
            desk.state,
            draft,
            file.resolve().parent,
            request,
            id=desk.new_id("chg", by.id),
            now_us=desk.now_us,
            place=file.name,
        )
        propose_prepared(desk, prepared, by, yes=yes)


def preview(
    what: str,
    /,
    *,
    request: str | None = None,
    id: str | None = None,
    map: Path | None = None,
    cells: Path | None = None,
    all: Flag = False,
    at: Place = _HERE,
) -> None:
    """Show what a draft or a proposal would do, without signing anything.

    Parameters
    ----------
    what
        A draft's file, of a change, an emergency or a seal; or the id of a proposal.
    request
        The request that a draft answers.
    id
        The id that a draft would have: proofs of possession name it.
    map
        Draw the cells that gain, lose or stay as a picture (PNG).
    cells
        Write the cells that change as GeoParquet, for each terminal that was tried.
    all
        Every line; otherwise the first of each section. Whoever signs is shown all of it.
    """
    here = at.here
    path = Path(what)
    draft = None
    if path.suffix == ".toml" or path.exists():
        draft = read_draft(path)
        if request is None:
            raise InputError("which request it answers is not said", place="--request")
    state = at.followed().now
    now_us = time.time_ns() // 1000
    if draft is None:
        demand_known(state, what)
        name, body, openings = what, state.changes[what].proposal, None
        facts = proposal_facts(state, state.changes[what])
    else:
        prepared = prepare(
            state,
            draft,
            path.resolve().parent,
            request or "",
            id=id or "draft",
            now_us=now_us,
            place=path.name,
        )
        name, body, openings = prepared.id, prepared.body, prepared.openings()
        facts = prepared_facts(state, name, "-", body)
    with progress("Working out the impact") as told:
        seen = see(here, state, body, name, now_us=now_us, openings=openings, progress=told)
    if map is not None or cells is not None:
        write_changes(state, body, name, at_us=now_us, picture=map, cells=cells)
    if at.json:
        print_json(seen.impact.facts())
        return
    show_facts(facts)
    show_impact(seen.impact, most=None if all else MOST_LINES)
    if draft is not None:
        print("That is the draft's digest; its proposal will have its own, which approvals name.")


def approve(
    change: str,
    /,
    *,
    expires: str = "23h",
    yes: Flag = False,
    by: Signer = _WRITES,
) -> None:
    """Approve a proposal: see what it would do, as your own machine works it out, and sign that.

    Your machine reads the record itself, checks all of it, and computes the impact again. If it
    comes to another impact than the proposal carries, nothing is signed.

    Parameters
    ----------
    change
        The proposal: a change, an emergency or a seal.
    expires
        How long the approval stands if nothing binds: 24 hours at most.
    yes
        Do not ask before signing: only for scripts that have shown you the impact.
    """
    _say(change, "approve", expires, by, yes=yes)


def reject(
    change: str,
    /,
    *,
    yes: Flag = False,
    by: Signer = _WRITES,
) -> None:
    """Reject a proposal; one rejection by somebody who may decide ends it.

    Parameters
    ----------
    change
        The proposal.
    yes
        Do not ask before signing.
    """
    _say(change, "reject", "23h", by, yes=yes)


def _say(
    change: str, word: Literal["approve", "reject"], expires: str, by: Signer, *, yes: bool
) -> None:
    here, signing = by.here, by.signing()
    with at_desk(here, signing) as desk:
        state, hand = desk.state, signing.hand
        proposed = approving.pending(state, change)
        approving.demand_may(state, proposed, hand)
        expires_us = later_us(expires, desk.now_us, "--expires")
        if not desk.now_us < expires_us <= desk.now_us + approving.LONGEST_US:
            raise InputError(
                f"{expires!r} is not within 24 hours from now",
                place="--expires",
                hint="an approval that waits longer could be kept for the worst moment",
            )
        demand_somebody(yes=yes)
        facts = (
            *proposal_facts(state, proposed),
            ("SHA-256", proposed.digest),
            ("record as of", as_of(desk.followed.walked.time_s, desk.now_us // 1_000_000)),
        )
        if not by.json:
            show_facts(facts)
        if word == "approve":
            seen = looked_at(desk, change, proposed.proposal)
            if not by.json:
                show_impact(seen.impact)
            approving.demand_same_impact(proposed, seen.digest)
            signing.sections = sections(seen)
        ask(f"{word.capitalize()} {change} as {signing.person}?", yes=yes)
        signing.title = f"{word.capitalize()} {change}"
        signing.facts = (*facts, ("impact", proposed.proposal.impact))
        data = approving.approval(
            state,
            change,
            proposed.proposal.impact,
            hand,
            id=desk.new_id("apr", by.id),
            expires_us=expires_us,
            now_us=desk.now_us,
            word=word,
        )
        recorded = desk.send(data, wait=by.wait)
        past = "approved" if word == "approve" else "rejected"
        after = wait_until_decided(here, change).now if by.wait else None
        facts_after: dict[str, Any] = {}
        if after is not None and by.json:
            facts_after["standing"] = standing_json(after, change)
        say_recorded(recorded, f"{change} {past} by {signing.person}", by, **facts_after)
        if after is not None and not by.json:
            show_facts(standing_facts(standing(after, change)))
