"""How an impact is shown on a terminal, and written to files."""

from __future__ import annotations

from spotbeam.cli.output import console
from spotbeam.report.impact_words import sections_of
from spotbeam.twin.impact.whole import Impact


def show_impact(impact: Impact) -> None:
    """Print what a proposal would do, with the digest that approvals name at the end."""
    out = console()
    for section in sections_of(impact):
        title = f"{section.title} (the operator's claim)" if section.is_claim else section.title
        out.print(title, style="bold", markup=False)
        for line in section.lines:
            out.print(f"  {line}", markup=False, emoji=False)
    out.print(f"Impact digest, which approvals name: {impact.digest}", markup=False)
