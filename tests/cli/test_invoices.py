"""Invoices in a terminal: lists of what is to be seen to, and one invoice with all that was done about it."""

import asyncio
from pathlib import Path

import pytest

from cli.exits import ExitCode
from infra.db import open_database
from infra.desk.books import Books
from infra.settings import Settings, load_settings
from infra.stores.people import Person
from models.instants import DAY, plus
from tests.api.test_receivable_reports import TOTAL, owing
from tests.cli.command import in_process
from tests.infra.test_receivable_reports import keep
from tests.journeys import BEGINNING, furnish

WIDEST = 140
MONEY = "accounts_receivable"
PAID, DISPUTED, PLANNED, LATE = "2026-001001", "2026-002001", "2026-003001", "2026-004001"


@pytest.fixture
def data(tmp_path: Path, migrated_file: Path) -> Path:
    """A folder in which an invoice was paid late, one is disputed, one is paid in instalments, one is late."""
    (tmp_path / "dealwright.db").write_bytes(migrated_file.read_bytes())
    asyncio.run(_fill(load_settings(data_dir=tmp_path)))
    return tmp_path


async def _fill(settings: Settings) -> None:
    database = open_database(settings.database)
    await furnish(database)
    books = Books(database, settings)
    await books.policies.active(BEGINNING)
    for role in (MONEY, "logistics_manager"):
        await books.people.create(Person(f"u-{role}", "", (role,), "north"), BEGINNING)
    paid, disputed, planned, late = (owing(number, days) for number, days in ((1, 70), (2, 65), (3, 62), (4, 91)))
    paid.pay()
    paid.advance(1)
    line = disputed.deal.receivables[0].lines[0]
    asked = {"amount_minor": 40_000, "lines": [{"line": line.line, "amount_minor": 40_000}], "evidence": "photo 3"}
    disputed.do(MONEY, "dispute", invoice=DISPUTED, reason="damaged", **asked)
    disputed.do(MONEY, "promise_to_pay", invoice=DISPUTED, amount_minor=100_000, until=plus(disputed.now, 9 * DAY))
    parts = [{"due_at": plus(planned.now, days * DAY), "amount_minor": TOTAL // 2} for days in (20, 40)]
    planned.do(MONEY, "agree_plan", invoice=PLANNED, instalments=parts)
    await keep(database, paid, disputed, planned, late)
    await database.close()


def told(data: Path, *asked: str) -> list[str]:
    done = in_process("--data", data, "--as", f"u-{MONEY}", "invoices", *asked)
    assert done.code == 0, done.err
    assert max(map(len, done.out.splitlines())) <= WIDEST
    return [" ".join(line.split()) for line in done.out.splitlines()]


def numbers(data: Path, *asked: str) -> list[str]:
    plain = in_process("--data", data, "invoices", "list", *asked, "-o", "json").json
    return [one["number"] for one in plain["invoices"] if one["kind"] != "interest"]


def test_lists(data: Path) -> None:
    assert numbers(data) == [PAID, DISPUTED, PLANNED, LATE]
    assert numbers(data, "--late") == [DISPUTED, PLANNED, LATE]
    assert numbers(data, "--disputed") == [DISPUTED]
    assert numbers(data, "--open") == [DISPUTED, PLANNED, LATE]
    assert numbers(data, "--state", "with_head_of_sales") == [LATE]
    assert numbers(data, "--deal", "D-3") == [PLANNED]
    assert numbers(data, "--customer", "c-9") == []
    shown = told(data, "list", "--limit", "2", "--open")
    row = f"{DISPUTED} D-2 c-1 delivery 2026-03-06"
    assert any(line.startswith(row) and line.endswith("1,904.00 EUR 1,904.00 EUR 1,504.00 EUR") for line in shown)
    assert "the first 2; --limit shows more" in shown


def test_a_late_invoice(data: Path) -> None:
    shown = told(data, "show", LATE, "--as-of", "2026-03-20")
    assert "its deal is on credit hold" in shown
    assert "dun second 2026-03-20 08:00" in shown
    assert "next: notice formally (formal notice) 2026-04-20 08:00" in shown
    assert "Lateness until 2026-03-20, 10.15 % a year" in shown
    assert "7.41 EUR 40.00 EUR 0.00 EUR 0.00 EUR 47.41 EUR" in shown
    early = told(data, "show", LATE, "--as-of", "2026-03-12")
    assert "Lateness until 2026-03-12, 10.15 % a year, not claimed at this level" in early


def test_what_was_agreed_about_invoices(data: Path) -> None:
    shown = told(data, "show", DISPUTED)
    assert "1 400.00 EUR 1: 400.00 EUR damaged photo 3 2026-03-25 open 0.00 EUR" in shown
    assert "2026-03-11 1,000.00 EUR 2026-03-20 running" in shown
    assert "next: dun first (first dunning) waits for the end of a promise" in shown
    shown = told(data, "show", PLANNED)
    assert "Payment plan of 2026-03-08 with u-accounts_receivable: running" in shown
    assert "2 2026-04-17 952.00 EUR 0.00 EUR" in shown


def test_a_paid_invoice_and_the_note_about_it(data: Path) -> None:
    plain = in_process("--data", data, "invoices", "show", PAID, "-o", "json").json
    (note,) = plain["charged_by"]
    shown = told(data, "show", PAID)
    assert f"its lateness was charged with {note}" in shown
    assert "paid since 2026-03-16" in shown
    assert not [line for line in shown if line.startswith("next:")]
    assert f"claims what the lateness of {PAID} costs" in told(data, "show", note)


def test_wrong_questions(data: Path) -> None:
    assert in_process("--data", data, "invoices", "list", "--limit", "0").code == ExitCode.USAGE
    for asked in (("list", "--state", "unhappy"), ("show", LATE, "--as-of", "2026-02-30")):
        wrong = in_process("--data", data, "invoices", *asked)
        assert (wrong.code, asked[-1] in wrong.err) == (ExitCode.USAGE, True), wrong.err
    assert in_process("--data", data, "invoices", "show", "2026-999999").code == ExitCode.NOT_FOUND
    assert in_process("--data", data, "invoices", "show", LATE, "--as-of", "1066-10-14").code == ExitCode.REFUSED


def test_a_logistics_manager_sees_none(data: Path) -> None:
    blind = ("--data", data, "--as", "u-logistics_manager", "invoices")
    assert in_process(*blind, "show", LATE).code == ExitCode.NOT_FOUND
    assert in_process(*blind, "list", "-o", "json").json == {"invoices": [], "more": False}
