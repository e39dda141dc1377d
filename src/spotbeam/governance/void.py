"""A broken entry is void: it stays in the log, has a reason, and has no other effect."""

from __future__ import annotations

import msgspec


class Void(Exception):
    """Raised inside the fold only; `apply` turns it into a `Finding`.

    Args:
        code: A stable slug.
        reason: One sentence for people.
    """

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Finding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why an entry has no effect, or why something that had been valid fell away.

    Attributes:
        index: The entry.
        code: A stable slug.
        reason: One sentence for people. It quotes nothing of the entry but ids.
    """

    index: int
    code: str
    reason: str


def demand(holds: object, code: str, reason: str) -> None:
    """Void the entry unless something holds."""
    if not holds:
        raise Void(code, reason)
