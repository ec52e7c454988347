"""A whole customer group on credit hold, on the real engine: late money of one deal, and what the others are told."""

import asyncio
import json

import pytest
from sqlalchemy import insert, select
from temporalio.client import WorkflowHistory

from infra.db import table_of
from infra.gateways.credit_limits import CreditLimits
from models.errors import MoveRefused, Verdict
from models.messages.deals import ActResult
from models.policy import GOODS
from models.tables.masters import CustomerRow
from models.tables.money_books import GroupHoldRow
from tests import journeys
from tests.engine import Engine
from tests.invariants import findings
from tests.journeys import deal_of

SALES, GOODS_OUT = "account_manager", "logistics_manager"


async def why_not(engine: Engine, deal_id: str, role: str, action: str) -> Verdict:
    """The one guard that refuses an act."""
    with pytest.raises(MoveRefused) as caught:
        await engine.act(deal_id, role, action, key=f"refused-{deal_id}-{action}")
    (verdict,) = caught.value.refusal.failing
    return verdict


async def holds(engine: Engine) -> list[tuple[str, str]]:
    """Who holds which group."""
    rows = table_of(GroupHoldRow)
    async with engine.database.read() as connection:
        return [tuple(row) for row in await connection.execute(select(rows.c.deal_id, rows.c.group_id))]


async def reserved(engine: Engine) -> int:
    return sum(row["reserved_minor"] for row in await CreditLimits(engine.database).limits())


async def stranger(engine: Engine) -> None:
    """A customer as good as c-1 that belongs to another group."""
    cards = table_of(CustomerRow)
    async with engine.database.begin() as connection:
        known = (await connection.execute(select(cards).where(cards.c.id == "c-1"))).mappings().one()
        await connection.execute(insert(cards), {**known, "id": "c-9", "group_id": "g-9"})


async def test_late_money_stops_the_whole_group_until_it_comes(engine: Engine) -> None:
    await journeys.delivered(engine, "GH-late")
    await journeys.offered(engine, "GH-wants")
    await journeys.entered(engine, "GH-ships")
    await stranger(engine)
    await journeys.offered(engine, "GH-other", customer="c-9", group="g-9")
    await engine.forward("GH-late", 76)
    late = await deal_of(engine, "GH-late")
    assert late.holds == ("credit",)
    assert await holds(engine) == [("GH-late", "g-1")]

    before = await reserved(engine)
    number = late.receivables[0].number
    for deal_id, role, action in (("GH-wants", SALES, "accept_offer"), ("GH-ships", GOODS_OUT, "ship")):
        verdict = await why_not(engine, deal_id, role, action)
        assert (verdict.guard, verdict.needed) == (
            "group_is_not_on_hold",
            "no credit hold on the customer's group",
        )
        assert verdict.found.startswith(f"GH-late invoice {number} since 20")
        assert verdict.lifted_by[0] == f"accounts_receivable: record_payment on {number}"
        assert verdict.lifted_by[1].endswith("resume (credit) on GH-late")
    assert await reserved(engine) == before, "no headroom is reserved for what is refused anyway"
    assert (await engine.act("GH-other", SALES, "accept_offer")).state == "drafting_contract"

    await journeys.pay_all(engine, "GH-late")
    assert await holds(engine) == []
    assert (await engine.act("GH-wants", SALES, "accept_offer")).state == "drafting_contract"
    await engine.act("GH-ships", GOODS_OUT, "ship")
    assert not [each for each in await findings(engine.database) if "hold" in each]


async def test_a_deal_that_is_cancelled_while_it_holds_its_group_lets_it_go(engine: Engine) -> None:
    await journeys.entered(engine, "GH-bad")
    await journeys.offered(engine, "GH-next")
    await engine.act("GH-bad", "risk_officer", "hold", hold="credit", reason="bad news")
    verdict = await why_not(engine, "GH-next", SALES, "accept_offer")
    assert (verdict.found[:13], len(verdict.lifted_by)) == ("GH-bad since ", 1)
    await engine.act("GH-bad", SALES, "cancel", reason="they are insolvent")
    assert await engine.handle("GH-bad").result() == "cancelled"
    assert await holds(engine) == []
    assert (await engine.act("GH-next", SALES, "accept_offer")).state == "drafting_contract"


async def test_deals_of_earlier_rules_neither_hold_nor_ask(engine: Engine) -> None:
    await journeys.delivered(engine, "GH-new")
    await engine.forward("GH-new", 76)
    engine.policy = GOODS
    await journeys.entered(engine, "GH-old")
    await engine.act("GH-old", GOODS_OUT, "ship")
    await engine.act("GH-old", "risk_officer", "hold", hold="credit", reason="bad news")
    assert await holds(engine) == [("GH-new", "g-1")]
    names = local_activities(await engine.handle("GH-old").fetch_history())
    assert "reserve_headroom" in names
    assert not {"read_group_holds", "hold_group"} & names


async def test_acceptance_and_hold_at_once_end_in_one_of_the_two_orders(engine: Engine) -> None:
    await journeys.entered(engine, "GH-holds")
    await journeys.offered(engine, "GH-meets")
    hold = engine.act("GH-holds", "risk_officer", "hold", hold="credit", reason="bad news")
    accept = engine.act("GH-meets", SALES, "accept_offer")
    set_hold, accepted = await asyncio.gather(hold, accept, return_exceptions=True)
    assert isinstance(set_hold, ActResult)
    assert isinstance(accepted, MoveRefused) or (
        isinstance(accepted, ActResult) and accepted.state == "drafting_contract"
    )
    with pytest.raises(MoveRefused) as own:
        await engine.act("GH-holds", GOODS_OUT, "ship")
    assert [v.guard for v in own.value.refusal.failing] == ["not_on_hold"], "its own hold is named once"


def local_activities(history: WorkflowHistory) -> set[str]:
    """The names of all local activities of a run."""
    return {
        json.loads(marker.details["data"].payloads[0].data)["activity_type"]
        for event in history.events
        if (marker := event.marker_recorded_event_attributes).marker_name == "core_local_activity"
    }
