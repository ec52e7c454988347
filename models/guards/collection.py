"""Guards of collection under the third rules: differences, reversals, plans, interest and its waiver, legal."""

from collections import Counter
from typing import Any

from models.command import Context
from models.instants import DAY, between, plus
from models.lifecycle.guards import guard
from models.parts.receivable import Receivable
from models.policy import able
from models.stages.accruing import is_chargeable
from models.stages.giving_up import waivable
from models.stages.ladder import next_rung

LEGAL_RUNG = "hand_to_legal"


def _owed(ctx: Context) -> Receivable | None:
    return ctx.deal.receivable(ctx.payload.invoice)


@guard("a deal under the rules that know plans, interest and waivers", "nobody: a deal keeps its rules")
def rules_know_collection(ctx: Context) -> tuple[bool, Any]:
    """Acts that came with the third generation of rules."""
    return ctx.policy.rules >= 3, f"policy {ctx.policy.version}, rules {ctx.policy.rules}"


@guard("a day of receipt that is not in the future", "the asker: the bank's day", needs="payload", since=3)
def received_in_the_past(ctx: Context) -> tuple[bool, Any]:
    """Money that has not come in pays nothing."""
    day = ctx.payload.received_on
    return not day or day <= ctx.now[:10], day or "today"


@guard(
    "no more missing than bank charges within the tolerance, or the cash discount in time",
    "the asker: the amount without charges or discount",
    needs="payload",
    since=3,
)
def difference_is_small(ctx: Context) -> tuple[bool, Any]:
    """Small differences are forgiven by policy; others are collected, disputed or written off."""
    p, owed = ctx.payload, _owed(ctx)
    if not p.charges_minor and not p.discount_minor:
        return True, "nothing missing"
    if owed is None:
        return False, "no such invoice"
    money = ctx.policy.money
    most = min(money.charges_minor.get(owed.currency, 0), owed.total_minor * money.charges_bps // 10_000)
    charges = max(0, most - owed.tolerated_minor)
    until = plus(owed.issued_at, money.discount_days * DAY)[:10]
    in_time = (p.received_on or ctx.now[:10]) <= until
    discount = owed.total_minor * money.discount_bps // 10_000 if in_time else 0
    whole = p.amount_minor + p.charges_minor + p.discount_minor
    # a discount is for paying everything that is left, so that it is taken once
    fits = whole == owed.open_minor if p.discount_minor else whole <= owed.open_minor
    found = f"{p.charges_minor} of {charges} charges, {p.discount_minor} of {discount} discount until {until}"
    return p.charges_minor <= charges and p.discount_minor <= discount and fits, found


@guard("a credit note within what was neither credited nor given up", "the asker: a smaller amount", needs="payload")
def credit_within_total(ctx: Context) -> tuple[bool, Any]:
    """Nobody credits more than was invoiced."""
    owed = _owed(ctx)
    if owed is None:
        return False, "no such invoice"
    return ctx.payload.amount_minor <= owed.creditable_minor, f"{owed.creditable_minor} can be credited"


@guard("no more than was invoiced in all credit notes", "the asker: a smaller amount", needs="payload", since=3)
def not_credited_twice(ctx: Context) -> tuple[bool, Any]:
    """Credit that was granted beyond the open amount and used elsewhere counts, even if the payment went back."""
    owed = _owed(ctx)
    if owed is None:
        return False, "no such invoice"
    return ctx.payload.amount_minor <= owed.creditable_minor, f"{owed.creditable_minor} can be credited"


@guard("no more than came in on this invoice", "the asker: a smaller amount or another invoice", needs="payload")
def payment_can_go_back(ctx: Context) -> tuple[bool, Any]:
    """What never came in can't go back."""
    owed = _owed(ctx)
    if owed is None:
        return False, "no such invoice"
    return ctx.payload.amount_minor <= owed.reversible_minor, f"{owed.reversible_minor} came in"


@guard("credit of another invoice, for no more than is open", "the asker: a smaller amount", needs="payload")
def credit_is_there(ctx: Context) -> tuple[bool, Any]:
    """Only credit that is there is set off, against what can be collected."""
    owed, source = _owed(ctx), ctx.deal.receivable(ctx.payload.source)
    left = source.unapplied_minor if source else 0
    opened = owed.collectable_minor if owed else 0
    return ctx.payload.amount_minor <= min(left, opened), f"{left} of credit, {opened} open"


@guard("lines of this invoice, for no more than they cost", "the asker: other lines", needs="payload", since=3)
def disputed_lines_were_billed(ctx: Context) -> tuple[bool, Any]:
    """A dispute by line is about what was invoiced, once."""
    owed = _owed(ctx)
    if owed is None:
        return False, "no such invoice"
    left: Counter[int] = Counter()
    for line in owed.lines:  # a line stands there twice when a prepayment is deducted of it
        left[line.line] += line.gross_minor
    for frozen in (each for d in owed.disputes if not d.settled for each in d.lines):
        left[frozen.line] -= frozen.amount_minor
    wrong = [str(each.line) for each in ctx.payload.lines if each.amount_minor > left.get(each.line, 0)]
    return not wrong, f"not billed or disputed already: {', '.join(wrong)}" if wrong else "billed"


@guard("a date within the longest time for promises", "the asker: an earlier date", needs="payload", since=3)
def promise_is_not_too_long(ctx: Context) -> tuple[bool, Any]:
    """A promise is no way to change the terms of payment."""
    latest = plus(ctx.now, ctx.policy.money.promise_longest)
    return ctx.payload.until <= latest, f"{ctx.payload.until}, at the latest {latest}"


@guard("no payment plan for this invoice", "accounts_receivable: agree_plan replaces it", needs="payload", since=3)
def no_plan_runs(ctx: Context) -> tuple[bool, Any]:
    """A plan has its own clocks."""
    owed = _owed(ctx)
    plan = owed.plan if owed else None
    return plan is None, f"plan of {plan.agreed_at[:10]}" if plan else "none"


@guard("instalments that add up to what can be collected", "the asker: other amounts", needs="payload")
def plan_adds_up(ctx: Context) -> tuple[bool, Any]:
    """A plan is about all that is open and not disputed."""
    owed = _owed(ctx)
    if owed is None:
        return False, "no such invoice"
    total = sum(each.amount_minor for each in ctx.payload.instalments)
    return total == owed.collectable_minor, f"{total} planned, {owed.collectable_minor} to collect"


@guard("instalments in the future", "the asker: later dates", needs="payload")
def plan_dates_are_ahead(ctx: Context) -> tuple[bool, Any]:
    """A plan is about the future."""
    first = ctx.payload.instalments[0].due_at
    return between(ctx.now, first) > 0, first


@guard("no interest left to charge", "system: charges it", "head_of_sales: approve_waiver", since=3)
def interest_is_charged(ctx: Context) -> tuple[bool, Any]:
    """Claims end by payment or by an approved waiver, never by accident (D30)."""
    waiting = [r.number for r in ctx.deal.receivables if is_chargeable(r, ctx.policy)]
    return not waiting, ", ".join(waiting) or "none"


@guard("no other waiver waiting for a decision", "head_of_sales: approve_waiver or decline_waiver")
def no_waiver_pending(ctx: Context) -> tuple[bool, Any]:
    """One at a time."""
    asked = ctx.deal.pending_approval("waiver")
    return asked is None, f"request {asked.number} pending" if asked else "none"


@guard("no more than the interest and lump sum that are owed", "the asker: a smaller amount", needs="payload")
def waiver_within_what_is_owed(ctx: Context) -> tuple[bool, Any]:
    """The principal is never waived: it is credited or written off."""
    owed = _owed(ctx)
    if owed is None:
        return False, "no such invoice"
    left = waivable(owed, ctx)
    return ctx.payload.amount_minor <= left, f"{left} of interest and lump sum"


@guard("a requested waiver that is still owed", "accounts_receivable: request_waiver")
def waiver_is_requested(ctx: Context) -> tuple[bool, Any]:
    """The approval binds to exactly the amount that was asked for."""
    asked = ctx.deal.pending_approval("waiver")
    owed = ctx.deal.receivable(asked.subject) if asked else None
    if asked is None or owed is None:
        return False, "no request"
    left = waivable(owed, ctx)
    return asked.amount <= left, f"{asked.amount} asked, {left} owed"


@guard("an amount within the approver's authority to waive")
def waiver_within_authority(ctx: Context) -> tuple[bool, Any, tuple[str, ...]]:
    """Waivers by amount (D30)."""
    return _within(ctx, "waiver", ctx.policy.money.waiver)


@guard("an invoice whose next rung is legal", "system: the ladder, rung by rung", needs="payload")
def legal_is_next(ctx: Context) -> tuple[bool, Any]:
    """Nobody is handed over before the formal notice."""
    owed = _owed(ctx)
    rung = next_rung(owed, ctx.policy) if owed else None
    if owed is None or owed.is_paused:
        return False, "disputed, promised or in a payment plan" if owed else "no such invoice"
    return rung is not None and rung.action == LEGAL_RUNG, owed.state


@guard("no other request for legal waiting for a decision", "head_of_sales: approve_legal or decline_legal")
def no_legal_pending(ctx: Context) -> tuple[bool, Any]:
    """One at a time."""
    asked = ctx.deal.pending_approval("legal")
    return asked is None, f"request {asked.number} pending" if asked else "none"


@guard("a requested hand-over of an invoice that is still open", "accounts_receivable: request_legal")
def legal_is_requested(ctx: Context) -> tuple[bool, Any]:
    """What was paid meanwhile needs no lawyer."""
    asked = ctx.deal.pending_approval("legal")
    owed = ctx.deal.receivable(asked.subject) if asked else None
    if asked is None or owed is None:
        return False, "no request"
    return owed.collectable_minor > 0, f"{owed.collectable_minor} to collect"


@guard("an amount within the approver's authority for legal")
def legal_within_authority(ctx: Context) -> tuple[bool, Any, tuple[str, ...]]:
    """Hand-over to legal by amount (D32)."""
    return _within(ctx, "legal", ctx.policy.money.legal)


def _within(ctx: Context, kind: str, limits: dict[str, int]) -> tuple[bool, Any, tuple[str, ...]]:
    asked = ctx.deal.pending_approval(kind)
    amount = asked.amount if asked else 0
    mine = max((limits.get(role, -1) for role in ctx.actor.roles), default=-1)
    return amount <= mine, f"{amount} asked, {max(0, mine)} allowed", able(limits, amount)
