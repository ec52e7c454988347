"""Dry runs with their effects: what would happen, what others would be asked, what an amendment comes to."""

from typing import Any

import pytest

from infra.desk.callers import Caller
from infra.desk.previews import preview_of
from models.command import Command, Facts
from models.deal import decide
from models.messages.sales import QuoteResult
from tests.api.conftest import Office
from tests.api.desks import LINES, another, short
from tests.models.deals import WEAK
from tests.models.story import prepaid
from tests.models.world import PEOPLE, World, contacted, entered, offered, signed

SALES = Caller("u-account_manager", ("account_manager",))
LOGISTICS = Caller("u-logistics_manager", ("logistics_manager",))


async def rehearsed(office: Office, role: str, action: str, **payload: Any) -> dict[str, Any]:
    answer = await office.post(role, f"/v1/deals/D-1/actions/{action}?dry_run=true", payload)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    assert told["dry_run"] is True
    return told


def eur(amount_minor: int) -> dict[str, Any]:
    return {"amount_minor": amount_minor, "currency": "EUR"}


def tags(preview: dict[str, Any]) -> list[str]:
    return [event["tag"] for event in preview["events"]]


async def test_events_and_effects_of_an_act(office: Office) -> None:
    world = await office.store(entered(another(), LINES))
    told = await rehearsed(office, "logistics_manager", "ship", lines=[{"line": 1, "quantity": 4}])
    preview = told["preview"]
    sent, duty = preview["events"]
    assert duty["tag"] == "duty_done"
    assert (sent["tag"], sent["number"]) == ("shipment_sent", "D-1-S1")
    assert sent["lines"] == [{"line": 1, "quantity": 4}]
    assert [effect["kind"] for effect in preview["effects"]] == ["ship_lines", "book_carriage"]
    assert preview["effects"][1]["data"] == {"shipment": "D-1-S1"}
    assert preview["amendment"] is None
    row = await office.desk.books.deals.get("D-1")
    assert row is not None
    assert row["version"] == world.deal.version == told["version"] - 1
    assert await office.desk.books.deals.children("D-1", "shipments") == []


async def test_an_act_that_is_carried_out_has_no_preview(office: Office) -> None:
    acted = (await office.http.get("/v1/openapi.json")).json()["components"]["schemas"]["Acted"]
    assert "preview" not in acted["properties"]
    await office.store(contacted(another()))
    assert "preview" in await rehearsed(office, "account_manager", "qualify")


async def test_what_an_amendment_would_come_to(office: Office) -> None:
    """Line 1 grows from 10 to 12 units of 100.00, line 2 goes: 5 units of 100.00; 19 % tax."""
    world = await office.store(entered(another(), LINES))
    changes = [{"kind": "quantity", "line": 1, "quantity": 12}, {"kind": "drop", "line": 2}]
    told = await rehearsed(office, "account_manager", "request_amendment", changes=changes, reason="a smaller site")
    assert tags(told["preview"]) == ["amendment_requested"]
    amendment = told["preview"]["amendment"]
    before = world.deal.headroom_minor
    assert {name: value for name, value in amendment.items() if name != "changes"} == {
        "number": 1, "order_version": 1, "net": eur(-30_000), "total": eur(-35_700), "units_added": 2,
        "units_released": 5, "headroom_before": eur(before), "headroom_after": eur(before - 35_700), "invoices": [],
    }  # fmt: skip
    assert [(c["kind"], c["line"], c["quantity_before"], c["quantity_after"]) for c in amendment["changes"]] == [
        ("quantity", 1, 10, 12), ("drop", 2, 5, 0)
    ]  # fmt: skip
    assert amendment["changes"][0]["price_after"] == eur(10_000)


async def test_the_preview_of_a_request_is_what_its_confirmation_does(office: Office) -> None:
    world = entered(another(), LINES)
    changes = [
        {"kind": "add", "article": "A-3", "quantity": 2},
        {"kind": "price", "line": 1, "unit_price_minor": 9_900},
    ]
    await office.store(world)
    asked = await rehearsed(office, "account_manager", "request_amendment", changes=changes, reason="more")
    world.do("account_manager", "request_amendment", changes=changes, reason="more")
    held = world.deal.headroom_minor
    world.do("account_manager", "confirm_amendment", channel="email", given_by="buyer")
    amendment = asked["preview"]["amendment"]
    assert amendment["headroom_before"] == eur(held)
    assert amendment["headroom_after"] == eur(world.deal.headroom_minor)
    assert world.deal.order
    assert amendment["order_version"] + 1 == world.deal.order.version


async def test_the_preview_of_a_confirmation(office: Office) -> None:
    world = entered(another(), LINES)
    world.do(
        "account_manager", "request_amendment", changes=[{"kind": "quantity", "line": 1, "quantity": 6}], reason="x"
    )
    await office.store(world)
    told = await rehearsed(office, "account_manager", "confirm_amendment", channel="email", given_by="buyer")
    preview = told["preview"]
    assert tags(preview)[:2] == ["amendment_decided", "order_amended"]
    assert {effect["kind"] for effect in preview["effects"]} == {"release_lines", "release_headroom"}
    assert preview["amendment"]["total"] == eur(-47_600)
    assert preview["amendment"]["headroom_after"] == eur(world.deal.headroom_minor - 47_600)
    assert preview["amendment"]["units_released"] == 4


