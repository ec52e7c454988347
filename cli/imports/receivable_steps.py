"""What an account taken over needs next to live through its invoices: bring, dispute, answer, book the money.

Pure: a step follows from the deal and its rows, so an interrupted import just goes on. A row says only whether its
invoice was disputed; the import has it disputed in full on the due day, or on the day of the money if that is earlier,
and rejects the dispute in the evening ANSWER_DAYS later, or right before the money if that is not later.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum
from typing import Any

from cli.imports.receivables import OldAccount, OldInvoice
from cli.imports.steps import Act, Done, Forward, Step
from models.deal_state import Deal
from models.instants import HOUR, between, day_start, plus
from models.lifecycle.states import DealState as S
from models.parts.receivable import Receivable

ANSWER_DAYS = 7
"""Days after which a dispute is rejected, unless the money comes first."""

NOON, EVENING = 12 * HOUR, 18 * HOUR
"""Acts of a day are done at noon: what the ladder does on that day was done at its beginning. A dispute is answered in
the evening, so that its length is no whole number of days: a ladder that moves by it keeps clear of midnight."""


class Deed(IntEnum):
    """What is done about an invoice; deeds of one day in this order."""

    BRING = 1
    DISPUTE = 2
    REJECT = 3
    PAY = 4


@dataclass(frozen=True, slots=True)
class Due:
    """One deed, its day in the days of the file, and the second of the day."""

    on: date
    deed: Deed
    owed: OldInvoice
    second: int = NOON


def deeds(account: OldAccount) -> list[Due]:
    """All deeds of an account in the order in which they are done."""
    found: list[Due] = []
    for owed in account.invoices:
        found.append(Due(owed.issued, Deed.BRING, owed))
        if owed.disputed:
            raised = min(owed.due, owed.settled or owed.due)
            found.append(Due(raised, Deed.DISPUTE, owed))
            found.append(_answer(raised, owed))
        if owed.settled:
            found.append(Due(owed.settled, Deed.PAY, owed))
    return sorted(found, key=lambda due: (due.on, due.second, due.deed, due.owed.line))


def _answer(raised: date, owed: OldInvoice) -> Due:
    answered = raised + timedelta(days=ANSWER_DAYS)
    if owed.settled and owed.settled <= answered:
        return Due(owed.settled, Deed.REJECT, owed)
    return Due(answered, Deed.REJECT, owed, EVENING)


@dataclass(frozen=True, slots=True)
class AccountWay:
    """Everything that a step depends on. The days of the file are `weeks` earlier than those of the deal, which is
    watched until the day `last` of the file at least."""

    account: OldAccount
    deal: Deal
    now: str
    weeks: int
    last: date
    clerk: str

    def instant(self, day: date, second: int = NOON) -> str:
        """An instant of a day of the file as the deal knows it."""
        return plus(day_start(self.shifted(day)), second)

    def shifted(self, day: date) -> str:
        """A day of the file as the deal knows it."""
        return (day + timedelta(weeks=self.weeks)).isoformat()


def next_step(way: AccountWay) -> Step:
    """The next thing to do for the account."""
    missing = [due for due in deeds(way.account) if not _is_done(due, way.deal)]
    if way.deal.is_closed:
        return Done(not missing)
    if way.deal.state == S.IDENTIFIED:
        return Act(way.clerk, "take_over_account")
    at = way.instant(missing[0].on, missing[0].second) if missing else way.instant(way.last)
    if way.deal.open_minor == 0 and not missing:
        return Act(way.clerk, "complete")
    if way.now < at:
        return Forward(between(way.now, at))
    return _act(missing[0], way) if missing else Done(True)


def _is_done(due: Due, deal: Deal) -> bool:
    there = deal.receivable(due.owed.number)
    if there is None:
        return False
    if due.deed is Deed.BRING:
        return True
    if due.deed is Deed.PAY:
        return there.is_settled
    return bool(there.disputes) and (due.deed is Deed.DISPUTE or all(each.settled for each in there.disputes))


def _act(due: Due, way: AccountWay) -> Act:
    owed = due.owed
    if due.deed is Deed.BRING:
        days = {"issued_on": way.shifted(owed.issued), "due_on": way.shifted(owed.due)}
        return Act(way.clerk, "bring_invoice", {"number": owed.number, "amount_minor": owed.amount_minor, **days})
    there = way.deal.receivable(owed.number)
    if there is None:
        raise ValueError(f"invoice {owed.number} was not brought")
    action, payload = _about(due, there)
    return Act(way.clerk, action, {"invoice": owed.number, **payload})


def _about(due: Due, there: Receivable) -> tuple[str, dict[str, Any]]:
    if due.deed is Deed.DISPUTE:
        return "dispute", {"amount_minor": there.collectable_minor, "reason": "disputed, as the row says"}
    if due.deed is Deed.REJECT:
        number = next(each.number for each in there.disputes if not each.settled)
        return "settle_dispute", {"dispute": number, "credit_minor": 0, "reason": "the customer paid in full later"}
    reference = f"import line {due.owed.line}"
    return "record_payment", {"amount_minor": there.open_minor, "currency": there.currency, "reference": reference}
