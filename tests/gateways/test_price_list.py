"""The contract of a price list, asked of the fake and of the real one; and which price of several holds."""

from dataclasses import replace

import pytest
from sqlalchemy import insert, update

from infra.db import Database
from infra.gateways.price_list import SqlPriceList
from models.messages.sales import GrantedDiscountInput, QuotedLine, QuoteInput, QuoteLine
from models.ports import PriceList
from models.tables.masters import ArticleRow, CustomerRow, PriceRow
from tests.fakes.prices import FakePriceList
from tests.gateways.worlds import AT


def quote(*articles: str, deal: str = "D1", customer: str = "C1", at: str = AT) -> QuoteInput:
    return QuoteInput(deal, customer, "EUR", tuple(QuoteLine(article, 1) for article in articles), at)


def granted(deal: str, discount: int, at: str = AT, customer: str = "C1") -> GrantedDiscountInput:
    return GrantedDiscountInput(f"granted {deal} {discount}", deal, customer, "EUR", 1_000, discount, at)


async def list_articles(database: Database, *prices: tuple[str, str, int, str]) -> None:
    """Prices as (article, column, list price, valid from); tax is 19 %, cost 1."""
    articles = sorted({price[0] for price in prices})
    async with database.begin() as connection:
        await connection.execute(
            insert(ArticleRow), [{"id": name, "description": f"a {name}", "tax_bps": 1_900} for name in articles]
        )
        rows = [
            {
                "article_id": a,
                "price_column": c,
                "list_price_minor": p,
                "valid_from": d,
                "cost_minor": 1,
                "currency": "EUR",
            }
            for a, c, p, d in prices
        ]
        await connection.execute(insert(PriceRow), rows)


@pytest.fixture(params=["fake", "real"])
def prices(request: pytest.FixtureRequest) -> PriceList:
    return FakePriceList() if request.param == "fake" else SqlPriceList(request.getfixturevalue("database"))


async def test_what_is_not_listed_is_unknown(prices: PriceList):
    assert (await prices.quote(quote("moon", "moon"))).lines == (QuotedLine("moon", False),) * 2


async def test_discounts_of_the_customers_other_deals_of_a_year_add_up(prices: PriceList):
    for note in (
        granted("D2", 100),
        granted("D3", 50, at="2025-03-02T08:00:01Z"),
        granted("D4", 7, at="2025-03-02T08:00:00Z"),
        granted("D5", 7, customer="C2"),
        granted("D1", 7),
        granted("D6", 7, at="2026-03-02T08:00:01Z"),
    ):
        await prices.note_granted(note)
    answer = await prices.quote(quote("moon"))
    assert (answer.given_discount_minor, answer.given_list_minor) == (150, 2_000)


async def test_a_deal_accepted_again_replaces_its_discount(prices: PriceList):
    await prices.note_granted(granted("D2", 100))
    await prices.note_granted(granted("D2", -20))
    await prices.note_granted(granted("D2", 100))
    assert (await prices.quote(quote("moon"))).given_discount_minor == -20, "an old note asked again changes nothing"


async def test_refuses_impossible_values(prices: PriceList):
    with pytest.raises(ValueError, match="quantity"):
        await prices.quote(QuoteInput("D1", "C1", "EUR", (QuoteLine("bolt", 0),), AT))
    with pytest.raises(ValueError, match="minor units"):
        await prices.note_granted(replace(granted("D2", 1), list_minor=-1))


async def test_the_latest_price_that_is_valid_holds(database: Database):
    await list_articles(
        database,
        ("bolt", "standard", 300, "2026-03-03"),
        ("bolt", "standard", 200, "2026-03-02"),
        ("bolt", "standard", 100, "2026-01-01"),
    )
    prices = SqlPriceList(database)
    assert (await prices.quote(quote("bolt"))).lines == (QuotedLine("bolt", True, "a bolt", 200, 1, 1_900),)
    assert not (await prices.quote(quote("bolt", at="2025-12-31T23:59:59Z"))).lines[0].known
    dollars = QuoteInput("D1", "C1", "USD", (QuoteLine("bolt", 1),), AT)
    assert not (await prices.quote(dollars)).lines[0].known


async def test_the_customers_own_column_goes_before_the_standard_one(database: Database):
    await list_articles(
        database,
        ("bolt", "standard", 300, "2026-02-01"),
        ("bolt", "key", 250, "2026-01-01"),
        ("nut", "standard", 10, "2026-01-01"),
        ("nut", "other", 5, "2026-01-01"),
    )
    card = {"id": "C1", "name": "Acme", "group_id": "G1", "currency": "EUR", "price_column": "key"}
    async with database.begin() as connection:
        await connection.execute(insert(CustomerRow), {**card, "created_at": AT, "updated_at": AT})
    prices = SqlPriceList(database)
    assert [line.list_price_minor for line in (await prices.quote(quote("bolt", "nut"))).lines] == [250, 10]
    others = await prices.quote(quote("bolt", customer="C2"))
    assert others.lines[0].list_price_minor == 300


async def test_an_article_that_is_no_longer_sold_is_unknown(database: Database):
    await list_articles(database, ("bolt", "standard", 300, "2026-02-01"))
    async with database.begin() as connection:
        await connection.execute(update(ArticleRow).values(active=False))
    assert not (await SqlPriceList(database).quote(quote("bolt"))).lines[0].known
