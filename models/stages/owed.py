"""How an invoice changes when money is booked on it; the events of receivables apply themselves with this."""

from collections.abc import Callable

from models.change import replace
from models.deal_state import Deal, Effect
from models.lifecycle.machines import RECEIVABLES
from models.money import MAX_MINOR
from models.parts.receivable import Receivable

Change = Callable[[Receivable], Receivable]


def positive(amount: int) -> None:
    """Raises ValueError unless it is a plausible amount of money."""
    if not 0 < amount <= MAX_MINOR:
        raise ValueError(f"amount_minor must be from 1 to {MAX_MINOR}")


def with_receivable(deal: Deal, number: str, change: Change) -> Deal:
    """The deal with one invoice changed."""
    return replace(deal, receivables=tuple(change(r) if r.number == number else r for r in deal.receivables))


def booked(r: Receivable, action: str, at: str) -> Receivable:
    """The invoice after money was booked on it: settled by `action` when nothing is open any more."""
    if r.is_settled:
        return r
    if r.open_minor > 0:
        return replace(r, state=RECEIVABLES.fire(r.state, "pay_part"))
    state = RECEIVABLES.fire(r.state, action)
    r = without_plan(without_promise(r, "kept", at), "kept", at)
    return replace(r, state=state, settled_at=at, paused_at="")


def booking(invoice: str, kind: str, amount: int, reference: str, applied: int = -1) -> Effect:
    """Ask the ledger to book one movement; `applied` says how much of it concerns the open amount (-1: all it can)."""
    data = {"invoice": invoice, "kind": kind, "amount_minor": amount, "reference": reference[:200]}
    return Effect("book_entry", data if applied < 0 else {**data, "applied_minor": applied})


def without_promise(r: Receivable, outcome: str, at: str) -> Receivable:
    """The invoice with its promise ended, if one runs."""
    promises = r.promises
    if promises and not promises[-1].outcome:
        promises = (*promises[:-1], replace(promises[-1], outcome=outcome, ended_at=at))
    return replace(r, promised_until="", promised_minor=0, promised_paid_minor=0, promises=promises)


def without_plan(r: Receivable, outcome: str, at: str) -> Receivable:
    """The invoice with its payment plan ended, if one runs."""
    plan = r.plan
    if plan is None:
        return r
    return replace(r, plans=(*r.plans[:-1], replace(plan, outcome=outcome, ended_at=at)))


def with_plan_paid(r: Receivable, amount_minor: int, at: str) -> Receivable:
    """The invoice after an amount that counts for its payment plan, which is kept when all its instalments are paid. A
    negative amount went back."""
    plan = r.plan
    if plan is None:
        return r
    plan = replace(plan, paid_minor=max(0, plan.paid_minor + amount_minor))
    r = replace(r, plans=(*r.plans[:-1], plan))
    return without_plan(r, "kept", at) if plan.next_unpaid is None else r
