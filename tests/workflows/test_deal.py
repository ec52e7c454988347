"""Deals on the real engine, from first contact to their end, months in seconds."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text
from temporalio.exceptions import ApplicationError

from models import codec
from models.command import Actor
from models.deal import fold
from models.errors import MoveRefused
from models.messages.deals import StartInput
from models.policy import DEFAULT
from models.timeline import Entry, verify_chain
from tests import journeys
from tests.engine import Engine
from tests.journeys import deal_of
from workflows.deal import DealWorkflow


async def _rows(engine: Engine, query: str) -> list[Any]:
    async with engine.database.read() as connection:
        return list((await connection.execute(text(query))).all())


async def _timeline(engine: Engine, deal_id: str) -> list[Entry]:
    from infra.stores.timeline import TimelineStore

    return await TimelineStore(engine.database).entries(deal_id)


async def test_a_won_deal_is_paid_supported_and_completed(engine: Engine) -> None:
    await journeys.won_and_paid(engine, "D-won")
    deal = await deal_of(engine, "D-won")
    assert deal.state == "completed"
    assert await engine.handle("D-won").result() == "completed"
    assert await _rows(engine, "select reserved_minor from credit_groups") == [(0,)]
    assert await _rows(engine, "select kind, count(*) from letters group by kind") == [("follow_up", 1)]
    assert await _rows(engine, "select state, open_minor from deal_invoices") == [("paid", 0)]


async def test_the_timeline_is_a_chain_that_folds_into_the_deal(engine: Engine) -> None:
    await journeys.paid_after_two_dunning_letters(engine, "D-late")
    entries = await _timeline(engine, "D-late")
    assert verify_chain(entries) is None
    assert fold(entries) == await deal_of(engine, "D-late")


async def test_two_dunning_letters_and_a_credit_hold_until_the_money_comes(engine: Engine) -> None:
    await journeys.paid_after_two_dunning_letters(engine, "D-dunned")
    letters = await _rows(engine, "select kind, count(*) from letters group by kind")
    assert dict(letters)["first_dunning"] == dict(letters)["second_dunning"] == 1
    events = [e["tag"] for entry in await _timeline(engine, "D-dunned") for e in entry.events]
    assert events.index("hold_set") < events.index("hold_lifted")
    assert (await deal_of(engine, "D-dunned")).holds == ()


async def test_a_deal_whose_money_is_given_up_defaults(engine: Engine) -> None:
    await journeys.given_up(engine, "D-bad")
    assert await engine.handle("D-bad").result() == "defaulted"


async def test_the_customer_takes_a_substitute(engine: Engine) -> None:
    await journeys.substituted(engine, "D-sub")
    deal = await deal_of(engine, "D-sub")
    assert deal.state == "completed"
    assert deal.order is not None
    assert [(line.article, line.state) for line in deal.order.lines] == [
        ("A-1", "delivered"),
        ("A-5", "substituted"),
        ("A-4", "delivered"),
    ]


async def test_a_cancelled_deal_gives_everything_back(engine: Engine) -> None:
    await journeys.cancelled(engine, "D-off")
    assert await engine.handle("D-off").result() == "cancelled"
    assert await _rows(engine, "select sum(reserved) from stock_levels") == [(0,)]
    assert await _rows(engine, "select reserved_minor from credit_groups") == [(0,)]


async def test_an_offer_expires_and_the_deal_is_lost(engine: Engine) -> None:
    await journeys.offer_expired_and_lost(engine, "D-lost")
    actions = [entry.action for entry in await _timeline(engine, "D-lost")]
    assert actions.count("expire") == 1
    assert await engine.handle("D-lost").result() == "lost"


async def test_a_blocked_customer_is_rejected(engine: Engine) -> None:
    await journeys.rejected(engine, "D-no")
    assert await engine.handle("D-no").result() == "rejected"


async def test_a_discount_needs_the_head_of_sales_and_nobody_approves_their_own(engine: Engine) -> None:
    await journeys.checked(engine, "D-disc")
    lines = [{"article": "A-1", "quantity": 10, "unit_price_minor": 8_800}]
    await engine.act("D-disc", "account_manager", "draft_offer", lines=lines)
    with pytest.raises(MoveRefused) as blocked:
        await engine.act("D-disc", "account_manager", "send_offer")
    verdict = blocked.value.refusal.failing[0]
    assert verdict.guard == "discount_within_authority"
    assert verdict.found.startswith("12.00 % asked, 5.00 % allowed")
    assert "head_of_sales: approve_offer" in verdict.lifted_by
    await engine.act("D-disc", "account_manager", "request_approval", reason="large order")
    with pytest.raises(MoveRefused) as wrong_role:
        await engine.act("D-disc", "account_manager", "approve_offer", reason="me")
    assert wrong_role.value.refusal.code == "wrong_role"
    await engine.act("D-disc", "head_of_sales", "approve_offer", reason="worth it")
    assert (await engine.act("D-disc", "account_manager", "send_offer")).state == "offer_open"


async def test_the_same_key_is_answered_once_and_another_body_is_refused(engine: Engine) -> None:
    await engine.open("D-key")
    first = await engine.act("D-key", "account_manager", "note", key="k-1", text="hello")
    again = await engine.act("D-key", "account_manager", "note", key="k-1", text="hello")
    assert again.version == first.version
    assert len(await _timeline(engine, "D-key")) == 2
    # another body under the same update id is answered by the engine itself with the first answer; a client that
    # asks under another update id meets the deal's own memory
    handle = engine.handle("D-key")
    from models.command import Actor
    from models.messages.deals import ActInput

    other = ActInput("note", Actor("u-account_manager", ("account_manager",)), "k-1", "another", {"text": "bye"})
    with pytest.raises(Exception, match="Workflow update failed"):
        await handle.execute_update("act", other, id="k-1-again")


async def test_concurrent_acts_queue_and_leave_a_gapless_timeline(engine: Engine) -> None:
    await engine.open("D-busy")
    await asyncio.gather(*(engine.act("D-busy", "account_manager", "note", text=f"n{i}") for i in range(8)))
    entries = await _timeline(engine, "D-busy")
    assert [e.sequence for e in entries] == list(range(1, 10))
    assert verify_chain(entries) is None


async def test_a_deal_goes_on_as_new_and_loses_nothing(engine: Engine) -> None:
    await journeys.long_prospect(engine, "D-long")
    deal = await deal_of(engine, "D-long")
    assert (deal.contacts, deal.version) == (25, 26)
    await engine.forward("D-long", 15)
    assert "remind" in [e.action for e in await _timeline(engine, "D-long")]


async def test_group_headroom_is_not_overrun_by_two_deals_at_once(engine: Engine) -> None:
    big = [{"article": "A-1", "quantity": 300}]
    for deal_id in ("D-a", "D-b"):
        await journeys.checked(engine, deal_id)
        # 300 units at 10,000 and 19 % tax are 3.57 million minor units each, below the signing authority's guard
        await engine.act(deal_id, "account_manager", "draft_offer", lines=big)
        await engine.act(deal_id, "account_manager", "send_offer")
    async with engine.database.begin() as connection:
        await connection.execute(
            text(
                "insert into credit_groups(group_id, currency, limit_minor, fixed_by, reserved_minor)"
                " values ('g-1', 'EUR', 5000000, 'u-risk', 0)"
            )
        )
    answers = await asyncio.gather(
        *(engine.act(d, "account_manager", "accept_offer") for d in ("D-a", "D-b")), return_exceptions=True
    )
    refused = [a for a in answers if isinstance(a, MoveRefused)]
    assert len(refused) == 1
    assert refused[0].refusal.failing[0].guard == "headroom_is_available"
    assert await _rows(engine, "select reserved_minor from credit_groups") == [(3_570_000,)]


def test_a_deal_that_is_not_open_yet_says_so() -> None:
    start = StartInput("D-0", codec.encode(DEFAULT), Actor("u-1", ("account_manager",)), "open", "", {})
    with pytest.raises(ApplicationError, match="not open yet") as refused:
        _ = DealWorkflow(start).deal
    assert refused.value.type == "NotOpen"
