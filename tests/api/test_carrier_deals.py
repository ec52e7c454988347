"""Carrier messages on a real engine: in any order, twice, late, and until the deal is closed."""

import pytest

from models.instants import HOUR, plus
from tests.api.conftest import Office
from tests.api.test_acts import settled, shipped
from tests.api.test_carrier_messages import alerts, letters, send


@pytest.mark.slow
async def test_news_of_a_shipment(works: Office) -> None:
    deal = await shipped(works)
    number = f"{deal}-S1"
    begun = (await settled(works, deal)).updated_at

    async def tell(name: str, kind: str, hours: int) -> str:
        at = plus(begun, hours * HOUR)
        answer = await send(works, carrier="own", message_id=name, shipment=number, kind=kind, occurred_at=at)
        assert answer.status_code == 202, answer.text
        outcome: str = answer.json()["outcome"]
        return outcome

    assert await tell("2", "in_transit", 2) == "booked"
    assert await tell("1", "picked_up", 1) == "unchanged"
    assert await tell("4", "delivered", 3) == "booked"
    assert await tell("4", "delivered", 3) == "booked"
    assert await tell("3", "in_transit", 4) == "unchanged"
    assert await tell("5", "returned", 5) == "dead"
    (row,) = await works.desk.books.deals.children(deal, "shipments")
    assert (row["number"], row["state"]) == (number, "delivered")
    assert [one["outcome"] for one in await letters(works, shipment=number)] == [
        "booked", "unchanged", "booked", "unchanged", "dead",
    ]  # fmt: skip
    assert await alerts(works) == ["own/5"]
    assert (await settled(works, deal)).state == "supporting"
    assert len(await works.desk.books.deals.children(deal, "invoices")) == 1
