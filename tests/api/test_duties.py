"""Separation of duties by API: master data takes two, conflicts are found, and who could do what on a day is told."""

import asyncio
from typing import Any

import pytest
from httpx2 import Response

from infra.stores.audit import AuditStore
from models.instants import DAY, plus
from models.policy import GOODS
from tests.api.conftest import Office
from tests.models.test_duties import ALL_IN_ONE
from tests.models.world import LINES, World, signed

DIRECTOR = "commercial_director"
"""May do both: change cards, and fix limits."""


async def change_card(office: Office, role: str, customer: str = "c-1", **changes: Any) -> Response:
    asked = changes or {"segment": "pumps"}
    return await office.http.patch(f"/v1/customers/{customer}", json=asked, headers=office.headers(role))


async def fix_limit(office: Office, role: str, group: str = "g-1", minor: int = 5_000, key: str = "") -> Response:
    asked = {"group": group, "currency": "EUR", "limit_minor": minor}
    return await office.post(role, "/v1/credit-limits", asked, key)


def blocked(answer: Response) -> tuple[int, str, str]:
    (failing,) = answer.json()["blocked"]["failing"]
    return answer.status_code, failing["guard"], failing["found"].partition(" at ")[0]


async def leaves(office: Office, kind: str) -> list[dict[str, Any]]:
    return [leaf["body"] for leaf in (await office.get("auditor", "/v1/audit/leaves", kind=kind)).json()["items"]]


async def test_who_changed_the_card_does_not_say_how_much_the_customer_may_owe(office: Office) -> None:
    assert (await change_card(office, DIRECTOR)).status_code == 200
    answer = await fix_limit(office, DIRECTOR)
    assert blocked(answer) == (
        409, "duties_are_separate", "customer_master_and_credit_limit: u-commercial_director did customer",
    )  # fmt: skip
    assert answer.json()["blocked"]["failing"][0]["lifted_by"] == ["another person with the role"]
    assert (await fix_limit(office, "risk_officer")).status_code == 201
    refusals = (await office.get("auditor", "/v1/audit/leaves", kind="refusal")).json()["items"]
    assert len(refusals) == 1, "the refusal is on record"
    assert [leaf["by"] for leaf in await leaves(office, "credit_limit")] == ["u-risk_officer"], "and left no limit"


async def test_who_fixed_the_limit_does_not_change_the_card_but_may_block_the_customer(office: Office) -> None:
    assert (await fix_limit(office, DIRECTOR)).status_code == 201
    assert blocked(await change_card(office, DIRECTOR))[1] == "duties_are_separate"
    assert (await change_card(office, DIRECTOR, blocked=True)).status_code == 200
    card = {"name": "New", "currency": "EUR", "id": "c-new", "group": "g-1"}
    assert blocked(await office.post(DIRECTOR, "/v1/customers", card))[1] == "duties_are_separate"
    assert (await office.get("auditor", "/v1/customers/c-new")).status_code == 404, "nothing was written"
    assert (await change_card(office, "head_of_sales")).status_code == 200


async def test_blocking_a_customer_is_the_risk_officers_own_work_and_stands_against_nothing(office: Office) -> None:
    assert (await change_card(office, "risk_officer", blocked=True)).status_code == 200
    assert (await fix_limit(office, "risk_officer")).status_code == 201


async def test_other_groups_and_machines_are_not_concerned(office: Office) -> None:
    assert (await change_card(office, DIRECTOR)).status_code == 200
    assert (await fix_limit(office, DIRECTOR, "g-2")).status_code == 201
    assert (await change_card(office, "automation")).status_code == 200


async def test_after_the_window_it_is_free_again(office: Office) -> None:
    now = office.desk.clock()
    await change_card(office, DIRECTOR)
    office.desk.clock = lambda: plus(now, 31 * DAY)
    assert (await fix_limit(office, DIRECTOR)).status_code == 201


