"""The live table: every terminal that is being served now, and the verdict on it.

A change of policy reaches all of them at once. What cannot have changed is kept: who a terminal is
until it reports again, what ground it touches until it moves, what is remembered of it by the id
of the rule that remembers. New cells are laid over the ground that is there (`land.overlays`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from spotbeam.kernels.verdicts import NEVER, NO_DAY
from spotbeam.kernels.verdicts.waiting import first_bite_us
from spotbeam.land.overlays import Overlay
from spotbeam.land.territories import Ground
from spotbeam.service.compiled import (
    Bound,
    CompiledPolicy,
    MemoryColumns,
    Standing,
    VerdictColumns,
    bind,
    compile_policy,
    verdicts,
)
from spotbeam.service.compiled.tables import next_moments_us
from spotbeam.service.memory import Memory
from spotbeam.service.policy import Policy
from spotbeam.service.rules import DAY_US, Rule
from spotbeam.service.terminals import Terminals, concatenate

Ids = tuple[str, ...]
Found = tuple[npt.NDArray[np.int32], list[tuple[int, ...]]]
_Column = tuple[npt.NDArray[np.int64], Found]
_CELL = "h3:"


class LiveTable:
    """Terminals with their verdicts, decided anew whenever anything may have changed.

    Args:
        ground: The borders of one point of view.
    """

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.terminals = concatenate([])
        self.columns: VerdictColumns | None = None
        self.compiled: CompiledPolicy | None = None
        self._policy = Policy()
        self._pending: set[str] = set()
        self._told_apart: frozenset[str] = frozenset()
        self._overlay = Overlay(ground)
        self._survey = _Survey(ground, self.terminals)
        self._memory: MemoryColumns | None = None
        self._bound: Bound | None = None
        self._next_us = NEVER
        self._place: dict[str, int] | None = None

    def __len__(self) -> int:
        return len(self.terminals)

    @property
    def policy(self) -> Policy:
        """The policy that the verdicts follow."""
        return self._policy

    @property
    def overlay(self) -> Overlay:
        """The ground with the cells of the policy over it."""
        return self._overlay

    @property
    def next_us(self) -> int:
        """When a verdict may change though nothing is heard; `NEVER`: not by the clock."""
        return self._next_us

    def put(self, terminals: Terminals, at_us: int) -> None:
        """Take in what terminals report; those that are known already are replaced.

        Args:
            terminals: Each id once. What is remembered of a known one stays.
            at_us: When.
        """
        if not len(terminals):
            return
        known = self.terminals.id
        stays = np.flatnonzero(_at(known, terminals.id) < 0)
        before = np.concatenate([stays, _at(terminals.id, known)])
        self.terminals = concatenate([self.terminals.take(stays), terminals])
        self._survey = _Survey(self.ground, self.terminals)
        self._place = None
        if self._memory is not None:
            self._memory = _rows(self._memory, before)
        self._compile(at_us)

    def drop(self, ids: Sequence[str], at_us: int) -> None:
        """Forget terminals that are no longer there."""
        stays = np.flatnonzero(_at(self.terminals.id, pa.array(list(ids), pa.string())) < 0)
        self.terminals = self.terminals.take(stays)
        self._survey = _Survey(self.ground, self.terminals)
        self._place = None
        if self._memory is not None:
            self._memory = _rows(self._memory, stays)
        self._compile(at_us)

    def enforce(self, policy: Policy, at_us: int, cells: Iterable[str] = ()) -> VerdictColumns:
        """Decide all terminals by a policy, from now on.

        Args:
            policy: The policy.
            at_us: When.
            cells: Cells that are to be told apart though no rule names them.

        Raises:
            RuleError: It names ground that is not there (`enforce.enforced` sees to that).
        """
        self._policy = policy
        self._told_apart = frozenset(cells)
        return self._compile(at_us)

    def renew(self, policy: Policy, at_us: int) -> VerdictColumns:
        """Decide all by the same rules, witnessed anew: `policy` has the version that stands."""
        assert self.compiled is not None
        assert self._bound is not None
        self._policy = policy
        self.compiled = dataclasses.replace(self.compiled, policy=policy)
        self._bound = dataclasses.replace(self._bound, compiled=self.compiled)
        return self._decide(at_us)

    def prepared(self, rules: Iterable[Rule]) -> Prepared:
        """Get ready for rules that may come: their cells, and the discs at their guard widths.

        A proposal stands in the record long before it binds; what takes time is done by then. It
        may run beside anything else; what it comes to is taken in with `install`.
        """
        rules, survey = tuple(rules), self._survey
        cells = _cells_of(rules)
        overlay = self._overlay
        if not cells <= {*overlay.cells}:
            known = _cells_of(self._policy.rules) | self._told_apart
            overlay = Overlay(self.ground, tuple(cells | known))
        guards_km = {rule.guard_km for rule in rules} | {*self._policy.guards_km()}
        columns = survey.known(overlay)
        for guard_km in sorted(guards_km - columns.keys()):
            columns[guard_km] = survey.laid(overlay, guard_km)
        return Prepared(survey=survey, overlay=overlay, columns=columns, cells=frozenset(cells))

    def install(self, prepared: Prepared) -> None:
        """Take in what was prepared, unless terminals have moved since."""
        self._pending = {*prepared.cells}
        if prepared.survey is self._survey:
            self._overlay = prepared.overlay
            self._survey.columns_of(prepared.overlay).update(prepared.columns)

    def memory_of(self, name: str) -> Memory | None:
        """What is remembered of a terminal of the table; None for another one."""
        if self._place is None:
            ids = self.terminals.id.to_pylist()
            self._place = {each: row for row, each in enumerate(ids)}
        row = self._place.get(name)
        if row is None or self._memory is None or self.compiled is None:
            return None
        return self._memory.row(self.compiled, row)

    def tick(self, at_us: int) -> VerdictColumns | None:
        """Decide again if a verdict may have changed by the clock alone."""
        if self.columns is None or at_us < self._next_us:
            return None
        return self._decide(at_us)

    def shown(self) -> Shown:
        """The verdicts as they stand; nothing of it changes later."""
        return Shown(terminals=self.terminals, columns=self.columns, policy=self._policy)

    def _compile(self, at_us: int) -> VerdictColumns:
        policy = self._policy
        self._lay(_cells_of(policy.rules) | self._told_apart)
        own, touched, sets = self._survey.standing(self._overlay, policy.guards_km())
        faces = self._overlay.face_territories
        touched = np.where(touched < 0, own[:, None], touched + len(faces)).astype(np.int32)
        before, compiled = self.compiled, compile_policy(policy, _Seen(self._overlay, faces))
        self.compiled = compiled
        self._bound = bind(compiled, self.terminals, Standing(own, touched, sets))
        if self._memory is None:
            self._memory = MemoryColumns.fresh(compiled, len(self))
        elif before is not None:
            self._memory = _carried(self._memory, before, compiled)
        return self._decide(at_us)

    def _lay(self, cells: set[str]) -> None:
        """Have at least these cells over the ground; others that once were there do no harm."""
        if not cells <= {*self._overlay.cells}:
            known = _cells_of(self._policy.rules) | self._pending | self._told_apart
            self._overlay = Overlay(self.ground, tuple(cells | known))

    def _decide(self, at_us: int) -> VerdictColumns:
        assert self.compiled is not None
        assert self._bound is not None
        self.columns = verdicts(self.compiled, self._bound, at_us, self._memory, validity=False)
        self._memory = self.columns.memory
        self._next_us = _next_us(self.compiled, at_us, self._memory)
        return self.columns


class _Survey:
    """What the ground alone says of terminals that stay in place, disc by disc."""

    def __init__(self, ground: Ground, terminals: Terminals) -> None:
        self._ground = ground
        known = ~np.isnan(terminals.lat_deg)
        self._lat = np.where(known, terminals.lat_deg, 0.0)
        self._lon = np.where(known, terminals.lon_deg, 0.0)
        self._error_m = terminals.position_error_m.astype(np.float64)
        self._own = ground.locate(self._lat, self._lon)
        self._discs: dict[float, _Column] = {}
        self._overlay: Overlay | None = None
        self._columns: dict[float, _Column] = {}

    def discs(self, guard_km: float) -> _Column:
        """Who has a disc at a guard width, and what faces of the ground alone it touches."""
        if guard_km not in self._discs:
            radius_m = self._error_m + guard_km * 1000.0
            rows = np.flatnonzero(radius_m > 0.0)
            self._discs[guard_km] = (
                rows,
                self._ground.touched(self._lat[rows], self._lon[rows], radius_m[rows]),
            )
        return self._discs[guard_km]

    def laid(self, overlay: Overlay, guard_km: float) -> _Column:
        """As `discs`, with cells over the ground."""
        rows, found = self.discs(guard_km)
        lat, lon = self._lat[rows], self._lon[rows]
        radius_m = self._error_m[rows] + guard_km * 1000.0
        return rows, overlay.laid_over_discs(found, lat, lon, radius_m)

    def known(self, overlay: Overlay) -> dict[float, _Column]:
        """What was laid over the ground already, by guard width."""
        return dict(self._columns) if overlay is self._overlay else {}

    def columns_of(self, overlay: Overlay) -> dict[float, _Column]:
        """What is known of the discs over this overlay, by guard width."""
        if overlay is not self._overlay:
            self._overlay, self._columns = overlay, {}
        return self._columns

    def standing(self, overlay: Overlay, guards_km: tuple[float, ...]) -> Standing:
        """On what ground everybody stands; `touched` is -1 for the own face alone, else a set."""
        own = overlay.laid_over_points(self._own, self._lat, self._lon)
        touched = np.full((len(own), len(guards_km)), -1, dtype=np.int32)
        sets: list[tuple[int, ...]] = []
        for number, guard_km in enumerate(guards_km):
            columns = self.columns_of(overlay)
            if guard_km not in columns:
                columns[guard_km] = self.laid(overlay, guard_km)
            rows, (index, more) = columns[guard_km]
            touched[rows, number] = index + len(sets)
            sets += more
        return Standing(own, touched, sets)


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Shown:
    """Terminals, the verdicts on them, and the policy that these follow."""

    terminals: Terminals
    columns: VerdictColumns | None
    policy: Policy


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Prepared:
    """What `LiveTable.prepared` came to."""

    survey: _Survey
    overlay: Overlay
    columns: dict[float, _Column]
    cells: frozenset[str]


class _Seen:
    """A ground of the faces that are in use: it stays as it is while more are met."""

    def __init__(self, overlay: Overlay, faces: tuple[Ids, ...]) -> None:
        self.view = overlay.view
        self.face_territories = faces
        self.locate = overlay.locate
        self.touched = overlay.touched
        self.ids = overlay.ids


def _at(ids: Any, among: Any) -> npt.NDArray[np.int64]:
    """The place of each id among others; -1 where it is not."""
    text = pa.large_string()
    place = pc.fill_null(pc.index_in(ids.cast(text), among.cast(text)), -1)
    return np.asarray(place.to_numpy(zero_copy_only=False), dtype=np.int64)


def _cells_of(rules: Iterable[Rule]) -> set[str]:
    return {
        name for rule in rules for name in (*rule.where, *rule.except_) if name.startswith(_CELL)
    }


def _carried(memory: MemoryColumns, before: CompiledPolicy, after: CompiledPolicy) -> MemoryColumns:
    """What is remembered, by the ids of the rules: those that went are forgotten."""
    if (before.motion_rules, before.day_rules) == (after.motion_rules, after.day_rules):
        return memory
    motion = _columns_of(before.motion_rules, after.motion_rules)
    days = _columns_of(before.day_rules, after.day_rules)
    return dataclasses.replace(
        memory,
        over_since_us=_taken(memory.over_since_us, motion, NEVER),
        blocked=_taken(memory.blocked, motion, False),
        days=_taken(memory.days, days, 0),
        last_day=_taken(memory.last_day, days, NO_DAY),
    )


def _columns_of(before: Ids, after: Ids) -> list[int]:
    place = {name: number for number, name in enumerate(before)}
    return [place.get(name, -1) for name in after]


def _taken(columns: npt.NDArray[Any], places: list[int], blank: object) -> npt.NDArray[Any]:
    out = np.full((len(columns), len(places)), blank, dtype=columns.dtype)
    for number, place in enumerate(places):
        if place >= 0:
            out[:, number] = columns[:, place]
    return out


def _rows(memory: MemoryColumns, places: npt.NDArray[np.int64]) -> MemoryColumns:
    """The memory of other rows: each from its place before, or blank at -1."""
    blanks = {"over_since_us": NEVER, "last_day": NO_DAY}
    known = places >= 0
    parts = {}
    for field in dataclasses.fields(memory):
        column = getattr(memory, field.name)
        taken = np.full(
            (len(places), *column.shape[1:]), blanks.get(field.name, 0), dtype=column.dtype
        )
        taken[known] = column[places[known]]
        parts[field.name] = taken
    return MemoryColumns(**parts)


def _next_us(compiled: CompiledPolicy, at_us: int, memory: MemoryColumns | None) -> int:
    """The first moment at which anybody's verdict may change by the clock alone."""
    moments = [*next_moments_us(compiled, at_us).values()]
    moments += [
        sponsor.until_us
        for sponsor in compiled.policy.sponsors
        if sponsor.until_us is not None and sponsor.until_us > at_us
    ]
    if compiled.day_rules:
        moments.append(at_us - at_us % DAY_US + DAY_US)
    if memory is not None and compiled.motion_rules:
        slots = compiled.rules.motion_slot
        for_us = np.zeros(len(compiled.motion_rules), dtype=np.int64)
        for_us[slots[slots >= 0]] = compiled.rules.for_us[slots >= 0]
        bites_us = first_bite_us(memory.over_since_us, memory.blocked, for_us)
        if bites_us != NEVER:
            moments.append(max(bites_us, at_us + 1))
    return min(moments, default=NEVER)
