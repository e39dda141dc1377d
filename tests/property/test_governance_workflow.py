"""The workflow against a slow, obvious model of it.

The model keeps plain lists of what was said and, at every anchor, looks at everything again from
the beginning. It knows no digests, no persistent maps and no layers: what an approver saw is kept
as a copy, and ground is a set of oblasts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from support.governance import SEATS, World
from support.governance import rule as rule_entry

from spotbeam.governance import binding, quorum
from spotbeam.governance.entries.accounts import Contact
from spotbeam.governance.entries.acts import DropRule, PutRule
from spotbeam.governance.entries.asking import Refusal, Withdrawal
from spotbeam.governance.entries.people import Revocation
from spotbeam.governance.entries.words import DAY_US, HOUR_US, SECOND_US, Span
from spotbeam.governance.history import fold, state
from spotbeam.governance.policy import policy
from spotbeam.governance.state import state_digest

OBLASTS = {"UA": {"43", "65", "14"}, "UA-43": {"43"}, "UA-65": {"65"}, "UA-14": {"14"}}
FACTOR = {name: factor for name, (factor, _) in SEATS.items()}
PEOPLE = sorted(SEATS)
RULES = ("r1", "r2", "r3")


@dataclass
class Approval:
    person: str
    saw: Any
    expires_us: int
    covered: bool = False
    dead: bool = False


@dataclass
class Proposal:
    """Everything about a change that somebody proposed."""

    name: str
    by: str
    request: str
    rule: str
    where: str | None  # None: takes the rule out
    from_us: int | None
    until_us: int | None
    lapses_us: int
    approvals: list[Approval] = field(default_factory=list)
    anchored_us: int | None = None
    state: str = "pending"
    bound_us: int | None = None


class Model:
    """What should be the case, worked out the slow way."""

    def __init__(self) -> None:
        self.now_us = 0
        self.asker: dict[str, str] = {}
        self.request_where: dict[str, str] = {}
        self.answer_by: dict[str, int] = {}
        self.witnessed: set[str] = set()
        self.answered: dict[str, str] = {}
        self.proposals: list[Proposal] = []
        self.bound: list[Proposal] = []
        self.gone: set[str] = set()
        self.contacts: list[tuple[str, str, int]] = []

    def find(self, name: str) -> Proposal:
        return next(each for each in self.proposals if each.name == name)

    def ground(self, proposal: Proposal) -> set[str]:
        places = set(OBLASTS[self.request_where[proposal.request]])
        if proposal.where is not None:
            places |= OBLASTS[proposal.where]
        for earlier in self.bound:
            if proposal.where is None and earlier.rule == proposal.rule and earlier.where:
                places |= OBLASTS[earlier.where]
        return places

    def rule_ground(self, rule: str) -> set[str]:
        return {
            place
            for each in self.bound
            if each.rule == rule and each.where is not None
            for place in OBLASTS[each.where]
        }

    def sees(self, proposal: Proposal) -> list[str]:
        """The bound changes that a preview of this proposal depends on, as they are now."""
        mine = OBLASTS[proposal.where] if proposal.where else set()
        mine = mine | self.rule_ground(proposal.rule)
        return [
            each.name
            for each in self.bound
            if each.rule == proposal.rule or mine & self.rule_ground(each.rule)
        ]

    def has_lapsed(self, proposal: Proposal) -> bool:
        first_us = proposal.anchored_us
        return self.now_us >= proposal.lapses_us or (
            first_us is not None and self.now_us >= first_us + 30 * DAY_US
        )

    def may_approve(self, person: str, proposal: Proposal) -> bool:
        if person in self.gone or "approver" not in SEATS[person][1]:
            return False
        if self.has_lapsed(proposal):
            return False
        if person in (proposal.by, self.asker[proposal.request]):
            return False
        return not any(
            who == person
            and self.now_us < at_us + 90 * DAY_US
            and OBLASTS[where] & self.ground(proposal)
            for who, where, at_us in self.contacts
        )

    def is_open(self, request: str) -> bool:
        return request not in self.answered and self.now_us < self.answer_by[request]

    def exists(self, rule: str) -> bool:
        """Whether some wording of the rule is or will be in force."""
        return any(
            each.rule == rule
            and each.where is not None
            and (each.until_us is None or each.until_us > self.now_us)
            for each in self.bound
        )

    def anchor(self, now_us: int, covered: set[str], approvals: list[Approval]) -> None:
        self.now_us = max(self.now_us, now_us)
        self.witnessed |= covered
        for each in self.proposals:
            if each.name in covered and each.anchored_us is None:
                each.anchored_us = self.now_us
        for approval in approvals:
            approval.covered = True
            if not self.now_us < approval.expires_us <= self.now_us + DAY_US:
                approval.dead = True
        for proposal in self.proposals:
            if proposal.state == "pending" and self.may_bind(proposal):
                proposal.state, proposal.bound_us = "bound", self.now_us
                self.answered[proposal.request] = "granted"
                self.bound.append(proposal)

    def may_bind(self, proposal: Proposal) -> bool:
        people = {
            each.person
            for each in proposal.approvals
            if each.covered
            and not each.dead
            and each.expires_us > self.now_us
            and each.saw == self.sees(proposal)
            and self.may_approve(each.person, proposal)
        }
        return (
            len(people) >= 2
            and len({FACTOR[each] for each in people}) >= 2
            and proposal.request in self.witnessed
            and self.is_open(proposal.request)
            and proposal.anchored_us is not None
            and not self.has_lapsed(proposal)
            and (proposal.until_us is None or proposal.until_us > self.now_us)
            and (proposal.where is not None or self.exists(proposal.rule))
        )

    def in_force(self, at_us: int) -> dict[str, str]:
        found: dict[str, str] = {}
        for name in RULES:
            for each in self.bound:
                begin = max(each.bound_us or 0, each.from_us or 0)
                ends = each.until_us is not None and at_us >= each.until_us
                if each.rule == name and begin <= at_us and not ends:
                    found.pop(name, None)
                    if each.where is not None:
                        found[name] = each.where
        return found


class Workflow(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.world = World()
        self.model = Model()
        self.requests: list[str] = []
        self.fresh: set[str] = set()
        self.fresh_approvals: list[Approval] = []
        self.moments: list[int] = [self.world.clock_us]

    # -- asking

    @rule(
        where=st.sampled_from(sorted(OBLASTS)), who=st.sampled_from(PEOPLE), days=st.integers(1, 9)
    )
    def request(self, where: str, who: str, days: int) -> None:
        self.ask(where, who, days)

    def ask(self, where: str, who: str, days: int) -> None:
        answer_by = self.world.clock_us + days * DAY_US
        name = self.world.request(
            (where,), actor=who, asker=who if who != "rex" else "a-ministry", answer_by_us=answer_by
        )
        if who in self.model.gone:
            assert name not in self.world.now.requests
            return
        self.requests.append(name)
        self.fresh.add(name)
        self.model.asker[name] = who
        self.model.request_where[name] = where
        self.model.answer_by[name] = answer_by

    @precondition(lambda self: self.requests)
    @rule(data=st.data(), who=st.sampled_from(PEOPLE), refuse=st.booleans())
    def answer_without_change(self, data: Any, who: str, refuse: bool) -> None:
        name = data.draw(st.sampled_from(self.requests[-3:]))
        grounds = self.world.now.requests[name].request.grounds
        body = (
            Refusal(request=name, grounds=grounds, quote="no")
            if refuse
            else Withdrawal(target=name)
        )
        self.world.say(body, who)
        asker = self.model.asker[name]
        able = who != asker and "approver" in SEATS[who][1] if refuse else who == asker
        if able and self.model.is_open(name) and who not in self.model.gone:
            self.model.answered[name] = "refused" if refuse else "withdrawn"
            assert self.world.last_code() is None
        else:
            assert self.world.last_code() is not None

    # -- proposing and deciding

    @precondition(lambda self: self.requests)
    @rule(
        data=st.data(),
        who=st.sampled_from(PEOPLE),
        rule_id=st.sampled_from(RULES),
        where=st.sampled_from([*sorted(OBLASTS), None]),
        begin=st.sampled_from([None, None, -1, 1, 26]),
        end=st.sampled_from([None, None, 2, 30, 50]),
        lapse=st.sampled_from([2, 60, 24 * 50]),
    )
    def propose(
        self,
        data: Any,
        who: str,
        rule_id: str,
        where: str | None,
        begin: int | None,
        end: int | None,
        lapse: int,
    ) -> None:
        request = data.draw(st.sampled_from(self.requests[-4:]))
        self.put_forward(request, who, rule_id, where, begin, end, lapse)

    def put_forward(
        self,
        request: str,
        who: str,
        rule_id: str,
        where: str | None,
        begin: int | None = None,
        end: int | None = None,
        lapse: int = 24 * 50,
    ) -> None:
        clock = self.world.clock_us
        from_us = None if begin is None else clock + begin * HOUR_US
        until_us = None if end is None else clock + end * HOUR_US
        act = DropRule(rule_id) if where is None else PutRule(rule_entry(rule_id, where=(where,)))
        name = self.world.change(
            act,
            request=request,
            by=who,
            window=Span(from_us=from_us, until_us=until_us),
            lapses_us=clock + lapse * HOUR_US,
        )
        proposal = Proposal(
            name, who, request, rule_id, where, from_us, until_us, clock + lapse * HOUR_US
        )
        asked = OBLASTS[self.model.request_where[request]]
        ground = OBLASTS[where] if where else self.model.rule_ground(rule_id)
        # By ids alone: a whole country may overlap any of its oblasts.
        places = [where] if where else sorted(self._wordings(rule_id))
        fits = all(OBLASTS[each] & asked for each in places)
        valid = (
            who not in self.model.gone
            and self.model.is_open(request)
            and (where is not None or self.model.exists(rule_id))
            and fits
            and (from_us is None or until_us is None or from_us < until_us)
        )
        assert ground is not None
        assert (name in self.world.now.changes) == valid
        if valid:
            self.model.proposals.append(proposal)
            self.fresh.add(name)

    def _wordings(self, rule_id: str) -> set[str]:
        return {b.where for b in self.model.bound if b.rule == rule_id and b.where}

    @precondition(lambda self: any(p.state == "pending" for p in self.model.proposals))
    @rule(
        data=st.data(),
        who=st.sampled_from(PEOPLE),
        hours=st.sampled_from([1, 20, 20, 20, 23, 40]),
        word=st.sampled_from(["approve"] * 12 + ["reject"]),
        crooked=st.sampled_from([None] * 8 + ["impact", "reads", "window", "change", "key"]),
    )
    def decide(self, data: Any, who: str, hours: int, word: str, crooked: str | None) -> None:
        pending = [p for p in self.model.proposals if p.state == "pending"]
        self.word(data.draw(st.sampled_from(pending[-3:])), who, hours, word, crooked)

    @precondition(lambda self: any(p.state == "pending" for p in self.model.proposals))
    @rule(data=st.data(), people=st.lists(st.sampled_from(PEOPLE), min_size=2, max_size=4))
    def several_approve(self, data: Any, people: list[str]) -> None:
        pending = [p for p in self.model.proposals if p.state == "pending"]
        proposal = data.draw(st.sampled_from(pending[-4:]))
        for who in people:
            self.word(proposal, who)

    @rule(
        where=st.sampled_from(["UA", "UA-43", "UA-65"]),
        rule_id=st.sampled_from(RULES),
        drop=st.integers(0, 3),
        begin=st.sampled_from([None, None, 1, 26]),
        end=st.sampled_from([None, None, 30, 50]),
        people=st.lists(st.sampled_from(["bo", "cy", "dee", "eli"]), min_size=2, unique=True),
        minutes=st.sampled_from([0, 0, 1, 60 * 22]),
    )
    def whole_story(
        self,
        where: str,
        rule_id: str,
        drop: int,
        begin: int | None,
        end: int | None,
        people: list[str],
        minutes: int,
    ) -> None:
        """The path that succeeds, else chance alone would hardly ever walk it."""
        if "rex" in self.model.gone:
            return
        self.ask("UA", "rex", 9)
        takes_out = not drop and self.model.exists(rule_id)
        before = len(self.model.proposals)
        self.put_forward(
            self.requests[-1], "ada", rule_id, None if takes_out else where, begin, end
        )
        if len(self.model.proposals) == before:
            return
        for who in people:
            self.word(self.model.proposals[-1], who)
        if minutes:
            self.pass_time(minutes)

    def word(
        self,
        proposal: Proposal,
        who: str,
        hours: int = 20,
        word: str = "approve",
        crooked: str | None = None,
    ) -> None:
        expires = self.world.clock_us + hours * HOUR_US
        twisted: dict[str, Any] = {}
        if crooked in ("impact", "reads", "change"):
            twisted[crooked] = "e" * 64
        elif crooked == "window":
            twisted["window"] = Span(from_us=1)
        body = self.world.approval(proposal.name, expires_us=expires, word=word, **twisted)
        keys = None
        if crooked == "key":
            keys = self.world.keys["ada" if who != "ada" else "bo"]
        self.world.say(body, who, keys=keys)
        sees = self.model.sees(proposal)
        earlier = [
            each
            for each in proposal.approvals
            if each.person == who
            and not each.dead
            and each.saw == sees
            and each.expires_us > self.model.now_us
        ]
        valid = crooked is None and self.model.may_approve(who, proposal)
        if word == "approve":
            valid = valid and not earlier
        assert (self.world.last_code() is None) == valid
        if not valid:
            return
        if word == "reject":
            proposal.state = "rejected"
            return
        for each in proposal.approvals:
            each.dead = each.dead or each.person == who
        approval = Approval(who, sees, expires)
        proposal.approvals.append(approval)
        self.fresh_approvals.append(approval)

    @precondition(lambda self: self.model.proposals)
    @rule(data=st.data(), who=st.sampled_from(PEOPLE))
    def withdraw(self, data: Any, who: str) -> None:
        proposal = data.draw(st.sampled_from(self.model.proposals[-3:]))
        self.world.say(Withdrawal(target=proposal.name), who)
        if who == proposal.by and proposal.state == "pending" and who not in self.model.gone:
            proposal.state = "withdrawn"
        else:
            assert self.world.last_code() is not None

    # -- what disqualifies

    @precondition(lambda self: len(self.model.gone) < 2)
    @rule(who=st.sampled_from(["cy", "dee", "eli", "rex"]), rare=st.integers(0, 3))
    def give_up_key(self, who: str, rare: int) -> None:
        if rare:
            return
        self.world.say(Revocation(revoked=self.world.keys[who].digest), who)
        self.model.gone.add(who)
        for proposal in self.model.proposals:
            live = [each for each in proposal.approvals if not each.dead]
            if proposal.state == "pending" and any(each.person == who for each in live):
                for each in live:
                    each.dead = True

    @rule(
        who=st.sampled_from(PEOPLE),
        about=st.sampled_from(PEOPLE),
        where=st.sampled_from(sorted(OBLASTS)),
        rare=st.integers(0, 4),
    )
    def contact(self, who: str, about: str, where: str, rare: int) -> None:
        if rare:
            return
        at_us = self.world.clock_us - 85 * DAY_US
        self.world.say(Contact(person=about, party="xx", where=(where,), at_us=at_us), who)
        if who == about and who not in self.model.gone:  # what others write steers nobody
            self.model.contacts.append((about, where, at_us))

    # -- time

    @rule(minutes=st.sampled_from([1, 1, 1, 60, 60 * 22, 60 * 24 * 6]), enough=st.integers(0, 5))
    def anchor(self, minutes: int, enough: int) -> None:
        by = ("w1", "w3")
        if enough:
            self.pass_time(minutes)
            return
        self.world.anchor(after_us=minutes * 60 * SECOND_US, by=by)
        assert self.world.last_code() == "not_witnessed"
        self.world.anchors.pop()

    def pass_time(self, minutes: int) -> None:
        self.world.anchor(after_us=minutes * 60 * SECOND_US)
        assert self.world.last_code() is None
        self.model.anchor(self.world.clock_us, self.fresh, self.fresh_approvals)
        self.fresh, self.fresh_approvals = set(), []
        self.moments.append(self.world.clock_us)

    @rule(data=st.binary(max_size=20))
    def junk(self, data: bytes) -> None:
        self.world.add(data)

    # -- what must hold

    @invariant()
    def the_fold_agrees_with_the_model(self) -> None:
        if not hasattr(self, "world"):
            return
        now = self.world.now
        for proposal in self.model.proposals:
            found = now.changes[proposal.name]
            assert found.status == proposal.state
            assert found.bound_us == proposal.bound_us
        assert len(now.changes) == len(self.model.proposals)
        assert now.witnessed_us == self.model.now_us

    @invariant()
    def nothing_binds_without_two_of_two_and_a_witness(self) -> None:
        """I1 to I3 from the raw records, not from the model."""
        if not hasattr(self, "world"):
            return
        now = self.world.now
        for change in now.changes.values():
            if change.status != "bound":
                continue
            approvals = [each for each in change.approvals.values() if each.is_anchored]
            people = {each.person for each in approvals}
            asked = now.requests[change.proposal.request]
            others = people - {change.proposer, asked.signed_by}
            assert len(others) >= 2
            assert len({FACTOR[each] for each in others}) >= 2
            assert change.proposal.grounds
            assert asked.status == "granted"
            assert change.bound_us is not None
            assert change.anchored_us is not None
            assert change.anchored_us <= change.bound_us <= now.witnessed_us
            for layers in now.layers.values():
                for layer in layers:
                    if layer.change == change.id:
                        assert (layer.span.from_us or 0) >= change.bound_us

    @invariant()
    def the_policy_agrees_at_every_moment(self) -> None:
        if not hasattr(self, "world"):
            return
        history = self.world.history()
        for at_us in {*self.moments[-2:], *(self.world.clock_us + h * HOUR_US for h in (0, 3, 40))}:
            rules = policy(state(history, at_us)).rules
            assert {r.id: r.where[0] for r in rules} == self.model.in_force(at_us)

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        again = fold(self.world.entries)
        assert state_digest(again.now) == state_digest(self.world.now)
        assert list(again.anchors) == sorted(again.anchors)
        # As known at an earlier anchor is what a reader of that prefix would have said.
        for at_us, kept in self.world.anchors[-2:]:
            assert state_digest(again.known_at(at_us)) == state_digest(kept)


TestWorkflow = Workflow.TestCase
TestWorkflow.settings = settings(
    max_examples=40,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def _factors_as_or(state: Any, quorum: Any, approvals: Any) -> bool:
    people = {given.person for given in approvals}
    return len(people) >= quorum.persons or len({FACTOR[each] for each in people}) >= 2


@pytest.mark.parametrize(
    ("module", "name", "weaker"),
    [
        (binding, "is_met", _factors_as_or),
        (binding, "reads_digest", lambda state, proposal: "0" * 64),
        (binding, "_demand_timely", lambda state, proposed: None),
        (quorum, "parties_to", lambda state, proposed: frozenset()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_model_notices_a_weaker_rule(
    module: Any, name: str, weaker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, name, weaker)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(
            Workflow,
            settings=settings(
                TestWorkflow.settings,
                max_examples=400,
                phases=(Phase.generate,),
                database=None,
                derandomize=True,
                print_blob=False,
                report_multiple_bugs=False,
            ),
        )
