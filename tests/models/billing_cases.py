"""What shows the guards of billing: the row, the change that makes each fail, and what the verdict then says."""

from dataclasses import replace

from models.deal_state import Effect
from models.parts.billing import Billed
from tests.models.cases import Case, line, offer, order, unpaid
from tests.models.goods_cases import older
from tests.models.money_samples import OWED
from tests.models.samples import STEPS, Sample

PLAIN_STEPS = [{"name": each.name, "share_bps": each.share_bps} for each in STEPS]


def poor(asked: Sample) -> Sample:
    """The customer has no payment days."""
    return asked.given(terms_days=0)


def unpaid_supply(asked: Sample) -> Sample:
    return offer(unpaid(asked), prepayment_blocks="supply")


BILLING_CASES = [
    Case("billing_fits", "preparing_offer", "draft_offer", lambda s: older(s).asking(billing="order"),
         "policy 2026.2 bills per delivery, or all in advance", "other terms"),
    Case("billing_fits", "preparing_offer", "draft_offer", lambda s: poor(s).asking(prepaid_bps=5_000),
         "this customer pays everything in advance", "other terms"),
    Case("billing_fits", "preparing_offer", "draft_offer",
         lambda s: s.asking(prepaid_bps=10_000, billing="milestones", milestones=PLAIN_STEPS),
         "everything is paid in advance"),
    Case("milestone_is_agreed", "fulfilling", "reach_milestone", lambda s: s.asking(name="party"),
         "design, installation", "another milestone"),
    Case("milestone_is_agreed", "fulfilling", "reach_milestone", lambda s: order(s, reached=("design",)),
         "installation"),
    Case("prepayment_allows_supply", "ordering", "enter_order", unpaid_supply, "6000 unpaid", "record_payment"),
    Case("prepayment_allows_supply", "ordering", "enter_order",
         lambda s: offer(s, prepaid=True, prepayment_blocks="both"), "no prepayment invoice yet"),
    Case("goods_are_billed", "supporting", "complete", lambda s: line(s, billed=Billed()), "lines 1", "system"),
    Case("goods_are_billed", "supporting", "complete", lambda s: order(s, credit_due_minor=7), "7 to be credited"),
    # an unpaid prepayment at the shipping
    Case("prepayment_is_settled", "fulfilling", "ship",
         lambda s: offer(s, prepaid_bps=3_000).given(receivables=(replace(OWED, kind="prepayment"),)),
         "10000 unpaid", "record_payment"),
    Case("prepayment_is_settled", "fulfilling", "ship", lambda s: offer(s, prepaid=True).given(
         receivables=(replace(OWED, kind="prepayment", paid_minor=10_000, state="paid"),),
         pending=(Effect("issue_invoice", {"kind": "prepayment", "lines": []}),)), "no prepayment invoice yet"),
    Case("credit_fits_the_goods", "supporting", "settle_discrepancy",
         lambda s: s.asking(invoice="R-8", measure="return"), "no invoice R-8 for goods"),
    Case("credit_fits_the_goods", "supporting", "settle_discrepancy", lambda s: line(s, unit_price_minor=0),
         "0 to credit"),
]  # fmt: skip
