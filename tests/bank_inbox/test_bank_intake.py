"""Files come in: once each, checked against their balances, kept as they came, refused when they can't be read."""

import asyncio
import zlib
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from infra.db import Database, table_of
from infra.desk.errors import UnreadableFile, WrongRole
from infra.gateways.money_audit import MoneyAudit
from infra.stores.alerts import AlertStore
from infra.stores.audit import AuditStore
from models.banking.accounts import account_name, german_iban
from models.tables.bank import BankFileRow
from models.tables.records import RefusalRow
from tests.bank.statement_files import ACCOUNT, Payment, camt, document, namespace, stmt
from tests.bank_inbox.importing_process import import_file
from tests.bank_inbox.paid_deals import AUDITOR, CLERK, Bank, file_of, paid

SAMPLES = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "bank"

HOSTILE = (
    b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>&a;</BkToCstmrStmt></Document>'
)


async def test_a_statement_that_does_not_add_up_is_put_in_quarantine(bank: Bank) -> None:
    number = await bank.deals.add("D-1")
    body = camt("08", ACCOUNT, [paid(119_000, number)], 100_000, 219_001)
    (told,) = (await bank.inbox.receive(CLERK, body)).statements
    assert (told["state"], told["difference"]) == ("quarantined", {"amount_minor": -1, "currency": "EUR"})
    assert told["reason"] == "opening 1,000.00 EUR + entries 1,190.00 EUR - closing 2,190.01 EUR = -0.01 EUR"
    assert (await bank.entries(), bank.deals.asks) == ([], [])
    alerts = AlertStore(bank.database)
    (alert,) = (await alerts.page(open_only=True)).rows
    assert (alert["kind"], alert["subject"]) == ("bank_statement", f"statement {told['id']}")
    (again,) = (await bank.inbox.receive(CLERK, body)).statements
    assert (again["replayed"], again["id"], again["state"]) == (True, told["id"], "quarantined")
    (right,) = (
        await bank.inbox.receive(CLERK, camt("08", ACCOUNT, [paid(119_000, number)], 100_000, 219_000))
    ).statements
    assert (right["state"], right["new"]) == ("imported", 1)
    assert not (await alerts.page(open_only=True)).rows
    await bank.is_sound()


async def test_without_a_closing_balance_nothing_is_proved(bank: Bank) -> None:
    (told,) = (await bank.inbox.receive(CLERK, camt("08", ACCOUNT, [Payment(1)], 100, None))).statements
    assert (told["state"], told["closing"], told["difference"]) == ("quarantined", None, None)
    assert told["reason"] == "it states no closing balance, so nothing proves that it is complete"


async def test_a_file_is_kept_as_it_came(bank: Bank) -> None:
    body = file_of([paid(5)])
    await bank.inbox.receive(CLERK, body)
    (kept,) = await bank.database.rows(select(table_of(BankFileRow)))
    assert zlib.decompress(kept["body"]) == body
    assert (kept["size"], kept["received_by"]) == (len(body), "u-clerk")
    assert (await AuditStore(bank.database).verify()).problems == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (HOSTILE, "hostile_xml"),
        (b"", "unknown_format"),
        (b"PK\x03\x04", "unknown_format"),
        (b"<Document><NORDHOLZ></Document>", "malformed"),
        (b"\xff\xfe\x00\x00<", "odd_encoding"),
    ],
)
async def test_what_can_not_be_read_is_refused_and_written_down(bank: Bank, body: bytes, code: str) -> None:
    with pytest.raises(UnreadableFile) as refused:
        await bank.inbox.receive(CLERK, body, "march.xml")
    assert refused.value.code == code
    assert refused.value.message.startswith("march.xml: ")
    assert not await bank.database.rows(select(table_of(BankFileRow)))
    (row,) = await bank.database.rows(select(table_of(RefusalRow)))
    assert (row["action"], row["code"], row["actor"]) == ("import_statement", refused.value.code, "u-clerk")
    assert "NORDHOLZ" not in str(row["detail"])


async def test_who_may_import(bank: Bank) -> None:
    with pytest.raises(WrongRole):
        await bank.inbox.receive(AUDITOR, file_of([paid(5)]))


async def test_one_bad_statement_of_a_file_does_not_spoil_the_others(bank: Bank) -> None:
    def balances(closing: str) -> str:
        parts = (("OPBD", "10.00", "2026-03-01"), ("CLBD", closing, "2026-03-02"))
        return "".join(
            f"<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp><Amt Ccy='EUR'>{amount}</Amt>"
            f"<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>"
            for kind, amount, day in parts
        )

    body = document(namespace("08"), stmt(balances("10.00")), stmt(balances("11.00"), number="2"))
    told = (await bank.inbox.receive(CLERK, body)).statements
    assert [one["state"] for one in told] == ["imported", "quarantined"]


