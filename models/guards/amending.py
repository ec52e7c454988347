"""Guards of amendments: what can be changed in a running order, by whom, and with which money."""

from typing import Any

from models.command import Context
from models.deal_state import Deal
from models.lifecycle.guards import guard
from models.money import MAX_MINOR, ratio_bps
from models.parts.amendment import AmendedLine, Amendment, ChangeKind
from models.policy import able
from models.stages.amending import Change
from models.stages.amendments import after, changes_of_entry, prepaid_parts, undelivered
from models.stages.fulfilment import order_of

_ON_A_LINE = (ChangeKind.DROP, ChangeKind.QUANTITY, ChangeKind.PRICE)


def _pending(ctx: Context) -> Amendment | None:
    return ctx.deal.order.pending_amendment if ctx.deal.order else None


def why_not(deal: Deal, kind: str, line_number: int, quantity: int, price: int, text: str) -> str:
    """Why a change can't be made to the order as it stands; empty when it can."""
    if kind == ChangeKind.PAYMENT_DAYS:
        if deal.offer and deal.offer.prepaid:
            return "a prepaid order has no payment days"
        return "" if int(text) <= deal.terms_days else f"{text} payment days asked, {deal.terms_days} granted"
    if (kind == ChangeKind.DATE and not line_number) or kind not in (*_ON_A_LINE, ChangeKind.DATE):
        return ""
    line = order_of(deal).line(line_number)
    if line is None:
        return f"line {line_number}: no such line"
    if line.open == 0:
        return f"line {line_number}: nothing of it is open"
    if kind == ChangeKind.QUANTITY and quantity < (gone := line.ordered - line.open):
        return f"line {line_number}: {quantity} asked, {gone} are shipped, cancelled or substituted"
    if kind == ChangeKind.PRICE and line.shipped:
        return f"line {line_number}: goods of it left at the agreed price; add a line instead"
    same = (kind == ChangeKind.QUANTITY and quantity == line.ordered) or (
        kind == ChangeKind.PRICE and price == line.unit_price_minor
    )
    return f"line {line_number}: that is what stands there" if same else ""


def _wishes(deal: Deal, changes: tuple[Change, ...]) -> list[str]:
    found = (why_not(deal, c.kind, c.line, c.quantity, c.unit_price_minor, c.text) for c in changes)
    return [why for why in found if why]


def _stored(deal: Deal, changes: tuple[AmendedLine, ...]) -> list[str]:
    found = (why_not(deal, c.kind, c.line, c.quantity_after, c.price_after_minor, c.text_after) for c in changes)
    return [why for why in found if why]


@guard("no amendment that waits for its confirmation", "account_manager: confirm_amendment, decline_amendment", since=2)
def no_amendment_pending(ctx: Context) -> tuple[bool, Any]:
    """One after the other, so that each is reckoned on what really stands."""
    asked = _pending(ctx)
    return asked is None, f"amendment {asked.number} waits" if asked else "none"


@guard("changes that the order allows as it stands", "the asker: other changes", needs="payload")
def changes_are_possible(ctx: Context) -> tuple[bool, Any]:
    """What was shipped can't be dropped, and a change changes something."""
    if ctx.deal.order is None:
        return False, "no order"
    lines = len(ctx.deal.order.lines) + sum(c.kind == ChangeKind.ADD for c in ctx.payload.changes)
    why = _wishes(ctx.deal, ctx.payload.changes)
    if lines > ctx.policy.lines_max:
        why.append(f"{lines} lines, at most {ctx.policy.lines_max}")
    return not why, "; ".join(why) or "possible"


@guard("an entry that differs from the contract", "sales_support: enter_order", needs="payload")
def entry_differs(ctx: Context) -> tuple[bool, Any]:
    """An equal entry is no amendment; an article that was entered twice can't be compared."""
    if ctx.deal.order is None:
        return False, "no order"
    typed = [line.article for line in ctx.payload.lines]
    agreed = [line.article for line in ctx.deal.order.lines if line.open]
    if len(set(typed)) != len(typed) or len(set(agreed)) != len(agreed):
        return False, "an article stands in more than one line: request_amendment says what is meant"
    try:
        changes = changes_of_entry(ctx.deal, ctx.payload)
    except ValueError as problem:
        return False, str(problem)
    why = _wishes(ctx.deal, changes)
    return bool(changes) and not why, "; ".join(why) or f"{len(changes)} differences"


