"""Seven contested episodes in roles and invented names: what was reported, and what stands beside.

Names of parties can be handed in, so that a test swaps them. Ground is real; nobody else is.
"""

from __future__ import annotations

from collections.abc import Mapping

from support.governance import LICENCE, World, rule

from spotbeam.governance.entries.accounts import (
    Claim,
    Contact,
    Grade,
    Interest,
    Matter,
    Notice,
    Observation,
    Party,
    Said,
    ServiceSeen,
    Source,
    Tie,
)
from spotbeam.governance.entries.acts import DropRule, PutRule
from spotbeam.governance.entries.asking import Refusal
from spotbeam.governance.entries.words import DAY_US, HOUR_US, Ground

NAMES = {
    "northland": "The state of Northland",
    "eastmark": "The state of Eastmark",
    "island": "The island of Serra",
    "mainland": "The mainland state",
    "owner": "The operator's owner",
    "head": "Northland's head of state",
    "gazette-firm": "The Harbour Gazette company",
}
KINDS = {
    "northland": "state",
    "eastmark": "state",
    "island": "state",
    "mainland": "state",
    "owner": "person",
    "head": "person",
    "gazette-firm": "press",
}
PART_OF = {"owner": "spotbeam-op", "head": "northland"}


class Episodes:
    """The record, with the id of each event by its name."""

    def __init__(self, names: Mapping[str, str] = NAMES) -> None:
        self.world = World()
        self.events: dict[str, str] = {}
        world = self.world
        world.anchor()
        for party, name in names.items():
            self.tell(
                Party(
                    party=party,
                    name=name,
                    kind=KINDS[party],  # type: ignore[arg-type]
                    part_of=PART_OF.get(party),
                )
            )
        for party, where, kind in (
            ("northland", ("UA-43",), "administrator"),
            ("eastmark", ("UA-43",), "claimant"),
            ("mainland", ("TW",), "claimant"),
            ("island", ("TW",), "administrator"),
            ("eastmark", ("UA",), "licensor"),
        ):
            self.tell(Interest(party=party, where=where, kind=kind))  # type: ignore[arg-type]
        world.anchor()
        self.contacts()
        self.do_not_activate()
        self.paid_for()
        self.the_coast()
        self.the_cut()
        self.the_front_line()
        self.two_requests()
        world.anchor()

    def tell(self, body: object, who: str = "rex", id: str | None = None) -> str:
        return self.world.say(body, who, id)  # type: ignore[arg-type]

    def claim(
        self,
        about: str,
        stance: str,
        name: str,
        quote: str,
        grade: str | None = None,
        *,
        published: str = "2024-10-25",
        said: Mapping[str, str] | None = None,
        party: str | None = None,
        attributed_to: str | None = None,
        names: tuple[str, ...] = (),
        alternative: str | None = None,
    ) -> str:
        """A claim, with a grade as `B3` by one grader."""
        body = Claim(
            about=about,
            stance=stance,  # type: ignore[arg-type]
            source=Source(
                name=name,
                party=party,
                attributed_to=attributed_to,
                published=published,
                place="page 1",
            ),
            quote=quote,
            says=tuple(
                Said(aspect=aspect, value=value)  # type: ignore[arg-type]
                for aspect, value in (said or {}).items()
            ),
            names=names,
            alternative=alternative,
        )
        found = self.tell(body)
        if grade is not None:
            self.tell(
                Grade(
                    claim=found,
                    reliability=grade[0],  # type: ignore[arg-type]
                    credibility=int(grade[1]),  # type: ignore[arg-type]
                ),
                "dee",
            )
        return found

    def contacts(self) -> None:
        """Regular contact, says one; one call, about space, says the other; then none at all."""
        matter = Matter(
            title="Contacts between the owner and a head of state",
            where=("UA-43",),
            parties=("owner", "head"),
            date="2022/2024",
        )
        about = self.events["contacts"] = self.tell(matter)
        told = self.claim(
            about,
            "asserts",
            "The Harbour Gazette",
            "They have been in regular contact since the autumn.",
            "B3",
            said={"number": "at least 2", "date": "2022/2024"},
            attributed_to="several officials",
            names=("owner", "head"),
        )
        self.claim(
            about,
            "qualifies",
            "The office of the head of state",
            "There was one call, about space and technology.",
            "D4",
            said={"number": "1", "subject": "space and technology"},
            party="northland",
        )
        self.claim(
            told,
            "denies",
            "The owner's own page",
            "None of it happened.",
            "C5",
            party="owner",
            published="2024-11-02",
        )
        self.claim(
            about,
            "qualifies",
            "A former official",
            "No alert about a breach of security was raised.",
            "E6",
            said={"effect": "no alert"},
        )

    def do_not_activate(self) -> None:
        """A request not to act: it is registered as such, and another cause stands beside it."""
        name = self.world.request(
            ("TW",),
            verb="withhold",
            asker="An intermediary of the head of state",
            on_behalf_of="mainland",
            channel="call",
            verified="unverified",
            spoken="Do not switch it on over the island.",
            grounds=(Ground(kind="initiative", id="courtesy"),),
        )
        self.events["withhold"] = name
        self.claim(
            name,
            "asserts",
            "The Harbour Gazette",
            "He was asked not to activate it over the island.",
            "B2",
            attributed_to="two people who were briefed",
            said={"date": "2023-12"},
        )
        self.claim(
            name,
            "denies",
            "The firm's spokesperson",
            "There was no such request.",
            "C4",
            alternative="The island's law asks for a local partner, and there is none.",
        )

    def paid_for(self) -> None:
        """Service that a contract promises, and that somebody says is not there."""
        matter = Matter(title="Paid access around the island", where=("TW",), date="2024-02")
        about = self.events["paid"] = self.tell(matter)
        self.claim(
            about,
            "asserts",
            "The chair of a committee",
            "Access that is paid for is inactive around the island.",
            "A1",
            said={"effect": "inactive"},
        )
        self.claim(
            about,
            "denies",
            "The firm's spokesperson",
            "We meet every obligation of the contract.",
            "C3",
            said={"effect": "all obligations met"},
        )

    def the_coast(self) -> None:
        """Turned off, said a book; never on and asked to turn on, said the owner: refused."""
        world = self.world
        name = world.request(
            ("UA-43",),
            asker="The ministry",
            channel="letter",
            letter="1" * 64,
            answer_by_us=(world.clock_us + 30 * DAY_US),
        )
        self.events["coast"] = name
        world.anchor()
        words = "The sanction named forbids service there; it was never on."
        self.events["coast-refusal"] = world.say(
            Refusal(request=name, grounds=(LICENCE,), quote=words), "cy"
        )
        world.anchor()
        told = self.claim(
            name,
            "asserts",
            "A biography",
            "He told engineers to turn it off within 100 km of the coast.",
            "B5",
            published="2023-09-07",
            said={"effect": "turned off"},
        )
        self.claim(
            name,
            "denies",
            "The owner's own page",
            "It was not on there; I was asked to switch it on, and did not.",
            "C2",
            party="owner",
            published="2023-09-08",
            said={"effect": "not turned on"},
        )
        self.claim(
            told,
            "retracts",
            "A biography",
            "To clarify: they thought it was on, and it was not.",
            published="2023-09-09",
        )

    def the_cut(self) -> None:
        """One voice ordered a cut, it is said: here it takes a request and two signatures."""
        world = self.world
        world.pass_change(
            PutRule(rule("kherson", where=("UA-65",))), request=world.request(("UA-65",))
        )
        world.anchor(after_us=HOUR_US)
        name = world.request(
            ("UA-65",),
            verb="deactivate",
            asker="bo",
            actor="rex",
            channel="in-person",
            spoken="We have to do this.",
        )
        self.events["cut"] = self.world.pass_change(
            DropRule("kherson"), request=name, by="ada", people=("dee", "eli")
        )
        self.claim(
            self.events["cut"],
            "asserts",
            "A news agency",
            "At least 100 terminals went dark.",
            "A2",
            said={"number": "at least 100"},
        )
        self.claim(
            self.events["cut"], "denies", "The firm's spokesperson", "That is inaccurate.", "C6"
        )

    def the_front_line(self) -> None:
        """Boundaries lag the ground: the record says on, and a probe finds it off."""
        world = self.world
        world.pass_change(
            PutRule(rule("east", where=("UA-63",))), request=world.request(("UA-63",))
        )
        world.anchor(after_us=HOUR_US)
        seen = ServiceSeen(where="UA-63", service="off", reason="CELL_IS_DISABLED")
        name = self.tell(Observation(by="field-probe", at_us=world.clock_us, seen=seen))
        self.events["front"] = name
        self.claim(
            name,
            "qualifies",
            "Officials of another state",
            "Jamming may explain a part of it.",
            "B4",
            alternative="Jamming.",
        )

    def two_requests(self) -> None:
        """Like requests treated unlike: one within a day, one not at all."""
        world = self.world
        order = (Ground(kind="order", id="regulator-letter"),)
        quick = world.request(
            ("UG",), verb="deactivate", asker="One regulator", grounds=order, letter="2" * 64
        )
        world.anchor(after_us=20 * HOUR_US)
        off = rule(
            "ug-off",
            effect="deny",
            gate="order",
            where=("UG",),
            grounds=("order:regulator-letter",),
        )
        self.events["quick"] = world.pass_change(PutRule(off), request=quick, grounds=order)
        slow = world.request(
            ("IR",),
            verb="deactivate",
            asker="Another regulator",
            grounds=order,
            letter="3" * 64,
            answer_by_us=world.clock_us + 60 * DAY_US,
        )
        self.events["slow"] = slow
        world.anchor(after_us=61 * DAY_US)
        self.claim(
            slow,
            "asserts",
            "A radio board",
            "It asked for more than two years.",
            "A3",
            said={"date": "2022/2025"},
        )
        self.claim(
            slow,
            "qualifies",
            "A third regulator",
            "Switching off an area was neither required nor practicable.",
            "F1",
        )
        # Somebody says something that nobody can judge.
        planted = self.claim(slow, "asserts", "An anonymous page", "Money changed hands.", "F6")
        self.tell(
            Notice(
                about=planted,
                to="owner",
                role="named",
                at_us=world.clock_us,
                failure="it names nobody who can be reached",
            )
        )
        # The contact of the first episode comes on record two years late.
        self.tell(
            Contact(
                person="owner",
                party="head",
                where=("UA-43",),
                at_us=world.clock_us - 70 * DAY_US,
                channel="call",
                capacity="private",
                subject="space and technology",
            ),
            id="late-call",
        )
        self.tell(
            Tie(
                person="owner",
                party="northland",
                kind="contract",
                from_us=world.clock_us - 1_000 * DAY_US,
            )
        )
