"""A receipt in one file: made from a whole record, checked with nothing but the file.

    data = prove("record/", "e17", genesis="ab12…")
    proven = check_receipt(data, genesis="ab12…")

What a receipt proves and what it does not is part of the answer.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from hashlib import sha256
from itertools import accumulate
from pathlib import Path

import msgspec
from msgspec.structs import replace

from spotbeam.assembly.chains import goes_on_from
from spotbeam.assembly.reading import OneLog, Progress, ReadRecord, read_record
from spotbeam.chronicle.sentences import entry_says
from spotbeam.errors import InputError, MalformedRecord, ProofMismatch, UnknownName
from spotbeam.governance.anchors import genesis_digest
from spotbeam.governance.dating import demand_dated
from spotbeam.governance.entries import parse_entry
from spotbeam.governance.entries.words import SECOND_US
from spotbeam.governance.judging import Judged, judge
from spotbeam.governance.receipts import entries_for
from spotbeam.governance.state import Proposed
from spotbeam.governance.void import Finding, Void
from spotbeam.record import proof as log_proof
from spotbeam.record import receipt as receipts
from spotbeam.record.checkpoint import Checkpoint
from spotbeam.record.evidence import HEADER as EVIDENCE
from spotbeam.record.evidence import verify_equivocation
from spotbeam.record.merkle import leaf_hash
from spotbeam.record.policy import Witnessed, WitnessPolicy
from spotbeam.record.tile_reader import TileReader

NOT_PROVEN = (
    "that nothing later undid it, and that nothing left out of this file stood against it (a "
    "revocation, a contact, a rejection, an earlier anchor, other small changes): only a fold of "
    "the whole record shows it",
    "that the rules and lists which it reads had not moved since they were approved: only a fold "
    "shows it",
    "that the trees named in its anchors are beginnings of this one, and in which state a log "
    "ended that another goes on from: that is the word of the witnesses who signed both",
    "that two keys are held by two people: that is the word of those who seated them",
)
_KINDS = {
    receipts.HEADER: "receipt",
    log_proof.HEADER: "tlog-proof",
    EVIDENCE: "evidence",
}


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal as far as a receipt shows it.

    Attributes:
        status: `bound`, `rejected`, `withdrawn`, or `pending` where the receipt shows no more.
        approvers: Person and factor of each approval that holds.
        bound_us: Witnessed time of the anchor at which it bound.
    """

    id: str
    index: int
    kind: str
    status: str
    request: str
    proposer: str
    approvers: tuple[tuple[str, str], ...]
    impact: str
    bound_index: int | None = None
    bound_us: int | None = None


class Proven(msgspec.Struct, frozen=True, kw_only=True):
    """What a file proves.

    Attributes:
        kind: `receipt`, `tlog-proof` or `evidence`.
        holds: Whether everything in it has the effect that it claims.
        logs: Of a receipt, every log that it goes through.
        genesis: Digest of entry 0 in hexadecimal; empty where the file does not hold it.
        witnessed_us: By when enough witnesses had signed the checkpoint.
        says: Each entry in a sentence, with its index.
        void: Entries that have no effect by what this file holds.
        not_proven: What only other means show.
    """

    kind: str
    holds: bool
    origin: str
    size: int
    root: str
    logs: tuple[str, ...] = ()
    genesis: str = ""
    is_genesis_checked: bool = False
    witnessed_us: int | None = None
    signed_by: tuple[str, ...] = ()
    decisions: tuple[Decision, ...] = ()
    says: tuple[tuple[int, str], ...] = ()
    void: tuple[Finding, ...] = ()
    not_proven: tuple[str, ...] = NOT_PROVEN


def prove(
    source: str | Path,
    entry: str,
    *,
    also: Sequence[str | Path] = (),
    genesis: str | None = None,
    is_plain: bool = False,
    now_s: int | None = None,
    progress: Progress | None = None,
) -> bytes:
    """The receipt of a decision; the whole record is read and checked first.

    Args:
        source: A record's folder or address.
        entry: Index or id of the decision.
        also: The other logs of the same record, or mirrors.
        genesis: Digest of entry 0 in hexadecimal; None: it is not checked.
        is_plain: A C2SP tlog-proof instead: that one entry was logged, with the entry in `extra`.
        now_s: POSIX seconds after which cosignatures do not count. None: this machine's clock.
        progress: Told how many entries are folded, and of how many.

    Raises:
        InputError: There is no such entry, or it decides nothing.
        RecordError: The record does not hold.
    """
    read = read_record(source, *also, genesis=genesis, now_s=now_s, progress=progress)
    index = index_of(read, entry)
    if is_plain:
        return plain_proof(read, index)
    chosen = entries_for(read.history, read.entries, index)
    if len(chosen) > receipts.MAX_ENTRIES:
        raise InputError(
            f"rests on {len(chosen):,} entries; a receipt holds {receipts.MAX_ENTRIES:,}",
            place=f"entry {index}",
            hint="hand out a copy of the record: `spotbeam record mirror`",
        )
    parts = _by_log(read, chosen)
    entries = [
        [(place, read.entries[log.first + place]) for place in places] for log, places in parts
    ]
    _demand_shown(read, judge(*entries), index)
    return b"\n".join(
        bytes(receipts.make_receipt(TileReader(log.fetch, log.checkpoint), log.note, places))
        for log, places in parts
    )