async def test_a_missing_statement_is_warned_of(bank: Bank) -> None:
    await bank.send(paid(5, reference="1"), opening=1_000)
    later = {"number": "3", "days": ("2026-03-04", "2026-03-04")}
    await bank.send(paid(7, reference="2", booked_on="2026-03-04"), opening=1_050, **later)
    (warning,) = (await bank.books.money_audit.verify()).warnings
    assert warning == "bank statement 2 begins on 2026-03-04 with 10.50 EUR: no statement before it ends so"
    between = {"number": "2", "days": ("2026-03-03", "2026-03-03")}
    await bank.send(paid(45, reference="3", booked_on="2026-03-03"), opening=1_005, **between)
    assert not (await bank.books.money_audit.verify()).warnings
    await bank.is_sound()


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("UPDATE bank_entries SET amount_minor = amount_minor + 1", "bank statement 1: closing balance"),
        ("DELETE FROM bank_statement_entries", "bank statement 1: number of entries"),
        ("UPDATE bank_allocations SET applied_minor = 1", "bank entry 1 (booked): booked amount"),
        ("UPDATE bank_entries SET state = 'ignored', reason = ''", "bank entry 1: reason why nothing is booked"),
        ("UPDATE ledger_entries SET reference = 'x'", "part bank:1:1: number of bookings in the ledger is 0"),
        ("UPDATE bank_allocations SET state = 'refused'", "booking bank:1:1 on invoice 2026-000001: part of a bank"),
        ("UPDATE ledger_entries SET unapplied_minor = 3", "part bank:1:1: amount in the ledger"),
    ],
)
async def test_the_audit_finds_what_was_changed_by_hand(bank: Bank, change: str, found: str) -> None:
    await bank.send(paid(119_000, await bank.deals.add("D-1")))
    await bank.is_sound()
    await bank.database.write(lambda connection: connection.execute(text(change)))
    differences = [str(one) for one in (await MoneyAudit(bank.database).verify()).differences]
    assert any(one.startswith(found) for one in differences), differences


def test_accounts_have_one_name() -> None:
    iban = "DE89370400440532013000"
    assert german_iban("37040044", "532013000") == iban
    assert account_name("37040044/0532013000", ()) == iban
    assert account_name("DE89 3704 0044 0532 0130 00", ()) == iban
    assert account_name("0532013000", [iban]) == iban
    assert account_name(iban, ["0532013000"]) == "0532013000"
    assert account_name("0532013000", [iban, german_iban("50010517", "0532013000")]) == "0532013000"
    assert account_name("013000", [iban]) == "013000"


async def test_processes_that_import_at_once_agree_who_brought_an_entry(database: Database, database_url: str) -> None:
    work = [("08", 0, 200), ("mt940", 100, 300), ("02", 0, 300), ("04", 50, 250)]
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        loop = asyncio.get_running_loop()
        done = await asyncio.gather(*(loop.run_in_executor(pool, import_file, database_url, *one) for one in work))
    assert [sum(one) for one in done] == [200, 200, 300, 200]
    assert sum(new for new, _ in done) == 300
    rows = await database.rows(select(table_of(BankFileRow)))
    assert len(rows) == 4
    count = await database.look(lambda connection: connection.scalar(text("SELECT count(*) FROM bank_entries")))
    assert count == 300


def samples() -> list[Path]:
    return sorted(path for path in SAMPLES.glob("*/*") if path.suffix != ".xsd" and path.name != "LICENSE")


@pytest.mark.real_data
@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the folder shared/data/bank is absent")
async def test_every_real_file_twice_changes_nothing_the_second_time(bank: Bank) -> None:
    states: dict[str, int] = {}

    async def all_files() -> list[Any]:
        became: list[Any] = []
        for path in samples():
            try:
                done = await bank.inbox.receive(CLERK, path.read_bytes(), path.name)
            except UnreadableFile as refused:
                became.append((path.name, refused.code))
            else:
                became += [(path.name, one["id"], one["state"]) for one in done.statements]
                for one in done.statements:
                    states[one["state"]] = states.get(one["state"], 0) + 1
        return became

    first, entries = await all_files(), await bank.entries()
    assert states["imported"] >= 40
    assert states["quarantined"] >= 5
    assert len(entries) > 30
    assert {row["state"] for row in entries} <= {"waiting", "ignored"}
    assert all(row["reason"] for row in entries)
    assert (await all_files(), await bank.entries()) == (first, entries)
    await bank.is_sound()
    assert (await AuditStore(bank.database).verify()).problems == []