async def test_of_both_halves_at_once_only_one_is_done(office: Office) -> None:
    """Whoever comes second waits for the first one's leaf, and sees it."""
    for round_ in range(4):
        group = {"name": "New", "currency": "EUR", "id": f"c-x{round_}", "group": f"g-x{round_}"}
        assert (await office.post("head_of_sales", "/v1/customers", group)).status_code == 201
        halves = [change_card(office, DIRECTOR, f"c-x{round_}"), fix_limit(office, DIRECTOR, f"g-x{round_}")]
        answers = await asyncio.gather(*(halves if round_ % 2 else reversed(halves)))
        assert sorted(answer.status_code < 300 for answer in answers) == [False, True]
    assert (await AuditStore(office.desk.books.database).verify()).sound


async def test_a_deputy_of_who_changed_the_card_is_barred(office: Office) -> None:
    await change_card(office, "head_of_sales")
    body = {"absent": "u-head_of_sales", "deputy": "u-risk_officer", "until": plus(office.desk.clock(), DAY)}
    assert (await office.post("admin", "/v1/deputies", body)).status_code == 201
    assert blocked(await fix_limit(office, "risk_officer"))[2].endswith("u-head_of_sales did customer")


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"limit_minor": -1}, "limit_minor"),
        ({"limit_minor": 10**15}, "limit_minor"),
        ({"currency": "eur"}, "currency"),
        ({"group": ""}, "group"),
        ({"group": "\x00"}, "group"),
    ],
)
async def test_a_limit_that_cannot_be_is_refused(office: Office, asked: dict[str, Any], field: str) -> None:
    usual = {"group": "g-1", "currency": "EUR", "limit_minor": 5}
    answer = await office.post("risk_officer", "/v1/credit-limits", usual | asked)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_limits_are_fixed_once_per_key_listed_and_not_for_everybody(office: Office) -> None:
    first = await fix_limit(office, "risk_officer", key="l")
    again = await fix_limit(office, "risk_officer", key="l")
    assert (first.json(), again.headers["Idempotent-Replayed"]) == (again.json(), "true")
    assert first.json() == {
        "group": "g-1", "currency": "EUR", "limit_minor": 5_000, "reserved_minor": 0, "fixed_by": "u-risk_officer",
    }  # fmt: skip
    listed = await office.get("auditor", "/v1/credit-limits", group="g-1")
    assert listed.json()["items"] == [first.json()]
    (leaf,) = await leaves(office, "credit_limit")
    assert (leaf["old_minor"], leaf["new_minor"], leaf["group"]) == (None, 5_000, "g-1")
    for role in ("account_manager", "auditor", "logistics_manager", "accounts_receivable"):
        assert (await fix_limit(office, role)).status_code == 403
    assert (await office.get("logistics_manager", "/v1/credit-limits")).status_code == 403


async def test_changes_of_cards_leave_the_names_of_fields_and_never_values(office: Office) -> None:
    await change_card(office, "head_of_sales", segment="pumps", name="Renamed Ltd")
    leaf = (await leaves(office, "customer"))[-1]
    assert (leaf["id"], leaf["group"], leaf["fields"], leaf["by"]) == (
        "c-1", "g-1", ["name", "segment"], "u-head_of_sales",
    )  # fmt: skip
    assert "Renamed" not in str(leaf)


async def test_nobody_gives_rights_to_themselves(office: Office) -> None:
    roles = {"roles": ["admin", "head_of_sales"]}
    answer = await office.http.patch("/v1/users/u-admin", json=roles, headers=office.headers("admin"))
    assert (answer.status_code, answer.json()["code"]) == (409, "grants_oneself")
    other = await office.http.patch("/v1/users/u-legal", json=roles, headers=office.headers("admin"))
    assert other.status_code == 200


async def test_a_credit_decision_on_a_deal_is_barred_to_who_works_on_the_card(works: Office) -> None:
    opened = await works.post("account_manager", "/v1/deals", {"title": "Weak", "customer": "c-1", "is_test": True})
    deal = opened.json()["deal_id"]
    await change_card(works, DIRECTOR)
    answer = await works.act(DIRECTOR, deal, "approve_reliability", {
        "credit_limit_minor": 5, "payment_days": 0, "reason": "fine",
    })  # fmt: skip
    assert blocked(answer)[1] == "duties_are_separate"
    assert await works.refusals(deal) == ["guard_failed"]


