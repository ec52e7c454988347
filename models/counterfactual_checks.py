"""Reliability under another policy: class, credit limit and terms of the same findings, and what follows for headroom
and for how long the check counts."""

from collections.abc import Iterator
from dataclasses import replace

from models import codec
from models.command import Facts
from models.counterfactual_values import Check, Decision, Flip, Kind, Walked
from models.deal_state import Deal
from models.instants import plus
from models.messages.finance import HeadroomResult, ReliabilityFacts
from models.parts.credit import Assessment, assess
from models.policy import Policy
from models.rules import ACTIONS
from models.stages.reliability import ReliabilityReport

CHECKS = ("pass_check", "refer_check", "reject_check")
_WAYS = {"A": "passes", "B": "passes", "C": "a person decides", "D": "a person decides", "E": "is rejected"}


def as_if(step: Walked) -> Check | None:
    """The reliability check that stands after a step."""
    found = _found(step)
    return step.check if found is None else Check(found, step.entry.at)


def judged_check(step: Walked) -> Iterator[Decision]:
    """A reliability check under both policies."""
    found = _found(step)
    if found is None:
        return
    old, new = (assess(found, policy, step.entry.at) for policy in (step.policy, step.draft))
    same = all(
        getattr(old, name) == getattr(new, name) for name in ("grade", "limit_minor", "payment_days", "valid_until")
    )
    if same:
        yield Decision(True)
        return
    kind = Kind.TERMS if _WAYS[old.grade] == _WAYS[new.grade] else Kind.CLASS
    flip = Flip(
        step.entry.at, step.entry.sequence, "reliability_check", kind, _told(old), _told(new), "credit_limit",
        new.limit_minor - old.limit_minor, step.after.currency,
    )  # fmt: skip
    yield Decision(True, (flip,))


def checked_under(deal: Deal, step_policy: Policy, draft: Policy) -> Deal:
    """The deal whose check counts for as long as the draft says, unless a person set that time."""
    made = deal.assessment
    if made is None or made.valid_until != plus(made.made_at, step_policy.reliability.valid_for):
        return deal
    return replace(deal, assessment=replace(made, valid_until=plus(made.made_at, draft.reliability.valid_for)))


def facts_under(deal: Deal, facts: Facts, amount_minor: int, check: Check | None, draft: Policy) -> Facts:
    """The recorded facts with the headroom that the draft's credit limit would have left.

    Only a limit that came from the check itself is another one: what the risk officer fixed, or set for this deal,
    stays.
    """
    told, made = facts.headroom, deal.assessment
    if told is None or check is None or made is None or not amount_minor:
        return facts
    if not told.limit_minor == deal.credit_limit_minor == made.limit_minor:
        return facts
    limit = assess(check.found, draft, check.at).limit_minor
    if limit == told.limit_minor:
        return facts
    return replace(facts, headroom=HeadroomResult(told.used_minor + amount_minor <= limit, limit, told.used_minor))


def _found(step: Walked) -> ReliabilityFacts | None:
    if step.entry.action not in CHECKS:
        return None
    report: ReliabilityReport = codec.decode(ACTIONS[step.entry.action].payload, step.entry.payload)
    return report.found


def _told(made: Assessment) -> str:
    terms = "prepaid" if made.prepaid else f"net {made.payment_days}"
    return (
        f"class {made.grade}, {_WAYS[made.grade]}: limit {made.limit_minor}, {terms}, counts until "
        f"{made.valid_until[:10]}"
    )
