"""A published day of a wholesaler, line by line on the real engine: every unit ends where the file says it must."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from cli.imports.order_setup import demand
from cli.imports.orders import read_orders
from tests.cli.command import ROOT, Ran, dealwright, in_process
from tests.cli.order_reckoning import demand_of, good_rows, orders_in, reckon
from tests.cli.test_order_files import shown, told_by

REAL_ORDERS = ROOT.parent / "shared" / "data" / "order_lines" / "online_retail_2011-01-18.csv"

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not REAL_ORDERS.is_file(), reason="the file shared/data/order_lines/online_retail is absent"),
]

FEW = 5


def test_every_line_is_accounted_for() -> None:
    file = read_orders(REAL_ORDERS)
    report = file.report
    lines = sum(1 for line in REAL_ORDERS.read_text(encoding="utf-8-sig").splitlines()[1:] if line.strip())
    assert lines == report.rows == report.imported + report.repaired + report.refused
    ordered = Counter(line for order in file.orders for item in order.items for line in item.lines)
    returned = Counter(back.line for back in file.returns)
    refused = {found.line for found in report.findings if found.outcome == "refused"}
    assert set(ordered) | set(returned) | refused == set(range(2, lines + 2))
    assert (ordered.total() + returned.total() + len(refused), max(ordered.values())) == (lines, 1)
    assert all(found.reason for found in report.findings)


def test_the_demand_is_that_of_the_file() -> None:
    file, own = read_orders(REAL_ORDERS), orders_in(REAL_ORDERS)
    assert demand(file.orders) == demand_of(own)
    sold = {row["line"]: row["Quantity"] for row in good_rows(REAL_ORDERS) if row["Quantity"] > 0}
    assert demand(file.orders).total() == sum(sold.values())
    assert [order.invoice for order in file.orders] == [order.invoice for order in own]


@pytest.mark.systems
@pytest.mark.timeout(600)
def test_the_first_orders_end_as_reckoned(tmp_path: Path) -> None:
    check(tmp_path, dealwright(*drive(tmp_path), "--limit", FEW, timeout=500), FEW)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_the_whole_day_ends_as_reckoned(tmp_path: Path) -> None:
    check(tmp_path, dealwright(*drive(tmp_path), timeout=1700), 0)


def drive(folder: Path) -> tuple[object, ...]:
    return ("--data", folder, "import", "orders", REAL_ORDERS, "--drive", "--allow-refused", "-o", "json")


def check(folder: Path, ran: Ran, limit: int) -> None:
    """Deals, sums and stock against what the rows come to without any of our code."""
    assert ran.code == 0, ran.err + ran.out[-3000:]
    told = ran.json
    assert (told["balanced"], told["problems"]) == (True, [])
    orders, received = reckon(REAL_ORDERS, 80, limit)
    assert told["orders"] == len(orders)
    assert shown(told) == {order.invoice: told_by(order.lines) for order in orders}
    every = [line for order in orders for line in order.lines]
    ordered = Counter[str]()
    for line in every:
        ordered[line.article] += 0 if line.replaces else line.ordered
    assert {article: units["ordered"] for article, units in told["articles"].items() if units["ordered"]} == +ordered
    stock: dict[str, Any] = told["stock"]
    assert stock["received"] == received.total()
    assert stock["shipped"] == sum(line.shipped + line.returned for line in every)
    assert stock["returned"] == sum(line.returned for line in every)
    assert stock["opening"] + stock["received"] + stock["returned"] - stock["shipped"] == stock["on_hand"]
    assert in_process("--data", folder, "stock", "verify").code == 0
    assert in_process("--data", folder, "audit", "verify").code == 0
