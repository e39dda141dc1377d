"""What an edge was given beside the record: rows of lists, contents of seals.

The record commits to both; what does not lead to the root or the commitment there is no opening.
A row is checked once, when it comes, so that a list of a hundred thousand costs nothing when the
policy is made again. What holds is kept, so that an edge without a link still has it after a
restart.

    lists/<list>/<version>      CSV: terminal,salt (base64), with a header
    seals/<id>                  JSON: {"value": …, "salt": base64}
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator

import msgspec

from spotbeam.errors import MalformedRecord, SpotbeamError
from spotbeam.governance.entries.acts import PutList
from spotbeam.governance.history import Intended
from spotbeam.governance.policy import Openings, missing
from spotbeam.record.keys import decode_base64

Give = Callable[[str], bytes | None]
"""The bytes of an opening by its name, as `lists/kits/3` or `seals/s1`; None: not there."""
Keep = Callable[[str, bytes], None]
MAX_SIZE = 200_000_000
"""No longer list is read: about two million rows."""


class _SealFile(msgspec.Struct, frozen=True):
    value: str
    salt: str


class Held:
    """The openings that an edge holds, each checked against the record.

    Args:
        kept: Those of an earlier run; they are checked again.
        keep: Where those that hold are kept.
    """

    def __init__(self, kept: Give | None = None, keep: Keep | None = None) -> None:
        self._kept = kept
        self._keep = keep
        self._lists: dict[str, dict[tuple[int, str], frozenset[str]]] = {}
        self._seals: dict[str, tuple[bytes, bytes]] = {}
        self._refused: dict[str, bytes] = {}

    @property
    def seals(self) -> Openings:
        """Values and salts of seals; of lists nothing, which have their own way."""
        return Openings(seals=dict(self._seals))

    def terminals(self, act: PutList) -> frozenset[str] | None:
        """Who is on a list, or None where its rows are not held."""
        return self._lists.get(act.list, {}).get((act.version, act.root))

    def last_terminals(self, name: str) -> tuple[int, frozenset[str]] | None:
        """The latest version of a list of which the rows are held, and who is on it."""
        versions = self._lists.get(name)
        if not versions:
            return None
        latest = max(versions)
        return latest[0], versions[latest]

    def lacking(self, intended: Intended) -> tuple[str, ...]:
        """Names of the openings that are in force and not held, as they are asked for."""
        lists = [
            f"lists/{act.list}/{act.version}"
            for act in intended.lists
            if self.terminals(act) is None
        ]
        without = msgspec.structs.replace(intended, lists=())
        seals = missing(without, self.seals)
        return (*lists, *(f"seals/{name.removeprefix('seal:')}" for name in seals))

    def take(self, intended: Intended, give: Give) -> tuple[str, ...]:
        """Ask for what is lacking; the names of those that came and hold."""
        return tuple(name for name in self.lacking(intended) if self._ask(intended, name, give))

    def recall(self, intended: Intended) -> tuple[str, ...]:
        """Take again what was kept by an earlier run, as far as the record still asks for it."""
        return () if self._kept is None else self.take(intended, self._kept)

    def faults(self) -> tuple[str, ...]:
        """Openings that were given and do not lead to what the record committed to."""
        return tuple(sorted(self._refused))

    def _ask(self, intended: Intended, name: str, give: Give) -> bool:
        data = give(name)
        if data is None or self._refused.get(name) == data:
            return False
        try:
            holds = self._holds(intended, name, data)
        except (SpotbeamError, ValueError):
            holds = False
        if not holds:
            self._refused[name] = data
            return False
        self._refused.pop(name, None)
        if self._keep is not None and give is not self._kept:
            self._keep(name, data)
        return True

    def _holds(self, intended: Intended, name: str, data: bytes) -> bool:
        kind, rest = name.split("/", 1)
        if kind == "seals":
            file = msgspec.json.decode(data, type=_SealFile)
            opened = (file.value.encode(), decode_base64(file.salt, "the salt"))
            only = msgspec.structs.replace(intended, lists=(), seals=(rest,))
            if missing(only, Openings(seals={rest: opened})):
                return False
            self._seals[rest] = opened
            return True
        list_name, version = rest.rsplit("/", 1)
        rows = tuple(_rows(data))
        for act in intended.lists:
            if act.list == list_name and str(act.version) == version:
                only = msgspec.structs.replace(intended, lists=(act,), seals=())
                if missing(only, Openings(lists={(act.list, act.version): rows})):
                    return False
                on_it = frozenset(terminal for terminal, _ in rows)
                self._lists.setdefault(act.list, {})[act.version, act.root] = on_it
                return True
        return False


def _rows(data: bytes) -> Iterator[tuple[str, bytes]]:
    """The rows of a list's file.

    Raises:
        MalformedRecord: It is not a CSV of terminal and salt.
    """
    if len(data) > MAX_SIZE:
        raise MalformedRecord(f"{len(data):,} bytes; at most {MAX_SIZE:,} are read")
    reader = csv.reader(io.StringIO(data.decode(), newline=""), strict=True)
    try:
        if next(reader, None) != ["terminal", "salt"]:
            raise MalformedRecord("a list's file begins with terminal,salt")
        for row in reader:
            if len(row) != 2:
                raise MalformedRecord("a row is a terminal and its salt")
            yield row[0], decode_base64(row[1], "the salt")
    except csv.Error as fault:
        raise MalformedRecord(f"not CSV: {fault}") from None
