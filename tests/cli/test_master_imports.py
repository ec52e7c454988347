"""Customers, products, stock and users: strict rows, and importing again changes nothing."""

from pathlib import Path

import pytest

from cli.balances import stock_levels
from cli.imports.customers import all_cards, import_customers
from cli.imports.examples import EXAMPLES, import_examples
from cli.imports.products import all_articles, import_products
from cli.imports.report import Report
from cli.imports.stock import import_stock
from cli.imports.users import import_users
from infra.db import Database
from infra.gateways.stock_reading import StockReader
from infra.privacy.vault import Vault
from infra.stores.articles import ArticleStore
from infra.stores.customers import CustomerStore
from infra.stores.people import PeopleStore, Person
from tests.cli.command import in_process

AT, LATER = "2026-11-21T08:00:00Z", "2026-12-21T08:00:00Z"
OWNERS = frozenset({"anna"})


def written(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "file.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def reasons(report: Report, outcome: str = "refused") -> dict[int, str]:
    assert report.rows == report.imported + report.repaired + report.refused
    return {found.line: found.reason for found in report.findings if found.outcome == outcome}


async def test_the_examples_are_clean_and_repeatable(database: Database, tmp_path: Path) -> None:
    first = await import_examples(database, AT, Vault(tmp_path))
    assert [(report.refused, report.repaired) for report in first] == [(0, 0)] * 4
    assert [report.rows for report in first] > [20, 20, 20, 20]
    standing = [await all_cards(CustomerStore(database, Vault(tmp_path))), await all_articles(ArticleStore(database))]
    levels = await stock_levels(database)
    second = await import_examples(database, LATER, Vault(tmp_path))
    assert [report.unchanged for report in second] == [report.rows for report in second]
    cards = await all_cards(CustomerStore(database, Vault(tmp_path)))
    assert [cards, await all_articles(ArticleStore(database))] == standing
    assert await stock_levels(database) == levels
    assert await StockReader(database).verify() == []


def test_the_examples_fill_a_folder_in_one_go(tmp_path: Path) -> None:
    mine = tmp_path / "csv"
    mine.mkdir()
    (mine / "users.csv").write_text("my own", encoding="utf-8")
    done = in_process("--data", tmp_path, "import", "examples", "--files", mine)
    assert (done.code, "next: dealwright deal new" in done.out, "4 files copied" in done.out) == (0, True, True), done
    again = in_process("--data", tmp_path, "import", "examples", "--files", mine)
    assert (again.code, "nothing changed" in again.out, "0 files copied" in again.out) == (0, True, True), again
    assert {file.name: file.read_bytes() == (EXAMPLES / file.name).read_bytes() for file in mine.iterdir()} == {
        "users.csv": False, "customers.csv": True, "products.csv": True, "stock.csv": True, "opportunities.csv": True,
    }  # fmt: skip
    counts = in_process("--data", tmp_path, "import", "examples", "-o", "json").json["imports"]
    assert all(count["rows"] == count["imported"] == count["unchanged"] > 20 for count in counts)
    assert [Path(count["source"]).stem for count in counts] == ["users", "products", "stock", "customers"]
    read = in_process("--data", tmp_path, "import", "opportunities", EXAMPLES / "opportunities.csv")
    assert read.code == 0, read.err
    assert "rows could be driven; nothing was changed. Add --drive." in read.out
    assert in_process("--data", tmp_path, "deal", "list", "-o", "json").json["deals"] == []


def test_customers_without_their_owners_are_told_the_order(tmp_path: Path) -> None:
    early = in_process("--data", tmp_path, "import", "customers", EXAMPLES / "customers.csv")
    assert (early.code, early.out.count("is no user: left without an owner; import users, then this file again")) == (
        0,
        8,
    )
    assert in_process("--data", tmp_path, "import", "users", EXAMPLES / "users.csv").code == 0
    late = in_process("--data", tmp_path, "import", "customers", EXAMPLES / "customers.csv", "-o", "json").json
    assert (late["rows"], late["imported"], late["repaired"], late["unchanged"]) == (27, 27, 0, 0)


async def test_a_receipt_that_stands_is_unchanged(database: Database, tmp_path: Path) -> None:
    await import_products(database, written(tmp_path, "id,description,price_eur", "P,Pump,10"))
    columns = "article,warehouse,quantity,reference,expected_on"
    file = written(tmp_path, columns, "P,central,3,DN-1,", "P,central,4,PO-1,+10d", "P,central,5,,2027-01-04")
    assert (await import_stock(database, file, AT)).unchanged == 0
    assert (await import_stock(database, file, LATER)).unchanged == 3


async def test_customers_are_taken_strictly(database: Database, tmp_path: Path) -> None:
    file = written(
        tmp_path,
        "id,name,currency,country,owner,language,founded_on,blocked,vat_id,ebit",
        "good,Good GmbH,EUR,DE,anna,de,1999-01-01,,,",
        "typo,Typo Ltd,eur,Germny,nobody,DE,,yes,,",
        ",Nameless,EUR,,,,,,,",
        "bare,,EUR,,,,,,,",
        "money,Money,Euros,,,,,,,",
        "far,Far,EUR,Atlantis,,,,,,",
        "late,Late,EUR,,,,31.12.1999,,,",
        "odd,Odd,EUR,,,,,perhaps,,",
        "half,Half,EUR,,,,,,,12.5",
        "good,Good again,EUR,,,,,,,",
        "klingon,Klingon,EUR,,,tlh,,,,",
        "vat,Wrong number,EUR,DE,,,,,DE123456789,",
    )
    report = await import_customers(database, file, AT, OWNERS, Vault(tmp_path))
    refused = reasons(report)
    assert sorted(refused) == [4, 5, 6, 7, 8, 9, 10, 11, 12]
    assert "line 2 already" in refused[11]
    assert (report.imported, report.repaired) == (2, 1)
    cards = await all_cards(CustomerStore(database, Vault(tmp_path)))
    assert set(cards) == {"good", "typo", "vat"}
    assert (cards["typo"]["country"], cards["typo"]["owner"], cards["typo"]["blocked"]) == ("DE", "", True)
    assert list(reasons(report, "remark")) == [13]


async def test_a_changed_card_is_brought_up_to_date(database: Database, tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    await import_customers(database, written(tmp_path, "id,name,currency", "a,A,EUR", "b,B,EUR"), AT, OWNERS, vault)
    report = await import_customers(
        database, written(tmp_path, "id,name,currency", "a,A2,EUR", "b,B,EUR"), LATER, OWNERS, vault
    )
    assert report.unchanged == 1
    cards = await all_cards(CustomerStore(database, Vault(tmp_path)))
    assert (cards["a"]["name"], cards["a"]["updated_at"], cards["b"]["updated_at"]) == ("A2", LATER, AT)


async def test_products_are_taken_strictly(database: Database, tmp_path: Path) -> None:
    file = written(
        tmp_path,
        "id,description,tax_percent,analogue,price_eur,cost_eur,price_usd",
        "P-1,Pump,19,P-2,100.00,60,",
        "P-2,Pump 2,7.7,nowhere,100,160,110",
        "P-3,Pump 3,101,,1,,",
        "P-4,Pump 4,,,-1,,",
        "P-5,Pump 5,,,NaN,,",
        "P-1,Pump again,,,1,,",
        "P-7,,,,1,,",
        "P-8,No price,,,,,",
    )
    report = await import_products(database, file)
    assert sorted(reasons(report)) == [4, 5, 6, 7, 8]
    assert sorted(reasons(report, "repaired")) == [3]
    assert sorted(reasons(report, "remark")) == [3, 9]
    articles = await all_articles(ArticleStore(database))
    assert articles["P-1"]["tax_bps"] == 1900
    assert articles["P-2"]["tax_bps"] == 770
    assert [(p["currency"], p["list_price_minor"]) for p in articles["P-2"]["prices"]] == [
        ("EUR", 10_000),
        ("USD", 11_000),
    ]


@pytest.fixture
async def articles(database: Database, tmp_path: Path) -> None:
    await import_products(database, written(tmp_path, "id,description,price_eur", "P-1,Pump,100", "P-2,Pump 2,100"))


@pytest.mark.usefixtures("articles")
async def test_stock_is_entered_once(database: Database, tmp_path: Path) -> None:
    file = written(
        tmp_path,
        "article,warehouse,warehouse_kind,quantity,reference,expected_on",
        "P-1,berlin,branch,5,,",
        "P-1,berlin,,7,DN-1,",
        "P-2,berlin,,9,PO-1,+14d",
        "P-2,berlin,,9,PO-2,2027-02-30",
        "P-9,berlin,,5,,",
        "P-2,berlin,,0,,",
        "P-2,berlin,,1.5,,",
        "P-2,berlin,,-3,,",
        "P-2,attic,loft,3,,",
    )
    report = await import_stock(database, file, AT)
    assert sorted(reasons(report)) == [5, 6, 7, 8, 9, 10]
    assert await stock_levels(database) == [{"article": "P-1", "warehouse": "berlin", "on_hand": 12, "reserved": 0}]
    assert [row["expected_on"] for row in await StockReader(database).expected("P-2")] == ["2026-12-05"]
    await import_stock(database, file, LATER)
    assert (await stock_levels(database))[0]["on_hand"] == 12
    assert len(await StockReader(database).expected("P-2")) == 1
    other = await import_stock(database, written(tmp_path, "article,warehouse,quantity", "P-1,berlin,6"), LATER)
    assert "is 5 already" in reasons(other)[2]


@pytest.mark.usefixtures("articles")
async def test_a_warehouse_gets_its_country_and_keeps_its_name(database: Database, tmp_path: Path) -> None:
    head = "article,warehouse,warehouse_name,warehouse_kind,country,quantity,reference"
    first = written(tmp_path, head, "P-1,berlin,Branch Berlin,branch,,5,", "P-1,rome,Rome,,Italy,5,")
    assert reasons(await import_stock(database, first, AT), "repaired") == {3: "country 'Italy' read as IT"}
    second = written(tmp_path, head, "P-1,berlin,,,DE,7,DN-1", "P-1,berlin,,,,7,DN-2", "P-1,berlin,,,Atlantis,7,DN-3")
    assert list(reasons(await import_stock(database, second, LATER))) == [4]
    assert await StockReader(database).warehouses() == [
        {"id": "berlin", "name": "Branch Berlin", "kind": "branch", "country": "DE"},
        {"id": "rome", "name": "Rome", "kind": "central", "country": "IT"},
    ]


async def test_what_stands_twice_in_a_file_or_is_too_long_is_refused(database: Database, tmp_path: Path) -> None:
    file = written(tmp_path, "id,name,roles", "a,A,legal", "a,B,admin", f"c,{'C' * 301},legal")
    report = await import_users(database, file, AT)
    assert reasons(report) == {
        3: "the id stands on line 2 already", 4: "name is longer than 300 characters",
    }  # fmt: skip
    assert (await PeopleStore(database).get("a")) == Person("a", "A", ("legal",))


async def test_products_without_prices_say_so(database: Database, tmp_path: Path) -> None:
    report = await import_products(database, written(tmp_path, "id,description", "P-1,Pump"))
    assert report.notes == ["no column price_<currency>: the articles get no prices"]
    assert (await all_articles(ArticleStore(database)))["P-1"]["prices"] == []


async def test_users_keep_their_rights(database: Database, tmp_path: Path) -> None:
    await import_users(database, written(tmp_path, "id,name,roles", "a,A,account_manager legal"), AT)
    again = written(tmp_path, "id,name,roles", "a,A,admin", "b,B,king", "c,C,", "d d,D,legal", "e,E,system")
    report = await import_users(database, again, LATER)
    assert sorted(reasons(report)) == [3, 4, 5, 6]
    assert list(reasons(report, "remark")) == [2]
    person = await PeopleStore(database).get("a")
    assert person is not None
    assert person.roles == ("account_manager", "legal")
