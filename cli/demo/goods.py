"""Fates that are decided in the warehouse: out of stock, amended, cancelled, discrepancies, complaints."""

from __future__ import annotations

from datetime import timedelta

from cli.demo.fates import Solved, fate
from cli.demo.story import Story
from models.instants import parse
from models.lifecycle.states import DealState as S

PROPOSE = "propose_analogue"


def _short_line(s: Story) -> int:
    lines = s.deal.order.short_lines if s.deal.order else ()
    return lines[0].line if lines else 0


@fate("out of stock: the customer takes the analogue", S.COMPLETED, Solved(PROPOSE, "substituted"))
async def analogue(s: Story) -> None:
    """At a protected price, with recorded consent."""
    await s.offered()
    await s.ordered()
    line = _short_line(s)
    await s.until_rung(PROPOSE)
    proposed = next(o.analogue for o in s.deal.order.lines if o.line == line) if s.deal.order else ""
    await s.do(s.owner, "propose_analogue", line=line, article=proposed)
    await s.do(s.owner, "accept_analogue", line=line, channel="email", given_by="buyer")
    await s.delivered()
    await s.days(15)
    await s.pay()
    await s.completed()


@fate("out of stock: logistics names a date, the goods wake the deal", S.COMPLETED, Solved("ask_logistics", "stock"))
async def logistics(s: Story) -> None:
    """Nobody acts, so the ladder asks logistics; the customer agrees to wait, and the goods come before their day."""
    await s.offered()
    await s.ordered(wait=6)
    line = _short_line(s)
    await s.until_rung("ask_logistics")
    arrival = (parse(await s.now()) + timedelta(days=12)).date().isoformat()
    note = "taken over from a cancelled order"
    await s.do(s.logistics, "answer_shortage", line=line, available_on=arrival, quantity=30, note=note)
    await s.do(s.owner, "tell_customer", line=line, channel="call", available_on=arrival, agrees=True)
    await s.do(s.logistics, "ship")
    await s.days(3)
    await s.do(s.logistics, "deliver")
    await s.days(4)
    await s.receive("GV-80", 30, "PO-2299")
    await s.delivered(travel=4)
    await s.days(20)
    await _pay_all(s)
    await s.completed()


@fate("out of stock: a part is delivered, the rest is bought in", S.COMPLETED, Solved("offer_partial", "stock"))
async def partial(s: Story) -> None:
    """The analogue is declined, logistics and production can't help; what there is goes out at once."""
    await s.offered()
    await s.ordered()
    line = _short_line(s)
    await s.until_rung(PROPOSE)
    await s.do(s.owner, "propose_analogue", line=line, article="CU-2N")
    await s.do(s.owner, "decline_analogue", line=line, channel="call", given_by="technical")
    await s.do(
        s.logistics, "answer_shortage", line=line, note="the order at the maker takes too long for this customer"
    )
    await s.do(s.production, "answer_shortage", line=line, note="no boards before the new year")
    await s.do(s.owner, "choose_option", line=line, option="partial")
    await s.delivered()
    await s.do(s.owner, "choose_option", line=line, option="buy_in")
    await s.days(8)
    await s.receive("CU-2", 1, "BUY-0417")
    await s.delivered()
    await s.days(12)
    await _pay_all(s)
    await s.completed()


@fate("two units missing in the box: act of shortage, redelivered", S.COMPLETED)
async def redelivered(s: Story) -> None:
    """The packer's fault: the units are on the shelf still, and go out once more at no charge."""
    await s.offered()
    await s.ordered()
    await s.delivered()
    await s.days(1)
    missing = [{"line": 1, "quantity": 2}]
    await s.do(
        s.owner, "report_discrepancy", kind="shortage", cause="packing", lines=missing, note="counted on arrival"
    )
    await s.days(1)
    await s.do(
        s.owner, "settle_discrepancy", act=1, measure="redelivery", prevention="seals are counted twice when packed"
    )
    await s.delivered(travel=2)
    await s.days(12)
    await s.pay()
    await s.completed()


@fate("the running order is amended: more pumps, and switches on top", S.COMPLETED)
async def amended(s: Story) -> None:
    """The effects are computed first; the customer confirms, and only then anything changes."""
    await s.offered()
    await s.ordered()
    await s.days(1)
    changes = [
        {"kind": "quantity", "line": 1, "quantity": 6},
        {"kind": "add", "article": "LS-01", "quantity": 8},
        {"kind": "address", "text": "Gate 4, Hafenstrasse 12"},
    ]
    await s.do(s.owner, "request_amendment", changes=changes, reason="the second basin is built at once")
    await s.days(2)
    await s.do(s.owner, "confirm_amendment", channel="email", given_by="buyer")
    await s.delivered()
    await s.days(14)
    await s.pay()
    await s.completed()


async def _pay_all(s: Story) -> None:
    while any(receivable.open_minor for receivable in s.deal.receivables):
        await s.pay()


@fate("cancelled after the order, everything released", S.CANCELLED)
async def cancelled(s: Story) -> None:
    """Reservations and credit headroom go back."""
    await s.offered()
    await s.ordered()
    await s.days(2)
    await s.do(s.owner, "cancel", reason="the customer's project was stopped")


@fate("complaint: credited and paid", S.COMPLETED)
async def complaint_credit(s: Story) -> None:
    """A case with a decision, a credit note and a measure against repetition."""
    await s.offered()
    await s.ordered()
    await s.delivered()
    await s.days(4)
    await s.do(s.owner, "open_case", lines=[1], cause="quality", note="four valves leak at the stem")
    await s.days(2)
    owed = s.owed()
    await s.do(
        s.head,
        "decide_case",
        case=1,
        decision="credit",
        measure="stem seals of this batch are checked",
        invoice=owed.number,
        credit_minor=owed.total_minor // 15,
    )
    await s.do(s.owner, "close_case", case=1)
    await s.days(9)
    await s.pay()
    await s.completed()


@fate("complaint: replaced, then paid", S.COMPLETED)
async def complaint_replace(s: Story) -> None:
    """The carrier's fault, our goodwill."""
    await s.offered()
    await s.ordered()
    await s.delivered()
    await s.do(s.owner, "open_case", lines=[2], cause="damage", note="one seal broken in transit")
    await s.days(1)
    await s.do(s.owner, "decide_case", case=1, decision="replace", measure="double wall box for seals")
    await s.days(3)
    await s.do(s.owner, "close_case", case=1)
    await s.days(10)
    await s.pay()
    await s.completed()
