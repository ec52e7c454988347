"""Journeys through collection on the real engine: interest, disputes by line, plans, promises, returned money, legal.

Like those of `tests.journeys`, each may be recorded by `python -m tests.replay.record NAME`.
"""

from typing import Any

from models.instants import DAY, plus
from models.parts.receivable import Receivable
from tests.engine import Engine
from tests.journeys import climbed, deal_of, delivered, pay_all, pay_with_interest, unpaid_until, until

MONEY, HEAD, DIRECTOR = "accounts_receivable", "head_of_sales", "commercial_director"


async def owed_by(engine: Engine, deal_id: str, number: int = 0) -> Receivable:
    """The first invoice, or another one."""
    return (await deal_of(engine, deal_id)).receivables[number]


async def pay(engine: Engine, deal_id: str, amount_minor: int, key: str, **more: Any) -> None:
    """A payment on the first invoice."""
    owed = await owed_by(engine, deal_id)
    payment = {"invoice": owed.number, "amount_minor": amount_minor, "currency": owed.currency, **more}
    await engine.act(deal_id, MONEY, "record_payment", key, **payment)


async def late(engine: Engine, deal_id: str, rung: str, days: int) -> str:
    """Delivered, and late until the ladder has climbed to a rung; answers the deal's own time."""
    await delivered(engine, deal_id)
    await unpaid_until(engine, deal_id, rung, days)
    return await engine.now(deal_id)


async def promise_broken_and_interest_waived(engine: Engine, deal_id: str) -> None:
    """A broken promise leads one level up; of the interest a part is waived by a second person, the rest is paid."""
    now = await late(engine, deal_id, "dun_first", 7)
    owed = await owed_by(engine, deal_id)
    await engine.act(
        deal_id, MONEY, "promise_to_pay", invoice=owed.number, amount_minor=owed.open_minor, until=plus(now, 5 * DAY)
    )
    await engine.forward(deal_id, 6)
    await pay(engine, deal_id, 20_000, "a part")
    await climbed(engine, deal_id, "dun_second")
    await engine.act(
        deal_id, MONEY, "request_waiver", invoice=owed.number, amount_minor=1_000, reason="a good customer"
    )
    await engine.act(deal_id, HEAD, "approve_waiver", reason="agreed")
    await pay_with_interest(engine, deal_id)


async def disputed_by_line(engine: Engine, deal_id: str) -> None:
    """One line is disputed and answered late; the rest is paid meanwhile, half of it is credited."""
    await delivered(engine, deal_id)
    owed = await owed_by(engine, deal_id)
    line = owed.lines[0]
    named = [{"line": line.line, "amount_minor": line.gross_minor}]
    raised: dict[str, Any] = {
        "amount_minor": line.gross_minor,
        "reason": "scratched",
        "lines": named,
        "evidence": "photo 3",
    }
    await engine.act(deal_id, "account_manager", "dispute", invoice=owed.number, **raised)
    await pay(engine, deal_id, owed.total_minor - line.gross_minor, "the rest")
    await engine.forward(deal_id, 16)
    credit = line.gross_minor // 2
    settled: dict[str, Any] = {"dispute": 1, "credit_minor": credit, "reason": "half of them"}
    await engine.act(deal_id, MONEY, "settle_dispute", invoice=owed.number, **settled)
    await pay_all(engine, deal_id)


async def plan_defaulted(engine: Engine, deal_id: str) -> None:
    """The second instalment never comes: everything is due at once, one level up."""
    now = await late(engine, deal_id, "remind_payment", 3)
    owed = await owed_by(engine, deal_id)
    first = owed.open_minor // 2
    plan = [
        {"due_at": plus(now, 10 * DAY), "amount_minor": first},
        {"due_at": plus(now, 20 * DAY), "amount_minor": owed.open_minor - first},
    ]
    await engine.act(deal_id, MONEY, "agree_plan", invoice=owed.number, instalments=plan)
    await engine.forward(deal_id, 8)
    await pay(engine, deal_id, first, "first instalment")
    await engine.forward(deal_id, 13)
    await climbed(engine, deal_id, "dun_first")
    await pay_with_interest(engine, deal_id)


async def debit_returned(engine: Engine, deal_id: str) -> None:
    """A direct debit is returned after it had paid the invoice, while a complaint keeps the deal open: the ladder goes
    on where it stood."""
    await late(engine, deal_id, "remind_payment", 3)
    await engine.act(deal_id, "sales_support", "open_case", lines=[1], cause="quality")
    owed = await owed_by(engine, deal_id)
    await pay(engine, deal_id, owed.open_minor, "debit")
    back: dict[str, Any] = {"amount_minor": owed.open_minor, "currency": "EUR", "reason": "insufficient funds"}
    await engine.act(deal_id, MONEY, "reverse_payment", invoice=owed.number, **back)
    await engine.forward(deal_id, 2)
    await pay(engine, deal_id, owed.open_minor, "again", charges_minor=0)
    await engine.act(deal_id, "account_manager", "decide_case", case=1, decision="refuse", measure="none")
    await engine.act(deal_id, "sales_support", "close_case", case=1)
    await engine.handle(deal_id).result()


async def handed_to_legal(engine: Engine, deal_id: str) -> None:
    """Nobody pays: the director hands it to legal, and in the end gives it up with its interest."""
    await late(engine, deal_id, "notice_formally", 45)
    await engine.forward(deal_id, 14)
    await until(engine, deal_id, lambda deal: deal.approvals)
    await engine.act(deal_id, DIRECTOR, "approve_legal", reason="nothing else helps")
    await engine.forward(deal_id, 20)
    owed = await owed_by(engine, deal_id)
    await engine.act(deal_id, MONEY, "request_write_off", invoice=owed.number, reason="insolvent")
    await engine.act(deal_id, DIRECTOR, "approve_write_off", reason="agreed")


ALL = {
    journey.__name__: journey
    for journey in (
        promise_broken_and_interest_waived,
        disputed_by_line,
        plan_defaulted,
        debit_returned,
        handed_to_legal,
    )
}
