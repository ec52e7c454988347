"""The shortage desk, reports and dry runs in a terminal, on a folder with two deals."""

import asyncio
import json
from pathlib import Path

import pytest

from cli.exits import ExitCode
from cli.shortages import _best
from infra.db import Database, open_database
from infra.desk.books import Books
from infra.settings import Settings, load_settings
from infra.stores.people import Person
from infra.stores.recorder import DatabaseRecorder
from models.instants import DAY
from models.messages.records import RecordInput
from models.projection import CHILDREN, project
from tests.api.desks import complained, short
from tests.cli.command import in_process
from tests.journeys import BEGINNING, furnish
from tests.models.world import World

WIDEST = 120
LONG = "D-7Q2K9M4XTA"
"""As long as ids of deals are."""


@pytest.fixture
def data(tmp_path: Path, migrated_file: Path) -> Path:
    """A folder with a deal that lacks goods, one with discrepancies, and users."""
    (tmp_path / "dealwright.db").write_bytes(migrated_file.read_bytes())
    asyncio.run(_fill(load_settings(data_dir=tmp_path)))
    return tmp_path


async def _fill(settings: Settings) -> None:
    database = open_database(settings.database)
    await furnish(database)
    books = Books(database, settings)
    await books.policies.active(BEGINNING)
    for role in ("account_manager", "logistics_manager", "head_of_sales"):
        await books.people.create(Person(f"u-{role}", role, (role,), "north"), BEGINNING)
    lacking = short(LONG, analogues={"A-1": "B-1"})
    lacking.do("account_manager", "propose_analogue", line=1, article="B-1")
    wrong = complained("D-2", ("damage", "carrier", 2, "better boxes"), ("refusal", "customer", 3, ""))
    wrong.do("account_manager", "open_case", lines=[1], cause="damage", note="two boxes")
    await _keep(database, lacking, wrong)
    await database.close()


async def _keep(database: Database, *worlds: World) -> None:
    for world in worlds:
        shown = project(world.deal, world.policy)
        await DatabaseRecorder(database).record(RecordInput(world.deal.id, tuple(world.entries), shown, CHILDREN))


@pytest.fixture
def answered(data: Path) -> Path:
    """The folder with one more deal that lacks goods, of which logistics said after five days when they come."""

    async def add() -> None:
        database = open_database(load_settings(data_dir=data).database)
        world = short("D-3")
        world.advance(5 * DAY)
        world.do("logistics_manager", "answer_shortage", line=1, available_on="2026-01-20", quantity=6)
        await _keep(database, world)
        await database.close()

    asyncio.run(add())
    return data


def test_a_logistics_manager_sees_what_to_do_and_no_price(data: Path) -> None:
    asked = ("--data", data, "--as", "u-logistics_manager", "shortages", "--options")
    told = in_process(*asked)
    assert told.code == 0, told.err
    assert max(map(len, told.out.splitlines())) <= WIDEST
    for word in (f"{LONG}/1", "6 of 10", "tell customer", "2026-01-05 12:00", "LATE", "2026-01-20", "buy in"):
        assert word in told.out, word
    assert "EUR" not in told.out
    assert "cost" not in told.out
    listed = in_process(*asked, "-o", "json").json
    (line,) = listed["shortages"]
    assert (listed["more"], line["overdue"], line["deal"]["value"]) == (False, True, None)
    assert {option["extra_cost"] for option in line["options"]} == {None}


def test_sales_see_what_the_options_cost(data: Path) -> None:
    told = in_process("--data", data, "--as", "u-account_manager", "shortages", "--options")
    assert max(map(len, told.out.splitlines())) <= WIDEST
    assert "extra cost" in told.out
    assert "54.00 EUR" in told.out
    assert "-54.00 EUR" in told.out


