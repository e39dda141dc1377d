"""Status words, service states, reasons and rules as they stand in tables and legends."""

from __future__ import annotations

from urllib.parse import quote

from spotbeam.report import legend
from spotbeam.report.glossary import reason_in_words
from spotbeam.report.page.markup import Markup, join, safe, tag


def swatch(status: str) -> Markup:
    """A sample of a status word's colour and pattern."""
    box = Markup(
        '<rect x="10" y="10" width="280" height="180"/>'
        f'<rect class="o o-{safe(status)}" x="10" y="10" width="280" height="180"/>'
    )
    return tag("svg", box, viewBox="0 0 300 200", class_=f"swatch s-{status}", aria_hidden="true")


def status_word(status: str) -> Markup:
    """A status word beside its sample."""
    return tag("span", swatch(status), " ", legend.word_of(status).label, class_="status")


def reason_cell(reason: str | None, rule: str | None) -> Markup:
    """Reason code with its meaning, and the rule behind it as a link."""
    parts: list[object] = []
    if reason is not None:
        parts += [tag("code", reason), " ", tag("span", reason_in_words(reason), class_="soft")]
    if rule is not None:
        parts += [" " if parts else None, rule_link(rule)]
    return join(parts) if parts else Markup('<span class="soft">—</span>')


def rule_link(rule: str) -> Markup:
    """A rule's id, leading to its row."""
    return tag("span", "rule ", tag("a", rule, href=f"#rule-{quote(rule, safe='')}"), class_="rule")


def state_word(state: str) -> Markup:
    """A service state beside its mark."""
    return tag("span", state_mark(state), " ", legend.STATES[state].label, class_="state")


def state_mark(state: str) -> Markup:
    """The mark of a service state, as the map draws it."""
    path = {
        "cross": "M60 60l80 80m0-80l-80 80",
        "triangle": "M100 55l44 80h-88z",
        "ring": "M60 100a40 40 0 1 0 80 0a40 40 0 1 0-80 0",
    }.get(legend.STATES[state].marker, "M100 100h0")
    return tag(
        "svg",
        Markup(f'<path class="t t-{state}" d="{path}"/>'),
        viewBox="0 0 200 200",
        class_="mark",
        aria_hidden="true",
    )
