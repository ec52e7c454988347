"""Guards of billing: terms that fit the customer, milestones, what a prepayment blocks, nothing left unbilled."""

from typing import Any

from models.command import Context
from models.deal_state import Deal
from models.lifecycle.guards import guard
from models.money import BPS
from models.parts.billing import Billing, Blocks, InvoiceKind
from models.stages.billing_targets import targets
from models.stages.negotiation import DraftOffer, is_prepaid


@guard(
    "terms of billing that fit the customer and the rules of the deal",
    "account_manager: other terms",
    needs="payload",
    since=3,
    refuses_older=True,
)
def billing_fits(ctx: Context) -> tuple[bool, Any]:
    """Who pays everything in advance is billed by nothing else, and who must do so can't pay a part."""
    p: DraftOffer = ctx.payload
    usual = (p.billing, p.prepaid_bps, p.prepayment_blocks) == (Billing.DELIVERY, -1, Blocks.SHIPPING)
    if ctx.policy.rules < 3:
        return usual, "as usual" if usual else f"policy {ctx.policy.version} bills per delivery, or all in advance"
    if ctx.deal.terms_days == 0 and p.prepaid_bps not in (-1, BPS):
        return False, "this customer pays everything in advance"
    if is_prepaid(ctx.deal, p) and p.billing != Billing.DELIVERY:
        return False, "everything is paid in advance, so that nothing is left to bill"
    return True, f"per {p.billing}"


@guard("a milestone of the offer that was not reached before", "the asker: another milestone", needs="payload")
def milestone_is_agreed(ctx: Context) -> tuple[bool, Any]:
    """Each milestone is invoiced once."""
    reached = ctx.deal.order.reached if ctx.deal.order else ()
    agreed = [each.name for each in ctx.deal.offer.milestones] if ctx.deal.offer else []
    left = [name for name in agreed if name not in reached]
    return ctx.payload.name in left, ", ".join(left) or "none left"


def why_unpaid(deal: Deal) -> str:
    """What is missing of the prepayment; empty when nothing is. Money that was given up did not come in, unless it was
    mere bank charges."""
    if deal.offer is None or deal.offer.prepaid_share == 0 or deal.offer.total_minor == 0:
        return ""
    asked = [r for r in deal.receivables if r.kind == InvoiceKind.PREPAYMENT]
    coming = any(e.kind == "issue_invoice" and e.data["kind"] == InvoiceKind.PREPAYMENT for e in deal.pending)
    billed = deal.order is not None and any(line.billed.prepaid.total_minor for line in deal.order.lines)
    if coming or (not asked and (billed or deal.offer.prepaid)):
        return "no prepayment invoice yet"
    unpaid = sum(r.open_minor + r.written_off_minor - r.tolerated_minor for r in asked)
    return f"{unpaid} unpaid" if unpaid else ""


@guard("a settled prepayment, where it blocks the supply", "accounts_receivable: record_payment", since=3)
def prepayment_allows_supply(ctx: Context) -> tuple[bool, Any]:
    """Where it was agreed so, nothing is entered and reserved before the money came in (D27)."""
    if ctx.deal.offer is None or not ctx.deal.offer.prepaid_share or not ctx.deal.offer.blocks.supply:
        return True, "it does not block the supply"
    unpaid = why_unpaid(ctx.deal)
    return not unpaid, unpaid or "paid"


@guard("delivered goods that are all billed", "system: bills them with the next act", since=3)
def goods_are_billed(ctx: Context) -> tuple[bool, Any]:
    """A deal does not end while the customer has goods that nobody invoiced, or was invoiced what did not come."""
    wrong = [str(line.line) for line, _ in targets(ctx.deal)]
    due = ctx.deal.order.credit_due_minor if ctx.deal.order else 0
    if due:
        return False, f"{due} to be credited"
    return not wrong, f"lines {', '.join(wrong)}" if wrong else "all billed"
