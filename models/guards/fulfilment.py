"""Guards of fulfilment: orders, reservations, shortages, shipments."""

from typing import Any

from models.command import Context
from models.guards.billing import why_unpaid
from models.lifecycle.guards import guard
from models.parts.order import OrderLine
from models.stages.fulfilment import agreed_terms, deliverable, shippable


def _line(ctx: Context) -> OrderLine | None:
    return ctx.deal.order.line(ctx.payload.line) if ctx.deal.order else None


@guard("an order that was not accepted before", "nobody: one acceptance is enough")
def order_not_accepted(ctx: Context) -> tuple[bool, Any]:
    """One acceptance."""
    by = ctx.deal.order.accepted_by if ctx.deal.order else ""
    return not by, f"accepted by {by}" if by else "not accepted"


@guard("an order that the account manager accepted", "account_manager: accept_order")
def order_is_accepted(ctx: Context) -> tuple[bool, Any]:
    """Sales support enters only what the manager accepted (D19)."""
    by = ctx.deal.order.accepted_by if ctx.deal.order else ""
    return bool(by), f"accepted by {by}" if by else "not accepted"


@guard("the same articles, quantities and prices as in the contract", "a corrected entry", needs="payload")
def entry_matches_contract(ctx: Context) -> tuple[bool, Any]:
    """The entry is checked line by line (D19)."""
    agreed = tuple(line for line in ctx.deal.order.lines if line.open) if ctx.deal.order else ()
    entered = ctx.payload.lines
    if len(agreed) != len(entered):
        return False, f"{len(entered)} lines entered, {len(agreed)} agreed"
    for number, (a, e) in enumerate(zip(agreed, entered, strict=True), start=1):
        for name, want, got in (
            ("article", a.article, e.article),
            ("quantity", a.ordered, e.quantity),
            ("price", a.unit_price_minor, e.unit_price_minor),
        ):
            if want != got:
                return False, f"line {number}: {name} {got} entered, {want} agreed"
    if ctx.policy.rules > 1:
        days, terms = agreed_terms(ctx.deal)
        if entered_days := entered_otherwise(ctx.payload.payment_days, -1, days):
            return False, f"payment within {entered_days} days entered, {days} agreed"
        if other := entered_otherwise(ctx.payload.delivery_terms, "", terms):
            return False, f"delivery {other} entered, {terms} agreed"
    return True, f"{len(agreed)} lines equal"


def entered_otherwise(entered: Any, unnamed: Any, agreed: Any) -> str:
    """What was entered, as text, when it was named and is not as agreed; else the empty text."""
    return "" if entered in (unnamed, agreed) else str(entered)


@guard("an order line that is short", "nobody: nothing is missing")
def a_line_is_short(ctx: Context) -> tuple[bool, Any]:
    """There must be something to ask for."""
    short = [line.line for line in ctx.deal.order.short_lines] if ctx.deal.order else []
    return bool(short), f"short lines: {', '.join(map(str, short))}" if short else "no short line"


@guard("an order line that is short", "nobody: nothing is missing", needs="payload")
def line_is_short(ctx: Context) -> tuple[bool, Any]:
    """Only what is out of stock is escalated, answered or substituted."""
    line = _line(ctx)
    if line is None:
        return False, "no such line"
    return line.state == "short", f"line {line.line} is {line.state}"


@guard("a substitute that was proposed for the line", "account_manager: propose_analogue", needs="payload")
def analogue_is_proposed(ctx: Context) -> tuple[bool, Any]:
    """The customer answers to a proposal."""
    line = _line(ctx)
    if line is None:
        return False, "no such line"
    return line.state == "short" and bool(line.proposed_article), line.proposed_article or "none proposed"


@guard("a line with open units", "nobody: nothing of it is left to cancel", needs="payload")
def line_is_open(ctx: Context) -> tuple[bool, Any]:
    """What was shipped or cancelled can't be cancelled."""
    line = _line(ctx)
    if line is None:
        return False, "no such line"
    return line.open > 0, f"{line.open} open"


