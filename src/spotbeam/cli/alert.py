"""`spotbeam alert`: what follows what in the record, and who has taken it up."""

from __future__ import annotations

from typing import Annotated, Literal

import cyclopts

from spotbeam.assembly.sending import checked
from spotbeam.assembly.telling import chronicle_of, own_record
from spotbeam.chronicle.reading import Chronicle
from spotbeam.chronicle.words import quoted
from spotbeam.cli.output import console, print_json, say, table
from spotbeam.cli.reads import Flag, Reads
from spotbeam.cli.signing import Signer, show_facts
from spotbeam.cli.telling import put
from spotbeam.control.wording import places, plain
from spotbeam.errors import UnknownName
from spotbeam.governance.entries.accounts import AlertAct
from spotbeam.times import format_time
from spotbeam.watch.alerts import alerts
from spotbeam.watch.replay import replay as run_again
from spotbeam.watch.rules import RULES, Level
from spotbeam.watch.standing import Standing, pages, standings

_BY, _READS = Signer(), Reads()


def show_all(
    *,
    all: Flag = False,
    rule: str | None = None,
    level: Level | None = None,
    reads: Reads = _READS,
) -> None:
    """List alerts, one line for each cause, gravest first; those that are muted are marked.

    Parameters
    ----------
    all
        Closed and muted ones too.
    rule
        Of one rule only, as A1.
    level
        Of one level only.
    """
    if rule is not None and rule not in RULES:
        raise UnknownName("alert rule", rule, list(RULES), place="--rule")
    found = [
        each
        for each in _standings(reads.chronicle(), reads.at_us)
        if rule in (None, each.alert.rule) and level in (None, each.alert.level)
    ]
    muted = sum(each.silenced_by is not None for each in found)
    closed = sum(each.status == "closed" for each in found)
    kept = [each for each in found if all or each.is_open]
    if reads.json:
        print_json(kept)
        return
    for page in pages(kept):
        first = page.first
        mark = f", muted by {first.silenced_by}" if first.silenced_by else ""
        say(f"{page.level:8}  {first.alert.id}  {first.status}{mark}")
        say(f"          {page.says}")
    if not kept:
        say("No alert is open.")
    if not all and (muted or closed):
        say(f"{muted:,} muted and {closed:,} closed ones are not shown: --all")


def show(alert: str, /, *, reads: Reads = _READS) -> None:
    """Say what an alert rests on, and what people did with it.

    Parameters
    ----------
    alert
        The alert.
    """
    chronicle = reads.chronicle()
    stands = _one(chronicle, alert, reads.at_us)
    if reads.json:
        print_json(stands)
        return
    found = stands.alert
    facts = [
        ("alert", f"{found.id} ({found.rule}: {RULES[found.rule].title})"),
        ("level", found.level),
        ("stands", stands.status),
        ("true since", format_time(found.at_us)),
        ("on record since", format_time(found.known_us)),
        ("says", plain(found.says)),
    ]
    facts += [("evidence", f"{name} (entry {chronicle.now.seen[name]})") for name in found.evidence]
    if found.where:
        facts.append(("where", places(found.where)))
    if found.named:
        facts.append(("names", ", ".join(map(chronicle.name_of, found.named))))
    if stands.silenced_by is not None and stands.silenced_until_us is not None:
        until = format_time(stands.silenced_until_us)
        facts.append(("muted", f"by {stands.silenced_by} until {until}"))
    facts += [
        ("act", f"{told.by} {told.body.act}: {plain(quoted(told.body.words))}")
        for told in stands.acts
    ]
    show_facts(facts)
    if found.level == "critical" and stands.status != "closed":
        say("  to close it: two persons of two factors, neither named by it")


def acknowledge(alert: str, /, *, words: str = "seen", by: Signer = _BY) -> None:
    """Take up an alert.

    Parameters
    ----------
    alert
        The alert.
    words
        What you do about it.
    """
    _act(alert, "acknowledge", words, by)


