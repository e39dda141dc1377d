"""What can be in the record: one frozen value for each kind of entry, and its only bytes."""

from spotbeam.governance.entries.envelope import (
    BODIES,
    LOG,
    Body,
    Entry,
    Envelope,
    entry_bytes,
    parse_entry,
    possession_statement,
    signed,
    statement,
    unsigned,
)

__all__ = [
    "BODIES",
    "LOG",
    "Body",
    "Entry",
    "Envelope",
    "entry_bytes",
    "parse_entry",
    "possession_statement",
    "signed",
    "statement",
    "unsigned",
]
