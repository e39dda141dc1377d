"""The cells behind an impact, one by one: for maps and for files that other tools open."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spotbeam.governance.preview import as_read
from spotbeam.governance.state import Proposal, State
from spotbeam.land.territories import Ground
from spotbeam.times import format_time
from spotbeam.twin.impact.area import Area
from spotbeam.twin.impact.kinds import KINDS, SAME, words_of
from spotbeam.twin.impact.phases import at_hour, hours_of
from spotbeam.twin.impact.tried import Asked, Tried, tried


class CellChanges:
    """How each cell changes for each reference terminal, in each phase, from one point of view.

    Attributes:
        ground: Whose borders.
        area: The cells; `kind_of` numbers them.
        references: Names of who was tried.
        phases: Names of the phases, in order.
    """

    def __init__(self, found: Tried) -> None:
        self.ground: Ground = found.trial.ground
        self.area: Area = found.trial.area
        self.view = found.view
        self.references = tuple(each.name for each in found.trial.references)
        self._trial = found.trial
        self._steps = []
        for instant, (before, after) in zip(found.instants, found.pairs, strict=True):
            begins = instant.begins_us
            name = "as soon as it binds" if begins is None else f"from {format_time(begins)}"
            for of_day_us, hours in hours_of((before, after))[0]:
                spans = [f"{a // 60:02}:{a % 60:02}-{b // 60:02}:{b % 60:02}" for a, b in hours]
                label = f"{name}, daily {', '.join(spans)} UTC" if spans else name
                pair = (at_hour(before, of_day_us), at_hour(after, of_day_us))
                self._steps.append((label, instant.at_us, *pair))
        self.phases = tuple(label for label, *_ in self._steps)

    def kind_of(self, phase: int, reference: str) -> npt.NDArray[np.uint8]:
        """Places in `kinds.KINDS`, shape (n_cell,)."""
        kind, _, _ = self._tried(phase, reference)
        return kind

    def fullest(self, reference: str) -> int:
        """The phase in which most cells change for a reference; the first of equal ones."""
        changed = [int((self.kind_of(n, reference) != SAME).sum()) for n in range(len(self.phases))]
        return int(np.argmax(changed))

    def table(self) -> pa.Table:
        """A row for each cell that changes, each phase and each reference for which it does."""
        rows = []
        names = np.array([*map(list, self.ground.face_territories), []], dtype=object)
        for phase, label in enumerate(self.phases):
            for reference in self.references:
                kind, before, after = self._tried(phase, reference)
                at = np.flatnonzero(kind != SAME)
                rows.append(
                    pa.table(
                        {
                            "cell": pa.array(self.area.cell[at], pa.uint64()),
                            "lat_deg": self.area.lat_deg[at],
                            "lon_deg": self.area.lon_deg[at],
                            "territories": pa.array(
                                [names[face] for face in self.area.face[at].tolist()],
                                pa.list_(pa.string()),
                            ),
                            "people": pa.array(self.area.people[at], pa.int64()),
                            "phase": pa.array([label] * len(at), pa.string()),
                            "reference": pa.array([reference] * len(at), pa.string()),
                            "kind": pa.array([KINDS[k] for k in kind[at].tolist()], pa.string()),
                            "before": pa.array([before[n] for n in at.tolist()], pa.string()),
                            "after": pa.array([after[n] for n in at.tolist()], pa.string()),
                        }
                    )
                )
        return pa.concat_tables(rows)

    def _tried(
        self, phase: int, reference: str
    ) -> tuple[npt.NDArray[np.uint8], list[str], list[str]]:
        _, at_us, before, after = self._steps[phase]
        each = self._trial.references[self.references.index(reference)]
        kind, was, now = self._trial.one(each, before, after, at_us)
        words = [
            [words_of(o, r) for o, r in zip(c.outcome.tolist(), c.reason.tolist(), strict=True)]
            for c in (was, now)
        ]
        return kind, words[0], words[1]


def cell_changes(
    state: State, proposal: Proposal, id: str, at_us: int, *, view: str | None = None
) -> CellChanges:
    """The cells of a proposal's ground, and how each would change.

    Args:
        state, proposal, id, at_us: As in `public.public_impact`.
        view: A point of view on borders; the record's first, if left out.

    Raises:
        Refused: It could not bind in this state.
    """
    asked = Asked.of(state, as_read(proposal), id, at_us)
    return CellChanges(tried(asked, view or asked.views[0]))
