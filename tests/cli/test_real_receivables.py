"""Published invoices on the real engine, each in its own days: letters, days late and ageing are as the rows say."""

from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.imports.receivables import read_receivables
from tests.cli.command import ROOT, Ran, dealwright, in_process
from tests.cli.receivable_reckoning import (
    BUCKETS,
    Bill,
    Owed,
    ageing,
    bills_in,
    days_late,
    letters_of,
    month_ends,
)

REAL_INVOICES = ROOT.parent / "shared" / "data" / "receivables" / "invoices.csv"

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not REAL_INVOICES.is_file(), reason="the file shared/data/receivables/invoices.csv is absent"),
]

FEW = 2
MONTH_ENDS = 3


def test_every_row_is_accounted_for() -> None:
    file, bills = read_receivables(REAL_INVOICES), bills_in(REAL_INVOICES)
    report = file.report
    assert report.rows == report.imported + report.repaired + report.refused == len(bills)
    read = [owed for account in file.accounts for owed in account.invoices]
    refused = {found.line for found in report.findings if found.outcome == "refused"}
    assert {owed.line for owed in read} | refused == set(range(2, len(bills) + 2))
    assert sum(owed.amount_minor for owed in read) == sum(bill.cents for bill in bills)
    assert sum(owed.disputed for owed in read) == sum(bill.raised is not None for bill in bills)
    assert {account.customer for account in file.accounts} == {bill.customer for bill in bills}


@pytest.mark.systems
@pytest.mark.timeout(600)
def test_the_first_customers_pay_as_reckoned(tmp_path: Path) -> None:
    check(tmp_path, dealwright(*drive(tmp_path), "--customers", FEW, timeout=500), bills_in(REAL_INVOICES, FEW))


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_all_customers_pay_as_reckoned(tmp_path: Path) -> None:
    check(tmp_path, dealwright(*drive(tmp_path), timeout=3500), bills_in(REAL_INVOICES))
    again = dealwright(*drive(tmp_path), timeout=300).json
    assert (again["opened"], again["found"]) == (0, len({bill.customer for bill in bills_in(REAL_INVOICES)}))


def drive(folder: Path) -> tuple[object, ...]:
    return ("--data", folder, "import", "receivables", REAL_INVOICES, "--drive", "-o", "json")


def check(folder: Path, ran: Ran, bills: list[Bill]) -> None:
    """Money, letters, days late and ageing against what the rows come to without any of our code."""
    assert ran.code == 0, ran.err + ran.out[-3000:]
    told = ran.json
    check_money(told, bills)
    check_letters(told, bills)
    check_days_late(folder, told, bills)
    check_ageing(folder, told, bills)
    assert in_process("--data", folder, "audit", "verify").code == 0


def check_money(told: dict[str, Any], bills: list[Bill]) -> None:
    total = sum(bill.cents for bill in bills)
    assert (told["invoices"], told["invoiced_minor"], told["paid_minor"]) == (len(bills), total, total)
    assert (told["open_minor"], told["problems"]) == (0, [])
    assert told["disputes"] == sum(bill.raised is not None for bill in bills)
    assert Counter(bill.customer for bill in bills) == {a["customer"]: a["invoices"] for a in told["accounts"]}


def check_letters(told: dict[str, Any], bills: list[Bill]) -> None:
    expected = letters_of(bills)
    assert {each["customer"]: each["letters"] for each in told["accounts"]} == expected
    assert told["letters"] == sum(expected.values(), Counter[str]())


def check_days_late(folder: Path, told: dict[str, Any], bills: list[Bill]) -> None:
    last = max(bill.settled for bill in bills) + timedelta(weeks=told["shift_weeks"])
    shown = in_process("--data", folder, *reports("lateness"), "--as-of", last).json
    found = {each["customer"]: (each["invoices"], *averages(each)) for each in shown["customers"]}
    assert found == days_late(bills)
    of_import = {each["customer"]: (each["average_days_late"], each["median_days_late"]) for each in told["accounts"]}
    assert of_import == {customer: (mean, middle) for customer, (_, mean, middle) in found.items()}


def averages(each: dict[str, Any]) -> tuple[int, int]:
    return each["average_days"], each["median_days"]


def check_ageing(folder: Path, told: dict[str, Any], bills: list[Bill]) -> None:
    """At three ends of months, in all buckets, the disputed part apart: per customer and together."""
    shift = timedelta(weeks=told["shift_weeks"])
    ends = month_ends(bills, told["shift_weeks"], MONTH_ENDS)
    assert len(set(ends)) == MONTH_ENDS
    for day in ends:
        shown = in_process("--data", folder, *reports("ageing"), "--as-of", day).json
        found = {each.get("customer", ""): each for each in (*shown["customers"], *shown["totals"])}
        expected = ageing(bills, day - shift)
        assert set(found) == set(expected), day
        for customer, owed in expected.items():
            compare(found[customer], owed)


def compare(found: dict[str, Any], owed: Owed) -> None:
    assert found["invoices"] == owed.invoices
    assert [bucket["name"] for bucket in found["buckets"]] == list(BUCKETS)
    for bucket in found["buckets"]:
        assert bucket["open"]["amount_minor"] == owed.buckets[bucket["name"]], bucket
        assert bucket["disputed"]["amount_minor"] == owed.disputed[bucket["name"]], bucket


def reports(name: str) -> tuple[object, ...]:
    return ("-o", "json", "reports", name, "--test-deals", "--limit", 10_000)
