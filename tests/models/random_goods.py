"""What random people ask about the goods of a deal: shortages, shipments, discrepancy acts and amendments."""

from random import Random
from typing import Any

from models.deal_state import Deal
from models.instants import DAY, HOUR, plus
from models.parts.amendment import ChangeKind
from models.parts.discrepancy import Kind, Measure, Origin
from models.parts.order import OrderLine
from models.parts.shortage import Choice, Source
from models.stages.shipping import News

Payload = dict[str, Any]


def pick(rng: Random, good: Any, *bad: Any) -> Any:
    """The good value nine times out of ten, else one of the others."""
    return good if not bad or rng.random() < 0.9 else rng.choice(bad)


def order_lines(deal: Deal) -> tuple[OrderLine, ...]:
    return deal.order.lines if deal.order else ()


def short_line(rng: Random, deal: Deal) -> int:
    """A line that is short, if there is one."""
    short = [line.line for line in order_lines(deal) if line.state == "short"]
    return rng.choice(short or [1])


def order(rng: Random, deal: Deal, now: str) -> Payload:
    """The order as agreed, or nearly so."""
    wrong = pick(rng, 0, 1)
    return {
        "lines": [
            {"article": a.article, "quantity": a.ordered + wrong, "unit_price_minor": a.unit_price_minor}
            for a in order_lines(deal)
            if a.open
        ]
    }


def other_order(rng: Random, deal: Deal, now: str) -> Payload:
    """The order with another quantity, another price, an article more or less."""
    lines = order(rng, deal, now)["lines"]
    if lines:
        lines[0]["quantity"] = max(1, lines[0]["quantity"] + rng.choice((-1, 1, 3)))
        lines[-1]["unit_price_minor"] += rng.choice((0, 0, 100, -100))
    if len(lines) > 1 and rng.random() < 0.3:
        lines.pop()
    if rng.random() < 0.3:
        lines.append({"article": "B-1", "quantity": 2, "unit_price_minor": 10_000})
    return {"lines": lines}


def some_units(rng: Random, deal: Deal, now: str) -> Payload:
    """Everything, or some units of a line or two."""
    numbers = [line.line for line in order_lines(deal)] or [1]
    some = [{"line": rng.choice(numbers), "quantity": rng.choice((1, 2, 5, 40))} for _ in range(rng.randint(1, 2))]
    return {"lines": rng.choice(([], some))}


def news(rng: Random, deal: Deal, now: str) -> Payload:
    """What a carrier tells of one of the shipments, often of one that is still under way, now and then late."""
    shipments = deal.order.shipments if deal.order else ()
    moving = [each.number for each in shipments if each.state not in ("delivered", "returned")]
    numbers = moving or [each.number for each in shipments] or ["none"]
    kinds = (*News, News.DELIVERED, News.DELIVERED, News.RETURNED)
    return {
        "shipment": pick(rng, rng.choice(numbers), "D-9-S9"),
        "message_id": f"M-{rng.randint(1, 50)}",
        "kind": str(rng.choice(kinds)),
        "occurred_at": pick(rng, plus(now, -rng.choice((0, HOUR, 2 * DAY))), "2026-03-01 10:00"),
    }


def discrepancy(rng: Random, deal: Deal, now: str) -> Payload:
    """Something wrong with what arrived."""
    arrived = [line.line for line in order_lines(deal) if line.delivered] or [1]
    kind = rng.choice(list(Kind))
    named = [str(s.number) for s in (deal.order.shipments if deal.order else ()) if s.state == "delivered"]
    return {
        "kind": str(kind),
        "cause": str(rng.choice(list(Origin))),
        "lines": [{"line": rng.choice(arrived), "quantity": rng.choice((1, 2, 5))}],
        "shipment": rng.choice(["", *named]),
        "other_article": "A-9" if (kind == Kind.MIS_SORT) is pick(rng, True, False) else "",
    }


def settlement(rng: Random, deal: Deal, now: str) -> Payload:
    """A decision about an act, with an invoice now and then."""
    acts = [act.number for act in deal.order.open_discrepancies] if deal.order else []
    invoices = [""] * 3 + [r.number for r in deal.receivables]
    return {
        "act": pick(rng, rng.choice(acts or [1]), 9),
        "measure": str(rng.choice(list(Measure))),
        "prevention": "better boxes",
        "invoice": rng.choice(invoices),
        "cause": str(rng.choice(("unknown", "packing", "carrier"))),
    }


def _change(rng: Random, deal: Deal, now: str) -> Payload:
    opened = [line for line in order_lines(deal) if line.open] or list(order_lines(deal)[:1])
    line = rng.choice(opened) if opened else None
    number, ordered = (line.line, line.ordered) if line else (1, 1)
    changes: dict[str, Payload] = {
        ChangeKind.ADD: {"article": rng.choice(("A-1", "A-2", "B-1")), "quantity": rng.choice((1, 3, 20))},
        ChangeKind.DROP: {"line": number},
        ChangeKind.QUANTITY: {"line": number, "quantity": max(1, ordered + rng.choice((-3, -1, 1, 6)))},
        ChangeKind.PRICE: {"line": number, "unit_price_minor": rng.choice((9_700, 9_900, 10_500, 8_800))},
        ChangeKind.DATE: {"line": rng.choice((0, number)), "text": plus(now, 20 * DAY)[:10]},
        ChangeKind.ADDRESS: {"text": "another ramp"},
        ChangeKind.PAYMENT_DAYS: {"text": rng.choice(("7", "14", "99"))},
        ChangeKind.DELIVERY_TERMS: {"text": "EXW"},
    }
    kind = rng.choice([*ChangeKind, ChangeKind.QUANTITY, ChangeKind.QUANTITY, ChangeKind.ADD, ChangeKind.DROP])
    return {"kind": str(kind), **changes[kind]}


