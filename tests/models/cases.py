"""What shows a guard: the row, the change that makes it fail, and what the verdict then says; and usual changes."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from models.command import Facts
from models.messages.finance import GroupHold, GroupHolds
from models.messages.sales import QuotedLine, QuoteResult
from tests.models.deals import line_changed
from tests.models.samples import OWED, Sample

Change = Callable[[Sample], Sample]


@dataclass(frozen=True)
class Case:
    """A guard, the row that shows it, the change that makes it fail, what the verdict then says. `also` are guards
    that can't hold either: where there is no offer, none is valid."""

    guard: str
    state: str
    action: str
    change: Change
    found: str
    lifted_by: str = ""
    also: tuple[str, ...] = ()


def contract(asked: Sample, **changes: object) -> Sample:
    assert asked.deal.contract
    return asked.given(contract=replace(asked.deal.contract, **changes))  # type: ignore[arg-type]


def offer(asked: Sample, **changes: object) -> Sample:
    assert asked.deal.offer
    return asked.given(offer=replace(asked.deal.offer, **changes))  # type: ignore[arg-type]


def order(asked: Sample, **changes: object) -> Sample:
    assert asked.deal.order
    return asked.given(order=replace(asked.deal.order, **changes))  # type: ignore[arg-type]


def line(asked: Sample, **changes: object) -> Sample:
    return replace(asked, deal=line_changed(asked.deal, 1, **changes))


def quoted(asked: Sample, **changes: object) -> Sample:
    usual = QuotedLine("A-1", True, "article A-1", 10_000, 6_000, 1900)
    return replace(asked, facts=Facts(quote=QuoteResult((replace(usual, **changes),))))  # type: ignore[arg-type]


def stale(asked: Sample) -> Sample:
    assert asked.deal.assessment
    return asked.given(assessment=replace(asked.deal.assessment, valid_until=asked.now))


def held(asked: Sample) -> Sample:
    return asked.given(holds=("credit", "legal"))


def group_held(asked: Sample) -> Sample:
    found = GroupHold("D-9", "R-9", "2026-01-02T08:00:00Z")
    return replace(asked, facts=asked.facts.told(GroupHolds((found,), 1)))


def paid(asked: Sample) -> Sample:
    return asked.given(receivables=(replace(OWED, paid_minor=10_000, state="paid"),))


def unpaid(asked: Sample) -> Sample:
    return offer(asked.given(receivables=(replace(OWED, kind="prepayment", paid_minor=4_000),)), prepaid=True)


def other_department(asked: Sample) -> Sample:
    return asked.given(receivables=(*asked.deal.receivables, replace(OWED, number="R-9")))


def expired(asked: Sample) -> Sample:
    return offer(asked, valid_until=asked.now)


def priced(asked: Sample, price: int) -> Sample:
    return asked.asking(lines=[{"article": "A-1", "quantity": 3, "unit_price_minor": price}])


def typed(asked: Sample, **changes: object) -> Sample:
    first, *rest = asked.payload["lines"]
    return asked.asking(lines=[first | changes, *rest])
