"""An insider who holds every file of the server: log key, database, published record, openings.

    python -m spotbeam.assembly.story.insider append FOLDER
    python -m spotbeam.assembly.story.insider rewrite FOLDER --port PORT --keep N

`append` writes a switch over Crimea, on and off, into the real log, with approvals that it signs
itself, has it witnessed and published. `rewrite` signs another history with the stolen key, one
that ends before entry N, and serves it in the log's place. What each came to goes to standard
output, a line of JSON a step. A program of its own: it uses no function that refuses anything.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from spotbeam.control.cosigning import parties_of
from spotbeam.errors import SpotbeamError
from spotbeam.governance.entries import parse_entry, statement, unsigned
from spotbeam.governance.entries.acts import PutRule
from spotbeam.governance.entries.asking import Request
from spotbeam.governance.entries.deciding import Approval, Change
from spotbeam.governance.entries.envelope import Body, entry_bytes
from spotbeam.governance.entries.people import FileProof
from spotbeam.governance.entries.rules import RuleEntry
from spotbeam.governance.entries.words import DAY_US, Ground, Span
from spotbeam.governance.history import fold
from spotbeam.governance.proofs import key_digest
from spotbeam.governance.reads import reads_digest
from spotbeam.governance.state import State
from spotbeam.http.serving import serve
from spotbeam.http.witnesses import WitnessClient
from spotbeam.record.checkpoint import Checkpoint, sign_checkpoint
from spotbeam.record.keys import Signer, encode_base64, parse_signer_key
from spotbeam.record.log import Log
from spotbeam.record.note import Signature, add_signatures
from spotbeam.record.tile_reader import TileReader, directory
from spotbeam.record.tile_writer import TileWriter

_MADE_UP = Ground(kind="order", id="somebody-said-so")
_PEOPLE = ("registrar", "duty-officer", "network-director", "licence-officer")


def main(arguments: Sequence[str]) -> int:
    """Attack a log whose server's folder one holds."""
    what, folder, *options = arguments
    given = dict(zip(options[::2], options[1::2], strict=True))
    key = parse_signer_key((Path(folder) / "private" / "log.key").read_text().strip())
    log = Log(Path(folder) / "private" / "log.sqlite", Path(folder) / "record", key)
    try:
        genuine = list(log.entries())
        if what == "append":
            forged = forged_switch(genuine, key)
            numbers = log.append(forged)
            _tell("forged", entries=len(forged), first=numbers.start)
            _publish(Path(folder) / "record", [*genuine, *forged], key)
            return 0
    finally:
        log.close()
    kept = genuine[: int(given["--keep"])]
    with tempfile.TemporaryDirectory(prefix="insider-") as made:
        _tell("rewritten", kept=len(kept), dropped=len(genuine) - len(kept))
        _publish(Path(made), [*kept, *forged_switch(kept, key)], key)
        routes = [Mount("/", StaticFiles(directory=made))]
        serve(Starlette(routes=routes), "127.0.0.1", int(given["--port"]), "insider")
    return 0


def _publish(folder: Path, entries: list[bytes], key: Signer) -> None:
    """Sign whatever is there, have witnesses sign it if they do, and put it where it is served."""
    tiles = TileWriter(folder)
    tiles.append(entries[tiles.size :])
    tiles.flush()
    point = Checkpoint(key.key.name, tiles.size, tiles.root())
    note = sign_checkpoint(point, [key])
    tree = TileReader(directory(folder), point)
    quorum = fold(entries).now.witness_quorum
    assert quorum is not None
    lines: list[Signature] = []
    for party in parties_of(quorum):
        client = WitnessClient(party, point.origin, lambda: int(time.time()))
        try:
            client.latest()
            lines += client.cosign(note, tree)
            _tell("cosigned", witness=party.names[0])
        except SpotbeamError as fault:
            _tell("refused", witness=party.names[0], why=fault.message)
    tiles.publish(add_signatures(note, lines))
    _tell("published", size=point.size, cosignatures=len(lines))


def forged_switch(entries: list[bytes], key: Signer) -> list[bytes]:
    """Entries that switch Crimea on, and then off, approved in the names of others."""
    state = fold(entries).now
    now_us = time.time_ns() // 1_000
    forged = []
    for word, rule in (("on", _rule("grant", "territory")), ("off", _rule("deny", "order"))):
        request = Request(
            verb="activate" if word == "on" else "deactivate",
            where=rule.where,
            asker="somebody",
            channel="telephone",
            grounds=(_MADE_UP,),
            answer_by_us=now_us + DAY_US,
        )
        forged.append(_signed(state, request, _PEOPLE[0], f"forged-request-{word}", key, now_us))
        change = Change(
            request=f"forged-request-{word}",
            grounds=(_MADE_UP,),
            acts=(PutRule(rule),),
            window=Span(),
            impact="0" * 64,
            lapses_us=now_us + DAY_US,
        )
        data = _signed(state, change, _PEOPLE[1], f"forged-change-{word}", key, now_us)
        forged.append(data)
        approval = Approval(
            change=parse_entry(data).digest,
            reads=reads_digest(state, change),
            impact=change.impact,
            window=Span(),
            expires_us=now_us + DAY_US // 2,
            word="approve",
        )
        forged += [
            _signed(state, approval, person, f"forged-{word}-{person}", key, now_us)
            for person in _PEOPLE[2:]
        ]
    return forged


def _rule(effect: str, gate: str) -> RuleEntry:
    where = ("UA-43", "UA-43/sea", "UA-40", "UA-40/sea")
    fields: dict[str, Any] = {"effect": effect, "gate": gate}
    return RuleEntry(id=f"crimea-{effect}", where=where, grounds=(str(_MADE_UP),), **fields)


def _signed(state: State, body: Body, actor: str, name: str, key: Signer, now_us: int) -> bytes:
    """An entry in somebody's name; the only key that the insider has is the log's."""
    person = state.seated.persons[actor]
    (seated,) = person.keys.values()
    envelope = unsigned(body, id=name, actor=actor, key=key_digest(seated.key), recorded_us=now_us)
    text = statement(state.origin, state.genesis, envelope)
    proof = FileProof(encode_base64(key.sign(text)))
    return entry_bytes(replace(envelope, proof=proof))


def _tell(step: str, **facts: object) -> None:
    print(json.dumps({"step": step, **facts}), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
