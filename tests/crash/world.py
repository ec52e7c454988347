"""The world of the crash tests: deadlines of seconds, too little stock, too little headroom."""

from dataclasses import replace
from typing import Any

from sqlalchemy import insert

from infra.db import Database
from infra.gateways.credit_limits import CreditLimits
from infra.gateways.stock_intake import StockIntake
from infra.stores.master_log import Author
from models import codec
from models.instants import DAY
from models.policy import DEFAULT, Deadline, Policy, Rung
from models.tables.masters import PolicyRow
from tests.journeys import BEGINNING, furnish

HURRIED: Policy = replace(
    DEFAULT,
    version="crash.1",
    deadlines={state: Deadline(15, 40) for state in DEFAULT.deadlines},
    offer_validity=25,
    approval_deadline=10,
    # invoices of these tests are due a day after their delivery
    ladder=tuple(
        Rung(rung.action, 4 * number - DAY, rung.letter) for number, rung in enumerate(DEFAULT.ladder, start=1)
    ),
    reservation_validity=12,
    shortage_answer=4,
    shortage_escalation=3,
    follow_up_after=2,
    support_window=4,
)
"""What takes days takes seconds, so that timers ring between the acts and the crashes."""

LIMIT_PER_DEAL = 40_000
"""Minor units of credit per deal, which wants about a hundred thousand: two deals in three wait for each other."""

ARTICLES = ("A-1", "A-2", "A-3", "A-4")


async def furnish_scarcely(database: Database, deals: int) -> None:
    """The usual customers and articles with little stock and a low credit limit."""
    await furnish(database, deals // 2)
    limit = LIMIT_PER_DEAL * deals
    await CreditLimits(database).fix_limit("g-1", "EUR", limit, Author("u-risk_officer"), "limit:g-1", BEGINNING)
    async with database.begin() as connection:
        await connection.execute(insert(PolicyRow), [_policy_row()])


def _policy_row() -> dict[str, Any]:

    return {
        "version": HURRIED.version,
        "body": codec.encode(HURRIED),
        "active_from": "2026-01-01T00:00:00Z",
        "note": "",
    }


async def receive_goods(database: Database, round_number: int, quantity: int) -> None:
    """A lorry with some of every article."""
    intake = StockIntake(database)
    for number, article in enumerate(ARTICLES):
        where = "berlin" if (number + round_number) % 2 else "central"
        await intake.receive(article, where, quantity, "2026-01-02T00:00:00Z", f"lorry:{round_number}:{article}")


def used_by_others(key: str) -> bool:
    """Effect keys that no deal gave."""
    return key.startswith(("opening-", "lorry:", "limit:"))
