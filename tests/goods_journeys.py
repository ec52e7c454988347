"""Journeys through fulfilment on the real engine: shortages, shipments in parts, discrepancies, amendments.

Like those of `tests.journeys`, each may be recorded by `python -m tests.replay.record NAME`.
"""

from typing import Any

from infra.gateways.stock_intake import StockIntake
from models.instants import plus
from models.parts.order import Order
from tests.engine import Engine
from tests.journeys import deal_of, entered, pay_all

SHORT_LINES = [{"article": "A-1", "quantity": 2}, {"article": "A-5", "quantity": 4}]
"""A-5 was never in stock."""


async def order_of(engine: Engine, deal_id: str) -> Order:
    """The order as the workflow knows it."""
    order = (await deal_of(engine, deal_id)).order
    assert order is not None
    return order


async def now_of(engine: Engine, deal_id: str) -> str:
    """When the deal last moved, by its own clock."""
    return (await deal_of(engine, deal_id)).updated_at


async def receive(engine: Engine, article: str, quantity: int, key: str) -> None:
    """Goods come into the central warehouse."""
    await StockIntake(engine.database).receive(article, "central", quantity, "2026-01-01T00:00:00Z", key)


async def carried(engine: Engine, deal_id: str, shipment: str, *kinds: str) -> None:
    """The carrier tells of a shipment, an hour between two messages."""
    at = await now_of(engine, deal_id)
    for number, kind in enumerate(kinds, start=1):
        told: dict[str, Any] = {"kind": kind, "occurred_at": plus(at, number * 3_600), "note": ""}
        message = f"{shipment}-{number}-{kind}"
        await engine.act(
            deal_id, "logistics_manager", "book_carrier_message", shipment=shipment, message_id=message, **told
        )


async def nobody_found_the_goods(engine: Engine, deal_id: str) -> None:
    """Nobody answers on any rung; after two months the engine cancels the line, and the rest is shipped and paid."""
    await entered(engine, deal_id, SHORT_LINES)
    await engine.forward(deal_id, 75)
    assert [line.state for line in (await order_of(engine, deal_id)).lines] == ["reserved", "cancelled"]
    await engine.act(deal_id, "logistics_manager", "ship")
    await carried(engine, deal_id, f"{deal_id}-S1", "picked_up", "in_transit", "delivered")
    await pay_all(engine, deal_id)
    await engine.forward(deal_id, 15)


async def logistics_named_a_date(engine: Engine, deal_id: str) -> None:
    """Two units come from a restock that logistics named, two are bought in; both wait for their day."""
    await entered(engine, deal_id, SHORT_LINES)
    await engine.forward(deal_id, 4)
    day = plus(await now_of(engine, deal_id), 6 * 86_400)[:10]
    await engine.act(deal_id, "logistics_manager", "answer_shortage", line=2, available_on=day, quantity=2)
    await engine.act(deal_id, "account_manager", "choose_option", line=2, option="wait")
    await receive(engine, "A-5", 2, f"first-{deal_id}")
    await engine.forward(deal_id, 7)
    line = (await order_of(engine, deal_id)).lines[1]
    assert (line.reserved, line.short) == (2, 2)
    await engine.act(deal_id, "logistics_manager", "ship")
    await engine.act(deal_id, "account_manager", "choose_option", line=2, option="buy_in")
    await receive(engine, "A-5", 2, f"second-{deal_id}")
    await engine.act(deal_id, "logistics_manager", "retry_reservation")
    await engine.act(deal_id, "logistics_manager", "ship", key="second")
    await carried(engine, deal_id, f"{deal_id}-S2", "delivered")
    await carried(engine, deal_id, f"{deal_id}-S1", "delivered")
    await pay_all(engine, deal_id)
    await engine.forward(deal_id, 15)


async def damaged_and_delivered_again(engine: Engine, deal_id: str) -> None:
    """A box is damaged and delivered again at no charge, another is refused at the door and given up."""
    await entered(engine, deal_id)
    ship: dict[str, Any] = {"lines": [{"line": 1, "quantity": 3}]}
    await engine.act(deal_id, "logistics_manager", "ship", **ship)
    await engine.act(deal_id, "logistics_manager", "ship")
    await carried(engine, deal_id, f"{deal_id}-S1", "picked_up", "failed", "delivered")
    await carried(engine, deal_id, f"{deal_id}-S2", "picked_up", "returned")
    damaged: dict[str, Any] = {"kind": "damage", "cause": "carrier", "lines": [{"line": 1, "quantity": 1}]}
    await engine.act(deal_id, "logistics_manager", "report_discrepancy", shipment=f"{deal_id}-S1", **damaged)
    for act, measure in ((1, "return"), (2, "redelivery")):
        await engine.act(
            deal_id, "account_manager", "settle_discrepancy", act=act, measure=measure, prevention="better boxes"
        )
    await engine.act(deal_id, "logistics_manager", "ship", key="again")
    await carried(engine, deal_id, f"{deal_id}-S3", "delivered")
    await pay_all(engine, deal_id)
    await engine.forward(deal_id, 15)


async def amended_while_running(engine: Engine, deal_id: str) -> None:
    """The customer wants other quantities and one more article, after a part has left."""
    await entered(engine, deal_id)
    await engine.act(deal_id, "logistics_manager", "ship", lines=[{"line": 1, "quantity": 1}])
    changes = [
        {"kind": "quantity", "line": 1, "quantity": 2},
        {"kind": "drop", "line": 2},
        {"kind": "add", "article": "A-4", "quantity": 3},
        {"kind": "address", "text": "Gate 4, the new hall"},
    ]
    await engine.act(deal_id, "account_manager", "request_amendment", changes=changes, reason="another site")
    await engine.act(deal_id, "account_manager", "confirm_amendment", channel="email", given_by="buyer")
    await engine.act(deal_id, "logistics_manager", "ship")
    await engine.act(deal_id, "logistics_manager", "deliver")
    await pay_all(engine, deal_id)
    await engine.forward(deal_id, 15)


ALL = {
    journey.__name__: journey
    for journey in (
        nobody_found_the_goods,
        logistics_named_a_date,
        damaged_and_delivered_again,
        amended_while_running,
    )
}
