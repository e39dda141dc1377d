"""`spotbeam territories`: points of view, and what each says of a country or a disputed piece."""

from __future__ import annotations

from typing import Annotated

import cyclopts

from spotbeam.cli.output import console, print_json, table
from spotbeam.land import views
from spotbeam.land.territories import ground


def territories(
    search: str = "",
    /,
    *,
    view: str = "un",
    json: Annotated[bool, cyclopts.Parameter(negative="")] = False,
) -> None:
    """List territory ids under a point of view, with who administers and who claims them.

    Parameters
    ----------
    search
        Part of an id or a name, as UA or crimea.
    view
        Point of view on borders.
    json
        Print the list as JSON.
    """
    land = ground(view)
    wanted = search.casefold()
    records = []
    for name in land.ids():
        title = land.name_of(name)
        if wanted in name.casefold() or wanted in title.casefold():
            standing = land.standing(name)
            records.append(
                {
                    "id": name,
                    "name": title,
                    "administered_by": list(standing.administered_by),
                    "claimed_by": list(standing.claimed_by),
                    "citation": standing.citation,
                }
            )
    if json:
        print_json({"view": view, "views": list(views.names()), "territories": records})
        return
    rows = [
        [r["id"], r["name"], ", ".join(r["administered_by"]), ", ".join(r["claimed_by"])]
        for r in records
    ]
    out = console()
    out.print(
        table(f"Point of view: {view}", ["id", "name", "administered by", "claimed by"], rows)
    )
    out.print(f"points of view: {', '.join(views.names())}")
