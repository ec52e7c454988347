"""Stock as it was: what lay in which warehouse, and how much of it was reserved for deals."""

from typing import Any

from sqlalchemy import Connection

from infra.desk.books import Books
from infra.desk.clocks import Clock
from infra.desk.errors import Invalid, NoSuch
from infra.desk.payloads import bad_text
from infra.desk.two_times import Asked
from infra.stores.as_of import AsOfStore, timelines_of
from models.deal import fold

Plain = dict[str, Any]


class StockThen:
    """Looks back at articles. The stock book and the timelines know no value days: what they tell is known from its
    own instant on, so that later knowledge changes nothing."""

    def __init__(self, books: Books, clock: Clock) -> None:
        self._books, self._clock = books, clock
        self._store = AsOfStore(books.database)

    async def article(self, article: str, warehouse: str, when: Asked) -> Plain:
        """Units of an article on hand by warehouse (of one, if given), and reserved by deals in all warehouses
        together: deals do not know from which shelf they are served. Raises NoSuch or Invalid."""
        if not article:
            raise Invalid({"query.article": "an article is needed"})
        for what, name in (("article", article), ("warehouse", warehouse)):
            if bad_text(name):
                raise NoSuch(what, name)
        if await self._books.articles.get(article) is None:
            raise NoSuch("article", article)
        if warehouse and warehouse not in {row["id"] for row in await self._books.stock.warehouses()}:
            raise NoSuch("warehouse", warehouse)
        # goods of test deals, which live ahead of us, lie on the same shelves
        times = when.times(max(self._clock(), await self._store.latest_move(article)))
        shelves = await self._store.on_hand(article, warehouse, times.at)
        return {
            "at": times.at,
            "known_at": times.known_at,
            "article": article,
            "on_hand": sum(shelf["on_hand"] for shelf in shelves),
            "reserved": await self._reserved(article, times.at),
            "warehouses": shelves,
        }

    async def _reserved(self, article: str, at: str) -> int:
        """Units that deals had reserved, by the rows of those that have rested since and the timelines of the rest."""
        resting, changed = await self._store.holders_of(article, at)

        def work(connection: Connection) -> int:
            timelines = timelines_of(connection, changed, at)
            orders = (fold(entries).order for entries in timelines)
            lines = (line for order in orders if order for line in order.lines)
            return sum(line.reserved for line in lines if line.article == article)

        return resting + await self._books.database.look(work)
