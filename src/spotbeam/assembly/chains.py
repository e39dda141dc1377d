"""A record that went on in another log: which log comes first, and where each one ends.

Entry 0 of each log says which log it goes on from. That is only where to look: the fold checks
that it agrees with the log before it on every number.
"""

from __future__ import annotations

from collections.abc import Mapping

from spotbeam.errors import InputError
from spotbeam.governance.entries import parse_entry
from spotbeam.governance.entries.logs import Ended, Open, Succession
from spotbeam.governance.history import History, fold, next_log
from spotbeam.governance.void import Void


def goes_on_from(entry: bytes) -> Ended | None:
    """How the log ended that an entry 0 goes on from; None where it does not say."""
    try:
        body = parse_entry(entry).body
    except Void:
        return None
    return body.previous if isinstance(body, Open | Succession) else None


def in_order(firsts: Mapping[str, bytes], named: Mapping[str, str]) -> list[str]:
    """The logs of one record in the order in which it went through them.

    Args:
        firsts: Entry 0 of each log, by origin.
        named: What the user called the source of each, by origin.

    Raises:
        InputError: They are not one record, or a log between them is missing.
    """
    before = {origin: goes_on_from(entry) for origin, entry in firsts.items()}
    ordered = [origin for origin, ended in before.items() if ended is None]
    if len(ordered) > 1:
        raise InputError(
            f"is the log {ordered[1]!a}, and {named[ordered[0]]} is {ordered[0]!a}",
            place=named[ordered[1]],
            hint="give mirrors of one log, or the logs of one record",
        )
    while len(ordered) < len(firsts):
        last = ordered[-1] if ordered else None
        following = [
            origin
            for origin, ended in before.items()
            if ended is not None and ended.origin == last and origin not in ordered
        ]
        if not following:
            origin, ended = next(
                (origin, ended)
                for origin, ended in before.items()
                if ended is not None and origin not in ordered
            )
            raise InputError(
                f"goes on from the log {ended.origin!a}, which is not among the sources",
                place=named[origin],
                hint="give that one too",
            )
        ordered.append(following[0])
    return ordered


def ended_where_left(
    before: History | None, entries: tuple[bytes, ...], whole: History, first: bytes
) -> tuple[History, int]:
    """The history onto which the next log is read, and how many entries count in this one.

    Args:
        before: What this log was read onto; None for the first.
        entries: All of this log.
        whole: The fold over them.
        first: Entry 0 of the next log.
    """
    count = len(entries) if whole.now.final is None else whole.now.final.size
    ended = goes_on_from(first)
    if whole.now.final is None and ended is not None and 0 < ended.size < count:
        # Its people left it earlier: what was added afterwards counts for nobody.
        count = ended.size
        whole = fold(entries[:count], before)
    return next_log(whole), count
