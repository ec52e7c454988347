"""Goods come in over the API, and the deals that wait for them have them reserved without anybody asking."""

import asyncio
from pathlib import Path

from infra.db import Database
from infra.desk.service import DealDesk
from infra.temporal_server import EmbeddedServer
from models.parts.order import OrderLine
from tests.api.conftest import Office, app_of, client_of, staffed
from tests.engine import Engine, running_engine
from tests.journeys import deal_of, entered, furnish

SHORT = [{"article": "A-5", "quantity": 4}]
"""A-5 was never in stock."""


async def line_of(engine: Engine, deal_id: str, reserved: int) -> OrderLine:
    """The deal's line as soon as so much of it is reserved, or as it stands after ten seconds."""
    async with asyncio.timeout(10):
        while True:
            order = (await deal_of(engine, deal_id)).order
            assert order is not None
            if order.lines[0].reserved == reserved:
                return order.lines[0]
            await asyncio.sleep(0.05)


async def test_a_receipt_wakes_the_deals_that_wait_the_longest_first(
    server: EmbeddedServer, database: Database, tmp_path: Path
) -> None:
    await furnish(database)
    async with running_engine(server, database, tmp_path) as engine:
        desk = DealDesk(database, engine.client, engine.settings)
        app = app_of(desk)
        async with client_of(app) as http:
            office = Office(app, desk, http, await staffed(desk, app))
            for deal_id in ("first", "second"):
                await entered(engine, deal_id, SHORT)
                assert (await line_of(engine, deal_id, 0)).short == 4
            first = (await office.get("production", "/v1/stock/waiting", article="A-5", limit=1)).json()
            then = (await office.get("production", "/v1/stock/waiting", limit=1, cursor=first["next_cursor"])).json()
            places = [(row["deal_id"], row["position"], row["quantity"]) for row in (*first["items"], *then["items"])]
            assert places == [("first", 1, 4), ("second", 2, 4)]
            assert then["next_cursor"] == ""
            assert (await office.get("account_manager", "/v1/stock/waiting")).status_code == 403
            receipt = {"article": "A-5", "warehouse": "central", "quantity": 6}
            answer = await office.post("logistics_manager", "/v1/stock/receipts", receipt)
            assert (answer.status_code, answer.json()["woken"]) == (201, 2)
            assert (await line_of(engine, "first", 4)).short == 0
            assert (await line_of(engine, "second", 2)).short == 2
            queue = await desk.books.stock.waiting()
            assert [(row["deal_id"], row["quantity"]) for row in queue] == [("second", 2)]
            assert (await office.get("auditor", "/v1/stock/verification")).json() == {"sound": True, "differences": []}


async def test_goods_that_a_cancelled_order_frees_go_to_whoever_has_waited_longest(
    server: EmbeddedServer, database: Database, tmp_path: Path
) -> None:
    await furnish(database, stock=4)
    async with running_engine(server, database, tmp_path) as engine:
        for deal_id in ("holds", "waits", "waits too"):
            await entered(engine, deal_id, [{"article": "A-1", "quantity": 3}])
        assert (await line_of(engine, "holds", 3)).short == 0
        assert (await line_of(engine, "waits", 1)).short == 2
        await engine.act("holds", "account_manager", "cancel", reason="the customer closed the site")
        assert (await line_of(engine, "waits", 3)).short == 0
        assert (await line_of(engine, "waits too", 1)).short == 2
