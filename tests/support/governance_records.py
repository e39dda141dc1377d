r"""Records with every kind of entry in them; run as a script, it writes the vectors of a version.

    PYTHONPATH=tests python -m support.governance_records rules tests/data/governance/rules-1.json
    PYTHONPATH=tests python -m support.governance_records logs tests/data/governance/logs-1.json
    PYTHONPATH=tests python -m support.governance_records acts tests/data/governance/acts-1.json
    PYTHONPATH=tests python -m support.governance_records accounts \
        tests/data/governance/accounts-1.json

Vectors of a released rules version are never written again: what they hold still is the meaning
of records that exist.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import msgspec
from support.governance import LICENCE, Keys, World, person, rule, witness_quorum

from spotbeam.governance.apply import apply
from spotbeam.governance.entries.accounts import (
    AlertAct,
    Claim,
    Contact,
    Disclosed,
    Disclosure,
    Grade,
    Interest,
    LossSeen,
    Matter,
    Notice,
    Observation,
    Party,
    PositionSeen,
    RegistrantsSeen,
    Said,
    ServiceSeen,
    Source,
    Tie,
    TieEnd,
    Verification,
    WitnessSeen,
    ZeroReport,
)
from spotbeam.governance.entries.acts import (
    AddFactor,
    AddKey,
    DropList,
    DropRule,
    ExtendSeal,
    Merge,
    PutBoundaries,
    PutList,
    PutRule,
    PutSponsor,
    Review,
    Seat,
    SetQuorum,
    SetRules,
    SetWitnesses,
    SilenceAlerts,
)
from spotbeam.governance.entries.asking import Arrival, Refusal, Withdrawal
from spotbeam.governance.entries.deciding import Bounds, Emergency, Seal, Stage
from spotbeam.governance.entries.people import Boundaries, Factor, QuorumRule, SmallRule
from spotbeam.governance.entries.rules import WhoEntry
from spotbeam.governance.entries.words import DAY_US
from spotbeam.governance.reads import reads_digest
from spotbeam.governance.state import State, listed, state_digest
from spotbeam.governance.succession import ending, onward


def rich_world() -> World:
    """A record in which every kind of entry and of act is valid somewhere."""
    world = World(quorum=QuorumRule(persons=3, factors=2))
    world.log_says(Arrival(digest="1" * 64, channel="letter"))
    three = ("bo", "cy", "dee")
    world.pass_change(people=three)
    kits = rule("kits", effect="deny", gate="list", who=WhoEntry(not_on_list=("kits",)))
    world.pass_change(
        PutRule(kits),
        PutList(list="kits", version=1, count=0, root="2" * 64),
        PutSponsor(sponsor="relief", until_us=None),
        PutBoundaries(Boundaries(view="un", source="Natural Earth", digest="3" * 64)),
        people=three,
    )
    world.pass_change(
        PutRule(rule("staged")),
        rollout=(Stage(from_us=world.clock_us + DAY_US, where=("UA",)),),
        people=three,
    )
    new = Keys("fay")
    possession = new.possession("fay", "seat-fay", world.now.genesis, world.origin)
    second = Keys("second key of cy")
    proof = second.possession("cy", "seat-fay", world.now.genesis, world.origin)
    body = world.change_body(
        Seat(person=person("fay", new, "civil", ("approver",)), possessions=(possession,)),
        AddKey(person="cy", key=second.key, possession=proof),
        AddFactor(Factor(id="press", name="Press", party="a-union")),
        SetQuorum(QuorumRule(persons=4, factors=2)),
        SetWitnesses(witness_quorum(("w1", "w2", "w3", "w4"))),
    )
    world.say(body, "ada", "seat-fay")
    world.approve("seat-fay", *three)
    world.witnesses = ("w1", "w2", "w3", "w4")
    world.anchor()
    off = rule("off", effect="deny", gate="order", emergency=True)
    emergency = world.say(
        Emergency(
            request=world.request(verb="deactivate"),
            grounds=(LICENCE,),
            acts=(PutRule(off),),
            lasts_us=DAY_US,
            impact="4" * 64,
            lapses_us=world.clock_us + DAY_US,
        ),
        "ada",
    )
    world.approve(emergency, "bo", "cy")
    world.anchor()
    world.pass_change(Review(emergency=emergency, finding="upheld", words="just"), people=three)
    world.say(Contact(person="eli", party="xx", where=("UA",), at_us=world.clock_us), "eli")
    request = world.request()
    world.say(Refusal(request=request, grounds=(LICENCE,), quote="no"), "cy")
    world.say(Withdrawal(target=world.request()), "rex")
    world.say(
        Seal(
            request=world.request(),
            grounds=(LICENCE,),
            commitment="5" * 64,
            bounds=Bounds(
                where=("UA",), cells=("h3:841e265ffffffff",), verb="restrict", lasts_us=DAY_US
            ),
            open_by_us=world.clock_us + DAY_US,
            impact="6" * 64,
            lapses_us=world.clock_us + DAY_US,
        ),
        "ada",
        "seal-1",
    )
    world.change(Merge(person="dee", same_as="cy"), DropRule("staged"), DropList("kits"))
    world.change(SetRules(version=2))
    tell_all(world)
    return world


SOURCE = Source(name="The Harbour Gazette", place="page 3", published="2024-10-25")


def tell_all(world: World) -> None:
    """One of every kind of telling, by a registrar; a contact and ties among them."""
    world.say(Party(party="state-xx", name="The state of X", kind="state"), "rex")
    owner = Party(party="owner", name="The owner", kind="person", role="owner", part_of="operator")
    world.say(owner, "rex")
    world.say(Interest(party="state-xx", where=("UA-43",), kind="claimant"), "rex")
    met = Contact(
        person="owner",
        party="state-xx",
        where=("UA-43",),
        at_us=world.clock_us - DAY_US,
        channel="call",
        capacity="private",
        met=("head of state",),
        subject="service over the peninsula",
        disclosed=(Disclosed(to="the board", at_us=world.clock_us),),
    )
    contact = world.say(met, "rex")
    told = Disclosed(to="the licensor", at_us=world.clock_us)
    world.say(Disclosure(contact=contact, disclosed=told), "rex")
    for whose in ("rex", "dee"):
        body = Tie(
            person=whose, party="state-xx", kind="office", where=("PL",), from_us=world.clock_us
        )
        tie = world.say(body, "rex")
    world.say(TieEnd(tie=tie, until_us=world.clock_us), "dee")
    world.anchor()
    at_us = world.now.witnessed_us
    world.say(ZeroReport(from_us=at_us - 90 * DAY_US, until_us=at_us), "bo")
    matter = world.say(
        Matter(title="Calls in autumn", where=("UA-43",), parties=("owner",), date="2022-09/2024"),
        "rex",
    )
    claim = world.say(
        Claim(
            about=matter,
            stance="asserts",
            source=SOURCE,
            quote="They spoke often.",
            says=(Said(aspect="number", value="at least 2"),),
            names=("owner",),
            alternative="a plain legal cause",
        ),
        "rex",
    )
    world.say(Claim(about=claim, stance="retracts", source=SOURCE, quote="We erred."), "rex")
    world.say(Grade(claim=claim, reliability="B", credibility=3), "dee")
    request = world.request(verified="unverified", spoken="Please act.", contacts=(contact,))
    world.say(Verification(request=request, how="call-back"), "ada")
    missed = Notice(about=claim, to="owner", role="named", at_us=at_us, failure="no address")
    world.say(missed, "rex")
    world.say(AlertAct(alert="a1-00ff", act="acknowledge", words="seen"), "rex")
    place, far = "UA", PositionSeen(where="UA", terminal_class="land", jump_m=90_000, jump_s=1)
    seen = (
        far,
        ServiceSeen(where=place, service="off", reason="BLOCKED_COUNTRY"),
        LossSeen(where=place, terminals=40, protected=0, within_s=600),
        WitnessSeen(witness="w1", found="refused"),
        RegistrantsSeen(
            list="kits",
            terminals=60,
            most_by_registrant=40,
            most_at_address=40,
            most_by_payer=50,
            most_in_day=30,
            far_first_fixes=20,
        ),
    )
    for each in seen:
        world.say(Observation(by="probe-7", at_us=at_us, seen=each), "rex")


EVERY = 6
"""After each so many entries the state's digest is kept."""


