"""Follow a log through several sources, on disk, and never go back.

    follower = Follower([fetch, …], genesis, folder)
    follower.refresh(now_s)            what was newly accepted, or None
    follower.walked                    what is accepted

A source that withholds, lags, forks or sends junk stops nobody as long as another one shows a
consistent view which the quorum signed. What a source did wrong is said (`standings`), and two
views that a log has signed are kept as evidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path

import msgspec

from spotbeam.edge.forks import evidence_of
from spotbeam.edge.keeping import Kept
from spotbeam.edge.snapshots import Snapshots
from spotbeam.edge.sources import Source, Standing
from spotbeam.edge.walk import Progress, Walked, walk
from spotbeam.errors import Forked, MissingRecord, RecordError, SpotbeamError, Unreachable
from spotbeam.governance.history import History, next_log
from spotbeam.record.checkpoint import Checkpoint, parse_signed_checkpoint
from spotbeam.record.keys import VerifierKey
from spotbeam.record.policy import verify_witnessed
from spotbeam.record.tile_reader import Fetch
from spotbeam.record.tiles import CHECKPOINT_PATH

PATIENCE_S = 3.0
"""How long one refresh waits for a source while others have answered. A later answer counts at the
next refresh."""
STALLED_S = 5.0
"""A source that has not handed out another file for so long is left, if there are others."""


class Follower:
    """A reader that keeps what it has accepted, and accepts only what continues it.

    Args:
        sources: Where the record may be read: the log, its mirrors.
        genesis: Digest of entry 0, brought by hand. None: that of whatever is read first, which
            is then followed for ever.
        store: The folder in which it keeps what it has accepted.
        names: What people call the sources.
        patience_s, stalled_s: See `PATIENCE_S` and `STALLED_S`.
        progress: Told how far a long walk is.

    Raises:
        RecordError: What the folder holds does not hold, or is another record.
    """

    def __init__(
        self,
        sources: Sequence[Fetch],
        genesis: str | None,
        store: Path,
        *,
        names: Sequence[str] = (),
        patience_s: float = PATIENCE_S,
        stalled_s: float = STALLED_S,
        progress: Progress | None = None,
    ) -> None:
        named = [*names, *(f"source {number}" for number in range(len(names) + 1, 1_000))]
        self._sources = [Source(*pair) for pair in zip(sources, named, strict=False)]
        self._patience_s = patience_s
        self._stalled_s = stalled_s
        self._onward: tuple[Walked, History] | None = None
        self._progress = progress
        self._pool: ThreadPoolExecutor | None = None
        self.kept = Kept(store)
        self._evidence = self.kept.evidence()
        self.genesis = genesis if genesis is not None else self.kept.genesis
        self.walked: Walked | None = None
        self._snapshots = Snapshots(self.kept)
        if self.kept.genesis is not None:
            self._remember()

    @property
    def standings(self) -> tuple[Standing, ...]:
        """How each source stands, in the order in which they were given."""
        return tuple(source.standing for source in self._sources)

    @property
    def evidence(self) -> tuple[Path, ...]:
        """Proofs that the log has signed two views; there should be none."""
        return self._evidence

    @property
    def _log(self) -> int:
        return 0 if self.walked is None else len(_earlier(self.walked))

    @property
    def log_keys(self) -> tuple[VerifierKey, ...]:
        """The keys of the log as far as it was read."""
        if self.walked is None or self.walked.history.now.witness_policy is None:
            return ()
        return tuple(log.key for log in self.walked.history.now.witness_policy.logs)

    def refresh(self, now_s: int | None) -> Walked | None:
        """Ask the sources, and accept the best that any of them shows.

        Args:
            now_s: The reader's clock, POSIX seconds: cosignatures after it do not count. None: no
                clock; a time that only a few witnesses vouch for is refused all the same.

        Returns:
            What was accepted if it is newer than what was: more entries, or the same ones
            witnessed anew. None if there is nothing newer, or nothing that holds; then
            `standings` say why.
        """
        accepted = None
        shown = self._shown()
        while shown:
            failed = []
            for source, note in shown:
                try:
                    checkpoint = parse_signed_checkpoint(note)[0]
                    walked = self._patiently(source, note, checkpoint, now_s)
                    if walked is not None:
                        self._keep(walked)
                except SpotbeamError as fault:
                    failed.append((source, note, fault))
                    continue
                source.seen = note
                source.stands(checkpoint.size)
                accepted = walked or accepted
            # A later log of the chain can be read once the one before it is: look again, as long
            # as anything came of it.
            if accepted is None or len(failed) == len(shown):
                for source, _, why in failed:
                    source.failed(why)
                break
            shown = [(source, note) for source, note, _ in failed]
        return accepted

    def compare(self, note: bytes, fetch: Fetch) -> Path | None:
        """Look whether a log-signed checkpoint from anywhere is another view; keep the evidence.

        Args:
            note: The checkpoint, as a witness, a mirror or another reader shows it.
            fetch: Where that is: asked for tiles if the checkpoint is larger than ours.

        Returns:
            The file of evidence, or None where both are views of one record.

        Raises:
            RecordError: The note is not the log's, or it could not be looked at.
        """
        if self.walked is None:
            return None
        ours = self.walked.note, self.kept.reader(self._log)
        data = evidence_of(*ours, note, fetch, self.log_keys)
        if data is None:
            return None
        path = self.kept.keep_evidence(data)
        self._evidence = self.kept.evidence()
        return path

    def close(self) -> None:
        """Leave the sources alone; threads that wait for one end by themselves."""
        self._snapshots.close()
        if self._pool:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def _remember(self) -> None:
        """Read again what was accepted before, and check it again from the last snapshot on."""
        logs = self.kept.logs()
        begun = self._snapshots.read(logs[-1]) if logs else None
        for log in logs if begun is None else logs[-1:]:
            before = None if self.walked is None else next_log(self.walked.history)
            walked = walk(
                self.kept.fetch(log),
                genesis=self.genesis,
                onto=begun[0] if begun else before,
                held=begun[1] if begun else None,
                now_s=None,
                progress=self._progress,
            )
            self.genesis = walked.genesis
            self.walked = _without_entries(walked)

    def _shown(self) -> list[tuple[Source, bytes]]:
        """The checkpoints that are new at their source: the trustier, then the larger first."""
        asked = []
        for source in self._sources:
            if source.asked is None:
                source.work = 0
                source.asked = self._started(source.fetch)
            asked.append(source)
        wait([s.asked for s in asked if s.asked is not None], timeout=self._patience_s)
        shown: list[tuple[int, int, Source, bytes]] = []
        for source in asked:
            answer = source.asked
            if answer is None or not answer.done():
                continue
            source.asked = None
            try:
                note = answer.result()
                if note is None:
                    raise MissingRecord("a file of the record is missing", place=CHECKPOINT_PATH)
                if note != source.seen and self._is_worth_it(source, note):
                    size = parse_signed_checkpoint(note)[0].size
                    shown.append((source.standing.failures, -size, source, note))
            except SpotbeamError as fault:
                source.failed(fault)
        shown.sort(key=lambda each: each[:2])
        return [(source, note) for _, _, source, note in shown]

    def _is_worth_it(self, source: Source, note: bytes) -> bool:
        """Whether to go through what a source shows, after what it has shown before."""
        source.skip -= 1
        if source.skip < 0 or self.walked is None:
            return source.skip < 0
        policy = self.walked.history.now.witness_policy
        assert policy is not None
        try:
            verify_witnessed(note, policy, now_s=None)
        except RecordError:
            return False
        return True

    def _started(self, fetch: Fetch) -> Future[bytes | None]:
        if len(self._sources) == 1:  # nobody to wait for instead
            done: Future[bytes | None] = Future()
            try:
                done.set_result(fetch(CHECKPOINT_PATH))
            except SpotbeamError as fault:
                done.set_exception(fault)
            return done
        if self._pool is None:
            self._pool = ThreadPoolExecutor(2 * len(self._sources), thread_name_prefix="source")
        return self._pool.submit(fetch, CHECKPOINT_PATH)

    def _patiently(
        self, source: Source, note: bytes, checkpoint: Checkpoint, now_s: int | None
    ) -> Walked | None:
        """As `_judged`; but a source that stops in the middle of it holds up no other one."""
        if self._pool is None:
            return self._judged(source, note, checkpoint, now_s)
        source.progress = 0
        judged = self._pool.submit(self._judged, source, note, checkpoint, now_s)
        before = -1
        while True:
            try:
                return judged.result(timeout=self._stalled_s)
            except TimeoutError:
                if judged.done() or source.progress == before:
                    source.asked = self._pool.submit(_after, judged)
                    raise Unreachable(
                        source.standing.name, "it stopped in the middle of its files"
                    ) from None
                before = source.progress

    def _judged(
        self, source: Source, note: bytes, checkpoint: Checkpoint, now_s: int | None
    ) -> Walked | None:
        """What a checkpoint brings; None if nothing is new in it."""
        held = self.walked
        if held is not None and held.history.now.halted is not None:
            return None
        if held is None or checkpoint.origin != held.checkpoint.origin:
            if held is not None and checkpoint.origin in _earlier(held):
                return None  # a log that the record has left behind
            return walk(
                source.fetch,
                genesis=self.genesis,
                onto=None if held is None else self._next_log(held),
                now_s=now_s,
                note=note,
                progress=source.told(self._progress),
            )
        if checkpoint.size < held.checkpoint.size or (
            checkpoint.size == held.checkpoint.size and checkpoint.root != held.checkpoint.root
        ):
            self._refuse_fork(source, note, "the record differs from the one accepted")
            return None  # it lags; that is all
        try:
            walked = walk(
                source.fetch,
                genesis=self.genesis,
                onto=held.history,
                held=held.checkpoint,
                now_s=now_s,
                progress=source.told(self._progress),
                note=note,
            )
        except Forked as fault:
            self._refuse_fork(source, note, fault.message)
            raise
        if walked.checkpoint.size == held.checkpoint.size and walked.time_s <= held.time_s:
            return None
        return walked

    def _next_log(self, held: Walked) -> History:
        """What the next log of the record is read onto; worked out once."""
        if self._onward is None or self._onward[0] is not held:
            self._onward = held, next_log(held.history)
        return self._onward[1]

    def _refuse_fork(self, source: Source, note: bytes, message: str) -> None:
        if self.compare(note, source.fetch) is not None:
            raise Forked(
                message,
                place=CHECKPOINT_PATH,
                hint=f"the log has signed two views; the evidence is in {self.kept.path}/evidence",
            )

    def _keep(self, walked: Walked) -> None:
        """Put it on disk first: what was once enforced is there after a loss of power."""
        self.kept.keep(
            len(_earlier(walked)), walked.genesis, walked.note, walked.first, walked.entries
        )
        self.genesis = walked.genesis
        self.walked = _without_entries(walked)
        self._snapshots.keep(walked)


def _after(judged: Future[Walked | None]) -> bytes | None:
    """Wait until a source that stopped has come to an end; what it came to is too late."""
    wait([judged])
    return None


def _earlier(walked: Walked) -> tuple[str, ...]:
    """The logs of the chain before the one at hand."""
    return tuple(each.origin for each in walked.history.now.earlier)


def _without_entries(walked: Walked) -> Walked:
    return msgspec.structs.replace(walked, entries=(), first=walked.checkpoint.size)
