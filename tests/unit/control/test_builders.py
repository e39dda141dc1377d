"""Every builder of an entry: what it gives goes through `apply`, what it refuses it says why."""

from __future__ import annotations

from hashlib import sha256

import pytest
from support.governance import LICENCE, Keys, World, rule

from spotbeam.control import approving, asking, proposing, sealing, seating, telling
from spotbeam.control.drafts import parse_draft
from spotbeam.control.hand import Hand, new_id, tried
from spotbeam.control.proposing import Attached, Proven
from spotbeam.errors import InputError, Refused, UnknownName
from spotbeam.governance.apply import apply
from spotbeam.governance.entries.accounts import Contact
from spotbeam.governance.entries.acts import PutList, PutRule
from spotbeam.governance.entries.asking import Request
from spotbeam.governance.entries.people import FileProof, QuorumRule
from spotbeam.governance.entries.words import DAY_US, HOUR_US, SECOND_US
from spotbeam.governance.history import intended
from spotbeam.governance.policy import Openings, policy
from spotbeam.record.keys import encode_base64

IMPACT = sha256(b"impact").hexdigest()


def hand(world: World, name: str, keys: Keys | None = None) -> Hand:
    held = keys or world.keys[name]
    return Hand(name, held.digest, lambda text: FileProof(encode_base64(held.sign(text))))


def taken(world: World, data: bytes) -> None:
    """Add an entry, which must not be void."""
    before = len(world.now.findings)
    world.add(data)
    assert len(world.now.findings) == before, world.last_code()


def asked(world: World, **changes: object) -> str:
    fields = {
        "verb": "activate",
        "where": ("UA",),
        "asker": "ministry-of-health",
        "channel": "letter",
        "verified": "call-back",
        "grounds": (LICENCE,),
        "answer_by_us": world.clock_us + 60 * DAY_US,
    } | changes
    body = Request(**fields)  # type: ignore[arg-type]
    name = new_id("req", world.clock_us, sha256(str(world.count).encode()).digest())
    world.count += 1
    taken(world, asking.request(world.now, body, hand(world, "rex"), id=name, now_us=7))
    return name


def drafted(world: World, text: str, request: str, attached: Attached | None = None) -> object:
    return proposing.change_body(
        world.now,
        parse_draft(text, "draft.toml"),
        attached or Attached(),
        request,
        now_us=world.clock_us,
        place="draft.toml",
    )


def propose(world: World, text: str, name: str, attached: Attached | None = None) -> str:
    body = drafted(world, text, asked(world), attached)
    data = proposing.proposal(world.now, body, IMPACT, hand(world, "ada"), id=name, now_us=7)
    taken(world, data)
    return name


def approve(world: World, name: str, *people: str) -> None:
    for person in people:
        data = approving.approval(
            world.now,
            name,
            IMPACT,
            hand(world, person),
            id=f"{name}-{person}",
            expires_us=world.clock_us + 20 * HOUR_US,
            now_us=7,
        )
        taken(world, data)


GRANT = """
[[rule]]
id = "ua-authorised"
effect = "grant"
gate = "territory"
where = ["UA"]
grounds = ["authorisation:ua-2022-02"]
guard_km = 2.5
"""


def test_from_a_request_to_a_rule_in_force() -> None:
    world = World()
    name = propose(world, GRANT, "c1")
    approve(world, name, "bo", "cy")
    world.anchor()
    assert world.status(name) == "bound"
    found = intended(world.now, world.clock_us)
    assert [each.rule.id for each in found.rules] == ["ua-authorised"]
    assert found.rules[0].rule.guard_km == "2.5"


def test_a_list_goes_in_by_its_root_and_opens_with_its_rows() -> None:
    world = World()
    rows = tuple((f"kit-{n}", bytes([n]) * 16) for n in range(3))
    text = """
[[list]]
name = "kits"
file = "kits.csv"

[[sponsor]]
id = "relief"
until = 2030-01-01T00:00:00Z
"""
    name = propose(world, text, "c1", Attached(lists={"kits": rows}))
    approve(world, name, "bo", "cy")
    world.anchor()
    found = intended(world.now, world.clock_us)
    assert [(act.list, act.version, act.count) for act in found.lists] == [("kits", 1, 3)]
    rules = policy(found, Openings(lists={("kits", 1): rows}))
    assert rules.lists[0].terminals == {"kit-0", "kit-1", "kit-2"}
    assert rules.sponsors[0].until_us == 1_893_456_000 * SECOND_US
    assert b"kit-0" not in b"".join(world.entries)
    # The next version follows by itself.
    act = proposing.put_list(world.now, "kits", rows[:1])
    assert isinstance(act, PutList)
    assert (act.version, act.count) == (2, 1)


