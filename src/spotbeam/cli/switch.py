"""The commands that write to the record, with their help; each is loaded when it is called."""

from __future__ import annotations

import cyclopts

_ALONE = {
    "init": (
        "spotbeam.cli.init:init",
        "Make a workspace with a new log, whose entry 0 seats the people who decide.\n\n"
        "With --after and --origin: the log in which a record goes on. "
        "A quorum that promises nothing is refused, with the reason, before anything is written.",
    ),
    "join": (
        "spotbeam.cli.join:join",
        "Make a workspace that follows a record which another machine keeps.\n\n"
        "The record is checked from its entry 0 on, whose digest was carried to you by hand.",
    ),
    "seal": (
        "spotbeam.cli.seal:seal",
        "Propose rules that the public may not see yet, inside bounds that it may.\n\n"
        "The record gets a commitment and the bounds; value and salt stay in private/openings.",
    ),
    "open": (
        "spotbeam.cli.seal:open_seal",
        "Open a seal for everybody: its rules and their salt go into the record.",
    ),
}
_NOUNS = {
    "key": (
        "Keys of persons: in files, as passkeys, and proofs that somebody holds one.",
        {
            "new": ("new", "Make an Ed25519 key in a file that only you read; never written over."),
            "show": ("show", "Print whose key a file holds, its public half and its digest."),
            "prove": (
                "prove",
                "Prove that you hold a key: for a first roster, or for the change that seats you.",
            ),
            "passkey": (
                "passkey",
                "Make a passkey on a page that your own machine serves; it never leaves its "
                "device.",
            ),
        },
    ),
    "roster": (
        "Who decides: persons, keys, quorum, witnesses. All but show and revoke are proposals.",
        {
            "show": ("show", "List persons, factors, keys, the quorum and the witnesses."),
            "seat": ("seat", "Propose to seat a person; counts 72 hours after it binds."),
            "unseat": ("unseat", "Propose to take a person's seat, as soon as it binds."),
            "add-key": ("add_key", "Propose another key for a person; counts after 72 hours."),
            "revoke": ("revoke", "Give up one of your own keys, at once: needs nobody else."),
            "merge": ("merge", "Propose that two ids count as one human from now on."),
            "quorum": ("quorum", "Propose how many must agree, from 72 hours after it binds."),
            "witnesses": ("witnesses", "Propose other witnesses, or another key of the log."),
        },
    ),
    "request": (
        "What was asked for, by whom, on which grounds, and how it ended.",
        {
            "new": ("new", "Register a request, signed by the asker or by a registrar."),
            "list": ("show_all", "List requests: the open ones, or all."),
            "show": ("show", "Say who asked for what, on which grounds, and how it stands."),
            "verify": ("verify", "Sign that you made sure it comes from its asker."),
            "refuse": ("refuse", "Refuse a request, on stated grounds that are quoted."),
            "withdraw": ("withdraw", "Take back a request that you signed."),
        },
    ),
    "change": (
        "Changes of service: propose, see what it would do, approve or reject.",
        {
            "propose": ("propose", "Propose a change from a draft; it has no effect yet."),
            "preview": ("preview", "Show what a draft or a proposal would do; signs nothing."),
            "approve": (
                "approve",
                "Approve a proposal, after your own machine has worked out what it would do.",
            ),
            "reject": ("reject", "Reject a proposal; one rejection ends it."),
            "withdraw": (
                "standings:withdraw",
                "Take back a proposal, or an approval, before it binds.",
            ),
            "show": (
                "standings:show",
                "Say what a proposal does, what it lacks and who may approve it.",
            ),
            "list": (
                "standings:show_all",
                "List proposals; say what of your own signatures is amiss.",
            ),
        },
    ),
    "succession": (
        "Leave a log whose key is lost: the full quorum signs, and the record goes on in another.",
        {
            "write": ("write", "Write down where the log ended and which one is next."),
            "sign": ("sign", "Sign that, over the record as your own machine follows it."),
            "begin": ("begin", "Begin the next log with what people signed."),
        },
    ),
    "emergency": (
        "Emergency actions: two people of two factors, 24 hours at most, then reviewed.",
        {
            "propose": ("propose", "Propose an emergency action; approve it as any proposal."),
            "review": ("review", "Propose what a full quorum finds of one afterwards."),
        },
    ),
}


def register(app: cyclopts.App) -> None:
    """Add these commands to the `spotbeam` command; none of them is loaded for it."""
    for name, (target, meaning) in _ALONE.items():
        app.command(target, name=name, help=meaning)
    for noun, (meaning, verbs) in _NOUNS.items():
        group = cyclopts.App(name=noun, help=meaning)
        for verb, (function, what) in verbs.items():
            target = function if ":" in function else f"{noun}:{function}"
            group.command(f"spotbeam.cli.{target}", name=verb, help=what)
        app.command(group)