def explain(alert: str, /, *, words: str, by: Signer = _BY) -> None:
    """Say what explains an alert; it stays open.

    Parameters
    ----------
    alert
        The alert.
    words
        What explains it.
    """
    _act(alert, "explain", words, by)


def escalate(alert: str, /, *, words: str, by: Signer = _BY) -> None:
    """Hand an alert on.

    Parameters
    ----------
    alert
        The alert.
    words
        To whom, and why.
    """
    _act(alert, "escalate", words, by)


def close(alert: str, /, *, words: str, by: Signer = _BY) -> None:
    """Close an alert. A critical one needs two persons of two factors; nobody whom it names.

    Parameters
    ----------
    alert
        The alert.
    words
        Why it is closed.
    """
    _act(alert, "close", words, by)


def silence(
    rule: str,
    /,
    *,
    until: str,
    words: str,
    where: Annotated[list[str] | None, cyclopts.Parameter(negative=())] = None,
) -> None:
    """Print a draft that mutes a rule, visibly; it is proposed and approved as any change.

    Parameters
    ----------
    rule
        The rule, as A6; A15 is never muted.
    until
        Until when, RFC 3339 with Z: 30 days at most from when it binds.
    words
        Why.
    where
        Only on this ground; give it again for more.
    """
    import json

    if rule not in RULES:
        raise UnknownName("alert rule", rule, list(RULES))
    print("# spotbeam change propose FILE.toml --request …")
    print("[[silence]]")
    print(f"rule = {json.dumps(rule)}")
    print(f"where = {json.dumps(list(where or ()))}")
    print(f"until = {json.dumps(until)}")
    print(f"words = {json.dumps(words, ensure_ascii=False)}")


def replay(*, reads: Reads = _READS) -> None:
    """Run every rule over the past: list what came late, and each decision it bears on."""
    chronicle = reads.chronicle()
    found = run_again(chronicle, reads.at_us)
    if reads.json:
        print_json(found)
        return
    for each in found:
        say(f"{each.told}, on record since {format_time(each.known_us)}, bears on:")
        for name in each.decisions:
            say(f"  {name} (entry {chronicle.now.seen[name]})")
        for alert in each.alerts:
            say(f"  {alert.level} {alert.id}: {alert.says}")
    if not found:
        say("Nothing that came late bears on a decision.")


def rules(*, json: Flag = False) -> None:
    """List the alert rules: what each watches, and when it is raised.

    Parameters
    ----------
    json
        Print JSON.
    """
    if json:
        print_json(list(RULES.values()))
        return
    rows = [[each.id, each.level, each.title, each.when] for each in RULES.values()]
    console().print(table("Alert rules", ["rule", "level", "what", "raised when"], rows))


def _act(
    alert: str,
    act: Literal["acknowledge", "explain", "escalate", "close"],
    words: str,
    by: Signer,
) -> None:
    chronicle = chronicle_of(own_record(by.here))
    stands = _one(chronicle, alert, Reads(workspace=by.workspace).at_us)
    body = checked(AlertAct, "--", alert=alert, act=act, words=words)
    who = by.signing().hand.person
    what = f"{who} has signed to {act} {alert}"
    if act == "close" and who in stands.alert.named:
        what += "; it names them, so it stays open"
    elif act == "close" and stands.alert.level == "critical" and not stands.closing:
        what += "; it is critical, and needs a second person of another factor"
    put(by, body, prefix="aac", title=f"Sign to {act} an alert", what=what)


def _standings(chronicle: Chronicle, at_us: int) -> tuple[Standing, ...]:
    return standings(chronicle, alerts(chronicle, at_us), at_us)


def _one(chronicle: Chronicle, name: str, at_us: int) -> Standing:
    known = {each.alert.id: each for each in _standings(chronicle, at_us)}
    if name not in known:
        raise UnknownName("alert", name, sorted(known))
    return known[name]
