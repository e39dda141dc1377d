"""A log with people, witnesses and keys from fixed seeds, to write records in tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from spotbeam.governance.apply import apply
from spotbeam.governance.entries import (
    LOG,
    Body,
    entry_bytes,
    possession_statement,
    signed,
    unsigned,
)
from spotbeam.governance.entries.acts import Act, CloseLog, PutRule
from spotbeam.governance.entries.asking import Request
from spotbeam.governance.entries.deciding import Anchor, Approval, Change
from spotbeam.governance.entries.logs import Open, Signature, Succession, succession_statement
from spotbeam.governance.entries.people import (
    Factor,
    FileKey,
    FileProof,
    Genesis,
    Person,
    Possession,
    QuorumRule,
    WitnessQuorum,
)
from spotbeam.governance.entries.rules import RuleEntry
from spotbeam.governance.entries.words import DAY_US, HOUR_US, SECOND_US, Ground, Span
from spotbeam.governance.history import History
from spotbeam.governance.proofs import key_digest
from spotbeam.governance.proposing import window_of
from spotbeam.governance.reads import reads_digest
from spotbeam.governance.state import State
from spotbeam.governance.succession import onward
from spotbeam.record.checkpoint import Checkpoint, sign_checkpoint
from spotbeam.record.cosignature import cosign
from spotbeam.record.keys import (
    COSIGNATURE_ED25519,
    ED25519,
    encode_base64,
    signer_from_seed,
)
from spotbeam.record.merkle import leaf_hash, root_hash
from spotbeam.record.note import add_signatures

START_US = 1_780_000_000 * SECOND_US
ORIGIN = "log.example/black-sea"
NEXT = "log.example/black-sea-2"
LICENCE = Ground(kind="authorisation", id="ua-2022-02")
ZERO = "0" * 64


def seed(name: str) -> bytes:
    return sha256(name.encode()).digest()


class Keys:
    """A person's Ed25519 key."""

    def __init__(self, name: str) -> None:
        private = Ed25519PrivateKey.from_private_bytes(seed(name))
        self.sign = private.sign
        self.key = FileKey(encode_base64(private.public_key().public_bytes_raw()))
        self.digest = key_digest(self.key)

    def possession(self, person: str, entry_id: str, genesis: str, origin: str) -> Possession:
        text = possession_statement(origin, genesis, person, self.digest, entry_id)
        return Possession(key=self.digest, proof=FileProof(encode_base64(self.sign(text))))


SEATS = {
    # person: factor, roles
    "ada": ("operator", ("approver", "operator")),
    "bo": ("operator", ("approver", "operator")),
    "cy": ("regulator", ("approver",)),
    "dee": ("regulator", ("approver",)),
    "eli": ("civil", ("approver",)),
    "rex": ("operator", ("registrar", "operator")),
}
FACTORS = {"operator": "spotbeam-op", "regulator": "state-ua", "civil": "red-cross"}


def person(name: str, keys: Keys, factor: str, roles: tuple[str, ...]) -> Person:
    return Person(
        id=name,
        identity=sha256(b"identity of " + name.encode()).hexdigest(),
        factor=factor,
        roles=roles,  # type: ignore[arg-type]
        keys=(keys.key,),
    )


def witness_quorum(
    names: tuple[str, ...] = ("w1", "w2", "w3"), log: str = "log", origin: str = ORIGIN
) -> WitnessQuorum:
    log_key = signer_from_seed(origin, ED25519, seed(log)).key
    lines = [f"log {log_key}"]
    for name in names:
        key = signer_from_seed(f"{name}.example", COSIGNATURE_ED25519, seed(name)).key
        lines.append(f"witness {name} {key}")
    needed = len(names) * 2 // 3 + 1
    lines += [f"group q {needed} {' '.join(names)}", "quorum q"]
    return WitnessQuorum(
        policy="".join(f"{line}\n" for line in lines),
        organisations={name: f"org-{name}" for name in names},
        mirrors=names,
    )