def test_windows_rollouts_and_drops_mean_what_they_say() -> None:
    world = World()
    body = drafted(
        world,
        GRANT
        + """
[[rollout]]
from = 2030-01-02T00:00:00Z
where = ["UA"]
""",
        asked(world),
    )
    assert body.rollout[0].from_us == 1_893_542_400 * SECOND_US  # type: ignore[attr-defined]
    name = propose(world, "from = 2030-01-01T00:00:00Z\nuntil = 2030-01-03T00:00:00Z" + GRANT, "c1")
    approve(world, name, "bo", "cy")
    world.anchor()
    in_force = [
        bool(intended(world.now, at * SECOND_US).rules)
        for at in (1_893_455_999, 1_893_456_000, 1_893_628_799, 1_893_628_800)
    ]
    assert in_force == [False, True, True, False]
    later = propose(world, 'drop_rule = ["ua-authorised"]', "c2")
    approve(world, later, "bo", "cy")
    world.anchor()
    assert not intended(world.now, 1_893_456_000 * SECOND_US).rules


def test_people_are_seated_given_keys_and_unseated() -> None:
    world = World()
    new, second = Keys("fay"), Keys("second key of cy")
    attached = Attached(
        keys={
            "fay.proof": Proven(
                person="fay",
                key=new.key,
                possession=seating.possession(
                    world.origin, world.now.genesis, "c1", hand(world, "fay", new)
                ),
            ),
            "cy.proof": Proven(
                person="cy",
                key=second.key,
                possession=seating.possession(
                    world.origin, world.now.genesis, "c1", hand(world, "cy", second)
                ),
            ),
        },
        identities={"fay": "5" * 64},
    )
    text = """
unseat = ["eli"]
[[seat]]
id = "fay"
factor = "civil"
roles = ["approver"]
keys = ["fay.proof"]
[[add_key]]
person = "cy"
key = "cy.proof"
[[factor]]
id = "press"
name = "Press"
party = "a-union"
[quorum]
persons = 3
factors = 2
[witnesses]
quorum = "q"
group = [{ name = "q", needs = 4, members = ["w1", "w2", "w3", "w4"] }]
witness = [
"""
    quorum = world.now.witness_quorum
    assert quorum is not None
    for number, line in enumerate(quorum.policy.splitlines()[1:4], 1):
        key = line.split()[2]
        text += f'{{name="w{number}", key="{key}", url="http://w{number}.example", '
        text += f'organisation="org-{number}", mirror=true}},\n'
    from support.governance import seed

    from spotbeam.record.keys import COSIGNATURE_ED25519, signer_from_seed

    fourth = signer_from_seed("w4.example", COSIGNATURE_ED25519, seed("w4")).key
    text += f'{{name="w4", key="{fourth}", url="http://w4.example", organisation="org-4"}}]\n'
    name = propose(world, text, "c1", attached)
    approve(world, name, "bo", "cy")
    world.anchor(by=("w1", "w2", "w3", "w4"))
    assert world.status(name) == "bound", world.now.changes[name].stood_still
    seated = world.now.seated
    assert seated.persons["fay"].factor == "civil"
    assert second.digest in seated.persons["cy"].keys
    assert seated.persons["eli"].has_left
    assert seated.quorums[-1][1].persons == 3
    assert "press" in seated.factors


def test_a_proof_of_somebody_elses_key_seats_nobody() -> None:
    world = World()
    other = Keys("somebody")
    proof = seating.possession(world.origin, world.now.genesis, "c1", hand(world, "gus", other))
    attached = Attached(
        keys={"k": Proven(person="gus", key=other.key, possession=proof)},
        identities={"fay": "5" * 64},
    )
    text = '[[seat]]\nid="fay"\nfactor="civil"\nroles=["approver"]\nkeys=["k"]'
    with pytest.raises(InputError, match="proves a key of 'gus', not of 'fay'"):
        drafted(world, text, asked(world), attached)


def test_refusals_withdrawals_revocations_and_contacts() -> None:
    world = World()
    one, two = asked(world), asked(world)
    data = asking.refusal(
        world.now, one, (LICENCE,), "No licence there.", hand(world, "cy"), id="r1", now_us=7
    )
    taken(world, data)
    assert world.now.requests[one].status == "refused"
    taken(world, asking.withdrawal(world.now, two, hand(world, "rex"), id="r2", now_us=7))
    assert world.now.requests[two].status == "withdrawn"
    contact = Contact(person="dee", party="a-state", where=("UA",), at_us=world.clock_us)
    taken(world, telling.telling(world.now, contact, hand(world, "dee"), id="r3", now_us=7))
    assert world.now.contacts["r3"].counts
    key = world.keys["bo"].digest
    taken(world, seating.revocation(world.now, key, hand(world, "bo"), id="r4", now_us=7))
    with pytest.raises(Refused, match="revoked"):
        asking.withdrawal(world.now, one, hand(world, "bo"), id="r5", now_us=7)


