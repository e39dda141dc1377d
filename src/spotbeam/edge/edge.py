"""An edge: it follows the record, enforces what that says, and answers who is served.

What goes on goes on at its own pace and waits for nobody: `follow` reads the record and enforces
what is new; `tick` lets windows, expiry and silence take effect by the clock; `take_openings`,
`prepare` and `ask_witnesses` do the rest. Whoever drives it decides when, from which threads; what
is answered comes from what was enforced last.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence

import msgspec

from spotbeam.edge.clock import Clock
from spotbeam.edge.enforcing import Enforced, Lack, enforced, is_cell, is_placed
from spotbeam.edge.follow import Follower
from spotbeam.edge.freshness import Freshness, freshness
from spotbeam.edge.live import LiveTable, Shown
from spotbeam.edge.openings import Give, Held
from spotbeam.edge.sources import Standing
from spotbeam.edge.walk import Walked
from spotbeam.edge.watching import Watch, Witnessing
from spotbeam.errors import SpotbeamError
from spotbeam.governance.entries.acts import PutRule
from spotbeam.governance.entries.deciding import Change, Emergency
from spotbeam.governance.entries.rules import rule_of
from spotbeam.governance.history import intended
from spotbeam.governance.state import State, listed, state_digest
from spotbeam.governance.void import Finding
from spotbeam.service.position import Motion, place
from spotbeam.service.rules import Rule
from spotbeam.service.terminals import Terminal, Terminals
from spotbeam.service.verdict import FRESH, Verdict, verdict
from spotbeam.times import format_time

_SHOWN_FINDINGS = 100
_TOLERANCE_S = 300
_PREPARED_PROPOSALS = 20
_PREPARED_WIDTHS = 4
_PREPARED_CELLS = 5_000


class Ack(msgspec.Struct, frozen=True, kw_only=True):
    """What an edge says of itself: how far it has read the record, and what it makes of that."""

    edge: str
    origin: str
    size: int
    state_digest: str
    at_us: int


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict, and how much this edge knew when it gave it.

    Attributes:
        at: When, by the edge's clock.
        lacks: What it should hold there and does not.
    """

    id: str
    verdict: Verdict
    at: str
    freshness: Freshness
    lacks: tuple[str, ...]


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """How an edge stands; `docs/edge.md` says what each field means."""

    edge: str
    origin: str | None
    genesis: str | None
    size: int
    entries: int
    root: str | None
    state_digest: str | None
    witnessed_at: str | None
    now: str
    freshness: Freshness
    view: str
    policy_version: str
    rules: int
    terminals: int
    lacks: tuple[Lack, ...]
    openings_refused: tuple[str, ...]
    n_findings: int
    findings: tuple[Finding, ...]
    evidence: tuple[str, ...]
    sources: tuple[Standing, ...]
    witnesses: tuple[Witnessing, ...]


