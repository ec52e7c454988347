"""Holds on customer groups: the contract of the credit book, asked of the fake and of the real one, and its audit."""

from typing import Any

import pytest
from sqlalchemy import insert

from infra.db import Database
from infra.gateways.credit_book import SqlCreditBook
from infra.gateways.credit_limits import CreditLimits
from infra.gateways.once import EffectKeyReused
from models.messages.finance import GroupHold, GroupHoldInput, GroupHolds, GroupHoldsInput, HeadroomReleaseInput
from models.tables.projection import DealRow
from tests.gateways.worlds import AT, LATER, CreditWorld
from tests.infra.deal_samples import projection

BOLT = GroupHold("D1", "R-1", AT)


def hold(key: str, deal: str = "D1", invoice: str = "R-1", **changes: Any) -> GroupHoldInput:
    fields: dict[str, Any] = {
        "group": "group",
        "customer_id": "c-1",
        "on": True,
        "reason": "late",
        "at": AT,
        "is_test": False,
    } | changes
    return GroupHoldInput(effect_key=key, deal_id=deal, invoice=invoice, **fields)


def lift(key: str, deal: str = "D1", invoice: str = "") -> GroupHoldInput:
    return hold(key, deal, invoice, on=False)


async def seen(
    credit: CreditWorld, deal: str = "D9", group: str = "group", test: bool = False
) -> list[tuple[str, str]]:
    found = await credit.book.holds(GroupHoldsInput(group, deal, LATER, test))
    assert found.count == len(found.holds)
    return [(each.deal_id, each.invoice) for each in found.holds]


async def test_a_hold_is_seen_by_every_other_deal_of_the_group_and_by_no_other(credit: CreditWorld):
    await credit.book.set_hold(hold("e1"))
    assert await credit.book.holds(GroupHoldsInput("group", "D9", AT, False)) == GroupHolds((BOLT,), 1)
    assert await seen(credit, deal="D1") == [], "its own hold is the deal's own business"
    assert await seen(credit, group="another") == []


async def test_a_hold_is_set_once_and_keeps_its_first_instant(credit: CreditWorld):
    for _ in range(2):
        await credit.book.set_hold(hold("e1"))
    await credit.book.set_hold(hold("e2", at=LATER))
    assert (await credit.book.holds(GroupHoldsInput("group", "D9", LATER, False))).holds == (BOLT,)


async def test_one_invoice_is_lifted_alone_and_without_one_all_of_the_deals(credit: CreditWorld):
    for number, (deal, invoice) in enumerate([("D1", "R-1"), ("D1", "R-2"), ("D1", ""), ("D2", "R-3")]):
        await credit.book.set_hold(hold(f"e{number}", deal, invoice))
    assert await seen(credit) == [("D1", ""), ("D1", "R-1"), ("D1", "R-2"), ("D2", "R-3")]
    await credit.book.set_hold(lift("l1", invoice="R-1"))
    assert await seen(credit) == [("D1", ""), ("D1", "R-2"), ("D2", "R-3")]
    await credit.book.set_hold(lift("l2"))
    assert await seen(credit) == [("D2", "R-3")]
    await credit.book.set_hold(lift("l3"))
    assert await seen(credit) == [("D2", "R-3")], "what is gone stays gone"


async def test_an_echo_of_a_lifted_hold_does_not_set_it_again(credit: CreditWorld):
    await credit.book.set_hold(hold("e1"))
    await credit.book.set_hold(lift("l1"))
    await credit.book.set_hold(hold("e1"))
    assert await seen(credit) == []
    with pytest.raises(EffectKeyReused):
        await credit.book.release(HeadroomReleaseInput("e1", "k", "D1", 0, AT))


async def test_test_deals_and_real_ones_do_not_hold_each_other(credit: CreditWorld):
    await credit.book.set_hold(hold("e1", is_test=True))
    assert await seen(credit) == []
    assert await seen(credit, test=True) == [("D1", "R-1")]


async def test_twenty_holds_are_named_the_oldest_first_and_all_are_counted(credit: CreditWorld):
    for number in range(23):
        at = f"2026-03-{23 - number:02d}T08:00:00Z"
        await credit.book.set_hold(hold(f"e{number}", f"D{number:02d}", at=at))
    found = await credit.book.holds(GroupHoldsInput("group", "D9", LATER, False))
    assert (found.count, len(found.holds)) == (23, 20)
    assert [each.deal_id for each in found.holds[:2]] == ["D22", "D21"]
    assert (await credit.book.holds(GroupHoldsInput("group", "D22", LATER, False))).count == 22


@pytest.mark.parametrize("wrong", [{"group": ""}, {"group": "g" * 81}])
async def test_a_group_that_no_table_holds_is_refused(credit: CreditWorld, wrong: dict[str, Any]):
    with pytest.raises(ValueError, match="a group"):
        await credit.book.set_hold(hold("e1", **wrong))


async def test_a_hold_whose_deal_is_over_or_on_no_hold_itself_is_found(database: Database):
    book, limits = SqlCreditBook(database), CreditLimits(database)
    deals: dict[str, dict[str, Any]] = {
        "D1": {"holds": "credit,legal", "closed_at": ""},
        "D2": {"holds": "legal", "closed_at": ""},
        "D3": {"holds": "credit", "closed_at": AT},
        "D4": {"holds": "", "closed_at": AT, "pending_effects": 1},
        "D5": {"holds": "discredited", "closed_at": ""},
    }
    async with database.begin() as connection:
        rows = [projection(deal, 1, **changes).deal for deal, changes in deals.items()]
        await connection.execute(insert(DealRow), rows)
    for deal in (*deals, "D6"):
        await book.set_hold(hold(f"e-{deal}", deal))
    found = await limits.verify()
    assert [(each.where, each.what, each.expected, each.found) for each in found] == [
        ("group group", f"holds of {deal}", 0, 1) for deal in ("D2", "D3", "D5", "D6")
    ]
