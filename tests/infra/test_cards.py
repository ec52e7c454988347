"""Customer cards and articles: adding, changing, importing again, and who sees them."""

import pytest

from infra.privacy.vault import Vault
from infra.stores.articles import ArticleStore
from infra.stores.customers import CustomerStore
from infra.stores.people import PeopleStore, Person
from infra.stores.upserts import AlreadyStands, UnknownColumn
from models.visibility import EVERYTHING, Scope
from tests.infra.deal_samples import START

LATER = "2026-04-01T00:00:00Z"


def card(number: int, **more):
    return {"id": f"c-{number}", "name": f"Fabbrica {number}", "currency": "EUR", "group_id": "", **more}


def contact(number: int):
    return {"id": f"p-{number}", "name": "Ö. Kunde", "role": "buyer", "email": "kunde@example.com"}


async def test_a_card_gets_defaults_and_keeps_its_contacts(database, tmp_path):
    customers = CustomerStore(database, Vault(tmp_path))
    await customers.create(card(1), START, [contact(1)])
    found = await customers.get("c-1")
    assert found is not None
    assert (found["group_id"], found["language"], found["blocked"], found["financials"]) == ("c-1", "en", False, None)
    assert found["contacts"][0]["name"] == "Ö. Kunde"
    assert await customers.get("c-2") is None
    with pytest.raises(AlreadyStands):
        await customers.create(card(1), START)
    await customers.put_contacts("c-1", [{**contact(1), "phone": "+39 011"}, contact(2)], LATER)
    found = await customers.get("c-1")
    assert found is not None
    assert [p["phone"] for p in found["contacts"]] == ["+39 011", ""]


async def test_an_import_brings_cards_up_to_date(database, tmp_path):
    customers = CustomerStore(database, Vault(tmp_path))
    await customers.put_many([card(n) for n in range(3)], START)
    await customers.put_many([card(n, segment="retail") for n in range(1, 5)], LATER)
    rows = (await customers.page(EVERYTHING, {"segment": "retail"})).rows
    assert [(row["id"], row["created_at"]) for row in rows] == [
        ("c-1", START),
        ("c-2", START),
        ("c-3", LATER),
        ("c-4", LATER),
    ]
    await customers.put_many([], LATER)


async def test_changing_a_card(database, tmp_path):
    customers = CustomerStore(database, Vault(tmp_path))
    await customers.create(card(1), START)
    changed = await customers.change("c-1", {"blocked": True, "id": "c-9"}, LATER)
    assert changed is not None
    assert (changed["id"], changed["blocked"], changed["updated_at"]) == ("c-1", True, LATER)
    assert await customers.change("c-2", {"blocked": True}, LATER) is None


@pytest.mark.parametrize("wrong", [{"colour": "red"}, {"currency": None}])
async def test_a_card_with_odd_columns_is_refused(database, wrong, tmp_path):
    incomplete = {k: v for k, v in {**card(1), **wrong}.items() if v is not None}
    with pytest.raises(UnknownColumn):
        await CustomerStore(database, Vault(tmp_path)).create(incomplete, START)


@pytest.mark.parametrize(
    ("scope", "found"),
    [
        (Scope("own", "anna", "north"), ["c-1"]),
        (Scope("department", "head", "north"), ["c-1", "c-2"]),
        (Scope("none", "anna", "north"), []),
        (EVERYTHING, ["c-1", "c-2", "c-3", "c-4"]),
    ],
)
async def test_a_customer_is_seen_by_who_may_see_its_owner(database, scope, found, tmp_path):
    people = [Person("anna", "A", ("account_manager",), "north"), Person("boris", "B", ("account_manager",), "north")]
    await PeopleStore(database).put_many([*people, Person("cleo", "C", ("account_manager",), "south")], START)
    customers = CustomerStore(database, Vault(tmp_path))
    owners = ("anna", "boris", "cleo", "")
    await customers.put_many([card(n, owner=owner) for n, owner in enumerate(owners, 1)], START)
    assert [row["id"] for row in (await customers.page(scope)).rows] == found
    assert [f"c-{n}" for n in range(1, 5) if await customers.get(f"c-{n}", scope)] == found


async def test_customers_are_paged_by_name(database, tmp_path):
    customers = CustomerStore(database, Vault(tmp_path))
    names = ["a", "a", "b\u00a0c", "É", "日本"]
    await customers.put_many([card(n, name=name) for n, name in enumerate(names)], START)
    seen, cursor = [], ""
    for _ in names:
        page = await customers.page(EVERYTHING, cursor=cursor, limit=1)
        seen += [row["id"] for row in page.rows]
        cursor = page.next_cursor
    assert cursor == ""
    assert sorted(seen) == [f"c-{n}" for n in range(5)]


def price(article: str, minor: int, valid_from="2026-01-01"):
    return {
        "article_id": article,
        "currency": "EUR",
        "list_price_minor": minor,
        "cost_minor": minor // 2,
        "valid_from": valid_from,
    }


async def test_articles_and_prices(database):
    articles = ArticleStore(database)
    await articles.create({"id": "a-1", "description": "Pump", "tax_bps": 2200}, [price("a-1", 900)])
    with pytest.raises(AlreadyStands):
        await articles.create({"id": "a-1", "description": "Pump"})
    await articles.put_many(
        [{"id": "a-1", "description": "Pump 40"}, {"id": "a-2", "description": "Valve", "series": "v"}],
        [price("a-1", 1_000), price("a-1", 1_100, "2026-06-01")],
    )
    found = await articles.get("a-1")
    assert found is not None
    assert (found["description"], found["tax_bps"]) == ("Pump 40", 0)
    assert [p["list_price_minor"] for p in found["prices"]] == [1_100, 1_000]
    assert await articles.get("a-3") is None
    assert [row["id"] for row in (await articles.page(series="v")).rows] == ["a-2"]
    changed = await articles.change("a-2", {"active": False})
    assert changed is not None
    assert changed["active"] is False
    assert await articles.change("a-3", {"active": False}) is None
    assert [row["id"] for row in (await articles.page(active=True)).rows] == ["a-1"]


async def test_an_import_leaves_alone_what_it_does_not_name(database, tmp_path):
    customers = CustomerStore(database, Vault(tmp_path))
    await customers.put_many([card(1, blocked=True)], START)
    await customers.change("c-1", {"broken_promises": 2}, START)
    await customers.put_many([card(1, segment="retail", broken_promises=0)], LATER)
    row = await customers.get("c-1")
    assert row is not None
    assert (row["blocked"], row["broken_promises"], row["segment"]) == (True, 2, "retail")
