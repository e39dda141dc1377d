"""Reference terminals tried at every cell under two policies, and the difference counted."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from spotbeam.land.territories import Ground
from spotbeam.service.compiled import CompiledPolicy, VerdictColumns, bind, compile_policy, verdicts
from spotbeam.service.policy import Policy
from spotbeam.service.terminals import Terminals
from spotbeam.twin.impact.area import Area
from spotbeam.twin.impact.bands import standing_in_bands
from spotbeam.twin.impact.kinds import KINDS, SAME, kinds_of, words_of
from spotbeam.twin.impact.references import Reference, memory_of, terminals_at

EVERYWHERE = "*"
"""Stands for the whole area where others stand for a territory; territories may overlap."""


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """One line: how much of one territory changes for one reference terminal, and how.

    Attributes:
        kind: Of `kinds.KINDS`.
        before, after: Outcome and reason, as `deny NOT_AUTHORISED`.
        km2: By the mean area of the cells.
    """

    reference: str
    territory: str
    kind: str
    before: str
    after: str
    cells: int
    km2: int
    people: int


class Trial:
    """The references at the points of one area: asked again and again under other policies."""

    def __init__(self, ground: Ground, area: Area, references: Sequence[Reference]) -> None:
        self.ground = ground
        self.area = area
        self.references = tuple(references)
        self._terminals: dict[str, Terminals] = {}
        self._compiled: dict[str, CompiledPolicy] = {}
        self._standing: dict[tuple[float, ...], Any] = {}

    def effects(
        self, before: Policy, after: Policy, at_us: int, *, served: bool = True
    ) -> tuple[Effect, ...]:
        """What is different under the second policy, in a fixed order.

        Args:
            before, after: Policies with the references on their lists.
            at_us: When.
            served: Whether the terminals were served at the moment before.
        """
        found: list[Effect] = []
        for each in self.references if len(self.area) else ():
            was = self._decided(before, each, at_us, served)
            now = self._decided(after, each, at_us, served)
            kind = kinds_of(was, now, _ids(before), _ids(after))
            found += self._counted(each.name, kind, was, now)
        return tuple(found)

    def one(
        self, each: Reference, before: Policy, after: Policy, at_us: int
    ) -> tuple[npt.NDArray[np.uint8], VerdictColumns, VerdictColumns]:
        """How each cell changes for one reference: places in `KINDS`, and both verdicts."""
        was, now = (self._decided(policy, each, at_us, True) for policy in (before, after))
        return kinds_of(was, now, _ids(before), _ids(after)), was, now

    def _decided(self, policy: Policy, each: Reference, at_us: int, served: bool) -> VerdictColumns:
        area = self.area
        if each.name not in self._terminals:
            self._terminals[each.name] = terminals_at(each, area.lat_deg, area.lon_deg)
        compiled = self._compile(policy)
        if compiled.guards_km not in self._standing:
            self._standing[compiled.guards_km] = standing_in_bands(
                self.ground, compiled.guards_km, area.lat_deg, area.lon_deg
            )
        bound = bind(compiled, self._terminals[each.name], self._standing[compiled.guards_km])
        memory = memory_of(each, compiled, len(area), at_us, served=served)
        return verdicts(compiled, bound, at_us, memory, validity=False)

    def _compile(self, policy: Policy) -> CompiledPolicy:
        """Compiled once for its rules; how long ago it was witnessed is asked at each verdict."""
        if policy.version not in self._compiled:
            self._compiled[policy.version] = compile_policy(policy, self.ground)
        return dataclasses.replace(self._compiled[policy.version], policy=policy)

    def _counted(
        self,
        reference: str,
        kind: npt.NDArray[np.uint8],
        was: VerdictColumns,
        now: VerdictColumns,
    ) -> Iterator[Effect]:
        changed = np.flatnonzero(kind != SAME)
        columns = [kind, was.outcome, was.reason, now.outcome, now.reason]
        packed = np.zeros(len(changed), np.int64)
        for each in columns:  # a byte each: their order is that of the columns
            packed = packed << 8 | each[changed]
        groups, index = np.unique(packed, return_inverse=True)
        names = self.ground.face_territories
        values = np.stack(
            [np.ones(len(changed), np.int64), self.area.area_m2[changed],
             self.area.people[changed]], axis=1)  # fmt: skip
        for number, group in enumerate(groups.tolist()):
            code, *words = group.to_bytes(len(columns), "big")
            rows = np.flatnonzero(index == number)
            totals = values[rows]
            sums: dict[str, npt.NDArray[np.int64]] = {EVERYWHERE: totals.sum(axis=0)}
            faces, part_of = np.unique(self.area.face[changed[rows]], return_inverse=True)
            parts = np.zeros((len(faces), 3), np.int64)
            np.add.at(parts, part_of, totals)
            for face, part in zip(faces.tolist(), parts, strict=True):
                for name in names[face] if face >= 0 else ():
                    sums[name] = sums.get(name, 0) + part
            for name in sorted(sums):
                cells, m2, people = sums[name].tolist()
                yield Effect(
                    reference=reference,
                    territory=name,
                    kind=KINDS[code],
                    before=words_of(words[0], words[1]),
                    after=words_of(words[2], words[3]),
                    cells=cells,
                    km2=m2 // 1_000_000,
                    people=people,
                )


def _ids(policy: Policy) -> tuple[str, ...]:
    return tuple(rule.id for rule in policy.rules)
