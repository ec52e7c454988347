"""Customers, products, stock and users: adding, changing, who may, and once per key; no engine is needed."""

import asyncio
from typing import Any

import pytest

from infra.gateways.stock_book import SqlStockBook
from models.messages.logistics import ReserveInput, StockLine
from tests.api.conftest import Office
from tests.journeys import BEGINNING

CUSTOMER = {"name": "Açelya Gıda", "currency": "EUR", "country": "TR", "contacts": [{"name": "A. B.", "role": "buyer"}]}
PRODUCT = {
    "id": "P-1",
    "description": "Pump",
    "tax_bps": 1_900,
    "prices": [
        {
            "list_price": {"amount_minor": 12_000, "currency": "EUR"},
            "cost": {"amount_minor": 7_000, "currency": "EUR"},
            "valid_from": "2026-01-01",
        }
    ],
}


async def test_a_customer_is_added_once_per_key(office: Office) -> None:
    first = await office.post("account_manager", "/v1/customers", CUSTOMER, key="c")
    again = await office.post("account_manager", "/v1/customers", CUSTOMER, key="c")
    other = await office.post("account_manager", "/v1/customers", {**CUSTOMER, "name": "B"}, key="c")
    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 409)
    assert again.json() == first.json()
    assert (again.headers["idempotent-replayed"], other.json()["code"]) == ("true", "key_reused")
    theirs = await office.post("stranger", "/v1/customers", CUSTOMER, key="c")
    assert theirs.json()["id"] != first.json()["id"]


async def test_one_key_at_the_same_moment(office: Office) -> None:
    answers = await asyncio.gather(
        *(office.post("account_manager", "/v1/customers", CUSTOMER, key="same") for _ in range(5))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1


async def test_customers_are_seen_by_their_owners(office: Office) -> None:
    made = (await office.post("account_manager", "/v1/customers", CUSTOMER)).json()
    assert (await office.get("stranger", f"/v1/customers/{made['id']}")).status_code == 404
    assert (await office.get("head_of_sales", f"/v1/customers/{made['id']}")).status_code == 200
    assert made["contacts"][0]["name"] == "A. B."
    blind = (await office.get("logistics_manager", f"/v1/customers/{made['id']}")).json()
    assert (blind["name"], blind["contacts"], blind["financials"]) == (CUSTOMER["name"], [], None)
    listed = (await office.get("stranger", "/v1/customers")).json()["items"]
    assert listed == []


async def test_changing_a_customer(office: Office) -> None:
    made = (await office.post("account_manager", "/v1/customers", CUSTOMER)).json()["id"]
    path = f"/v1/customers/{made}"

    async def change(role: str, body: dict[str, Any]) -> int:
        return (await office.http.patch(path, json=body, headers=office.headers(role))).status_code

    assert await change("account_manager", {"segment": "food"}) == 200
    assert await change("account_manager", {"blocked": True}) == 403
    assert await change("risk_officer", {"blocked": True}) == 200
    assert await change("stranger", {"segment": "x"}) == 404
    assert await change("account_manager", {"name": None}) == 422
    assert await change("account_manager", {"founded_on": "2026-02-30"}) == 422
    assert await change("account_manager", {"owner": "u-stranger"}) == 403
    assert await change("head_of_sales", {"owner": "u-stranger"}) == 200
    card = (await office.get("stranger", path)).json()
    assert (card["segment"], card["blocked"], card["owner"]) == ("food", True, "u-stranger")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "a\x00"),
        ("currency", "eur"),
        ("country", "Germany"),
        ("founded_on", "1990-13-01"),
        ("founded_on", "19900101"),
        ("financials", {"ebit_minor": 1}),
        ("contacts", [{"name": "x"}]),
        ("contacts", [{"name": "x", "role": "y"}] * 51),
        ("surprise", 1),
    ],
)
async def test_cards_that_are_wrong(office: Office, field: str, value: Any) -> None:
    answer = await office.post("account_manager", "/v1/customers", {**CUSTOMER, field: value})
    assert answer.status_code == 422, answer.text
    assert any(error["field"].startswith(field) for error in answer.json()["errors"])


async def test_products_and_prices(office: Office) -> None:
    assert (await office.post("account_manager", "/v1/products", PRODUCT)).status_code == 403
    made = await office.post("admin", "/v1/products", PRODUCT)
    assert made.status_code == 201
    taken = await office.post("admin", "/v1/products", {**PRODUCT, "description": "Other"})
    assert (taken.status_code, taken.json()["code"]) == (409, "already_exists")
    later = {**PRODUCT["prices"][0], "valid_from": "2026-06-01"}  # type: ignore[index]
    assert (await office.post("admin", "/v1/products/P-1/prices", later)).status_code == 201
    mixed = {**later, "cost": {"amount_minor": 1, "currency": "USD"}}
    assert (await office.post("admin", "/v1/products/P-1/prices", mixed)).status_code == 422
    seen = (await office.get("accounts_receivable", "/v1/products/P-1")).json()["prices"]
    assert [(price["valid_from"], price["cost"]) for price in seen] == [("2026-06-01", None), ("2026-01-01", None)]
    assert (await office.get("account_manager", "/v1/products/P-1")).json()["prices"][0]["cost"][
        "amount_minor"
    ] == 7_000


