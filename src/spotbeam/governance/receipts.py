"""A receipt for one decision: which entries it needs, and what they show without the others.

A receipt holds the decision with its request and approvals, every change of the roster, of the
witness quorum and of the rules version that there ever was (each with its own request and
approvals), keys that were given up, contacts of those who approved, and the anchors that date all
this. `judge` folds just these, with the same `apply` as everybody:

- who signed was seated, by entry 0 or by changes that are in the receipt and bound there;
- enough of them approved these very bytes, in time, and none was a party to the matter.

What it cannot know is what is not there. An entry that was left out (a revocation, a contact, a
rejection, a later change) is not seen; that the rules and lists which a change reads had not moved
is not seen; that an anchor's tree is a beginning of the receipt's tree is the witnesses' word.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import get_args

from spotbeam.errors import InputError
from spotbeam.governance.entries import Entry, parse_entry
from spotbeam.governance.entries.acts import (
    CloseLog,
    ConfirmContact,
    ExtendSeal,
    Review,
    RosterAct,
    SetRules,
    SetWitnesses,
)
from spotbeam.governance.entries.asking import Lapse, Refusal, Withdrawal
from spotbeam.governance.entries.deciding import Approval, Opening, Seal
from spotbeam.governance.history import History
from spotbeam.governance.state import Proposed, State

_CONSTITUTION = (*get_args(RosterAct), SetWitnesses, SetRules, CloseLog)
_REVOCATION = b'"type":"revocation"'


def entries_for(history: History, entries: Sequence[bytes], index: int) -> tuple[int, ...]:
    """The entries that a receipt for one of them needs, ascending; counted through all logs.

    Args:
        history: The whole record, folded.
        entries: All its entries, in order.
        index: The decision: a change, emergency or seal that bound, a refusal, an opening; or any
            entry that has an effect.

    Raises:
        InputError: The entry has no effect, or decides nothing yet.
    """
    state = history.now
    if not 0 <= index < len(entries):
        raise InputError(f"there is no entry {index}: the record has {len(entries)}")
    gone = state.findings.get(index)
    if gone:
        raise InputError(
            f"entry {index} has no effect ({gone[0].code}: {gone[0].reason})",
            hint="a receipt is for a decision; --plain proves only that the entry was logged",
        )
    firsts = accumulate((log.size for log in state.earlier), initial=0)
    needed = {*firsts, index, *_about(state, parse_entry(entries[index]))}
    for proposed in state.changes.values():
        if proposed.status == "bound" and _moves_the_roster(proposed):
            needed.update(_of(state, proposed))
    needed.update(_revocations(state, entries))
    needed.update(_contacts(state, needed))
    return tuple(sorted(needed | _anchors(history, needed)))


def _about(state: State, entry: Entry) -> set[int]:
    """What one entry is about."""
    name = entry.envelope.id
    match entry.body:
        case Approval(change=digest):
            name = state.by_digest[digest]
        case Opening(seal=name):
            pass
        case Refusal(request=request) | Lapse(request=request):
            return {state.requests[request].index}
        case Withdrawal(target=target):
            name = state.approvals.get(target, target)
            if name in state.requests:
                return {state.requests[name].index}
    if name not in state.changes:
        arrival = getattr(entry.body, "arrival", None)
        return {state.seen[arrival]} if arrival else set()
    proposed = state.changes[name]
    if proposed.status == "pending":
        raise InputError(
            f"{name} has not bound: there is no decision to prove yet",
            hint="`spotbeam record show` says how it stands",
        )
    return _of(state, proposed)


def _of(state: State, proposed: Proposed) -> set[int]:
    """A proposal with everything that it rests on itself."""
    asked = state.requests[proposed.proposal.request]
    found = {asked.index, proposed.index}
    found.update(given.index for given in proposed.approvals.values())
    if proposed.bound_index is not None:
        found.add(proposed.bound_index)
    if asked.request.arrival is not None:
        found.add(state.seen[asked.request.arrival])
    for act in getattr(proposed.proposal, "acts", ()):
        if isinstance(act, Review):
            found |= _of(state, state.changes[act.emergency])
        elif isinstance(act, ConfirmContact):
            found.add(state.seen[act.contact])
        elif isinstance(act, ExtendSeal):
            found |= _of(state, state.changes[act.seal])
    return found


def _moves_the_roster(proposed: Proposed) -> bool:
    if isinstance(proposed.proposal, Seal):
        return False
    return any(isinstance(act, _CONSTITUTION) for act in proposed.proposal.acts)


def _revocations(state: State, entries: Sequence[bytes]) -> Iterator[int]:
    for index, data in enumerate(entries):
        # A look at the bytes first: parsing every entry would take as long as folding them.
        if _REVOCATION in data and index not in state.findings:
            yield index


def _contacts(state: State, needed: Iterable[int]) -> set[int]:
    """Contacts of those who approved, and what confirmed them: they may have kept them away."""
    wanted = set(needed)
    people = {
        given.person
        for proposed in state.changes.values()
        if proposed.index in wanted
        for given in proposed.approvals.values()
    }
    names = {name for person in people for name in state.contacts_of.get(person, ())}
    found = {state.seen[name] for name in names}
    for proposed in state.changes.values():
        acts = getattr(proposed.proposal, "acts", ())
        confirms = {act.contact for act in acts if isinstance(act, ConfirmContact)}
        if proposed.status == "bound" and confirms & names:
            found |= _of(state, proposed)
    return found


def _anchors(history: History, needed: Iterable[int]) -> set[int]:
    """For each entry the anchor that gave its time, and the first that covers it."""
    at = [state.newest for state in history.states]
    covers = [state.before + state.anchored_size for state in history.states]
    found = set()
    for index in needed:
        before = bisect_left(at, index) - 1
        if before >= 0:
            found.add(at[before])
        after = bisect_right(covers, index)
        if after < len(at):
            found.add(at[after])
    return found
