"""Time travel over the API: deals, customers, stock and rights at two times; who sees what; wrong questions."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from infra.db import Database
from infra.gateways.credit_limits import CreditLimits
from infra.gateways.stock_book import SqlStockBook
from infra.stores.master_log import Author
from infra.stores.people import Person
from models.instants import DAY, plus
from models.messages.logistics import ReserveInput, ShipInput, StockLine
from tests.api.conftest import Office
from tests.api.desks import another, office_at
from tests.infra.test_receivable_reports import BookedWorld, keep
from tests.journeys import BEGINNING
from tests.models.collecting import TOTAL, pay
from tests.models.story import AM, MONEY, until
from tests.models.world import World, delivered, entered, offered

NOW = "2026-06-01T08:00:00Z"
BOOKED = "2026-03-20T08:00:00Z"


@pytest_asyncio.fixture
async def desk(database: Database, tmp_path: Path) -> AsyncIterator[Office]:
    async with office_at(database, tmp_path, NOW) as office:
        yield office


def euros(amount: int) -> dict[str, Any]:
    return {"amount_minor": amount, "currency": "EUR"}


async def told(office: Office, who: str, path: str, /, **asked: Any) -> dict[str, Any]:
    answer = await office.get(who, path, **asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def late(deal_id: str, part: int = 100_000, **known: Any) -> World:
    """A delivered deal of which a part was paid on 10 March and booked on the 20th."""
    world = delivered(another(deal_id, **known))
    until(world, BOOKED)
    pay(world, part, "2026-03-10")
    return world


# ---------------------------------------------------------------------------------------------------------------- deals


async def test_a_deal_as_it_is_now_is_the_deal(desk: Office) -> None:
    world = await desk.store(late("T-1"))
    then = await told(desk, "commercial_director", "/v1/deals/T-1/as-of")
    assert then["deal"] == await told(desk, "commercial_director", "/v1/deals/T-1")
    assert (then["at"], then["known_at"], then["learnt"]) == (NOW, NOW, [])
    (owed,) = then["invoices"]
    assert (owed["open"], owed["paid"]) == (euros(TOTAL - 100_000), euros(100_000))
    assert owed["state"] == world.deal.receivables[0].state
    assert then["money"][0]["open"] == owed["open"]


async def test_a_late_line_changes_the_past_from_when_it_is_known(desk: Office) -> None:
    await desk.store(late("T-2"))
    path = "/v1/deals/T-2/as-of"
    ignorant = await told(desk, "auditor", path, at="2026-03-15", known_at="2026-03-19", compare="2026-03-20")
    assert (ignorant["at"], ignorant["known_at"]) == ("2026-03-15T23:59:59Z", "2026-03-19T23:59:59Z")
    assert (ignorant["invoices"][0]["open"], ignorant["learnt"]) == (euros(TOTAL), [])
    assert ignorant["exposure"]["overdue"] == euros(TOTAL)
    compared = ignorant["compared"]
    (act,) = compared["learnt"]
    assert (act["action"], act["at"], act["effective_at"]) == ("record_payment", BOOKED, "2026-03-10T00:00:00Z")
    assert (act["lowers"], act["actor"]) == (euros(100_000), "u-accounts_receivable")
    (changed,) = compared["invoices"]
    assert (changed["before"]["open"], changed["after"]["open"]) == (euros(TOTAL), euros(TOTAL - 100_000))
    assert changed["before"]["interest"]["amount_minor"] > changed["after"]["interest"]["amount_minor"] > 0
    wiser = await told(desk, "auditor", path, at="2026-03-15")
    assert wiser["invoices"][0] == changed["after"]
    assert (wiser["learnt"], wiser["deal"]) == ([act], ignorant["deal"])
    assert wiser["deal"]["invoices"][0]["open"] == euros(TOTAL), "the books of that day stay what they were"
    assert wiser["compared"] is None


async def test_before_its_opening_a_deal_was_nothing(desk: Office) -> None:
    await desk.store(late("T-3"))
    then = await told(desk, "auditor", "/v1/deals/T-3/as-of", at="2026-01-04")
    assert (then["deal"], then["invoices"], then["learnt"], then["money"]) == (None, [], [], [])
    assert (await told(desk, "auditor", "/v1/deals/T-3/who-could", at="2026-01-04"))["actions"] == []


async def test_goods_departments_see_no_prices_of_the_past_and_strangers_nothing(desk: Office) -> None:
    await desk.store(late("T-4"))
    then = await told(desk, "logistics_manager", "/v1/deals/T-4/as-of", at="2026-03-15")
    assert "minor" not in str(then)
    assert (then["invoices"], then["money"], then["exposure"]) == ([], [], None)
    assert then["deal"]["lines"][0]["shipped"] == 10
    support = await told(desk, "sales_support", "/v1/deals/T-4/as-of", at="2026-03-15")
    assert (support["deal"]["offer"]["margin_bps"], support["invoices"][0]["open"]) == (None, euros(TOTAL - 100_000))
    for path in ("/v1/deals/T-4/as-of", "/v1/deals/T-0/as-of", "/v1/deals/T-4/who-could", "/v1/customers/c-1/as-of"):
        assert (await desk.get("stranger", path)).status_code == (403 if "who" in path else 404), path


async def test_an_auditors_look_at_the_past_leaves_a_leaf(desk: Office) -> None:
    await desk.store(late("T-5"))
    await told(desk, "auditor", "/v1/deals/T-5/as-of")
    await told(desk, "auditor", "/v1/deals/T-5/who-could")
    await told(desk, "account_manager", "/v1/deals/T-5/as-of")
    leaves = (await told(desk, "auditor", "/v1/audit/leaves", kind="read"))["items"]
    assert [(leaf["body"]["by"], leaf["body"]["what"]) for leaf in leaves] == [
        ("u-auditor", "as-of"), ("u-auditor", "who-could")
    ]  # fmt: skip


async def test_a_test_deal_lives_ahead_of_us(desk: Office) -> None:
    world = delivered(another("T-6", test=True))
    until(world, "2026-08-01T08:00:00Z")
    world.do(AM, "note", text="still nothing")
    await desk.store(world)
    then = await told(desk, "auditor", "/v1/deals/T-6/as-of")
    assert then["at"] == world.deal.updated_at > NOW
    ahead = await told(desk, "auditor", "/v1/deals/T-6/as-of", at="2026-07-01", known_at="2026-12-31")
    assert ahead["invoices"][0]["overdue"] == euros(TOTAL)


WRONG: list[tuple[dict[str, str], str]] = [
    ({"at": "yesterday"}, "at"),
    ({"at": "2026-02-30"}, "at"),
    ({"at": "0001-01-01T00:00:00Z"}, "at"),
    ({"at": "9999-12-31"}, "at"),
    ({"at": "2026-06-02"}, "at"),
    ({"at": "2026-03-20", "known_at": "2026-03-19"}, "at"),
    ({"known_at": "2026-06-02"}, "known_at"),
    ({"known_at": "\x00"}, "known_at"),
    ({"at": "2026-03-01", "known_at": "2026-03-19", "compare": "2026-03-18"}, "compare"),
    ({"at": "2026-03-01", "compare": "soon"}, "compare"),
]


async def test_wrong_questions_are_told_what_is_wrong(desk: Office) -> None:
    await desk.store(late("T-7"))
    for asked, field in WRONG:
        paths = {"/v1/deals/T-7/as-of": asked}
        if field != "compare":
            paths |= dict.fromkeys(("/v1/deals/T-7/who-could", "/v1/customers/c-1/as-of"), asked)
            paths["/v1/stock/as-of"] = asked | {"article": "A-1"}
        for path, query in paths.items():
            answer = await desk.get("auditor", path, **query)
            assert answer.status_code == 422, (path, answer.text)
            assert answer.json()["errors"][0]["field"] == f"query.{field}"


async def test_unknown_things_are_not_there(desk: Office) -> None:
    await desk.store(late("T-8"))
    for path, asked in (
        ("/v1/deals/T-0/as-of", {}),
        ("/v1/customers/c-0/as-of", {}),
        ("/v1/stock/as-of", {"article": "A-0"}),
        ("/v1/stock/as-of", {"article": "A-1", "warehouse": "moon"}),
        ("/v1/deals/T-8/who-could", {"action": "fly"}),
    ):
        assert (await desk.get("auditor", path, **asked)).status_code == 404, path
    assert (await desk.get("auditor", "/v1/stock/as-of")).status_code == 422
    assert (await desk.get("auditor", "/v1/customers/c-1/as-of", limit=1_001)).status_code == 422


# ------------------------------------------------------------------------------------------------------------ customers


async def test_a_customer_as_it_was(desk: Office) -> None:
    await desk.store(late("T-10"))
    accepted = offered(another("T-11"))
    until(accepted, "2026-01-12T08:00:00Z")
    accepted.do(AM, "accept_offer")
    await desk.store(accepted)
    await desk.store(offered(another("T-12", test=True)))
    path = "/v1/customers/c-1/as-of"
    then = await told(desk, "risk_officer", path, at="2026-01-31", group=True)
    assert (then["group"], then["complete"], then["deals_in_all"]) == ("g-1", True, 2)
    assert then["states"] == [{"state": "drafting_contract", "deals": 1}, {"state": "supporting", "deals": 1}]
    (sums,) = then["currencies"]
    assert (sums["invoices"], sums["open"], sums["overdue"]) == (1, euros(TOTAL), euros(0))
    assert {name: each["amount_minor"] for name, each in sums["exposure"].items()} == {
        "accepted": TOTAL, "confirmed": 0, "not_due": TOTAL, "overdue": 0, "disputed": 0, "total": 2 * TOTAL
    }  # fmt: skip
    assert (sums["credit_limit"], sums["limit_since"]) == (euros(50_000_000), "2026-01-12T08:00:00Z")
    assert [(d["id"], d["open"]) for d in then["deals"]] == [("T-10", euros(TOTAL)), ("T-11", euros(0))]
    for known, owed in (("2026-03-19", TOTAL), ("2026-03-20", TOTAL - 100_000)):
        (sums,) = (await told(desk, "auditor", path, at="2026-03-15", known_at=known))["currencies"]
        assert (sums["open"], sums["exposure"]["overdue"]) == (euros(owed), euros(owed))
    before = await told(desk, "auditor", path, at="2026-01-04")
    assert (before["currencies"], before["deals"], before["deals_in_all"]) == ([], [], 0)
    assert (await told(desk, "auditor", path, test_deals=True))["deals_in_all"] == 3
    assert len((await told(desk, "auditor", path, limit=1))["deals"]) == 1


async def test_a_limit_that_somebody_fixed_holds_from_then_on(desk: Office) -> None:
    await desk.store(offered(another("T-15")))
    book = CreditLimits(desk.desk.books.database)
    for at, limit in (("2026-02-01T08:00:00Z", 700), ("2026-03-01T08:00:00Z", 900)):
        await book.fix_limit("g-1", "EUR", limit, Author("u-risk_officer"), f"limit-{limit}", at)
    seen: list[tuple[str, int | None, str]] = [
        ("2026-01-31", None, ""),
        ("2026-02-01", 700, "u-risk_officer"),
        ("2026-05-01", 900, "u-risk_officer"),
    ]
    for at, named, by in seen:
        (sums,) = (await told(desk, "auditor", "/v1/customers/c-1/as-of", at=at))["currencies"]
        assert (sums["credit_limit"], sums["limit_fixed_by"]) == (named and euros(named), by), at


async def test_a_customer_is_what_one_sees_of_it(desk: Office) -> None:
    await desk.store(late("T-13"))
    await desk.store(late("T-14", owner="u-stranger", department="south"))
    mine = await told(desk, "account_manager", "/v1/customers/c-1/as-of")
    assert (mine["complete"], [deal["id"] for deal in mine["deals"]]) == (False, ["T-13"])
    goods = await told(desk, "logistics_manager", "/v1/customers/c-1/as-of")
    assert (goods["currencies"], goods["deals_in_all"]) == ([], 2)
    assert "minor" not in str(goods)


@pytest.mark.uncounted
async def test_a_customer_with_many_deals(desk: Office) -> None:
    for number in range(120):  # more than are read at once
        await desk.store(offered(another(f"T-{2_000 + number}")))
    then = await told(desk, "auditor", "/v1/customers/c-1/as-of", at="2026-01-05", limit=1_000)
    assert then["deals_in_all"] == len(then["deals"]) == 120


# ---------------------------------------------------------------------------------------------------------------- stock


async def test_stock_as_it_was(desk: Office) -> None:
    world = entered(another("T-20"), [{"article": "A-1", "quantity": 10}])
    until(world, "2026-02-01T08:00:00Z")
    world.do("logistics_manager", "ship")
    await desk.store(world)
    book = SqlStockBook(desk.desk.books.database)
    line = StockLine(1, "A-1", 10)
    begun, left = "2026-01-05T08:00:00Z", "2026-02-01T08:00:00Z"
    await book.reserve(ReserveInput("T-20:r", "T-20", "berlin", (line,), begun, plus(begun, 90 * DAY)))
    await book.ship(ShipInput("T-20:s", "T-20", (line,), left))
    resting = entered(another("T-21"), [{"article": "A-1", "quantity": 4}])
    await desk.store(resting)
    for at, on_hand, reserved in (("2026-01-31", 1_000, 14), ("2026-02-01", 990, 4), ("2026-01-04", 1_000, 0)):
        then = await told(desk, "logistics_manager", "/v1/stock/as-of", article="A-1", at=at, warehouse="berlin")
        assert (then["on_hand"], then["reserved"]) == (on_hand, reserved), at
    now = await told(desk, "auditor", "/v1/stock/as-of", article="A-1")
    assert now["warehouses"] == [{"warehouse": "berlin", "on_hand": 990, "moved_at": "2026-02-01T08:00:00Z"}]
    assert (await told(desk, "auditor", "/v1/stock/as-of", article="A-1", at="2025-12-31"))["warehouses"] == []


# ------------------------------------------------------------------------------------------------------------ who could


async def could(office: Office, deal: str, action: str, **asked: Any) -> tuple[set[str], dict[str, str]]:
    """Who could, and what code stood in whose way."""
    found = await told(office, "auditor", f"/v1/deals/{deal}/who-could", action=action, **asked)
    (only,) = found["actions"]
    return {each["user"] for each in only["allowed"]}, {each["user"]: each["code"] for each in only["blocked"]}


async def test_who_could_act_by_the_rights_and_rules_of_then(desk: Office) -> None:
    people = desk.desk.books.people
    await people.create(Person("u-new", "New", ("head_of_sales",), "north"), "2026-01-20T08:00:00Z")
    await people.change(Person("u-new", "New", ("logistics_manager",), "north"), "2026-02-10T08:00:00Z")
    world = another("T-30")
    await desk.store(offered(world))
    allowed, blocked = await could(desk, "T-30", "accept_offer", at="2026-01-10")
    assert "u-account_manager" in allowed
    assert blocked == {"u-stranger": "out_of_sight", "u-key_account_manager": "out_of_sight"}
    reassigning = partial(could, desk, "T-30", "reassign")
    assert "u-new" not in (await reassigning(at="2026-01-19"))[0], "nobody yet"
    assert "u-new" in (await reassigning(at="2026-01-20"))[0]
    assert "u-new" not in (await reassigning(at="2026-02-10"))[0], "a manager of goods by then"
    then = await told(desk, "auditor", "/v1/deals/T-30/who-could", at="2026-01-10")
    assert (then["state"], then["people"]) == ("offer_open", 14)
    assert "ship" not in {each["action"] for each in then["actions"]}
    before = await told(desk, "auditor", "/v1/deals/T-30/who-could", at="2026-01-04T00:00:00Z")
    assert (before["state"], before["actions"]) == ("", [])


async def test_guards_of_the_past_look_at_the_deal_of_the_past(desk: Office) -> None:
    world = delivered(another("T-31"))
    until(world, BOOKED)
    pay(world, TOTAL)
    until(world, "2026-03-21T08:00:00Z")
    await desk.store(world)
    assert (await could(desk, "T-31", "complete", at="2026-03-19"))[0] == set()
    found = await told(desk, "auditor", "/v1/deals/T-31/who-could", action="complete", at="2026-03-19")
    (only,) = found["actions"]
    failing = {verdict["guard"] for each in only["blocked"] for verdict in each["failing"]}
    assert "receivables_are_settled" in failing, only


async def test_a_hold_of_the_group_stood_from_when_to_when(desk: Office) -> None:
    holder = delivered(another("T-32"))
    until(holder, "2026-04-10T08:00:00Z")
    held_since = next(e.at for e in holder.entries for each in e.events if each["tag"] == "group_hold_changed")
    holder.do(MONEY, "record_payment", invoice=holder.deal.receivables[0].number, amount_minor=TOTAL, currency="EUR")
    await desk.store(holder)
    await desk.store(offered(another("T-33", now=plus(held_since, -DAY))))
    for at, blocked in ((plus(held_since, -60), False), (held_since, True), ("2026-04-10T08:00:00Z", False)):
        allowed, no = await could(desk, "T-33", "accept_offer", at=at)
        assert ("u-account_manager" in no) is blocked, (at, allowed, no)
        assert ("u-account_manager" in allowed) is not blocked


async def test_a_deputy_could_act_within_the_window(desk: Office) -> None:
    await desk.desk.books.people.create(Person("u-deputy", "D", ("account_manager",), "south"), BEGINNING)
    window = {"absent": "u-account_manager", "deputy": "u-deputy", "from_at": "2026-01-08T00:00:00Z"}
    body = {**window, "until_at": "2026-01-12T00:00:00Z", "ended_at": "", "id": 1, "by": "u-admin"}
    appointed = "2026-01-06T00:00:00Z"
    await desk.desk.books.audit.append("deputy", "1", body | {"at": appointed}, appointed)
    await desk.store(offered(another("T-34")))
    for at, expected in (("2026-01-07", False), ("2026-01-08", True), ("2026-01-12", False)):
        found = await told(desk, "auditor", "/v1/deals/T-34/who-could", action="accept_offer", at=at)
        names = {(each["user"], each["on_behalf_of"]) for each in found["actions"][0]["allowed"]}
        assert (("u-deputy", "u-account_manager") in names) is expected, (at, names)


@pytest.mark.parametrize("role", ["account_manager", "legal", "logistics_manager", "accounts_receivable"])
async def test_only_heads_auditors_and_admins_ask_who_could(desk: Office, role: str) -> None:
    await desk.store(offered(another("T-35")))
    assert (await desk.get(role, "/v1/deals/T-35/who-could")).status_code == 403
    assert (await desk.get("head_of_sales", "/v1/deals/T-35/who-could")).status_code == 200


# -------------------------------------------------------------------------------------------------------------- reports


async def test_reports_count_money_on_its_value_day_when_asked(desk: Office) -> None:
    world = delivered(BookedWorld(number=40, test=False))
    assert isinstance(world, BookedWorld)
    until(world, BOOKED)
    pay(world, 100_000, "2026-03-10")
    await desk.desk.books.policies.active(NOW)
    await keep(desk.desk.books.database, world)
    for name, field in (("ageing", "totals"), ("expected-cash", "items")):
        for known, owed in (("", TOTAL), ("2026-03-19", TOTAL), ("2026-03-20", TOTAL - 100_000)):
            found = await told(desk, "auditor", f"/v1/reports/{name}", as_of="2026-03-15", known_at=known)
            assert found[field][0]["open"] == euros(owed), (name, known)
            assert found["known_at"] == (f"{known}T23:59:59Z" if known else "")
    for known, owed in (("", TOTAL), ("2026-03-20", TOTAL - 100_000)):
        (row,) = (await told(desk, "auditor", "/v1/reports/dso", as_of="2026-03-15", known_at=known))["items"]
        assert row["receivables"] == euros(owed)
        asked = {"as_of": "2026-03-15", "days": 10, "known_at": known}
        (row,) = (await told(desk, "auditor", "/v1/reports/collection-effectiveness", **asked))["items"]
        assert row["collected"] == euros(TOTAL - owed)
    for known in ("2026-03-14", "2026-07-01", "soon"):
        answer = await desk.get("auditor", "/v1/reports/lateness", as_of="2026-03-15", known_at=known)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "query.known_at")