async def test_goods_arrive_once(office: Office) -> None:
    receipt = {"article": "A-5", "warehouse": "central", "quantity": 7}
    for _ in range(2):
        answer = await office.post("logistics_manager", "/v1/stock/receipts", receipt, key="r-1")
        assert (answer.status_code, answer.json()["woken"]) == (201, 0)
    levels = (await office.get("production", "/v1/stock", article="A-5")).json()["items"]
    assert [(level["warehouse"], level["on_hand"]) for level in levels] == [("central", 7)]
    assert (await office.post("account_manager", "/v1/stock/receipts", receipt)).status_code == 403
    nowhere = await office.post("logistics_manager", "/v1/stock/receipts", {**receipt, "warehouse": "moon"})
    assert nowhere.json()["errors"][0]["field"] == "warehouse"
    unknown = await office.post("logistics_manager", "/v1/stock/receipts", {**receipt, "article": "X"})
    assert unknown.json()["errors"][0]["field"] == "article"
    for quantity in (0, -1, 1.5, "7", 10**12, True):
        wrong = await office.post("logistics_manager", "/v1/stock/receipts", {**receipt, "quantity": quantity})
        assert wrong.status_code == 422, quantity
    assert (await office.get("auditor", "/v1/stock/verification")).json()["sound"] is True


async def test_goods_come_in_though_nobody_can_be_told_of_them(office: Office) -> None:
    asked = ReserveInput("k", "D-1", "", (StockLine(1, "A-5", 9),), BEGINNING, "2026-12-31T00:00:00Z", waits=True)
    await SqlStockBook(office.desk.books.database).reserve(asked)
    receipt = {"article": "A-5", "warehouse": "central", "quantity": 7}
    answer = await office.post("logistics_manager", "/v1/stock/receipts", receipt)
    assert (answer.status_code, answer.json()["woken"]) == (201, 0), "the engine is down"
    levels = (await office.get("production", "/v1/stock", article="A-5")).json()["items"]
    assert [(level["on_hand"], level["reserved"]) for level in levels] == [(7, 7)]


async def test_warehouses_name_their_country(office: Office) -> None:
    await office.desk.books.intake.add_warehouse("berlin", "Berlin", "branch", "DE")
    shown = (await office.get("production", "/v1/stock/warehouses")).json()["items"]
    assert [(warehouse["id"], warehouse["country"]) for warehouse in shown] == [("berlin", "DE"), ("central", "")]


async def test_the_verification_shows_what_the_line_of_a_deal_lacks(office: Office) -> None:
    asked = ReserveInput("k", "D-1", "", (StockLine(1, "A-2", 2),), BEGINNING, "2026-12-31T00:00:00Z")
    await SqlStockBook(office.desk.books.database).reserve(asked)
    async with office.desk.books.database.begin() as connection:
        await connection.exec_driver_sql(
            "INSERT INTO stock_waiting (deal_id, line, article, branch, quantity, allocated, since, expires_after,"
            f" set_aside_at) VALUES ('D-1', 1, 'A-2', '', 0, 3, '{BEGINNING}', 0, '')"
        )
    verdict = (await office.get("auditor", "/v1/stock/verification")).json()
    assert verdict == {
        "sound": False,
        "differences": [{"where": "D-1 line 1, A-2", "what": "set aside", "expected": 2, "found": 3}],
    }


async def test_pages_of_stock_join(office: Office) -> None:
    seen, cursor = [], ""
    while True:
        page = (await office.get("production", "/v1/stock", limit=1, cursor=cursor)).json()
        seen += [level["article"] for level in page["items"]]
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert seen == ["A-1", "A-2", "A-3", "A-4"]


async def test_a_new_user_gets_a_key_that_is_shown_once(office: Office) -> None:
    asked = {"id": "lena", "name": "Lena", "roles": ["legal"], "department": "north"}
    made = await office.post("admin", "/v1/users", asked, key="u")
    again = await office.post("admin", "/v1/users", asked, key="u")
    assert made.json()["api_key"].startswith(made.json()["api_key_prefix"])
    assert again.json()["api_key"] is None
    key = made.json()["api_key"]
    me = await office.http.get("/v1/me", headers={"X-API-Key": key})
    known = {"user": "lena", "roles": ["legal"], "department": "north", "on_behalf_of": "", "sees": "all"}
    assert me.json() == known
    new = (await office.post("admin", "/v1/users/lena/keys")).json()["api_key"]
    assert (await office.http.get("/v1/me", headers={"X-API-Key": key})).status_code == 401
    off = await office.http.patch("/v1/users/lena", json={"active": False}, headers=office.headers("admin"))
    assert off.json()["active"] is False
    assert (await office.http.get("/v1/me", headers={"X-API-Key": new})).status_code == 401
    async with office.desk.books.database.read() as connection:
        stored = (await connection.exec_driver_sql("select * from commands")).all()
    assert not [row for row in stored if key in str(row) or new in str(row)]


async def test_users_are_the_admins(office: Office) -> None:
    asked = {"id": "x", "name": "X", "roles": ["admin"]}
    assert (await office.post("head_of_sales", "/v1/users", asked)).status_code == 403
    for role in ("system", "king", ""):
        assert (await office.post("admin", "/v1/users", {**asked, "roles": [role]})).status_code == 422
    mine = await office.http.patch("/v1/users/u-admin", json={"roles": ["legal"]}, headers=office.headers("admin"))
    assert (mine.status_code, mine.json()["code"]) == (409, "locks_out")


async def test_policies_are_no_business_of_goods_departments(office: Office) -> None:
    await office.desk.books.policies.active("2026-01-01T00:00:00Z")
    listed = (await office.get("account_manager", "/v1/policies")).json()["items"]
    version = listed[0]["version"]
    assert (await office.get("auditor", f"/v1/policies/{version}")).json()["body"]["margin_floor"] == 800
    assert (await office.get("production", "/v1/policies")).status_code == 403
