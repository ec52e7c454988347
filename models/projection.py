"""The read side of a deal as plain rows, computed from the deal alone: a rebuild gives equal rows."""

from dataclasses import replace
from typing import Any

from models import codec
from models.agenda import agenda
from models.deal_state import Deal
from models.instants import day_start
from models.messages.records import Projection
from models.parts.order import OrderLine
from models.policy import Policy
from models.projection_money import dispute_rows, invoice_rows, promise_rows, rung_rows
from models.requests import requests
from models.stages.shortage_options import options

CHILDREN = (
    "lines",
    "agenda",
    "approvals",
    "invoices",
    "cases",
    "shipments",
    "shortages",
    "requests",
    "discrepancies",
    "disputes",
    "promises",
    "rungs",
)


def project(deal: Deal, policy: Policy) -> Projection:
    """All rows of a deal, as they stand in the tables of `models.tables.projection`."""
    items = agenda(deal, policy)
    return Projection(
        deal=_deal_row(deal, items[0].due_at if items else ""),
        lines=_line_rows(deal),
        agenda=[
            {
                "deal_id": deal.id,
                "key": item.key,
                "due_at": item.due_at,
                "kind": item.kind,
                "roles": ",".join(item.roles),
                "person": item.person,
                "department": deal.department,
                "action": item.action,
                "note": item.note,
                "is_test": deal.is_test,
            }
            for item in items
        ],
        approvals=_approval_rows(deal),
        invoices=invoice_rows(deal),
        cases=_case_rows(deal),
        shipments=_shipment_rows(deal),
        shortages=_shortage_rows(deal, policy),
        requests=[
            {"deal_id": deal.id, **codec.encode(asked), "is_test": deal.is_test} for asked in requests(deal, policy)
        ],
        discrepancies=_discrepancy_rows(deal),
        disputes=dispute_rows(deal),
        promises=promise_rows(deal),
        rungs=rung_rows(deal),
    )


def changed_children(before: Projection | None, after: Projection) -> tuple[str, ...]:
    """Names of the child tables whose rows differ."""
    if before is None:
        return tuple(name for name in CHILDREN if getattr(after, name))
    return tuple(name for name in CHILDREN if getattr(before, name) != getattr(after, name))


def reduced(projection: Projection, changed: tuple[str, ...]) -> Projection:
    """The projection as it has to be written: without the child rows that stand already. A deal of several hundred
    lines would carry them all with every note."""
    unchanged: dict[str, Any] = {name: [] for name in CHILDREN if name not in changed}
    return replace(projection, **unchanged)


def substates(deal: Deal) -> dict[str, str]:
    """Sub-states derived from facts: goods, money, credit, approval."""
    return {
        "goods": _goods(deal),
        "money": _money(deal),
        "credit": "on_hold" if deal.holds else "reserved" if deal.headroom_minor else "none",
        "approval": "pending" if any(a.state == "pending" for a in deal.approvals) else "none",
    }


def _goods(deal: Deal) -> str:
    lines = deal.order.lines if deal.order else ()
    if not lines:
        return "none"
    if all(line.open == 0 and line.on_the_way == 0 for line in lines):
        return "delivered" if any(line.delivered for line in lines) else "cancelled"
    if any(line.state == "short" for line in lines):
        return "short"
    if any(line.shipped for line in lines):
        return "partly_shipped"
    return "reserved" if all(line.short == 0 for line in lines) else "open"


def _money(deal: Deal) -> str:
    owed = deal.receivables
    if not owed:
        return "none"
    if all(r.is_settled for r in owed):
        return "settled"
    if any(r.disputed_minor for r in owed):
        return "disputed"
    early = ("issued", "announced", "due")
    if any(not r.is_settled and r.state not in early for r in owed):
        return "overdue"
    return "open"


def _deal_row(deal: Deal, due_at: str) -> dict[str, Any]:
    derived = substates(deal)
    return {
        "id": deal.id,
        "version": deal.version,
        "state": str(deal.state),
        "stage": str(deal.stage),
        "customer_id": deal.customer,
        "group_id": deal.group,
        "owner": deal.owner,
        "department": deal.department,
        "branch": deal.branch,
        "currency": deal.currency,
        "title": deal.title,
        "is_test": deal.is_test,
        "policy_version": deal.policy_version,
        "opened_at": deal.opened_at,
        "state_since": deal.state_since,
        "updated_at": deal.updated_at,
        "due_at": due_at,
        "value_minor": deal.value_minor,
        "holds": ",".join(deal.holds),
        "goods_state": derived["goods"],
        "money_state": derived["money"],
        "credit_state": derived["credit"],
        "approval_state": derived["approval"],
        "linked_deal": deal.linked_deal,
        "loss_reason": str(deal.loss_reason),
        "source_ref": deal.source_ref,
        "closed_at": deal.state_since if deal.is_closed else "",
        "last_hash": deal.last_hash,
        "pending_effects": len(deal.pending),
        "snapshot": codec.encode(deal),
    }