@dataclass
class World:
    """A log under construction: `now` is the fold, `clock_us` what the witnesses' clocks say."""

    quorum: QuorumRule = field(default_factory=lambda: QuorumRule(persons=2, factors=2))
    origin: str = ORIGIN
    salt: str = ZERO
    witnesses: tuple[str, ...] = ("w1", "w2", "w3")
    log_seed: str = "log"
    clock_us: int = START_US
    seats: dict[str, Any] = field(default_factory=lambda: dict(SEATS))
    step: Any = apply

    def __post_init__(self) -> None:
        self.entries: list[bytes] = []
        self.logs: list[list[bytes]] = []
        self.now = State()
        self.anchors: list[tuple[int, State]] = []
        self.count = 0
        self.keys = {name: Keys(name) for name in self.seats}
        self.add(self.genesis())

    # -- writing entries

    def genesis(self, **changes: Any) -> bytes:
        body = {
            "origin": self.origin,
            "salt": self.salt,
            "rules_version": 1,
            "factors": tuple(Factor(id=f, name=f.title(), party=p) for f, p in FACTORS.items()),
            "persons": tuple(
                person(name, self.keys[name], *self.seats[name]) for name in self.seats
            ),
            "quorum": self.quorum,
            "witness_quorum": witness_quorum(self.witnesses, self.log_seed, self.origin),
            "possessions": tuple(
                self.keys[name].possession(name, "genesis", "", self.origin) for name in self.seats
            ),
        }
        body.update(changes)
        return entry_bytes(unsigned(Genesis(**body), id="genesis", actor=LOG))

    def write(
        self, body: Body, actor: str, id: str | None = None, keys: Keys | None = None
    ) -> bytes:
        """An entry as its actor signs it, not yet in the log."""
        self.count += 1
        chosen = keys or self.keys[actor]
        envelope = unsigned(
            body,
            id=id or f"e{self.count}",
            actor=actor,
            key=chosen.digest,
            recorded_us=self.clock_us,
        )
        return signed(envelope, self.origin, self.now.genesis, chosen.sign)

    def add(self, data: bytes) -> bytes:
        self.entries.append(data)
        self.now = self.step(self.now, data)
        return data

    def say(self, body: Body, actor: str, id: str | None = None, keys: Keys | None = None) -> str:
        """Write and append; the id."""
        self.add(self.write(body, actor, id, keys))
        return id or f"e{self.count}"

    def log_says(self, body: Body, id: str | None = None) -> str:
        self.count += 1
        name = id or f"e{self.count}"
        self.add(entry_bytes(unsigned(body, id=name, actor=LOG, recorded_us=self.clock_us)))
        return name

    def note(
        self,
        size: int | None = None,
        by: tuple[str, ...] | None = None,
        at_us: int | None = None,
        root: bytes | None = None,
        logs: tuple[str, ...] | None = None,
        ahead_s: dict[str, int] | None = None,
    ) -> bytes:
        """A cosigned checkpoint; the clock of some witnesses may be ahead of the others'."""
        size = len(self.entries) if size is None else size
        if root is None:
            root = root_hash(leaf_hash(each) for each in self.entries[:size])
        checkpoint = Checkpoint(self.origin, size, root)
        signers = [
            signer_from_seed(self.origin, ED25519, seed(s)) for s in logs or (self.log_seed,)
        ]
        note = sign_checkpoint(checkpoint, signers)
        at_s = (self.clock_us if at_us is None else at_us) // SECOND_US
        lines = []
        for name in self.witnesses if by is None else by:
            key = signer_from_seed(f"{name}.example", COSIGNATURE_ED25519, seed(name))
            lines.append(cosign(checkpoint, key, at_s + (ahead_s or {}).get(name, 0)))
        return add_signatures(note, lines)

    def anchor(self, after_us: int = 60 * SECOND_US, **how: Any) -> str:
        """Let time pass, have everything so far witnessed, and append the anchor."""
        self.clock_us += after_us
        size = how.get("size", len(self.entries))
        name = self.log_says(Anchor(size=size, note=self.note(**how).decode()))
        self.anchors.append((self.clock_us, self.now))
        return name

    # -- the main path

    def request(self, where: tuple[str, ...] = ("UA",), actor: str = "rex", **changes: Any) -> str:
        body: dict[str, Any] = {
            "verb": "activate",
            "where": where,
            "asker": "ministry-of-health" if actor == "rex" else actor,
            "channel": "letter",
            "grounds": (LICENCE,),
            "answer_by_us": self.clock_us + 60 * DAY_US,
        }
        body.update(changes)
        return self.say(Request(**body), actor)

    def change(
        self, *acts: Act, request: str | None = None, by: str = "ada", **changes: Any
    ) -> str:
        return self.say(self.change_body(*acts, request=request, **changes), by)

    def change_body(self, *acts: Act, request: str | None = None, **changes: Any) -> Change:
        body: dict[str, Any] = {
            "request": request or self.request(),
            "grounds": (LICENCE,),
            "acts": acts or (PutRule(rule()),),
            "window": Span(),
            "impact": sha256(b"impact").hexdigest(),
            "lapses_us": self.clock_us + 20 * DAY_US,
        }
        body.update(changes)
        return Change(**body)

    def approval(self, change: str, /, **changes: Any) -> Approval:
        proposed = self.now.changes[change]
        body: dict[str, Any] = {
            "change": proposed.digest,
            "reads": reads_digest(self.now, proposed.proposal),
            "impact": proposed.proposal.impact,
            "window": window_of(proposed.proposal),
            "expires_us": self.clock_us + 20 * HOUR_US,
            "word": "approve",
        }
        body.update(changes)
        return Approval(**body)

    def approve(self, change: str, *people: str, **changes: Any) -> list[str]:
        return [self.say(self.approval(change, **changes), name) for name in people]

    def pass_change(
        self, *acts: Act, people: tuple[str, ...] = ("bo", "cy"), **changes: Any
    ) -> str:
        """Request, change, approvals, anchor: bound unless something is wrong with it."""
        name = self.change(*acts, **changes)
        self.approve(name, *people)
        self.anchor()
        return name

    # -- going on in another log

    def close(self, origin: str = NEXT, log: str = "log-2", **how: Any) -> str:
        """Close the log by a change; `origin` is the next one."""
        quorum = witness_quorum(self.witnesses, log, origin)
        return self.pass_change(CloseLog(origin=origin, witness_quorum=quorum), **how)

    def move_on(self, origin: str = NEXT, log: str = "log-2") -> None:
        """Stand before entry 0 of the next log."""
        self.logs.append(self.entries)
        self.origin, self.log_seed, self.entries = origin, log, []
        self.now = onward(self.now)

    def open(self, **changes: Any) -> str:
        body = Open(origin=self.origin, previous=self.now.earlier[-1])
        return self.log_says(msgspec.structs.replace(body, **changes))

    def rotate(self) -> None:
        """Close, move on and open, with all in order."""
        self.close()
        self.move_on()
        self.open()

    def succession(self, *people: str, **changes: Any) -> Succession:
        """A succession to where the world stands now, signed by these."""
        body = Succession(
            origin=self.origin,
            previous=self.now.earlier[-1],
            witness_quorum=witness_quorum(self.witnesses, self.log_seed, self.origin),
            begin_by_us=self.clock_us + 7 * DAY_US,
            words="The key of the log is lost.",
            signatures=(),
        )
        body = msgspec.structs.replace(body, **changes)
        text = succession_statement(self.now.genesis, body)
        signatures = tuple(
            Signature(
                person=name,
                key=self.keys[name].digest,
                proof=FileProof(encode_base64(self.keys[name].sign(text))),
            )
            for name in people
        )
        return msgspec.structs.replace(body, signatures=signatures)

    # -- looking

    def codes(self) -> list[str]:
        return [f.code for i in sorted(self.now.findings) for f in self.now.findings[i]]

    def last_code(self) -> str | None:
        found = self.now.findings.get(self.now.newest)
        return found[-1].code if found else None

    def status(self, change: str) -> str:
        return self.now.changes[change].status

    def history(self) -> History:
        return History(
            now=self.now,
            anchors=tuple(at for at, _ in self.anchors),
            states=tuple(kept for _, kept in self.anchors),
        )


def rule(id: str = "ua-authorised", **changes: Any) -> RuleEntry:
    body: dict[str, Any] = {
        "id": id,
        "effect": "grant",
        "gate": "territory",
        "where": ("UA",),
        "grounds": (str(LICENCE),),
    }
    body.update(changes)
    return RuleEntry(**body)
