"""Invoice files, hostile ones too: every row is read or refused with its reason; an account's steps; going on after
Ctrl-C without doubling anything."""

import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from cli.exits import CommandFailed
from cli.imports.receivable_steps import AccountWay, Deed, deeds, next_step
from cli.imports.receivables import OldAccount, OldInvoice, ReceivableFile, read_receivables
from cli.imports.steps import Act, Done, Forward
from infra.system_state import running_system
from models.parts.receivable import Dispute
from tests.cli.command import ROOT, command, dealwright, environment, in_process
from tests.models.deals import deal_in
from tests.models.money_samples import OWED

HEADER = (
    "countryCode,customerID,PaperlessDate,invoiceNumber,InvoiceDate,DueDate,InvoiceAmount,Disputed,SettledDate,"
    "PaperlessBill,DaysToSettle,DaysLate"
)
GOOD = "406,9322-YCTQO,4/6/2012,0009888306,2/10/2013,3/12/2013,105.92,No,3/17/2013,Electronic,35,5"
OTHER = "818,5148-SYKLB,8/28/2013,0018104516,1/27/2012,2/26/2012,94,Yes,2/22/2012,Paper,26,0"


def written(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "invoices.csv"
    path.write_text("\n".join((HEADER, *rows)) + "\n", encoding="utf-8")
    return path


def read(tmp_path: Path, *rows: str) -> ReceivableFile:
    file = read_receivables(written(tmp_path, *rows))
    report = file.report
    assert report.rows == len(rows) == report.imported + report.repaired + report.refused
    good = {owed.line for account in file.accounts for owed in account.invoices}
    refused = {found.line for found in report.findings if found.outcome == "refused"}
    assert good | refused == set(range(2, len(rows) + 2))
    assert not good & refused
    return file


def with_cell(column: str, value: str, row: str = GOOD) -> str:
    cells = row.split(",")
    cells[HEADER.split(",").index(column)] = value
    return ",".join(cells)


def test_good_rows_become_accounts(tmp_path: Path) -> None:
    file = read(tmp_path, GOOD, OTHER)
    first, second = file.accounts
    assert (first.customer, second.customer, second.ref) == ("5148-SYKLB", "9322-YCTQO", "receivables:9322-YCTQO")
    assert second.invoices == (
        OldInvoice(2, "0009888306", 10_592, date(2013, 2, 10), date(2013, 3, 12), False, date(2013, 3, 17)),
    )
    assert first.invoices[0].disputed
    assert file.countries == {"9322-YCTQO": "", "5148-SYKLB": ""}, "numbers are no countries that we know"


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("customerID", "", "customerid is missing"),
        ("invoiceNumber", "", "invoicenumber is missing"),
        ("invoiceNumber", "2026-000123", "one of our own series"),
        ("invoiceNumber", "x" * 41, "1 to 40 characters"),
        ("InvoiceDate", "", "InvoiceDate is missing"),
        ("InvoiceDate", "2/30/2013", "no date that exists"),
        ("DueDate", "", "DueDate is missing"),
        ("DueDate", "2/9/2013", "due_on is before issued_on"),
        ("InvoiceAmount", "", "invoiceamount is missing"),
        ("InvoiceAmount", "-1.00", "negative"),
        ("InvoiceAmount", "0", "amount_minor"),
        ("InvoiceAmount", "1.005", "more than 2 decimals"),
        ("Disputed", "maybe", "neither yes nor no"),
        ("SettledDate", "2/9/2013", "paid before it was asked for"),
        ("SettledDate", "soon", "no date that exists"),
    ],
)
def test_a_bad_row_is_refused_with_its_reason_and_costs_no_other(
    tmp_path: Path, column: str, value: str, reason: str
) -> None:
    file = read(tmp_path, with_cell(column, value), OTHER)
    (found,) = file.report.findings
    assert (found.line, found.outcome) == (2, "refused")
    assert reason in found.reason
    assert [account.customer for account in file.accounts] == ["5148-SYKLB"]


def test_an_invoice_stands_once(tmp_path: Path) -> None:
    file = read(tmp_path, GOOD, with_cell("customerID", "other"))
    assert [(f.line, f.reason) for f in file.report.findings] == [(3, "the invoice stands on line 2 already")]


def test_an_invoice_without_a_day_of_money_stays_open(tmp_path: Path) -> None:
    file = read(tmp_path, with_cell("SettledDate", ""))
    assert file.accounts[0].invoices[0].settled is None
    assert [found.outcome for found in file.report.findings] == ["remark"]


def test_a_file_without_a_column_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "invoices.csv"
    path.write_text("customerID,invoiceNumber\n1,2\n", encoding="utf-8")
    with pytest.raises(CommandFailed, match="has no column"):
        read_receivables(path)


SETTLED = OldInvoice(2, "R-1", 10_000, date(2026, 1, 5), date(2026, 2, 4), True, date(2026, 2, 20))


def days_of(owed: OldInvoice) -> list[tuple[str, Deed]]:
    return [(due.on.isoformat(), due.deed) for due in deeds(OldAccount("c", (owed,)))]


def test_a_dispute_begins_when_the_money_is_due_and_is_answered_in_a_week_or_with_the_money() -> None:
    assert days_of(SETTLED) == [
        ("2026-01-05", Deed.BRING),
        ("2026-02-04", Deed.DISPUTE),
        ("2026-02-11", Deed.REJECT),
        ("2026-02-20", Deed.PAY),
    ]
    soon = [(day, deed) for day, deed in days_of(replace(SETTLED, settled=date(2026, 2, 11))) if deed > Deed.DISPUTE]
    assert soon == [("2026-02-11", Deed.REJECT), ("2026-02-11", Deed.PAY)]
    early = days_of(replace(SETTLED, settled=date(2026, 1, 9)))
    assert [day for day, _ in early] == ["2026-01-05", "2026-01-09", "2026-01-09", "2026-01-09"]
    assert [deed for _, deed in days_of(replace(SETTLED, disputed=False, settled=None))] == [Deed.BRING]


