"""What a change would do to an operator's own terminals, one by one: the operator's claim.

Nobody else can check it, so people do not sign it. It is what an edge will answer: the same
verdicts, over the same ground, for terminals whose motion has lasted.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spotbeam.land.territories import Ground
from spotbeam.service.compiled import (
    Standing,
    VerdictColumns,
    bind,
    compile_policy,
    stand,
    verdicts,
)
from spotbeam.service.policy import Policy
from spotbeam.service.terminals import Mobility, Protection, Terminals
from spotbeam.service.verdict import OUTCOMES, REASONS
from spotbeam.twin.impact.kinds import KINDS, SAME, kinds_of, words_of

_BY = ("protection", "fleet", "sponsor", "mobility")


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Terminals that have something in common, and how they fare.

    Attributes:
        name: Of the fleet, sponsor, protection, mobility or territory.
        kinds: How many of each of `kinds.KINDS` that occurs.
    """

    name: str
    terminals: int
    kinds: Mapping[str, int]


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """From which answer to which other, and how many."""

    kind: str
    before: str
    after: str
    terminals: int


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class TerminalImpact:
    """What a change does to n terminals at one instant.

    Attributes:
        terminals: n.
        kinds: How many of each of `kinds.KINDS` that occurs.
        by: `protection` first, then `fleet`, `sponsor`, `mobility` and `territory`; groups in which
            something changes, in order of name. A terminal stands in several territories.
        reasons: What becomes what, most terminals first.
        changes: A row for each terminal whose answer changes, in the order given: `id`, `kind`,
            `before_outcome`, `before_reason`, `before_rule`, `before_max_mbps`, the same `after_…`,
            `fleet`, `sponsor`, `protection`, `mobility`, `lat_deg`, `lon_deg`.
        unknown: Terminals whose position is not known.
        straddling: Terminals whose position disc crosses a border that this ground has.
    """

    at_us: int
    terminals: int
    kinds: Mapping[str, int]
    by: Mapping[str, tuple[Group, ...]]
    reasons: tuple[Reason, ...]
    changes: pa.Table
    unknown: int
    straddling: int

    @property
    def protected(self) -> tuple[Group, ...]:
        """How the protected fare, each kind of protection for itself."""
        return tuple(group for group in self.by["protection"] if group.name != "none")


class Standings:
    """Where n terminals stand on one ground: found once, used under any policy over it."""

    def __init__(self, ground: Ground, guards_km: Sequence[float], terminals: Terminals) -> None:
        self.ground = ground
        self.guards_km = tuple(sorted({0.0, *guards_km}))
        self.terminals = terminals
        self._standing = stand(ground, self.guards_km, terminals)

    def decided(self, policy: Policy, at_us: int) -> VerdictColumns:
        """Every terminal under a policy whose guard widths are among these."""
        compiled = compile_policy(policy, self.ground)
        columns = [self.guards_km.index(width) for width in compiled.guards_km]
        touched = np.ascontiguousarray(self._standing.touched[:, columns])
        standing = Standing(self._standing.own, touched, self._standing.sets)
        return verdicts(compiled, bind(compiled, self.terminals, standing), at_us, validity=False)

    @property
    def face(self) -> npt.NDArray[np.int32]:
        """The face of each terminal, shape (n,); of no meaning where its position is unknown."""
        return self._standing.own

    @property
    def straddles(self) -> npt.NDArray[np.bool_]:
        """Whether each terminal's position disc touches more than one face, shape (n,)."""
        n_faces = len(self.ground.face_territories)
        several = np.array([False] * n_faces + [len(each) > 1 for each in self._standing.sets])
        found: npt.NDArray[np.bool_] = several[self._standing.touched[:, 0]]
        return found


def terminal_impact(
    before: Policy,
    after: Policy,
    where: Standings | tuple[Ground, Terminals],
    at_us: int,
) -> TerminalImpact:
    """Who gains, who loses, who is limited, and by which rule.

    Args:
        before, after: Policies, with the lists that the operator holds.
        where: The terminals on their ground; both policies' territories and cells are in it.
        at_us: When.

    Raises:
        RuleError: a rule names a territory that the ground does not have.
    """
    if isinstance(where, Standings):
        standings = where
    else:
        widths = (*before.guards_km(), *after.guards_km())
        standings = Standings(where[0], widths, where[1])
    was, now = standings.decided(before, at_us), standings.decided(after, at_us)
    kind = kinds_of(was, now, _ids(before), _ids(after))
    terminals = standings.terminals
    known = ~np.isnan(terminals.lat_deg)
    by = {name: _groups(*_named(terminals, name), kind) for name in _BY}
    by["territory"] = _territories(standings.ground, standings.face, known, kind)
    return TerminalImpact(
        at_us=at_us,
        terminals=len(terminals),
        kinds=_counts(kind),
        by=by,
        reasons=_reasons(kind, was, now),
        changes=_changes(terminals, kind, was, now, _ids(before), _ids(after)),
        unknown=int((~known).sum()),
        straddling=int((standings.straddles & known).sum()),
    )


