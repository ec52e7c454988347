"""Bad input: a clear problem with the right status, nothing changed, and a refusal where an act was meant."""

import json
from typing import Any

import pytest

from tests.api.conftest import Office
from tests.api.test_acts import opened, settled

NUL, LONELY = "a\x00b", "\ud800"
HUGE = 10**400

PAYLOADS: list[tuple[str, Any, str]] = [
    ("log_contact", {"channel": 7, "outcome": "x"}, "channel"),
    ("log_contact", {"channel": "smoke", "outcome": "x"}, "channel"),
    ("log_contact", {"channel": "call"}, "outcome"),
    ("log_contact", {"channel": "call", "outcome": "x", "extra": 1}, "extra"),
    ("log_contact", {"channel": "call", "outcome": None}, "outcome"),
    ("log_contact", {"channel": "call", "outcome": NUL}, "outcome"),
    ("log_contact", {"channel": "call", "outcome": LONELY}, "outcome"),
    ("log_contact", {"channel": "call", "outcome": "x" * 5_000}, "outcome"),
    ("log_contact", {"channel": "call", "outcome": {"deep": [[[]]]}}, "outcome"),
    ("log_contact", {LONELY: 1, NUL: 2}, "body"),
    ("log_contact", {"channel": "call", "outcome": "x", "n": 10**20}, "n"),
    ("log_contact", ["a", "list"], "body"),
    ("log_contact", "text", "body"),
    ("log_contact", 42, "body"),
    ("note", {"text": 1.5}, "text"),
    ("note", {"text": True}, "text"),
    ("hold", {"hold": "not a name!", "reason": "x"}, "body"),
    ("lose", {"reason": "because"}, "reason"),
    ("record_needs", {"what": "x", "quantity": -1}, "body"),
    ("record_needs", {"what": "x", "quantity": "5"}, "quantity"),
    ("record_needs", {"what": "x", "quantity": 1e3}, "quantity"),
    ("record_needs", {"what": "x", "quantity": 2**53}, "quantity"),
    ("record_needs", {"what": "x", "quantity": 1, "budget_minor": 10**15}, "body"),
    ("record_needs", {"what": "x", "quantity": 1, "wanted_by": "soon"}, "body"),
    ("draft_offer", {"lines": [{"article": "A-1", "quantity": 0}]}, "lines[0]"),
    ("draft_offer", {"lines": [{"article": "A-1", "quantity": 1}], "valid_until": "tomorrow"}, "body"),
    ("draft_offer", {"lines": [{"article": "x" * 200, "quantity": 1}] * 600}, "body"),
    ("record_payment", {"invoice": "R-1", "amount_minor": 0, "currency": "EUR"}, "body"),
]

RAW: list[tuple[bytes, int, str]] = [
    (b'{"channel": NaN, "outcome": "x"}', 400, "malformed_body"),
    (b'{"channel": "call", "outcome": Infinity}', 400, "malformed_body"),
    (b'{"channel": "call", "channel": "visit", "outcome": "x"}', 400, "malformed_body"),
    (b'{"channel": "call"', 400, "malformed_body"),
    (b"\xff\xfe{}", 400, "malformed_body"),
    (b"[" * 100_000, 400, "malformed_body"),
    (b'{"a":' * 20_000 + b"1" + b"}" * 20_000, 400, "malformed_body"),
    (b'{"channel": "call", "outcome": ' + b"9" * 5_000 + b"}", 400, "malformed_body"),
    (b'{"channel": "call", "outcome": "' + b"x" * 2_000_000 + b'"}', 413, "body_too_large"),
    (b" " * 1_500_000, 413, "body_too_large"),
]


async def _untouched(works: Office, deal: str, codes: list[str]) -> None:
    assert (await settled(works, deal)).version == 1
    assert await works.refusals(deal) == codes


async def test_malformed_payloads(works: Office) -> None:
    deal = await opened(works)
    for action, payload, field in PAYLOADS:
        sent = json.dumps(payload).encode()
        headers = works.headers("account_manager", Idempotency_Key=f"k-{id(payload)}", Content_Type="application/json")
        answer = await works.http.post(f"/v1/deals/{deal}/actions/{action}", content=sent, headers=headers)
        assert answer.status_code == 422, (action, payload, answer.text)
        assert answer.json()["code"] == "malformed"
        assert field in {error["field"] for error in answer.json()["errors"]}, (payload, answer.text)
    await _untouched(works, deal, ["malformed"] * len(PAYLOADS))


