"""Time travel in a terminal: deals, customers, stock and rights of a past day, and reports that know of late money."""

import asyncio
from pathlib import Path

import pytest

from cli.exits import ExitCode
from infra.db import open_database
from infra.desk.books import Books
from infra.settings import Settings, load_settings
from infra.stores.people import Person
from models.lifecycle.roles import PERSONS
from tests.cli.command import in_process
from tests.infra.test_receivable_reports import BookedWorld, keep
from tests.journeys import BEGINNING, furnish
from tests.models.collecting import pay
from tests.models.story import until
from tests.models.world import contacted, delivered

WIDEST = 140
INVOICE = "2026-001001"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Path:
    """A folder with a deal of which a part was paid on 10 March, which was booked on the 20th."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "dealwright.db").write_bytes(migrated_file.read_bytes())
    asyncio.run(_fill(load_settings(data_dir=folder)))
    return folder


async def _fill(settings: Settings) -> None:
    database = open_database(settings.database)
    await furnish(database)
    books = Books(database, settings)
    await books.policies.active(BEGINNING)
    for role in sorted(PERSONS):
        await books.people.create(Person(f"u-{role}", "", (str(role),), "north"), BEGINNING)
    world = delivered(BookedWorld(number=1, test=False))
    assert isinstance(world, BookedWorld)
    until(world, "2026-03-20T08:00:00Z")
    pay(world, 100_000, "2026-03-10")
    for number in (2, 3):
        begun = contacted(BookedWorld(number=number, test=False, customer="c-2"))
        assert isinstance(begun, BookedWorld)
        await keep(database, begun)
    await keep(database, world)
    await database.close()


def told(data: Path, *asked: str) -> list[str]:
    done = in_process("--data", data, *asked)
    assert done.code == 0, done.err
    assert max(map(len, done.out.splitlines())) <= WIDEST, done.out
    return [" ".join(line.split()) for line in done.out.splitlines()]


def test_a_deal_as_it_was_and_what_was_learnt(data: Path) -> None:
    asked = ("audit", "as-of", "deal", "D-1", "--at", "2026-03-15", "--known-at", "2026-03-19")
    shown = told(data, *asked, "--compare", "2026-03-20")
    assert shown[0] == "D-1 as of 2026-03-15 23:59 UTC, as known at 2026-03-19 23:59"
    assert any(line.startswith(f"{INVOICE} 2026-03-06 dunned 1,904.00 0.00 0.00 0.00 1,904.00") for line in shown), (
        shown
    )
    (act,) = [line for line in shown if "record_payment" in line]
    assert act.endswith(
        f"2026-03-20 08:00 2026-03-10 00:00 record_payment u-accounts_receivable {INVOICE} -1,000.00 EUR"
    )
    assert f"{INVOICE} open 1,904.00 EUR 904.00 EUR" in shown
    plain = in_process("--data", data, *asked, "-o", "json").json
    assert (plain["learnt"], plain["compared"], plain["invoices"][0]["open"]["amount_minor"]) == ([], None, 190_400)
    wiser = in_process("--data", data, *asked[:6], "-o", "json").json
    assert wiser["invoices"][0]["open"]["amount_minor"] == 90_400
    assert "until 2026-03-19 23:59 nothing was learnt about it" in told(data, *asked[:6], "--known-at", "2026-03-18",
                                                                        "--compare", "2026-03-19")  # fmt: skip
    assert "it was not opened yet" in told(data, *asked[:4], "--at", "2026-01-01")


def test_a_customer_and_its_stock(data: Path) -> None:
    shown = told(data, "audit", "as-of", "customer", "c-1", "--at", "2026-03-15", "--group")
    assert shown[0].startswith("group g-1 as of 2026-03-15 23:59 UTC, as known at ")
    assert any(line.startswith("EUR 1 1,904.00 1,000.00 0.00 0.00 904.00 904.00") for line in shown), shown
    assert "credit limit of the group: 500,000.00 EUR since 2026-01-05 08:00" in shown
    assert "D-1 supporting u-account_manager 904.00 EUR 904.00 EUR 904.00 EUR" in shown
    shown = told(data, "audit", "as-of", "stock", "A-1", "--at", "2026-03-15")
    assert "berlin 1000 2026-01-01 00:00" in shown
    assert "1000 on hand, 0 reserved for deals in all warehouses" in shown


def test_who_could(data: Path) -> None:
    shown = told(data, "audit", "who-could", "D-1", "--at", "2026-03-15")
    assert shown[0].startswith("D-1 as of 2026-03-15 23:59 UTC")
    assert any(line.startswith("record_payment") and "u-accounts_receivable" in line for line in shown), shown
    shown = told(data, "audit", "who-could", "D-1", "--at", "2026-03-15", "--action", "complete")
    assert any(line.startswith("u-account_manager account_manager blocked needs") for line in shown), shown
    assert "ship was not possible in supporting" in told(data, "audit", "who-could", "D-1", "--action", "ship")
    assert told(data, "audit", "who-could", "D-1", "--at", "2026-01-01")[0].startswith("D-1 was not opened yet")


def test_reports_know_of_late_money_when_asked(data: Path) -> None:
    for known, owed in (((), "1,904.00"), (("--known-at", "2026-03-20"), "904.00")):
        shown = told(data, "reports", "ageing", "--as-of", "2026-03-15", *known)
        assert any(line.startswith("c-1 ") and f" {owed} " in line for line in shown), shown
    shown = told(data, "reports", "dso", "--as-of", "2026-03-15", "--known-at", "2026-03-20")
    assert any("to 2026-03-15, as known at 2026-03-20 23:59 (90 days)" in line for line in shown), shown


def test_what_somebody_cannot_see_is_not_passed_off_as_all(data: Path) -> None:
    asked = ("audit", "as-of", "customer", "c-1", "--at", "2026-03-15")
    words = "the deals that you see; there may be others"
    assert words in told(data, "--as", "u-account_manager", *asked)
    assert words not in told(data, "--as", "u-auditor", *asked)


def test_a_customer_of_whom_little_is_known_yet(data: Path) -> None:
    asked = ("audit", "as-of", "customer", "c-2", "--at", "2026-03-15")
    shown = told(data, *asked, "--limit", "1")
    assert "credit limit of the group: none in EUR was named by then" in shown
    assert "1 of 2; --limit shows more" in shown
    assert not [line for line in told(data, *asked) if "--limit" in line]
    shown = told(data, "audit", "as-of", "deal", "D-2", "--at", "2026-03-15")
    assert any(line.startswith("contacted ") for line in shown), shown
    assert not [line for line in shown if line in ("Order", "Invoices", "Exposure")]


def test_what_only_the_system_does_nobody_could(data: Path) -> None:
    shown = told(data, "audit", "who-could", "D-1", "--at", "2026-03-15", "--action", "remind")
    assert shown[-1] == "nobody had one of the roles: system"


def test_wrong_questions(data: Path) -> None:
    for asked in (
        ("audit", "as-of", "deal", "D-1", "--at", "soon"),
        ("audit", "as-of", "stock", "A-1", "--known-at", "2026-02-30"),
        ("audit", "who-could", "D-1", "--at", "1066-10-14"),
        ("audit", "as-of", "deal", "D-1", "--compare", "0"),
        ("reports", "cash", "--known-at", "then"),
    ):
        wrong = in_process("--data", data, *asked)
        assert (wrong.code, asked[-1] in wrong.err) == (ExitCode.USAGE, True), (asked, wrong.err)
    for unknown in (("deal", "D-9"), ("customer", "c-9"), ("stock", "A-9")):
        assert in_process("--data", data, "audit", "as-of", *unknown).code == ExitCode.NOT_FOUND
    backwards = ("--at", "2026-03-15", "--known-at", "2026-03-14")
    assert in_process("--data", data, "audit", "as-of", "deal", "D-1", *backwards).code == ExitCode.REFUSED
    seller = ("--data", data, "--as", "u-account_manager", "audit", "who-could", "D-1")
    assert in_process(*seller).code == ExitCode.REFUSED
