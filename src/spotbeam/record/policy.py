"""Whose signatures a reader asks for: the policy file of C2SP tlog-policy.

    log <verifier key> [<url>]
    witness <name> <verifier key> [<url>]
    group <name> all|any|<k> <name>…
    quorum <name>|none

Groups nest. Whether a quorum is worth anything is `quorum.check_quorum`'s question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from spotbeam.errors import MalformedRecord, QuorumNotMet, WitnessPolicyError
from spotbeam.record import keys
from spotbeam.record.checkpoint import Checkpoint, parse_number, verify_checkpoint
from spotbeam.record.cosignature import Cosignature, verify_cosignatures
from spotbeam.record.keys import VerifierKey, parse_verifier_key

MAX_LINES = 1_000
"""No longer file is read; the specification asks for 32 logs, witnesses and groups each."""
NONE = "none"
_ALLOWED = bytes([0x09, 0x0A, *range(0x20, 0x7F), *range(0x80, 0x100)])


class PolicyLog(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A log that the policy knows. Its key's name is the origin of its checkpoints."""

    key: VerifierKey
    url: str | None = None


class PolicyWitness(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A witness that the policy knows, under a name that means something only there."""

    name: str
    key: VerifierKey
    url: str | None = None


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Witnesses and groups of which at least `threshold` must have signed."""

    name: str
    threshold: int
    members: tuple[str, ...]


class WitnessPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A policy as it was read; names are as in the file, bytes that are not UTF-8 escaped."""

    logs: tuple[PolicyLog, ...]
    witnesses: tuple[PolicyWitness, ...]
    groups: tuple[Group, ...]
    quorum: str

    def is_met(self, signed: Iterable[str]) -> bool:
        """Whether the witnesses named are enough."""
        if self.quorum == NONE:
            return True
        chosen = set(signed)
        met = {witness.name: witness.name in chosen for witness in self.witnesses}
        for group in self.groups:
            met[group.name] = sum(met[name] for name in group.members) >= group.threshold
        return met[self.quorum]

    def names_of(self, cosignatures: Iterable[Cosignature]) -> list[str]:
        """The names under which the policy knows those who signed."""
        name_of = {witness.key: witness.name for witness in self.witnesses}
        return [name_of[each.key] for each in cosignatures if each.key in name_of]


class Witnessed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A checkpoint that its log signed and enough witnesses cosigned.

    Args:
        checkpoint: Log, size and root.
        cosignatures: Those that counted, of witnesses the policy knows.
        time_s: The witnessed time: the earliest by which those dated no later were enough.
    """

    checkpoint: Checkpoint
    cosignatures: tuple[Cosignature, ...]
    time_s: int


def verify_witnessed(data: bytes, policy: WitnessPolicy, *, now_s: int | None) -> Witnessed:
    """Check a checkpoint's note under a policy: the log's signature, and the quorum's.

    Args:
        data: The note.
        policy: Whose signatures are asked for.
        now_s: The reader's clock; later cosignatures do not count. None: no clock (a replay).

    Raises:
        BadSignature: A log or witness that the policy knows has signed wrongly, or no log has.
        QuorumNotMet: Too few witnesses have signed.
        MalformedRecord: The bytes are not those of a checkpoint.
    """
    checkpoint = verify_checkpoint(data, [log.key for log in policy.logs])
    found = verify_cosignatures(data, [witness.key for witness in policy.witnesses], now_s=now_s)
    return Witnessed(checkpoint, tuple(found), witnessed_time_s(policy, found))


def witnessed_time_s(policy: WitnessPolicy, cosignatures: Iterable[Cosignature]) -> int:
    """The earliest time by which enough of these cosignatures were made, POSIX seconds.

    Raises:
        QuorumNotMet: They are not enough at any time; a quorum of none never gives a time.
    """
    in_order = sorted(cosignatures, key=lambda each: each.time_s)
    if policy.quorum == NONE:
        raise QuorumNotMet("the policy asks no witness, so nobody says when")
    for count, latest in enumerate(in_order, 1):
        if policy.is_met(policy.names_of(in_order[:count])):
            return latest.time_s
    signed = policy.names_of(in_order)
    missing = [each.name for each in policy.witnesses if each.name not in signed]
    raise QuorumNotMet(
        f"the quorum {policy.quorum!a} is not met: signed by {_listed(signed)}",
        hint=f"not signed by {_listed(missing)}",
    )


def parse_policy(data: bytes, source: str = "policy") -> WitnessPolicy:
    """Read a policy file.

    Args:
        data: The file.
        source: What messages call it.

    Raises:
        WitnessPolicyError: It is not a policy, with the line that is wrong.
    """
    if data.translate(None, _ALLOWED):
        raise WitnessPolicyError(
            f"the byte 0x{data.translate(None, _ALLOWED)[0]:02x} is not allowed", place=source
        )
    if not data.endswith(b"\n"):
        raise WitnessPolicyError("the last line does not end in a newline", place=source)
    lines = data.split(b"\n")[:-1]
    if len(lines) > MAX_LINES:
        raise WitnessPolicyError(f"{len(lines)} lines; at most {MAX_LINES}", place=source)
    reading = _Reading()
    for number, line in enumerate(lines, 1):
        words = [word for word in line.replace(b"\t", b" ").split(b" ") if word]
        if not words or words[0].startswith(b"#"):
            continue
        keyword, *rest = (word.decode(errors="surrogateescape") for word in words)
        try:
            reading.take(keyword, rest)
        except (WitnessPolicyError, MalformedRecord) as fault:
            raise WitnessPolicyError(
                fault.message, place=f"{source}, line {number}", hint=fault.hint
            ) from None
    if reading.quorum is None:
        raise WitnessPolicyError("there is no quorum line", place=source)
    return WitnessPolicy(
        tuple(reading.logs), tuple(reading.witnesses), tuple(reading.groups), reading.quorum
    )


def format_policy(policy: WitnessPolicy) -> bytes:
    """A policy as a file."""
    lines = [f"log {log.key}{_after(log.url)}" for log in policy.logs]
    lines += [f"witness {each.name} {each.key}{_after(each.url)}" for each in policy.witnesses]
    lines += [
        f"group {each.name} {each.threshold} {' '.join(each.members)}" for each in policy.groups
    ]
    lines.append(f"quorum {policy.quorum}")
    return "".join(f"{line}\n" for line in lines).encode(errors="surrogateescape")


class _Reading:
    """A policy file half read."""

    def __init__(self) -> None:
        self.logs: list[PolicyLog] = []
        self.witnesses: list[PolicyWitness] = []
        self.groups: list[Group] = []
        self.quorum: str | None = None
        self._free: dict[str, bool] = {}  # each name, and whether no group has it yet

    def take(self, keyword: str, words: list[str]) -> None:
        """Take one line."""
        lines: dict[str, Callable[[list[str]], None]] = {
            "log": self._log,
            "witness": self._witness,
            "group": self._group,
            "quorum": self._quorum,
        }
        if keyword not in lines:
            raise WitnessPolicyError(
                f"unknown line {keyword!a}", hint="a line is a log, witness, group or quorum"
            )
        lines[keyword](words)

    def _log(self, words: list[str]) -> None:
        if not 1 <= len(words) <= 2:
            raise WitnessPolicyError("expected: log <verifier key> [<url>]")
        key = parse_verifier_key(words[0])
        if key.algorithm != keys.ED25519:
            raise WitnessPolicyError(f"the key of log {key.name} is not of type 0x01")
        if any(log.key.public_key == key.public_key for log in self.logs):
            raise WitnessPolicyError(f"the public key of log {key.name} is listed twice")
        self.logs.append(PolicyLog(key, words[1] if len(words) == 2 else None))

    def _witness(self, words: list[str]) -> None:
        if not 2 <= len(words) <= 3:
            raise WitnessPolicyError("expected: witness <name> <verifier key> [<url>]")
        key = parse_verifier_key(words[1])
        if key.algorithm == keys.ED25519:
            raise WitnessPolicyError(f"the key of witness {words[0]!a} is not of type 0x04 or 0x06")
        for other in self.witnesses:
            if other.key.public_key == key.public_key:
                raise WitnessPolicyError(f"{other.name!a} and {words[0]!a} have one public key")
            if (other.key.name, other.key.key_id) == (key.name, key.key_id):
                raise WitnessPolicyError(f"{other.name!a} and {words[0]!a} share name and key id")
        self._define(words[0])
        self.witnesses.append(PolicyWitness(words[0], key, words[2] if len(words) == 3 else None))

    def _group(self, words: list[str]) -> None:
        if len(words) < 3:
            raise WitnessPolicyError("expected: group <name> all|any|<k> <name>…")
        name, threshold, *members = words
        if threshold in ("all", "any"):
            needed = len(members) if threshold == "all" else 1
        else:
            needed = parse_number(threshold, "the threshold")
        if not 1 <= needed <= len(members):
            raise WitnessPolicyError(f"{needed} of {len(members)} members cannot sign")
        for member in members:
            if member not in self._free:
                raise WitnessPolicyError(
                    f"{member!a} is not a witness or group of a line before this one"
                )
            if not self._free[member]:
                raise WitnessPolicyError(f"{member!a} is already a member of a group")
            self._free[member] = False
        self._define(name)
        self.groups.append(Group(name, needed, tuple(members)))

    def _quorum(self, words: list[str]) -> None:
        if len(words) != 1:
            raise WitnessPolicyError("expected: quorum <name>|none")
        if self.quorum is not None:
            raise WitnessPolicyError("there are two quorum lines")
        if words[0] != NONE and words[0] not in self._free:
            raise WitnessPolicyError(
                f"{words[0]!a} is not a witness or group of a line before this one"
            )
        self.quorum = words[0]

    def _define(self, name: str) -> None:
        if name == NONE or name in self._free:
            raise WitnessPolicyError(f"the name {name!a} is already taken")
        self._free[name] = True


def _listed(names: list[str]) -> str:
    return ", ".join(ascii(name)[1:-1] for name in names) or "nobody"


def _after(url: str | None) -> str:
    return f" {url}" if url else ""
