"""One invoice as accounts receivable see it: its ladder, disputes, promises, plans, and what its lateness costs."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from infra.desk.amounts import money
from models.deal_state import Deal
from models.parts.receivable import Dispute, Plan, PromiseMade, Receivable
from models.policy import Policy
from models.stages.accruing import bears_interest, fee_of, interest_of, is_claimed, uncharged
from models.stages.group_hold import CREDIT_HOLD
from models.stages.ladder import asks_for_hold, next_rung, rung_due

Plain = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Counted:
    """An invoice as it stood on a day (ISO date), for interest; `owed` is None when it was not issued by then."""

    day: str
    owed: Receivable | None


def days_late(due_at: str, day: str) -> int:
    """Calendar days from the due day to a day (ISO date); 0 before."""
    return max(0, (date.fromisoformat(day) - date.fromisoformat(due_at[:10])).days)


def collection(deal: Deal, owed: Receivable, policy: Policy, counted: Counted) -> Plain:
    """How an invoice is collected; interest until the day that was asked for."""
    return {
        "settled_at": owed.settled_at,
        "charged_for": owed.charged_for,
        "charged_by": [note.number for note in deal.receivables if note.charged_for == owed.number],
        "unapplied": money(owed.unapplied_minor, owed.currency),
        "ladder": _ladder(deal, owed, policy),
        "disputes": [_dispute(each, owed.currency) for each in owed.disputes],
        "promises": [_promise(each, owed.currency) for each in owed.promises],
        "broken_promises": owed.broken_promises,
        "plans": [_plan(each, owed.currency) for each in owed.plans],
        "interest": _interest(owed.currency, counted, policy),
    }


def holds_credit(deal: Deal, owed: Receivable, policy: Policy) -> bool:
    """Whether the deal is on credit hold because of this invoice, perhaps among others."""
    return CREDIT_HOLD in deal.holds and owed.collectable_minor > 0 and asks_for_hold(owed, policy)


def _ladder(deal: Deal, owed: Receivable, policy: Policy) -> Plain:
    rung = next_rung(owed, policy)
    waits = _waits_for(deal, owed)
    due_at = "" if rung is None or waits else rung_due(owed, rung, policy, deal.customer_country or deal.country)
    return {
        "reached": [{"rung": each.rung, "at": each.at} for each in owed.reached],
        "next": {"rung": rung.action, "letter": rung.letter, "due_at": due_at} if rung else None,
        "waits_for": waits,
        "paused_since": owed.paused_at,
    }


def _waits_for(deal: Deal, owed: Receivable) -> str:
    """What has to end before the next rung comes: a dispute, plan, promise or decision about legal; else empty."""
    if owed.is_settled:
        return ""
    if owed.collectable_minor <= 0:
        return "dispute"
    if owed.plan is not None:
        return "plan"
    if owed.promised_until:
        return "promise"
    asked = deal.pending_approval("legal")
    return "legal_approval" if asked is not None and asked.subject == owed.number else ""


def _dispute(each: Dispute, currency: str) -> Plain:
    same = ("number", "reason", "evidence", "raised_at", "due_at", "settled", "outcome", "ended_at")
    return {name: getattr(each, name) for name in same} | {
        "amount": money(each.amount_minor, currency),
        "credited": money(each.credited_minor, currency),
        "lines": [{"line": part.line, "amount": money(part.amount_minor, currency)} for part in each.lines],
    }


def _promise(each: PromiseMade, currency: str) -> Plain:
    same = ("made_at", "until", "outcome", "ended_at")
    return {name: getattr(each, name) for name in same} | {"amount": money(each.amount_minor, currency)}


def _plan(plan: Plan, currency: str) -> Plain:
    """A plan; what was paid counts for its first instalments first."""
    parts, left = [], plan.paid_minor
    for number, each in enumerate(plan.instalments, start=1):
        paid = min(left, each.amount_minor)
        left -= paid
        amounts = {"amount": money(each.amount_minor, currency), "paid": money(paid, currency)}
        parts.append({"number": number, "due_at": each.due_at} | amounts)
    same = ("agreed_at", "agreed_by", "outcome", "ended_at")
    amounts = {"total": money(plan.total_minor, currency), "paid": money(plan.paid_minor, currency)}
    return {name: getattr(plan, name) for name in same} | amounts | {"instalments": parts}


def _interest(currency: str, counted: Counted, policy: Policy) -> Plain:
    owed, day = counted.owed, counted.day
    rate = policy.interest.rate_on(day) if owed is not None and bears_interest(owed, policy) else 0
    amounts = dict.fromkeys(("interest", "lump_sum", "charged", "waived", "uncharged"), 0)
    if owed is not None:
        amounts = {
            "interest": interest_of(owed, policy, day),
            "lump_sum": fee_of(owed, policy),
            "charged": owed.charged_minor,
            "waived": owed.waived_minor,
            "uncharged": uncharged(owed, policy, day),
        }
    claimed = owed is not None and rate > 0 and is_claimed(owed, policy)
    told = {name: money(amount, currency) for name, amount in amounts.items()}
    return {"as_of": day, "rate_bps": rate, "claimed": claimed} | told
