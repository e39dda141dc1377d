"""CSV of terminals in batches of texts, and the line on which a row begins.

Arrow parses; where something is wrong, Python's own reader goes over the file again to find the
line, so that the ordinary path need not count lines.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NoReturn, cast

import pyarrow as pa
import pyarrow.csv as pacsv

from spotbeam.errors import TerminalsError
from spotbeam.formats.source_bytes import open_ordinary

_GZIP = b"\x1f\x8b"
_BLOCK_BYTES = 8 * 1024 * 1024
_LONGEST_HEADER = 64 * 1024
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
_UNREADABLE = (pa.ArrowException, OSError, EOFError, zlib.error, UnicodeDecodeError)


class CsvText:
    """A CSV file, plain or gzip, in UTF-8, with one header line."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = path
        self.name = Path(path).name
        with open_ordinary(path, error=TerminalsError) as file:
            self._packed = file.read(2) == _GZIP
        self.columns = self._header()
        if not self.columns:
            raise TerminalsError(
                "is empty", place=self.name, hint="write a header line, as id,lat_deg,lon_deg"
            )
        for separator, plural in _SEPARATORS.items():
            if len(self.columns) == 1 and separator in self.columns[0]:
                raise TerminalsError(
                    f"the columns are separated by {plural}",
                    place=f"{self.name}, line 1",
                    hint="separate them by commas",
                )

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows, every value a text or null where the cell is empty."""
        try:
            with self._stream() as stream:
                yield from pacsv.open_csv(
                    pa.PythonFile(stream, mode="r"),
                    read_options=pacsv.ReadOptions(block_size=_BLOCK_BYTES),
                    parse_options=pacsv.ParseOptions(newlines_in_values=True),
                    convert_options=pacsv.ConvertOptions(
                        column_types={name: pa.string() for name in self.columns},
                        null_values=[""],
                        strings_can_be_null=True,
                    ),
                )
        except _UNREADABLE as problem:
            self._explain(problem)

    def place(self, row: int) -> str:
        """Where a row is: its number counted from 1 after the header, and its line in the file."""
        for index, (line, _) in enumerate(self._records()):
            if index == row + 1:
                return f"{self.name}, row {row + 1} (line {line})"
        return f"{self.name}, row {row + 1}"

    def _header(self) -> list[str]:
        try:
            with self._stream() as stream:
                start = stream.read(_LONGEST_HEADER).decode("utf-8-sig", errors="replace")
        except _UNREADABLE as problem:
            self._explain(problem)
        records = csv.reader(io.StringIO(start, newline=""))
        names = next((record for record in records if record), [])
        if any("\ufffd" in name for name in names):
            self._refuse_encoding()
        return names

    @contextmanager
    def _stream(self) -> Iterator[BinaryIO]:
        """The file from its beginning, independent of any other stream of it."""
        with open_ordinary(self._path, error=TerminalsError) as file:
            if not self._packed:
                yield file
                return
            with gzip.GzipFile(fileobj=file) as unpacked:
                yield cast(BinaryIO, unpacked)

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        """Each record that is not blank with the line that it begins on; the header is first."""
        with self._stream() as stream:
            text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="replace", newline="")
            reader = csv.reader(text)
            line = 1
            try:
                for record in reader:
                    if record:
                        yield line, record
                    line = reader.line_num + 1
            except csv.Error:
                return

    def _explain(self, problem: Exception) -> NoReturn:
        """Refuse the file, as near to the place as can be told."""
        text = str(problem) or type(problem).__name__
        self._refuse_encoding()
        if "straddling" in text:
            raise TerminalsError(
                f"a row is longer than {_BLOCK_BYTES} bytes",
                place=self.name,
                hint="is a quote left open?",
            ) from None
        for index, (line, record) in enumerate(self._records()):
            if len(record) != len(self.columns):
                raise TerminalsError(
                    f"{len(record)} values under {len(self.columns)} columns",
                    place=f"{self.name}, row {index} (line {line})",
                    hint="give every row a value for every column; quote a text with a comma in it",
                ) from None
        raise TerminalsError(
            f"not readable as CSV: {text.splitlines()[0][:200]}",
            place=self.name,
            hint="export it again as CSV in UTF-8, separated by commas",
        ) from None

    def _refuse_encoding(self) -> None:
        """Refuse a file that is not UTF-8 or not whole, naming the line of the first odd byte."""
        decoder = codecs.getincrementaldecoder("utf-8")()
        line = 1
        try:
            with self._stream() as stream:
                while chunk := stream.read(_BLOCK_BYTES):
                    pending = decoder.getstate()[0]
                    try:
                        decoder.decode(chunk)
                    except UnicodeDecodeError as problem:
                        odd = (pending + chunk)[problem.start]
                        line += (pending + chunk).count(b"\n", 0, problem.start)
                        raise TerminalsError(
                            f"byte 0x{odd:02x} is not UTF-8",
                            place=f"{self.name}, line {line}",
                            hint="save the file as UTF-8",
                        ) from None
                    line += chunk.count(b"\n")
        except (OSError, EOFError, zlib.error):
            raise TerminalsError(
                "is not a whole gzip file" if self._packed else "cannot be read",
                place=self.name,
                hint="was it cut off? Pack it again" if self._packed else "check the file",
            ) from None
