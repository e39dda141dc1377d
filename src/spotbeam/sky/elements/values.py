"""Element sets in columns, and what was wrong with the ones that were not kept."""

from __future__ import annotations

from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

FloatColumn = npt.NDArray[np.float64]
IntColumn = npt.NDArray[np.int64]

COLUMNS = (
    "catalogue_number",
    "epoch_us",
    "mean_motion_rev_day",
    "eccentricity",
    "inclination_deg",
    "raan_deg",
    "argument_of_perigee_deg",
    "mean_anomaly_deg",
    "bstar",
    "mean_motion_dot_rev_day2",
    "mean_motion_ddot_rev_day3",
)
_MICROSECONDS = 1e6


class Provenance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where element sets come from, exactly enough to find the same bytes again.

    Attributes:
        source: File name, address or catalogue as the caller gave it.
        format: `omm-json`, `omm-csv`, `omm-xml`, `omm-kvn` or `tle`.
        sha256: Of the uncompressed bytes, hexadecimal.
        originator: OMM's ORIGINATOR, where the file names exactly one.
        creation_date: OMM's CREATION_DATE as written; the latest where sets differ.
    """

    source: str
    format: str
    sha256: str
    originator: str = ""
    creation_date: str = ""


class ElementSets(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """SGP4 mean elements of many satellites, a row a satellite.

    Every column has shape (n_sat,). The elements are Brouwer mean elements in TEME for SGP4
    with WGS 72 constants, as CCSDS 502.0-B-3 (OMM, MEAN_ELEMENT_THEORY = SGP4) and the
    two-line format carry them.

    Attributes:
        catalogue_number: int64, 1 to 999,999,999, each at most once.
        name: As printed, without padding; empty where the file has none.
        international_designator: `2019-074A`; empty where there is none.
        epoch_us: int64, microseconds since 1970 UTC.
        mean_motion_rev_day: Kozai mean motion, revolutions a day.
        eccentricity: 0 to below 1.
        inclination_deg: 0 to 180.
        raan_deg: Right ascension of the ascending node, degrees.
        argument_of_perigee_deg: Degrees.
        mean_anomaly_deg: Degrees.
        bstar: Drag term, 1 / Earth radii.
        mean_motion_dot_rev_day2: As printed in TLE and OMM: half the first derivative.
        mean_motion_ddot_rev_day3: As printed: a sixth of the second derivative.
        source: The file, or `catalogue:` and a system's name.
        provenance: Digest, format and originator of the file; None for built sets.
    """

    catalogue_number: IntColumn
    name: tuple[str, ...]
    international_designator: tuple[str, ...]
    epoch_us: IntColumn
    mean_motion_rev_day: FloatColumn
    eccentricity: FloatColumn
    inclination_deg: FloatColumn
    raan_deg: FloatColumn
    argument_of_perigee_deg: FloatColumn
    mean_anomaly_deg: FloatColumn
    bstar: FloatColumn
    mean_motion_dot_rev_day2: FloatColumn
    mean_motion_ddot_rev_day3: FloatColumn
    source: str
    provenance: Provenance | None = None

    def __post_init__(self) -> None:
        shape = (len(self.name),)
        if len(self.international_designator) != len(self.name):
            raise ValueError("ElementSets: international_designator and name differ in length")
        for column in COLUMNS:
            values = getattr(self, column)
            if values.shape != shape:
                raise ValueError(f"ElementSets: {column} has shape {values.shape}, not {shape}")

    def __len__(self) -> int:
        return len(self.name)

    def __repr__(self) -> str:
        return f"<ElementSets: {len(self):,} from {self.source}>"

    def take(self, index: npt.ArrayLike | slice) -> ElementSets:
        """The rows that indices, a boolean mask or a slice select, in that order."""
        if not isinstance(index, slice):
            index = np.asarray(index)
            index = index.astype(np.int64) if index.size == 0 else index
        rows = np.arange(len(self))[index]
        return ElementSets(
            **{column: getattr(self, column)[rows] for column in COLUMNS},
            name=tuple(self.name[row] for row in rows),
            international_designator=tuple(self.international_designator[row] for row in rows),
            source=self.source,
            provenance=self.provenance,
        )


class ElementFault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that was wrong in a file of element sets.

    Attributes:
        line: Line of the file, from 1: of the field where it is known, else of the set.
        catalogue_number: Of the set it belongs to, where it can be read.
        field: The OMM keyword (also for a two-line set), `line 1`, `checksum`, or empty.
        value: What stands there, shortened and with control characters replaced.
        reason: What is wrong with it.
        effect: `skipped`: that set is not kept. `duplicate`: a newer set of the same satellite
            is kept instead. `noted`: no set was lost by it.
    """

    line: int
    catalogue_number: int | None
    field: str
    value: str
    reason: str
    effect: Literal["skipped", "duplicate", "noted"]

    def __str__(self) -> str:
        of = f", satellite {self.catalogue_number}" if self.catalogue_number is not None else ""
        where = f"line {self.line}{of}"
        what = " ".join(part for part in (self.field, self.value and repr(self.value)) if part)
        return f"{where}: {what}: {self.reason}" if what else f"{where}: {self.reason}"


class ElementsReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What became of every element set of a file: `read == kept + skipped + duplicates`."""

    format: str
    read: int
    kept: int
    faults: tuple[ElementFault, ...] = ()

    @property
    def skipped(self) -> int:
        """Sets that could not be used."""
        return sum(fault.effect == "skipped" for fault in self.faults)

    @property
    def duplicates(self) -> int:
        """Sets passed over for a newer one of the same satellite."""
        return sum(fault.effect == "duplicate" for fault in self.faults)

    def __str__(self) -> str:
        parts = [f"{self.kept:,} element sets kept of {self.read:,}"]
        if self.skipped:
            parts.append(f"{self.skipped:,} skipped")
        if self.duplicates:
            parts.append(f"{self.duplicates:,} older than another set of the same satellite")
        return ", ".join(parts)


def age_s(elements: ElementSets, at_us: int) -> FloatColumn:
    """How old each set is at an instant: seconds since its epoch, shape (n_sat,).

    Negative where the epoch lies ahead.
    """
    age: FloatColumn = (np.int64(at_us) - elements.epoch_us) / _MICROSECONDS
    return age