@guard("new articles that the price list knows in the deal's currency", "admin: import products", needs="payload")
def added_articles_are_listed(ctx: Context) -> tuple[bool, Any]:
    """Only listed articles are sold. Judged with the quote, which is asked for whenever there are new lines."""
    missing = [line.article for line in ctx.facts.quote.lines if not line.known] if ctx.facts.quote else []
    return not missing, ", ".join(missing) or "all listed"


@guard("an amendment that waits for its confirmation", "account_manager: request_amendment")
def amendment_is_requested(ctx: Context) -> tuple[bool, Any]:
    """Only what was asked for is confirmed."""
    asked = _pending(ctx)
    return asked is not None, f"amendment {asked.number}" if asked else "none"


@guard("an order that still stands as when the amendment was reckoned", "account_manager: decline it and ask anew")
def amendment_still_fits(ctx: Context) -> tuple[bool, Any]:
    """Goods may have left meanwhile: what was agreed on must be what is done."""
    asked = _pending(ctx)
    if asked is None or ctx.deal.order is None:
        return False, "none"
    why = _stored(ctx.deal, asked.changes)
    if why:
        return False, "; ".join(why)
    _, before = undelivered(ctx.deal.order)
    _, then = undelivered(order_of(after(ctx.deal, asked.changes, ctx.now)))
    if then - before != asked.total_minor:
        return False, f"{then - before} minor units now, {asked.total_minor} when it was reckoned"
    return then <= MAX_MINOR, f"{asked.total_minor} minor units"


@guard("prices within the confirmer's authority and above the margin floor")
def amendment_within_authority(ctx: Context) -> tuple[bool, Any, tuple[str, ...]]:
    """New lines and new prices are offers like any other (D12)."""
    asked = _pending(ctx)
    matrix = ctx.policy.discount_authority
    mine = max((matrix.get(role, 0) for role in ctx.actor.roles), default=0)
    worst, thin = 0, False
    for c in asked.changes if asked else ():
        if c.kind in (ChangeKind.ADD, ChangeKind.PRICE):
            worst = max(worst, ratio_bps(c.list_price_minor - c.price_after_minor, c.list_price_minor))
            thin |= ratio_bps(c.price_after_minor - c.cost_minor, c.price_after_minor) < ctx.policy.margin_floor
    lifted_by = tuple(f"{role}: confirm_amendment" for role in able(matrix, worst)) or ("a smaller discount",)
    if thin:
        return False, f"below the margin floor of {ctx.policy.margin_floor / 100:.2f} %", ("a higher price",)
    return worst <= mine, f"{worst / 100:.2f} % discount, {mine / 100:.2f} % allowed", lifted_by


@guard(
    "headroom for what the amendment adds",
    "accounts_receivable: record_payment on another deal",
    "risk_officer: a higher credit limit",
)
def headroom_for_amendment(ctx: Context) -> tuple[bool, Any]:
    """Amended orders can't overrun the group's limit either (D10). Judged with the answer, which is asked for
    whenever the amendment adds to the exposure."""
    answer = ctx.facts.headroom
    if answer is None:
        return True, "nothing to reserve"
    return answer.granted, f"limit {answer.limit_minor}, used {answer.used_minor}"


@guard("no prepaid money that would have to be paid back", "accounts_receivable: pays it back first")
def prepaid_money_is_kept(ctx: Context) -> tuple[bool, Any]:
    """A prepaid order shrinks only as far as its prepayment is still open."""
    asked = _pending(ctx)
    if asked is None or not (ctx.deal.offer and ctx.deal.offer.prepaid):
        return True, "nothing to pay back"
    if ctx.policy.rules >= 3:
        return True, "what was paid becomes the customer's credit"
    if _stored(ctx.deal, asked.changes):
        return True, "nothing, as the amendment does not fit any more"
    _, less = prepaid_parts(ctx.deal, after(ctx.deal, asked.changes, ctx.now))
    unpaid = sum(r.open_minor for r in ctx.deal.receivables if r.kind == "prepayment")
    return unpaid >= less, f"{less} to give back, {unpaid} unpaid"
