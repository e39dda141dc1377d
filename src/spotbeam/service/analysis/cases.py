"""Cases: every combination that a policy can tell apart, decided by the kernel, all at once."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spotbeam.kernels.verdicts import NEVER
from spotbeam.service.analysis.atoms import (
    Atom,
    TooMany,
    combine,
    memory_of,
    reading_dimensions,
    who_dimensions,
)
from spotbeam.service.compiled import (
    CompiledPolicy,
    MemoryColumns,
    Standing,
    VerdictColumns,
    bind,
    compile_policy,
    verdicts,
)
from spotbeam.service.conditions import stands_while_stale
from spotbeam.service.memory import Memory, RuleMemory
from spotbeam.service.policy import Policy, is_stale
from spotbeam.service.position import GroundLike, Ids, Motion, Position
from spotbeam.service.rules import DAY_US, Effect
from spotbeam.service.terminals import DEFAULTS, Terminal, Terminals

_MOST_COMBINATIONS = 20_000


class Spot(NamedTuple):
    """Ground under a terminal.

    Attributes:
        own: The face that it stands on, by index.
        other: A face that its disc touches as well; the same as `own` where there is none.
        guard: From which guard width on (place in the policy's widths) it does.
    """

    own: int
    other: int
    guard: int = 0


class Cases:
    """All distinct terminals and readings on some spots of a ground.

    Attributes:
        spot, who, reading: Index into `spots`, `whos` and `readings`, shape (n,).
    """

    def __init__(
        self, policy: Policy, ground: GroundLike, spots: Sequence[Spot], most: int
    ) -> None:
        """Enumerate them.

        Raises:
            TooMany: they are more than `most`.
        """
        self.policy, self.ground, self.spots = policy, ground, spots
        self.whos: list[Atom] = []
        self.readings: list[Atom] = []
        who_dims, reading_dims = who_dimensions(policy), reading_dimensions(policy)
        known: dict[int, tuple[range, range]] = {}
        parts: list[npt.NDArray[np.int64]] = []
        for number, spot in enumerate(spots):
            relevant = self.covering(spot)
            if relevant not in known:
                known[relevant] = (
                    _extend(self.whos, combine(who_dims, relevant, _MOST_COMBINATIONS)),
                    _extend(self.readings, combine(reading_dims, relevant, _MOST_COMBINATIONS)),
                )
            whos, readings = known[relevant]
            if sum(len(part) for part in parts) + len(whos) * len(readings) > most:
                raise TooMany
            pairs = np.stack(np.meshgrid(whos, readings, indexing="ij"), axis=-1).reshape(-1, 2)
            parts.append(np.column_stack([np.full(len(pairs), number), pairs]))
        table = np.concatenate(parts) if parts else np.empty((0, 3), dtype=np.int64)
        self.spot, self.who, self.reading = table.T
        self._terminals = self._columns()

    def __len__(self) -> int:
        return len(self.spot)

    @classmethod
    def of(
        cls, policy: Policy, ground: GroundLike, spot: Spot, who: Atom | None, reading: Atom | None
    ) -> Cases:
        """A single case; what is None is filled with anything."""
        case = cls(policy, ground, [], 0)
        case.spots = [spot]
        case.whos = [who or combine(who_dimensions(policy), 0, 1000)[0]]
        case.readings = [reading or combine(reading_dimensions(policy), 0, 1000)[0]]
        case.spot = case.who = case.reading = np.zeros(1, dtype=np.int64)
        case._terminals = case._columns()
        return case

    def covering(self, spot: Spot) -> int:
        """The rules with ground under or beside a spot, as bits by their place in the policy."""
        faces = [self.ground.face_territories[face] for face in (spot.own, spot.other)]
        return sum(
            1 << place
            for place, rule in enumerate(self.policy.rules)
            if any(rule.covers(face) for face in faces)
        )

    def take(self, rows: npt.NDArray[np.bool_]) -> Cases:
        """Some of the cases."""
        taken = object.__new__(Cases)
        taken.__dict__.update(self.__dict__)
        taken.spot, taken.who, taken.reading = self.spot[rows], self.who[rows], self.reading[rows]
        taken._terminals = self._terminals.take(rows)
        return taken

    def touching(self, number: int) -> npt.NDArray[np.bool_]:
        """Which cases have ground of a rule in the disc that the rule looks at, shape (n,)."""
        rule = self.policy.rules[number]
        width = self.policy.guards_km().index(rule.guard_km)
        touches = []
        for spot in self.spots:
            seen = {spot.own, spot.other} if width >= spot.guard else {spot.own}
            covered = [rule.covers(self.ground.face_territories[face]) for face in seen]
            touches.append(all(covered) if rule.effect is Effect.EXEMPT else any(covered))
        found: npt.NDArray[np.bool_] = np.array(touches, dtype=bool)[self.spot]
        return found

    def matching(self, number: int, at_us: int) -> npt.NDArray[np.bool_]:
        """Which cases a rule matches, shape (n,)."""
        rule = self.policy.rules[number]
        if not rule.in_force(at_us):
            return np.zeros(len(self), dtype=bool)
        lapsed_ids = {s.id for s in self.policy.sponsors if s.has_lapsed(at_us)}
        silent = is_stale(rule, self.policy, at_us) and rule.on_stale != "hold"
        who = np.array(
            [
                atom.bits >> number & 1 == 1
                and rule.who.sponsor_lapsed in (None, atom.values["sponsor"] in lapsed_ids)
                for atom in self.whos
            ],
            dtype=bool,
        )[self.who]
        reading = np.array([atom.bits >> number & 1 for atom in self.readings], dtype=bool)
        found: npt.NDArray[np.bool_] = self.touching(number) & who & reading[self.reading]
        if silent:
            protected = self._terminals.protection != 0
            served = np.array([a.values.get("served", False) for a in self.readings], dtype=bool)
            stands = np.array(
                [
                    [stands_while_stale(rule, protected=p, served=s) for s in (False, True)]
                    for p in (False, True)
                ]
            )
            found &= stands[protected.astype(int), served[self.reading].astype(int)]
        return found

    def decide(self, at_us: int, policy: Policy | None = None) -> VerdictColumns:
        """Decide all cases, under the policy or under another one over the same ground."""
        compiled = compile_policy(policy or self.policy, self.ground)
        bound = bind(compiled, self._terminals, self._standing(compiled))
        return verdicts(compiled, bound, at_us, self._memory(compiled, at_us), validity=False)

    @property
    def is_active(self) -> npt.NDArray[np.bool_]:
        """Whose account lets rules be asked at all, shape (n,)."""
        active: npt.NDArray[np.bool_] = self._terminals.account == 0
        return active

    def terminal(self, case: int) -> Terminal:
        """Who a case is about, standing at latitude and longitude 0 of nowhere in particular."""
        return self._terminals.row(case)

    def position(self, case: int) -> Position:
        """Where a case is: exactly the faces of its spot."""
        spot, terminal = self.spots[self.spot[case]], self.terminal(case)
        own, other = (self.ground.face_territories[face] for face in (spot.own, spot.other))
        discs: dict[float, tuple[Ids, ...]] = {
            width: (own, other) if spot.other != spot.own and number >= spot.guard else (own,)
            for number, width in enumerate(self.policy.guards_km())
        }
        return Position(
            lat_deg=0.0,
            lon_deg=0.0,
            error_m=terminal.position_error_m,
            assurance=terminal.assurance,
            own=own,
            discs=discs,
        )

    def motion(self, case: int) -> Motion:
        terminal = self.terminal(case)
        return Motion(speed_kmh=terminal.speed_kmh, altitude_m=terminal.altitude_m)

    def memory(self, case: int, at_us: int) -> Memory:
        """What is remembered in a case."""
        values = self.readings[self.reading[case]].values
        days = {
            name.removeprefix("days:"): RuleMemory(days=count, last_day=at_us // DAY_US)
            for name, count in values.items()
            if name.startswith("days:")
        }
        return Memory(
            rules={**memory_of(self.policy, values["motion"]).rules, **days},
            served=values.get("served", False),
            data_gb=values["data_gb"],
        )

    def _columns(self) -> Terminals:
        whos = self.whos or [Atom({}, 0)]
        names = [name for name in DEFAULTS if name in whos[0].values]
        columns: dict[str, Any] = {name: [a.values[name] for a in whos] for name in names}
        columns["id"] = [str(number) for number in range(len(whos))]
        columns["lat_deg"] = columns["lon_deg"] = np.zeros(len(whos))
        kinds = Terminals.from_columns(columns)
        ids = pa.array([a.values.get("id", "") for a in whos], type=pa.large_string())
        terminals = dataclasses.replace(kinds, id=ids).take(self.who)
        return terminals.moved(
            **{
                name: np.array([a.values.get(name, np.nan) for a in self.readings])[self.reading]
                for name in (
                    "position_error_m",
                    "assurance",
                    "speed_kmh",
                    "altitude_m",
                    "service_lat_deg",
                    "service_lon_deg",
                )
            }
        )

    def _standing(self, compiled: CompiledPolicy) -> Standing:
        n_faces = len(compiled.face_bits)
        own = np.array([spot.own for spot in self.spots], dtype=np.int32)
        touched = np.repeat(own[:, None], len(compiled.guards_km), axis=1)
        widths = self.policy.guards_km()
        sets: list[Sequence[int]] = []
        for number, spot in enumerate(self.spots):
            if spot.other == spot.own:
                continue
            for column, width in enumerate(compiled.guards_km):
                if width >= widths[spot.guard]:
                    touched[number, column] = n_faces + len(sets)
            sets.append((spot.own, spot.other))
        return Standing(own[self.spot], touched[self.spot], sets)

    def _memory(self, compiled: CompiledPolicy, at_us: int) -> MemoryColumns:
        memory = MemoryColumns.fresh(compiled, len(self))
        readings = [atom.values for atom in self.readings]
        motion = np.array([values["motion"] for values in readings])[self.reading]
        held = memory_of(self.policy, "held").rules.values()
        since_us = next((m.over_since_us for m in held if m.over_since_us is not None), NEVER)
        memory.over_since_us[motion == "held"] = since_us
        memory.blocked[motion == "slowed"] = True
        for slot, name in enumerate(compiled.day_rules):
            days = np.array([values[f"days:{name}"] for values in readings], dtype=np.int32)
            memory.days[:, slot] = days[self.reading]
            memory.last_day[:, slot] = at_us // DAY_US
        served = np.array([values.get("served", False) for values in readings])
        data_gb = np.array([values["data_gb"] for values in readings])
        return dataclasses.replace(
            memory, served=served[self.reading], data_gb=data_gb[self.reading]
        )


def _extend(atoms: list[Atom], more: Sequence[Atom]) -> range:
    first = len(atoms)
    atoms.extend(more)
    return range(first, len(atoms))
