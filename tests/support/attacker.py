"""Somebody with every file of the server, and the two seats of one party; a program of its own.

    append SERVER ADA BO             write into the log's database what nobody agreed on
    bundle SERVER SIGNED OUT         publish what people have signed, and no witness has seen
    fork SERVER OUT KEEP [WITNESS…]  publish another history, cosigned with these witnesses' keys

It takes the log key, the entries and whatever the server withheld (`withheld/`) from the server's
folder, and uses no function that refuses anything.
"""

from __future__ import annotations

import contextlib
import sqlite3
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from spotbeam.governance.entries import (
    LOG,
    Body,
    entry_bytes,
    parse_entry,
    signed,
    unsigned,
)
from spotbeam.governance.entries.acts import PutRule
from spotbeam.governance.entries.asking import Request, Withdrawal
from spotbeam.governance.entries.deciding import Anchor, Approval, Change
from spotbeam.governance.entries.rules import RuleEntry
from spotbeam.governance.entries.words import DAY_US, Ground, Span
from spotbeam.governance.history import fold
from spotbeam.governance.proofs import key_digest
from spotbeam.governance.reads import reads_digest
from spotbeam.governance.state import State
from spotbeam.record.checkpoint import Checkpoint, sign_checkpoint
from spotbeam.record.cosignature import cosign
from spotbeam.record.keys import Signer, parse_signer_key
from spotbeam.record.log import Log
from spotbeam.record.merkle import leaf_hash, root_hash
from spotbeam.record.note import add_signatures
from spotbeam.record.tile_writer import TileWriter

Hand = tuple[str, Signer]
"""In whose name, and the key that signs."""
MADE_UP = Ground(kind="order", id="somebody-said-so")


class Server:
    """What is in the server's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = parse_signer_key((folder / "private" / "log.key").read_text().strip())
        with contextlib.closing(sqlite3.connect(folder / "private" / "log.sqlite")) as database:
            rows = database.execute("SELECT data FROM entry ORDER BY number")
            self.entries = [bytes(row[0]) for row in rows]
        self.state = fold(self.entries).now
        self.withheld = read_all(folder / "withheld")


def read_all(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.glob("*"))]


def now_us() -> int:
    return time.time_ns() // 1_000


def append(server: Server, ada: Signer, bo: Signer) -> None:
    """Everything that somebody with the database can write, at once."""
    state, key = server.state, server.key
    entries = [
        # In the names of others, with the only key there is.
        *switch(state, "SE", ("rex", key), ("ada", key), [("bo", key), ("cy", key)]),
        # The owner's own two people, who sit for one party.
        *switch(state, "NO", ("ada", ada), ("ada", ada), [("bo", bo)]),
        # Somebody takes back, in another's name, what people have agreed on.
        *(taken_back(state, name, key) for name in sorted(state.pending)),
        # Junk, in all the ways in which readers have fallen over.
        b"", b"\0" * 64, b"{" * 20_000, b"[" * 65_535, b'{"v":1,"v":2}', b'{"a":1e999}', b"NaN",
        b'{"type":"\\ud800"}', b"9" * 5_000, "{\"ä\":\u2028}".encode(), server.entries[0],
        *server.withheld,
    ]  # fmt: skip
    folder = server.folder
    log = Log(folder / "private" / "log.sqlite", folder / "record", key)
    log.append(entries)
    log.close()
    print(f"appended {len(entries)}")


def bundle(server: Server, signed_by_people: Path, out: Path) -> None:
    """What people have really signed, with an anchor that nobody has."""
    publish(out, [*server.entries, *read_all(signed_by_people)], server.key, ())


def fork(server: Server, out: Path, keep: int, witnesses: Sequence[Path]) -> None:
    """Another history: what came after is gone, and junk makes it longer than the real one."""
    signers = [
        parse_signer_key((each / "witness.key").read_text().splitlines()[0]) for each in witnesses
    ]
    junk = [b'{"junk":%d}' % number for number in range(len(server.entries) - keep + 10)]
    publish(out, [*server.entries[:keep], *junk], server.key, signers)


def publish(out: Path, entries: list[bytes], key: Signer, witnesses: Sequence[Signer]) -> None:
    """Sign what is there, put an anchor on top, sign again, and lay it out as a log is."""

    def note(size: int) -> bytes:
        root = root_hash(map(leaf_hash, entries[:size]))
        point = Checkpoint(key.key.name, size, root)
        at_s = int(time.time())
        lines = [cosign(point, each, at_s) for each in witnesses]
        return add_signatures(sign_checkpoint(point, [key]), lines)

    size = len(entries)
    anchor = unsigned(Anchor(size=size, note=note(size).decode()), id="evil-anchor", actor=LOG)
    entries.append(entry_bytes(anchor))
    tiles = TileWriter(out)
    tiles.append(entries)
    tiles.flush()
    tiles.publish(note(len(entries)))
    print(f"published {len(entries)}")


def switch(
    state: State, where: str, asker: Hand, proposer: Hand, approvers: Sequence[Hand]
) -> list[bytes]:
    """A request, a change that turns service on there, and approvals."""
    fields: dict[str, Any] = {"effect": "grant", "gate": "territory"}
    name = where.lower()
    rule = RuleEntry(id=f"evil-{name}", where=(where,), grounds=(str(MADE_UP),), **fields)
    request = Request(
        verb="activate",
        where=(where,),
        asker=asker[0],
        channel="telephone",
        grounds=(MADE_UP,),
        answer_by_us=now_us() + DAY_US,
    )
    change = Change(
        request=f"evil-request-{name}",
        grounds=(MADE_UP,),
        acts=(PutRule(rule),),
        window=Span(),
        impact="0" * 64,
        lapses_us=now_us() + DAY_US,
    )
    proposed = by(state, change, proposer, f"evil-change-{name}")
    approval = Approval(
        change=parse_entry(proposed).digest,
        reads=reads_digest(state, change),
        impact=change.impact,
        window=Span(),
        expires_us=now_us() + DAY_US // 2,
        word="approve",
    )
    asked = by(state, request, asker, f"evil-request-{name}")
    given = [by(state, approval, each, f"evil-{name}-{each[0]}") for each in approvers]
    return [asked, proposed, *given]


def taken_back(state: State, name: str, key: Signer) -> bytes:
    """A withdrawal of somebody's proposal, in their name."""
    body = Withdrawal(target=name)
    return by(state, body, (state.changes[name].proposer, key), f"evil-back-{name}")


def by(state: State, body: Body, hand: Hand, name: str) -> bytes:
    """An entry that names somebody's key, and is signed with the one that is at hand."""
    actor, key = hand
    (theirs,) = state.seated.persons[actor].keys.values()
    envelope = unsigned(
        body, id=name, actor=actor, key=key_digest(theirs.key), recorded_us=now_us()
    )
    return signed(envelope, state.origin, state.genesis, key.sign)


def main(arguments: Sequence[str]) -> None:
    what, folder, *rest = arguments
    server = Server(Path(folder))
    if what == "append":
        ada, bo = (parse_signer_key(Path(each).read_text().strip()) for each in rest)
        append(server, ada, bo)
    elif what == "bundle":
        bundle(server, Path(rest[0]), Path(rest[1]))
    else:
        fork(server, Path(rest[0]), int(rest[1]), [Path(each) for each in rest[2:]])


if __name__ == "__main__":
    main(sys.argv[1:])
