"""Fleets from files: CSV (plain or gzip) or Parquet, told by content; millions of rows.

Columns are those of `service.terminals`: id, lat_deg and lon_deg must be there; an empty cell of
another column stands for its default. Texts are trimmed. Rows are counted from 1 after the header,
and in CSV the message has the file's line as well, which quoted line breaks and blank lines move.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from spotbeam.errors import TerminalsError, nearest
from spotbeam.formats.source_bytes import open_ordinary
from spotbeam.formats.terminal_csv import CsvText
from spotbeam.service.terminals import (
    COLUMNS,
    DEFAULTS,
    REQUIRED,
    Terminals,
    concatenate,
    first_fault,
)

MAX_ROWS = 50_000_000
_ROWS_AT_ONCE = 131_072
_LONGEST_TEXT = 200
_FLAGS = ("verified", "distress")
_TEXTS = (
    "id",
    "fleet",
    "sponsor",
    "registrant_country",
    "mobility",
    "protection",
    "account",
    "plan",
)
_WORDS = {"true": True, "false": False, "1": True, "0": False}
_OTHER_NAMES = {
    "latitude": "lat_deg",
    "longitude": "lon_deg",
    "lat": "lat_deg",
    "lon": "lon_deg",
    "lng": "lon_deg",
    "long": "lon_deg",
    "x": "lon_deg",
    "y": "lat_deg",
    "terminal": "id",
    "terminal_id": "id",
    "speed": "speed_kmh",
    "altitude": "altitude_m",
    "country": "registrant_country",
}


def read_terminals(
    path: str | os.PathLike[str],
    *,
    fleet: str | None = None,
    common: Mapping[str, Any] | None = None,
) -> Terminals:
    """The terminals of a file, in its order.

    Args:
        path: CSV with a header, that CSV in gzip, or Parquet.
        fleet: The fleet of rows that name none.
        common: Values for columns that the file does not have, by column name.

    Raises:
        TerminalsError: the first bad row in the file's order: file, row, line, column, value, fix.
    """
    shared = {**(common or {}), **({} if fleet is None else {"fleet": fleet})}
    name = Path(path).name
    with open_ordinary(path, error=TerminalsError) as file:
        if file.read(4) == b"PAR1":
            return _read(_ParquetRows(file, name), shared)
    return _read(CsvText(path), shared)


class _ParquetRows:
    """The columns of a Parquet file in batches."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self.name = name
        try:
            self._file = pq.ParquetFile(file)
        except (pa.ArrowException, OSError) as problem:
            self._explain(problem)
        self.columns: list[str] = self._file.schema_arrow.names
        if self._file.metadata.num_rows > MAX_ROWS:
            raise TerminalsError(
                f"{self._file.metadata.num_rows} rows are more than {MAX_ROWS}",
                place=name,
                hint="split the file",
            )

    def batches(self) -> Iterator[pa.RecordBatch]:
        try:
            for batch in self._file.iter_batches(batch_size=_ROWS_AT_ONCE):
                batch.validate(full=True)
                yield batch
        except (pa.ArrowException, OSError) as problem:
            self._explain(problem)

    def place(self, row: int) -> str:
        return f"{self.name}, row {row + 1}"

    def _explain(self, problem: Exception) -> NoReturn:
        raise TerminalsError(
            f"not readable as Parquet: {str(problem).splitlines()[0][:200]}",
            place=self.name,
            hint="write it again, as with pyarrow or pandas",
        ) from None


def _read(rows: CsvText | _ParquetRows, common: Mapping[str, Any]) -> Terminals:
    _check_columns(rows)
    parts: list[Terminals] = []
    before = 0
    for batch in rows.batches():
        parts.append(_part(batch, before, rows, common))
        before += batch.num_rows
        if before > MAX_ROWS:
            raise TerminalsError(f"more than {MAX_ROWS} rows", place=rows.name, hint="split it")
    if not before:
        raise TerminalsError(
            "has no rows", place=rows.name, hint="write one row for each terminal, or leave it out"
        )
    _refuse_repeated_ids(pa.chunked_array([part.id for part in parts]), rows)
    return concatenate(parts)


