"""Fates that are decided by the money: dunned, promised, disputed, written off."""

from __future__ import annotations

from cli.demo.fates import fate
from cli.demo.story import Story
from models.instants import DAY, between, plus
from models.lifecycle.states import DealState as S


async def _days_overdue(s: Story, days: int) -> None:
    """Let time pass until the invoice is this many days overdue."""
    due_in = between(await s.now(), s.owed().due_at) // DAY
    await s.days(due_in + days + 1)


@fate("paid late, after two dunning letters and a credit hold", S.COMPLETED)
async def two_dunnings(s: Story) -> None:
    """The ladder climbs by itself; the payment lifts the hold."""
    await s.offered()
    await s.ordered()
    await s.delivered()
    await _days_overdue(s, 16)
    await s.pay(reference="late, with apologies")
    await s.pay_interest()
    await s.completed()


@fate("a late partial payer: dunned on the rest, its interest waived", S.COMPLETED)
async def partial_payer(s: Story) -> None:
    """A part resets no level; waiving interest takes a second person."""
    await s.offered()
    await s.ordered()
    await s.delivered()
    await _days_overdue(s, 4)
    await s.pay(s.owed().open_minor // 3, "first third")
    await _days_overdue(s, 9)
    owed = s.owed()
    await s.do(s.money, "request_waiver", invoice=owed.number, amount_minor=1_000, reason="their bank was slow")
    await s.do(s.head, "approve_waiver", reason="a loyal customer")
    await s.pay(reference="the rest")
    await s.pay_interest()
    await s.completed()


@fate("pays in three instalments, as agreed", S.COMPLETED)
async def instalments(s: Story) -> None:
    """The ladder waits as long as the instalments come."""
    await s.offered()
    await s.ordered()
    await s.delivered()
    await _days_overdue(s, 2)
    owed, now = s.owed(), await s.now()
    part = owed.open_minor // 3
    amounts = (part, part, owed.open_minor - 2 * part)
    plan = [{"due_at": plus(now, (n + 1) * 10 * DAY), "amount_minor": m} for n, m in enumerate(amounts)]
    await s.do(s.money, "agree_plan", invoice=owed.number, instalments=plan)
    for number, amount in enumerate(amounts, start=1):
        await s.days(9)
        await s.pay(amount, f"instalment {number}")
    await s.completed()


@fate("promise to pay broken, paid in two parts", S.COMPLETED)
async def broken_promise(s: Story) -> None:
    """The promise stops the ladder; breaking it goes on with it and costs reliability."""
    await s.offered()
    await s.ordered()
    await s.delivered()
    await _days_overdue(s, 4)
    until = plus(await s.now(), 7 * DAY)
    await s.do(s.money, "promise_to_pay", invoice=s.owed().number, amount_minor=s.owed().open_minor, until=until)
    await s.days(10)
    await s.pay(s.owed().open_minor // 2, "first half")
    await s.days(5)
    await s.pay(reference="second half")
    await s.pay_interest()
    await s.completed()


@fate("a disputed line: the rest is paid, the dispute ends with a credit", S.COMPLETED)
async def disputed(s: Story) -> None:
    """Only the disputed amount freezes."""
    await s.offered()
    await s.ordered()
    await s.delivered()
    await s.days(6)
    owed = s.owed()
    line = owed.lines[-1]
    contested = line.gross_minor // 2
    named = [{"line": line.line, "amount_minor": contested}]
    reason, evidence = "gasket sets incomplete", "photos of the delivery, file 7"
    raised = {"amount_minor": contested, "reason": reason, "lines": named, "evidence": evidence}
    await s.do(s.money, "dispute", invoice=owed.number, **raised)
    await s.pay(owed.total_minor - contested, "undisputed part")
    await s.days(6)
    half = contested // 2
    reason = "half of the sets were short"
    await s.do(s.money, "settle_dispute", invoice=owed.number, dispute=1, credit_minor=half, reason=reason)
    await s.days(4)
    await s.pay(reference="rest after the settlement")
    await s.completed()


@fate("never paid: written off, with the director's approval", S.DEFAULTED)
async def written_off(s: Story) -> None:
    """The whole ladder, up to legal."""
    await s.offered()
    await s.ordered()
    await s.delivered()
    await _days_overdue(s, 62)
    await s.do(s.head, "approve_legal", reason="no answer to the formal notice")
    await s.days(5)
    number = s.owed().number
    await s.do(s.money, "request_write_off", invoice=number, reason="insolvency filed, no assets")
    await s.days(2)
    await s.do(s.director, "approve_write_off", reason="nothing to be had")


@fate("put on credit hold by the risk officer, resumed and paid", S.COMPLETED)
async def credit_hold(s: Story) -> None:
    """No goods leave while the hold stands."""
    await s.offered()
    await s.ordered()
    await s.do(s.risk, "hold", hold="credit", reason="a sister company is late elsewhere")
    await s.days(6)
    await s.do(s.risk, "resume", hold="credit", reason="paid yesterday")
    await s.delivered()
    await s.days(14)
    await s.pay()
    await s.completed()
