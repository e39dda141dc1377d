"""A15 and the mute: alert rules that a quorum silenced, and alerts closed by whom they name."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from spotbeam.chronicle.reading import Chronicle
from spotbeam.chronicle.words import places_words, quoted
from spotbeam.governance.entries.acts import SilenceAlerts
from spotbeam.governance.entries.deciding import Change
from spotbeam.governance.ground import may_overlap
from spotbeam.governance.testimony import NEVER_SILENT
from spotbeam.times import format_time
from spotbeam.watch.alerts import Alert, raised


class Silence(msgspec.Struct, frozen=True, kw_only=True):
    """A rule muted on some ground, by whose decision, from and until when."""

    change: str
    act: SilenceAlerts
    from_us: int
    approved_by: tuple[str, ...]

    def mutes(self, alert: Alert, at_us: int) -> bool:
        """Whether an alert is muted at an instant. What names no ground is muted by no ground."""
        if alert.rule != self.act.rule or alert.rule == NEVER_SILENT:
            return False
        if not self.from_us <= at_us < self.act.until_us:
            return False
        return not self.act.where or (
            bool(alert.where) and may_overlap(self.act.where, alert.where)
        )


def silences(chronicle: Chronicle) -> tuple[Silence, ...]:
    """Every silence that a quorum passed, whether or not it is over."""
    return tuple(_silences(chronicle))


def find(chronicle: Chronicle) -> Iterator[Alert]:
    """A15 for every silence. Closings by named persons are found where alerts are closed."""
    for silence in _silences(chronicle):
        act = silence.act
        yield raised(
            "A15",
            (silence.change, act.rule),
            cause=silence.change,
            at_us=silence.from_us,
            known_us=silence.from_us,
            says=f"{act.rule} is silenced {_where(act.where)} until {format_time(act.until_us)} by "
            f"{silence.change}, signed by {', '.join(silence.approved_by)}: {quoted(act.words)}.",
            evidence=(silence.change,),
            where=act.where,
            named=silence.approved_by,
        )


def _where(where: tuple[str, ...]) -> str:
    return f"in {places_words(where)}" if where else "everywhere"


def _silences(chronicle: Chronicle) -> Iterator[Silence]:
    for proposed in chronicle.proposals:
        if proposed.bound_us is None or not isinstance(proposed.proposal, Change):
            continue
        for act in proposed.proposal.acts:
            if isinstance(act, SilenceAlerts):
                yield Silence(
                    change=proposed.id,
                    act=act,
                    from_us=proposed.bound_us,
                    approved_by=tuple(sorted(proposed.approvals)),
                )
