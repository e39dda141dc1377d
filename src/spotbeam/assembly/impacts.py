"""What a change would do, from a folded record and, if at hand, an operator's own terminals."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from spotbeam.assembly.reading import fold
from spotbeam.assembly.scenarios import load_scenario
from spotbeam.errors import InputError, UnknownName
from spotbeam.formats.atomic import write_bytes
from spotbeam.formats.cells_file import write_changed_cells
from spotbeam.formats.terminal_files import read_terminals
from spotbeam.formats.territory_files import read_territories
from spotbeam.governance.entries.deciding import Seal
from spotbeam.governance.history import History, intended
from spotbeam.governance.policy import Openings, missing, policy
from spotbeam.governance.preview import as_if_bound, as_read, reads, rivals
from spotbeam.governance.state import Proposal, State
from spotbeam.land.own import OwnTerritory
from spotbeam.land.territories import HIGH_SEAS, Ground
from spotbeam.land.territories import ground as ground_of
from spotbeam.service.policy import Policy
from spotbeam.service.rules import Rule
from spotbeam.service.terminals import Terminals, concatenate
from spotbeam.twin import fleets
from spotbeam.twin.impact.changed import cell_changes
from spotbeam.twin.impact.over_terminals import Standings, TerminalImpact, terminal_impact
from spotbeam.twin.impact.phases import instants_of
from spotbeam.twin.impact.placing import placed
from spotbeam.twin.impact.public import public_impact
from spotbeam.twin.impact.spill import border_effects, covering_of
from spotbeam.twin.impact.subject import bounds_rule, wordings_of
from spotbeam.twin.impact.tried import named_cells
from spotbeam.twin.impact.whole import Impact
from spotbeam.twin.scenario import Scenario

_STEPS = 4  # cells and rules, ground, terminals, borders
MOST_STAGES = 8
"""Instants at which terminals are decided: a roll-out has at most 50."""


def impact(
    record: str | Path | History,
    change: str | Proposal,
    *,
    genesis: str | None = None,
    at_us: int | None = None,
    scenario: str | Path | Scenario | None = None,
    openings: Openings | None = None,
    view: str | None = None,
    terminals: Terminals | None = None,
) -> Impact:
    """What a change would do if it bound: on cells, rules and, if there are any, on terminals.

    Args:
        record: A folder, an `http://` address, or a folded `History`.
        change: The id of a pending proposal in the record, or a `Change`, `Emergency` or `Seal`.
        genesis: SHA-256 of the record's entry 0, in hexadecimal, brought by hand; without it the
            record is read on its own word.
        at_us: When it would bind, microseconds since 1970 UTC; now, if left out.
        scenario: Whose fleets are the operator's terminals: a shipped name, a TOML file, a value.
        openings: Lists' rows and seals' contents that this machine was given.
        view: Point of view on borders for terminals; the scenario's, or `un`.
        terminals: The operator's terminals themselves, instead of a scenario's fleets.

    Raises:
        InputError: something that was given is wrong.
        Refused: it could not bind in this state.
        Unreachable: the record's server does not answer.
        RecordError: the record does not hold.
    """
    now_us = time.time_ns() // 1000 if at_us is None else at_us
    history = record if isinstance(record, History) else fold(record, genesis=genesis)
    state = history.now
    if isinstance(change, str):
        if change not in state.changes:
            raise UnknownName("proposal", change, sorted(state.changes))
        return preview(
            state,
            state.changes[change].proposal,
            change,
            at_us=now_us,
            scenario=scenario,
            openings=openings,
            view=view,
            terminals=terminals,
        )
    return preview(
        state,
        change,
        "draft",
        at_us=now_us,
        scenario=scenario,
        openings=openings,
        view=view,
        terminals=terminals,
    )


def preview(
    state: State,
    proposal: Proposal,
    id: str,
    *,
    at_us: int,
    scenario: str | Path | Scenario | None = None,
    openings: Openings | None = None,
    view: str | None = None,
    terminals: Terminals | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> Impact:
    """What a draft or a pending proposal would do if it bound in this state.

    Args:
        state: The record as folded by this machine.
        proposal: A draft or a logged one.
        id: The id that it has or will have.
        at_us: When it would bind.
        scenario, openings, view, terminals: As in `impact`.
        progress: Told the steps done, of how many.

    Raises:
        Refused: It could not bind in this state.
        InputError: The scenario is wrong.
    """
    told = progress or (lambda done, of: None)
    told(0, _STEPS)
    proposal = as_read(proposal)
    table, folder = _scenario(scenario)
    own = _own_territories(table, folder)
    public = public_impact(state, proposal, id, at_us)
    told(1, _STEPS)
    bound = as_if_bound(state, proposal, id, at_us)
    given = Openings() if openings is None else openings
    wordings = wordings_of(state, proposal, id)
    instants = [each.at_us for each in instants_of(proposal, wordings, at_us)[0]]
    pairs = [
        tuple(policy(intended(each, when), given, witnessed_at_us=when) for each in (state, bound))
        for when in instants
    ]
    ground = ground_of(
        view or (table.view if table is not None else "un"),
        own,
        cells=named_cells(rule for pair in pairs for each in pair for rule in each.rules),
    )
    pairs = [tuple(placed(each, ground.ids()) for each in pair) for pair in pairs]
    notices = []
    has_terminals = table is not None or terminals is not None
    if len(instants) > MOST_STAGES and has_terminals:
        notices.append(f"terminals are shown at the first {MOST_STAGES} of {len(instants)} stages")
    shown = pairs[-1]
    if isinstance(proposal, Seal) and f"seal:{id}" in missing(intended(bound, instants[0]), given):
        most = Policy(rules=(*shown[1].rules, bounds_rule(id, proposal)), lists=shown[1].lists)
        shown = (shown[0], most)
        ground = ground_of(ground.view, own, cells=named_cells(most.rules))
        notices.append("the seal is not open here: borders are shown for the most that it can do")
    names = _places(wordings, ground)
    told(2, _STEPS)
    if terminals is None and table is not None:
        terminals = _terminals(table, folder, ground)
    over = () if terminals is None else _over_terminals(terminals, ground, instants, pairs)
    told(3, _STEPS)
    return Impact(
        id=id,
        at_us=at_us,
        proposal=proposal,
        public=public,
        digest=public.digest,
        reads=reads(state, proposal),
        rivals=rivals(state, proposal, id),
        terminals=over,
        terminals_of=(table.name if table else "own columns") if has_terminals else None,
        missing=tuple(
            dict.fromkeys(
                name
                for each in (state, bound)
                for name in missing(intended(each, instants[0]), given)
            )
        ),
        borders=border_effects(shown[0], shown[1], ground, names, at_us=instants[-1])
        if names
        else (),
        coverings=tuple(
            covering_of(rule, ground)
            for rule in shown[1].rules
            if rule.where and HIGH_SEAS not in rule.where and _is_new(rule, shown[0])
        ),
        notices=tuple(notices),
    )


def write_changes(
    state: State,
    proposal: Proposal,
    id: str,
    *,
    at_us: int,
    view: str | None = None,
    picture: Path | None = None,
    cells: Path | None = None,
) -> None:
    """Write the cells that a proposal would alter: a map as PNG, a table as GeoParquet, or both.

    Args:
        state, proposal, id, at_us: As in `preview`.
        view: Point of view on borders; the record's own, if left out.
        picture, cells: Where; what stands there is replaced.

    Raises:
        Refused: It could not bind in this state.
        InputError: It is about no ground, so that there is nothing to draw.
        OutputError: A file cannot be written.
    """
    found = cell_changes(state, proposal, id, at_us, view=view)
    if not len(found.area):
        raise InputError(f"{id} is about no ground: there are no cells to write")
    if picture is not None:
        from spotbeam.report.map.impact_picture import draw_changes  # a second to load

        write_bytes(picture, draw_changes(found, f"What {id} would do"))
    if cells is not None:
        write_changed_cells(cells, found.table())


def _is_new(rule: Rule, before: Policy) -> bool:
    return rule not in before.rules


def _places(wordings: Sequence[Rule], ground: Ground) -> list[str]:
    """Ground with borders that rules name; the open sea and everywhere have none to speak of."""
    known = set(ground.ids()) - {HIGH_SEAS}
    return sorted({name for rule in wordings for name in (*rule.where, *rule.except_)} & known)


def _over_terminals(
    terminals: Terminals,
    ground: Ground,
    instants: Sequence[int],
    pairs: Sequence[Sequence[Policy]],
) -> tuple[TerminalImpact, ...]:
    widths = {width for pair in pairs for each in pair for width in each.guards_km()}
    standings = Standings(ground, sorted(widths), terminals)
    return tuple(
        terminal_impact(before, after, standings, when)
        for when, (before, after) in list(zip(instants, pairs, strict=True))[:MOST_STAGES]
    )


def _terminals(scenario: Scenario, folder: Path, ground: Ground) -> Terminals:
    parts = []
    for fleet in scenario.fleet:
        read = None
        if fleet.file is not None:
            path = folder / fleet.file
            read = read_terminals(path, fleet=fleet.id, common=fleets.given(fleet.common))
        place = f"{scenario.name}, fleet {fleet.id!r}"
        parts.append(fleets.terminals_of(fleet, ground, read, place=place))
    return concatenate(parts)


def _scenario(given: str | Path | Scenario | None) -> tuple[Scenario | None, Path]:
    if given is None or isinstance(given, Scenario):
        return given, Path.cwd()
    return load_scenario(given)


def _own_territories(scenario: Scenario | None, folder: Path) -> tuple[OwnTerritory, ...]:
    if scenario is None:
        return ()
    return tuple(
        territory
        for table in scenario.territory
        for territory in read_territories(folder / table.file, default_id=table.id)
    )
