"""Terminals as columns; millions fit."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from spotbeam.errors import TerminalsError
from spotbeam.service.terminals.checks import (
    CHOICES,
    FLAGS,
    NAMED,
    RANGES,
    numbers,
    read_columns,
    repeated_id,
    unknown_column,
)
from spotbeam.service.terminals.values import (
    COLUMNS,
    REQUIRED,
    Account,
    Mobility,
    Protection,
    Terminal,
)


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Terminals:
    """Terminals as columns of equal length n; about 60 bytes a row and its id.

    Attributes:
        id: Arrow array of strings.
        fleet: int32 index into `fleet_names`; likewise sponsor, registrant_country and plan.
        mobility: uint8, place in `Mobility`; likewise protection and account.
        lat_deg, lon_deg: float64, WGS 84; both NaN where the position is unknown.
        service_lat_deg, service_lon_deg: float32; both NaN without a service address.
    """

    id: Any
    fleet: npt.NDArray[np.int32]
    fleet_names: tuple[str, ...]
    sponsor: npt.NDArray[np.int32]
    sponsor_names: tuple[str, ...]
    registrant_country: npt.NDArray[np.int32]
    registrant_country_names: tuple[str, ...]
    mobility: npt.NDArray[np.uint8]
    protection: npt.NDArray[np.uint8]
    verified: npt.NDArray[np.bool_]
    account: npt.NDArray[np.uint8]
    plan: npt.NDArray[np.int32]
    plan_names: tuple[str, ...]
    distress: npt.NDArray[np.bool_]
    lat_deg: npt.NDArray[np.float64]
    lon_deg: npt.NDArray[np.float64]
    position_error_m: npt.NDArray[np.float32]
    assurance: npt.NDArray[np.uint8]
    speed_kmh: npt.NDArray[np.float32]
    altitude_m: npt.NDArray[np.float32]
    service_lat_deg: npt.NDArray[np.float32]
    service_lon_deg: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.lat_deg)

    @classmethod
    def drawn(
        cls,
        *,
        prefix: str,
        lat_deg: npt.NDArray[np.float64],
        lon_deg: npt.NDArray[np.float64],
        common: Mapping[str, Any],
        place: str,
    ) -> Self:
        """Terminals that differ by position only: ids `prefix-01`, `prefix-02`, …."""
        text = functools.partial(pa.scalar, type=pa.large_string())
        count = pa.array(np.arange(1, len(lat_deg) + 1)).cast(pa.large_string())
        number = pc.utf8_lpad(count, len(str(len(lat_deg))), "0")
        positions = {"lat_deg": lat_deg, "lon_deg": lon_deg}
        shared = {name: value for name, value in common.items() if name not in (*positions, "id")}
        ids = pc.binary_join_element_wise(text(prefix), number, text("-"))
        return cls._read(positions | {"id": ids}, shared, place, may_repeat=False)

    @classmethod
    def from_columns(
        cls,
        columns: Mapping[str, Any],
        *,
        place: str = "terminals",
        common: Mapping[str, Any] | None = None,
    ) -> Self:
        """Terminals from arrays by column name.

        Args:
            columns: NumPy arrays, Arrow arrays or lists of equal length; None, or NaN in a number,
                stands for the default.
            place: File or fleet that a message names.
            common: Values that all rows share, by column name.

        Raises:
            TerminalsError: the first bad value with its row (counted from 1) and column.
        """
        return cls._read(columns, common or {}, place)

    @classmethod
    def _read(
        cls,
        columns: Mapping[str, Any],
        common: Mapping[str, Any],
        place: str,
        *,
        may_repeat: bool = True,
    ) -> Self:
        parts, fault = read_columns(columns, common, may_repeat=may_repeat)
        if fault is not None:
            row = f", row {fault.row + 1}" if fault.row >= 0 else ""
            raise TerminalsError(fault.reason, place=f"{place}{row}, {fault.column}")
        return cls(**parts)

    def row(self, index: int) -> Terminal:
        """One terminal."""
        values: dict[str, Any] = {"id": self.id[index].as_py()}
        for name in NAMED:
            values[name] = getattr(self, f"{name}_names")[getattr(self, name)[index]]
        values["mobility"] = tuple(Mobility)[self.mobility[index]]
        values["protection"] = tuple(Protection)[self.protection[index]]
        values["account"] = tuple(Account)[self.account[index]]
        for name in (*FLAGS, *RANGES):
            values[name] = getattr(self, name)[index].item()
        return Terminal(**values)

    def rows(self) -> Iterable[Terminal]:
        """All terminals, one by one."""
        return (self.row(index) for index in range(len(self)))

    def take(self, index: npt.ArrayLike) -> Self:
        """Some of the rows, by position or by a mask of length n."""
        chosen = np.asarray(index)
        if chosen.dtype == np.bool_:
            chosen = np.flatnonzero(chosen)
        parts: dict[str, Any] = {}
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                value = value[chosen]
            elif field.name == "id":
                value = value.take(pa.array(chosen, type=pa.int64()))
            parts[field.name] = value
        return type(self)(**parts)

    def moved(self, **columns: npt.ArrayLike) -> Self:
        """The same terminals with other positions, motion or assurance; values are checked."""
        parts: dict[str, Any] = {}
        for name, values in columns.items():
            if name not in RANGES:
                raise TerminalsError(f"{name!r} does not change as a terminal moves")
            parts[name], fault = numbers(name, np.asarray(values), len(self))
            if fault is not None:
                raise TerminalsError(fault.reason, place=f"row {fault.row + 1}, {name}")
        return dataclasses.replace(self, **parts)

    def id_array(self) -> Any:
        """The ids as an Arrow array of strings."""
        return self.id

    def fleet_array(self) -> Any:
        """The fleet names as an Arrow dictionary array."""
        return pa.DictionaryArray.from_arrays(
            pa.array(self.fleet), pa.array(self.fleet_names, type=pa.string())
        )


def terminals_from_rows(
    rows: Sequence[Mapping[str, Any]], *, place: str = "terminals"
) -> Terminals:
    """Terminals from a list of mappings, as written inline in a scenario.

    Raises:
        TerminalsError: an unknown column, a missing one, a value out of range or a repeated id.
    """
    for number, row in enumerate(rows, start=1):
        fault = unknown_column(row)
        if fault is not None:
            raise TerminalsError(fault.reason, place=f"{place}, row {number}, {fault.column}")
    names = [name for name in COLUMNS if name in REQUIRED or any(name in row for row in rows)]
    columns = {name: [row.get(name) for row in rows] for name in names}
    return Terminals.from_columns(columns, place=place)


def concatenate(parts: Sequence[Terminals]) -> Terminals:
    """All terminals of several tables, in order.

    Raises:
        TerminalsError: an id stands in two of them.
    """
    if not parts:
        return Terminals.from_columns({name: [] for name in REQUIRED})
    columns: dict[str, Any] = {"id": pa.concat_arrays([part.id for part in parts])}
    for name in NAMED:
        names = dict.fromkeys(text for part in parts for text in getattr(part, f"{name}_names"))
        code = {text: index for index, text in enumerate(names)}
        columns[f"{name}_names"] = tuple(names)
        columns[name] = np.concatenate(
            [
                np.array([code[text] for text in getattr(part, f"{name}_names")], dtype=np.int32)[
                    getattr(part, name)
                ]
                for part in parts
            ]
        )
    for name in (*CHOICES, *FLAGS, *RANGES):
        columns[name] = np.concatenate([getattr(part, name) for part in parts])
    fault = repeated_id(columns["id"])
    if fault is not None:
        raise TerminalsError(fault.reason, place="id")
    return Terminals(**columns)