class Edge:
    """Joins a follower, a clock and a live table.

    Args:
        name: What it calls itself when it acknowledges.
        follower: Who follows the record.
        clock: What time it is.
        table: The terminals that are served now.
        held: The openings it was given.
        watch: Who asks witnesses; None: nobody.
        borders: Digest of its borders, in hexadecimal.
        keep_clock: Where what outlives the process goes.
    """

    def __init__(
        self,
        name: str,
        follower: Follower,
        clock: Clock,
        table: LiveTable,
        held: Held,
        *,
        watch: Watch | None = None,
        borders: str | None = None,
        keep_clock: Callable[[bytes], object] = lambda _: None,
    ) -> None:
        self.name = name
        self.follower = follower
        self.clock = clock
        self.table = table
        self.held = held
        self.watch = watch
        self._borders = borders
        self._keep_clock = keep_clock
        self._ids = frozenset(table.ground.ids())
        self._lock = threading.RLock()
        self._enforced: Enforced | None = None
        self._is_confirmed = False
        self._fault: str | None = None
        self._digest: tuple[str, int, str] | None = None
        if follower.walked is not None:
            self._enforce(follower.walked)

    # -- what goes on

    def follow(self) -> Walked | None:
        """Read what is new in the record, and enforce it; what was accepted, or None."""
        walked = self.follower.refresh(self._latest_s())
        if walked is None:
            return None
        with self._lock:
            self.clock.hear(walked.time_s)
            self._is_confirmed = True
            self._enforce(walked)
        self._keep_clock(self.clock.kept())
        return walked

    def tick(self) -> None:
        """Let take effect what the clock brings: windows, ends, silence."""
        now_us = self.clock.now_us()
        with self._lock:
            until_us = None if self._enforced is None else self._enforced.until_us
            if until_us is not None and now_us >= until_us and self.follower.walked is not None:
                self._enforce(self.follower.walked)
            else:
                self.table.tick(now_us)

    def take_openings(self, give: Give) -> bool:
        """Ask for the openings that are lacking; whether any came and holds."""
        walked = self.follower.walked
        if walked is None:
            return False
        found = intended(walked.history.now, self.clock.now_us())
        if not self.held.take(found, give):
            return False
        with self._lock:
            self._enforce(self.follower.walked or walked)
        return True

    def ask_witnesses(self) -> None:
        """Ask witnesses past a silent log."""
        if self.watch is not None:
            self.watch.look(self.clock.steady_s())

    def prepare(self) -> None:
        """Get ready for what is proposed and may bind."""
        walked = self.follower.walked
        if walked is None:
            return
        prepared = self.table.prepared(_proposed_rules(walked.history.now, self._ids))
        with self._lock:
            self.table.install(prepared)

    def put(self, terminals: Terminals) -> None:
        """Take in what terminals report."""
        with self._lock:
            self.table.put(terminals, self.clock.now_us())

    def drop(self, ids: Sequence[str]) -> None:
        """Forget terminals that are no longer there."""
        with self._lock:
            self.table.drop(ids, self.clock.now_us())

    # -- what is answered

    def shown(self) -> tuple[Shown, int]:
        """All verdicts as they stand, and when they were decided."""
        with self._lock:
            return self.table.shown(), self.clock.now_us()

    def ack(self) -> Ack | None:
        """What to say to the log, or None while nothing is accepted."""
        walked = self.follower.walked
        if walked is None or walked.history.now.halted is not None:
            return None
        return Ack(
            edge=self.name,
            origin=walked.checkpoint.origin,
            size=walked.checkpoint.size,
            state_digest=self._state_digest(walked),
            at_us=self.clock.now_us(),
        )

    def answer(self, terminal: Terminal) -> Answer:
        """The verdict on one terminal where it says that it is; what is remembered stays as it is.

        A terminal of the live table is judged with what is remembered of it, another one as if it
        had just appeared.
        """
        with self._lock:
            policy, overlay = self.table.policy, self.table.overlay
            memory = self.table.memory_of(terminal.id) or FRESH
            lacks = () if self._enforced is None else self._enforced.lacks
        now_us = self.clock.now_us()
        position = place(
            policy,
            overlay,
            terminal.lat_deg,
            terminal.lon_deg,
            error_m=terminal.position_error_m,
            assurance=terminal.assurance,
        )
        motion = Motion(speed_kmh=terminal.speed_kmh, altitude_m=terminal.altitude_m)
        decided, _ = verdict(policy, terminal, position, motion, memory, now_us, overlay.view)
        here = [lack.what for lack in lacks if any(map(lack.covers, position.widest))]
        return Answer(
            id=terminal.id,
            verdict=decided,
            at=format_time(now_us),
            freshness=self.freshness(),
            lacks=tuple(dict.fromkeys(here)),
        )

    def freshness(self) -> Freshness:
        """How much of the present this edge knows."""
        walked = self.follower.walked
        watch = self.watch
        return freshness(
            walked=walked,
            silent_s=self.clock.silent_s(),
            heard_s=self.clock.heard_s,
            is_confirmed=self._is_confirmed,
            is_behind=watch is not None and watch.is_behind(self.clock.steady_s()),
            is_split=bool(self.follower.evidence),
            n_lacks=0 if self._enforced is None else len(self._enforced.lacks),
            fault=self._fault,
        )

    def status(self) -> Status:
        """How it stands."""
        walked = self.follower.walked
        now = State() if walked is None else walked.history.now
        findings = listed(now)
        made = self._enforced
        heard_s = self.clock.heard_s
        return Status(
            edge=self.name,
            origin=None if walked is None else walked.checkpoint.origin,
            genesis=self.follower.genesis,
            size=0 if walked is None else walked.checkpoint.size,
            entries=now.before + now.size,
            root=None if walked is None else walked.checkpoint.root.hex(),
            state_digest=None if walked is None else self._state_digest(walked),
            witnessed_at=None if heard_s is None else format_time(heard_s * 1_000_000),
            now=format_time(self.clock.now_us()),
            freshness=self.freshness(),
            view=self.table.overlay.view,
            policy_version=self.table.policy.version,
            rules=len(self.table.policy.rules),
            terminals=len(self.table),
            lacks=() if made is None else made.lacks,
            openings_refused=self.held.faults(),
            n_findings=len(findings),
            findings=findings[-_SHOWN_FINDINGS:],
            evidence=tuple(path.name for path in self.follower.evidence),
            sources=self.follower.standings,
            witnesses=() if self.watch is None else self.watch.witnesses,
        )

    def _latest_s(self) -> int | None:
        """After what instant a cosignature cannot have been made.

        Only an edge that has never heard of any time takes the wall clock's word for it: later on,
        who moves that clock would decide what is refused.
        """
        if self.clock.heard_s is not None:
            return None
        return int(self.clock.now_s()) + _TOLERANCE_S

    def _enforce(self, walked: Walked) -> None:
        """Make the policy again and decide everybody by it; with the lock held."""
        now_us = self.clock.now_us()
        state = walked.history.now
        try:
            found = intended(state, now_us)
            self.held.recall(found)
            made = enforced(
                found,
                self.held,
                self._ids,
                view=self.table.overlay.view,
                witnessed_us=(self.clock.heard_s or 0) * 1_000_000,
                borders=self._borders,
            )
            before = self._enforced
            is_same = before is not None and before.lacks == made.lacks
            if is_same and made.policy.version == self.table.policy.version:
                self.table.renew(made.policy, now_us)
            else:
                cells = {name for lack in made.lacks for name in lack.where}
                self.table.enforce(made.policy, now_us, filter(is_cell, cells))
            self._enforced, self._fault = made, None
        except SpotbeamError as fault:
            # No entry is known to lead here. Should one, the last policy stands and it is said.
            self._fault = f"the policy could not be made: {fault}"

    def _state_digest(self, walked: Walked) -> str:
        checkpoint = walked.checkpoint
        if self._digest is None or self._digest[:2] != (checkpoint.origin, checkpoint.size):
            digest = state_digest(walked.history.now)
            self._digest = checkpoint.origin, checkpoint.size, digest
        return self._digest[2]


def _proposed_rules(state: State, ids: frozenset[str]) -> Iterator[Rule]:
    """The rules of proposals that may still bind, as far as they can be placed.

    One person alone can propose, so there is a limit to what proposals make an edge do: few widths
    of guard belts, few cells. What most people approved comes first, then what is newest.
    """
    order = sorted(
        state.pending, key=lambda name: (-len(state.changes[name].approvals), -state.pending[name])
    )
    widths: set[float] = set()
    cells: set[str] = set()
    for name in order[:_PREPARED_PROPOSALS]:
        proposal = state.changes[name].proposal
        for act in proposal.acts if isinstance(proposal, Change | Emergency) else ():
            if not isinstance(act, PutRule):
                continue
            with contextlib.suppress(SpotbeamError):
                rule = rule_of(act.rule)
                ground = {*rule.where, *rule.except_}
                wider, more = widths | {rule.guard_km}, cells | set(filter(is_cell, ground))
                if len(wider) > _PREPARED_WIDTHS or len(more) > _PREPARED_CELLS:
                    continue
                if all(is_placed(place, ids) for place in ground):
                    widths, cells = wider, more
                    yield rule
