"""Reports on receivables and `money verify` in a terminal, on a folder with three deals."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text

from cli.exits import ExitCode
from infra.db import open_database
from infra.desk.books import Books
from infra.desk.callers import Caller
from infra.desk.service import DealDesk
from infra.settings import Settings, load_settings
from infra.stores.people import Person
from tests.api.test_receivable_reports import owing
from tests.bank.statement_files import ACCOUNT, Payment, camt
from tests.cli.command import in_process
from tests.infra.test_receivable_reports import keep
from tests.journeys import BEGINNING, furnish

WIDEST = 140
DAY = "2026-04-06"


@pytest.fixture
def data(tmp_path: Path, migrated_file: Path) -> Path:
    """A folder in which one invoice was paid ten days late, one is disputed, one of a test deal is open."""
    (tmp_path / "dealwright.db").write_bytes(migrated_file.read_bytes())
    asyncio.run(_fill(load_settings(data_dir=tmp_path)))
    return tmp_path


async def _fill(settings: Settings) -> None:
    database = open_database(settings.database)
    await furnish(database)
    books = Books(database, settings)
    await books.policies.active(BEGINNING)
    for role in ("head_of_sales", "logistics_manager"):
        await books.people.create(Person(f"u-{role}", "", (role,), "north"), BEGINNING)
    paid, disputed = owing(0, 70), owing(1, 91, customer="c-2")
    paid.pay()
    number = disputed.deal.receivables[0].number
    disputed.do("account_manager", "dispute", invoice=number, amount_minor=40_000, reason="damaged")
    await keep(database, paid)
    await keep(database, disputed, owing(2, customer="c-3", test=True))
    await database.close()


def lines(out: str) -> list[str]:
    assert max(map(len, out.splitlines())) <= WIDEST
    return [" ".join(line.split()) for line in out.splitlines()]


def test_ageing(data: Path) -> None:
    told = in_process("--data", data, "reports", "ageing", "--as-of", DAY, "--as", "u-head_of_sales")
    assert told.code == 0, told.err
    shown = lines(told.out)
    assert "Open receivables in EUR at the end of 2026-04-06, by days overdue" in shown
    assert "c-2 - - 1,904.00 - - - 1,904.00 400.00" in shown
    assert "all 1 - - 1,904.00 - - - 1,904.00 400.00" in shown
    nothing = in_process("--data", data, "reports", "ageing", "--as-of", "2025-01-01")
    assert "nothing is open at the end of 2025-01-01" in nothing.out
    plain = in_process("--data", data, "reports", "ageing", "--as-of", DAY, "--test-deals", "-o", "json").json
    assert [row["customer"] for row in plain["customers"]] == ["c-2", "c-3"]
    one = ("reports", "ageing", "--as-of", DAY, "--customer", "c-3", "--currency", "EUR", "-o", "json")
    assert in_process("--data", data, *one).json["totals"] == []


def test_days_sales_outstanding_and_effectiveness(data: Path) -> None:
    told = in_process("--data", data, "reports", "dso", "--as-of", DAY, "--days", 92)
    shown = lines(told.out)
    assert "Days sales outstanding, 2026-01-05 to 2026-04-06 (92 days)" in shown
    assert "EUR 3,808.00 1,904.00 - 46.0 0.0 46.0 80.5" in shown
    told = in_process("--data", data, "reports", "effectiveness", "--as-of", DAY, "--days", 31)
    assert "EUR 3,808.00 - 1,904.00 - 1,904.00 3,808.00 50.00 %" in lines(told.out)
    quiet = in_process("--data", data, "reports", "dso", "--as-of", DAY, "--days", 10)
    assert "EUR - 1,904.00 - - - - 80.5" in lines(quiet.out)


def test_expected_cash(data: Path) -> None:
    told = in_process("--data", data, "reports", "cash", "--as-of", "2026-03-20", "--weeks", 2)
    assert told.code == 0, told.err
    shown = lines(told.out)
    assert "2026-W12 2026-03-16 1,904.00 -" in shown
    assert "open 1,904.00" in shown
    assert any("3 days after the due day" in line for line in shown)
    assert "nothing is open" in in_process("--data", data, "reports", "cash", "--as-of", "2025-01-01").out


def test_lateness(data: Path) -> None:
    told = in_process("--data", data, "reports", "lateness", "--as-of", DAY)
    shown = lines(told.out)
    assert "c-1 1 10 10" in shown
    assert "all 1 10 10" in shown
    assert "remind payment 2" in shown


@pytest.mark.parametrize("name", ["ageing", "dso", "effectiveness", "cash", "lateness"])
def test_wrong_questions(data: Path, name: str) -> None:
    for asked in (("--as-of", "today"), ("--as-of", "2026-02-30"), ("--currency", "euro")):
        wrong = in_process("--data", data, "reports", name, *asked)
        assert (wrong.code, asked[1] in wrong.err) == (ExitCode.USAGE, True), wrong.err
    nobody = in_process("--data", data, "reports", name, "--as", "u-logistics_manager")
    assert nobody.code == ExitCode.REFUSED
    assert in_process("--data", data, "reports", name, "--as-of", "1066-10-14").code == ExitCode.REFUSED


def test_money_is_verified(data: Path) -> None:
    told = in_process("--data", data, "money", "verify", "-o", "json")
    plain = told.json
    # the deals of this folder number their invoices from any number on
    assert {found["where"] for found in plain["differences"]} <= {"series 2026"}
    assert [row["difference"]["amount_minor"] for row in plain["currencies"]] == [0]
    _change(data, "UPDATE invoices SET open_minor = open_minor - 1 WHERE number = '2026-001001'")
    broken = in_process("--data", data, "money", "verify")
    assert broken.code == ExitCode.REFUSED
    assert "invoice 2026-001001: open amount is 190399, its movements add up to 190400" in broken.out
    assert "What to do:" in broken.out
    assert "EUR 5,712.00 1,904.00 0.00 0.00 3,807.99 0.01" in lines(broken.out)


def test_sound_money_ends_well(tmp_path: Path, migrated_file: Path) -> None:
    (tmp_path / "dealwright.db").write_bytes(migrated_file.read_bytes())
    told = in_process("--data", tmp_path, "money", "verify")
    assert (told.code, "sound" in told.out, "What to do" in told.out) == (0, True, False)


def test_a_gap_between_statements_is_shown_and_is_no_missing_cent(tmp_path: Path, migrated_file: Path) -> None:
    (tmp_path / "dealwright.db").write_bytes(migrated_file.read_bytes())
    asyncio.run(_import_with_a_gap(load_settings(data_dir=tmp_path)))
    told = in_process("--data", tmp_path, "money", "verify")
    assert told.code == 0, told.err
    assert "bank statement 2 begins on 2026-03-05 with 20.00 EUR: no statement before it ends so" in told.out
    assert lines(told.out)[-1] == "sound"
    assert len(in_process("--data", tmp_path, "money", "verify", "-o", "json").json["warnings"]) == 1


async def _import_with_a_gap(settings: Settings) -> None:
    database = open_database(settings.database)
    inbox = DealDesk(database, None, settings).bank_inbox
    for number, opening, days in (("1", 1_000, ("2026-03-01", "2026-03-02")), ("2", 2_000, ("2026-03-05",) * 2)):
        file = camt("08", ACCOUNT, [Payment(-100, booked_on=days[1])], opening, opening - 100, number=number, days=days)
        await inbox.receive(Caller("u-clerk", ("accounts_receivable",)), file)
    await database.close()


def _change(data: Path, statement: str) -> None:
    async def work() -> None:
        database = open_database(load_settings(data_dir=data).database)
        await database.write(lambda connection: connection.execute(text(statement)))
        await database.close()

    asyncio.run(work())
