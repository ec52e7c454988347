"""The read side of a deal's receivables as plain rows: invoices, disputes, promises, rungs of the ladder."""

from collections.abc import Iterator
from typing import Any

from models import codec
from models.deal_state import Deal
from models.parts.receivable import Receivable


def invoice_rows(deal: Deal) -> list[dict[str, Any]]:
    """All invoices of the deal."""
    return [
        {
            "deal_id": deal.id,
            "number": r.number,
            "kind": r.kind,
            "state": str(r.state),
            "currency": r.currency,
            "total_minor": r.total_minor,
            "paid_minor": r.paid_minor,
            "credited_minor": r.credited_minor,
            "written_off_minor": r.written_off_minor,
            "open_minor": r.open_minor,
            "disputed_minor": r.disputed_minor,
            "unapplied_minor": r.unapplied_minor,
            "interest_minor": r.interest_minor,
            "charged_minor": r.charged_minor,
            "waived_minor": r.waived_minor,
            "charged_for": r.charged_for,
            "issued_at": r.issued_at,
            "due_at": r.due_at,
            "settled_at": r.settled_at,
            "is_test": deal.is_test,
        }
        for r in deal.receivables
    ]


def dispute_rows(deal: Deal) -> list[dict[str, Any]]:
    """All disputes about them."""
    return [
        {
            "deal_id": deal.id,
            "invoice": r.number,
            "number": d.number,
            "currency": r.currency,
            "amount_minor": d.amount_minor,
            "credited_minor": d.credited_minor,
            "reason": d.reason,
            "outcome": d.outcome,
            "raised_at": d.raised_at,
            "due_at": d.due_at,
            "ended_at": d.ended_at,
            "is_test": deal.is_test,
        }
        for r in deal.receivables
        for d in r.disputes
    ]


def promise_rows(deal: Deal) -> list[dict[str, Any]]:
    """All promises to pay, and the instalments of payment plans."""
    return [
        {"deal_id": deal.id, "invoice": r.number, "currency": r.currency, "is_test": deal.is_test, **row}
        for r in deal.receivables
        for row in (*_promises(r), *_instalments(r))
    ]


def _promises(r: Receivable) -> Iterator[dict[str, Any]]:
    for number, made in enumerate(r.promises, start=1):
        yield {"kind": "promise", "number": number, "part": 0, **codec.encode(made)}


def _instalments(r: Receivable) -> Iterator[dict[str, Any]]:
    for number, plan in enumerate(r.plans, start=1):
        for part, each in enumerate(plan.instalments, start=1):
            yield {
                "kind": "instalment",
                "number": number,
                "part": part,
                "amount_minor": each.amount_minor,
                "made_at": plan.agreed_at,
                "until": each.due_at,
                "ended_at": plan.ended_at,
                "outcome": plan.outcome,
            }


def rung_rows(deal: Deal) -> list[dict[str, Any]]:
    """The rungs of the ladder that they have reached."""
    return [
        {"deal_id": deal.id, "invoice": r.number, "rung": each.rung, "at": each.at, "is_test": deal.is_test}
        for r in deal.receivables
        for each in r.reached
    ]
