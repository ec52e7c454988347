"""Articles that we sell, and their prices per currency, price column and day."""

from collections.abc import Sequence

from sqlalchemy import Connection, select, update

from infra.db import Database, table_of
from infra.stores.pages import Page, Row, look_page
from infra.stores.upserts import add, complete, put
from models.tables.masters import ArticleRow, PriceRow

_ARTICLES, _PRICES = table_of(ArticleRow), table_of(PriceRow)
_PRICE_KEY = ["article_id", "currency", "price_column", "valid_from"]


class ArticleStore:
    """Articles and prices, as plain rows of their tables."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, article: Row, prices: Sequence[Row] = ()) -> Row:
        """Add an article with its prices. Raises AlreadyStands."""
        row = complete(ArticleRow, article)

        def work(connection: Connection) -> None:
            add(connection, ArticleRow, row)
            _put_prices(connection, [{**price, "article_id": row["id"]} for price in prices])

        await self._database.write(work)
        return row

    async def put_many(self, articles: Sequence[Row], prices: Sequence[Row] = ()) -> None:
        """Add the articles and prices of an import, or bring them up to date."""
        rows = [complete(ArticleRow, article) for article in articles]

        def work(connection: Connection) -> None:
            put(connection, ArticleRow, rows, ["id"])
            _put_prices(connection, prices)

        await self._database.write(work)

    async def change(self, article_id: str, changes: Row) -> Row | None:
        """Change some fields; the article afterwards, None when there is none."""
        values = {name: value for name, value in changes.items() if name != "id"}
        statement = update(_ARTICLES).where(_ARTICLES.c.id == article_id).values(values).returning(_ARTICLES)

        def work(connection: Connection) -> Row | None:
            row = connection.execute(statement).mappings().one_or_none()
            return dict(row) if row else None

        return await self._database.write(work)

    async def get(self, article_id: str) -> Row | None:
        """An article with its `prices`, the latest first."""
        query = select(_ARTICLES).where(_ARTICLES.c.id == article_id)
        prices = select(_PRICES).where(_PRICES.c.article_id == article_id).order_by(*_PRICE_ORDER)

        def work(connection: Connection) -> Row | None:
            article = connection.execute(query).mappings().one_or_none()
            if article is None:
                return None
            return {**article, "prices": [dict(row) for row in connection.execute(prices).mappings()]}

        return await self._database.look(work)

    async def page(self, active: bool | None = None, series: str = "", cursor: str = "", limit: int = 50) -> Page:
        """Articles by id."""
        query = select(_ARTICLES)
        if active is not None:
            query = query.where(_ARTICLES.c.active == active)
        if series:
            query = query.where(_ARTICLES.c.series == series)
        return await look_page(self._database, query, [_ARTICLES.c.id], cursor, limit)


_PRICE_ORDER = (_PRICES.c.currency, _PRICES.c.price_column, _PRICES.c.valid_from.desc())


def _put_prices(connection: Connection, prices: Sequence[Row]) -> None:
    put(connection, PriceRow, [complete(PriceRow, price) for price in prices], _PRICE_KEY)