def test_the_worklist_is_narrowed(data: Path) -> None:
    for narrowed, count in (
        (("--role", "logistics_manager"), 0),
        (("--role", "account_manager"), 1),
        (("--article", "A-1"), 1),
        (("--article", "A-2"), 0),
        (("--deal", LONG), 1),
        (("--deal", "D-2"), 0),
        (("--overdue",), 1),
    ):
        told = in_process("--data", data, "-o", "json", "shortages", *narrowed)
        assert len(told.json["shortages"]) == count, narrowed
    assert in_process("--data", data, "shortages", "--limit", "0").code == ExitCode.USAGE
    assert in_process("--data", data, "shortages", "--as", "nobody").code == ExitCode.NOT_FOUND


def test_discrepancies_are_reported(data: Path) -> None:
    told = in_process("--data", data, "reports", "discrepancies", "--as", "u-head_of_sales")
    assert told.code == 0, told.err
    shown = [" ".join(line.split()) for line in told.out.splitlines()]
    assert "customer 1 50.00 % 3 60.00 %" in shown
    assert "1 better boxes" in shown
    found = in_process("--data", data, "reports", "discrepancies", "--by", "measure", "-o", "json").json
    assert [(one["name"], one["units"]) for one in found["items"]] == [("", 3), ("acceptance", 2)]
    assert in_process("--data", data, "reports", "discrepancies", "--by", "colour").code == ExitCode.USAGE


def test_response_times_are_reported(data: Path) -> None:
    told = in_process("--data", data, "reports", "response-times", "--from", "2026-01-01", "--to", "2026-01-31")
    assert told.code == 0, told.err
    assert "Response times from 2026-01-01 to 2026-01-31" in told.out
    assert max(map(len, told.out.splitlines())) <= WIDEST
    for days in (("--from", "2026-02-01", "--to", "2026-01-01"), ("--from", "2026-02-30"), ("--to", "today")):
        wrong = in_process("--data", data, "reports", "discrepancies", *days)
        assert (wrong.code, days[-1] in wrong.err) == (ExitCode.USAGE, True), wrong.err
    assert in_process("--data", data, "reports", "response-times", "--as-of", "now").code == ExitCode.USAGE
    nobody = in_process("--data", data, "reports", "response-times", "--as", "u-logistics_manager")
    assert nobody.code == ExitCode.REFUSED


def test_times_of_answers_are_told_in_days_and_hours(answered: Path) -> None:
    told = in_process("--data", answered, "reports", "response-times", "--as-of", "2026-01-12T08:00:00Z")
    assert told.code == 0, told.err
    shown = squeezed(told.out)
    assert "logistics manager shortage 1 1 0 1 1 4 d 20 h 4 d 20 h 4 d 20 h" in shown
    assert "production shortage 1 0 1 0 0 - - -" in shown


def test_the_worklist_says_that_there_is_more(answered: Path) -> None:
    asked = ("--data", answered, "shortages", "--limit", "1")
    assert "the 1 that are due first; --limit shows more" in in_process(*asked).out
    (first,), more = in_process(*asked, "-o", "json").json.values()
    assert (first["deal_id"], more) == (LONG, True)
    assert "--limit" not in in_process("--data", answered, "shortages").out


def test_a_line_for_which_nothing_can_be_done_says_so() -> None:
    assert _best([]) == "none"
    wait = {"kind": "wait", "article": "", "promised_on": "2026-01-20"}
    buy = {"kind": "buy_in", "article": "B-1", "promised_on": None}
    assert _best([wait, buy]) == "wait\n2026-01-20"