def plain_proof(read: ReadRecord, index: int) -> bytes:
    """The C2SP tlog-proof of one entry, with the entry in `extra`.

    Args:
        read: The record.
        index: Of the entry, counted through all logs.
    """
    log = [each for each in read.logs if each.first <= index][-1]
    place = index - log.first
    path = tuple(TileReader(log.fetch, log.checkpoint).inclusion_proof(place))
    return bytes(log_proof.LogProof(place, path, log.note, read.entries[index]))


def index_of(read: ReadRecord, entry: str) -> int:
    """The index of an entry that a user named by index or id.

    Raises:
        InputError: There is none.
    """
    if entry.isascii() and entry.isdigit():
        if int(entry) >= len(read.entries):
            raise InputError(
                f"there is no entry {entry}: the record has {len(read.entries)}",
                hint=f"the newest is {len(read.entries) - 1}",
            )
        return int(entry)
    found = read.history.now.seen.get(entry)
    if found is None:
        raise UnknownName("entry", entry, read.history.now.seen)
    return found


def file_kind(data: bytes) -> str | None:
    """What a file is by its first line: `receipt`, `tlog-proof`, `evidence`; None: none of them."""
    return _KINDS.get(data.partition(b"\n")[0].decode("ascii", "replace"))


def check_receipt(data: bytes, *, genesis: str | None = None, now_s: int | None = None) -> Proven:
    """Check a receipt with nothing but its bytes.

    Args:
        data: The file.
        genesis: Digest of entry 0 in hexadecimal; None: whose record it is stays unchecked.
        now_s: POSIX seconds after which cosignatures do not count. None: this machine's clock.

    Raises:
        RecordError: It does not hold: an entry is not in the tree, or too few have signed that.
    """
    at_s = int(time.time()) if now_s is None else now_s
    parts = _parts(data)
    held = [receipts.parse_receipt(part).entries for part in parts]
    if any(entries[0].index != 0 for entries in held):
        raise MalformedRecord("the receipt does not begin with entry 0", place="entry 0")
    digest = genesis_digest(held[0][0].entry)
    if genesis is not None and digest != genesis:
        raise ProofMismatch(
            f"the receipt begins with another entry: its digest is {digest}",
            place="entry 0",
            hint="it is of somebody else's record, or the digest was mistyped",
        )
    judged = judge(*([(each.index, each.entry) for each in entries] for entries in held))
    before: Checkpoint | None = None
    logs = []
    for part, entries, policy in zip(parts, held, judged.policies, strict=True):
        if policy is None:
            raise MalformedRecord("entry 0 names no witnesses to be relied on", place="entry 0")
        _, witnessed = receipts.verify_receipt(part, policy, now_s=at_s)
        if before is not None:
            _demand_goes_on(before, entries[0].entry)
        before = witnessed.checkpoint
        logs.append(before.origin)
    assert policy is not None
    assert judged.state.witness_quorum is not None
    demand_dated(witnessed, policy, judged.state.witness_quorum)
    decisions = tuple(_decision(judged, each) for each in judged.decisions)
    return replace(
        _proven("receipt", witnessed, policy),
        holds=not judged.void and all(each.status != "pending" for each in decisions),
        genesis=digest,
        is_genesis_checked=genesis is not None,
        decisions=decisions,
        says=_says(judged, held),
        logs=tuple(logs),
        void=judged.void,
    )


def check_plain_proof(
    data: bytes, policy: WitnessPolicy, entry: bytes | None, *, now_s: int | None = None
) -> Proven:
    """Check a C2SP tlog-proof under a policy: that one entry is in a witnessed log.

    Args:
        data: The file.
        policy: Whose signatures are asked for.
        entry: The entry; None: it is in the file, as `extra`.
        now_s: POSIX seconds after which cosignatures do not count. None: this machine's clock.

    Raises:
        RecordError: It does not hold.
        InputError: Nobody has given the entry.
    """
    at_s = int(time.time()) if now_s is None else now_s
    read = log_proof.parse_proof(data)
    about = read.extra if entry is None else entry
    if about is None:
        raise InputError("a tlog-proof without its entry", hint="give the entry's file as --entry")
    read, witnessed = log_proof.verify_proof(data, leaf_hash(about), policy, now_s=at_s)
    says = f"{len(about):,} bytes with the digest {sha256(about).hexdigest()}"
    return replace(
        _proven("tlog-proof", witnessed, policy),
        says=((read.index, says),),
        not_proven=("what the entry means, and whether it has any effect", NOT_PROVEN[0]),
    )


