"""Is a witness quorum worth anything? A policy that passes the parser may still promise nothing.

Witnesses are counted by the organisation that runs them, since keys are cheap. With at most
`faulty` organisations lying, two checkpoints of one size can both find a quorum exactly if two
satisfying sets share no honest organisation; a quorum for which that can happen is refused.

All 2^n sets of n organisations are weighed at once: a set of sets is a Python integer with a bit
for each set, so that AND, OR and a mirror image of its bits decide the question without a search.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from spotbeam.errors import WitnessPolicyError
from spotbeam.record.policy import NONE, WitnessPolicy

MAX_ORGANISATIONS = 20
"""2^20 sets are weighed in well under a second; a longer list is refused."""


def check_quorum(
    policy: WitnessPolicy,
    organisations: Mapping[str, str],
    mirrors: Collection[str],
    *,
    faulty: int = 1,
) -> None:
    """Refuse a witness quorum that would promise nothing.

    Args:
        policy: The policy.
        organisations: Who runs each witness: its name in the policy, then the organisation.
        mirrors: The names of those that keep and serve every entry before they sign.
        faulty: How many organisations may lie or be coerced together, at least 1.

    Raises:
        WitnessPolicyError: The quorum is none; it has no organisation for a witness; one
            organisation can meet it; two sets that meet it may share only faulty ones; it can be
            met without a mirror; or a witness has the log's key.
    """
    if faulty < 1:
        raise ValueError("at least one organisation must be allowed to be faulty")
    if policy.quorum == NONE:
        raise WitnessPolicyError(
            "the quorum is none: nobody would notice two views of the log",
            hint="name witnesses of different organisations",
        )
    unknown = [each.name for each in policy.witnesses if each.name not in organisations]
    if unknown:
        raise WitnessPolicyError(f"who runs the witness {unknown[0]!a} is not said")
    log_keys = {log.key.public_key for log in policy.logs}
    for witness in policy.witnesses:
        if witness.key.public_key in log_keys:
            raise WitnessPolicyError(f"the witness {witness.name!a} has the key of the log")
    if policy.is_met(each.name for each in policy.witnesses if each.name not in mirrors):
        raise WitnessPolicyError(
            f"the quorum {policy.quorum!a} can be met without a mirror",
            hint="a witness sees hashes only: entries could be signed and never published",
        )
    names = sorted({organisations[each.name] for each in policy.witnesses})
    if len(names) > MAX_ORGANISATIONS:
        raise WitnessPolicyError(
            f"{len(names)} organisations run witnesses; at most {MAX_ORGANISATIONS} can be weighed"
        )
    meeting = _meeting_sets(policy, organisations, names)
    for number, name in enumerate(names):
        if meeting >> (1 << number) & 1:
            raise WitnessPolicyError(
                f"{name!a} alone can meet the quorum {policy.quorum!a}",
                hint="it must take witnesses of several organisations",
            )
    _check_overlap(meeting, names, faulty, policy.quorum)


def _check_overlap(meeting: int, names: list[str], faulty: int, quorum: str) -> None:
    """Refuse if two satisfying sets may have nobody in common but `faulty` organisations.

    A liar signs both views, so it is as good as in both. `near[n]` are the sets that meet the
    quorum with the help of `n` liars; each step goes through the organisations once. To go through
    all groups of liars would take a reader minutes, for one entry.
    """
    near = [meeting]
    for count in range(min(faulty, len(names)) + 1):
        # Bit i of the mirror image is the set that holds exactly whom set i lacks.
        parted = meeting & _mirrored(near[count], 1 << len(names))
        if parted:
            others = (1 << len(names)) - 1 - (parted.bit_length() - 1)
            shared = ", ".join(ascii(name) for name in _helpers(near, others, names))
            reason = f"share only {shared}" if shared else "have nobody in common"
            raise WitnessPolicyError(
                f"two sets that each meet the quorum {quorum!a} can {reason}",
                hint="raise the threshold: any two sets must share more than "
                f"{faulty} organisation{'s' if faulty > 1 else ''}",
            )
        wider = near[count]
        for number in range(len(names)):
            wider |= (near[count] & _has(number, len(names))) >> (1 << number)
        near.append(wider)


def _helpers(near: list[int], group: int, names: list[str]) -> list[str]:
    """Who has to lie so that a set of organisations meets the quorum: as few as possible."""
    found = []
    count = next(number for number, sets in enumerate(near) if sets >> group & 1)
    for left in range(count - 1, -1, -1):
        number = next(n for n in range(len(names)) if near[left] >> (group | 1 << n) & 1)
        found.append(names[number])
        group |= 1 << number
    return sorted(found)


def _meeting_sets(policy: WitnessPolicy, organisations: Mapping[str, str], names: list[str]) -> int:
    """The sets of organisations that meet the quorum: bit i stands for the set with bits i."""
    value = {
        each.name: _has(names.index(organisations[each.name]), len(names))
        for each in policy.witnesses
    }
    everything = (1 << (1 << len(names))) - 1
    for group in policy.groups:
        at_least = [everything] + [0] * group.threshold
        for member in group.members:
            for count in range(group.threshold, 0, -1):
                at_least[count] |= at_least[count - 1] & value[member]
        value[group.name] = at_least[group.threshold]
    return value[policy.quorum]


def _has(number: int, total: int) -> int:
    """All sets that hold the organisation `number`."""
    half = 1 << number
    pattern = ((1 << half) - 1) << half
    width = 2 * half
    while width < 1 << total:
        pattern |= pattern << width
        width *= 2
    return pattern


def _mirrored(value: int, width: int) -> int:
    return int(f"{value:0{width}b}"[::-1], 2)