# -------------------------------------------------------------------------------------------------- what is found


async def test_conflicts_of_the_past_are_found_and_told_to_auditors_alone(office: Office) -> None:
    world = signed(World(GOODS))  # the second rules did not refuse it
    world.do("account_manager", "accept_order")
    world.act(ALL_IN_ONE, "enter_order", lines=[{**line, "unit_price_minor": 10_000} for line in LINES])
    world.act(ALL_IN_ONE, "ship")
    await office.store(world)
    nothing = (await office.get("auditor", "/v1/audit/conflicts")).json()
    assert (nothing["cases"], nothing["findings"]) == (0, []), "test deals are left out"
    found = (await office.get("auditor", "/v1/audit/conflicts", test_deals=True)).json()
    (finding,) = found["findings"]
    assert (finding["rule"], finding["people"], finding["case"]) == ("order_entry_and_goods_release", ["u-all"], "D-1")
    assert [act["activity"] for act in finding["acts"]] == ["enter_order", "ship"]
    day = finding["acts"][1]["at"][:10]
    for period, count in ({"from": day, "to": day}, 1), ({"from": "2027-01-01"}, 0), ({"to": "2025-12-31"}, 0):
        answer = await office.get("auditor", "/v1/audit/conflicts", test_deals=True, **period)
        assert len(answer.json()["findings"]) == count
    for customer, cases in (("c-1", 1), ("g-1", 1), ("c-9", 0)):
        answer = await office.get("auditor", "/v1/audit/conflicts", test_deals=True, customer=customer)
        assert answer.json()["cases"] == cases
    for role in ("admin", "head_of_sales", "account_manager", "commercial_director"):
        assert (await office.get(role, "/v1/audit/conflicts")).status_code == 403


@pytest.mark.parametrize("period", [{"from": "soon"}, {"to": "2026-02-30"}, {"from": "2026-02-02", "to": "2026-02-01"}])
async def test_a_period_that_is_none_is_refused(office: Office, period: dict[str, str]) -> None:
    assert (await office.get("auditor", "/v1/audit/conflicts", **period)).status_code == 422


async def test_the_rules_can_be_read(office: Office) -> None:
    told = (await office.get("auditor", "/v1/audit/duties")).json()
    (rule,) = (each for each in told["conflicts"] if each["name"] == "customer_master_and_credit_limit")
    assert (rule["within"], rule["prevented_by"], rule["scope"]) == (30, "desk", "customer")
    assert {rule["first"], rule["second"]} <= {duty["name"] for duty in told["duties"]}
    assert (await office.get("legal", "/v1/audit/duties")).status_code == 403


async def test_who_could_do_what_on_a_day_of_the_past(office: Office) -> None:
    roles = {"roles": ["sales_support", "logistics_manager"]}
    await office.http.patch("/v1/users/u-legal", json=roles, headers=office.headers("admin"))
    today = office.desk.clock()[:10]
    before = (await office.get("auditor", "/v1/audit/rights", on="2026-01-01", user="u-legal")).json()["items"]
    assert [(row["roles"], [each["rule"] for each in row["toxic"]]) for row in before] == [
        (["legal"], ["contract_writing_and_release"])
    ]
    *_, now = (await office.get("admin", "/v1/audit/rights", on=today, user="u-legal")).json()["items"]
    assert now["roles"] == ["sales_support", "logistics_manager"]
    assert "order_entry_and_goods_release" in [each["rule"] for each in now["toxic"]]
    assert {"enter_order", "ship"} <= set(now["acts"])
    able = (await office.get("auditor", "/v1/audit/rights", on="2026-01-01", action="ship")).json()["items"]
    assert {row["user"] for row in able} == {"u-logistics_manager", "u-automation"}
    assert (await office.get("auditor", "/v1/audit/rights", on="2020-01-01")).json()["items"] == []
    assert (await office.get("auditor", "/v1/audit/rights", on="yesterday")).status_code == 422
    assert (await office.get("auditor", "/v1/audit/rights", action="fly")).status_code == 422
    assert (await office.get("head_of_sales", "/v1/audit/rights")).status_code == 403
