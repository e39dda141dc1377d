"""A witness quorum from the tables that people write, as the record holds it."""

from __future__ import annotations

import msgspec

from spotbeam.control.drafts import CloseLogTable, WitnessesTable
from spotbeam.errors import InputError, MalformedRecord, SpotbeamError
from spotbeam.governance.entries.acts import CloseLog
from spotbeam.governance.entries.people import WitnessQuorum
from spotbeam.governance.state import State
from spotbeam.record.keys import parse_verifier_key
from spotbeam.record.policy import PolicyLog, format_policy, parse_policy
from spotbeam.record.quorum import check_quorum

_QUORUM = "quorum"


def witness_quorum(
    table: WitnessesTable, log_key: str, log_url: str | None, place: str
) -> WitnessQuorum:
    """The witness quorum that a `[witnesses]` table describes, refused where it promises nothing.

    Args:
        table: The witnesses, and how many must sign.
        log_key: The log's own verifier key.
        log_url: Where the log answers, if it is said.
        place: The file, for messages.

    Raises:
        InputError: A key is malformed, a name stands there twice, or the quorum is one that a
            single organisation can meet, whose sets can part, or that needs no mirror.
    """
    here = f"{place}, witnesses"
    for witness in table.witness:
        try:
            parse_verifier_key(witness.key)
        except MalformedRecord as fault:
            raise InputError(
                fault.message, place=f"{here}, witness {witness.name!r}, key", hint=fault.hint
            ) from None
        if not witness.url.startswith(("http://", "https://")) or " " in witness.url:
            raise InputError(
                f"{witness.url!r} is not an address",
                place=f"{here}, witness {witness.name!r}, url",
                hint="as http://127.0.0.1:8701",
            )
    text = _policy_text(table, log_key, log_url, here)
    organisations = {witness.name: witness.organisation for witness in table.witness}
    mirrors = tuple(witness.name for witness in table.witness if witness.mirror)
    try:
        policy = parse_policy(text.encode(), "the witness policy")
        check_quorum(policy, organisations, mirrors, faulty=table.faulty)
    except SpotbeamError as fault:
        raise InputError(fault.message, place=here, hint=fault.hint) from None
    return WitnessQuorum(
        policy=text, organisations=organisations, mirrors=mirrors, faulty=table.faulty
    )


def closing_act(state: State, table: CloseLogTable, place: str) -> CloseLog:
    """The next log that a `[close_log]` table names, with its witnesses.

    Args:
        state: The record as followed: its witnesses are those of the next log too, where the table
            names none.
        table: The next log.
        place: The file, for messages.

    Raises:
        InputError: The key is malformed, or is that of the log at hand; the name is that of a log
            of this record; the quorum promises nothing.
    """
    here = f"{place}, close_log"
    try:
        key = parse_verifier_key(table.key)
    except MalformedRecord as fault:
        raise InputError(
            fault.message, place=f"{here}, key", hint="`spotbeam init NEXT --after` prints it"
        ) from None
    assert state.witness_policy is not None
    assert state.witness_quorum is not None
    if key.name in {state.origin, *(each.origin for each in state.earlier)}:
        raise InputError(
            f"the record has a log {key.name!r} already",
            place=f"{here}, key",
            hint="the next log has a name and a key of its own",
        )
    if key.public_key == state.witness_policy.logs[0].key.public_key:
        raise InputError(
            "is the key of the log at hand",
            place=f"{here}, key",
            hint="`spotbeam init NEXT --after` makes another",
        )
    if table.url is not None and (
        not table.url.startswith(("http://", "https://"))
        or not table.url.isascii()
        or any(each.isspace() for each in table.url)
    ):
        raise InputError(
            f"{table.url!r} is not an address", place=f"{here}, url", hint="as https://log.example"
        )
    if table.witnesses is not None:
        if table.witnesses.log_key is not None:
            raise InputError(
                "the key stands in [close_log]",
                place=f"{here}, witnesses, log_key",
                hint="take it out",
            )
        quorum = witness_quorum(table.witnesses, table.key, table.url, here)
    else:
        text = format_policy(
            msgspec.structs.replace(state.witness_policy, logs=(PolicyLog(key, table.url),))
        ).decode()
        quorum = msgspec.structs.replace(state.witness_quorum, policy=text)
    return CloseLog(origin=key.name, witness_quorum=quorum)


def _policy_text(table: WitnessesTable, log_key: str, log_url: str | None, here: str) -> str:
    lines = [f"log {log_key}" + (f" {log_url}" if log_url else "")]
    lines += [f"witness {each.name} {each.key} {each.url}" for each in table.witness]
    lines += [f"group {each.name} {each.needs} {' '.join(each.members)}" for each in table.group]
    if isinstance(table.quorum, int):
        if not 1 <= table.quorum <= len(table.witness):
            raise InputError(
                f"{table.quorum} of {len(table.witness)} witnesses cannot sign",
                place=f"{here}, quorum",
            )
        names = " ".join(each.name for each in table.witness)
        lines += [f"group {_QUORUM} {table.quorum} {names}", f"quorum {_QUORUM}"]
    else:
        lines.append(f"quorum {table.quorum}")
    return "".join(f"{line}\n" for line in lines)
