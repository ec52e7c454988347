"""Guards against dealing on with a customer group whose late money holds it."""

from typing import Any

from models.command import Context
from models.lifecycle.guards import guard
from models.messages.finance import GroupHold, GroupHolds

_PAYING = "accounts_receivable: record_payment"
_LIFTING = "accounts_receivable, risk_officer, legal, head_of_sales or commercial_director: resume (credit)"
_NEEDED = "no credit hold on the customer's group"
_LIFTED_BY = (f"{_PAYING} on the late invoice", f"{_LIFTING} on the deal that asks for it")

Found = tuple[bool, Any] | tuple[bool, Any, tuple[str, ...]]


@guard(_NEEDED, *_LIFTED_BY, needs="group_holds", since=3)
def group_is_not_on_hold(ctx: Context) -> Found:
    """Late money of one deal stops confirmations and goods of all deals of the customer's group."""
    return _judged(ctx.facts.group_holds)


@guard(_NEEDED, *_LIFTED_BY, needs="group_holds", since=3)
def group_hold_allows_amendment(ctx: Context) -> Found:
    """What adds to the exposure is a new confirmation; an order that shrinks is no risk."""
    asked = ctx.deal.order.pending_amendment if ctx.deal.order else None
    if asked is None or asked.total_minor <= 0:
        return True, "the amendment adds nothing"
    return _judged(ctx.facts.group_holds)


def _judged(known: GroupHolds | None) -> Found:
    if known is None:
        return False, "not asked"
    if not known.count:
        return True, "none"
    beyond = known.count - len(known.holds)
    named = [*map(_shown, known.holds), *([f"{beyond} more"] if beyond else [])]
    return False, ", ".join(named), _able(known.holds)


def _shown(hold: GroupHold) -> str:
    what = f"{hold.deal_id} invoice {hold.invoice}" if hold.invoice else hold.deal_id
    return f"{what} since {hold.since[:10]}"


def _able(holds: tuple[GroupHold, ...]) -> tuple[str, ...]:
    """Who can lift these holds, and by what."""
    invoices = ", ".join(hold.invoice for hold in holds if hold.invoice)
    deals = ", ".join(dict.fromkeys(hold.deal_id for hold in holds))
    paying = (f"{_PAYING} on {invoices}",) if invoices else ()
    return (*paying, f"{_LIFTING} on {deals}")
