"""`spotbeam exchange`: FollowTheMoney entities out and in."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import cyclopts

from spotbeam.assembly.exchange import Imported, import_entities, plan_of
from spotbeam.assembly.telling import chronicle_of, own_record
from spotbeam.assembly.verifying import read_file
from spotbeam.cli.output import print_json, say
from spotbeam.cli.reads import Flag, Reads
from spotbeam.cli.signing import Signer, ask
from spotbeam.control.wording import plain
from spotbeam.formats.atomic import write_bytes
from spotbeam.formats.ftm import entity_lines, read_entities

_BY, _READS = Signer(), Reads()


def export(file: Path | None = None, /, *, reads: Reads = _READS) -> None:
    """Write parties, links between them, events and notes of a record, one entity a line.

    Every entity says which entry it is from. Grades, ground and who may approve stay behind: the
    model has no place for them.

    Parameters
    ----------
    file
        The file to write; standard output if not given.
    """
    data = entity_lines(reads.chronicle())
    if file is None:
        sys.stdout.write(data.decode())
        return
    write_bytes(file, data)
    lines = data.count(b"\n")
    print(f"spotbeam: {lines:,} entities in {file}", file=sys.stderr)


def import_(
    file: Path,
    /,
    *,
    told_by: str,
    published: str,
    yes: Flag = False,
    by: Annotated[Signer, cyclopts.Parameter(name="*")] = _BY,
) -> None:
    """Put the entities of a file on record, as told by a source: nothing of it is asserted by you.

    Parties that are not on record yet are registered; events become matters, notes become claims,
    links become ties that others declare, which keep nobody away.

    Parameters
    ----------
    file
        JSON, one FollowTheMoney entity a line.
    told_by
        Who made the file: the source of its notes that name none.
    published
        When, as 2024-10-25.
    yes
        Sign without being asked.
    """
    found = read_entities(read_file(file), file.name)
    here = by.here
    plan = plan_of(chronicle_of(own_record(here)), found, told_by, published)
    if not by.json:
        for line in plan.says:
            say(f"  {plain(line)}")
        skipped = ", ".join(f"{count} {schema}" for schema, count in sorted(found.skipped.items()))
        if skipped:
            say(f"  left out, for the record has no place for it: {skipped}")
    if not plan.bodies:
        say("Nothing in it is new to the record.")
        return
    ask(f"Sign {len(plan.bodies):,} entries?", yes=yes)
    done: Imported = import_entities(here, by.signing, plan, wait=by.wait)
    if by.json:
        print_json(done)
        return
    say(f"{len(done.entries):,} entries recorded, {done.entries[0]} to {done.entries[-1]}")
