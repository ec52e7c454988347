"""Requests of collection whose guards hold: invoices in the states that they need, and their payloads."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from models.command import Facts
from models.deal_state import Deal
from models.messages.receivables import LegacyNumberResult
from models.parts.care import Approval
from models.parts.receivable import BilledLine, Instalment, Plan, Reached, Receivable

OWED = Receivable("R-1", "delivery", "EUR", 10_000, "2026-01-05T08:00:00Z", "2026-01-06T08:00:00Z")
BILLED = replace(OWED, lines=(BilledLine(1, "A-1", 2, 6_000), BilledLine(2, "A-2", 1, 4_000)))
PAID = replace(OWED, paid_minor=10_000, state="paid", settled_at="2026-02-06T08:00:00Z")
DUNNED = (Reached("fall_due", "2026-01-06T08:00:00Z"), Reached("dun_first", "2026-01-13T08:00:00Z"))
OVERPAID = replace(PAID, number="R-0", unapplied_minor=700)
PAID_LATE = replace(
    PAID, reached=DUNNED, interest_until="2026-02-06", interest_minor=9, settled_at="2026-02-06T08:00:00Z"
)
LATE = replace(OWED, state="dunned", reached=DUNNED)
NOTICED = replace(OWED, state="formally_noticed", reached=DUNNED)
INSTALMENTS = (Instalment("2026-03-01T08:00:00Z", 4_000), Instalment("2026-04-01T08:00:00Z", 6_000))
PLANNED = replace(OWED, plans=(Plan(INSTALMENTS, "2026-01-20T08:00:00Z", "u-accounts_receivable"),))


def asked_for(kind: str, amount: int) -> Approval:
    """A pending request about R-1."""
    return Approval(
        9, kind, "R-1", f"R-1:{amount}", "a long story", "u-accounts_receivable", "2026-02-05T08:00:00Z",
        "2026-02-06T08:00:00Z", ("head_of_sales", "commercial_director"), amount=amount,
    )  # fmt: skip


Prepared = tuple[Deal, dict[str, Any], Facts]


def _about(
    payload: dict[str, Any], owed: Receivable, asked: Approval | None = None, *others: Receivable
) -> Callable[[Deal], Prepared]:
    def prepare(deal: Deal) -> Prepared:
        approvals = (*deal.approvals, asked) if asked else deal.approvals
        return replace(deal, receivables=(owed, *others), approvals=approvals), payload, Facts()

    return prepare


PLAN = [{"due_at": each.due_at, "amount_minor": each.amount_minor} for each in INSTALMENTS]
REASON = {"reason": "a good customer"}

BROUGHT = {"number": "SAP-77", "amount_minor": 4_000, "issued_on": "2025-12-01", "due_on": "2025-12-31"}


def _account(deal: Deal) -> Prepared:
    return replace(deal, is_account=True), BROUGHT, Facts(invoice_number=LegacyNumberResult(deal.id))


MONEY_SAMPLES: dict[str, Callable[[Deal], Prepared]] = {
    "take_over_account": lambda deal: (deal, {}, Facts()),
    "bring_invoice": _account,
    "grant_credit": _about({"invoice": "R-1", "amount_minor": 4_000, "reason": "came back"}, PAID),
    "reverse_payment": _about(
        {"invoice": "R-1", "amount_minor": 4_000, "currency": "EUR", "reason": "returned debit"}, PAID
    ),
    "set_off_credit": _about({"source": "R-0", "invoice": "R-1", "amount_minor": 500}, OWED, None, OVERPAID),
    "agree_plan": _about({"invoice": "R-1", "instalments": PLAN}, OWED),
    "default_plan": _about({}, PLANNED),
    "charge_interest": _about({}, PAID_LATE),
    "request_waiver": _about({"invoice": "R-1", "amount_minor": 4_000, "reason": "a good customer"}, LATE),
    "approve_waiver": _about(REASON, LATE, asked_for("waiver", 4_000)),
    "decline_waiver": _about(REASON, LATE, asked_for("waiver", 4_000)),
    "request_legal": _about({"invoice": "R-1"}, NOTICED),
    "approve_legal": _about(REASON, NOTICED, asked_for("legal", 10_000)),
    "decline_legal": _about(REASON, NOTICED, asked_for("legal", 10_000)),
}
