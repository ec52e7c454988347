"""Parts of the desk by themselves: queues per deal, derived ids, payload checks and schemas, refusals."""

import asyncio
import gc

import pytest

from infra.desk import payloads
from infra.desk.callers import OPERATOR, Caller
from infra.desk.errors import Busy
from infra.desk.headroom import would_grant
from infra.desk.ids import derived
from infra.desk.in_flight import LONGEST_QUEUE, Lanes
from infra.gateways.credit_book import SqlCreditBook
from infra.stores.audit import AuditStore
from models.lifecycle.machines import DEALS
from models.messages.finance import HeadroomInput
from tests.api.conftest import Office


async def test_a_lane_is_as_wide_as_it_is_told() -> None:
    lanes, now, most = Lanes(8), 0, 0

    async def act() -> None:
        nonlocal now, most
        async with lanes.turn("d"):
            now, most = now + 1, max(most, now + 1)
            await asyncio.sleep(0)
            now -= 1

    await asyncio.gather(*(act() for _ in range(60)))
    gc.collect()
    assert (now, most, len(lanes._lanes)) == (0, 8, 0)


async def test_a_lane_that_is_full_says_so() -> None:
    lanes, go = Lanes(1), asyncio.Event()

    async def wait() -> None:
        async with lanes.turn("d"):
            await go.wait()

    waiting = [asyncio.create_task(wait()) for _ in range(LONGEST_QUEUE)]
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        await wait()
    async with lanes.turn("another"):
        go.set()
    await asyncio.gather(*waiting)


def test_derived_ids() -> None:
    assert derived("D-", "anna", "k") == derived("D-", "anna", "k")
    ids = {derived("D-", f"user-{n % 7}", f"key-{n}") for n in range(2_000)}
    assert len(ids) == 2_000
    assert all(len(one) == 12 and not set(one[2:]) & set("ILOU") for one in ids)
    assert derived("D-", "a", "bc") != derived("D-", "ab", "c")


@pytest.mark.parametrize("action", DEALS.table.actions)
def test_every_action_has_a_closed_schema(action: str) -> None:
    schema = payloads.schema(action)
    for part in (schema, *schema.get("$defs", {}).values()):
        if part["type"] == "object":
            assert part["additionalProperties"] is False


def test_all_wrong_fields_are_named_at_once() -> None:
    wrong = payloads.check("draft_offer", {"lines": [{"article": 1}], "payment_days": "x", "colour": "red"})
    assert set(wrong) == {"lines[0].quantity", "payment_days", "colour"}


def test_what_nobody_can_store() -> None:
    assert payloads.unstorable({"a": ["b", {"c": 1}]}) == {}
    assert payloads.unstorable({"a": {"b": "x\x00"}}) == {"a.b": "NUL characters are not allowed"}
    assert payloads.unstorable(["x" * 4_000] * 40) == {"": f"more than {payloads.LARGEST} bytes"}
    deep: list[object] = []
    for _ in range(50):
        deep = [deep]
    assert "nested" in payloads.unstorable(deep)[""]


def test_callers() -> None:
    assert Caller("x", ("logistics_manager",)).is_blind
    assert not Caller("x", ("logistics_manager", "account_manager")).is_blind
    assert not Caller("x", ("accounts_receivable",)).sees_margins
    assert OPERATOR.scope.kind == "all"


async def test_rehearsed_headroom_is_what_the_book_would_say(office: Office) -> None:
    database = office.desk.books.database
    book = SqlCreditBook(database)
    at, until = "2026-01-01T00:00:00Z", "2026-06-01T00:00:00Z"

    def ask(deal: str, amount: int, when: str = at) -> HeadroomInput:
        return HeadroomInput(f"headroom:{deal}", deal, "g-1", "EUR", amount, 1_000, when, until)

    await book.reserve(ask("D-1", 600))
    for deal, amount in (("D-1", 600), ("D-1", 1_000), ("D-1", 1_001), ("D-2", 400), ("D-2", 401), ("D-2", 0)):
        rehearsed = await would_grant(database, ask(deal, amount))
        assert await would_grant(database, ask(deal, amount)) == rehearsed
        assert rehearsed.granted is (amount <= (1_000 if deal == "D-1" else 400)), (deal, amount)
    later = await would_grant(database, ask("D-2", 1_000, "2026-07-01T00:00:00Z"))
    assert (later.granted, later.used_minor) == (True, 0)
    assert await book.reserve(ask("D-2", 401)) == await would_grant(database, ask("D-2", 401))


async def test_a_refusal_is_recorded_once_per_key_and_attested(office: Office) -> None:
    for _ in range(3):
        answer = await office.post("legal", "/v1/deals", {"title": "x", "customer": "c-1"}, key="same")
        assert answer.status_code == 403
    rows = await office.desk.books.timeline.refusals("")
    assert [(row["actor"], row["action"], row["code"], row["key"]) for row in rows] == [
        ("u-legal", "open", "wrong_role", "same")
    ]
    assert (await AuditStore(office.desk.books.database).verify()).sound
