"""Acts of people and machine clients under another policy: the same guards on the same deal, with other numbers."""

from collections.abc import Iterator
from dataclasses import replace

from models import codec
from models.command import SYSTEM_USER, Actor, Context, Facts
from models.counterfactual_checks import checked_under, facts_under
from models.counterfactual_values import Decision, Flip, Kind, Walked
from models.deal import judge_guards
from models.deal_state import Deal
from models.errors import Verdict
from models.lifecycle.deal_table import DEAL
from models.lifecycle.table import Row
from models.rules import ACTIONS
from models.stages.negotiation import ask_headroom
from models.timeline import Entry

AUTHORITY = {
    "discount_within_authority": "offer",
    "discount_within_approver": "offer",
    "signing_within_authority": "contract",
    "write_off_within_authority": "write_off",
    "waiver_within_authority": "waiver",
    "legal_within_authority": "legal",
    "amendment_within_authority": "amendment",
}
"""Guards that ask for somebody with more authority, and what kind of approval they are about."""

NEEDLESS = "approval_is_needed"
"""The guard that fails when no approval is needed any more."""

DISCOUNTS = frozenset({NEEDLESS, "discount_within_authority", "discount_within_approver", "discount_is_possible"})

MOVING = frozenset({"adopt_policy"})
"""Acts about the policy itself, which no draft can judge."""


def judged_act(step: Walked) -> Iterator[Decision]:
    """One act under both policies. What the engine did by itself is no decision of this kind."""
    entry, before = step.entry, step.before
    if before is None or entry.actor == SYSTEM_USER or entry.action in MOVING:
        return
    row = DEAL.row(before.state, entry.action)
    if row is None:
        return
    context = _context(step, before)
    new = replace(context, deal=checked_under(before, step.policy, step.draft), policy=step.draft)
    if context.facts.headroom is not None:
        asked = ask_headroom(context).amount_minor
        new = replace(new, facts=facts_under(before, context.facts, asked, step.check, step.draft))
    yield _compared(step, row, context, new)


def flip_of(
    deal: Deal, at: str, sequence: int, action: str, kind: Kind, recorded: str, tried: str, guards: list[Verdict]
) -> Flip:
    """A flip with what is at stake: the discount, the amount asked for, or else the worth of the deal."""
    measure, amount = stake(deal, [verdict.guard for verdict in guards])
    return Flip(at, sequence, action, kind, recorded, tried, measure, amount, deal.currency)


def stake(deal: Deal, guards: list[str]) -> tuple[str, int]:
    """What a decision is about in money: its measure, and minor units."""
    if deal.offer is not None and DISCOUNTS & set(guards):
        return "discount", deal.offer.list_minor - deal.offer.net_minor
    for guard in guards:
        asked = deal.pending_approval(AUTHORITY.get(guard, ""))
        if asked is not None:
            return asked.kind, asked.amount
    return "worth", deal.value_minor


def words(verdicts: list[Verdict]) -> str:
    """What guards found, in one line."""
    return "; ".join(f"{verdict.guard}: {verdict.found}" for verdict in verdicts)


def _compared(step: Walked, row: Row, context: Context, new: Context) -> Decision:
    recorded = judge_guards(row, context, final=True)
    if not all(verdict.ok for verdict in recorded):
        return Decision(False)  # other code accepted it: what it saw is not known here
    tried = {verdict.guard: verdict for verdict in judge_guards(row, new, final=True)}
    failing = [tried[v.guard] for v in recorded if v.guard in tried and not tried[v.guard].ok]
    if not failing:
        return Decision(True)
    old = [verdict for verdict in recorded if verdict.guard in {v.guard for v in failing}]
    # an offer is in the deal only after it was drafted
    deal = step.after if step.entry.action == "draft_offer" else new.deal
    entry, kind = step.entry, _kind(failing)
    flip = flip_of(deal, entry.at, entry.sequence, entry.action, kind, words(old), words(failing), failing)
    return Decision(True, (flip,))


def _kind(failing: list[Verdict]) -> Kind:
    names = {verdict.guard for verdict in failing}
    if names == {NEEDLESS}:
        return Kind.NO_APPROVAL
    able = all(verdict.lifted_by for verdict in failing)
    return Kind.MORE_AUTHORITY if names <= set(AUTHORITY) and able else Kind.REFUSED


def _context(step: Walked, before: Deal) -> Context:
    entry = step.entry
    payload = codec.decode(ACTIONS[entry.action].payload, entry.payload)
    facts = codec.decode(Facts, entry.facts)
    return Context(before, actor_of(entry), entry.role, payload, facts, step.policy, entry.at)


def actor_of(entry: Entry) -> Actor:
    """Who acted, with all roles where the entry names them, else with the one that counted."""
    roles = tuple(entry.receipt["roles"]) if entry.receipt else (entry.role,)
    return Actor(entry.actor, roles, entry.on_behalf_of)
