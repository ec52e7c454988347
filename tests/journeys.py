"""Journeys of deals on the real engine, in words of the business, for tests and the recorder of histories."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import insert

from infra.db import Database
from infra.gateways.stock_intake import StockIntake
from models import codec
from models.deal_state import Deal
from models.tables.masters import ArticleRow, CustomerRow, PriceRow
from tests.engine import Engine

BEGINNING = "2026-01-01T00:00:00Z"
GOOD_FIGURES = {
    "working_capital_minor": 400_000,
    "retained_earnings_minor": 300_000,
    "ebit_minor": 200_000,
    "equity_minor": 700_000,
    "total_assets_minor": 1_000_000,
    "total_liabilities_minor": 300_000,
}
LONGEST_REST = 7
"""Days in a row on which nobody works, and to spare: Easter and Christmas have four or five."""
LINES = [{"article": "A-1", "quantity": 3}, {"article": "A-2", "quantity": 2}, {"article": "A-3", "quantity": 1}]


def _customer(number: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": number,
        "name": f"Customer {number}",
        "group_id": f"g-{number[2:]}",
        "owner": "u-account_manager",
        "country": "DE",
        "language": "de",
        "currency": "EUR",
        "segment": "",
        "source": "",
        "competitor": "",
        "price_column": "standard",
        "registration_id": "",
        "vat_id": "DE136695976",
        "iban": "DE89370400440532013000",
        "lei": "",
        "founded_on": "1990-01-01",
        "blocked": False,
        "broken_promises": 0,
        "financials": GOOD_FIGURES,
        "created_at": BEGINNING,
        "updated_at": BEGINNING,
    } | changes


async def furnish(database: Database, stock: int = 1_000) -> None:
    """Customers (c-1 good, c-2 blocked, c-3 doubtful), five articles in EUR, and stock of the first four."""
    weak = GOOD_FIGURES | {"working_capital_minor": -900_000, "ebit_minor": -100_000, "retained_earnings_minor": 0}
    doubtful = {"vat_id": "DE000000000", "iban": "", "founded_on": "2025-06-01", "financials": weak}
    async with database.begin() as connection:
        await connection.execute(
            insert(CustomerRow), [_customer("c-1"), _customer("c-2", blocked=True), _customer("c-3", **doubtful)]
        )
        articles = [f"A-{n}" for n in range(1, 6)]
        await connection.execute(
            insert(ArticleRow),
            [
                {"id": a, "description": f"Article {a}", "series": "", "tax_bps": 1900, "analogue": "", "active": True}
                for a in articles
            ],
        )
        await connection.execute(
            insert(PriceRow),
            [
                {
                    "article_id": a,
                    "currency": "EUR",
                    "price_column": "standard",
                    "list_price_minor": 10_000,
                    "cost_minor": 6_000,
                    "valid_from": "2020-01-01",
                }
                for a in articles
            ],
        )
    intake = StockIntake(database)
    await intake.add_warehouse("berlin", "Berlin", "branch")
    await intake.add_warehouse("central", "Central", "central")
    for number, article in enumerate(articles[:4]):
        where = "berlin" if number % 2 == 0 else "central"
        await intake.open_stock(article, where, stock, BEGINNING, f"opening-{article}")


async def deal_of(engine: Engine, deal_id: str) -> Deal:
    """The deal as its workflow knows it."""
    return codec.decode(Deal, await engine.handle(deal_id).query("snapshot"))


async def checked(engine: Engine, deal_id: str, **opening: Any) -> None:
    """From first contact to the end of the reliability check."""
    await engine.open(deal_id, **opening)
    await engine.act(deal_id, "account_manager", "log_contact", channel="call", outcome="interested")
    await engine.act(deal_id, "account_manager", "record_needs", what="pumps", quantity=6, budget_minor=60_000)
    await engine.act(deal_id, "account_manager", "qualify")
    await engine.act(deal_id, "account_manager", "request_check")


async def offered(engine: Engine, deal_id: str, lines: list[dict[str, Any]] = LINES, **opening: Any) -> None:
    """Until the customer has the offer."""
    await checked(engine, deal_id, **opening)
    await engine.act(deal_id, "account_manager", "draft_offer", lines=lines)
    await engine.act(deal_id, "account_manager", "send_offer")


async def signed(engine: Engine, deal_id: str, lines: list[dict[str, Any]] = LINES, **opening: Any) -> None:
    """Until both sides have signed."""
    await offered(engine, deal_id, lines, **opening)
    await engine.act(deal_id, "account_manager", "accept_offer")
    await engine.act(deal_id, "account_manager", "send_contract")
    contract = (await deal_of(engine, deal_id)).contract
    assert contract is not None
    for side in ("ours", "theirs"):
        await engine.act(deal_id, "account_manager", "sign", side=side, digest=contract.digest, signatory="buyer")


async def entered(engine: Engine, deal_id: str, lines: list[dict[str, Any]] = LINES, **opening: Any) -> None:
    """Until the order is entered and stock was asked."""
    await signed(engine, deal_id, lines, **opening)
    await ordered(engine, deal_id)


async def ordered(engine: Engine, deal_id: str) -> None:
    """A signed deal's order is accepted and entered."""
    await engine.act(deal_id, "account_manager", "accept_order")
    order = (await deal_of(engine, deal_id)).order
    assert order is not None
    typed = [{"article": o.article, "quantity": o.ordered, "unit_price_minor": o.unit_price_minor} for o in order.lines]
    await engine.act(deal_id, "sales_support", "enter_order", lines=typed)


