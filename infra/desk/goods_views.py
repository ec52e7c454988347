"""The goods of a deal as callers see them: order lines, shipments, discrepancy acts, amendments, shortages."""

from collections.abc import Iterable
from typing import Any

from infra.desk.amounts import money
from infra.desk.callers import Caller
from infra.desk.hiding import without_prices
from infra.stores.pages import Row
from models import codec
from models.deal_state import Deal
from models.parts.amendment import AmendedLine, Amendment
from models.parts.order import OrderLine
from models.parts.shortage import Shortage

Plain = dict[str, Any]

_LINE = (
    "line", "article", "description", "ordered", "open", "short", "reserved", "shipped", "delivered", "returned",
    "cancelled", "substituted", "state", "expected_on", "wanted_on", "analogue", "proposed_article", "replaces",
    "reserved_until", "short_since",
)  # fmt: skip
_LASTING = ("since", "rung", "role", "due_at", "promised_on", "choice", "told_on", "settled_at", "outcome")
_SHIPMENT = ("number", "state", "carrier", "reference", "shipped_at", "told_at", "delivered_at")
_SHORT = (
    "deal_id", "line", "article", "description", "branch", "ordered", "reserved", "short", "since", "rung", "due_at",
    "expected_on", "promised_on", "choice", "note", "is_test",
)  # fmt: skip
_OPTION = ("kind", "promised_on", "quantity", "rank", "article")


def goods(deal: Deal, caller: Caller) -> Plain:
    """Everything of a deal that is about goods. Prices are null for whoever must not see them."""
    order = deal.order
    return {
        "lines": [_line(line, deal.currency, caller) for line in (order.lines if order else ())],
        "shipments": [
            {name: getattr(sent, name) for name in _SHIPMENT} | {"lines": codec.encode(sent.lines)}
            for sent in (order.shipments if order else ())
        ],
        "discrepancies": [codec.encode(act) for act in (order.discrepancies if order else ())],
        "amendments": [amendment(asked, deal.currency, caller) for asked in (order.amendments if order else ())],
    }


def _line(line: OrderLine, currency: str, caller: Caller) -> Plain:
    price = None if caller.is_blind else money(line.unit_price_minor, currency)
    told = {name: getattr(line, name) for name in _LINE}
    return told | {"unit_price": price, "shortage": _lasting(line.shortage) if line.shortage else None}


def _lasting(shortage: Shortage) -> Plain:
    return {name: getattr(shortage, name) for name in _LASTING}


def amendment(asked: Amendment, currency: str, caller: Caller) -> Plain:
    """One amendment. Whoever must not see prices learns what changes about the goods alone; a reason may name them."""
    told: Plain = codec.encode(asked)
    net, total = told.pop("net_minor"), told.pop("total_minor")
    amounts: Plain = {"net": money(net, currency), "total": money(total, currency)}
    if caller.is_blind:
        amounts = {"net": None, "total": None, "reason": ""}
    return told | amounts | {"changes": changes(asked.changes, currency, caller)}


def changes(amended: Iterable[AmendedLine], currency: str, caller: Caller) -> list[Plain]:
    """What an amendment changes, line by line. Our cost is no part of it."""
    told = [_change(change, currency) for change in amended]
    kept: list[Plain] = without_prices(told) if caller.is_blind else told
    return kept


def _change(change: AmendedLine, currency: str) -> Plain:
    same = (
        "kind", "line", "article", "description", "quantity_before", "quantity_after", "text_before", "text_after"
    )  # fmt: skip
    return {name: getattr(change, name) for name in same} | {
        "price_before": money(change.price_before_minor, currency),
        "price_after": money(change.price_after_minor, currency),
    }


def short_line(row: Row, caller: Caller, now: str) -> Plain:
    """One order line of the worklist. `overdue` says that the answer is late at `now`."""
    told = {name: row[name] for name in _SHORT}
    options = sorted(row["options"], key=lambda option: int(option["rank"]))
    return told | {
        "role": row["roles"],
        "overdue": row["due_at"] <= now,
        "options": [_option(option, row["deal_currency"], caller) for option in options],
    }


def _option(option: Plain, currency: str, caller: Caller) -> Plain:
    """One option. What it costs and earns is sales' own (D11), and so is the score, which is reckoned from that."""
    told = {name: option[name] for name in _OPTION}
    if not caller.sees_margins:
        return told | dict.fromkeys(("extra_cost", "margin_effect", "score"))
    return told | {
        "extra_cost": money(option["extra_cost_minor"], currency),
        "margin_effect": money(option["margin_effect_minor"], currency),
        "score": option["score"],
    }
