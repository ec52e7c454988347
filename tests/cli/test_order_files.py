"""Order files, hostile ones too: every row is ordered, returned or refused; driven, every unit ends where it should."""

import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from cli.exits import CommandFailed, ExitCode
from cli.imports.order_setup import customers_of, demand, opening_stock
from cli.imports.order_steps import Turn, turn_of
from cli.imports.orders import GivenBack, OrderFile, read_orders
from infra.system_state import running_system
from tests.cli.command import ROOT, command, dealwright, environment, in_process
from tests.cli.order_reckoning import Line, reckon

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
GOOD = "541425,84755,T-LIGHT HOLDER,144,2011-01-18 08:43:00,0.55,15513.0,United Kingdom"
OTHER = "541427,48187,DOORMAT,10,2011-01-18 08:46:00,6.75,17018.0,EIRE"


def written(tmp_path: Path, *rows: str, header: str = HEADER) -> Path:
    path = tmp_path / "orders.csv"
    path.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return path


def read(tmp_path: Path, *rows: str, header: str = HEADER) -> OrderFile:
    file = read_orders(written(tmp_path, *rows, header=header))
    report = file.report
    assert report.rows == len(rows) == report.imported + report.repaired + report.refused
    good = {line for order in file.orders for item in order.items for line in item.lines}
    good |= {back.line for back in file.returns}
    refused = {found.line for found in report.findings if found.outcome == "refused"}
    assert good | refused == set(range(2, len(rows) + 2))
    assert good & refused == set()
    return file


def test_a_clean_order(tmp_path: Path) -> None:
    file = read(tmp_path, OTHER, GOOD)
    first, second = file.orders
    assert (first.invoice, first.at, first.customer, first.ref) == (
        "541425", "2011-01-18T08:43:00", "15513", "orders:541425",
    )  # fmt: skip
    (item,) = first.items
    assert (item.number, item.turn, item.article, item.quantity, item.unit_price_minor) == (1, 0, "84755", 144, 55)
    assert (second.items[0].turn, second.items[0].unit_price_minor) == (1, 675)
    assert (file.report.imported, file.countries) == (2, {"15513": "GB", "17018": "IE"})
    assert customers_of(file) == {"15513": "customer-15513", "17018": "customer-17018"}


@pytest.mark.parametrize(
    "header",
    [HEADER.lower(), HEADER.upper(), ",".join(reversed(HEADER.split(",")))],
)
def test_columns_in_any_order_and_case(tmp_path: Path, header: str) -> None:
    cells = dict(zip(HEADER.lower().split(","), GOOD.split(","), strict=True))
    row = ",".join(cells[name] for name in header.lower().split(","))
    assert read(tmp_path, row, header=header).orders[0].items[0].quantity == 144


