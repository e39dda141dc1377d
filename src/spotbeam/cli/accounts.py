"""The commands about who asked and who says what, with their help; each loads when called."""

from __future__ import annotations

import cyclopts

_ALONE = {
    "zero-report": (
        "spotbeam.cli.contact:zero_report",
        "Sign that you had no contact in a period, or list who has not.",
    ),
    "publish": (
        "spotbeam.cli.publish:publish",
        "Write the public site of a record: what is on where, who decided, and how to check it.",
    ),
    "feed": (
        "spotbeam.cli.feed:feed",
        "Say what is new in a record, for people, feed readers and webhooks.",
    ),
    "timeline": (
        "spotbeam.cli.timeline:timeline",
        "Tell the history of a territory, person, party, request or event, with proofs.",
    ),
}
_NOUNS = {
    "party": (
        "Who there is: states, firms, units, and natural persons by their roles.",
        {
            "add": ("party:add", "Register a party or person; again: amend it."),
            "list": ("party:show_all", "List parties and persons."),
            "show": ("party:show", "Say what is on record about one: interests and ties."),
        },
    ),
    "interest": (
        "What parties want of which ground: they claim it, administer it, border on it, gain.",
        {
            "add": ("party:add_interest", "Record that a party has an interest in some ground."),
            "list": ("party:show_interests", "List interests of parties in ground."),
        },
    ),
    "tie": (
        "What binds a person to a party: contract, holding, office, funding, access, family.",
        {
            "declare": ("tie:declare", "Declare a tie; your own keeps you from approving there."),
            "end": ("tie:end", "Say that a tie is over; nobody is freed backwards."),
            "list": ("tie:show_all", "List ties, and whether they keep their person away."),
        },
    ),
    "contact": (
        "Who spoke with whom, when, through which channel, about what, disclosed to whom.",
        {
            "record": ("contact:record", "Record a contact, yours or somebody else's."),
            "disclose": ("contact:disclose", "Say to whom one was disclosed, and when."),
            "list": ("contact:show_all", "List contacts, and since when the record shows them."),
            "show": ("contact:show", "Say all that is on record about one."),
        },
    ),
    "matter": (
        "Events that people speak of and that are no entry of this record.",
        {"open": ("claim:open_matter", "Open a matter, in neutral words.")},
    ),
    "claim": (
        "What sources say about an event, in their own words, graded by named graders.",
        {
            "record": ("claim:record", "Record what a source asserts, denies or qualifies."),
            "grade": ("claim:grade", "Grade a claim: its source and its information apart."),
            "retract": ("claim:retract", "Record that a source takes back what it said."),
            "show": ("claim:show", "Lay accounts side by side, and say where they differ."),
            "list": ("claim:show_all", "List events, and how their accounts stand."),
        },
    ),
    "notice": (
        "Who is owed a notice of a request, a change or a claim, and whether it was served.",
        {
            "serve": ("notice:serve", "Record that somebody was told, with a receipt."),
            "fail": ("notice:fail", "Record that somebody could not be told, and why."),
            "list": ("notice:show_all", "List notices that are owed or failed, or all."),
        },
    ),
    "observe": (
        "What was measured outside the record: service, losses, positions, registrants, witnesses.",
        {
            "service": ("observe:service", "Record that a probe had service, or had none."),
            "losses": ("observe:losses", "Record how many terminals lost service."),
            "position": ("observe:position", "Record a position that does not hold together."),
            "registrants": ("observe:registrants", "Record counts over a list's registrants."),
            "witness": ("observe:witness", "Record what a witness did."),
        },
    ),
    "exchange": (
        "FollowTheMoney entities out and in, for the tools of investigators.",
        {
            "export": ("exchange:export", "Write parties, links, events and notes of a record."),
            "import": ("exchange:import_", "Put entities of a file on record, told by a source."),
        },
    ),
    "alert": (
        "What follows what in the record and deserves a second look; never why.",
        {
            "list": ("alert:show_all", "List alerts, one for each cause, gravest first."),
            "show": ("alert:show", "Say what one rests on, and what people did with it."),
            "ack": ("alert:acknowledge", "Take up an alert."),
            "explain": ("alert:explain", "Say what explains it; it stays open."),
            "escalate": ("alert:escalate", "Hand it on."),
            "close": ("alert:close", "Close it; a critical one needs a second person."),
            "silence": ("alert:silence", "Print a draft that mutes a rule for a time."),
            "replay": ("alert:replay", "List what came late, and each decision it bears on."),
            "rules": ("alert:rules", "List the alert rules, and when each is raised."),
        },
    ),
}


def register(app: cyclopts.App) -> None:
    """Add these commands to the `spotbeam` command; none of them is loaded for it."""
    for name, (target, meaning) in _ALONE.items():
        app.command(target, name=name, help=meaning)
    for noun, (meaning, verbs) in _NOUNS.items():
        group = cyclopts.App(name=noun, help=meaning)
        for verb, (target, what) in verbs.items():
            group.command(f"spotbeam.cli.{target}", name=verb, help=what)
        app.command(group)