def vectors(entries: list[bytes]) -> dict[str, Any]:
    """Entries with what they came to: codes of findings, and digests of states on the way."""
    now, digests = State(), {}
    for data in entries:
        now = apply(now, data)
        if now.size % EVERY == 0 or now.size == len(entries):
            digests[str(now.size)] = state_digest(now)
    return {
        "rules_version": 1,
        "entries": [data.decode("latin-1") for data in entries],
        "findings": [[found.index, found.code] for found in listed(now)],
        "changes": {name: now.changes[name].status for name in sorted(now.changes)},
        "reads": {
            name: reads_digest(now, now.changes[name].proposal) for name in sorted(now.pending)
        },
        "witnessed_us": now.witnessed_us,
        "state_digests": digests,
    }


def record_for_vectors() -> list[bytes]:
    """The rich record, with entries among it that are void, each for another reason."""
    world = rich_world()
    world.add(b"not an entry")
    world.add(world.entries[5])
    world.add(world.entries[-3].replace(b"rex", b"ada"))
    world.say(Withdrawal(target="e3"), "cy")
    world.anchor(by=("w1",))
    world.request()
    world.anchor()
    return world.entries


def acts_for_vectors() -> list[bytes]:
    """A record with small changes and with a seal that is given more time."""
    small = SmallRule(cells=2, resolution=4)
    world = World(quorum=QuorumRule(persons=3, factors=3, small=small))
    three = ("bo", "cy", "eli")
    for cell in ("h3:841e265ffffffff", "h3:841e267ffffffff", "h3:841e261ffffffff"):
        off = rule(f"off-{cell[-8:-6]}", effect="deny", gate="cell", where=(cell,))
        world.pass_change(PutRule(off), request=world.request(verb="restrict"))
    world.pass_change(people=three)
    world.say(
        Seal(
            request=world.request(),
            grounds=(LICENCE,),
            commitment="5" * 64,
            bounds=Bounds(
                where=("UA",), cells=("h3:841e265ffffffff",), verb="restrict", lasts_us=DAY_US
            ),
            open_by_us=world.clock_us + DAY_US,
            impact="6" * 64,
            lapses_us=world.clock_us + DAY_US,
        ),
        "ada",
        "seal-1",
    )
    world.approve("seal-1", *three)
    world.anchor()
    act = ExtendSeal(seal="seal-1", open_by_us=world.clock_us + 2 * DAY_US)
    world.pass_change(act, people=three)
    world.change(act)
    world.change(SetQuorum(QuorumRule(persons=2, factors=2)))
    return world.entries


