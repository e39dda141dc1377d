"""How much of the present an edge knows: in a word, and why.

    fresh       the quorum signed not long ago, and everything that is needed is held
    stale       the witnesses have been silent, or something is missing
    behind      witnesses have signed more than the sources show: somebody withholds
    halted      the record goes on under rules that this release does not know
    unknown     nothing was accepted yet

A split is not among them: it is an alarm beside any of these. Each rule counts silence for itself
(`stale_after`); these words are for people and for monitoring.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from spotbeam.edge.walk import Walked
from spotbeam.times import format_duration, format_time

FRESH_S = 180
"""A log has its checkpoint signed anew every minute: three of these."""

Word = Literal["fresh", "stale", "behind", "halted", "unknown"]


class Freshness(msgspec.Struct, frozen=True, kw_only=True):
    """How much of the present an edge knows.

    Attributes:
        state: In a word.
        split: A log has signed two views: the evidence is kept.
        reasons: Why it is not simply fresh, in sentences.
        silent_s: How long the witnesses have been silent, by the edge's clock.
    """

    state: Word
    split: bool
    reasons: tuple[str, ...]
    silent_s: int


def freshness(
    *,
    walked: Walked | None,
    silent_s: float,
    heard_s: int | None,
    is_confirmed: bool,
    is_behind: bool,
    is_split: bool,
    n_lacks: int,
    fault: str | None,
) -> Freshness:
    """Put together how much an edge knows.

    Args:
        walked: What was accepted last.
        silent_s, heard_s: How long the witnesses have been silent, and their last time.
        is_confirmed: Whether a source has shown something newer since this process started.
        is_behind: Whether witnesses have signed more than the sources show.
        is_split: Whether the log has signed two views.
        n_lacks: How many things it should hold and does not.
        fault: Why the last policy could not be made.
    """
    reasons = []
    word: Word = "fresh"
    if n_lacks:
        word = "stale"
        reasons.append(f"{n_lacks} things are missing here: see lacks")
    if heard_s is not None and silent_s > FRESH_S:
        word = "stale"
        at = format_time(heard_s * 1_000_000)
        reasons.append(f"the witnesses have been silent for {silent_s:.0f} s, since {at}")
    if walked is not None and not is_confirmed:
        reasons.append(
            "nothing newer was seen since this process started: it goes on from its disk"
        )
    if fault is not None:
        word = "stale"
        reasons.append(fault)
    if is_behind:
        word = "behind"
        reasons.append("witnesses have signed more than any source shows")
    if walked is not None and walked.history.now.halted is not None:
        word = "halted"
        reasons.append(walked.history.now.halted)
    if walked is None:
        word = "unknown"
        reasons.append("nothing was accepted yet: nobody is served")
    if is_split:
        reasons.append("the log has signed two views of itself: see evidence")
    return Freshness(state=word, split=is_split, reasons=tuple(reasons), silent_s=int(silent_s))


def as_of(time_s: int, now_s: int) -> str:
    """How old a view of the record is, for somebody who is about to sign over it.

    Args:
        time_s: When enough witnesses had signed it.
        now_s: The reader's clock.
    """
    age_s = max(0, now_s - time_s)
    unit_s = next((each for each in (86_400, 3_600, 60) if age_s >= 2 * each), 1)
    span = format_duration(age_s // unit_s * unit_s * 1_000_000)
    words = f"{format_time(time_s * 1_000_000)}, {f'{span} ago' if age_s else 'just now'}"
    if age_s <= FRESH_S:
        return words
    return f"{words}: witnesses sign every minute, so what was said since may be missing here"