def test_a_dry_run_shows_what_would_happen(data: Path) -> None:
    changes = json.dumps([{"kind": "quantity", "line": 2, "quantity": 3}])
    act = ("deal", "do", LONG, "request_amendment", f"changes={changes}", "reason=less", "--dry-run")
    told = in_process("--data", data, "--as", "u-account_manager", *act)
    assert told.code == 0, told.err
    shown = " ".join(told.out.split())
    for words in ("dry run, nothing changed", "amendment requested", "line 2: 5 -> 3 units", "2 back to the shelf",
                  "-200.00 EUR net, -238.00 EUR with tax", "headroom"):  # fmt: skip
        assert words in shown, words
    plain = in_process("--data", data, "--as", "u-account_manager", *act, "-o", "json").json
    assert (plain["dry_run"], plain["preview"]["amendment"]["units_released"]) == (True, 2)
    ship = ("deal", "do", LONG, "ship", "--dry-run", "--as", "u-logistics_manager")
    told = in_process("--data", data, *ship)
    assert "shipment sent" in told.out
    assert "book carriage" in told.out


def test_a_payload_may_stand_in_the_line_or_in_a_file(data: Path, tmp_path: Path) -> None:
    note = ("--data", data, "--as", "u-account_manager", "deal", "do", LONG, "note", "--dry-run", "-o", "json")
    file = tmp_path / "payload.json"
    file.write_text('{"text": "call back"}', encoding="utf-8")
    plain = in_process(*note, "text=call back")
    assert plain.code == 0, plain.err
    assert in_process(*note, "--payload", file.read_text(encoding="utf-8")).json == plain.json
    assert in_process(*note, "--payload", f"@{file}").json == plain.json
    missing = in_process(*note, "--payload", f"@{tmp_path / 'none.json'}")
    assert (missing.code, "none.json" in missing.err) == (ExitCode.NOT_FOUND, True)


def test_goods_that_a_deal_reserved_and_the_stock_book_does_not_hold_are_told(data: Path) -> None:
    told = in_process("--data", data, "stock", "verify")
    assert told.code == ExitCode.REFUSED
    assert told.out.splitlines() == [
        f"{LONG} line 1, A-1: held for line is 0, it should be 4",
        f"{LONG} line 2, A-2: held for line is 0, it should be 5",
        "4 shelves, 2 differences",
    ]
    plain = in_process("--data", data, "stock", "verify", "-o", "json")
    assert (plain.code, plain.json["sound"], len(plain.json["differences"])) == (ExitCode.REFUSED, False, 2)


def test_a_deal_shows_its_goods(data: Path) -> None:
    lacking = in_process("--data", data, "deal", "show", LONG, "--as", "u-logistics_manager")
    assert lacking.code == 0, lacking.err
    assert "Out of stock" in lacking.out
    assert "tell customer" in lacking.out
    delivered = in_process("--data", data, "deal", "show", "D-2")
    for words in ("Shipments", "D-2-S1", "10 of line 1, 5 of line 2", "Discrepancies", "better boxes", "returned"):
        assert words in delivered.out, words
    assert "1 damage open two boxes" in squeezed(delivered.out)
    assert "Complaints" not in lacking.out


def squeezed(out: str) -> list[str]:
    return [" ".join(line.split()) for line in out.splitlines()]


def test_why_a_deal_waits_and_what_may_be_done_about_it(data: Path) -> None:
    why = ("--data", data, "--as", "u-account_manager", "deal", "why", LONG)
    told = in_process(*why)
    assert told.code == 0, told.err
    for words in ("It waits for", "Possible for u-account_manager", "Blocked", "more actions belong to other states"):
        assert words in told.out, words
    one = in_process(*why, "note").out
    assert "note" in one
    assert "text*" in one
    for words in ("Blocked", "more actions", "log_contact"):
        assert words not in one, words


def test_the_agenda_of_one_deal_does_not_repeat_its_id(data: Path) -> None:
    told = in_process("--data", data, "deal", "agenda", LONG)
    assert told.code == 0, told.err
    assert LONG not in told.out
    assert {one["deal_id"] for one in in_process("--data", data, "deal", "agenda", LONG, "-o", "json").json} == {LONG}
    assert LONG in in_process("--data", data, "deal", "agenda").out
    assert in_process("--data", data, "deal", "agenda", "D-NONE").code == ExitCode.NOT_FOUND
