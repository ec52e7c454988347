"""Deals are told of units that were set aside for them: all that can be, once, and never at the goods' cost."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from infra.db import Database
from infra.desk import waking
from infra.desk.books import Books
from infra.desk.engine import WorkflowGone
from infra.desk.errors import EngineDown
from infra.desk.waking import Waking
from infra.gateways.stock_book import SqlStockBook
from infra.settings import load_settings
from models.command import SYSTEM
from models.messages.deals import ActInput, ActResult
from models.messages.logistics import ReserveInput, StockLine

AT, LATER = "2026-03-02T08:00:00Z", "2026-04-01T08:00:00Z"


class FakeEngine:
    """Answers every act, but for deals that it was told about: an error, or never (None)."""

    def __init__(self, **trouble: Exception | None) -> None:
        self.asked: list[tuple[str, ActInput]] = []
        self._trouble = trouble

    async def act(self, deal_id: str, asked: ActInput) -> ActResult:
        self.asked.append((deal_id, asked))
        if deal_id in self._trouble:
            problem = self._trouble[deal_id]
            if problem is None:
                await asyncio.sleep(60)
            else:
                raise problem
        return ActResult(deal_id, 2, "fulfilling", "fulfilment", {}, 2, ())


@pytest_asyncio.fixture
async def books(database: Database, tmp_path: Path) -> AsyncIterator[Books]:
    """Deals D1 to D3 wait for two units each on two lines, of one article each."""
    books = Books(database, load_settings(data_dir=tmp_path))
    await books.intake.add_warehouse("hub", "Hub", "central")
    for number in (1, 2, 3):
        asked = (StockLine(1, "bolt", 2), StockLine(2, "nut", 2))
        await reserve(books, f"k{number}", f"D{number}", *asked)
    yield books


async def reserve(books: Books, key: str, deal_id: str, *asked: StockLine) -> None:
    await SqlStockBook(books.database).reserve(ReserveInput(key, deal_id, "north", asked, AT, LATER, waits=True))


async def receive(books: Books, article: str, quantity: int, key: str) -> None:
    await books.intake.receive(article, "hub", quantity, AT, key)


async def test_a_deal_is_told_once_whatever_was_set_aside_for_it(books: Books):
    engine = FakeEngine()
    assert await Waking(books, engine).wake() == 0
    await receive(books, "bolt", 3, "r1")
    await receive(books, "nut", 1, "r2")
    assert await Waking(books, engine).wake() == 2
    assert [deal_id for deal_id, _ in engine.asked] == ["D1", "D2"]
    assert {(asked.action, asked.actor, len(asked.payload)) for _, asked in engine.asked} == {
        ("retry_reservation", SYSTEM, 0)
    }


async def test_the_key_stands_for_the_units_that_are_set_aside(books: Books):
    engine = FakeEngine()
    await receive(books, "bolt", 1, "r1")
    for _ in range(2):
        await Waking(books, engine).wake()
    await receive(books, "bolt", 1, "r2")
    await Waking(books, engine).wake()
    # what was set aside is handed over; the same numbers come again later
    await reserve(books, "k4", "D1", StockLine(1, "bolt", 2))
    await reserve(books, "k5", "D1", StockLine(1, "bolt", 2))
    await books.intake.receive("bolt", "hub", 1, LATER, "r3")
    await Waking(books, engine).wake()
    keys = [asked.key for _, asked in engine.asked]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3
    assert all(key.startswith("restock:D1:") for key in keys)


async def test_who_can_not_be_told_is_logged_and_the_others_are_told(books: Books):
    engine = FakeEngine(D1=EngineDown("away"), D2=WorkflowGone())
    await receive(books, "bolt", 9, "r1")
    with capture_logs() as logs:
        assert await Waking(books, engine).wake() == 1
    assert [(log["event"], log["log_level"], log["deal_id"], log["why"]) for log in logs] == [
        ("deal_not_woken", "warning", "D1", "engine_unreachable"),
        ("deal_not_woken", "warning", "D2", "workflow_gone"),
    ]
    assert len(await books.stock.set_aside()) == 3, "what is set aside stays theirs"


async def test_a_deal_that_never_answers_holds_nobody_up(books: Books, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(waking, "_PATIENCE_SECONDS", 0.05)
    await receive(books, "bolt", 9, "r1")
    with capture_logs() as logs:
        assert await Waking(books, FakeEngine(D2=None)).wake() == 2
    assert [(log["event"], log["deals"]) for log in logs] == [("deals_not_woken_in_time", 1)]


async def test_more_deals_than_a_page_are_all_told(books: Books, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(waking, "_PAGE", 2)
    await receive(books, "bolt", 9, "r1")
    await receive(books, "nut", 9, "r2")
    engine = FakeEngine()
    assert await Waking(books, engine).wake() == 3
    assert len(engine.asked) == 3
