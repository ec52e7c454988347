"""Reconciliation over the API: who may run, read, answer and settle, and what an answer becomes."""

from typing import Any

import pytest
from sqlalchemy import update

from infra.db import table_of
from infra.gateways.statements import SqlReconciler
from models.messages.reconciliation import StatementsInput
from models.reconciliation import bounds, month_before, reconciliation_id
from models.tables.money_books import InvoiceRow
from tests.api.conftest import Office
from tests.infra.test_receivable_reports import BookedWorld, keep
from tests.infra.test_reconciliations import NOW, Postman, owing
from tests.models.world import delivered

PATH = "/v1/reconciliations"
MONTH = "2026-03"
MONEY = {"accounts_receivable", "automation"}
READERS = MONEY | {"commercial_director", "admin", "auditor"}


def eur(amount: int) -> dict[str, Any]:
    return {"amount_minor": amount, "currency": "EUR"}


async def stated(office: Office, *customers: str) -> list[str]:
    """Ids of the statements of customers that owe 1,904.00 each."""
    database = office.desk.books.database
    await owing(database, *customers)
    await SqlReconciler(database, Postman(), 14).write_statements(StatementsInput(MONTH, NOW, False, "", 50))
    return [reconciliation_id(customer, "EUR", MONTH, False) for customer in customers]


async def test_who_may(office: Office) -> None:
    (number,) = await stated(office, "c-1")
    for role in sorted(office.keys):
        for path in (PATH, f"{PATH}/{number}"):
            assert (await office.get(role, path)).status_code == (200 if role in READERS else 403), role
        run = await office.post(role, f"{PATH}/run", {"month": "2026-02"})
        assert run.status_code == (503 if role in MONEY | {"admin"} else 403), role
    for role in sorted(set(office.keys) - MONEY):
        told = await office.post(role, f"{PATH}/{number}/answer", {"balance": eur(1)})
        assert told.status_code == 403, role
    for role in sorted(set(office.keys) - {"accounts_receivable", "commercial_director"}):
        told = await office.post(role, f"{PATH}/{number}/settle", {"note": "x"})
        assert told.status_code == 403, role


async def test_a_confirmed_balance(office: Office) -> None:
    (number,) = await stated(office, "c-1")
    before = (await office.get("auditor", f"{PATH}/{number}")).json()
    assert (before["state"], before["their_balance"], before["our_balance"]) == ("open", None, eur(190_400))
    assert [line["open"] for line in before["lines"]] == [eur(190_400)]
    body = {"balance": eur(190_400)}
    told = [await office.post("accounts_receivable", f"{PATH}/{number}/answer", body, key="k") for _ in range(2)]
    assert [one.status_code for one in told] == [200, 200]
    assert told[0].json() == told[1].json()
    assert told[1].headers["idempotent-replayed"] == "true"
    assert (told[0].json()["state"], told[0].json()["their_balance"]) == ("confirmed", eur(190_400))
    other = await office.post("accounts_receivable", f"{PATH}/{number}/answer", body)
    assert (other.status_code, other.json()["code"]) == (409, "already_answered")
    settled = await office.post("accounts_receivable", f"{PATH}/{number}/settle", {"note": "x"})
    assert (settled.status_code, settled.json()["code"]) == (409, "not_open")


async def test_differences_that_no_deal_is_about_are_tasks(office: Office) -> None:
    (number,) = await stated(office, "c-1")
    items = [
        {"kind": "missing_payment", "theirs": eur(5_000), "reference": "wire 7"},
        {"kind": "unknown_invoice", "invoice": "X-1", "theirs": eur(100)},
    ]
    body = {"balance": eur(185_500), "items": items}
    told = (await office.post("automation", f"{PATH}/{number}/answer", body)).json()
    assert told["state"] == "differs"
    assert [item["became"] for item in told["items"]] == ["task", "task"]
    alerts = (await office.get("accounts_receivable", "/v1/alerts", open=True)).json()["items"]
    assert [alert["subject"] for alert in alerts] == [f"{number}/2", f"{number}/1"]
    assert not any("5" in alert["text"].replace(number, "") for alert in alerts), "logistics reads alerts, too"
    done = (await office.post("commercial_director", f"{PATH}/{number}/settle", {"note": "both found"})).json()
    assert [item["became"] for item in done["items"]] == ["corrected", "corrected"]
    assert (await office.get("admin", "/v1/alerts", open=True)).json()["items"] == []


