"""Appending, restarting, failing disks and restored backups: never two views, nothing lost."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from spotbeam.errors import Forked, QuorumNotMet, RecordError
from spotbeam.record import disk, keys, merkle
from spotbeam.record.checkpoint import parse_signed_checkpoint, verify_checkpoint
from spotbeam.record.checkpoint_store import MemoryCheckpoints
from spotbeam.record.keys import signer_from_seed
from spotbeam.record.log import Log, create_log
from spotbeam.record.merkle import leaf_hash
from spotbeam.record.note import add_signatures
from spotbeam.record.policy import parse_policy
from spotbeam.record.tile_reader import directory, fsck
from spotbeam.record.witness import Witness, origin_hash, read_witness_answer

ORIGIN = "log.example/views"
LOG = signer_from_seed(ORIGIN, keys.ED25519, b"\1" * 32)
SIGNERS = {
    f"W{n}": signer_from_seed(f"w{n}.example", keys.COSIGNATURE_ED25519, bytes([n + 2]) * 32)
    for n in range(3)
}
POLICY = parse_policy(
    (
        f"log {LOG.key}\n"
        + "".join(f"witness {name} {each.key}\n" for name, each in SIGNERS.items())
        + "group G all W0 W1 W2\nquorum G\n"
    ).encode()
)
NOW_S = 1_800_000_000


class FailingDisk:
    """`disk.replace` that fails after some calls, as a disk does that is full."""

    def __init__(self, calls: int) -> None:
        self._left = calls
        self._real = disk.replace

    def __call__(self, path: Path, data: bytes) -> None:
        if not self._left:
            raise OSError(28, "No space left on device")
        self._left -= 1
        self._real(path, data)


class Views(RuleBasedStateMachine):
    """One log, three witnesses, an operator with backups, and a model: a list of entries."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        self.home = self.root / "0"
        self.homes = 1
        self.home.mkdir()
        create_log(self.home / "log.sqlite", ORIGIN)
        self.witnesses = {
            name: Witness({ORIGIN: [LOG.key]}, [signer], MemoryCheckpoints())
            for name, signer in SIGNERS.items()
        }
        self.backup: Path | None = None
        self.acknowledged: list[bytes] = []  # by the log that is open
        self.saved: list[bytes] = []  # what the backup held
        self.signed: dict[int, bytes] = {}  # every root that ever left the house
        self.confirmed = False
        self.written = 0
        self.log = self.opened()

    def opened(self) -> Log:
        return Log(self.home / "log.sqlite", self.home / "tiles", LOG)

    def held(self) -> dict[str, bytes | None]:
        answers = {
            name: witness.checkpoint(origin_hash(ORIGIN))
            for name, witness in self.witnesses.items()
        }
        return {name: each.body if each.status == 200 else None for name, each in answers.items()}

    @rule(count=st.sampled_from([1, 2, 100, 256, 300]))
    def append(self, count: int) -> None:
        entries = [b"%d" % (self.written + number) for number in range(count)]
        self.written += count
        at = len(self.acknowledged)
        assert self.log.append(entries) == range(at, at + count)
        self.acknowledged += entries

    @rule()
    def confirm(self) -> None:
        held = self.held()
        seen = max((parse_signed_checkpoint(n)[0].size for n in held.values() if n), default=0)
        behind = seen > len(self.acknowledged) or any(
            size <= len(self.acknowledged)
            and self.signed[size] != merkle.root_hash(map(leaf_hash, self.acknowledged[:size]))
            for size in ({seen} & self.signed.keys())
        )
        try:
            self.log.confirm(held, POLICY)
        except Forked:
            assert behind
        else:
            assert not behind
            self.confirmed = True

    @rule(missing=st.sampled_from(sorted(SIGNERS)))
    def confirm_without_a_quorum(self, missing: str) -> None:
        try:
            self.log.confirm({n: h for n, h in self.held().items() if n != missing}, POLICY)
        except QuorumNotMet:
            return
        raise AssertionError("too few witnesses were enough")

    @precondition(lambda self: not self.confirmed)
    @rule()
    def sign_too_early(self) -> None:
        try:
            self.log.sign()
        except RecordError:
            return
        raise AssertionError("the log signed before it knew what its witnesses hold")

    @precondition(lambda self: self.confirmed)
    @rule(reached=st.sets(st.sampled_from(sorted(SIGNERS))) | st.just(set(SIGNERS)))
    def sign(self, reached: set[str]) -> None:
        note = self.ask(self.log.sign(), reached)
        try:
            self.log.publish(note, POLICY, now_s=NOW_S)
        except QuorumNotMet:
            assert reached < set(SIGNERS)
        else:
            assert reached == set(SIGNERS)

    def ask(self, note: bytes, reached: set[str]) -> bytes:
        if reached:
            self.sent(note)
        for name in sorted(reached):
            held = 0
            for _ in range(2):
                answer = self.witnesses[name].add_checkpoint(
                    bytes(self.log.witness_request(held, note)), now_s=NOW_S
                )
                read = read_witness_answer(
                    answer.status, answer.body, note, [SIGNERS[name].key], now_s=NOW_S
                )
                if read.held_size is None:
                    break
                held = read.held_size
            note = add_signatures(note, read.cosignatures)
        return note

    def sent(self, note: bytes) -> None:
        """A note leaves the house: everybody may have seen it from here on."""
        point = verify_checkpoint(note, [LOG.key])
        assert point.root == merkle.root_hash(map(leaf_hash, self.acknowledged[: point.size]))
        assert self.signed.setdefault(point.size, point.root) == point.root, "two views"

    @precondition(lambda self: self.confirmed)
    @rule(calls=st.integers(0, 8))
    def the_disk_fills_up_while_signing(self, calls: int) -> None:
        real = disk.replace
        disk.replace = FailingDisk(calls)
        try:
            self.log.publish(self.ask(self.log.sign(), set(SIGNERS)), POLICY, now_s=NOW_S)
        except RecordError:
            disk.replace = real
            self.restart()
        finally:
            disk.replace = real

    @rule()
    def restart(self) -> None:
        self.log.close()
        self.log = self.opened()
        self.confirmed = False

    @rule()
    def back_up(self) -> None:
        self.log.close()
        self.backup = self.root / f"backup-{self.homes}-{self.written}"
        shutil.rmtree(self.backup, ignore_errors=True)
        shutil.copytree(self.home, self.backup)
        self.saved = list(self.acknowledged)
        self.log = self.opened()
        self.confirmed = False

    @precondition(lambda self: self.backup is not None)
    @rule()
    def restore(self) -> None:
        assert self.backup
        self.log.close()
        self.home = self.root / str(self.homes)
        self.homes += 1
        shutil.copytree(self.backup, self.home)
        self.acknowledged = list(self.saved)
        self.log = self.opened()
        self.confirmed = False

    @precondition(lambda self: self.confirmed)
    @rule(
        lost=st.sampled_from([1, 3]),
        reached=st.sets(st.sampled_from(sorted(SIGNERS)), min_size=1),
        since=st.sampled_from([0, 1, 3, 5]),
    )
    def lose_what_witnesses_have_seen(self, lost: int, reached: set[str], since: int) -> None:
        """The whole accident: back up, go on, fall back, and go on otherwise."""
        self.back_up()
        self.confirm()
        if self.confirmed:
            self.append(lost)
            self.sign(reached)
        self.restore()
        if since:
            self.append(since)
        self.confirm()

    @invariant()
    def what_was_acknowledged_is_there(self) -> None:
        assert self.log.size == len(self.acknowledged)
        assert list(self.log.entries()) == self.acknowledged

    @invariant()
    def what_is_published_holds(self) -> None:
        note = directory(self.home / "tiles")("checkpoint")
        if note is not None:
            point = verify_checkpoint(note, [LOG.key])
            assert fsck(directory(self.home / "tiles"), point).entries == point.size

    def teardown(self) -> None:
        self.log.close()
        shutil.rmtree(self.root)


Views.TestCase.settings = settings(max_examples=25, stateful_step_count=12, deadline=None)
TestViews = Views.TestCase