@guard("a settled prepayment", "accounts_receivable: record_payment")
def prepayment_is_settled(ctx: Context) -> tuple[bool, Any]:
    """Unpaid prepayments block the goods (invariant 5); money that was given up did not come in."""
    if not ctx.deal.offer or not ctx.deal.offer.prepaid_share or ctx.deal.offer.total_minor == 0:
        return True, "not prepaid"
    if ctx.policy.rules >= 3:
        return _prepayment_allows_shipping(ctx)
    asked = [r for r in ctx.deal.receivables if r.kind == "prepayment"]
    if not asked:
        return False, "no prepayment invoice yet"
    unpaid = sum(r.open_minor + r.written_off_minor for r in asked)
    return unpaid == 0, f"{unpaid} unpaid"


def _prepayment_allows_shipping(ctx: Context) -> tuple[bool, Any]:
    if ctx.deal.offer and not ctx.deal.offer.blocks.shipping:
        return True, "it blocks the supply alone"
    unpaid = why_unpaid(ctx.deal)
    return not unpaid, unpaid or "0 unpaid"


@guard("reserved units of every line to ship", "logistics_manager: retry_reservation", needs="payload")
def quantities_are_reserved(ctx: Context) -> tuple[bool, Any]:
    """Only what is held can leave."""
    wanted = shippable(ctx.deal, ctx.payload)
    lines = {line.line: line.reserved for line in ctx.deal.order.lines} if ctx.deal.order else {}
    bad = [f"line {q.line}: {q.quantity} asked, {lines.get(q.line, 0)} reserved" for q in wanted
           if q.quantity > lines.get(q.line, 0)]  # fmt: skip
    if not wanted:
        return False, "nothing is reserved"
    return not bad, "; ".join(bad) or "all reserved"


@guard("units on the way for every line delivered", "logistics_manager: ship", needs="payload")
def quantities_are_shipped(ctx: Context) -> tuple[bool, Any]:
    """Only what left can arrive."""
    arrived = deliverable(ctx.deal, ctx.payload)
    lines = {line.line: line.on_the_way for line in ctx.deal.order.lines} if ctx.deal.order else {}
    bad = [f"line {q.line}: {q.quantity} told, {lines.get(q.line, 0)} on the way" for q in arrived
           if q.quantity > lines.get(q.line, 0)]  # fmt: skip
    if not arrived:
        return False, "nothing is on the way"
    return not bad, "; ".join(bad) or "all on the way"


@guard("no line with open units or units on the way", "logistics_manager: ship, deliver")
def nothing_is_open(ctx: Context) -> tuple[bool, Any]:
    """Fulfilment ends when every line is done."""
    lines = ctx.deal.order.lines if ctx.deal.order else ()
    waiting = [str(line.line) for line in lines if line.open or line.on_the_way]
    return not waiting, f"lines waiting: {', '.join(waiting)}" if waiting else "all done"


@guard("something delivered", "account_manager: cancel instead")
def something_was_delivered(ctx: Context) -> tuple[bool, Any]:
    """Without a delivery there is nothing to support."""
    units = sum(line.delivered for line in ctx.deal.order.lines) if ctx.deal.order else 0
    return units > 0, f"{units} units"


@guard("no units on the way", "logistics_manager: deliver")
def nothing_on_the_way(ctx: Context) -> tuple[bool, Any]:
    """What left must arrive or come back first."""
    units = sum(line.on_the_way for line in ctx.deal.order.lines) if ctx.deal.order else 0
    return units == 0, f"{units} units"


@guard("nothing shipped", "account_manager: close_short instead")
def nothing_was_shipped(ctx: Context) -> tuple[bool, Any]:
    """What left can't be cancelled."""
    units = sum(line.shipped for line in ctx.deal.order.lines) if ctx.deal.order else 0
    return units == 0, f"{units} units"


@guard("no money received", "accounts_receivable: pays it back first")
def nothing_was_paid(ctx: Context) -> tuple[bool, Any]:
    """Money that came in does not vanish with a cancellation: by the third rules it is the customer's credit then."""
    paid = sum(r.paid_minor for r in ctx.deal.receivables)
    if ctx.policy.rules >= 3:
        return True, f"{paid} paid, which is credited"
    return paid == 0, f"{paid} paid"
