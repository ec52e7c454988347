"""The random deal of `tests/models/random_deal.py` over the real API, engine and database."""

import asyncio
import itertools
import json
from collections import Counter
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any, TypeVar

import pytest

from infra.gateways.stock_reading import StockReader
from infra.test_clock import fast_forward
from models.command import Actor
from models.deal_state import Deal
from models.errors import Refusal, Verdict
from models.instants import DAY, HOUR
from models.messages.deals import workflow_id
from models.policy import DEFAULT, Policy
from tests.api.conftest import Office
from tests.api.test_acts import done, qualified, settled
from tests.invariants import findings
from tests.models.random_course import Course
from tests.models.random_deal import Stock, play
from tests.models.world import PEOPLE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

T = TypeVar("T")
CROWD = tuple(actor for role, actor in PEOPLE.items() if role not in ("auditor", "admin"))
ARTICLES = ("A-1", "A-2", "A-5")
LINES = [{"article": "A-1", "quantity": 10}, {"article": "A-2", "quantity": 5}, {"article": "A-5", "quantity": 2}]
"""Nobody has an A-5."""

_numbers = itertools.count(1)


@dataclass
class ApiDriver:
    """Drives a deal from a thread of its own, through the API alone; only its books are read beside it."""

    works: Office
    deal_id: str
    loop: asyncio.AbstractEventLoop
    came_in: dict[str, int] = field(default_factory=dict)

    @property
    def deal(self) -> Deal:
        return self._wait(settled(self.works, self.deal_id))

    @property
    def now(self) -> str:
        return self.deal.updated_at

    @property
    def policy(self) -> Policy:
        return DEFAULT

    def act(self, actor: Actor, action: str, asked: dict[str, Any]) -> Refusal | None:
        try:
            json.dumps(asked, allow_nan=False)
        except ValueError:
            return Refusal("malformed", action, "", "JSON can't say that")
        (role,) = actor.roles
        key = f"random-{next(_numbers)}"
        answer = self._wait(self.works.act(role, self.deal_id, action, asked, key))
        if answer.status_code == 200:
            return None
        assert 400 <= answer.status_code < 500, (action, asked, answer.text)
        told = answer.json()
        blocked = told.get("blocked") or {"state": "", "failing": []}
        failing = [Verdict(ok=False, **each | {"lifted_by": tuple(each["lifted_by"])}) for each in blocked["failing"]]
        return Refusal(told["code"], action, blocked["state"], told["detail"], tuple(failing))

    def advance(self, seconds: int) -> None:
        client = self.works.desk.engine.client
        assert client is not None
        self._wait(fast_forward(client, workflow_id(self.deal_id), None, timedelta(seconds=seconds)))

    def stock(self) -> Mapping[str, Stock]:
        return self._wait(self._stock())

    def _wait(self, asked: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(asked, self.loop).result(60)

    async def _stock(self) -> dict[str, Stock]:
        book = StockReader(self.works.desk.books.database)
        held: Counter[str] = Counter()
        for row in await book.holdings(self.deal_id):
            held[row["article"]] += row["quantity"]
        sent: Counter[str] = Counter()
        for move in await book.moves(deal_id=self.deal_id, limit=10_000):
            sign = {"shipped": 1, "returned": -1}[move["kind"]]
            sent[move["article"]] += sign * move["quantity"]
        found = {}
        for article in ARTICLES:
            there = sum(level["on_hand"] for level in await book.levels(article))
            came_in = self.came_in.setdefault(article, there + sent[article])
            found[article] = Stock(there - held[article], held[article], sent[article], 0, came_in)
        return found


async def running(works: Office) -> str:
    """A deal with an entered order that is short of A-5."""
    deal = await qualified(works)
    await done(works, "account_manager", deal, "request_check")
    await settled(works, deal)
    await done(works, "account_manager", deal, "draft_offer", lines=LINES)
    for action in ("send_offer", "accept_offer", "send_contract"):
        await done(works, "account_manager", deal, action)
    contract = (await settled(works, deal)).contract
    assert contract
    for side in ("ours", "theirs"):
        await done(works, "account_manager", deal, "sign", side=side, digest=contract.digest)
    await done(works, "account_manager", deal, "accept_order")
    typed = [{**line, "unit_price_minor": 10_000} for line in LINES]
    await done(works, "sales_support", deal, "enter_order", lines=typed)
    return deal


def drive(driver: ApiDriver, rng: Random, acts: int, course: Course) -> int:
    """So many acts, or fewer when the deal is over before."""
    driver.stock()
    course.begin()
    for asked in range(acts):
        if driver.deal.is_closed:
            return asked
        play(driver, rng, course, CROWD)
        if rng.random() < 0.04 and not driver.deal.is_closed:
            driver.advance(rng.choice((HOUR, DAY, 3 * DAY)))
    return acts


@pytest.mark.uncounted
async def test_random_people_over_the_api(works: Office) -> None:
    course = Course(wanted=("ship", "answer_shortage", "request_amendment", "record_payment"))
    loop, asked, seed = asyncio.get_running_loop(), 0, 0
    while asked < 300:
        driver = ApiDriver(works, await running(works), loop)
        asked += await asyncio.to_thread(drive, driver, Random(seed), 75, course)
        seed += 1
    assert list(course.missing()) == []
    assert not await findings(works.desk.books.database, allowed_extra_keys=lambda key: key.startswith("opening-"))
