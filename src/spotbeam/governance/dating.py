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
from spotbeam.record.policy import Witnessed, WitnessPolicy

TOLERANCE_S = 3_600
"""How far honest cosignatures of one note may lie apart: clocks differ, and a witness that was away
signs later. An hour is more than that, and less than what people sign for."""


def is_dated(found: Witnessed, policy: WitnessPolicy, quorum: WitnessQuorum) -> bool:
    """Whether more than `faulty` organisations confirm the witnessed time of a note."""
    return found.time_s <= confirmed_time_s(found, policy, quorum) + TOLERANCE_S


def demand_dated(found: Witnessed, policy: WitnessPolicy, quorum: WitnessQuorum) -> None:
    """Refuse a note that is dated by the word of a few who may be lying together.

    Raises:
        BadSignature: It is dated after what enough organisations confirm.
    """
    if not is_dated(found, policy, quorum):
        late_s = found.time_s - confirmed_time_s(found, policy, quorum)
        raise BadSignature(
            f"the checkpoint is dated {late_s} s after what more than {quorum.faulty} "
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