@pytest.mark.parametrize(("quantity", "invoices"), [(12, [("prepayment", 23_800)]), (8, [("credit_note", 23_800)])])
async def test_a_prepaid_order_previews_its_invoices(office: Office, quantity: int, invoices: list[Any]) -> None:
    await office.store(prepaid(another(reliability=WEAK)))
    changes = [{"kind": "quantity", "line": 1, "quantity": quantity}]
    told = await rehearsed(office, "account_manager", "request_amendment", changes=changes, reason="x")
    found = told["preview"]["amendment"]["invoices"]
    assert [(one["kind"], one["amount"]["amount_minor"]) for one in found] == invoices
    assert [one["number"] for one in found] == (["2026-000001"] if quantity < 10 else [""])


async def test_an_order_that_differs_is_an_amendment(office: Office) -> None:
    world = signed(another(), LINES)
    world.do("account_manager", "accept_order")
    await office.store(world)
    lines = [{"article": "A-1", "quantity": 9, "unit_price_minor": 10_000}]
    told = await rehearsed(office, "sales_support", "enter_differing_order", lines=lines)
    changes = told["preview"]["amendment"]["changes"]
    assert [(c["kind"], c["article"]) for c in changes] == [("quantity", "A-1"), ("drop", "A-2")]
    assert told["preview"]["amendment"]["total"] == eur(-71_400)
    assert "cost_minor" not in str(told), "costs are sales' own"


async def test_sales_see_costs_in_a_preview_and_logistics_no_price(office: Office) -> None:
    await office.store(short())
    chosen = await rehearsed(office, "account_manager", "choose_option", line=1, option="buy_in")
    (option,) = [event["option"] for event in chosen["preview"]["events"] if event["tag"] == "option_chosen"]
    assert (option["extra_cost_minor"], option["margin_effect_minor"]) == (5_400, -5_400)
    machine = await rehearsed(office, "automation", "choose_option", line=1, option="buy_in")
    (option,) = [event["option"] for event in machine["preview"]["events"] if event["tag"] == "option_chosen"]
    assert set(option) == {"kind", "promised_on", "quantity", "rank", "article"}
    answered = await rehearsed(
        office, "logistics_manager", "answer_shortage", line=1, available_on="2026-01-14", quantity=6, source="buy_in"
    )
    assert tags(answered["preview"])[-2:] == ["source_named", "rung_entered"]
    assert "_minor" not in str(answered["preview"])


def preview_for(world: World, who: Caller, action: str, **payload: Any) -> dict[str, Any]:
    """What somebody would be shown of an account manager's act."""
    command = Command(action, PEOPLE["account_manager"], "k", payload)
    decision = decide(world.deal, command, world.policy, world.now, Facts(quote=QuoteResult((), 0, 0)))
    return preview_of(world.deal, command, decision, world.policy, world.now, who)


def test_letters_to_customers_are_not_for_goods_departments() -> None:
    """Letters say amounts in words, so that only their kind is told."""
    world, told = short(), {"line": 1, "channel": "phone", "agrees": True}
    for who, facts in ((SALES, {"article": "A-1", "available_on": "2026-01-20"}), (LOGISTICS, None)):
        preview = preview_for(world, who, "tell_customer", **told)
        (letter,) = [effect["data"] for effect in preview["effects"] if effect["kind"] == "send_letter"]
        assert (letter["kind"], letter.get("facts")) == ("availability_date", facts)


def test_an_amendment_previewed_to_goods_departments_tells_goods_alone() -> None:
    changes = [
        {"kind": "quantity", "line": 1, "quantity": 6},
        {"kind": "price", "line": 2, "unit_price_minor": 9_900},
        {"kind": "payment_days", "text": "20"},
        {"kind": "date", "line": 2, "text": "2026-02-02"},
    ]
    world = entered(another(), LINES)
    seen = preview_for(world, LOGISTICS, "request_amendment", changes=changes, reason="x")
    assert [change["kind"] for change in seen["amendment"]["changes"]] == ["quantity", "date"]
    assert set(seen["amendment"]) == {
        "number", "order_version", "changes", "units_added", "units_released", "invoices"
    }  # fmt: skip
    text = str(seen)
    assert not [word for word in ("minor", "price", "cost", "bps", "net", "total") if word in text]
    whole = preview_for(world, SALES, "request_amendment", changes=changes, reason="x")
    assert len(whole["amendment"]["changes"]) == 4


async def test_a_refused_rehearsal_says_why_and_is_not_recorded(office: Office) -> None:
    await office.store(offered(another()))
    answer = await office.post("account_manager", "/v1/deals/D-1/actions/ship?dry_run=true", {})
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state")
    assert await office.refusals("D-1") == []