def _check_columns(rows: CsvText | _ParquetRows) -> None:
    for column in rows.columns:
        if column not in COLUMNS:
            near = _OTHER_NAMES.get(column.strip().lower()) or nearest(column, COLUMNS)
            raise TerminalsError(
                f"unknown column {column[:_LONGEST_TEXT]!r}",
                place=f"{rows.name}, header",
                hint=f"did you mean {near!r}?" if near else f"known: {', '.join(COLUMNS)}",
            )
        if rows.columns.count(column) > 1:
            raise TerminalsError(
                f"the column {column!r} stands twice",
                place=f"{rows.name}, header",
                hint="remove one of the two",
            )
    for column in REQUIRED:
        if column not in rows.columns:
            raise TerminalsError(
                f"the column {column!r} is missing",
                place=f"{rows.name}, header",
                hint=f"every terminal needs {', '.join(REQUIRED)}",
            )


class _BadCell(Exception):
    """A cell of a batch that cannot be read; the row is counted within the batch."""

    def __init__(self, row: int, reason: str, hint: str) -> None:
        self.row = row
        self.reason = reason
        self.hint = hint


def _part(
    batch: pa.RecordBatch, before: int, rows: CsvText | _ParquetRows, common: Mapping[str, Any]
) -> Terminals:
    """The terminals of one batch; of several bad cells, the one in the first row is told."""
    bad: list[tuple[int, str, str, str]] = []
    columns: dict[str, Any] = {}
    for name in batch.schema.names:
        try:
            columns[name] = _reader_of(name)(name, batch.column(name), common)
        except _BadCell as cell:
            bad.append((cell.row, name, cell.reason, cell.hint))
    if bad:
        row, name, reason, hint = min(bad, key=lambda cell: cell[0])
        if row:
            # A row before it may hold a value that can be read but is out of its range.
            _part(batch.slice(0, row), before, rows, common)
        raise TerminalsError(reason, place=f"{rows.place(before + row)}, {name}", hint=hint)
    try:
        return Terminals.from_columns(columns, place=rows.name, common=common)
    except TerminalsError:
        fault = first_fault(columns, common)
        if fault is None or fault.row < 0:
            raise
        if fault.column == "id" and fault.value is not None:
            # Counted over the whole file, where service counts within the batch.
            _refuse_repeated_ids(columns["id"], rows, before)
        raise TerminalsError(
            fault.reason,
            place=f"{rows.place(before + fault.row)}, {fault.column}",
            hint=_hint(fault.column),
        ) from None


def _hint(column: str) -> str:
    return {
        "lat_deg": "is longitude written in its place? Latitude runs from -90 to 90",
        "lon_deg": "write degrees from -180 to 180, west negative",
    }.get(column, "correct the value, or leave the cell empty for the default")


def _reader_of(name: str) -> Callable[[str, Any, Mapping[str, Any]], Any]:
    if name in _TEXTS:
        return _texts
    return _flags if name in _FLAGS else _numbers


def _texts(name: str, values: Any, common: Mapping[str, Any]) -> Any:
    """A column of texts, trimmed; null where the cell is empty."""
    texts = _as_texts(name, values)
    texts = pc.if_else(pc.equal(texts, ""), None, texts)
    if name == "id":
        row = _first(pc.is_null(texts))
        if row is not None:
            raise _BadCell(row, "the id is empty", "give every terminal an id of its own")
    few = texts if name == "id" else pc.unique(texts)
    long = pc.greater(pc.utf8_length(few), _LONGEST_TEXT)
    odd = pc.match_substring_regex(few, "[\\x00-\\x1f\\x7f]")
    for wrong, what in (
        (long, f"a text of more than {_LONGEST_TEXT} characters"),
        (odd, "a line break or another control character in the text"),
    ):
        at = _first(wrong)
        if at is not None:
            row = int(pc.index(texts, few[at]).as_py())
            raise _BadCell(row, what, "is a quote left open?")
    return texts