async def test_unreadable_bodies(works: Office) -> None:
    deal = await opened(works)
    for number, (body, status, code) in enumerate(RAW):
        headers = works.headers("account_manager", Idempotency_Key=f"raw-{number}", Content_Type="application/json")
        answer = await works.http.post(f"/v1/deals/{deal}/actions/log_contact", content=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (status, code), body[:40]
        assert answer.headers["content-type"] == "application/problem+json"
    await _untouched(works, deal, [code for _, _, code in RAW])


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16", ""]
)
async def test_other_media_types(works: Office, kind: str) -> None:
    deal = await opened(works)
    headers = works.headers("account_manager", Idempotency_Key="k", Content_Type=kind)
    answer = await works.http.post(f"/v1/deals/{deal}/actions/note", content=b'{"text": "x"}', headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    await _untouched(works, deal, ["unsupported_media_type"])


async def test_idempotency_keys(works: Office) -> None:
    deal = await opened(works)
    path = f"/v1/deals/{deal}/actions/note"
    for key in (None, "", "with space", "ü", "x" * 201, "a\tb"):
        headers = works.headers("account_manager") | ({} if key is None else {"Idempotency-Key": key})
        sent = [(k.encode(), v.encode("latin-1")) for k, v in headers.items()]
        answer = await works.http.post(path, json={"text": "x"}, headers=sent)
        assert answer.status_code == 422, key
        assert answer.json()["errors"][0]["field"] == "header.Idempotency-Key"
    two = [(k, v) for k, v in works.headers("account_manager").items()]
    two += [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    answer = await works.http.post(path, json={"text": "x"}, headers=two)
    assert (answer.status_code, answer.json()["code"]) == (400, "header_twice")
    assert (await settled(works, deal)).version == 1


async def test_unknown_actions(works: Office) -> None:
    deal = await opened(works)
    for action in ("fly", "LOG_CONTACT", "log_contact%20", "%F0%9F%98%80", "x" * 100):
        answer = await works.act("account_manager", deal, action, {})
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_action"), action
    nul = await works.act("account_manager", deal, "a%00b", {})
    assert nul.status_code == 404
    await _untouched(works, deal, ["unknown_action"] * 5 + ["not_found"])


async def test_wrong_roles(works: Office) -> None:
    deal = await opened(works)
    for role in ("legal", "logistics_manager", "production", "auditor", "accounts_receivable", "risk_officer"):
        answer = await works.act(role, deal, "log_contact", {"channel": "call", "outcome": "x"})
        assert (answer.status_code, answer.json()["code"]) == (403, "wrong_role"), role
        assert "account_manager" in answer.json()["blocked"]["roles_allowed"]
    engine = await works.act("account_manager", deal, "finish_effect", {"effect": "x"})
    assert engine.status_code == 403
    await _untouched(works, deal, ["wrong_role"] * 7)


async def test_wrong_states_name_the_right_ones(works: Office) -> None:
    deal = await opened(works)
    answer = await works.act("logistics_manager", deal, "ship", {})
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state")
    assert answer.json()["blocked"]["states_allowed"] == ["fulfilling"]
    await _untouched(works, deal, ["wrong_state"])


async def test_other_peoples_deals(works: Office) -> None:
    deal = await opened(works)
    note = {"text": "mine now"}
    theirs = await works.act("stranger", deal, "note", note)
    absent = await works.act("stranger", "D-0000000000", "note", note)
    assert theirs.status_code == absent.status_code == 404
    assert theirs.json()["detail"].replace(deal, "D-0000000000") == absent.json()["detail"]
    rows = await works.desk.books.timeline.refusals(deal)
    assert [(row["actor"], row["action"], row["code"]) for row in rows] == [("u-stranger", "note", "not_found")]
    unknown = await works.desk.books.timeline.refusals("")
    assert [row["detail"]["deal"] for row in unknown] == ["D-0000000000"]


async def test_nobody_acts_without_a_key(works: Office) -> None:
    deal = await opened(works)
    path = f"/v1/deals/{deal}/actions/note"
    good = works.keys["account_manager"]
    bad: tuple[dict[str, str], ...] = (
        {},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer dw_00000000_" + "0" * 48},
        {"Authorization": f"Basic {good}"},
        {"Authorization": f"Bearer {good}x"},
        {"X-API-Key": "'; drop table users"},
        {"X-API-Key": "x" * 10_000},
    )
    for headers in bad:
        answer = await works.http.post(path, json={"text": "x"}, headers={**headers, "Idempotency-Key": "k"})
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="dealwright"'), headers
    both = {"Authorization": f"Bearer {good}", "X-API-Key": "dw_1_2", "Idempotency-Key": "k"}
    assert (await works.http.post(path, json={"text": "x"}, headers=both)).status_code == 400
    own = {"X-API-Key": good, "Idempotency-Key": "k"}
    assert (await works.http.post(path, json={"text": "x"}, headers=own)).status_code == 200


async def test_a_new_owner_must_be_there(works: Office) -> None:
    deal = await opened(works)
    for owner, field in (("nobody", "owner"), ("u-legal", "owner"), ("", "body")):
        answer = await works.act("head_of_sales", deal, "reassign", {"owner": owner})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    long = await works.act("head_of_sales", deal, "reassign", {"owner": "u-stranger", "department": "x" * 41})
    assert long.json()["errors"][0]["field"] == "department"
    await _untouched(works, deal, ["malformed"] * 4)


OPENINGS: list[tuple[dict[str, Any], str]] = [
    ({"title": ""}, "title"),
    ({"title": "  "}, "title"),
    ({"title": "x" * 301}, "title"),
    ({"title": NUL}, "title"),
    ({"title": LONELY}, "title"),
    ({"title": 5}, "title"),
    ({"customer": "c-99"}, "customer"),
    ({"customer": "c-4"}, "customer"),
    ({"customer": None}, "customer"),
    ({"owner": "nobody"}, "owner"),
    ({"currency": "euro"}, "currency"),
    ({"branch": "atlantis"}, "branch"),
    ({"linked_deal": "D-0"}, "linked_deal"),
    ({"is_test": "yes"}, "is_test"),
    ({"id": "D-1"}, "id"),
]


async def test_openings_that_are_wrong(works: Office) -> None:
    for fields, field in OPENINGS:
        body = json.dumps({"title": "A deal", "customer": "c-1"} | fields).encode()
        headers = works.headers("account_manager", Idempotency_Key=f"o-{field}", Content_Type="application/json")
        answer = await works.http.post("/v1/deals", content=body, headers=headers)
        assert answer.status_code == 422, (fields, answer.text)
        assert field in {error["field"] for error in answer.json()["errors"]}, (fields, answer.text)
    for role in ("legal", "auditor", "logistics_manager", "admin"):
        answer = await works.post(
            role, "/v1/deals", {"title": "A deal", "customer": "c-1", "owner": "u-account_manager"}
        )
        assert answer.status_code == 403, role
    others = await works.post("account_manager", "/v1/deals", {"title": "x", "customer": "c-1", "owner": "u-stranger"})
    assert others.status_code == 403
    assert (await works.get("commercial_director", "/v1/deals")).json()["items"] == []
    assert len(await works.desk.books.timeline.refusals("")) >= 12


async def test_unknown_addresses_and_methods(office: Office) -> None:
    assert (await office.get("admin", "/v1/nothing")).json()["code"] == "not_found"
    wrong = await office.http.delete("/v1/deals", headers=office.headers("admin"))
    assert (wrong.status_code, wrong.json()["code"]) == (405, "method_not_allowed")
    assert wrong.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["deals", "customers", "products", "users", "policies", "invoices"])
async def test_odd_names_are_not_found(office: Office, path: str) -> None:
    role = {"users": "admin", "policies": "admin"}.get(path, "commercial_director")
    for name in ("%00", "%F0%9F%98%80", "..%2F..%2Fetc", "x" * 300, "%ED%A0%80", "'%20OR%201=1"):
        answer = await office.get(role, f"/v1/{path}/{name}")
        assert answer.status_code == 404, (path, name, answer.text)


@pytest.mark.parametrize("name", ["owner", "customer", "department", "stage", "state", "linked_deal", "test", "cursor"])
async def test_odd_filters(office: Office, name: str) -> None:
    for value in ("\x00", "x" * 600):
        answer = await office.get("commercial_director", "/v1/deals", **{name: value})
        assert answer.status_code in (400, 422), (name, value)
    assert (await office.get("commercial_director", "/v1/deals", owner="\U0001f600")).json()["items"] == []


async def test_without_an_engine_acts_are_answered_at_once(office: Office) -> None:
    from tests.models.world import World, offered

    await office.store(offered(World()))
    answer = await office.act("account_manager", "D-1", "object", {"cause": "price", "answer": "quality"})
    assert (answer.status_code, answer.json()["code"]) == (503, "engine_unreachable")
    assert int(answer.headers["retry-after"]) >= 1
    rehearsed = await office.post("account_manager", "/v1/deals/D-1/actions/accept_offer?dry_run=true")
    assert rehearsed.status_code == 200
    assert await office.refusals("D-1") == []
