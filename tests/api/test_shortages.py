"""The worklist of the shortage desk: who sees which lines and how much of them, its filters, pages and its index."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import Engine, event

from infra.db import Database
from infra.desk.callers import SEES_MARGINS
from models.lifecycle.roles import PERSONS, Role
from tests.api.conftest import Office
from tests.api.desks import office_at, short

NOW = "2026-01-05T10:00:00Z"
"""Two hours after the order: nobody is late yet."""

LATER = "2026-01-07T08:00:00Z"


@pytest_asyncio.fixture
async def early(database: Database, tmp_path: Path) -> AsyncIterator[Office]:
    async with office_at(database, tmp_path, NOW) as office:
        yield office


@pytest_asyncio.fixture
async def late(database: Database, tmp_path: Path) -> AsyncIterator[Office]:
    async with office_at(database, tmp_path, LATER) as office:
        yield office


async def lines_of(office: Office, who: str, /, **asked: Any) -> list[dict[str, Any]]:
    answer = await office.get(who, "/v1/shortages", **asked)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def test_a_line_with_everything_that_the_desk_must_know(early: Office) -> None:
    world = short(
        analogues={"A-1": "B-1"}, prices={**dict.fromkeys(("A-1", "A-2"), (10_000, 6_000)), "B-1": (1, 7_000)}
    )
    world.do("account_manager", "propose_analogue", line=1, article="B-1")
    await early.store(world)
    (line,) = await lines_of(early, "account_manager")
    options = line.pop("options")
    assert line == {
        "deal_id": "D-1", "line": 1, "article": "A-1", "description": "article A-1", "branch": "berlin", "ordered": 10,
        "reserved": 4, "short": 6, "since": world.now, "rung": "tell_customer", "role": "account_manager",
        "due_at": "2026-01-05T12:00:00Z", "overdue": False, "expected_on": "2026-01-20", "promised_on": "",
        "choice": "", "note": "", "is_test": False,
        "deal": {"title": "Pumps", "state": "fulfilling", "owner": "u-account_manager", "customer": "c-1",
                 "value": {"amount_minor": world.deal.value_minor, "currency": "EUR"}},
    }  # fmt: skip
    assert [option["rank"] for option in options] == [1, 2, 3, 4, 5]
    assert {option["kind"] for option in options} == {"analogue", "wait", "partial", "buy_in", "cancel"}
    assert [option["article"] for option in options if option["kind"] == "analogue"] == ["B-1"]
    scores = [option["score"] for option in options]
    assert scores == sorted(scores, reverse=True)
    bought = next(option for option in options if option["kind"] == "buy_in")
    # 6 units that cost 60.00 each, 15 % more when they are bought in
    assert bought["extra_cost"] == {"amount_minor": 5_400, "currency": "EUR"}
    assert bought["margin_effect"] == {"amount_minor": -5_400, "currency": "EUR"}


@pytest.mark.parametrize("role", sorted(map(str, PERSONS)))
async def test_what_each_role_sees(early: Office, role: str) -> None:
    """Managers their own, support and heads the department's, an admin none; costs and scores are sales' own."""
    await early.store(short())
    await early.store(short("D-2", owner="u-stranger"))
    await early.store(short("D-3", owner="u-stranger", department="south"))
    found = await lines_of(early, role)
    own, department, everything = {"D-1"}, {"D-1", "D-2"}, {"D-1", "D-2", "D-3"}
    sees = {"account_manager": own, "key_account_manager": set(), "admin": set(), "head_of_sales": department,
            "sales_support": department}  # fmt: skip
    assert {line["deal_id"] for line in found} == sees.get(role, everything)
    blind = role in ("logistics_manager", "production")
    for line in found:
        assert (line["deal"]["value"] is None) is blind
        assert [option["kind"] for option in line["options"]] == ["wait", "partial", "buy_in", "cancel"]
        for option in line["options"]:
            money = [option[name] for name in ("extra_cost", "margin_effect", "score")]
            assert (None not in money) is (Role(role) in SEES_MARGINS), option
            assert money == [None] * 3 or not blind


async def test_the_last_answer_and_the_choice(early: Office) -> None:
    world = short()
    world.advance(3 * 86_400)
    world.do("logistics_manager", "answer_shortage", line=1, available_on="2026-01-14", quantity=6, source="buy_in")
    await early.store(world)
    (answered,) = await lines_of(early, "production")
    assert (answered["note"], answered["rung"]) == ("6 on 2026-01-14 from buy_in", "choose")
    assert {option["promised_on"] for option in answered["options"] if option["kind"] == "buy_in"} == {"2026-01-14"}


async def test_a_choice_is_shown_with_its_promise(early: Office) -> None:
    world = short()
    world.do("account_manager", "choose_option", line=1, option="wait")
    await early.store(world)
    (chosen,) = await lines_of(early, "logistics_manager", role="logistics_manager")
    assert (chosen["choice"], chosen["promised_on"], chosen["rung"]) == ("wait", "2026-01-20", "wait")


async def test_filters(late: Office) -> None:
    await late.store(short())
    waiting = short("D-2", test=True)
    waiting.do("account_manager", "choose_option", line=1, option="wait")
    await late.store(waiting)
    cases: tuple[tuple[dict[str, Any], set[str]], ...] = (
        ({}, {"D-1", "D-2"}),
        ({"role": "logistics_manager"}, {"D-2"}),
        ({"role": "account_manager"}, {"D-1"}),
        ({"role": "key_account_manager"}, {"D-1"}),
        ({"role": "manager"}, set()),
        ({"deal": "D-2"}, {"D-2"}),
        ({"deal": "D-3"}, set()),
        ({"article": "A-1"}, {"D-1", "D-2"}),
        ({"article": "A-2"}, set()),
        ({"overdue": True}, {"D-1"}),
        ({"overdue": False}, {"D-2"}),
        ({"test": True}, {"D-2"}),
        ({"test": False}, {"D-1"}),
        ({"overdue": True, "role": "logistics_manager"}, set()),
    )
    for asked, expected in cases:
        found = await lines_of(late, "commercial_director", **asked)
        assert {line["deal_id"] for line in found} == expected, asked
    assert [line["overdue"] for line in await lines_of(late, "commercial_director")] == [True, False]


async def test_closed_deals_lack_nothing(early: Office) -> None:
    world = short()
    world.do("account_manager", "cancel", reason="the customer gave up")
    assert world.deal.is_closed
    await early.store(world)
    assert await lines_of(early, "commercial_director") == []


async def test_pages_join(early: Office) -> None:
    for number in range(1, 6):
        await early.store(short(f"D-{number}", have=0))
    seen: list[str] = []
    cursor = ""
    while True:
        page = (await early.get("logistics_manager", "/v1/shortages", limit=2, cursor=cursor)).json()
        seen += [line["deal_id"] for line in page["items"]]
        if not (cursor := page["next_cursor"]):
            break
    assert seen == ["D-1", "D-2", "D-3", "D-4", "D-5"]
    foreign = await early.get("logistics_manager", "/v1/shortages", cursor="W10")
    assert (foreign.status_code, foreign.json()["code"]) == (400, "bad_cursor")
    for limit in (0, 201):
        assert (await early.get("logistics_manager", "/v1/shortages", limit=limit)).status_code == 422


@pytest.mark.parametrize("role", ["logistics_manager", "head_of_sales", "account_manager"])
async def test_the_list_walks_its_index(early: Office, role: str) -> None:
    """Ten thousand lines must not be sorted for a page of fifty."""
    database = early.desk.books.database
    if database.dialect != "sqlite":
        pytest.skip("the plan is SQLite's")
    ran: list[tuple[str, Any]] = []

    @event.listens_for(Engine, "before_cursor_execute")
    def note(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        if "deal_shortages" in statement:
            ran.append((statement, parameters))

    try:
        await lines_of(early, role, overdue=True)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    ((statement, parameters),) = ran
    plan = await database.look(
        lambda connection: connection.exec_driver_sql(f"explain query plan {statement}", parameters).all()
    )
    steps = [row[-1] for row in plan]
    assert "ix_deal_shortages_due_at" in steps[0], steps
    assert not [step for step in steps if "TEMP B-TREE" in step], steps