def check_evidence(data: bytes, policy: WitnessPolicy) -> Proven:
    """Check that a log of a policy has signed two views.

    Raises:
        RecordError: This does not show it.
    """
    smaller, larger = verify_equivocation(data, [log.key for log in policy.logs])
    says = f"the log signed {smaller.size} entries that are not the beginning of these"
    return Proven(
        kind="evidence",
        holds=True,
        origin=larger.origin,
        size=larger.size,
        root=larger.root.hex(),
        says=((smaller.size, says),),
        not_proven=("which of the two views is true", "who made the log sign them"),
    )


def _by_log(read: ReadRecord, chosen: Sequence[int]) -> list[tuple[OneLog, list[int]]]:
    """The entries of a receipt log by log, by their places in each."""
    ends = [*(log.first for log in read.logs[1:]), len(read.entries)]
    return [
        (log, [each - log.first for each in chosen if log.first <= each < end])
        for log, end in zip(read.logs, ends, strict=True)
    ]


def _parts(data: bytes) -> list[bytes]:
    """The parts of a receipt, one for each log; an empty line stands between two."""
    begin = receipts.HEADER.encode() + b"\n"
    first, *more = data.split(b"\n\n" + begin)
    if not more:
        return [data]
    middle = [begin + part + b"\n" for part in more[:-1]]
    return [first + b"\n", *middle, begin + more[-1]]


def _demand_goes_on(before: Checkpoint, first: bytes) -> None:
    """Demand that a log goes on from what is shown of the one before it."""
    ended = goes_on_from(first)
    if (
        ended is None
        or ended.origin != before.origin
        or ended.size > before.size
        or (ended.size == before.size and ended.root != before.root.hex())
    ):
        raise ProofMismatch(
            f"it does not go on from {before.origin!a} as that is shown", place="entry 0"
        )


def _proven(kind: str, witnessed: Witnessed, policy: WitnessPolicy) -> Proven:
    point = witnessed.checkpoint
    return Proven(
        kind=kind,
        holds=True,
        origin=point.origin,
        size=point.size,
        root=point.root.hex(),
        witnessed_us=witnessed.time_s * SECOND_US,
        signed_by=tuple(sorted(policy.names_of(witnessed.cosignatures))),
    )


def _decision(judged: Judged, proposed: Proposed) -> Decision:
    persons = judged.state.seated.persons
    given = sorted(proposed.approvals.values(), key=lambda each: each.index)
    return Decision(
        id=proposed.id,
        index=proposed.index,
        kind=type(proposed.proposal).__name__.lower(),
        status=proposed.status,
        request=proposed.proposal.request,
        proposer=proposed.proposer,
        approvers=tuple((each.person, persons[each.person].factor) for each in given),
        impact=proposed.proposal.impact,
        bound_index=proposed.bound_index,
        bound_us=proposed.bound_us,
    )


def _says(
    judged: Judged, held: Sequence[Sequence[receipts.ReceiptEntry]]
) -> tuple[tuple[int, str], ...]:
    said = []
    firsts = accumulate((log.size for log in judged.state.earlier), initial=0)
    for first, entries in zip(firsts, held, strict=True):
        for each in entries:
            try:
                says = entry_says(parse_entry(each.entry), judged.state)
            except Void:
                says = "not an entry that means anything"
            said.append((first + each.index, says))
    return tuple(said)


def _demand_shown(read: ReadRecord, judged: Judged, index: int) -> None:
    """Hand out no receipt that shows less, or something else, than the record does."""
    if judged.void:
        first = judged.void[0]
        raise _unshown(index, f"entry {first.index} would have no effect there: {first.reason}")
    for name, shown in judged.state.changes.items():
        whole = read.history.now.changes[name]
        if (shown.status, shown.bound_us) != (whole.status, whole.bound_us):
            raise _unshown(index, f"{name} would be {shown.status} there, and is {whole.status}")


def _unshown(index: int, why: str) -> InputError:
    return InputError(
        f"no receipt can show this by itself: {why}",
        place=f"entry {index}",
        hint="hand out a copy of the record: `spotbeam record mirror`",
    )
