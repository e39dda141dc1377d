"""A witness quorum from the tables that people write, as the record holds it."""

from __future__ import annotations

from spotbeam.control.drafts import WitnessesTable
from spotbeam.errors import InputError, MalformedRecord, SpotbeamError
from spotbeam.governance.entries.people import WitnessQuorum
from spotbeam.record.keys import parse_verifier_key
from spotbeam.record.policy import parse_policy
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