def amendment(rng: Random, deal: Deal, now: str) -> Payload:
    """One to three wishes."""
    return {"changes": [_change(rng, deal, now) for _ in range(pick(rng, rng.randint(1, 3), 0))]}


def answer(rng: Random, deal: Deal, now: str) -> Payload:
    """What logistics or production say of missing units: a day, or no."""
    day = pick(rng, plus(now, rng.choice((1, 9)) * DAY)[:10], "", "", "2025-12-01", "soon")
    return {
        "line": pick(rng, short_line(rng, deal), 99),
        "available_on": day,
        "source": str(rng.choice(list(Source))),
        "quantity": rng.choice((0, 0, 1)),
    }


def telling(rng: Random, deal: Deal, now: str) -> Payload:
    """What the customer is told, and whether they wait."""
    day = rng.choice(("", plus(now, 9 * DAY)[:10]))
    return {"line": short_line(rng, deal), "available_on": day, "agrees": rng.random() < 0.5}


def choice(rng: Random, deal: Deal, now: str) -> Payload:
    """One of the options, possible or not."""
    return {"line": short_line(rng, deal), "option": str(rng.choice(list(Choice)))}


def about_a_short_line(rng: Random, deal: Deal, now: str) -> Payload:
    """A line that is short, with what a substitute needs."""
    return {
        "line": pick(rng, short_line(rng, deal), 99),
        "article": pick(rng, "B-1", "unknown-1"),
        "unit_price_minor": rng.choice((-1, -1, 9_000, 12_000)),
        "given_by": "buyer",
    }


def confirmation(rng: Random, deal: Deal, now: str) -> Payload:
    """The customer agrees."""
    return {"given_by": pick(rng, "buyer", " ")}


MAKING = {
    "enter_order": order,
    "enter_differing_order": other_order,
    "ship": some_units,
    "deliver": some_units,
    "escalate_shortage": about_a_short_line,
    "tell_customer": telling,
    "choose_option": choice,
    "answer_shortage": answer,
    "propose_analogue": about_a_short_line,
    "accept_analogue": about_a_short_line,
    "decline_analogue": about_a_short_line,
    "book_carrier_message": news,
    "report_discrepancy": discrepancy,
    "settle_discrepancy": settlement,
    "request_amendment": amendment,
    "confirm_amendment": confirmation,
}
FIELDS = {
    "enter_order": ("lines",),
    "enter_differing_order": ("lines",),
    "ship": ("lines",),
    "deliver": ("lines",),
    "escalate_shortage": ("line",),
    "tell_customer": ("line", "channel", "available_on", "agrees"),
    "choose_option": ("line", "option"),
    "answer_shortage": ("line", "available_on", "quantity", "source"),
    "propose_analogue": ("line", "article", "unit_price_minor"),
    "accept_analogue": ("line", "channel", "given_by"),
    "decline_analogue": ("line", "channel", "given_by"),
    "cancel_line": ("line", "reason"),
    "book_carrier_message": ("shipment", "message_id", "kind", "occurred_at"),
    "report_discrepancy": ("kind", "cause", "lines", "shipment", "other_article"),
    "settle_discrepancy": ("act", "measure", "prevention", "invoice", "cause"),
    "request_amendment": ("changes", "reason"),
    "confirm_amendment": ("channel", "given_by"),
    "decline_amendment": ("reason",),
}
_LADDER = (
    "escalate_shortage", "tell_customer", "choose_option", "answer_shortage", "propose_analogue", "retry_reservation"
)  # fmt: skip


def weight(deal: Deal, action: str) -> float | None:
    """How often an action about goods is chosen, compared with others (1.0); None when it is about something else."""
    if deal.order is None:
        return None
    moving = any(each.on_the_way for each in deal.order.shipments)
    wanted = {
        **dict.fromkeys(_LADDER, 1.0 if deal.order.short_lines else 0.05),
        "escalate_shortage": 0.4 if deal.order.short_lines else 0.05,
        "accept_analogue": 1.0 if any(line.proposed_article for line in deal.order.lines) else 0.05,
        "decline_analogue": 0.4 if any(line.proposed_article for line in deal.order.lines) else 0.05,
        "book_carrier_message": 2.0 if moving else 0.1,
        "report_discrepancy": 0.6 if any(line.delivered for line in deal.order.lines) else 0.05,
        "settle_discrepancy": 2.0 if deal.order.open_discrepancies else 0.05,
        "request_amendment": 0.1 if deal.order.pending_amendment else 0.5,
        "confirm_amendment": 2.0 if deal.order.pending_amendment else 0.05,
        "decline_amendment": 0.3 if deal.order.pending_amendment else 0.05,
        "enter_differing_order": 0.5,
    }
    return wanted.get(action)