def _line_rows(deal: Deal) -> list[dict[str, Any]]:
    return [
        {
            "deal_id": deal.id,
            "line": line.line,
            "article": line.article,
            "description": line.description,
            "ordered": line.ordered,
            "reserved": line.reserved,
            "shipped": line.shipped,
            "delivered": line.delivered,
            "cancelled": line.cancelled,
            "substituted": line.substituted,
            "state": str(line.state),
            "expected_on": line.expected_on,
            "unit_price_minor": line.unit_price_minor,
        }
        for line in (deal.order.lines if deal.order else ())
    ]


def _approval_rows(deal: Deal) -> list[dict[str, Any]]:
    return [
        {
            "deal_id": deal.id,
            "approval_id": str(a.number),
            "kind": a.kind,
            "subject_hash": a.subject_hash,
            "state": str(a.state),
            "requested_by": a.requested_by,
            "requested_at": a.requested_at,
            "due_at": a.due_at,
            "decided_by": a.decided_by,
            "decided_at": a.decided_at,
            "roles": ",".join(a.roles),
            "reason": a.reason,
        }
        for a in deal.approvals
    ]


def _case_rows(deal: Deal) -> list[dict[str, Any]]:
    return [
        {
            "deal_id": deal.id,
            "case_id": str(c.number),
            "state": str(c.state),
            "cause": str(c.cause),
            "lines": ",".join(map(str, c.lines)),
            "decision": str(c.decision),
            "opened_at": c.opened_at,
            "due_at": c.due_at,
            "note": c.note,
        }
        for c in deal.cases
    ]


def _shipment_rows(deal: Deal) -> list[dict[str, Any]]:
    return [
        {
            "deal_id": deal.id,
            "number": each.number,
            "state": str(each.state),
            "carrier": each.carrier,
            "reference": each.reference,
            "shipped_at": each.shipped_at,
            "told_at": each.told_at,
            "lines": codec.encode(each.lines),
        }
        for each in (deal.order.shipments if deal.order else ())
    ]


def _shortage_rows(deal: Deal, policy: Policy) -> list[dict[str, Any]]:
    short = deal.order.short_lines if deal.order else ()
    return [_shortage_row(deal, line, policy) for line in short if line.shortage and line.shortage.is_active]


def _shortage_row(deal: Deal, line: OrderLine, policy: Policy) -> dict[str, Any]:
    lasting = line.shortage
    assert lasting is not None  # only lasting shortages are asked for
    # reckoned for the day of the last move: what is stored is a function of the timeline, not of the reader's clock,
    # and stays as it is when the deal moves again on that day
    found = options(deal, line, policy, day_start(deal.updated_at[:10]))
    return {
        "deal_id": deal.id,
        "line": line.line,
        "article": line.article,
        "description": line.description,
        "branch": deal.branch,
        "department": deal.department,
        "owner": deal.owner,
        "ordered": line.ordered,
        "reserved": line.reserved,
        "short": line.short,
        "since": lasting.since,
        "rung": lasting.rung,
        "roles": lasting.role,
        "due_at": lasting.due_at,
        "expected_on": line.expected_on,
        "promised_on": lasting.promised_on,
        "choice": lasting.choice,
        "note": f"{lasting.answer_quantity} on {lasting.answer_on} from {lasting.answer_source}"
        * bool(lasting.answer_on),
        "options": codec.encode(found),
        "is_test": deal.is_test,
    }


def _discrepancy_rows(deal: Deal) -> list[dict[str, Any]]:
    order = deal.order
    articles = {line.line: line.article for line in order.lines} if order else {}
    return [
        {
            "deal_id": deal.id,
            "act_id": str(act.number),
            "line": q.line,
            "article": articles.get(q.line, ""),
            "kind": act.kind,
            "cause": act.cause,
            "quantity": q.quantity,
            "state": act.state,
            "measure": act.measure,
            "prevention": act.prevention,
            "opened_at": act.opened_at,
            "due_at": act.due_at,
            "settled_at": act.settled_at,
            "is_test": deal.is_test,
        }
        for act in (order.discrepancies if order else ())
        for q in act.lines
    ]
