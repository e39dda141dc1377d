"""Whether a witnessed time can be believed without any clock of one's own.

The witnessed time is the earliest by which the cosignatures were enough, so it is the word of the
last witness who was needed. Where all must sign, a single faulty one could date it into the next
century. Of the organisations that signed, at most `faulty` lie: so among any `faulty + 1` of them
one is honest, and the true time is at least the earliest of what those say. A time much later
than any such group confirms is refused, whatever GNSS or NTP tell this machine.
"""

from __future__ import annotations

from spotbeam.errors import BadSignature
from spotbeam.governance.entries.people import WitnessQuorum
from spotbeam.governance.entries.words import SECOND_US
from spotbeam.governance.state import State
from spotbeam.record.policy import Witnessed, WitnessPolicy

TOLERANCE_S = 3_600
"""How far honest cosignatures of one note may lie apart: clocks differ, and a witness that was away
signs later. An hour is more than that, and less than what people sign for."""


def demand_dated(found: Witnessed, state: State) -> None:
    """Refuse a witnessed time that rests on the word of a few who may be lying together.

    Args:
        found: What the checkpoint's note proves.
        state: The fold up to that checkpoint: its quorum, and the time of its last anchor.

    Raises:
        BadSignature: The note, or an anchor under it, is dated after what enough organisations
            confirm.
    """
    policy, quorum = state.witness_policy, state.witness_quorum
    assert policy is not None
    assert quorum is not None
    confirmed_s = confirmed_time_s(found, policy, quorum)
    for what, time_s in (
        ("the checkpoint", found.time_s),
        ("an anchor under the checkpoint", state.witnessed_us // SECOND_US),
    ):
        if time_s > confirmed_s + TOLERANCE_S:
            raise BadSignature(
                f"{what} is dated {time_s - confirmed_s} s after what more than {quorum.faulty} "
                "organisations confirm",
                hint="a witness signs with a wrong clock",
            )


def confirmed_time_s(found: Witnessed, policy: WitnessPolicy, quorum: WitnessQuorum) -> int:
    """The latest time that more than `faulty` organisations confirm to have come, POSIX seconds."""
    name_of = {witness.key: witness.name for witness in policy.witnesses}
    latest: dict[str, int] = {}
    for each in found.cosignatures:
        organisation = quorum.organisations[name_of[each.key]]
        latest[organisation] = max(latest.get(organisation, 0), each.time_s)
    # A quorum that was not refused has more than `faulty` organisations in every set that meets it.
    return sorted(latest.values(), reverse=True)[quorum.faulty]
