"""What another policy would have decided: every recorded decision of a deal is judged again, one by one, under a draft.

Each decision is judged in the deal as it was recorded, with the facts and the payload that were recorded. What would
have followed from a decision that comes out otherwise is not imagined: later decisions stand in the recorded deal.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from models.counterfactual_acts import judged_act
from models.counterfactual_checks import as_if, judged_check
from models.counterfactual_money import judged_invoices
from models.counterfactual_refusals import RefusedAct, judged_refusals
from models.counterfactual_values import Flip, Kind, Total, Walked
from models.deal import fold
from models.deal_state import Deal
from models.policy import Policy
from models.timeline import Entry


@dataclass(frozen=True, slots=True)
class Past:
    """What is on record of one deal: its timeline, the acts that were refused, and the policies it was judged by."""

    entries: Sequence[Entry]
    policies: Mapping[str, Policy]
    refused: Sequence[RefusedAct] = ()


@dataclass(frozen=True, slots=True)
class Period:
    """Decisions from an instant on, before another one. `now` is when an open deal has lasted until."""

    since: str
    until: str
    now: str

    def covers(self, at: str) -> bool:
        """Whether an instant lies within."""
        return self.since <= at < self.until


@dataclass(frozen=True, slots=True)
class Tried:
    """One deal under the draft: how many decisions were judged again, those that come out otherwise, and what they add
    up to."""

    deal_id: str
    title: str
    owner: str
    department: str
    judged: int
    flips: tuple[Flip, ...]
    totals: tuple[Total, ...] = ()


def tried(past: Past, draft: Policy, period: Period) -> Tried:
    """A deal's recorded decisions of a period under a draft. Raises ValueError for a timeline that no deal could have,
    and KeyError when a policy that it was judged by is not at hand."""
    walked = list(_walk(past, draft))
    deal = walked[-1].after
    end = walked[-1].entry.at if deal.is_closed or deal.is_test else max(walked[-1].entry.at, period.now)
    found: list[Flip] = []
    judged = 0
    for step in walked:
        if step.before is None or not period.covers(step.entry.at):
            continue
        decided = [*judged_check(step), *judged_act(step)]
        judged += any(decision.judged for decision in decided)
        found += [flip for decision in decided for flip in decision.flips]
    refusals = [each for each in past.refused if period.covers(each.at)]
    for decision in judged_refusals(walked, refusals):
        judged += decision.judged
        found += decision.flips
    for decision in judged_invoices(walked, min(end, period.until), period.covers):
        judged += decision.judged
        found += decision.flips
    flips = tuple(sorted(found, key=lambda flip: (flip.at, flip.sequence, flip.action, flip.kind)))
    return Tried(deal.id, deal.title, deal.owner, deal.department, judged, flips, tuple(added_up(flips)))


def added_up(flips: Iterable[Flip]) -> list[Total]:
    """How many decisions come out otherwise, with their amounts: by kind, by what is measured, and by currency."""
    sums: dict[tuple[Kind, str, str], list[int]] = {}
    for flip in flips:
        counted = sums.setdefault((flip.kind, flip.measure, flip.currency), [0, 0])
        counted[0] += 1
        counted[1] += flip.amount_minor
    order = list(Kind)
    return [
        Total(kind, measure, currency, count, amount)
        for (kind, measure, currency), (count, amount) in sorted(
            sums.items(), key=lambda item: (order.index(item[0][0]), item[0][1:])
        )
    ]


def _walk(past: Past, draft: Policy) -> Iterator[Walked]:
    """The timeline step by step, each with the policy that judged it and the draft under the same rules."""
    deal: Deal | None = None
    found = None
    for entry in past.entries:
        before, deal = deal, fold([entry], deal)
        policy = past.policies[entry.policy_version]
        # a deal keeps its rules: the draft's numbers are tried under those of the deal
        step = Walked(before, entry, deal, policy, replace(draft, rules=policy.rules), found)
        found = as_if(step)
        yield step
