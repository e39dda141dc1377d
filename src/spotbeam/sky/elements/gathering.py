"""Rows and faults of one file, gathered into element sets and a report."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from spotbeam.errors import ElementsError
from spotbeam.sky.elements.fields import FieldFault, Row, printable, shown
from spotbeam.sky.elements.values import ElementFault, ElementSets, Provenance

# A file with more than this is not one of element sets; an endless report helps nobody.
MOST_FAULTS = 100_000


class Gathering:
    """What has been read of a file so far.

    A satellite that comes twice is kept once: the later epoch wins, at equal epochs the later
    in the file.

    Args:
        source: The file as messages name it.
        line_of: The line of a position; asked only where something is wrong, as counting lines
            costs more than parsing.
    """

    def __init__(self, source: str, line_of: Callable[[int], int]) -> None:
        self.source = source
        self.originators: set[str] = set()
        self.creation_date = ""
        self.faults: list[ElementFault] = []
        self._line_of = line_of
        self._kept: dict[int, tuple[Row, int]] = {}
        self._read = 0

    def keep(self, row: Row, position: int) -> None:
        """Take one checked set that starts at a position."""
        self._read += 1
        number = row[0]
        before = self._kept.get(number)
        if before is not None:
            older, newer = (before, (row, position))
            if row[3] < before[0][3]:
                older, newer = newer, older
            same = older[0][3] == newer[0][3]
            kept_line = self._line_of(newer[1])
            reason = f"the set at line {kept_line} " + (
                "has the same epoch and comes later" if same else "has a later epoch"
            )
            self.note("NORAD_CAT_ID", str(number), reason, older[1], number, "duplicate")
            # the kept set takes its own place in the order of the file
            del self._kept[number]
            row, position = newer
        self._kept[number] = (row, position)
        if "\ufffd" in row[1]:
            reason = "holds bytes that are not UTF-8 or not printable; they are shown as \ufffd"
            self.note("OBJECT_NAME", row[1], reason, position, number, "noted")

    def credit(self, originator: str, creation_date: str) -> None:
        """Take who made a set, and when, where the file says it."""
        if originator:
            self.originators.add(printable(originator))
        self.creation_date = max(self.creation_date, printable(creation_date))

    def skip(self, fault: FieldFault, position: int, number: int | None = None) -> None:
        """Report one set that cannot be used; the position is the faulty field's."""
        self._read += 1
        self.note(fault.field, fault.value, fault.reason, position, number, "skipped")

    def note(
        self,
        field: str,
        value: str,
        reason: str,
        position: int,
        number: int | None = None,
        effect: Literal["skipped", "duplicate", "noted"] = "noted",
    ) -> None:
        """Add a line to the report."""
        if len(self.faults) >= MOST_FAULTS:
            raise ElementsError(
                f"more than {MOST_FAULTS:,} faults, the first at {self.faults[0]}",
                place=self.source,
                hint="this is hardly a file of element sets: pass OMM (JSON, CSV, XML, KVN) or TLE",
            )
        self.faults.append(
            ElementFault(
                line=self._line_of(position),
                catalogue_number=number,
                field=field,
                value=shown(value),
                reason=reason,
                effect=effect,
            )
        )

    @property
    def read(self) -> int:
        """How many sets the file holds, kept or not."""
        return self._read

    def elements(self, provenance: Provenance) -> ElementSets:
        """The kept sets in columns, in the order of the file."""
        rows = [row for row, _ in sorted(self._kept.values(), key=lambda kept: kept[1])]
        self._note_nameless()
        columns = list(zip(*rows, strict=True)) if rows else [()] * 13
        whole = [np.array(columns[at], dtype=np.int64) for at in (0, 3)]
        numbers = [np.array(column, dtype=np.float64) for column in columns[4:]]
        return ElementSets(
            catalogue_number=whole[0],
            epoch_us=whole[1],
            mean_motion_rev_day=numbers[0],
            eccentricity=numbers[1],
            inclination_deg=numbers[2],
            raan_deg=numbers[3],
            argument_of_perigee_deg=numbers[4],
            mean_anomaly_deg=numbers[5],
            bstar=numbers[6],
            mean_motion_dot_rev_day2=numbers[7],
            mean_motion_ddot_rev_day3=numbers[8],
            name=columns[1],
            international_designator=columns[2],
            source=provenance.source,
            provenance=provenance,
        )

    def _note_nameless(self) -> None:
        """Where most sets have a name, one without has lost it."""
        nameless = [(row, position) for row, position in self._kept.values() if not row[1]]
        if 2 * len(nameless) < len(self._kept):
            for row, position in nameless:
                self.note("OBJECT_NAME", "", "missing: kept without a name", position, row[0])