def accounts_for_vectors() -> list[bytes]:
    """A record of tellings, some void, with a tie that keeps an approver away and a silence."""
    world = World()
    world.anchor()
    tell_all(world)
    world.anchor()
    world.say(Grade(claim="e99", reliability="A"), "rex")
    world.say(TieEnd(tie="e7", until_us=world.clock_us), "cy")
    body = Tie(person="cy", party="state-xx", kind="contract", where=("UA",), from_us=0)
    world.say(body, "cy")
    world.pass_change(people=("bo", "dee"))
    world.pass_change(people=("bo", "cy"))
    world.change(request=world.request(verified="unverified"))
    act = SilenceAlerts(rule="A6", until_us=world.clock_us + DAY_US, words="too loud")
    world.pass_change(act, people=("bo", "dee"))
    return world.entries


def logs_for_vectors() -> list[list[bytes]]:
    """A record in three logs: the first is closed, the second is left, with void entries about."""
    world = World()
    world.pass_change()
    waiting = world.change(PutRule(rule("waiting", where=("PL",))), request=world.request(("PL",)))
    world.approve(waiting, "bo")
    world.close()
    world.request()
    world.move_on()
    world.open()
    world.approve(waiting, "cy")
    world.anchor()
    world.add(b"not an entry")
    world.open()
    world.request()
    world.move_on("log.example/black-sea-3", "log-3")
    world.log_says(world.succession("bo", "cy"))
    world.pass_change(PutRule(rule("third")))
    return [*world.logs, world.entries]


def logs_vectors(logs: list[list[bytes]]) -> dict[str, Any]:
    """The logs of one record, with what each came to."""
    now, found = State(), []
    for entries in logs:
        now = onward(now)
        begun = None
        for data in entries:
            now = apply(now, data)
            begun = begun or state_digest(now)
        found.append(
            {
                "origin": now.origin,
                "entries": [data.decode("latin-1") for data in entries],
                "begun": begun,
                "ending": msgspec.to_builtins(ending(now)),
                "state_digest": state_digest(now),
                "findings": [[each.index, each.code] for each in listed(now)],
                "changes": {name: now.changes[name].status for name in sorted(now.changes)},
            }
        )
    return {"rules_version": 1, "logs": found}


if __name__ == "__main__":
    written = {
        "rules": lambda: vectors(record_for_vectors()),
        "acts": lambda: vectors(acts_for_vectors()),
        "accounts": lambda: vectors(accounts_for_vectors()),
        "logs": lambda: logs_vectors(logs_for_vectors()),
    }[sys.argv[1]]()
    Path(sys.argv[2]).write_text(json.dumps(written, indent=1, ensure_ascii=True) + "\n")
