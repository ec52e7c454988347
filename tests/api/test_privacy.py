"""Erasing contacts over the API: who may, what is told, and what is refused."""

import asyncio

import pytest

from infra.privacy import installation_key
from infra.privacy.vault import Vault
from models.personal import ERASED
from tests.api.conftest import Office

CONTACTS = "/v1/customers/c-1/contacts"
ANNA = {"name": "Quendolina Marksteiner", "role": "billing", "email": "q.m@kunde.example", "phone": "+49 30 99887766"}
WHY = {"reason": "request 7"}


async def added(office: Office, **changes: str) -> str:
    answer = await office.post("account_manager", CONTACTS, ANNA | changes)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def test_a_contact_is_erased_once_and_listed(office: Office) -> None:
    persons = [await added(office, name=f"Person {n}") for n in range(3)]
    told = await asyncio.gather(*(office.post("admin", f"/v1/contacts/{persons[0]}/erasure", WHY) for _ in range(4)))
    assert {one.status_code for one in told} == {200}
    assert {one.json()["subject"] for one in told} == {persons[0]}
    keyed = [await office.post("admin", f"/v1/contacts/{persons[0]}/erasure", WHY, key="one") for _ in range(2)]
    assert keyed[1].headers["idempotent-replayed"] == "true"
    assert keyed[1].json() == keyed[0].json()
    other = await office.post("admin", f"/v1/contacts/{persons[1]}/erasure", WHY, key="one")
    assert (other.status_code, other.json()["code"]) == (409, "key_reused")
    assert (await office.post("admin", f"/v1/contacts/{persons[1]}/erasure", WHY)).json()["again"] is False
    first = (await office.get("admin", "/v1/erasures", limit=1)).json()
    rest = (await office.get("auditor", "/v1/erasures", cursor=first["next_cursor"])).json()
    assert {one["subject"] for one in first["items"] + rest["items"]} == set(persons[:2])
    card = (await office.get("account_manager", "/v1/customers/c-1")).json()
    assert sorted(one["name"] for one in card["contacts"]) == ["Person 2", ERASED, ERASED]
    assert (await office.get("auditor", "/v1/audit/verification")).json()["sound"] is True


async def test_a_repeated_request_makes_one_person_and_does_not_bring_one_back(office: Office) -> None:
    made = [await office.post("account_manager", CONTACTS, ANNA, key="one") for _ in range(2)]
    assert made[0].json() == made[1].json()
    assert made[1].headers["idempotent-replayed"] == "true"
    other = await office.post("account_manager", CONTACTS, ANNA | {"name": "Somebody Else"}, key="one")
    assert (other.status_code, other.json()["code"]) == (409, "key_reused")
    await office.post("admin", f"/v1/contacts/{made[0].json()['id']}/erasure", WHY)
    again = await office.post("account_manager", CONTACTS, ANNA, key="one")
    assert (again.status_code, again.json()["code"]) == (409, "erased")
    kept = str(await office.desk.books.commands.find("contacts:x", "one")) + again.text
    assert "Marksteiner" not in kept


@pytest.mark.parametrize("role", ["auditor", "account_manager", "head_of_sales", "logistics_manager", "legal"])
async def test_nobody_but_an_admin_erases(office: Office, role: str) -> None:
    answer = await office.post(role, "/v1/contacts/P-1/erasure", WHY)
    assert (answer.status_code, answer.json()["code"]) == (403, "wrong_role")


@pytest.mark.parametrize(
    ("person", "body", "status"),
    [
        ("nobody", WHY, 404),
        ("customer:c-1", WHY, 404),
        ("x" * 300, WHY, 404),
        ("%00", WHY, 404),
        ("nobody", {"reason": ""}, 422),
        ("nobody", {"reason": "   "}, 422),
        ("nobody", {"reason": "x" * 501}, 422),
        ("nobody", {"reason": 7}, 422),
        ("nobody", {}, 422),
        ("nobody", {**WHY, "more": 1}, 422),
    ],
)
async def test_what_is_asked_wrongly(office: Office, person: str, body: object, status: int) -> None:
    answer = await office.post("admin", f"/v1/contacts/{person}/erasure", body)
    assert answer.status_code == status, answer.text


async def test_a_strange_wish_for_values_is_told(office: Office) -> None:
    answer = await office.http.get("/v1/deals", headers=office.headers("account_manager", Personal_Values="all"))
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_personal_values")


async def test_without_the_key_names_are_unavailable_and_nothing_else_is(office: Office) -> None:
    await added(office)
    keys = office.desk.settings.keys_dir
    (keys / installation_key.FILE).unlink()
    office.desk.books.__dict__.pop("customers")
    office.desk.books.__dict__["vault"] = Vault(keys)  # as after a start
    for answer in (
        await office.get("account_manager", "/v1/customers/c-1"),
        await office.post("account_manager", CONTACTS, ANNA),
    ):
        assert (answer.status_code, answer.json()["code"]) == (503, "keys_missing")
    assert (await office.get("account_manager", "/v1/customers")).status_code == 200
    assert not (keys / installation_key.FILE).exists()
