"""The monthly reconciliation in a terminal: run, list, show, answer, settle."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from cli.exits import ExitCode
from infra.db import open_database, table_of
from infra.desk.books import Books
from infra.desk.clocks import wall_clock
from infra.gateways.statements import SqlReconciler
from infra.settings import Settings, load_settings
from infra.stores.people import Person
from models.messages.reconciliation import StatementsInput
from models.reconciliation import bounds, month_before, reconciliation_id
from models.tables.money_books import InvoiceRow
from tests.cli.command import in_process
from tests.infra.test_reconciliations import Postman, owing
from tests.journeys import BEGINNING, furnish


@pytest.fixture
def empty(tmp_path: Path, migrated_file: Path) -> Path:
    """A folder with nothing in it but our tables."""
    (tmp_path / "dealwright.db").write_bytes(migrated_file.read_bytes())
    return tmp_path


@pytest.fixture
def data(empty: Path) -> Path:
    """A folder in which c-1 and c-2 have owed 1,904.00 each since the first of last month."""
    asyncio.run(_fill(load_settings(data_dir=empty)))
    return empty


async def _fill(settings: Settings) -> None:
    database = open_database(settings.database)
    await furnish(database)
    books = Books(database, settings)
    await books.policies.active(BEGINNING)
    for role in ("accounts_receivable", "head_of_sales"):
        await books.people.create(Person(f"u-{role}", "", (role,), "north"), BEGINNING)
    await owing(database, "c-1", "c-2")
    start, _ = bounds(last_month())
    back = update(table_of(InvoiceRow)).values(issued_at=start)
    await database.write(lambda connection: connection.execute(back))
    await database.close()


def last_month() -> str:
    return month_before(wall_clock())


def number(customer: str) -> str:
    return reconciliation_id(customer, "EUR", last_month(), False)


def state(data: Path) -> None:
    """Statements as a run would write them, without an engine."""

    async def work() -> None:
        database = open_database(load_settings(data_dir=data).database)
        asked = StatementsInput(last_month(), wall_clock(), False, "", 50)
        await SqlReconciler(database, Postman(), 14).write_statements(asked)
        await database.close()

    asyncio.run(work())


def reconcile(data: Path, *arguments: Any) -> Any:
    return in_process("--data", data, "reconcile", *arguments)


@pytest.mark.systems
@pytest.mark.timeout(240)
def test_from_the_run_to_the_answer(empty: Path) -> None:
    data = empty
    assert reconcile(data, "run", "-o", "json").json["written"] == 0, "an engine begins, before there are deals"
    asyncio.run(_fill(load_settings(data_dir=data)))
    done = reconcile(data, "run", "-o", "json")
    assert done.code == 0, done.err
    assert done.json == {"month": last_month(), "finished": True, "written": 2}
    assert len(list((data / "outbox").glob("*.pdf"))) == 2
    again = reconcile(data, "run", "--month", last_month())
    assert f"0 statements of {last_month()} were written" in again.out
    agreed = reconcile(data, "answer", number("c-1"), "--confirm")
    assert (agreed.code, f"{number('c-1')} c-1, {last_month()}: confirmed" in " ".join(agreed.out.split())) == (0, True)
    item = '{"kind": "missing_payment", "invoice": "", "theirs_minor": 400, "reference": "wire 7"}'
    told = reconcile(data, "answer", number("c-2"), "--balance", 190_000, "--item", item, "-o", "json")
    assert [one["became"] for one in told.json["items"]] == ["task"]
    assert reconcile(data, "settle", number("c-2"), "found").code == ExitCode.REFUSED, "that is for people"
    settled = reconcile(data, "settle", number("c-2"), "found", "--as", "u-accounts_receivable", "-o", "json")
    assert settled.json["state"] == "settled"


def test_lists_and_one(data: Path) -> None:
    state(data)
    rows = reconcile(data, "list", "-o", "json").json
    assert {row["id"] for row in rows} == {number("c-1"), number("c-2")}
    assert [row["customer"] for row in reconcile(data, "list", "--customer", "c-2", "-o", "json").json] == ["c-2"]
    assert reconcile(data, "list", "--state", "differs", "-o", "json").json == []
    shown = " ".join(reconcile(data, "list", "--month", last_month()).out.split())
    assert f"{number('c-1')} {last_month()} c-1 1,904.00 EUR - open" in shown
    one = " ".join(reconcile(data, "show", number("c-1")).out.split())
    assert "our balance 1,904.00 EUR, theirs -, credit 0.00 EUR" in one
    assert "2026-001001" in one


def test_wrong_questions(data: Path) -> None:
    state(data)
    assert reconcile(data, "show", "R-0").code == ExitCode.NOT_FOUND
    assert reconcile(data, "list", "--state", "gone").code == ExitCode.USAGE
    assert reconcile(data, "list", "--as", "u-head_of_sales").code == ExitCode.REFUSED
    answer = ("answer", number("c-1"))
    assert reconcile(data, *answer).code == ExitCode.USAGE
    assert reconcile(data, *answer, "--confirm", "--balance", 1).code == ExitCode.USAGE
    for item in ("{}", "x", '{"kind": "amount", "invoice": "", "theirs_minor": 1}'):
        wrong = reconcile(data, *answer, "--balance", 1, "--item", item)
        assert (wrong.code, "such as" in wrong.err) == (ExitCode.USAGE, True), wrong.err
