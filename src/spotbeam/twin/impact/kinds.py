"""What a change does to one terminal: from the verdict before to the verdict after."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from spotbeam.service.compiled import VerdictColumns
from spotbeam.service.verdict import OUTCOMES, REASONS, Outcome

KINDS = ("same", "lost", "gained", "limited", "eased", "reason", "rule")
"""In columns a kind is its place in this list.

`lost`, `gained`: service ends, begins. `limited`, `eased`: it goes on under a tighter or a looser
limit. `reason`: no service before or after, or the same limit, for another reason. `rule`: the
same answer for the same reason, by another rule.
"""
SAME, LOST, GAINED, LIMITED, EASED, REASON, RULE = range(len(KINDS))


def kinds_of(
    before: VerdictColumns,
    after: VerdictColumns,
    rules_before: tuple[str, ...],
    rules_after: tuple[str, ...],
) -> npt.NDArray[np.uint8]:
    """The kind of change of each of n terminals.

    Args:
        before, after: Verdicts on the same terminals, in the same order.
        rules_before, rules_after: Ids of the rules, as the verdicts number them.

    Returns:
        Places in `KINDS`, shape (n,).
    """
    kind = np.full(len(before), SAME, dtype=np.uint8)
    numbers = {name: n for n, name in enumerate(dict.fromkeys((*rules_before, *rules_after)))}
    number_before = np.array([numbers[name] for name in rules_before] + [-1], dtype=np.int64)
    number_after = np.array([numbers[name] for name in rules_after] + [-1], dtype=np.int64)
    kind[number_before[before.rule] != number_after[after.rule]] = RULE
    kind[(before.reason != after.reason) | (before.outcome != after.outcome)] = REASON
    was, is_now = before.outcome != Outcome.DENY, after.outcome != Outcome.DENY
    both = was & is_now
    # No limit is wider than any limit.
    cap_before = np.where(before.outcome == Outcome.LIMIT, before.max_mbps, np.inf)
    cap_after = np.where(after.outcome == Outcome.LIMIT, after.max_mbps, np.inf)
    kind[both & (cap_after < cap_before)] = LIMITED
    kind[both & (cap_after > cap_before)] = EASED
    kind[was & ~is_now] = LOST
    kind[~was & is_now] = GAINED
    return kind


def words_of(outcome: int, reason: int) -> str:
    """An outcome with its reason: `allow`, `limit ROAM_RESTRICTED`, `deny NOT_AUTHORISED`."""
    word = OUTCOMES[outcome]
    return word if outcome == Outcome.ALLOW else f"{word} {REASONS[reason]}"
