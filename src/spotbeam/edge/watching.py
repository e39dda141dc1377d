"""Ask witnesses past a log that is silent how large a record they have signed.

A log can freeze its readers by publishing nothing more. Its witnesses serve the last checkpoint
that they signed, at the addresses in the witness policy; whoever holds less than that is behind.
Such a checkpoint is also another pair of eyes: if it is another view, the log is found out.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from spotbeam.edge.follow import Follower
from spotbeam.errors import MissingRecord, SpotbeamError
from spotbeam.governance.state import State
from spotbeam.record.checkpoint import parse_signed_checkpoint, verify_checkpoint
from spotbeam.record.cosignature import verify_cosignatures
from spotbeam.record.policy import PolicyWitness
from spotbeam.record.tile_reader import Fetch
from spotbeam.record.tiles import CHECKPOINT_PATH
from spotbeam.record.witness import origin_hash

Reach = Callable[[str], Fetch]
"""How to read what is published under a URL."""
BEHIND_AFTER_S = 30.0
"""A witness signs before the log publishes: for so long its larger checkpoint is no news."""


class Witnessing(msgspec.Struct, frozen=True, kw_only=True):
    """What a witness says of the log.

    Attributes:
        name: As in the witness policy.
        size: How many entries it has signed last.
        time_s: When; POSIX seconds.
        fault: Why it could not be asked, or what was wrong with its answer.
        is_other_view: It has signed what does not continue the record that is followed.
    """

    name: str
    size: int | None = None
    time_s: int | None = None
    fault: str | None = None
    is_other_view: bool = False


class Watch:
    """What the witnesses of the followed log have signed, and since when that is more than is held.

    Args:
        follower: Who follows the log.
        reach: How to read from a URL.
    """

    def __init__(self, follower: Follower, reach: Reach) -> None:
        self._follower = follower
        self._reach = reach
        self._ahead_since_s: float | None = None
        self._ahead_of = 0
        self.witnesses: tuple[Witnessing, ...] = ()

    def look(self, steady_s: float) -> None:
        """Ask every witness that has an address.

        Args:
            steady_s: A clock that only goes forward, seconds.
        """
        walked = self._follower.walked
        if walked is None:
            return
        state = walked.history.now
        policy = state.witness_policy
        assert policy is not None
        asked = [each for each in policy.witnesses if each.url is not None]
        self.witnesses = tuple(self._asked(each, state) for each in asked)
        held = self._follower.walked
        size = 0 if held is None else held.checkpoint.size
        largest = max((each.size or 0 for each in self.witnesses), default=0)
        if largest <= size:
            self._ahead_since_s = None
        elif self._ahead_since_s is None or size >= self._ahead_of:
            self._ahead_since_s, self._ahead_of = steady_s, largest

    def is_behind(self, steady_s: float) -> bool:
        """Whether witnesses have signed more, for longer than publishing takes."""
        since_s = self._ahead_since_s
        return since_s is not None and steady_s - since_s >= BEHIND_AFTER_S

    def _asked(self, witness: PolicyWitness, state: State) -> Witnessing:
        assert witness.url is not None
        try:
            fetch = self._reach(f"{witness.url.rstrip('/')}/{origin_hash(state.origin)}")
            note = fetch(CHECKPOINT_PATH)
            if note is None:
                raise MissingRecord("it has signed nothing of this log", place=witness.name)
            return self._read(witness, fetch, note, state)
        except (SpotbeamError, OSError) as fault:
            return Witnessing(name=witness.name, fault=str(fault))

    def _read(self, witness: PolicyWitness, fetch: Fetch, note: bytes, state: State) -> Witnessing:
        assert state.witness_policy is not None
        verify_checkpoint(note, [log.key for log in state.witness_policy.logs])
        checkpoint = parse_signed_checkpoint(note)[0]
        signed = verify_cosignatures(note, [witness.key], now_s=None)
        if not signed:
            raise MissingRecord("its own signature is not on what it serves", place=witness.name)
        return Witnessing(
            name=witness.name,
            size=checkpoint.size,
            time_s=signed[0].time_s,
            is_other_view=self._is_other(note, fetch, checkpoint.size),
        )

    def _is_other(self, note: bytes, fetch: Fetch, size: int) -> bool:
        """Whether it is another view. A plain witness has no tiles: what is larger waits."""
        held = self._follower.walked
        if held is None or size > held.checkpoint.size:
            return False
        return self._follower.compare(note, fetch) is not None