def test_steps_follow_from_the_deal() -> None:
    account = OldAccount("c", (SETTLED,))
    supporting = replace(deal_in("supporting"), is_account=True, receivables=())

    def step(deal: object, now: str = "2026-02-04T12:00:00Z", account: OldAccount = account) -> object:
        return next_step(AccountWay(account, deal, now, 0, date(2026, 3, 31), "clerk"))  # type: ignore[arg-type]

    def action(deal: object, now: str = "2026-03-01T00:00:00Z") -> str:
        found = step(deal, now)
        assert isinstance(found, Act)
        return found.action

    open_one = replace(OWED, disputes=())
    raised = Dispute(1, 10_000, "late", "2026-02-04T12:00:00Z")
    assert action(deal_in("identified")) == "take_over_account"
    assert action(supporting) == "bring_invoice"
    assert step(supporting, "2026-01-05T11:00:00Z") == Forward(3_600)
    assert action(replace(supporting, receivables=(open_one,))) == "dispute"
    assert action(replace(supporting, receivables=(replace(open_one, disputes=(raised,)),))) == "settle_dispute"
    answered = replace(open_one, disputes=(replace(raised, settled=True),))
    assert action(replace(supporting, receivables=(answered,))) == "record_payment"
    assert step(replace(supporting, receivables=(answered,)), "2026-02-20T11:59:59Z") == Forward(1)
    paid = replace(answered, paid_minor=10_000, state="paid")
    assert action(replace(supporting, receivables=(paid,))) == "complete"
    assert step(replace(supporting, state="completed", receivables=(paid,))) == Done(True)
    assert step(replace(supporting, state="completed")) == Done(False)
    stays_open = OldAccount("c", (replace(SETTLED, disputed=False, settled=None),))
    watched = replace(supporting, receivables=(open_one,))
    assert isinstance(step(watched, "2026-02-04T12:00:00Z", stays_open), Forward)
    assert step(watched, "2026-03-31T12:00:00Z", stays_open) == Done(True)


@pytest.mark.systems
@pytest.mark.timeout(400)
def test_an_interrupted_import_goes_on_without_doubling(tmp_path: Path) -> None:
    """Ctrl-C in the middle, then the whole again, then once more; one invoice stays open, one row is refused."""
    rows = [
        with_cell("invoiceNumber", f"N-{number}", with_cell("customerID", f"C-{number % 3}", row))
        for number, row in enumerate([GOOD, OTHER] * 3)
    ]
    path = written(tmp_path, *rows, with_cell("SettledDate", ""), with_cell("InvoiceAmount", "-1"))
    folder = tmp_path / "data"
    arguments = ("--data", folder, "import", "receivables", path, "--drive", "--allow-refused", "-o", "json")
    first = subprocess.Popen(
        command(*arguments), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment(), cwd=ROOT
    )
    give_up_at = time.monotonic() + 100
    while brought(folder) < 2 and time.monotonic() < give_up_at:
        time.sleep(0.05)
    first.send_signal(signal.SIGINT)
    _, complaints = first.communicate(timeout=60)
    assert (first.returncode, "Traceback" in complaints) == (130, False), complaints
    assert running_system(folder) is None

    second = dealwright(*arguments, timeout=350)
    assert second.code == 0, second.err + second.out[-3000:]
    told = second.json
    assert (told["invoices"], told["problems"], told["files"][0]["refused"]) == (7, [], 1)
    assert (told["open_minor"], told["disputes"]) == (10_592, 3)
    states = {each["customer"]: each["state"] for each in told["accounts"]}
    assert states == {"9322-YCTQO": "supporting", "C-0": "completed", "C-1": "completed", "C-2": "completed"}

    third = dealwright(*arguments, timeout=200).json
    assert (third["opened"], third["found"]) == (0, 4)
    assert [third[name] for name in ("moves", "letters")] == [told[name] for name in ("moves", "letters")]
    other = dealwright(*arguments, "--shift-weeks", told["shift_weeks"] + 1)
    assert (other.code, "shifted the days by" in other.err) == (2, True)
    for check in (("audit", "verify"), ("audit", "rebuild", "--check")):
        assert in_process("--data", folder, *check).code == 0, check


def brought(folder: Path) -> int:
    """How many invoices of a folder stand in the books by now, paid or not."""
    file = folder / "dealwright.db"
    if not file.exists():
        return 0
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=5)) as books:
        try:
            return int(books.execute("SELECT count(*) FROM invoices").fetchone()[0])
        except sqlite3.OperationalError:
            return 0  # its tables are not there yet


@pytest.mark.systems
def test_a_shift_into_the_past_is_refused(tmp_path: Path) -> None:
    done = dealwright("--data", tmp_path / "d", "import", "receivables", written(tmp_path, GOOD), "--drive",
                      "--shift-weeks", 1)  # fmt: skip
    assert (done.code, "test clocks run forwards only" in done.err) == (2, True)


def test_without_drive_nothing_is_changed(tmp_path: Path) -> None:
    done = in_process("--data", tmp_path / "d", "import", "receivables", written(tmp_path, GOOD, OTHER), "-o", "json")
    assert (done.code, done.json["invoices"], done.json["disputed"]) == (0, 2, 1)
    assert done.json["invoiced_minor"] == 19_992
    assert not (tmp_path / "d" / "dealwright.db").exists()
