"""The goods of one deal as callers see them: shipments, discrepancy acts, amendments, lines that are short."""

import pytest

from infra.desk.callers import caller_of
from tests.api.conftest import Office
from tests.api.desks import LINES, another, complained, short
from tests.models.world import entered

BLIND = ("logistics_manager", "production")


async def test_shipments_of_a_deal(office: Office) -> None:
    world = entered(another(), LINES)
    world.do("logistics_manager", "ship", lines=[{"line": 1, "quantity": 4}])
    news = {"shipment": "D-1-S1", "message_id": "m-1", "kind": "in_transit", "occurred_at": "2026-01-05T09:00:00Z"}
    world.do("automation", "book_carrier_message", **news)
    world.do("logistics_manager", "ship", lines=[{"line": 2, "quantity": 5}])
    await office.store(world)
    deal = (await office.get("logistics_manager", "/v1/deals/D-1")).json()
    first, second = deal["shipments"]
    assert first == {
        "number": "D-1-S1", "state": "in_transit", "carrier": "own", "reference": "V-D-1-S1", "shipped_at": world.now,
        "told_at": "2026-01-05T09:00:00Z", "delivered_at": "",
        "lines": [{"line": 1, "quantity": 4, "delivered": 0, "returned": 0}],
    }  # fmt: skip
    assert (second["number"], second["told_at"]) == ("D-1-S2", "")


async def test_discrepancies_and_what_came_back(office: Office) -> None:
    world = complained("D-1", ("damage", "carrier", 2, ""), ("return", "customer", 3, ""))
    number = world.deal.receivables[0].number
    returned = {"act": 2, "measure": "return", "prevention": "ask before sending", "invoice": number}
    world.do("account_manager", "settle_discrepancy", **returned)
    await office.store(world)
    deal = (await office.get("production", "/v1/deals/D-1")).json()
    damaged, back = deal["discrepancies"]
    assert (damaged["kind"], damaged["cause"], damaged["state"]) == ("damage", "carrier", "open")
    assert damaged["lines"] == [{"line": 1, "quantity": 2}]
    assert (back["measure"], back["prevention"]) == ("return", "ask before sending")
    assert [line["returned"] for line in deal["lines"]] == [3, 0]


async def test_a_line_that_is_short_says_who_has_to_answer(office: Office) -> None:
    world = short()
    world.do("account_manager", "choose_option", line=1, option="wait")
    await office.store(world)
    first, second = (await office.get("logistics_manager", "/v1/deals/D-1")).json()["lines"]
    lasting = first["shortage"]
    assert (lasting["rung"], lasting["role"], lasting["promised_on"]) == ("wait", "logistics_manager", "2026-01-20")
    assert lasting["due_at"] > "2026-01-20"
    assert (lasting["settled_at"], second["shortage"]) == ("", None)


@pytest.mark.parametrize("role", ["account_manager", "sales_support", *BLIND])
async def test_amendments_as_roles_see_them(office: Office, role: str) -> None:
    world = entered(another(), LINES)
    changes = [{"kind": "quantity", "line": 1, "quantity": 8}, {"kind": "price", "line": 2, "unit_price_minor": 9_800}]
    world.do("account_manager", "request_amendment", changes=changes, reason="they pay 98.00 elsewhere")
    await office.store(world)
    answer = await office.get(role, "/v1/deals/D-1")
    (asked,) = answer.json()["amendments"]
    assert (asked["number"], asked["state"], asked["units_released"]) == (1, "requested", 2)
    blind = role in BLIND
    assert [change["kind"] for change in asked["changes"]] == (["quantity"] if blind else ["quantity", "price"])
    assert asked["total"] == (None if blind else {"amount_minor": -24_990, "currency": "EUR"})
    assert asked["reason"] == ("" if blind else "they pay 98.00 elsewhere")
    assert asked["changes"][0]["quantity_after"] == 8
    assert "cost" not in answer.text


@pytest.mark.parametrize("role", BLIND)
async def test_goods_departments_see_no_price_of_a_desk_deal(office: Office, role: str) -> None:
    """The desk's own view, which the command line prints whole, must hide what the API's page does not have."""
    world = short(analogues={"A-1": "B-1"})
    world.do("account_manager", "propose_analogue", line=1, article="B-1")
    world.do("account_manager", "choose_option", line=1, option="buy_in")
    await office.store(world)
    person = await office.desk.books.people.get(f"u-{role}")
    assert person is not None
    deal = await office.desk.reading.deal(caller_of(person), "D-1")
    text = str(deal)
    assert not [word for word in ("_minor", "cost", "margin", "score", "_bps") if word in text]
    timeline = (await office.get(role, "/v1/deals/D-1/timeline")).json()["entries"]
    (chosen,) = [entry for entry in timeline if entry["action"] == "choose_option"]
    assert [event["tag"] for event in chosen["events"]][:2] == ["rung_answered", "option_chosen"]
    assert "minor" not in str(timeline)


async def test_actions_of_the_desk_do_not_tell_prices(office: Office) -> None:
    world = entered(another(), LINES)
    changes = [{"kind": "add", "article": "A-3", "quantity": 7, "unit_price_minor": 9_000}]
    world.do("account_manager", "request_amendment", changes=changes, reason="more")
    await office.store(world)
    actions = (await office.get("logistics_manager", "/v1/deals/D-1/actions")).json()["items"]
    (confirm,) = [one for one in actions if one["action"] == "confirm_amendment"]
    found = {guard["guard"]: guard["found"] for guard in confirm["failing"]}
    assert found["amendment_within_authority"] == "(not shown to this role)"