@pytest.mark.parametrize(
    ("header", "named"),
    [
        (HEADER.replace("InvoiceNo", "Invoice"), "invoiceno"),
        (HEADER.replace("UnitPrice", "Price"), "unitprice"),
        (HEADER.replace("CustomerID", "Customer ID"), "customerid"),
        (HEADER + ",Discount", "discount"),
        (HEADER + ",", "(no name)"),
    ],
)
def test_other_columns_are_refused(tmp_path: Path, header: str, named: str) -> None:
    with pytest.raises(CommandFailed) as failed:
        read_orders(written(tmp_path, GOOD + ",5", header=header))
    assert failed.value.code is ExitCode.BAD_DATA
    assert named in failed.value.message


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",1,X,1,2011-01-18 08:43:00,1,1,", "invoiceno is missing"),
        ("A563185,1,X,1,2011-01-18 08:43:00,1,1,", "neither a number nor a cancellation"),
        ("1,,X,1,2011-01-18 08:43:00,1,1,", "stockcode is missing"),
        ("1,M,Manual,1,2011-01-18 08:43:00,1,1,", "is a booking"),
        ("1,d,Discount,1,2011-01-18 08:43:00,1,1,", "is a booking"),
        ("1,BANK CHARGES,X,1,2011-01-18 08:43:00,15,1,", "is a booking"),
        ("1,POST,Postage,1,2011-01-18 08:43:00,0,1,", "UnitPrice is 0"),
        ("1,8475 5,X,1,2011-01-18 08:43:00,1,1,", "letters, digits"),
        ("1,84755,X,0,2011-01-18 08:43:00,1,1,", "Quantity is 0"),
        ("1,84755,X,1.5,2011-01-18 08:43:00,1,1,", "not a whole number"),
        ("1,84755,X,99999999,2011-01-18 08:43:00,1,1,", "not between"),
        ("1,84755,X,many,2011-01-18 08:43:00,1,1,", "not a whole number"),
        ("1,84755,X,1,2011-01-18 08:43:00,,1,", "unitprice is missing"),
        ("1,84755,X,1,2011-01-18 08:43:00,0.001,1,", "more than 2 decimals"),
        ("1,84755,X,1,2011-01-18 08:43:00,0.125,1,", "more than 2 decimals"),
        ("1,84755,X,1,2011-01-18 08:43:00,-1,1,", "negative"),
        ("1,84755,X,1,,1,1,", "invoicedate is missing"),
        ("1,84755,X,1,2011-02-30 08:43:00,1,1,", "no time such as"),
        ("1,84755,X,1,2011-01-18 08:43:00,1,Smith & Co,", "is no number"),
        ("541425,22690,X,1,2011-01-18 08:43:00,1,999,", "another customer"),
        ("C1,84755,X,1,2011-01-18 09:43:00,0.55,15513,", "cancellation of a positive quantity"),
        ("C1,84755,X,-145,2011-01-18 09:43:00,0.55,15513,", "no earlier order line"),
        ("C1,84755,X,-1,2011-01-18 08:42:00,0.55,15513,", "no earlier order line"),
        ("C1,84755,X,-1,2011-01-18 09:43:00,0.55,15514,", "no earlier order line"),
        ("C1,84755,X,-1,2011-01-18 09:43:00,0.55,,", "unknown customer"),
        ("541999,84755,X,-35,2011-01-18 09:43:00,0,,", "UnitPrice is 0"),
        ("1,84755,X,1,2011-01-18 08:43:00,1,1", "7 cells, the header 8"),
    ],
)
def test_what_is_no_order_is_refused_for_the_true_reason(tmp_path: Path, row: str, reason: str) -> None:
    file = read(tmp_path, GOOD, row, OTHER)
    assert (file.report.refused, len(file.orders), file.returns) == (1, 2, [])
    assert [(f.line, reason in f.reason) for f in file.report.findings if f.outcome == "refused"] == [(3, True)]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1,84755b,X,1,2011-01-18 08:43:00,1,1,", "read as 84755B"),
        ("1,84755,X,1,2011-01-18 08:43:00,1,,", "walk-in"),
        ("1,84755,X,1,2011-01-18 08:43:00,£1,1,", "read as 1"),
    ],
)
def test_what_can_be_repaired_is(tmp_path: Path, row: str, reason: str) -> None:
    report = read(tmp_path, GOOD, row).report
    assert (report.repaired, report.imported) == (1, 1)
    assert reason in report.findings[0].reason


@pytest.mark.parametrize("at", ["2011-01-18 08:43", "1/18/2011 8:43", "01/18/2011 08:43:00", "2011-01-18T08:43:00"])
def test_times_of_other_exports(tmp_path: Path, at: str) -> None:
    assert read(tmp_path, GOOD.replace("2011-01-18 08:43:00", at)).orders[0].at == "2011-01-18T08:43:00"


def test_rows_of_one_article_and_price_are_one_line(tmp_path: Path) -> None:
    cheaper = GOOD.replace("0.55", "0.50")
    file = read(tmp_path, GOOD, cheaper, GOOD, "541425,POST,POSTAGE,1,2011-01-18 08:44:00,18.0,15513,")
    assert [(item.number, item.article, item.quantity, item.unit_price_minor, item.lines)
            for item in file.orders[0].items] == [
        (1, "84755", 288, 55, (2, 4)), (2, "84755", 144, 50, (3,)), (3, "POST", 1, 1800, (5,)),
    ]  # fmt: skip
    assert [(f.line, f.reason) for f in file.report.findings] == [(4, "merged with line 2: same article and price")]


