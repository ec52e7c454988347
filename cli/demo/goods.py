"""Fates that are decided in the warehouse: out of stock, cancelled, complaints."""

from __future__ import annotations

from datetime import timedelta

from cli.demo.fates import fate
from cli.demo.story import Story
from models.instants import parse
from models.lifecycle.states import DealState as S


def _short_line(s: Story) -> int:
    lines = s.deal.order.short_lines if s.deal.order else ()
    return lines[0].line if lines else 0


@fate("out of stock: the customer takes the analogue", S.COMPLETED)
async def analogue(s: Story) -> None:
    """At a protected price, with recorded consent."""
    await s.offered()
    await s.ordered()
    line = _short_line(s)
    proposed = next(o.analogue for o in s.deal.order.lines if o.line == line) if s.deal.order else ""
    await s.do(s.owner, "propose_analogue", line=line, article=proposed)
    await s.days(1)
    await s.do(s.owner, "accept_analogue", line=line, channel="email", given_by="buyer")
    await s.delivered()
    await s.days(15)
    await s.pay()
    await s.completed()


@fate("out of stock: escalated to logistics, delivered in two parts", S.COMPLETED)
async def logistics(s: Story) -> None:
    """Nobody acts, so the deal itself asks logistics; the goods come earlier than announced."""
    await s.offered()
    await s.ordered(wait=6)
    line = _short_line(s)
    await s.days(2)  # the agenda escalates the shortage after a day
    arrival = (parse(await s.now()) + timedelta(days=12)).date().isoformat()
    note = "taken over from a cancelled order"
    await s.do(s.logistics, "answer_shortage", line=line, available_on=arrival, quantity=30, note=note)
    await s.do(s.logistics, "ship")
    await s.days(3)
    await s.do(s.logistics, "deliver")
    await s.receive("GV-80", 30, "PO-2299")
    await s.days(11)  # on the day of arrival the deal asks the stock book again
    await s.delivered(travel=4)
    await s.days(20)
    while any(receivable.open_minor for receivable in s.deal.receivables):
        await s.pay()
    await s.completed()


@fate("out of stock: analogue declined, the rest cancelled", S.COMPLETED)
async def partial(s: Story) -> None:
    """What there is goes out; the customer does without the last unit."""
    await s.offered()
    await s.ordered()
    line = _short_line(s)
    await s.do(s.owner, "propose_analogue", line=line, article="CU-2N")
    await s.do(s.owner, "decline_analogue", line=line, channel="call", given_by="technical")
    await s.delivered()
    await s.do(s.owner, "close_short", reason="the customer needs no third unit any more")
    await s.days(12)
    await s.pay()
    await s.completed()


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