def _ids(policy: Policy) -> tuple[str, ...]:
    return tuple(rule.id for rule in policy.rules)


def _counts(kind: npt.NDArray[np.uint8]) -> dict[str, int]:
    found = np.bincount(kind, minlength=len(KINDS)).tolist()
    return {name: count for name, count in zip(KINDS, found, strict=True) if count}


def _named(terminals: Terminals, name: str) -> tuple[npt.NDArray[Any], tuple[str, ...]]:
    words = {"protection": Protection, "mobility": Mobility}.get(name)
    if words is not None:
        return getattr(terminals, name), tuple(str(word) for word in words)
    return getattr(terminals, name), getattr(terminals, f"{name}_names")


def _groups(
    code: npt.NDArray[Any], names: Sequence[str], kind: npt.NDArray[np.uint8]
) -> tuple[Group, ...]:
    both = code.astype(np.int64) * len(KINDS) + kind
    table = np.bincount(both, minlength=len(names) * len(KINDS)).reshape(-1, len(KINDS))
    return _as_groups({name: table[number] for number, name in enumerate(names)})


def _territories(
    ground: Ground,
    face: npt.NDArray[np.int32],
    known: npt.NDArray[np.bool_],
    kind: npt.NDArray[np.uint8],
) -> tuple[Group, ...]:
    places = np.where(known & (face >= 0), face, len(ground.face_territories))
    both = places.astype(np.int64) * len(KINDS) + kind
    n_rows = len(ground.face_territories) + 1
    table = np.bincount(both, minlength=n_rows * len(KINDS)).reshape(n_rows, -1)
    sums: dict[str, npt.NDArray[np.int64]] = {"(unknown)": table[-1]}
    for number in np.flatnonzero(table[:-1].any(axis=1)).tolist():
        for name in ground.face_territories[number]:
            sums[name] = sums.get(name, np.zeros(len(KINDS), np.int64)) + table[number]
    return _as_groups(sums)


def _as_groups(table: Mapping[str, npt.NDArray[np.int64]]) -> tuple[Group, ...]:
    return tuple(
        Group(
            name=name,
            terminals=int(counts.sum()),
            kinds={kind: n for kind, n in zip(KINDS, counts.tolist(), strict=True) if n},
        )
        for name, counts in sorted(table.items())
        if counts.sum() > counts[SAME]
    )


def _reasons(
    kind: npt.NDArray[np.uint8], was: VerdictColumns, now: VerdictColumns
) -> tuple[Reason, ...]:
    rows = np.flatnonzero(kind != SAME)
    key = np.zeros(len(rows), dtype=np.int64)
    for column in (kind, was.outcome, was.reason, now.outcome, now.reason):
        key = key * 32 + column[rows]
    unique, first, count = np.unique(key, return_index=True, return_counts=True)
    found = []
    for number in np.lexsort((unique, -count)).tolist():
        row = rows[first[number]]
        found.append(
            Reason(
                kind=KINDS[kind[row]],
                before=words_of(int(was.outcome[row]), int(was.reason[row])),
                after=words_of(int(now.outcome[row]), int(now.reason[row])),
                terminals=int(count[number]),
            )
        )
    return tuple(found)


def _changes(
    terminals: Terminals,
    kind: npt.NDArray[np.uint8],
    was: VerdictColumns,
    now: VerdictColumns,
    rules_before: tuple[str, ...],
    rules_after: tuple[str, ...],
) -> pa.Table:
    rows = np.flatnonzero(kind != SAME)
    taken = pa.array(rows, type=pa.int64())
    columns = {"id": terminals.id.take(taken), "kind": _words(kind[rows], KINDS)}
    for prefix, decided, rules in (("before", was, rules_before), ("after", now, rules_after)):
        columns[f"{prefix}_outcome"] = _words(decided.outcome[rows], OUTCOMES)
        columns[f"{prefix}_reason"] = _words(decided.reason[rows], REASONS)
        columns[f"{prefix}_rule"] = _words(decided.rule[rows], rules)
        mbps = decided.max_mbps[rows].astype(np.float64)
        columns[f"{prefix}_max_mbps"] = pa.array(mbps, mask=np.isnan(mbps))
    for name in ("fleet", "sponsor", "protection", "mobility"):
        code, names = _named(terminals, name)
        columns[name] = _words(code[rows], names)
    for name in ("lat_deg", "lon_deg"):
        columns[name] = pa.array(getattr(terminals, name)[rows])
    return pa.table(columns)


def _words(code: npt.NDArray[Any], names: Sequence[str]) -> Any:
    """Codes as an Arrow dictionary of words; negative ones are null."""
    numbers = code.astype(np.int32)
    indices = pa.array(numbers, mask=numbers < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(list(names), type=pa.string()))
