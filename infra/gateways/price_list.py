"""The price list on our database, and the discounts that were granted to a customer before."""

from functools import partial
from types import NoneType
from typing import Any

from sqlalchemy import BigInteger, Connection, bindparam, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from infra.db import Database, insert_into
from infra.gateways import checked
from infra.gateways.once import once
from models.instants import DAY, plus
from models.messages.sales import GrantedDiscountInput, QuotedLine, QuoteInput, QuoteResult
from models.money import MAX_MINOR
from models.tables.masters import ArticleRow, CustomerRow, PriceRow
from models.tables.money_books import GrantedDiscountRow as Granted

STANDARD = "standard"
"""The price column that holds for everybody whose own column doesn't list an article."""

YEAR = 365 * DAY


class SqlPriceList:
    """The port PriceList on our database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def quote(self, asked: QuoteInput) -> QuoteResult:
        """Prices valid on the day of `at`, from the customer's column and else from the standard one.

        An article that isn't listed in the currency, or no longer sold, answers `known` False.
        """
        for line in asked.lines:
            checked.units(line.quantity)
        checked.instant(asked.at)
        articles = sorted({line.article for line in asked.lines})
        async with self._database.read() as connection:
            column = await connection.scalar(_COLUMN, {"customer": asked.customer_id}) or STANDARD
            listed = await _listed(connection, asked, articles, column)
            granted = (await connection.execute(_GRANTED, _window(asked))).one()
        return QuoteResult(
            tuple(listed.get(line.article, QuotedLine(line.article, known=False)) for line in asked.lines),
            given_discount_minor=granted.discount,
            given_list_minor=granted.list,
        )

    async def note_granted(self, asked: GrantedDiscountInput) -> None:
        """Note what an accepted deal was granted; a surcharge is a negative discount."""
        checked.amount(asked.list_minor, "a list value")
        checked.currency(asked.currency)
        checked.instant(asked.at)
        if abs(asked.discount_minor) > MAX_MINOR:
            raise ValueError(f"a discount is at most {MAX_MINOR} minor units")
        work = partial(_note_granted, asked=asked)
        await once(self._database, asked.effect_key, "prices.note_granted", NoneType, work)


async def _listed(
    connection: AsyncConnection, asked: QuoteInput, articles: list[str], column: str
) -> dict[str, QuotedLine]:
    wanted = {
        "articles": articles,
        "currency": asked.currency,
        "columns": sorted({column, STANDARD}),
        "today": asked.at[:10],
    }
    listed: dict[str, QuotedLine] = {}
    rows = (await connection.execute(_PRICES, wanted)).all()
    # the customer's own column goes before the standard one, then the latest price goes before older ones
    for row in sorted(rows, key=lambda row: (row.price_column == column, row.valid_from)):
        listed[row.article_id] = QuotedLine(
            article=row.article_id,
            known=True,
            description=row.description,
            list_price_minor=row.list_price_minor,
            cost_minor=row.cost_minor,
            tax_bps=row.tax_bps,
        )
    return listed


def _window(asked: QuoteInput) -> dict[str, Any]:
    return {
        "customer": asked.customer_id,
        "currency": asked.currency,
        "deal": asked.deal_id,
        "since": plus(asked.at, -YEAR),
        "until": asked.at,
    }


def _note_granted(connection: Connection, asked: GrantedDiscountInput) -> None:
    row = {
        "deal_id": asked.deal_id,
        "customer_id": asked.customer_id,
        "currency": asked.currency,
        "list_minor": asked.list_minor,
        "discount_minor": asked.discount_minor,
        "at": asked.at,
    }
    new = insert_into(connection.dialect.name, Granted).values(row)
    changed = {name: value for name, value in row.items() if name != "deal_id"}
    connection.execute(new.on_conflict_do_update(index_elements=[Granted.deal_id], set_=changed))


_COLUMN = select(CustomerRow.price_column).where(CustomerRow.id == bindparam("customer"))
_PRICES = (
    select(
        PriceRow.article_id,
        PriceRow.price_column,
        PriceRow.valid_from,
        PriceRow.list_price_minor,
        PriceRow.cost_minor,
        ArticleRow.description,
        ArticleRow.tax_bps,
    )
    .join(ArticleRow, ArticleRow.id == PriceRow.article_id)
    .where(
        PriceRow.article_id.in_(bindparam("articles", expanding=True)),
        PriceRow.currency == bindparam("currency"),
        PriceRow.price_column.in_(bindparam("columns", expanding=True)),
        PriceRow.valid_from <= bindparam("today"),
        ArticleRow.active,
    )
)


def _total(column: Any, name: str) -> Any:
    return cast(func.coalesce(func.sum(column), 0), BigInteger).label(name)


_GRANTED = select(_total(Granted.discount_minor, "discount"), _total(Granted.list_minor, "list")).where(
    Granted.customer_id == bindparam("customer"),
    Granted.currency == bindparam("currency"),
    Granted.deal_id != bindparam("deal"),
    Granted.at > bindparam("since"),
    Granted.at <= bindparam("until"),
)