def test_an_emergency_binds_with_two_and_reverts() -> None:
    world = World(quorum=QuorumRule(persons=3, factors=2))
    request = asked(world)
    text = (
        GRANT.replace('effect = "grant"', 'effect = "deny"')
        .replace('gate = "territory"', 'gate = "order"')
        .replace("guard_km = 2.5", "")
        + "emergency = true\n"
    )
    draft = parse_draft('lasts = "6h"\n' + text, "e.toml", emergency=True)
    body = proposing.emergency_body(
        world.now, draft, Attached(), request, now_us=world.clock_us, place="e.toml"
    )
    data = proposing.proposal(world.now, body, IMPACT, hand(world, "ada"), id="e1", now_us=7)
    taken(world, data)
    approve(world, "e1", "bo", "cy")
    world.anchor()
    assert world.status("e1") == "bound"
    assert intended(world.now, world.clock_us + 6 * HOUR_US - 1).rules
    assert not intended(world.now, world.clock_us + 6 * HOUR_US).rules


SEAL = """
open_by = "14d"
[bounds]
where = ["UA"]
cells = ["h3:841e265ffffffff"]
verb = "restrict"
lasts = "7d"
[[rule]]
id = "front"
effect = "deny"
gate = "cell"
where = ["h3:851e2647fffffff"]
who = { protection = ["none"] }
grounds = ["authorisation:ua-2022-02"]
"""


def test_a_seal_binds_unopened_and_its_opening_is_what_was_sealed() -> None:
    world = World()
    draft = parse_draft(SEAL.replace("851e2647fffffff", "841e265ffffffff"), "s.toml")
    request = asked(world)
    found = sealing.sealed(
        world.now,
        draft,
        Attached(),
        request,
        id="s1",
        salt=b"s" * 16,
        now_us=world.clock_us,
        place="s.toml",
    )
    taken(
        world,
        sealing.seal(world.now, found.body, IMPACT, hand(world, "ada"), id="s1", now_us=7),
    )
    approve(world, "s1", "bo", "cy")
    world.anchor()
    assert world.status("s1") == "bound"
    given = Openings(seals={"s1": (found.value, found.salt)})
    assert [each.id for each in policy(intended(world.now, world.clock_us), given).rules] == [
        "s1/1"
    ]
    with pytest.raises(Refused, match="bad_opening"):
        sealing.opening(
            world.now, "s1", found.value, b"t" * 16, hand(world, "ada"), id="o1", now_us=7
        )
    data = sealing.opening(
        world.now, "s1", found.value, found.salt, hand(world, "ada"), id="o1", now_us=7
    )
    taken(world, data)
    assert "s1" in world.now.openings


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('841e265ffffffff"]\nwho', '841e267ffffffff"]\nwho', "outside the bounds"),
        ('who = { protection = ["none"] }', "", "outside the bounds"),
        ('verb = "restrict"', 'verb = "activate"', "outside the bounds"),
        ('open_by = "14d"', "", "needs open_by"),
        ('open_by = "14d"', 'open_by = "14d"\ndrop_rule = ["a"]', "rules and nothing else"),
        ('open_by = "14d"', 'open_by = "soon"', "neither a duration nor an instant"),
    ],
)
def test_a_seal_that_could_have_no_effect_is_not_made(old: str, new: str, told: str) -> None:
    world = World()
    text = SEAL.replace("851e2647fffffff", "841e265ffffffff")
    assert old in text
    request = asked(world)
    with pytest.raises(InputError, match=told):
        sealing.sealed(
            world.now,
            parse_draft(text.replace(old, new, 1), "s.toml"),
            Attached(),
            request,
            id="s1",
            salt=b"s" * 16,
            now_us=world.clock_us,
            place="s.toml",
        )


def test_who_may_not_decide_is_told_before_anything_is_signed() -> None:
    world = World()
    name = propose(world, GRANT, "c1")

    def signs(_: bytes) -> FileProof:
        pytest.fail("somebody was asked to sign")

    def word(person: str, impact: str = IMPACT, key: str | None = None) -> None:
        asked_hand = Hand(person, key or world.keys[person].digest, signs)
        approving.approval(
            world.now, name, impact, asked_hand, id="a", expires_us=world.clock_us, now_us=7
        )

    for person, impact, key, told in (
        ("ada", IMPACT, None, "own_proposal"),
        ("rex", IMPACT, None, "not_approver"),
        ("bo", "9" * 64, None, "other_impact.*nothing is signed"),
        ("bo", IMPACT, world.keys["cy"].digest, "not_their_key.*one of cy's"),
        ("bo", IMPACT, "7" * 64, "nobody on the roster has it"),
    ):
        with pytest.raises(Refused, match=told):
            word(person, impact, key)
    with pytest.raises(Refused, match="not_seated"):
        asking.withdrawal(world.now, name, Hand("zed", "7" * 64, signs), id="w", now_us=7)
    with pytest.raises(UnknownName, match="unknown proposal 'c9'"):
        approving.pending(world.now, "c9")


