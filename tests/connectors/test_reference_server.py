"""The reference server that docs/connectors.md tells other companies to run keeps the contract, answers lost or not."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from httpx2 import AsyncClient

from infra.gateways.connector_errors import ConnectorRefused
from infra.gateways.http_carrier import HttpCarrier
from infra.gateways.http_door import HttpDoor
from infra.gateways.http_stock_book import HttpStockBook
from models.messages.logistics import CarriageInput, ReleaseInput, ReservedLine, ReturnInput, ShipInput, StockLine
from tests.connectors.conftest import HURRIED
from tests.connectors.server import TOKEN
from tests.counting import python
from tests.gateways.worlds import AT, lines, reservation

ROOT = Path(__file__).resolve().parents[2]


@pytest_asyncio.fixture
async def address() -> AsyncIterator[str]:
    """The reference server as the page starts it, with 10 bolts; every other answer is lost."""
    command = ["-m", "examples.connector_server", "--port", "0", "--token", TOKEN, "--stock", "bolt=10"]
    process = await asyncio.create_subprocess_exec(
        *python(*command, "--lose-every", 2),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode()
    yield re.findall(r"http://127\.0\.0\.1:\d+", line)[0]
    process.terminate()
    await process.wait()


async def test_stock_and_carrier(address, database):
    stock = HttpStockBook(HttpDoor("stock book", f"{address}/stock", TOKEN, HURRIED), database)
    carrier = HttpCarrier(HttpDoor("carrier", f"{address}/carrier", TOKEN, HURRIED), database)
    asked = reservation("r", *lines(4, 8))
    first = await stock.reserve(asked)
    assert first.lines == (ReservedLine(1, "bolt", 4, 0), ReservedLine(2, "bolt", 6, 2))
    assert await stock.reserve(asked) == first
    assert (await stock.ship(ShipInput("s", "D1", lines(5), AT))).lines == lines(4)
    await stock.take_back(ReturnInput("t", "D1", "north", lines(1), AT))
    assert (await stock.release(ReleaseInput("x", "D1", AT))).lines == (StockLine(2, "bolt", 6),)
    assert (await stock.reserve(reservation("r2", *lines(9)))).lines == (ReservedLine(1, "bolt", 7, 2),)
    booked = await carrier.book(CarriageInput("c", "D1", "D1-S1", "north", "Hamburg", lines(4), AT))
    assert (booked.carrier, booked.reference) == ("example", "EX-000001")
    await asyncio.gather(stock.close(), carrier.close())


async def test_strangers_are_refused(address, database):
    stock = HttpStockBook(HttpDoor("stock book", f"{address}/stock", "guess", HURRIED), database)
    with pytest.raises(
        ConnectorRefused, match="refused with 401: The question was refused: the token is missing or wrong"
    ):
        await stock.reserve(reservation("r", *lines(4)))
    await stock.close()


@pytest.mark.parametrize(
    ("path", "key", "body", "status"),
    [
        ("/stock/nothing", "k", b"{}", 404),
        ("/stock/v1/reservations", "k", b"no JSON", 400),
        ("/stock/v1/reservations", "another", b'{"effect_key": "k"}', 400),
        ("/stock/v1/reservations", "k", b'{"effect_key": "k"}', 422),
    ],
)
async def test_what_is_no_question_is_refused(address, path, key, body, status):
    asked = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": key}
    async with AsyncClient() as client:
        answer = await client.post(address + path, content=body, headers=asked)
    assert (answer.status_code, answer.json()["status"]) == (status, status)