async def delivered(engine: Engine, deal_id: str, lines: list[dict[str, Any]] = LINES, **opening: Any) -> None:
    """Until everything has arrived and is invoiced."""
    await entered(engine, deal_id, lines, **opening)
    await engine.act(deal_id, "logistics_manager", "ship")
    await engine.act(deal_id, "logistics_manager", "deliver")


async def pay_all(engine: Engine, deal_id: str) -> None:
    """Pay whatever is open."""
    for owed in (await deal_of(engine, deal_id)).receivables:
        if owed.open_minor:
            await engine.act(
                deal_id,
                "accounts_receivable",
                "record_payment",
                invoice=owed.number,
                amount_minor=owed.open_minor,
                currency=owed.currency,
            )


async def pay_with_interest(engine: Engine, deal_id: str) -> None:
    """Pay what is late, and a day later the interest that it has borne: with that the deal closes by itself."""
    await pay_all(engine, deal_id)
    await engine.forward(deal_id, 1)
    await pay_all(engine, deal_id)
    await engine.handle(deal_id).result()


async def unpaid_until(engine: Engine, deal_id: str, rung: str, days_late: int) -> None:
    """Nobody pays the first invoice, due in 60 days, until its ladder has climbed to `rung`: so many days late, or on
    the working day after them, which depends on the day on which we began."""
    await engine.forward(deal_id, 60 + days_late)
    await climbed(engine, deal_id, rung)


async def climbed(engine: Engine, deal_id: str, rung: str) -> None:
    """Until the ladder of the first invoice has climbed to `rung`."""
    await until(engine, deal_id, lambda deal: rung in {reached.rung for reached in deal.receivables[0].reached})


async def until(engine: Engine, deal_id: str, came: Callable[[Deal], object]) -> None:
    """Day by day, until it came."""
    for _ in range(LONGEST_REST):
        if came(await deal_of(engine, deal_id)):
            return
        await engine.forward(deal_id, 1)
    raise AssertionError(f"it did not come within {LONGEST_REST} days")


async def won_and_paid(engine: Engine, deal_id: str) -> None:
    """The good end: paid in time, followed up, completed by the engine when the support window is over."""
    await delivered(engine, deal_id)
    await engine.forward(deal_id, 5)
    await pay_all(engine, deal_id)
    await engine.forward(deal_id, 15)


async def paid_after_two_dunning_letters(engine: Engine, deal_id: str) -> None:
    """The customer pays two days after the second letter, with a hold on the way, then the interest."""
    await delivered(engine, deal_id)
    await unpaid_until(engine, deal_id, "dun_second", 14)
    await engine.forward(deal_id, 2)
    await pay_with_interest(engine, deal_id)


async def given_up(engine: Engine, deal_id: str) -> None:
    """Nobody pays; the director writes it off and the deal defaults by itself."""
    await delivered(engine, deal_id)
    await engine.forward(deal_id, 130)
    owed = (await deal_of(engine, deal_id)).receivables[0]
    await engine.act(deal_id, "accounts_receivable", "request_write_off", invoice=owed.number, reason="insolvent")
    await engine.act(deal_id, "commercial_director", "approve_write_off", reason="agreed")


async def substituted(engine: Engine, deal_id: str) -> None:
    """A-5 was never in stock: the customer takes A-4 instead."""
    await entered(engine, deal_id, [{"article": "A-1", "quantity": 1}, {"article": "A-5", "quantity": 2}])
    await engine.forward(deal_id, 2)
    await engine.act(deal_id, "account_manager", "propose_analogue", line=2, article="A-4")
    await engine.act(deal_id, "account_manager", "accept_analogue", line=2, channel="call", given_by="buyer")
    await engine.act(deal_id, "logistics_manager", "ship")
    await engine.act(deal_id, "logistics_manager", "deliver")
    await pay_all(engine, deal_id)
    await engine.forward(deal_id, 15)


async def cancelled(engine: Engine, deal_id: str) -> None:
    """The customer calls off the order before anything left."""
    await entered(engine, deal_id)
    await engine.act(deal_id, "account_manager", "cancel", reason="the customer closed the site")


async def offer_expired_and_lost(engine: Engine, deal_id: str) -> None:
    """Nobody answers; the offer runs out, the deal is given up."""
    await offered(engine, deal_id)
    await engine.forward(deal_id, 40)
    await engine.act(deal_id, "account_manager", "lose", reason="no_response")


async def rejected(engine: Engine, deal_id: str) -> None:
    """The customer is on the block list."""
    await checked(engine, deal_id, customer="c-2", group="g-2")


async def discount_approved(engine: Engine, deal_id: str) -> None:
    """Twelve per cent need the head of sales; a second version would need it again."""
    await checked(engine, deal_id)
    lines = [{"article": "A-1", "quantity": 10, "unit_price_minor": 8_800}]
    await engine.act(deal_id, "account_manager", "draft_offer", lines=lines)
    await engine.act(deal_id, "account_manager", "request_approval", reason="large order")
    await engine.act(deal_id, "head_of_sales", "approve_offer", reason="worth it")
    await engine.act(deal_id, "account_manager", "send_offer")


async def long_prospect(engine: Engine, deal_id: str) -> None:
    """So many contacts that the run is continued as new three times."""
    await engine.open(deal_id, moves_per_run=8)
    for number in range(25):
        await engine.act(deal_id, "account_manager", "log_contact", channel="call", outcome=f"call {number}")


ALL = {
    journey.__name__: journey
    for journey in (
        won_and_paid,
        paid_after_two_dunning_letters,
        given_up,
        substituted,
        cancelled,
        offer_expired_and_lost,
        rejected,
        discount_approved,
        long_prospect,
    )
}