def test_returns_find_a_line_that_covers_them_once(tmp_path: Path) -> None:
    again = "541500,84755,X,20,2011-01-18 09:00:00,0.55,15513,"
    back = "C9,84755,X,-{},2011-01-18 10:00:00,0.55,15513.0,"
    file = read(tmp_path, GOOD, again, back.format(140), back.format(5), back.format(16))
    assert file.returns == [GivenBack(4, "C9", "541425", 1, 140), GivenBack(5, "C9", "541500", 1, 5)]
    assert [(found.line, found.outcome) for found in file.report.findings] == [(6, "refused")]


def test_an_order_of_too_many_lines_is_refused_whole(tmp_path: Path) -> None:
    lines = [f"7,{10_000 + n},X,1,2011-01-18 08:43:00,1,1," for n in range(501)]
    assert read(tmp_path, GOOD, *lines).report.refused == 501
    assert len(read(tmp_path, *lines[:500]).orders[0].items) == 500


def test_the_stock_covers_its_share_of_the_demand(tmp_path: Path) -> None:
    post = "541427,POST,POSTAGE,3,2011-01-18 08:46:00,18.0,17018.0,EIRE"
    file = read(tmp_path, GOOD, OTHER, post, OTHER.replace("541427", "541428"))
    assert demand(file.orders) == {"84755": 144, "48187": 20, "POST": 3}
    assert opening_stock(file.orders, 80) == {"84755": 115, "48187": 16, "POST": 3}
    assert opening_stock(file.orders[:2], 80) == {"84755": 115, "48187": 8, "POST": 3}
    assert set(opening_stock(file.orders, 0).values()) == {0, 3}


def test_variants_of_a_design_stand_in_for_each_other(tmp_path: Path) -> None:
    row = "1,{},X,1,2011-01-18 08:43:00,1,1,"
    file = read(tmp_path, *(row.format(code) for code in ("85123A", "85123B", "85123C", "85124A", "85123", "22B1")))
    assert file.analogues() == {"85123A": "85123B", "85123B": "85123C", "85123C": "85123A"}


def test_every_turn_comes() -> None:
    assert {turn_of(number) for number in range(25)} == set(Turn)
    assert [turn_of(number) for number in (0, 4, 24, 25, 49)] == [
        Turn.ANALOGUE, Turn.ANALOGUE, Turn.LADDER, Turn.RESTOCK, Turn.LADDER,
    ]  # fmt: skip


def a_day(tmp_path: Path) -> Path:
    """Five orders of all turns: goods run out, one finds a variant, some comes back; three rows are dirty."""
    row = "{},{},THING,{},2011-01-18 {}:00,1.25,{},France"
    rows = [row.format(1001, f"2{n:04}A", 4 + n, "08:10", 11) for n in range(12)]
    rows += [row.format(1002, f"2{n:04}{'AB'[n % 2]}", 3 + n, "08:20", 12) for n in range(15)]
    rows += [row.format(1003, "30000", 1, "08:30", "")]
    rows += [row.format(1004, "20000A", 9, "08:40", 11), row.format(1004, "POST", 1, "08:40", 11)]
    rows += [row.format(1010, "20000B", 40, "08:50", 12)]
    rows += [row.format("C1005", "20003A", -6, "09:40", 11), row.format("C1006", "20000A", -3, "09:41", 11)]
    rows += [row.format("C1007", "20005A", -2, "07:41", 11), row.format(1008, "M", 1, "09:50", 11), "1009,20000A"]
    return written(tmp_path, *rows)


