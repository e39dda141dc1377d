"""What must hold of a record wherever it was stopped, judged from what was promised till then."""

from __future__ import annotations

import random
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from support.crash.recording import (
    LOG,
    NOW_S,
    ORIGIN,
    POLICY,
    SIGNERS,
    Parties,
)
from support.crash.worker import Here

from spotbeam.record.checkpoint import (
    Checkpoint,
    parse_signed_checkpoint,
    sign_checkpoint,
    verify_checkpoint,
)
from spotbeam.record.merkle import Tree, leaf_hash
from spotbeam.record.policy import verify_witnessed
from spotbeam.record.tile_reader import directory, fsck


class Promised:
    """What anybody was told, and what was asked for, from the marks in a journal."""

    def __init__(self) -> None:
        self.made: set[str] = set()
        self.submitted: dict[str, list[bytes]] = {}
        self.first: dict[str, int] = {}
        self.shown: dict[int, bytes] = {}
        self.sent: list[tuple[str, bytes]] = []
        self.cosigned: dict[str, Checkpoint] = {}
        self.published: Checkpoint | None = None
        self.refused: list[str] = []

    def take(self, mark: dict[str, Any]) -> None:
        """Take in one mark."""
        what = mark["what"]
        if what == "made":
            self.made.add(mark["party"])
        elif what == "submitted":
            self.submitted[mark["name"]] = mark["entries"]
        elif what == "added":
            self.first[mark["name"]] = mark["first"]
        elif what == "sent":
            point = parse_signed_checkpoint(mark["note"])[0]
            assert self.shown.setdefault(point.size, point.root) == point.root, "two views"
            self.sent.append((mark["to"], mark["body"]))
        elif what == "cosigned":
            self.cosigned[mark["by"]] = parse_signed_checkpoint(mark["note"])[0]
        elif what == "published":
            self.published = parse_signed_checkpoint(mark["note"])[0]
        elif what == "refused":
            self.refused.append(mark["why"])
        else:
            raise AssertionError(f"an unknown mark: {what}")


def check(home: Path, promised: Promised, rng: random.Random) -> None:
    """Open everything as it was left, and hold it to what was promised.

    Raises:
        AssertionError: Something is lost, or there are two views.
        Exception: Something does not open, or cannot go on.
    """
    seen = _what_readers_see(home / "log" / "tiles", promised.published)
    if seen is not None:
        verify_witnessed(seen[1], POLICY, now_s=NOW_S)
    copy = _what_readers_see(next((home / "m" / "copies").glob("*"), home), None)
    parties = Parties(Here(home, promised.made))
    try:
        late = promised.sent[-1:] if rng.random() < 0.5 else []
        for name, body in late:  # the last request arrives after its sender has died
            parties.deliver(name, body)
        _what_holders_hold(parties, promised)
        entries = list(parties.log.entries())
        _nothing_lost(entries, promised)
        parties.confirm()
        if not late and rng.random() < 0.5:
            for name, body in promised.sent[-1:]:
                parties.deliver(name, body)
        parties.append("after", [b"after the stop"])
        point = parse_signed_checkpoint(parties.publish())[0]
        after = list(parties.log.entries())
        assert after == [*entries, b"after the stop"]
        views = {**promised.shown, point.size: point.root}
        views.update((each[0].size, each[0].root) for each in (seen, copy) if each)
        for size, root in views.items():
            assert size <= len(after), "what was signed is lost"
            assert tree_root(after[:size]) == root, "two views"
        for folder in (parties.tiles, parties.mirror.folder(ORIGIN)):
            assert fsck(directory(folder), point).entries == len(after)
        _nobody_signs_a_fork(parties, after)
    finally:
        parties.close()


def tree_root(entries: Sequence[bytes]) -> bytes:
    """The root as RFC 6962 section 2.1 says it, slowly and apart from the code under test."""
    if len(entries) == 0:
        return sha256().digest()
    level = [sha256(b"\0" + entry).digest() for entry in entries]
    while len(level) > 1:  # a lone last node moves up as it is
        level = [
            sha256(b"\1" + level[at] + level[at + 1]).digest() if at + 1 < len(level) else level[at]
            for at in range(0, len(level), 2)
        ]
    return level[0]


def _what_readers_see(folder: Path, promised: Checkpoint | None) -> tuple[Checkpoint, bytes] | None:
    """Everything that is published, before anyone has opened, and could mend, anything."""
    note = directory(folder)("checkpoint")
    if note is None:
        assert promised is None, "what was published is gone"
        return None
    point = parse_signed_checkpoint(note)[0]
    assert promised is None or point.size >= promised.size, "what was published is gone"
    assert fsck(directory(folder), point).entries == point.size
    return point, note


def _what_holders_hold(parties: Parties, promised: Promised) -> None:
    for name, note in parties.held().items():
        last = promised.cosigned.get(name)
        held = verify_checkpoint(note, [LOG.key]) if note else None
        if last is not None:
            assert held, f"{name} has forgotten everything"
            assert held.size >= last.size, f"{name} has forgotten what it signed"
        if held is not None:
            assert promised.shown.get(held.size) == held.root, f"{name} signed what it never saw"


def _nothing_lost(entries: Sequence[bytes], promised: Promised) -> None:
    """Every acknowledged batch stands in its place, and all others are whole and were sent."""
    for name, first in promised.first.items():
        batch = promised.submitted[name]
        assert list(entries[first : first + len(batch)]) == batch, f"batch {name} is lost"
    batches = {batch[0]: (name, batch) for name, batch in promised.submitted.items()}
    at = 0
    while at < len(entries):
        assert entries[at] in batches, f"entry {at} was never sent, or a batch of it is torn"
        name, batch = batches.pop(entries[at])
        assert list(entries[at : at + len(batch)]) == batch, f"batch {name} is torn"
        assert promised.first.get(name, at) == at
        at += len(batch)


def _nobody_signs_a_fork(parties: Parties, entries: Sequence[bytes]) -> None:
    """A thief of the log's key rewrites the last entry and asks for signatures."""
    fork = Tree(map(leaf_hash, [*entries[:-1], b"rewritten", b"and one more"]))
    for old, size in ((0, 1), (0, len(entries)), (len(entries),) * 2, (len(entries), len(fork))):
        note = sign_checkpoint(Checkpoint(ORIGIN, size, fork.root(size)), [LOG])
        for name in SIGNERS:
            answer = parties.ask_for(name, old, fork.consistency_proof(old, size), note)
            assert answer.status in (409, 422), f"{name} signs a second view"
