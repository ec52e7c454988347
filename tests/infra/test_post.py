"""Carrier messages and alerts in both databases: kept once, whoever else writes at the same moment."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from infra.db import Database, open_database
from infra.desk.carrier_letter import bytes_of, read, text_of
from infra.stores.alerts import Alert, AlertStore
from infra.stores.carrier_messages import CarrierMessageStore, Incoming, Outcome

AT, LATER = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def each_url(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest_asyncio.fixture
async def both(each_url: str) -> AsyncIterator[Database]:
    """SQLite and PostgreSQL, whatever the variant."""
    opened = open_database(each_url, synchronous="NORMAL")
    yield opened
    await opened.close()


def message(name: str = "m-1", digest: str = "a" * 64, problem: str = "") -> Incoming:
    return Incoming("swift", name, "D-1-S1", "D-1", "delivered", AT, "{}", digest, problem)


async def test_a_message_is_kept_once_however_often_it_comes(both: Database) -> None:
    store = CarrierMessageStore(both)
    kept = await asyncio.gather(*(store.keep(message(), AT) for _ in range(8)))
    assert sum(one.is_new for one in kept) == 1
    assert len({one.row["id"] for one in kept}) == 1
    (row,) = (await store.page()).rows
    assert (row["outcome"], row["tries"], row["settled_at"]) == ("received", 0, "")
    assert await store.waiting() == 1


async def test_two_messages_under_one_id(both: Database) -> None:
    store, alerts = CarrierMessageStore(both), AlertStore(both)
    kept = await asyncio.gather(*(store.keep(message(digest=letter * 64), AT) for letter in "abcabc"))
    rows = (await store.page()).rows
    assert sorted(row["outcome"] for row in rows) == ["dead", "dead", "received"]
    assert sum(one.is_new for one in kept) == len({row["message_id"] for row in rows}) == 3
    assert await alerts.open_count() == 2


async def test_one_alert_rings_until_it_is_settled(both: Database) -> None:
    store, alerts = CarrierMessageStore(both), AlertStore(both)
    with capture_logs() as logs:
        kept = await store.keep(message(problem="Mrs. Keller was not at home"), AT)
        for _ in range(2):
            await store.conclude(kept.row["id"], Outcome.DEAD, "still", "u", AT)
    assert [(log["event"], log["log_level"], log["kind"], log["subject"]) for log in logs] == [
        ("alert_raised", "warning", "dead_letter", "swift/m-1")
    ]
    assert "Keller" not in str(logs)
    row = await store.conclude(kept.row["id"], Outcome.BOOKED, "", "u", LATER)
    assert (row["outcome"], row["tries"], row["settled_at"]) == ("booked", 4, LATER)
    assert await alerts.open_count() == 0
    # what the deal knows stays, whatever a slower twin believes
    late = await store.conclude(kept.row["id"], Outcome.DEAD, "no", "u", LATER)
    assert (late["outcome"], late["tries"]) == ("booked", 4)
    assert await alerts.open_count() == 0


async def test_an_alert_that_was_acknowledged_rings_again(both: Database) -> None:
    store, alerts = CarrierMessageStore(both), AlertStore(both)
    kept = await store.keep(message(problem="odd"), AT)
    (alert,) = (await alerts.page(open_only=True)).rows
    seen = await alerts.acknowledge(alert["id"], "anna", LATER)
    assert seen is not None
    assert (seen["acknowledged_by"], seen["acknowledged_at"]) == ("anna", LATER)
    await store.conclude(kept.row["id"], Outcome.DEAD, "still odd", "u", LATER)
    assert await alerts.open_count() == 1
    assert await alerts.acknowledge(99, "anna", LATER) is None


async def test_alerts_raised_at_the_same_moment(both: Database) -> None:
    alerts = AlertStore(both)
    rung = await asyncio.gather(*(alerts.ring(Alert("k", f"s-{n % 2}" * 100, "x"), AT) for n in range(10)))
    assert (sum(rung), await alerts.open_count()) == (2, 2)


@pytest.mark.parametrize("body", [b"", b"plain", "ü\U0001f600".encode(), b"\xff", b"a\x00b", b"base64", b" {}\n"])
async def test_bodies_are_kept_as_they_came(both: Database, body: bytes) -> None:
    store = CarrierMessageStore(both)
    kept = await store.keep(read(body).kept, AT)
    row = await store.get(kept.row["id"])
    assert row is not None
    assert bytes_of(row["body"]) == body
    assert text_of(body) == row["body"]
