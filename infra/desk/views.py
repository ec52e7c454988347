"""Deals as callers see them: plain values, money with its currency, and nothing that a role must not know."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from infra.desk.amounts import money
from infra.desk.callers import Caller
from infra.desk.goods_views import goods, short_line
from infra.desk.hiding import shown, without_prices
from infra.stores.pages import Row
from models import codec
from models.deal_state import Deal
from models.parts.offer import Offer
from models.parts.receivable import Receivable
from models.timeline import Entry

Plain = dict[str, Any]

_SAME = (
    "id", "version", "state", "stage", "title", "owner", "department", "branch", "currency", "is_test",
    "policy_version", "opened_at", "state_since", "updated_at", "due_at", "linked_deal", "loss_reason", "source_ref",
    "closed_at", "pending_effects",
)  # fmt: skip
_GOODS_ACTIONS = frozenset(
    {"ship", "deliver", "answer_shortage", "escalate_shortage", "retry_reservation", "expire_reservation"}
    | {"book_reservation", "book_shipment", "book_carriage", "book_carrier_message", "report_discrepancy"}
    | {"tell_customer", "choose_option", "resume_fulfilment", "deliver_all"}
)
_GOODS_ITEMS = frozenset({"shortage", "shortage_answer", "restock", "reservation_expiry", "late_answer", "discrepancy"})
_ABOUT_INVOICES = "dispute:"
"""How the keys of items begin whose answer may be late, too, but is about money."""


def summary(row: Row, caller: Caller) -> Plain:
    """A deal as lists show it."""
    return {name: row[name] for name in _SAME} | {
        "customer": row["customer_id"],
        "value": None if caller.is_blind else money(row["value_minor"], row["currency"]),
        "holds": [hold for hold in row["holds"].split(",") if hold],
        "substates": {name: row[f"{name}_state"] for name in ("goods", "money", "credit", "approval")},
    }


def whole(row: Row, deal: Deal, caller: Caller) -> Plain:
    """A deal with everything that belongs to it and that the caller may know."""
    return summary(row, caller) | _parts_for_all(deal, caller) | goods(deal, caller) | _parts_with_prices(deal, caller)


def _parts_for_all(deal: Deal, caller: Caller) -> Plain:
    return {
        "group": deal.group,
        "last_hash": deal.last_hash,
        "contacts": deal.contacts,
        "objections": deal.objections,
        "satisfaction": deal.satisfaction,
        "delivered_at": deal.delivered_at,
        "needs": _needs(deal, caller),
        "cases": [codec.encode(case) for case in deal.cases],
    }


def _parts_with_prices(deal: Deal, caller: Caller) -> Plain:
    if caller.is_blind:
        nothing: Plain = dict.fromkeys(("terms", "assessment", "offer", "contract"))
        return nothing | {"invoices": [], "approvals": [], "competitor": ""}
    return {
        "terms": {
            "prepaid": deal.terms_prepaid,
            "payment_days": deal.terms_days,
            "credit_limit": money(deal.credit_limit_minor, deal.currency),
            "headroom": money(deal.headroom_minor, deal.currency),
        },
        "assessment": codec.encode(deal.assessment),
        "offer": _offer(deal.offer, caller) if deal.offer else None,
        "contract": _contract(deal),
        "invoices": [_receivable(owed) for owed in deal.receivables],
        "approvals": [codec.encode(asked) for asked in deal.approvals],
        "competitor": deal.competitor,
    }


def _needs(deal: Deal, caller: Caller) -> Plain | None:
    if deal.needs is None:
        return None
    told: Plain = codec.encode(deal.needs)
    budget = told.pop("budget_minor")
    hidden = {"decision_process": "", "budget": None}
    return told | (hidden if caller.is_blind else {"budget": money(budget, deal.currency)})


def _offer(offer: Offer, caller: Caller) -> Plain:
    lines = []
    for line in offer.lines:
        told = {
            "line": line.line,
            "article": line.article,
            "description": line.description,
            "quantity": line.quantity,
            "tax_bps": line.tax_bps,
            "list_price": money(line.list_price_minor, offer.currency),
            "unit_price": money(line.unit_price_minor, offer.currency),
        }
        lines.append(told)
    return {
        "version": offer.version,
        "hash": offer.hash,
        "valid_until": offer.valid_until,
        "payment_days": offer.payment_days,
        "prepaid": offer.prepaid,
        "prepaid_bps": offer.prepaid_share,
        "prepayment_blocks": offer.prepayment_blocks,
        "billing": offer.billing,
        "milestones": [{"name": each.name, "share_bps": each.share_bps} for each in offer.milestones],
        "delivery_terms": offer.delivery_terms,
        "language": offer.language,
        "drafted_by": offer.drafted_by,
        "discount_bps": offer.discount_bps,
        "net": money(offer.net_minor, offer.currency),
        "tax": money(offer.tax_minor, offer.currency),
        "total": money(offer.total_minor, offer.currency),
        "margin_bps": offer.margin_bps if caller.sees_margins else None,
        "lines": lines,
    }


def _contract(deal: Deal) -> Plain | None:
    if deal.contract is None:
        return None
    told: Plain = codec.encode(deal.contract)
    told["amount"] = money(told.pop("amount_minor"), deal.currency)
    return told | {"is_signed": deal.contract.is_signed}


def _receivable(owed: Receivable) -> Plain:
    amounts = ("total", "paid", "credited", "written_off", "open", "disputed", "promised", "unapplied")
    told = {name: money(getattr(owed, f"{name}_minor"), owed.currency) for name in amounts}
    return told | {
        "number": owed.number,
        "kind": owed.kind,
        "state": str(owed.state),
        "issued_at": owed.issued_at,
        "due_at": owed.due_at,
        "promised_until": owed.promised_until,
        "broken_promises": owed.broken_promises,
        "settled_at": owed.settled_at,
        "disputes": [_dispute(plain, owed.currency) for plain in map(codec.encode, owed.disputes)],
    }


def _dispute(told: Plain, currency: str) -> Plain:
    return {**told, "amount": money(told.pop("amount_minor"), currency)}


def entry(recorded: Entry, caller: Caller) -> Plain:
    """A timeline entry. Whoever must not see prices gets its envelope, and contents where goods alone are told of."""
    if caller.is_blind:
        keeps = recorded.action in _GOODS_ACTIONS
        events = without_prices(recorded.events) if keeps else []
        payload = without_prices(recorded.payload) if keeps else {}
        recorded = replace(recorded, payload=payload, facts={}, verdicts=[], events=events)
    elif not caller.sees_margins:
        recorded = replace(recorded, facts={}, events=shown(recorded.events, caller))
    told: Plain = codec.encode(recorded)
    return told


def refusal(row: Row, caller: Caller) -> Plain:
    """A refused act; its details may name prices."""
    told = {name: row[name] for name in ("id", "deal_id", "at", "actor", "action", "code", "key")}
    return told | {"detail": {} if caller.is_blind else row["detail"]}


def agenda_item(row: Row, caller: Caller) -> Plain:
    """What waits for whom until when."""
    told = {name: row[name] for name in ("deal_id", "key", "due_at", "kind", "person", "action", "is_test")}
    about_goods = row["kind"] in _GOODS_ITEMS and not row["key"].startswith(_ABOUT_INVOICES)
    note = "" if caller.is_blind and not about_goods else row["note"]
    return told | {"roles": _names(row["roles"]), "note": note, "deal": _about(row, caller)}


def shortage(row: Row, caller: Caller, now: str) -> Plain:
    """One order line of the shortage desk's worklist."""
    return short_line(row, caller, now) | {"deal": _about(row, caller)}


def approval(row: Row, caller: Caller) -> Plain:
    """A request for approval with what it is about."""
    same = (
        "deal_id", "kind", "subject_hash", "state", "requested_by", "requested_at", "due_at", "decided_by",
        "decided_at", "reason",
    )  # fmt: skip
    told = {name: row[name] for name in same}
    return told | {"number": int(row["approval_id"]), "roles": _names(row["roles"]), "deal": _about(row, caller)}


def _about(row: Row, caller: Caller) -> Plain:
    told = {name: row[f"deal_{name}"] for name in ("title", "state", "owner")}
    value = None if caller.is_blind else money(row["deal_value_minor"], row["deal_currency"])
    return told | {"customer": row["deal_customer_id"], "value": value}


def _names(listed: str) -> Sequence[str]:
    return [name for name in listed.split(",") if name]
