"""Refused acts under another policy, as far as they can be judged: a refusal keeps what its guards found, not what was
asked in full, so that guards which need the payload or an answer from outside leave it undecided."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from models.command import Actor, Context, Facts
from models.counterfactual_acts import flip_of, words
from models.counterfactual_checks import checked_under
from models.counterfactual_values import Decision, Kind, Walked
from models.deal import judge_guards
from models.errors import Verdict
from models.lifecycle.deal_table import DEAL
from models.lifecycle.guards import GUARDS
from models.lifecycle.table import Row
from models.policy import Policy

READS = {
    "amendment_within_authority": ("discount_authority", "margin_floor"),
    "approval_is_needed": ("discount_authority",),
    "changes_are_possible": ("lines_max",),
    "difference_is_small": ("money",),
    "discount_is_possible": ("discount_authority",),
    "discount_within_approver": ("discount_authority",),
    "discount_within_authority": ("discount_authority",),
    "headroom_is_available": ("reliability",),
    "interest_is_charged": ("interest",),
    "legal_is_next": ("ladder",),
    "legal_within_authority": ("money",),
    "margin_is_kept": ("margin_floor",),
    "option_is_open": ("shortage",),
    "promise_is_not_too_long": ("money",),
    "reliability_is_fresh": ("reliability",),
    "signing_within_authority": ("signing_authority",),
    "validity_is_ahead": ("offer_validity_max",),
    "waiver_within_authority": ("money",),
    "waiver_within_what_is_owed": ("interest",),
    "write_off_within_authority": ("write_off_authority",),
}
"""The numbers of a policy that guards look at; a guard that is not named looks at none."""


@dataclass(frozen=True, slots=True)
class RefusedAct:
    """An act that guards refused: who asked (with the roles that are known of them), when by the wall clock, and the
    verdicts that failed, and the state that the deal was in."""

    at: str
    actor: str
    roles: tuple[str, ...]
    action: str
    failing: tuple[Verdict, ...]
    state: str = ""


def judged_refusals(walked: Sequence[Walked], refused: Sequence[RefusedAct]) -> Iterator[Decision]:
    """Each refused act whose guards look at numbers of the policy, under the draft."""
    for act in refused:
        step = _standing(walked, act.at)
        if step is None or not act.failing or not _could_matter(act, step.policy, step.draft):
            continue
        row = DEAL.row(step.after.state, act.action)
        elsewhere = row is None or act.state not in ("", step.after.state)
        yield Decision(False) if row is None or elsewhere else _judged(act, step, row)


def _judged(act: RefusedAct, step: Walked, row: Row) -> Decision:
    deal = checked_under(step.after, step.policy, step.draft)
    role = next((role for role in act.roles if role in row.roles), "")
    now = max(act.at, step.entry.at) if not deal.is_test else step.entry.at
    context = Context(deal, Actor(act.actor, act.roles), role, None, Facts(), step.draft, now)
    tried = {verdict.guard: verdict for verdict in judge_guards(row, context)}
    asked = {verdict.guard for verdict in act.failing}
    still = [verdict for verdict in tried.values() if not verdict.ok]
    if still or not role:
        return Decision(bool(role))
    open_questions = [name for name in row.guards if GUARDS[name].needs and _is_open(name, asked, step)]
    recorded = words(list(act.failing))
    if not open_questions:
        now_held = [tried[name] for name in asked]
        flip = flip_of(deal, act.at, 0, act.action, Kind.ALLOWED, recorded, words(now_held), now_held)
        return Decision(True, (replace(flip, recorded=f"refused, {recorded}"),))
    told = f"depends on {', '.join(open_questions)}, which needs what the refusal does not keep"
    flip = flip_of(deal, act.at, 0, act.action, Kind.UNDECIDED, f"refused, {recorded}", told, list(act.failing))
    return Decision(False, (flip,))


def _is_open(guard: str, failed: set[str], step: Walked) -> bool:
    """Whether nobody knows what a guard would have said: it failed and can't be judged here, or it was not asked."""
    if guard in failed:
        return True
    if GUARDS[guard].since > step.policy.rules:
        return False
    # a guard on the payload held when the others failed, and does so again unless it looks at other numbers
    return GUARDS[guard].needs != "payload" or _differs(guard, step.policy, step.draft)


def _could_matter(act: RefusedAct, policy: Policy, draft: Policy) -> bool:
    """Whether all guards that said no look at numbers that the draft changes."""
    return all(_differs(verdict.guard, policy, draft) for verdict in act.failing)


def _differs(guard: str, policy: Policy, draft: Policy) -> bool:
    return any(getattr(policy, name) != getattr(draft, name) for name in READS.get(guard, ()))


def _standing(walked: Sequence[Walked], at: str) -> Walked | None:
    """The step after which the deal stood when something was refused by the wall clock. A test deal's own clock says
    nothing about that; what its engine did by itself belongs to the act before."""
    found: Walked | None = None
    for step in walked:
        asked_at = str(step.entry.receipt["asked_at"]) if step.entry.receipt else ""
        known_at = asked_at or ("" if step.after.is_test else step.entry.at)
        if known_at > at:
            return found
        if known_at or found is not None:
            found = step
    return found
