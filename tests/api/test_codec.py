"""The remote codec for Temporal's pages and command line: for auditors alone, and every decode is in the audit log."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Response
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.history.v1 import History, HistoryEvent, WorkflowExecutionStartedEventAttributes

from api.app import create_app
from infra.payload_cipher import PayloadCipher
from infra.payloads import cipher_of
from models.lifecycle.roles import PERSONS, Role
from models.messages.deals import workflow_id
from models.messages.records import ArchiveInput
from tests.api.conftest import Office, client_of
from tests.models.world import World, paid

CLEAR = Payload(metadata={"encoding": b"json/plain"}, data=b'{"price_minor":12345}')


def cipher(office: Office) -> PayloadCipher:
    found = cipher_of(office.desk.settings)
    assert found is not None
    return found


async def hidden(office: Office, payload: Payload = CLEAR) -> dict[str, Any]:
    [sealed] = await cipher(office).encode([payload])
    metadata = {name: base64.b64encode(value).decode() for name, value in sealed.metadata.items()}
    return {"payloads": [{"metadata": metadata, "data": base64.b64encode(sealed.data).decode()}]}


async def decodes(office: Office) -> list[dict[str, Any]]:
    page = await office.get("auditor", "/v1/audit/leaves", kind="decode")
    return [leaf["body"] for leaf in page.json()["items"]]


async def test_an_auditor_reads_payloads_and_the_log_tells_so(office: Office):
    answer = await office.post("auditor", "/v1/codec/decode", await hidden(office), X_Namespace="default")
    assert answer.status_code == 200
    [told] = answer.json()["payloads"]
    assert base64.b64decode(told["data"]) == CLEAR.data
    [body] = await decodes(office)
    assert (body["by"], body["payloads"], body["namespace"]) == ("u-auditor", 1, "default")
    assert office.keys["auditor"].startswith(body["credential"])
    assert (await office.desk.books.audit.verify()).sound


@pytest.mark.parametrize("role", sorted(PERSONS - {Role.AUDITOR}))
async def test_nobody_else_does(office: Office, role: str):
    answer = await office.post(role, "/v1/codec/decode", await hidden(office))
    assert (answer.status_code, await decodes(office)) == (403, [])
    assert (await office.http.post("/v1/codec/decode", json={})).status_code == 401


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"payloads": [{"data": 5}]}, "not the JSON of payloads"),
        ({"payloads": [{"metadata": {"encoding": "YmluYXJ5L2VuY3J5cHRlZA=="}, "data": "AAAA"}]}, "not in payload-keys"),
        ({"others": []}, "not the JSON of payloads"),
    ],
)
async def test_what_is_no_payload_of_ours_is_refused_with_a_reason(office: Office, body: Any, why: str):
    answer = await office.post("auditor", "/v1/codec/decode", body)
    assert answer.status_code == 422
    assert why in json.dumps(answer.json())
    assert await decodes(office) == []


async def test_what_the_engine_wrote_in_clear_is_handed_back(office: Office):
    body = {"payloads": [{"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "e30="}]}
    answer = await office.post("auditor", "/v1/codec/decode", body)
    assert (answer.status_code, answer.json()) == (200, body)


async def test_the_key_of_another_installation_is_no_use(office: Office, tmp_path: Path):
    body = await hidden(office)
    cipher(office).ring.file.unlink()
    answer = await office.post("auditor", "/v1/codec/decode", body)
    assert answer.status_code == 422
    assert "not in payload-keys.json" in json.dumps(answer.json())


async def test_a_browser_signs_in_once_and_the_cookie_serves_the_codec_alone(office: Office):
    page = await office.http.get("/v1/codec/sign-in")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    refused = await office.http.post("/v1/codec/session", headers={"X-API-Key": office.keys["admin"]})
    assert (refused.status_code, "set-cookie" in refused.headers) == (403, False)
    signed = await office.http.post("/v1/codec/session", headers={"X-API-Key": office.keys["auditor"]})
    attributes = signed.headers["set-cookie"].lower()
    assert signed.status_code == 204
    assert all(part in attributes for part in ("httponly", "samesite=strict", "path=/v1/codec", "max-age=28800"))
    cookie = {"Cookie": f"dealwright_codec={office.keys['auditor']}"}
    decoded = await office.http.post("/v1/codec/decode", json=await hidden(office), headers=cookie)
    assert decoded.status_code == 200
    elsewhere = await office.http.get("/v1/audit/leaves", headers=cookie)
    assert elsewhere.status_code == 401
    out: Response = await office.http.delete("/v1/codec/session")
    assert 'dealwright_codec=""' in out.headers["set-cookie"]


async def test_only_named_origins_may_ask_from_a_browser(office: Office):
    app = create_app(office.desk, ui_origins="http://127.0.0.1:8233, http://localhost:8233")
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type,x-namespace"}
    async with client_of(app) as http:
        for origin, allowed in (("http://127.0.0.1:8233", True), ("http://evil.example", False)):
            answer = await http.options("/v1/codec/decode", headers={"Origin": origin, **asked})
            assert (answer.headers.get("access-control-allow-origin") == origin) == allowed


async def test_an_archived_history_is_shown_in_clear_to_auditors_alone(office: Office):
    world = await office.store(paid(World()))
    deal = world.deal.id
    [sealed] = await cipher(office).encode([CLEAR])
    started = WorkflowExecutionStartedEventAttributes(input=Payloads(payloads=[sealed]))
    event = HistoryEvent(event_id=1, workflow_execution_started_event_attributes=started)
    run = ArchiveInput(deal, workflow_id(deal), "r-1")
    await office.desk.books.archive.save(run, History(events=[event]).SerializeToString(), 1, world.deal.updated_at)
    path, price = f"/v1/deals/{deal}/history/r-1", base64.b64encode(CLEAR.data).decode()
    opaque = await office.get("auditor", path)
    assert (opaque.status_code, price in opaque.text, await decodes(office)) == (200, False, [])
    clear = await office.get("auditor", path, clear=True)
    assert (clear.status_code, price in clear.text) == (200, True)
    assert [(body["by"], body["run"], body["payloads"]) for body in await decodes(office)] == [("u-auditor", "r-1", 1)]
    assert (await office.get("account_manager", path, clear=True)).status_code == 403
    cipher(office).ring.file.unlink()
    lost = await office.get("auditor", path, clear=True)
    assert (lost.status_code, lost.json()["code"]) == (503, "history_damaged")
