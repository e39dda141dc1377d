"""How an impact is shown on a terminal, and written to files."""

from __future__ import annotations

from spotbeam.cli.output import console
from spotbeam.report.impact_words import sections_of
from spotbeam.twin.impact.whole import Impact

MOST_LINES = 14
"""Of a section, where a preview is short: its first lines are what matters most."""


def show_impact(impact: Impact, *, most: int | None = None) -> None:
    """Print what a proposal would do, with the digest that approvals name at the end.

    Args:
        impact: What it would do.
        most: Lines of each section; None: all, as whoever signs must see it.
    """
    out = console()
    for section in sections_of(impact):
        title = f"{section.title} (the operator's claim)" if section.is_claim else section.title
        out.print(title, style="bold", markup=False)
        for line in section.lines[:most]:
            out.print(f"  {line}", markup=False, emoji=False)
        rest = 0 if most is None else len(section.lines) - most
        if rest > 0:
            out.print(f"  … and {rest:,} more lines: --all", markup=False)
    out.print(f"Impact digest, which approvals name: {impact.digest}", markup=False)
