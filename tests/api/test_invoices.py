"""Invoices over the API: how each is collected, what its lateness costs on any day, lists of what is to be seen to."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from infra.db import Database
from infra.gateways.credit_book import SqlCreditBook
from models.instants import DAY, plus
from models.messages.finance import GroupHoldInput
from models.parts.receivable import Receivable
from tests.api.conftest import Office
from tests.api.desks import office_at
from tests.api.test_receivable_reports import NOW, TOTAL, euros, owing
from tests.infra.test_receivable_reports import BookedWorld, keep

MONEY = "accounts_receivable"
READERS = ("account_manager", "head_of_sales", "commercial_director", MONEY, "auditor", "risk_officer", "legal")


@pytest_asyncio.fixture
async def desk(database: Database, tmp_path: Path) -> AsyncIterator[Office]:
    async with office_at(database, tmp_path, NOW) as office:
        await office.desk.books.policies.active(NOW)
        yield office


def first(world: BookedWorld, place: int = 0) -> Receivable:
    return world.deal.receivables[place]


async def read(desk: Office, world: BookedWorld, place: int = 0, **asked: Any) -> dict[str, Any]:
    answer = await desk.get(MONEY, f"/v1/invoices/{first(world, place).number}", **asked)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def kept(desk: Office, *worlds: BookedWorld) -> None:
    await keep(desk.desk.books.database, *worlds)


def cents(told: dict[str, Any]) -> dict[str, int]:
    return {name: value["amount_minor"] for name, value in told.items() if isinstance(value, dict)}


async def test_where_a_late_invoice_stands_on_the_ladder_and_what_comes_next(desk: Office) -> None:
    late = owing(1, 91)
    await kept(desk, late)
    told = await read(desk, late)
    assert (told["state"], told["level"], told["days_late"]) == ("with_head_of_sales", "with_head_of_sales", 31)
    assert (told["open"], told["collectable"]) == (euros(TOTAL), euros(TOTAL))
    ladder = told["ladder"]
    assert [(one["rung"], one["at"][:10]) for one in ladder["reached"]][-3:] == [
        ("dun_first", "2026-03-13"), ("dun_second", "2026-03-20"), ("involve_head", "2026-04-06")
    ]  # fmt: skip
    assert ladder["next"] == {"rung": "notice_formally", "letter": "formal_notice", "due_at": "2026-04-20T08:00:00Z"}
    assert (ladder["waits_for"], ladder["paused_since"]) == ("", "")
    assert (told["disputes"], told["promises"], told["plans"], told["charged_by"]) == ([], [], [], [])


@pytest.mark.parametrize(
    ("as_of", "interest", "lump_sum", "uncharged"),
    [
        ("", 1_641, 4_000, 5_641),  # 190,400 x 1,015 x 31 / 3,650,000 = 1,641.35
        ("2026-04-16", 2_171, 4_000, 6_171),  # 41 days, if nothing happens
        ("2026-03-20", 741, 4_000, 4_741),  # 14 days
        ("2026-03-12", 318, 0, 0),  # 6 days: the first dunning letter comes on the 7th
        ("2026-03-06", 0, 0, 0),  # the due day
        ("2026-01-04", 0, 0, 0),  # before there was a deal
    ],
)
async def test_what_lateness_costs_on_any_day(
    desk: Office, as_of: str, interest: int, lump_sum: int, uncharged: int
) -> None:
    late = owing(1, 91)
    await kept(desk, late)
    told = (await read(desk, late, as_of=as_of))["interest"]
    assert told["as_of"] == (as_of or "2026-04-06")
    assert told["rate_bps"] == (0 if as_of == "2026-01-04" else 1_015)
    assert told["claimed"] == bool(uncharged)
    assert cents(told) == {
        "interest": interest, "lump_sum": lump_sum, "charged": 0, "waived": 0, "uncharged": uncharged
    }  # fmt: skip


async def test_a_past_day_knows_nothing_of_later_payments(desk: Office) -> None:
    paid = owing(1, 91)
    paid.pay()
    paid.advance(1)
    await kept(desk, paid)
    before = (await read(desk, paid, as_of="2026-03-20"))["interest"]
    assert cents(before) == {"interest": 741, "lump_sum": 4_000, "charged": 0, "waived": 0, "uncharged": 4_741}
    today = await read(desk, paid)
    assert cents(today["interest"]) == {
        "interest": 1_641, "lump_sum": 4_000, "charged": 5_641, "waived": 0, "uncharged": 0
    }  # fmt: skip
    assert (today["level"], today["days_late"], today["settled_at"][:10]) == ("", 0, "2026-04-06")
    assert today["ladder"]["next"] is None
    note = await read(desk, paid, 1)
    assert today["charged_by"] == [note["number"]]
    assert (note["kind"], note["charged_for"], note["total"]) == ("interest", today["number"], euros(5_641))
    assert (note["interest"]["rate_bps"], note["interest"]["claimed"]) == (0, False)


async def test_disputes_by_line_freeze_the_ladder_when_all_is_disputed(desk: Office) -> None:
    disputed = owing(1, 65)
    number = first(disputed).number
    line = first(disputed).lines[0]
    named = [{"line": line.line, "amount_minor": line.gross_minor}]
    disputed.do(
        MONEY, "dispute", invoice=number, amount_minor=line.gross_minor, reason="late", lines=named, evidence="P-7"
    )
    rest = first(disputed).collectable_minor
    disputed.do(MONEY, "record_payment", invoice=number, amount_minor=rest, currency="EUR", reference="")
    await kept(desk, disputed)
    told = await read(desk, disputed)
    (one,) = told["disputes"]
    assert one["lines"] == [{"line": line.line, "amount": euros(line.gross_minor)}]
    assert (one["evidence"], one["outcome"], one["settled"]) == ("P-7", "", False)
    assert one["due_at"] == "2026-03-25T08:00:00Z", "ten working days"
    assert told["collectable"] == euros(0)
    assert (told["ladder"]["waits_for"], told["ladder"]["next"]["due_at"]) == ("dispute", "")
    assert told["ladder"]["paused_since"] == disputed.deal.receivables[0].paused_at != ""


async def test_promises_and_plans_with_what_was_paid(desk: Office) -> None:
    world = owing(1, 62)
    number = first(world).number
    until = plus(world.now, 9 * DAY)
    world.do(MONEY, "promise_to_pay", invoice=number, amount_minor=50_000, until=until)
    promised = world.now
    parts = [{"due_at": plus(world.now, days * DAY), "amount_minor": TOTAL // 2} for days in (20, 40)]
    world.do(MONEY, "agree_plan", invoice=number, instalments=parts)
    world.do(MONEY, "record_payment", invoice=number, amount_minor=100_000, currency="EUR", reference="")
    await kept(desk, world)
    told = await read(desk, world)
    assert told["promises"] == [
        {"amount": euros(50_000), "made_at": promised, "until": until, "outcome": "replaced", "ended_at": promised}
    ]
    (plan,) = told["plans"]
    assert (plan["agreed_by"], plan["outcome"], plan["paid"], plan["total"]) == (
        "u-accounts_receivable", "", euros(100_000), euros(TOTAL)
    )  # fmt: skip
    assert [one["paid"] for one in plan["instalments"]] == [euros(95_200), euros(4_800)]
    assert (told["ladder"]["waits_for"], told["broken_promises"]) == ("plan", 0)


async def test_credit_that_is_left_and_holds_that_are_caused(desk: Office) -> None:
    rich, late = owing(1, 62), owing(2, 91)
    rich.do(MONEY, "record_payment", invoice=first(rich).number, amount_minor=TOTAL + 700, currency="EUR", reference="")
    await kept(desk, rich, late)
    told = await read(desk, rich)
    assert (told["unapplied"], told["credit_hold"]) == (euros(700), {"deal": False, "group": None})
    assert (await read(desk, late))["credit_hold"] == {"deal": True, "group": None}, "the book was not asked"
    hold = GroupHoldInput("h-1", "g-1", "D-2", "c-1", first(late).number, True, "overdue", NOW, False)
    await SqlCreditBook(desk.desk.books.database).set_hold(hold)
    assert (await read(desk, late))["credit_hold"]["group"] == {"group": "g-1", "reason": "overdue", "since": NOW}


async def lists(desk: Office, who: str = MONEY, **asked: Any) -> list[str]:
    answer = await desk.get(who, "/v1/invoices", **asked)
    assert answer.status_code == 200, answer.text
    return [one["deal_id"] for one in answer.json()["items"]]


async def test_lists_of_what_is_to_be_seen_to(desk: Office) -> None:
    fresh, late, disputed, paid = owing(4), owing(3, 91), owing(2, 65), owing(1, 62)
    number = first(disputed).number
    disputed.do(MONEY, "dispute", invoice=number, amount_minor=40_000, reason="damaged")
    disputed.advance(20 * DAY)
    paid.pay()
    young = owing(5, now="2026-02-10T08:00:00Z")  # falls due after today
    await kept(desk, fresh, late, disputed, paid, young)
    assert await lists(desk) == ["D-1", "D-2", "D-3", "D-4", "D-5"]
    assert await lists(desk, late=True) == ["D-2", "D-3", "D-4"]
    assert await lists(desk, late=False) == ["D-1", "D-5"]
    assert await lists(desk, disputed=True) == ["D-2"]
    assert await lists(desk, disputed=False) == ["D-1", "D-3", "D-4", "D-5"]
    assert await lists(desk, state="paid") == ["D-1"]
    assert await lists(desk, state="with_head_of_sales") == ["D-3"]
    assert await lists(desk, late=True, state="issued") == ["D-4"]
    assert await lists(desk, open=True, late=False) == ["D-5"]
    rows = {one["deal_id"]: one for one in (await desk.get(MONEY, "/v1/invoices")).json()["items"]}
    assert (rows["D-2"]["days_late"], rows["D-2"]["collectable"]) == (31, euros(TOTAL - 40_000))
    assert (rows["D-1"]["days_late"], rows["D-1"]["level"], rows["D-1"]["state"]) == (0, "", "paid")
    assert (rows["D-5"]["days_late"], rows["D-5"]["level"]) == (0, "issued")
    wrong = await desk.get(MONEY, "/v1/invoices", state="unhappy")
    assert (wrong.status_code, wrong.json()["code"]) == (422, "malformed")


async def test_late_ones_come_page_by_page_the_oldest_first(desk: Office) -> None:
    worlds = [owing(n, now=f"2026-01-{25 - 2 * n:02d}T08:00:00Z") for n in range(1, 8)]
    await kept(desk, *worlds)
    found: list[str] = []
    asked: dict[str, Any] = {"late": True, "limit": 2}
    while True:
        page = (await desk.get(MONEY, "/v1/invoices", **asked)).json()
        found += [one["due_at"] for one in page["items"]]
        if not page["next_cursor"]:
            break
        asked["cursor"] = page["next_cursor"]
    assert found == sorted(first(world).due_at for world in worlds)
    foreign = await desk.get(MONEY, "/v1/invoices", cursor=asked["cursor"])
    assert (foreign.status_code, foreign.json()["code"]) == (400, "bad_cursor")


async def test_a_test_deal_is_late_by_its_own_clock(desk: Office) -> None:
    ahead = owing(1, 120, test=True)
    await kept(desk, ahead)
    (row,) = (await desk.get(MONEY, "/v1/invoices", late=True)).json()["items"]
    assert row["days_late"] == (await read(desk, ahead))["days_late"]
    assert (await read(desk, ahead))["interest"]["as_of"] == ahead.deal.updated_at[:10] > NOW[:10]


async def test_who_must_not_see_prices_sees_no_invoice(desk: Office) -> None:
    late = owing(1, 91)
    await kept(desk, late)
    path = f"/v1/invoices/{first(late).number}"
    for who in READERS:
        assert (await desk.get(who, path)).status_code == 200, who
        assert await lists(desk, who, late=True) == ["D-1"], who
    for who in ("logistics_manager", "production", "stranger", "admin"):
        assert (await desk.get(who, path)).json()["code"] == "not_found", who
        assert await lists(desk, who, late=True) == [], who


@pytest.mark.parametrize("as_of", ["today", "2026-02-30", "1066-10-14", "9999-12-31", "2026-3-1"])
async def test_days_that_are_none(desk: Office, as_of: str) -> None:
    late = owing(1, 91)
    await kept(desk, late)
    answer = await desk.get(MONEY, f"/v1/invoices/{first(late).number}", as_of=as_of)
    assert (answer.status_code, answer.json()["code"]) == (422, "malformed")


async def test_reasons_tell_goods_departments_no_amount(desk: Office) -> None:
    late = owing(1, 160)
    assert late.deal.pending_approval("legal"), "the ladder has asked"
    late.do(MONEY, "request_waiver", invoice=first(late).number, amount_minor=1_234, reason="a good customer")
    await kept(desk, late)
    amounts = ("1234", str(TOTAL))
    told = (await desk.get("account_manager", "/v1/deals/D-1/actions")).text
    assert all(amount in told for amount in amounts)
    for who in ("logistics_manager", "production"):
        for path in ("actions", "agenda", "timeline"):
            answer = await desk.get(who, f"/v1/deals/D-1/{path}")
            assert answer.status_code == 200
            assert not [amount for amount in amounts if amount in answer.text], (who, path)


async def test_a_late_answer_to_a_dispute_tells_goods_departments_no_amount(desk: Office) -> None:
    disputed = owing(1, 62)
    disputed.do(MONEY, "dispute", invoice=first(disputed).number, amount_minor=12_345, reason="damaged")
    disputed.advance(20 * DAY)
    await kept(desk, disputed)
    for who, sees in ((MONEY, True), ("logistics_manager", False), ("production", False)):
        items = (await desk.get(who, "/v1/deals/D-1/agenda")).json()["items"]
        (late,) = [item for item in items if item["kind"] == "late_answer"]
        assert ("12345" in late["note"]) is sees, who
