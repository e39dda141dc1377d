"""What commands that propose or approve share: showing what a proposal would do, then signing."""

from __future__ import annotations

from typing import Any

from spotbeam.assembly.previews import Seen, sections, see
from spotbeam.assembly.proposals import Prepared
from spotbeam.assembly.proposals import propose as hand_in
from spotbeam.assembly.sending import Desk
from spotbeam.cli.impact import show_impact
from spotbeam.cli.output import progress
from spotbeam.cli.signing import Signer, ask, demand_somebody, say_recorded, show_facts
from spotbeam.control.wording import prepared_facts


def propose_prepared(desk: Desk, prepared: Prepared, by: Signer, *, yes: bool) -> None:
    """Show what a prepared proposal would do, ask, sign and hand it in; say what is next."""
    demand_somebody(yes=yes)
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
        by,
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
