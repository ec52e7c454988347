"""Policies over HTTP: from draft to activation with two admins, bad input, and counterfactual runs."""

from typing import Any

from httpx2 import Response
from sqlalchemy import func, select

from infra.stores.people import Person
from models.policy import DEFAULT
from models.tables.base import Base
from tests.api.conftest import Office
from tests.api.desks import another
from tests.journeys import BEGINNING
from tests.models.collecting import late, pay

LOWER = {"version": "2027.1", "based_on": DEFAULT.version, "values": {"discount_authority.account_manager": 300}}
EVER = {"since": "2000-01-01T00:00:00Z", "until": "2099-01-01T00:00:00Z"}


async def second_admin(office: Office) -> None:
    await office.desk.books.policies.active(BEGINNING)
    person = Person("u-second", "Another", ("admin",), "north")
    office.keys["second"] = await office.desk.books.people.create(person, BEGINNING)


async def drafted(office: Office, body: dict[str, Any] = LOWER) -> dict[str, Any]:
    answer = await office.post("admin", "/v1/policies", body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def patch(office: Office, role: str, path: str, body: Any) -> Response:
    return await office.http.patch(path, json=body, headers=office.headers(role))


async def rows(office: Office) -> dict[str, int]:
    """How many rows every table has."""
    counts = {}
    async with office.desk.books.database.read() as connection:
        for table in Base.metadata.sorted_tables:
            counts[table.name] = await connection.scalar(select(func.count()).select_from(table)) or 0
    return counts


async def test_a_policy_needs_two_admins_and_is_law_from_a_date_on(office: Office) -> None:
    await second_admin(office)
    draft = await drafted(office)
    assert (draft["state"], draft["drafted_by"], draft["body"]["margin_floor"]) == ("draft", "u-admin", 800)
    seen = await office.get("commercial_director", "/v1/policies/compare", **{"from": DEFAULT.version, "to": "2027.1"})
    assert [c for c in seen.json()["changes"] if c["path"] != "version"] == [
        {"path": "discount_authority.account_manager", "old": 500, "new": 300}
    ]
    path, body = "/v1/policies/2027.1", {"body_hash": draft["body_hash"]}
    own = await office.post("admin", f"{path}/approve", body)
    assert (own.status_code, own.json()["code"]) == (409, "four_eyes")
    early = await office.post("admin", f"{path}/activate", {})
    assert (early.status_code, early.json()["code"]) == (409, "not_approved")
    approved = await office.post("second", f"{path}/approve", body, key="a")
    again = await office.post("second", f"{path}/approve", body, key="a")
    assert approved.json() == again.json()
    assert approved.json()["state"] == "approved"
    active = await office.post("admin", f"{path}/activate", {"active_from": "2098-01-01T01:00:00+01:00"})
    assert (active.json()["state"], active.json()["active_from"]) == ("active", "2098-01-01T00:00:00Z")
    listed = (await office.get("auditor", "/v1/policies")).json()["items"]
    assert [card["version"] for card in listed] == ["2027.1", DEFAULT.version]
    drafts = (await office.get("auditor", "/v1/policies/drafts", state="active")).json()["items"]
    assert [card["version"] for card in drafts] == ["2027.1"]
    assert (await office.get("auditor", "/v1/policies/drafts/2027.1")).json()["body"] == draft["body"]


async def test_a_change_voids_the_approval_and_a_withdrawn_draft_stays_so(office: Office) -> None:
    await second_admin(office)
    draft = await drafted(office)
    path = "/v1/policies/2027.1"
    await office.post("second", f"{path}/approve", {"body_hash": draft["body_hash"]})
    changed = await patch(office, "admin", path, {"merge": {"margin_floor": 900}, "body_hash": draft["body_hash"]})
    assert (changed.json()["state"], changed.json()["body"]["margin_floor"]) == ("draft", 900)
    stale = await patch(office, "admin", path, {"merge": {"margin_floor": 1}, "body_hash": draft["body_hash"]})
    assert (stale.status_code, stale.json()["code"]) == (409, "stale_draft")
    gone = await office.post("second", f"{path}/withdraw", {"reason": "no"})
    assert gone.json()["state"] == "withdrawn"
    late_change = await patch(office, "admin", path, {"merge": {"margin_floor": 1}})
    assert (late_change.status_code, late_change.json()["code"]) == (409, "not_open")


BAD: list[tuple[dict[str, Any], str]] = [
    ({"values": {"margin_floor": "much"}}, "margin_floor"),
    ({"values": {"ladder[dun_first].letter": "postcard"}}, "ladder[3].letter"),
    ({"merge": {"rules": 2}}, "rules"),
    ({"merge": {"margin_floor": 8.5}}, "merge"),
    ({"merge": {"margin_floor": 2**60}}, "merge"),
    ({"merge": {"a": "\x00"}}, "merge"),
    ({"merge": []}, "merge"),
    ({"based_on": "nothing"}, "based_on"),
    ({"version": "two words"}, "version"),
    ({"version": "drafts"}, "version"),
    ({"surprise": 1}, "surprise"),
]


async def test_bad_numbers_are_field_errors(office: Office) -> None:
    await second_admin(office)
    for change, where in BAD:
        answer = await office.post("admin", "/v1/policies", LOWER | change)
        assert answer.status_code == 422, answer.text
        assert where in answer.text
    deep: Any = 1
    for _ in range(60):
        deep = {"a": deep}
    assert (await office.post("admin", "/v1/policies", LOWER | {"merge": deep})).status_code in (400, 422)
    assert (await office.get("admin", "/v1/policies/drafts")).json()["items"] == []


async def test_who_may(office: Office) -> None:
    await second_admin(office)
    await drafted(office)
    for role in ("head_of_sales", "commercial_director", "auditor", "automation", "account_manager"):
        assert (await office.post(role, "/v1/policies", LOWER | {"version": "x"})).status_code == 403
        assert (await office.post(role, "/v1/policies/2027.1/withdraw", {"reason": "x"})).status_code == 403
    for role in ("logistics_manager", "production"):
        assert (await office.get(role, "/v1/policies/drafts/2027.1")).status_code == 403
    for role in ("account_manager", "logistics_manager", "risk_officer", "automation"):
        assert (await office.post(role, "/v1/policies/2027.1/try", EVER)).status_code == 403
    assert (await office.get("admin", "/v1/policies/drafts/none")).status_code == 404


async def test_a_counterfactual_run_tells_flips_with_money_and_writes_nothing(office: Office) -> None:
    await second_admin(office)
    world = late(10)
    pay(world, 190_400)
    await office.store(world)
    slower = {"ladder[dun_first].after": 12 * 86_400, "ladder[dun_second].after": 13 * 86_400}
    before = await rows(office)
    asked = EVER | {"values": slower, "deal": world.deal.id}
    told = await office.post("commercial_director", f"/v1/policies/{DEFAULT.version}/try", asked)
    assert told.status_code == 200, told.text
    assert await rows(office) == before
    found = told.json()
    (deal,) = found["deals"]
    assert [(flip["kind"], flip["action"], flip["amount"]) for flip in deal["flips"]] == [
        ("dropped", "dun_first", {"amount_minor": 190_400, "currency": "EUR"}),
        ("other_interest", "charge_interest", {"amount_minor": -4_529, "currency": "EUR"}),
    ]
    assert [(total["kind"], total["count"]) for total in found["totals"]] == [("dropped", 1), ("other_interest", 1)]
    assert (found["tried"], found["unreadable"], found["next_after"]) == (1, {}, "")
    everything = await office.post(
        "admin", f"/v1/policies/{DEFAULT.version}/try", EVER | {"values": slower, "tests": True}
    )
    assert (everything.json()["deals"], everything.json()["totals"]) == ([], found["totals"])
    without_tests = await office.post("head_of_sales", f"/v1/policies/{DEFAULT.version}/try", EVER)
    assert without_tests.json()["tried"] == 0
    hidden = await office.post("admin", f"/v1/policies/{DEFAULT.version}/try", asked)
    assert hidden.status_code == 404
    watched = await office.post("auditor", f"/v1/policies/{DEFAULT.version}/try", asked)
    assert watched.json()["totals"] == found["totals"]
    after = await rows(office)
    assert {name: after[name] - before[name] for name in after if after[name] != before[name]} == {"audit_leaves": 1}


async def test_a_run_that_makes_no_sense_is_a_field_error(office: Office) -> None:
    await second_admin(office)
    wrong: list[dict[str, Any]] = [
        {"until": EVER["since"]},
        {"since": "yesterday"},
        {"since": ""},
        {"limit": 0},
        {"values": {"nowhere.at.all": 1}},
        {"merge": {"reliability": {"z_safe": 0}}},
    ]
    for change in wrong:
        answer = await office.post("commercial_director", f"/v1/policies/{DEFAULT.version}/try", EVER | change)
        assert answer.status_code == 422, answer.text


async def test_a_run_over_many_deals_goes_page_by_page(office: Office) -> None:
    await second_admin(office)
    for number in range(3):
        await office.store(another(f"TRY-{number}", test=True))
    asked = EVER | {"tests": True, "limit": 2}
    first = (await office.post("commercial_director", f"/v1/policies/{DEFAULT.version}/try", asked)).json()
    assert (first["tried"], first["next_after"]) == (2, "TRY-1")
    rest = await office.post("commercial_director", f"/v1/policies/{DEFAULT.version}/try", asked | {"after": "TRY-1"})
    assert (rest.json()["tried"], rest.json()["next_after"]) == (1, "")