def _flags(name: str, values: Any, common: Mapping[str, Any]) -> npt.NDArray[np.bool_]:
    """A column of true and false; the default where the cell is empty."""
    default = bool(common.get(name, DEFAULTS[name]))
    if not pa.types.is_boolean(values.type):
        texts = _as_texts(name, values)
        encoded = pc.dictionary_encode(pc.if_else(pc.equal(texts, ""), None, texts))
        words = encoded.dictionary.to_pylist()
        for code, word in enumerate(words):
            if word.lower() not in _WORDS:
                row = int(pc.index(encoded.indices, code).as_py())
                raise _BadCell(
                    row, f"{_short(word)!r} is neither true nor false", "write true or false"
                )
        meanings = pa.array([_WORDS[word.lower()] for word in words], pa.bool_())
        values = meanings.take(encoded.indices)
    flags: npt.NDArray[np.bool_] = pc.fill_null(values, default).to_numpy(zero_copy_only=False)
    return flags


def _numbers(name: str, values: Any, common: Mapping[str, Any]) -> npt.NDArray[np.float64]:
    """A column of numbers; NaN where the cell is empty and need not be filled."""
    kind = values.type
    if pa.types.is_dictionary(kind) or not (
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    ):
        texts = _as_texts(name, values)
        texts = pc.if_else(pc.equal(texts, ""), None, texts)
        numbers = _parsed(texts)
        given = pc.is_valid(texts).to_numpy(zero_copy_only=False)
    else:
        numbers = values.cast(pa.float64()).to_numpy(zero_copy_only=False)
        given = pc.is_valid(values).to_numpy(zero_copy_only=False)
        # pandas writes an empty cell as NaN.
        given &= ~np.isnan(numbers)
        texts = values
    row = _first(given & ~np.isfinite(numbers))
    if row is not None:
        raise _BadCell(row, f"{texts[row].as_py()!r} is not a finite number", _hint(name))
    if name in REQUIRED:
        row = _first(~given)
        if row is not None:
            raise _BadCell(row, "is empty", "every terminal needs a latitude and a longitude")
    missing = ~given
    if name in common and missing.any():
        numbers = np.where(missing, float(common[name]), numbers)
    return numbers


def _parsed(texts: Any) -> npt.NDArray[np.float64]:
    """Numbers of texts, NaN for null; the first text that is no number is found by halving."""
    try:
        return np.asarray(texts.cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)
    except pa.ArrowInvalid:
        pass
    low, high = 0, len(texts)
    while high - low > 1:
        middle = (low + high) // 2
        try:
            texts.slice(low, middle - low).cast(pa.float64())
            low = middle
        except pa.ArrowInvalid:
            high = middle
    text = texts[low].as_py()
    comma = "," in text
    raise _BadCell(
        low,
        f"{_short(text)!r} is not a number",
        "write a decimal point, not a comma" if comma else "write digits, as 49.5",
    )


def _as_texts(name: str, values: Any) -> Any:
    kind = values.type.value_type if pa.types.is_dictionary(values.type) else values.type
    if not (
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
        or pa.types.is_null(kind)
        or (pa.types.is_integer(kind) and name in _TEXTS)
    ):
        what = "a text" if name in _TEXTS else "true or false" if name in _FLAGS else "a number"
        raise _BadCell(0, f"the column holds {values.type}, not {what}", "convert the column")
    return pc.utf8_trim_whitespace(values.cast(pa.large_string()))


def _refuse_repeated_ids(ids: Any, rows: CsvText | _ParquetRows, before: int = 0) -> None:
    if pc.count_distinct(ids).as_py() == len(ids):
        return
    seen: dict[str, int] = {}
    for row, name in enumerate(ids.to_pylist()):
        if name in seen:
            raise TerminalsError(
                f"{name!r} is also the id of {_within(rows, before + seen[name])}",
                place=f"{rows.place(before + row)}, id",
                hint="give every terminal an id of its own",
            )
        seen[name] = row


def _within(rows: CsvText | _ParquetRows, row: int) -> str:
    return rows.place(row).removeprefix(f"{rows.name}, ")


def _first(mask: Any) -> int | None:
    """The first place at which a mask is true."""
    if isinstance(mask, np.ndarray):
        return int(np.argmax(mask)) if mask.any() else None
    found = int(pc.index(mask, True).as_py())
    return found if found >= 0 else None


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:60]}…"
