"""Rules that name ground which nobody here can place: a territory of somebody's own, or a new id.

Such a rule must neither stop a preview nor be taken to act everywhere. It is tried on the rest of
its ground, and what was left out is named.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from spotbeam.service.policy import Policy
from spotbeam.service.rules import Rule


def placed(policy: Policy, known: Collection[str]) -> Policy:
    """The policy without the ground that is not known.

    A rule of which no ground is left acts nowhere and is gone; an unknown exception excepts
    nothing.

    Args:
        policy: Any policy.
        known: Territory ids and cells that can be placed.
    """
    rules = tuple(
        rule for rule in (_placed(rule, known) for rule in policy.rules) if rule is not None
    )
    if rules == policy.rules:
        return policy
    return msgspec.structs.replace(policy, rules=rules, version="")


def unplaced(rules: Collection[Rule], known: Collection[str]) -> tuple[str, ...]:
    """The ground that some rules name and that is not known, sorted."""
    names = {name for rule in rules for name in (*rule.where, *rule.except_)}
    return tuple(sorted(names.difference(known)))


def _placed(rule: Rule, known: Collection[str]) -> Rule | None:
    where = tuple(name for name in rule.where if name in known)
    if rule.where and not where:
        return None
    except_ = tuple(name for name in rule.except_ if name in known)
    if where == rule.where and except_ == rule.except_:
        return rule
    return msgspec.structs.replace(rule, where=where, except_=except_)