async def test_an_answer_waits_for_the_engine_and_goes_on(office: Office) -> None:
    """Without an engine nothing is disputed: 503, and the same answer again finds what is left to do."""
    (number,) = await stated(office, "c-1")
    body = {
        "balance": eur(185_400),
        "items": [
            {"kind": "missing_payment", "theirs": eur(4_000)},
            {"kind": "amount", "invoice": "2026-001001", "theirs": eur(189_400)},
        ],
    }
    told = await office.post("accounts_receivable", f"{PATH}/{number}/answer", body, key="k")
    assert told.status_code == 503
    seen = (await office.get("accounts_receivable", f"{PATH}/{number}")).json()
    assert [(item["became"], item["disputed"]) for item in seen["items"]] == [("task", eur(0)), ("", eur(1_000))]
    again = await office.post("accounts_receivable", f"{PATH}/{number}/answer", body, key="k")
    assert again.status_code == 503
    early = await office.post("accounts_receivable", f"{PATH}/{number}/settle", {"note": "x"})
    assert early.status_code == 409


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"balance": {"amount_minor": 1, "currency": "USD"}},
        {"balance": eur(10**15)},
        {"balance": eur(1), "items": [{"kind": "amount", "theirs": eur(1)}]},
        {"balance": eur(1), "items": [{"kind": "amount", "invoice": "1", "theirs": eur(-1)}]},
        {"balance": eur(1), "items": [{"kind": "missing_payment", "theirs": eur(0)}]},
        {"balance": eur(1), "items": [{"kind": "other", "theirs": {"amount_minor": 1, "currency": "USD"}}]},
        {"balance": eur(1), "items": [{"kind": "odd", "theirs": eur(1)}]},
        {"balance": eur(1), "surprise": 1},
    ],
)
async def test_answers_that_make_no_sense(office: Office, body: Any) -> None:
    (number,) = await stated(office, "c-1")
    told = await office.post("accounts_receivable", f"{PATH}/{number}/answer", body)
    assert told.status_code == 422, told.text
    assert (await office.get("auditor", f"{PATH}/{number}")).json()["state"] == "open"


async def test_lists(office: Office) -> None:
    numbers = await stated(office, "c-1", "c-2", "c-3")
    await office.post("accounts_receivable", f"{PATH}/{numbers[0]}/answer", {"balance": eur(190_400)})

    async def ids(**asked: Any) -> set[str]:
        return {one["id"] for one in (await office.get("auditor", PATH, **asked)).json()["items"]}

    assert await ids() == await ids(month=MONTH) == set(numbers)
    assert await ids(state="confirmed") == {numbers[0]}
    assert await ids(customer="c-2") == {numbers[1]}
    assert await ids(month="2026-02") == await ids(test_deals=True) == set()
    assert (await office.get("auditor", PATH, month="march")).status_code == 422
    first = (await office.get("auditor", PATH, limit=2)).json()
    rest = (await office.get("auditor", PATH, limit=2, cursor=first["next_cursor"])).json()
    assert {one["id"] for one in first["items"] + rest["items"]} == set(numbers)
    assert (await office.get("auditor", f"{PATH}/R-0")).status_code == 404
    assert (await office.post("accounts_receivable", f"{PATH}/R-0/answer", {"balance": eur(1)})).status_code == 404


async def test_a_run_over_the_api(works: Office) -> None:
    database, now = works.desk.books.database, works.desk.clock()
    month = month_before(now)
    world = delivered(BookedWorld(number=1, test=False, now="2026-01-08T08:00:00Z"))
    assert isinstance(world, BookedWorld)
    await works.desk.books.policies.active(now)
    await keep(database, world)
    start, _ = bounds(month)
    back = update(table_of(InvoiceRow)).values(issued_at=start)
    await database.write(lambda connection: connection.execute(back))
    done = [await works.post("admin", f"{PATH}/run", {}, key=key) for key in ("k", "k", "l")]
    assert [one.json() for one in done] == [
        {"month": month, "finished": True, "written": written} for written in (1, 1, 0)
    ]
    (row,) = (await works.get("auditor", PATH)).json()["items"]
    assert (row["month"], row["customer"], row["state"]) == (month, "c-1", "open")
    letters = (await works.get("auditor", "/v1/letters", state="waiting")).json()["items"]
    assert [letter["key"] for letter in letters] == [row["letter_key"]]
    for wrong in ("2026-13", now[:7]):
        assert (await works.post("admin", f"{PATH}/run", {"month": wrong})).status_code == 422
