"""What a proposal would do, as this machine works it out: for whoever proposes and who signs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from spotbeam.assembly.attachments import read_openings
from spotbeam.assembly.impacts import preview
from spotbeam.assembly.scenarios import shipped_scenarios
from spotbeam.assembly.workspace import Workspace
from spotbeam.governance.entries.acts import PutList
from spotbeam.governance.policy import Openings
from spotbeam.governance.state import Proposal, State
from spotbeam.report.impact_words import sections_of
from spotbeam.twin.impact.whole import Impact


class Seen(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """An impact, and the digest of its part that people sign."""

    impact: Impact
    digest: str


def see(
    workspace: Workspace,
    state: State,
    proposal: Proposal,
    id: str,
    *,
    now_us: int,
    openings: Openings | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> Seen:
    """Work out what a proposal would do, with the terminals and openings of this workspace.

    Args:
        workspace: Its scenario, if it names one, holds the operator's terminals.
        state: The record as followed by this machine.
        proposal: A draft or a logged one.
        id: The id that it has or will have.
        now_us: The clock: it is taken to bind now.
        openings: What a draft holds beside what is kept here.
        progress: Told the steps done, of how many.

    Raises:
        Refused: It could not bind in this state.
        InputError: The scenario is wrong, or a rule names ground that nothing here has.
    """
    found = preview(
        state,
        proposal,
        id,
        at_us=now_us,
        scenario=_scenario(workspace),
        openings=_known(workspace, state, id, openings),
        view=workspace.settings.view,
        progress=progress,
    )
    return Seen(impact=found, digest=found.digest)


def sections(seen: Seen) -> tuple[tuple[str, str, bool], ...]:
    """What is shown before signing: title, text, and whether it is only the operator's claim."""
    return tuple((part.title, part.text, part.is_claim) for part in sections_of(seen.impact))


def _scenario(workspace: Workspace) -> str | Path | None:
    name = workspace.settings.scenario
    if name is None or name in shipped_scenarios():
        return name
    return workspace.folder / name


def _known(workspace: Workspace, state: State, id: str, given: Openings | None) -> Openings:
    """What is kept here, and what a draft brings."""
    lists = {
        (layer.act.list, layer.act.version)
        for layers in state.layers.values()
        for layer in layers
        if isinstance(layer.act, PutList)
    }
    proposed = state.changes.get(id)
    for act in getattr(proposed.proposal, "acts", ()) if proposed is not None else ():
        if isinstance(act, PutList):
            lists.add((act.list, act.version))
    kept = read_openings(workspace.openings, sorted(lists), sorted({*state.seals, id}))
    if given is None:
        return kept
    lists_here, seals_here = {**kept.lists, **given.lists}, {**kept.seals, **given.seals}
    return Openings(lists=lists_here, seals=seals_here)
