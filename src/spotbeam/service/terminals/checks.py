"""From columns as they were read to columns that everything behind this door may rely on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from spotbeam.errors import nearest
from spotbeam.service.terminals.values import (
    COLUMNS,
    DEFAULTS,
    REQUIRED,
    Account,
    Mobility,
    Protection,
)

NAMED = ("fleet", "sponsor", "registrant_country", "plan")
CHOICES: Mapping[str, tuple[str, ...]] = {
    "mobility": tuple(Mobility),
    "protection": tuple(Protection),
    "account": tuple(Account),
}
FLAGS = ("verified", "distress")


class _Range(NamedTuple):
    low: float
    high: float
    dtype: type[np.generic]
    may_be_absent: bool = False


# Bounds are sanity limits: half the Earth's girth, escape speed, the Karman line.
RANGES: Mapping[str, _Range] = {
    "lat_deg": _Range(-90, 90, np.float64),
    "lon_deg": _Range(-180, 180, np.float64),
    "position_error_m": _Range(0, 20_038_000, np.float32),
    "assurance": _Range(0, 3, np.uint8),
    "speed_kmh": _Range(0, 41_000, np.float32),
    "altitude_m": _Range(-500, 100_000, np.float32),
    "service_lat_deg": _Range(-90, 90, np.float32, may_be_absent=True),
    "service_lon_deg": _Range(-180, 180, np.float32, may_be_absent=True),
}


class Fault(NamedTuple):
    """What is wrong with one value of a table.

    Attributes:
        row: Counted from 0; -1 where the whole column is wrong.
    """

    row: int
    column: str
    value: object
    reason: str


def first_fault(
    columns: Mapping[str, Any], common: Mapping[str, Any] | None = None
) -> Fault | None:
    """The first bad value of a table (lowest row, then column order), or None if all is well."""
    return read_columns(columns, common or {})[1]


def read_columns(
    columns: Mapping[str, Any], common: Mapping[str, Any], *, may_repeat: bool = True
) -> tuple[dict[str, Any], Fault | None]:
    """Checked columns by field name, and the first fault.

    Args:
        columns: Values of all rows, by name.
        common: One value for all rows, by name.
        may_repeat: Ids may stand there twice, so that they must be looked through (1 µs a row).
    """
    for fault in (unknown_column(columns), unknown_column(common)):
        if fault is not None:
            return {}, fault
    for name in REQUIRED:
        if name not in columns:
            return {}, Fault(-1, name, None, f"the column {name!r} is missing")
    n = len(columns["id"])
    parts: dict[str, Any] = {}
    faults: list[Fault] = []
    for name in COLUMNS:
        values = columns.get(name)
        if values is not None and len(values) != n:
            reason = f"the column has {len(values)} values, and 'id' has {n}"
            return {}, Fault(-1, name, None, reason)
        fault = _read_column(name, values, common.get(name), n, parts)
        if name == "id" and fault is None and may_repeat:
            fault = repeated_id(parts["id"])
        if fault is not None:
            faults.append(fault)
    if not faults:
        for first, second in (("lat_deg", "lon_deg"), ("service_lat_deg", "service_lon_deg")):
            half = np.flatnonzero(np.isnan(parts[first]) != np.isnan(parts[second]))
            if len(half):
                row = int(half[0])
                absent = first if np.isnan(parts[first][row]) else second
                other = second if absent == first else first
                reason = f"is missing, and {other} is {parts[other][row]:g}; give both or neither"
                faults.append(Fault(row, absent, None, reason))
    return parts, min(faults, key=lambda fault: fault.row, default=None)


def _read_column(
    name: str, values: Any, shared: Any, n: int, parts: dict[str, Any]
) -> Fault | None:
    """Put one checked column into `parts`; its first fault."""
    if name == "id":
        parts["id"], fault = _ids(values)
    elif name in NAMED:
        parts[name], parts[f"{name}_names"], fault = _named(name, values, shared, n)
    elif name in CHOICES:
        parts[name], fault = _chosen(name, values, shared, n)
    elif name in FLAGS:
        parts[name], fault = _flags(name, values, shared, n)
    else:
        parts[name], fault = numbers(name, shared if values is None else values, n)
    return fault


def unknown_column(columns: Mapping[str, Any]) -> Fault | None:
    """The first column that terminals do not have, with the nearest that they have."""
    for name in columns:
        if name not in COLUMNS:
            near = nearest(str(name), COLUMNS)
            fix = f"did you mean {near!r}?" if near else f"known: {', '.join(COLUMNS)}"
            return Fault(-1, str(name), None, f"unknown column {name!r}; {fix}")
    return None


def _texts(values: Any) -> Any:
    """An Arrow array of strings, whatever the values came as."""
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if isinstance(values, pa.DictionaryArray):
        values = values.dictionary_decode()
    if not isinstance(values, pa.Array):
        plain = values.tolist() if isinstance(values, np.ndarray) else values
        values = pa.array([None if v is None else str(v) for v in plain], type=pa.large_string())
    return values.cast(pa.large_string())


def _ids(values: Any) -> tuple[Any, Fault | None]:
    ids = _texts(values)
    empty = pc.fill_null(pc.equal(pc.utf8_trim_whitespace(ids), ""), fill_value=True)
    row = pc.index(empty, value=True).as_py()
    if row >= 0:
        return ids, Fault(row, "id", None, "the id is empty")
    return ids, None


def repeated_id(ids: Any) -> Fault | None:
    """The first id that stands there for the second time."""
    if pc.count_distinct(ids).as_py() == len(ids):
        return None
    seen: dict[str, int] = {}
    for row, name in enumerate(ids.to_pylist()):
        if name in seen:
            reason = f"{name!r} is also the id of row {seen[name] + 1}"
            return Fault(row, "id", name, reason)
        seen[name] = row
    return None


def _named(
    name: str, values: Any, shared: Any, n: int
) -> tuple[npt.NDArray[np.int32], tuple[str, ...], Fault | None]:
    default = DEFAULTS[name] if shared is None else str(shared)
    if values is None:
        codes, names = np.zeros(n, dtype=np.int32), (default,)
    else:
        encoded = pc.dictionary_encode(pc.fill_null(_texts(values), default))
        codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int32)
        names = tuple(encoded.dictionary.to_pylist())
    if name == "registrant_country":
        for code, text in enumerate(names):
            if text and not (
                len(text) == 2 and text.isascii() and text.isalpha() and text.isupper()
            ):
                row = int(np.argmax(codes == code)) if n else -1
                reason = f"{text!r} is not an ISO 3166-1 alpha-2 code, as 'UA'"
                return codes, names, Fault(row, name, text, reason)
    return codes, names, None


def _chosen(
    name: str, values: Any, shared: Any, n: int
) -> tuple[npt.NDArray[np.uint8], Fault | None]:
    choices = CHOICES[name]
    codes, names, _ = _named(name, values, shared, n)
    place = np.zeros(max(1, len(names)), dtype=np.uint8)
    for code, text in enumerate(names):
        if text in choices:
            place[code] = choices.index(text)
        elif n:
            near = nearest(text, choices)
            fix = f"did you mean {near!r}?" if near else f"known: {', '.join(choices)}"
            reason = f"{text!r} is not a known {name}; {fix}"
            return place[codes], Fault(int(np.argmax(codes == code)), name, text, reason)
    return place[codes], None


def _flag_fault(name: str, value: object, n: int) -> Fault | None:
    if isinstance(value, bool) or not n:
        return None
    return Fault(0, name, value, f"{value!r} is neither true nor false")


_WORDS = {"true": True, "false": False, "1": True, "0": False}


def _flags(
    name: str, values: Any, shared: Any, n: int
) -> tuple[npt.NDArray[np.bool_], Fault | None]:
    default = DEFAULTS[name] if shared is None else shared
    if values is None:
        return np.full(n, default, dtype=bool), _flag_fault(name, default, n)
    if isinstance(values, np.ndarray) and values.dtype == np.bool_:
        return values, None
    flags = np.empty(n, dtype=bool)
    plain = values.to_pylist() if isinstance(values, pa.Array | pa.ChunkedArray) else values
    for row, value in enumerate(plain):
        found = default if value is None else _WORDS.get(str(value).lower())
        if not isinstance(found, bool):
            return flags, Fault(row, name, value, f"{value!r} is neither true nor false")
        flags[row] = found
    return flags, None


def numbers(name: str, values: Any, n: int) -> tuple[npt.NDArray[Any], Fault | None]:
    """A column of numbers in its range; `values` is None, one number, or n of them."""
    low, high, dtype, may_be_absent = RANGES[name]
    default = DEFAULTS.get(name)
    if values is None and default is not None:
        return np.full(n, default, dtype=dtype), None
    if isinstance(values, int | float | str):  # one for all rows
        one, fault = numbers(name, [values], 1)
        return np.full(n, one[0], dtype=dtype), fault
    given, fault = _as_floats(name, default if values is None else values, n)
    if fault is not None:
        return given, fault
    absent = np.isnan(given)
    if default is not None and absent.any():
        given = np.where(absent, default, given)
        absent = np.isnan(given)
    bad = ~((given >= low) & (given <= high))
    if may_be_absent:
        bad &= ~absent
    elif default is None:
        bad &= ~absent  # an unknown position is a state, not a mistake
    if dtype is np.uint8:
        bad |= given != np.floor(given)
    if bad.any():
        row = int(np.argmax(bad))
        kind = "a whole number" if dtype is np.uint8 else "a number"
        reason = f"{given[row]:g} is not {kind} from {low:g} to {high:g}"
        return given, Fault(row, name, float(given[row]), reason)
    return given.astype(dtype), None


def _as_floats(name: str, values: Any, n: int) -> tuple[npt.NDArray[np.float64], Fault | None]:
    if isinstance(values, pa.Array | pa.ChunkedArray):
        values = (
            values.to_numpy(zero_copy_only=False)
            if isinstance(values, pa.Array)
            else (values.to_numpy())
        )
    array = np.asarray(values)
    if array.dtype.kind in "fiu":
        return np.broadcast_to(array.astype(np.float64), (n,)), None
    floats = np.empty(n)
    for row, value in enumerate(np.broadcast_to(array, (n,)).tolist()):
        try:
            if isinstance(value, bool):
                raise ValueError
            floats[row] = np.nan if value is None else float(value)
        except (TypeError, ValueError):
            return floats, Fault(row, name, value, f"{value!r} is not a number")
    return floats, None
