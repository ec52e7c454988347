"""The stock book: levels and movements, goods that arrive or are announced, and its audit."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.cursors import pack, unpack
from api.keys import Desk, Me
from api.once import allow, once
from api.routes import GuardedRoute
from api.wire.masters import (
    Arrival,
    Booked,
    BookedReceipt,
    BookVerdict,
    Receipt,
    StockLevels,
    StockMoves,
    WaitingLines,
    Warehouses,
)
from api.wire.shared import Cursor, Key, Limit, OptionalId, Plain
from infra.desk.errors import Invalid, NoSuch
from infra.desk.ids import derived
from infra.desk.service import DealDesk
from models import codec
from models.lifecycle.roles import GOODS, HEADS, Role

router = APIRouter(prefix="/v1/stock", tags=["stock"], route_class=GuardedRoute)

WRITERS = GOODS | {Role.ADMIN}
Article = Annotated[OptionalId, Query(description="Only this article")]


@router.get("", response_model=StockLevels)
async def list_levels(desk: Desk, _: Me, article: Article = "", cursor: Cursor = "", limit: Limit = 50) -> Plain:
    """Units on hand and reserved per article and warehouse."""
    first, second = map(str, unpack(cursor, "", ""))
    rows = await desk.books.stock.levels(article, (first, second), limit + 1)
    more = len(rows) > limit
    rows = rows[:limit]
    return {"items": rows, "next_cursor": pack(rows[-1]["article"], rows[-1]["warehouse"]) if more else ""}


@router.get("/warehouses", response_model=Warehouses)
async def list_warehouses(desk: Desk, _: Me) -> Plain:
    """All warehouses."""
    return {"items": await desk.books.stock.warehouses()}


@router.get("/moves", response_model=StockMoves)
async def list_moves(
    desk: Desk, me: Me, article: Article = "", deal: Annotated[OptionalId, Query()] = "", cursor: Cursor = "",
    limit: Limit = 50,
) -> Plain:  # fmt: skip
    """Movements of goods in the order of booking."""
    if me.scope.kind != "all" and not deal:
        allow(me, "reading the movements of all deals", WRITERS)
    if deal and await desk.books.deals.get(deal, me.scope) is None:
        raise NoSuch("deal", deal)
    rows = await desk.books.stock.moves(article, deal, int(unpack(cursor, 0)[0]), limit + 1)
    return {"items": rows[:limit], "next_cursor": pack(rows[limit - 1]["id"]) if len(rows) > limit else ""}


@router.get("/waiting", response_model=WaitingLines)
async def list_waiting(desk: Desk, me: Me, article: Article = "", cursor: Cursor = "", limit: Limit = 50) -> Plain:
    """Order lines that wait for goods: the longest waiting is served first, then by deal and line."""
    allow(me, "reading who waits for goods", WRITERS | HEADS | {Role.PRODUCTION, Role.AUDITOR})
    first, since, deal, line = unpack(cursor, "", "", "", 0)
    after = (str(first), str(since), str(deal), int(line))
    rows = await desk.books.stock.waiting(article, after, limit + 1)
    more, rows = len(rows) > limit, rows[:limit]
    last = rows[-1] if more else {}
    return {
        "items": rows,
        "next_cursor": pack(*(last[n] for n in ("article", "since", "deal_id", "line"))) if last else "",
    }


@router.get("/verification", response_model=BookVerdict)
async def verify_stock(desk: Desk, me: Me) -> Plain:
    """Whether on hand and reserved agree with the movements, the holdings and what the deals have reserved."""
    allow(me, "verifying the stock book", WRITERS | {Role.AUDITOR})
    differences = await desk.books.stock.verify(with_deals=desk.settings.stock_url is None)
    return {"sound": not differences, "differences": [codec.encode(one) for one in differences]}


@router.post("/receipts", status_code=201, response_model=BookedReceipt)
async def receive(asked: Receipt, key: Key, desk: Desk, me: Me, response: Response) -> Plain:
    """Enter goods that arrived. Order lines that wait for them get them, the longest waiting first."""
    allow(me, "receiving goods", WRITERS)

    async def work() -> Plain:
        await _check_article(desk, asked.article)
        booked = derived("R-", me.user, key)
        try:
            await desk.books.intake.receive(
                asked.article, asked.warehouse, asked.quantity, desk.clock(), booked, asked.arrival
            )
        except ValueError as problem:
            raise Invalid({"warehouse": str(problem)}) from None
        woken = await desk.waking.wake()
        return {"id": booked, "article": asked.article, "quantity": asked.quantity, "woken": woken}

    return await once(desk, me, "receipts", key, asked.model_dump(), response, work)


@router.post("/arrivals", status_code=201, response_model=Booked)
async def announce(asked: Arrival, key: Key, desk: Desk, me: Me, response: Response) -> Plain:
    """Announce goods for a day; whoever asks for missing units is told that day."""
    allow(me, "announcing goods", WRITERS)

    async def work() -> Plain:
        await _check_article(desk, asked.article)
        booked = derived("N-", me.user, key)
        await desk.books.intake.expect(asked.article, asked.expected_on, asked.quantity, booked)
        return {"id": booked, "article": asked.article, "quantity": asked.quantity}

    return await once(desk, me, "arrivals", key, asked.model_dump(), response, work)


async def _check_article(desk: DealDesk, article: str) -> None:
    if await desk.books.articles.get(article) is None:
        raise Invalid({"article": "no such article"})
