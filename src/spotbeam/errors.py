"""What can go wrong, and what the user can do about it.

    SpotbeamError              .code (stable slug)   .hint (what to do)   .exit_code
    ├─ InputError              a user's file, field or option is wrong       exit 2
    │  ├─ ElementsError        an element set or its file
    │  ├─ TerritoryError       a border or a user's territory
    │  ├─ TerminalsError       a fleet or a terminal row
    │  ├─ RuleError            a rule of a policy
    │  ├─ ScenarioError        a scenario file
    │  ├─ OutputError          an output folder that may not be written
    │  ├─ WitnessPolicyError   a witness policy that is malformed or promises nothing
    │  └─ UnknownName          a name that is not in a list; suggests the nearest
    ├─ RecordError             the record does not hold; never caught and ignored   exit 1
    │  ├─ MalformedRecord      bytes that are not in the only form they may have
    │  ├─ ProofMismatch        a Merkle proof, a tile or an entry does not lead to the root
    │  ├─ BadSignature         a signature that must hold does not, or is missing
    │  ├─ QuorumNotMet         too few witnesses have signed
    │  ├─ Forked               two views of one log that cannot both be true
    │  ├─ RolledBack           a source shows less than was accepted already
    │  └─ MissingRecord        a file of the record that must be there is not
    ├─ Refused                 the record would void the entry: it was not added      exit 1
    ├─ Unreachable             a server did not answer, or not as it must    exit 1
    ├─ FeedError               a download failed; what was cached stays      exit 1
    └─ MissingExtra            an optional dependency is not installed       exit 1

A physical impossibility inside an array is a status code, never an exception.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class SpotbeamError(Exception):
    """Anything Spotbeam raises on purpose."""

    code = "error"
    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  {self.hint}" if self.hint else self.message


class InputError(SpotbeamError, ValueError):
    """A user's input is wrong: names where (`place`), what, and how to mend it.

    Args:
        message: What is wrong, with the value that was read.
        place: Where: file, then line, row, key or field, as in `fleet.csv, row 3, lat_deg`.
        hint: What to do about it.
    """

    code = "input"
    exit_code = 2

    def __init__(self, message: str, *, place: str | None = None, hint: str | None = None) -> None:
        super().__init__(f"{place}: {message}" if place else message, hint=hint)
        self.place = place


class ElementsError(InputError):
    """An element set, or the file that holds it, cannot be read."""

    code = "elements"


class TerritoryError(InputError):
    """A border or a user's own territory is not a valid shape."""

    code = "territory"


class TerminalsError(InputError):
    """A fleet file or a terminal row is wrong."""

    code = "terminals"


class RuleError(InputError):
    """A rule of a policy cannot mean anything."""

    code = "rule"


class ScenarioError(InputError):
    """A scenario file is wrong."""

    code = "scenario"


class OutputError(InputError):
    """The output folder holds something that must not be overwritten."""

    code = "output"


class UnknownName(InputError):
    """A name is not in the list it must come from."""

    code = "unknown_name"

    def __init__(
        self, kind: str, name: str, known: Iterable[str], *, place: str | None = None
    ) -> None:
        names = list(known)
        self.name = name
        self.did_you_mean = nearest(name, names)
        if self.did_you_mean:
            hint = f"did you mean {self.did_you_mean!r}?"
        elif kind == "territory":
            hint = f"`spotbeam territories {name}` looks for it by name"
        elif 0 < len(names) <= 40:
            hint = f"known: {', '.join(names)}"
        else:
            hint = None
        super().__init__(f"unknown {kind} {name!r}", place=place, hint=hint)


class WitnessPolicyError(InputError):
    """A witness policy is malformed, or its quorum would promise nothing."""

    code = "witness_policy"


class RecordError(SpotbeamError):
    """The record, or something that claims to be from it, does not hold.

    Args:
        message: What does not hold.
        place: Where: a file of the record, a line, an entry's index.
        hint: What to do about it.
    """

    code = "record"

    def __init__(self, message: str, *, place: str | None = None, hint: str | None = None) -> None:
        super().__init__(f"{place}: {message}" if place else message, hint=hint)
        self.place = place


class MalformedRecord(RecordError):
    """Bytes are not in the only form that they may have."""

    code = "malformed_record"


class ProofMismatch(RecordError):
    """A proof, a tile or an entry does not lead to the root that it should."""

    code = "proof_mismatch"


class BadSignature(RecordError):
    """A signature that must hold does not, or is missing."""

    code = "bad_signature"


class QuorumNotMet(RecordError):
    """Too few witnesses have signed a checkpoint."""

    code = "quorum_not_met"


class Forked(RecordError):
    """Two views of one log that cannot both be true."""

    code = "forked"


class RolledBack(RecordError):
    """A source shows less of a record than was accepted already."""

    code = "rolled_back"


class MissingRecord(RecordError):
    """A file of the record that must be there is not."""

    code = "missing_record"


class Refused(SpotbeamError):
    """An entry was not added, because the rules of the record would void it.

    Args:
        code: The stable slug of the rule, as in a finding of the fold.
        reason: One sentence for people.
    """

    def __init__(self, code: str, reason: str, *, hint: str | None = None) -> None:
        super().__init__(f"the entry is refused ({code}): {reason}", hint=hint)
        self.code = code
        self.reason = reason


class Unreachable(SpotbeamError):
    """A server did not answer, or answered with something that it must not.

    Args:
        url: What was asked.
        why: What happened, in a few words.
        status: The HTTP status, where there was an answer.
    """

    code = "unreachable"

    def __init__(
        self, url: str, why: str, *, status: int | None = None, hint: str | None = None
    ) -> None:
        super().__init__(f"{url}: {why}", hint=hint)
        self.url = url
        self.status = status


class FeedError(SpotbeamError):
    """A download failed; whatever was cached before is untouched."""

    code = "feed"


class MissingExtra(SpotbeamError, ImportError):
    """An optional dependency is not installed."""

    code = "missing_extra"

    def __init__(self, extra: str, needed_for: str) -> None:
        super().__init__(f"{needed_for} needs an extra", hint=f"pip install 'spotbeam[{extra}]'")


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that a misspelt one most likely meant, or None."""
    names = list(known)
    by_lower = {k.lower(): k for k in names}
    found = difflib.get_close_matches(name.lower(), list(by_lower), n=1, cutoff=0.65)
    return str(by_lower[found[0]]) if found else None