def shown(told: Any) -> dict[str, list[tuple[Any, ...]]]:
    """Per invoice what a drive says of its lines."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    for line in told["lines"]:
        units = line["units"]
        wanted, cancelled = units["ordered"] + units["as_substitute"], units["cancelled"]
        sums = (wanted, units["shipped"], units["returned"], cancelled, units["substituted"])
        assert units["open"] == 0
        found.setdefault(line["invoice"], []).append((line["article"], line["replaces"], *sums))
    return found


def told_by(lines: list[Line]) -> list[tuple[Any, ...]]:
    return [(line.article, line.replaces, *line.units) for line in lines]


def drive(folder: Path, file: Path) -> tuple[object, ...]:
    return ("--data", folder, "import", "orders", file, "--drive", "--allow-refused", "-o", "json")


def assert_the_day_ended_right(folder: Path, file: Path, told: Any) -> None:
    """What the drive says, and what the books say afterwards, against the rows reckoned without our code."""
    assert (told["balanced"], told["problems"], told["orders"]) == (True, [], 5)
    orders, received = reckon(file)
    assert shown(told) == {order.invoice: told_by(order.lines) for order in orders}
    assert told["stock"]["received"] == received.total() > 0
    wanted = {"shipped", "part shipped, rest cancelled", "part shipped, rest substituted", "cancelled, out of stock",
              "returned", "part returned"}  # fmt: skip
    assert wanted == told["outcomes"].keys()
    assert [line["article"] for line in told["lines"] if line["replaces"]] == ["20000B"]
    back = [(row["cancellation"], row["invoice"], row["asked"], row["taken_back"]) for row in told["returns"]]
    assert back == [("C1005", "1001", 6, 5), ("C1006", "1001", 3, 3)]
    deals = in_process("--data", folder, "deal", "list", "-o", "json").json["deals"]
    assert sorted(deal["source_ref"] for deal in deals) == [f"orders:{n}" for n in (1001, 1002, 1003, 1004, 1010)]
    assert {deal["state"] for deal in deals} == {"completed", "cancelled"}
    for check in (("audit", "verify"), ("audit", "rebuild", "--check"), ("stock", "verify")):
        assert in_process("--data", folder, *check).code == 0, check


@pytest.mark.systems
def test_a_day_is_driven_to_its_end(tmp_path: Path) -> None:
    folder, file = tmp_path / "data", a_day(tmp_path)
    done = in_process(*drive(folder, file))
    assert done.code == 0, done.err + done.out[-3000:]
    assert (done.json["opened"], done.json["found"]) == (5, 0)
    assert_the_day_ended_right(folder, file, done.json)
    shown_again = in_process(*drive(folder, file)[:-2]).out
    assert "Every unit is accounted for." in shown_again
    assert "return C1005 (line" in shown_again


@pytest.mark.soak  # two whole drives; interrupted imports of other files are among the systems
@pytest.mark.timeout(700)
def test_a_day_is_driven_interrupted_and_resumed_to_the_same_end(tmp_path: Path) -> None:
    path = a_day(tmp_path)
    folder = tmp_path / "data"
    arguments = drive(folder, path)
    first = subprocess.Popen(
        command(*arguments), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment(), cwd=ROOT
    )
    give_up_at = time.monotonic() + 100
    while first.poll() is None and time.monotonic() < give_up_at and served_deals(folder) < 1:
        time.sleep(0.1)
    first.send_signal(signal.SIGINT)
    _, complaints = first.communicate(timeout=60)
    assert first.returncode == 130, complaints
    assert "Traceback" not in complaints
    assert running_system(folder) is None

    second = dealwright(*arguments, timeout=400)
    assert second.code == 0, second.err + second.out[-3000:]
    told = second.json
    assert told["found"] == 5
    assert_the_day_ended_right(folder, path, told)

    third = dealwright(*arguments, timeout=100).json
    assert (third["opened"], third["found"]) == (0, 5)
    assert {name: third[name] for name in ("lines", "stock", "articles", "returns")} == {
        name: told[name] for name in ("lines", "stock", "articles", "returns")
    }


def test_rows_are_judged_without_an_engine(tmp_path: Path) -> None:
    judged = in_process("--data", tmp_path / "data", "import", "orders", a_day(tmp_path), "-o", "json")
    assert judged.code == ExitCode.BAD_DATA
    assert (judged.json["orders"], judged.json["returns"], judged.json["files"][0]["refused"]) == (5, 2, 3)
    assert not (tmp_path / "data" / "dealwright.db").exists()
    wrong = in_process("--data", tmp_path / "data", "import", "orders", written(tmp_path, "1", header="a"))
    assert wrong.code == ExitCode.BAD_DATA
    assert "has no column" in wrong.err


def served_deals(folder: Path) -> int:
    """How many deals have begun to be served, so that an interruption comes in the middle."""
    file = folder / "dealwright.db"
    if not file.exists():
        return 0
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as books:
        try:
            query = "SELECT count(DISTINCT deal_id) FROM timeline WHERE action = 'deliver'"
            return int(books.execute(query).fetchone()[0])
        except sqlite3.OperationalError:  # the tables are being made
            return 0