def test_an_approval_that_expires_in_the_past_is_refused_as_the_record_would() -> None:
    world = World()
    name = propose(world, GRANT, "c1")
    world.anchor()
    with pytest.raises(Refused, match="expired"):
        approving.approval(
            world.now,
            name,
            IMPACT,
            hand(world, "bo"),
            id="a1",
            expires_us=world.now.witnessed_us,
            now_us=7,
        )


def test_a_rejection_by_somebody_who_may_decide_ends_a_proposal() -> None:
    world = World()
    name = propose(world, GRANT, "c1")
    data = approving.approval(
        world.now,
        name,
        IMPACT,
        hand(world, "cy"),
        id="a1",
        expires_us=world.clock_us + HOUR_US,
        now_us=7,
        word="reject",
    )
    taken(world, data)
    with pytest.raises(Refused, match="rejected already"):
        approving.pending(world.now, name)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "proposes nothing"),
        ("[[rule]", "not valid TOML.*line"),
        ("drop_rules = ['a']", "unknown key 'drop_rules'"),
        (GRANT.replace("effect", "efect"), "unknown key 'efect'"),
        (GRANT.replace("territory", "teritory"), "did you mean 'territory'"),
        (GRANT.replace('"ua-authorised"', '"UA-Rule"'), "is nothing that the record can hold"),
        (GRANT.replace('["UA"]', '["ua"]'), "is nothing that the record can hold"),
        (GRANT + 'who = { terminal = ["t-1"] }', "names no terminals"),
        (GRANT.replace("2.5", "0.1234567"), "no short decimal"),
        ("rules = []", r"write \[\[rule\]\] tables"),
        ("rule = 1", r"\[\[rule\]\] tables"),
        ('[[list]]\nname = "k"\nfile = "a"\nterminals = ["t"]', "either 'file' or 'terminals'"),
        ('[[list]]\nname = "K"\nfile = "a"', "list"),
        ("[quorum]\npersons = 1", "persons"),
    ],
)
def test_a_draft_that_says_nothing_sensible_is_one_message(text: str, told: str) -> None:
    with pytest.raises(InputError, match=f"(?s){told}"):
        parse_draft(text, "draft.toml")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            GRANT
            + '\n[bounds]\nwhere=["UA"]\ncells=["h3:841e265ffffffff"]\nverb="restrict"\nlasts=1',
            "'bounds' has no meaning in a change",
        ),
        ("from = 'soon'" + GRANT, "'soon' is not a time"),
        ("lapses = 'never'" + GRANT, "neither a duration nor an instant"),
        (GRANT.replace("ua-2022-02", "ua-2022-2"), "did you mean 'authorisation:ua-2022-02'"),
        (GRANT + "[[ground]]\nkind='authorisation'\nid='ua-2022-02'", "states the ground"),
    ],
)
def test_a_change_that_its_request_does_not_carry_is_told(text: str, told: str) -> None:
    world = World()
    with pytest.raises(InputError, match=told):
        drafted(world, text, asked(world))


def test_a_change_for_no_request_is_told() -> None:
    with pytest.raises(UnknownName, match="unknown request 'r9'"):
        drafted(World(), GRANT, "r9")


def test_unknown_grounds_are_unknown_names() -> None:
    world = World()
    with pytest.raises(UnknownName):
        drafted(world, GRANT.replace("authorisation:ua-2022-02", "order:x"), asked(world))


def test_what_the_fold_would_void_is_refused_with_its_own_words() -> None:
    world = World()
    request = asked(world)
    body = drafted(world, GRANT.replace('["UA"]', '["RO"]'), request)
    with pytest.raises(Refused, match=r"not_asked.*ground that the request does not name"):
        proposing.proposal(world.now, body, IMPACT, hand(world, "ada"), id="c1", now_us=7)
    data = world.write(world.change_body(PutRule(rule()), request="nowhere"), "ada")
    with pytest.raises(Refused):
        tried(world.now, data)
    assert apply(world.now, data).findings


def test_ids_sort_by_time_and_do_not_meet() -> None:
    early = new_id("req", 1_700_000_000 * SECOND_US, bytes(4))
    late = new_id("req", 1_700_000_001 * SECOND_US, bytes(4))
    assert early < late
    assert early.startswith("req_")
    assert len({new_id("req", 1, n.to_bytes(4, "big")) for n in range(0, 2**32, 2**27)}) == 32
