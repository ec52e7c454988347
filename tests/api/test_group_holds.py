"""A customer group on credit hold, as the API explains it: before an act, in a dry run, and to those who send goods."""

from typing import Any

import pytest

from infra.gateways.credit_book import SqlCreditBook
from infra.stores.policies import PolicyVersion
from models import codec
from models.messages.finance import GroupHoldInput
from models.policy import GOODS
from tests.api.conftest import Office
from tests.models.world import World, delivered, entered, offered

AT = "2026-03-01T08:00:00Z"
FOUND = "D-9 invoice 2026-000007 since 2026-03-01"
LIFTED_BY = [
    "accounts_receivable: record_payment on 2026-000007",
    "accounts_receivable, risk_officer, legal, head_of_sales or commercial_director: resume (credit) on D-9",
]


async def held(office: Office, on: bool = True, deal: str = "D-9", **changes: Any) -> None:
    """Another deal holds the group g-1, to which the customer of D-1 belongs; or does so no more."""
    book = SqlCreditBook(office.desk.books.database)
    fields: dict[str, Any] = {"invoice": "2026-000007", "reason": "late", "at": AT, "is_test": True} | changes
    await book.set_hold(GroupHoldInput(f"{deal}-{on}-{fields['invoice']}", "g-1", deal, "c-2", on=on, **fields))


async def why(office: Office, role: str, action: str) -> dict[str, Any]:
    answer = await office.get(role, "/v1/deals/D-1/actions")
    found: dict[str, Any] = next(one for one in answer.json()["items"] if one["action"] == action)
    return found


@pytest.mark.parametrize("role", ["account_manager", "head_of_sales"])
async def test_why_not_and_who_can(office: Office, role: str) -> None:
    await office.store(offered(World()))
    await held(office)
    told = await why(office, role, "accept_offer")
    assert (told["allowed"], told["code"], told["unchecked"]) == (False, "guard_failed", ["headroom_is_available"])
    assert told["why"] == f"needs no credit hold on the customer's group, found {FOUND}"
    assert told["failing"][0]["lifted_by"] == LIFTED_BY
    await held(office, on=False)
    assert (await why(office, role, "accept_offer"))["allowed"]


async def test_who_sends_goods_learns_the_same_without_a_price(office: Office) -> None:
    await office.store(entered(World()))
    await held(office)
    told = await why(office, "logistics_manager", "ship")
    assert (told["failing"][0]["guard"], told["failing"][0]["found"]) == ("group_is_not_on_hold", FOUND)


async def test_a_dry_run_asks_the_credit_book_and_changes_nothing(office: Office) -> None:
    world = await office.store(entered(World()))
    path = "/v1/deals/D-1/actions/ship?dry_run=true"
    assert (await office.post("logistics_manager", path)).status_code == 200
    await held(office)
    answer = await office.post("logistics_manager", path)
    assert answer.status_code == 409
    assert [one["guard"] for one in answer.json()["blocked"]["failing"]] == ["group_is_not_on_hold"]
    row = await office.desk.books.deals.get("D-1")
    assert row is not None
    assert row["version"] == world.deal.version


async def test_a_real_deal_does_not_hold_a_test_deal(office: Office) -> None:
    await office.store(offered(World()))
    await held(office, is_test=False)
    assert (await why(office, "account_manager", "accept_offer"))["allowed"]


async def test_deals_of_earlier_rules_are_not_held(office: Office) -> None:
    earlier = PolicyVersion(GOODS.version, codec.encode(GOODS), "2020-01-01T00:00:00Z")
    await office.desk.books.policies.store.add(earlier, AT)
    await office.store(entered(World(GOODS)))
    await held(office)
    told = await why(office, "logistics_manager", "ship")
    assert (told["allowed"], told["failing"]) == (True, [])
    assert (await office.post("logistics_manager", "/v1/deals/D-1/actions/ship?dry_run=true")).status_code == 200


async def test_the_list_of_held_groups_names_the_deals_that_one_sees(office: Office) -> None:
    await office.store(delivered(World()))
    await held(office, deal="D-1")
    await held(office, deal="D-1", invoice="", reason="bad news", at="2026-02-01T08:00:00Z")
    answer = (await office.get("accounts_receivable", "/v1/credit-holds")).json()
    assert [(one["invoice"], one["since"]) for one in answer["items"]] == [
        ("", "2026-02-01T08:00:00Z"), ("2026-000007", AT)
    ]  # fmt: skip
    assert answer["items"][1] == {
        "group": "g-1", "customer": "c-2", "deal_id": "D-1", "invoice": "2026-000007", "reason": "late", "since": AT,
        "owner": "u-account_manager", "is_test": True,
    }  # fmt: skip
    first = (await office.get("account_manager", "/v1/credit-holds", limit=1)).json()
    rest = (await office.get("account_manager", "/v1/credit-holds", cursor=first["next_cursor"])).json()
    assert [*first["items"], *rest["items"]] == answer["items"]
    for nothing in ({"group": "g-2"}, {"test": False}):
        assert (await office.get("accounts_receivable", "/v1/credit-holds", **nothing)).json()["items"] == []
    assert (await office.get("stranger", "/v1/credit-holds")).json()["items"] == []
