"""The words that every entry is made of: ids, digests, instants, ground.

All are narrow on purpose: ASCII ids of bounded length, so that two names that look alike are one
name; hexadecimal digests in lower case; instants as integer microseconds since 1970 UTC.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec

Id: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"\A[a-z0-9][a-z0-9._-]{0,63}\Z")]
"""Of an entry, a person, a factor, a rule, a list, a sponsor."""
Digest: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]
"""SHA-256 in hexadecimal."""
Moment: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=4_102_444_800_000_000)]
"""Microseconds since 1970 UTC, to the year 2100."""
Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
Base64: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9+/]*={0,2}\Z")]
Place: TypeAlias = Annotated[
    str,
    msgspec.Meta(
        pattern=r"\A(?:h3:[0-9a-f]{15}|x-[a-z0-9-]{1,60}|[A-Z]{2}(?:-[A-Z0-9]{1,3})?(?:/sea)?)\Z"
    ),
]
"""A territory id, or an H3 cell as `h3:841e265ffffffff`."""
Places: TypeAlias = Annotated[tuple[Place, ...], msgspec.Meta(min_length=1, max_length=2_000)]
Words: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=4_000)]
"""Free text: shown escaped, never obeyed."""
Name: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Channel: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"\A[a-z][a-z-]{0,31}\Z")]
Verb = Literal["activate", "deactivate", "restrict", "extend", "withhold"]
GroundKind = Literal["authorisation", "sanction", "order", "contract", "safety", "initiative"]

SECOND_US = 1_000_000
HOUR_US = 3_600 * SECOND_US
DAY_US = 24 * HOUR_US


class Ground(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Why: a document that somebody can be asked for.

    Attributes:
        kind: What it is.
        id: Its name; rules cite it as `kind:id`.
        digest: SHA-256 of the document, where there is one.
        issuer: Who issued it.
        from_us: When it begins; None: long since.
        until_us: When it ends; None: without end.
    """

    kind: GroundKind
    id: Id
    digest: Digest | None = None
    issuer: Name | None = None
    from_us: Moment | None = None
    until_us: Moment | None = None

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"


Grounds: TypeAlias = Annotated[tuple[Ground, ...], msgspec.Meta(min_length=1, max_length=20)]


class Span(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """From an instant (None: as soon as it binds) until another (excluded; None: without end)."""

    from_us: Moment | None = None
    until_us: Moment | None = None

    @property
    def is_empty(self) -> bool:
        return (
            self.from_us is not None and self.until_us is not None and self.from_us >= self.until_us
        )
