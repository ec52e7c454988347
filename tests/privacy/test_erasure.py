"""A whole system with markers planted wherever a person may be named: after the erasure they stand in no file."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.history.v1 import History
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from infra.db import open_database
from infra.desk.callers import OPERATOR
from infra.desk.service import DealDesk
from infra.payloads import DATA_CONVERTER
from infra.privacy.marker_search import search
from models.personal import ERASED, TOKEN
from tests.api.conftest import Office, app_of, client_of, staffed
from tests.api.test_acts import done, opened, settled
from tests.api.test_money_acts import advance, euros
from tests.engine import running_engine, running_server
from tests.journeys import furnish
from worker import STRICT
from workflows.registry import WORKFLOWS

NAME, EMAIL, PHONE = "Quendolina Marksteiner", "q.marksteiner@zyxkunde.example", "+49 30 99887766"
OTHER = "Kunigunde Wasserzieher"
MARKERS = [NAME, EMAIL, PHONE, "Marksteiner", "q.marksteiner", "99887766"]
CONTACT = {"name": NAME, "role": "billing", "email": EMAIL, "phone": PHONE}
LINES = [{"article": "A-1", "quantity": 3}, {"article": "A-5", "quantity": 2}]
ME = "account_manager"


@asynccontextmanager
async def system(data: Path, migrated: Path) -> AsyncIterator[Office]:
    """Server, worker and API of one data folder; the engine's store is in clear, so that it hides nothing."""
    shutil.copy(migrated, data / "dealwright.db")
    database = open_database(f"sqlite+aiosqlite:///{data / 'dealwright.db'}", synchronous="NORMAL")
    try:
        async with (
            running_server(data) as server,
            running_engine(server, database, data, payloads="plain") as engine,
        ):
            await furnish(database)
            desk = DealDesk(database, engine.client, engine.settings)
            app = app_of(desk)
            async with client_of(app) as http:
                yield Office(app, desk, http, await staffed(desk, app))
    finally:
        await database.close()


async def contracted(works: Office) -> str:
    """A deal with a signed contract, in which everybody talks about one person."""
    deal = await opened(works)
    await done(works, ME, deal, "log_contact", channel="call", outcome=f"{NAME} ({EMAIL}) is interested")
    await done(works, ME, deal, "note", text=f"call {NAME.upper()}: {PHONE}, or +49 (30) 9988-7766")
    decides = f"Ms Marksteiner decides, {OTHER} signs"
    await done(works, ME, deal, "record_needs", what="pumps", quantity=5, budget_minor=50_000, decision_process=decides)
    await done(works, ME, deal, "qualify")
    await done(works, ME, deal, "request_check")
    await done(works, ME, deal, "draft_offer", lines=LINES)
    await done(works, ME, deal, "send_offer")
    await done(works, ME, deal, "accept_offer")
    clause = f"Complaints go to {NAME}, {EMAIL}"
    await done(works, ME, deal, "redraft_contract", special_clauses=[clause])
    await done(works, ME, deal, "submit_contract")
    await done(works, "legal", deal, "approve_contract", reason=f"{NAME} has power of attorney")
    contract = (await settled(works, deal)).contract
    assert contract is not None
    for side, who in (("ours", ""), ("theirs", f"{NAME}, CFO")):
        await done(works, ME, deal, "sign", side=side, digest=contract.digest, signatory=who)
    return deal


async def delivered(works: Office, deal: str) -> None:
    """On to goods that have arrived: one article is replaced, which the same person agrees to."""
    await done(works, ME, deal, "accept_order")
    lines = [{"article": line["article"], "quantity": line["quantity"], "unit_price_minor": 10_000} for line in LINES]
    await done(works, "sales_support", deal, "enter_order", lines=lines)
    await advance(works, deal, 2)
    await done(works, ME, deal, "propose_analogue", line=2, article="A-4")
    await done(works, ME, deal, "accept_analogue", line=2, channel=f"mail of {EMAIL}", given_by=NAME)
    await done(works, "logistics_manager", deal, "ship")
    message = {"carrier": "own", "message_id": "m-1", "shipment": f"{deal}-S9", "kind": "in_transit", "note": NAME}
    answer = await works.post(
        "logistics_manager", "/v1/carrier-messages", message | {"occurred_at": "2026-01-01T00:00:00Z"}
    )
    assert answer.status_code == 202, answer.text
    await done(works, "logistics_manager", deal, "deliver")


async def refused(works: Office, deal: str) -> None:
    """What is said wrongly stands among the refusals."""
    for action, payload in (
        ("log_contact", {"channel": NAME, "outcome": "x"}),
        ("hold", {"hold": f"until {NAME} calls", "reason": "x"}),
        ("resume", {"hold": "nothing", "reason": f"{NAME} said so"}),
        ("sign", {"side": f"that of {EMAIL}", "digest": "d", "signatory": NAME}),
    ):
        answer = await works.act(ME, deal, action, payload)
        assert 400 <= answer.status_code < 500, answer.text


async def ended(works: Office, deal: str) -> None:
    """The deal is paid and ends by itself."""
    for owed in (await settled(works, deal)).receivables:
        payment = {"invoice": owed.number, "amount": euros(owed.open_minor), "reference": "R-1"}
        assert (await works.post("accounts_receivable", "/v1/payments", payment)).status_code == 200
    await advance(works, deal, 40)
    assert (await settled(works, deal)).state == "completed"


async def all_proofs_hold(works: Office, deal: str) -> None:
    for path in ("audit/verification", "audit/rebuild", "stock/verification", "invoices/verification"):
        verdict = (await works.get("auditor", f"/v1/{path}")).json()
        assert verdict["sound"] is True, (path, verdict)
    archive = works.desk.books.archive
    runs = await archived(works, deal)
    replayer = Replayer(workflows=list(WORKFLOWS), data_converter=DATA_CONVERTER, workflow_runner=STRICT)
    for run in runs:
        history = await archive.load(run["workflow_id"], run["run_id"])
        assert history is not None
        await replayer.replay_workflow(WorkflowHistory(run["workflow_id"], list(History.FromString(history).events)))


async def archived(works: Office, deal: str) -> list[dict[str, Any]]:
    for _ in range(200):
        if runs := await works.desk.books.archive.of_deal(deal):
            return runs
        await asyncio.sleep(0.05)
    raise AssertionError("the history was not archived")


@pytest.mark.timeout(240)
async def test_after_an_erasure_no_marker_stands_in_any_file_and_open_deals_end(
    migrated_file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    async with system(data, migrated_file) as works:
        made = await works.post(ME, "/v1/customers/c-1/contacts", CONTACT, key="anna")
        assert made.status_code == 201, made.text
        person = made.json()["id"]
        assert (await works.post(ME, "/v1/customers/c-1/contacts", CONTACT, key="anna")).json() == made.json()
        named = {"title": f"Pumps for {NAME}", "customer": "c-1", "is_test": True}
        assert (await works.post(ME, "/v1/deals", named)).status_code == 422
        deal = await contracted(works)
        await refused(works, deal)

        # people read names, evidence holds tokens, and a repeated act is known again
        shown = (await works.get(ME, f"/v1/deals/{deal}")).text
        assert f"{NAME}, CFO" in shown
        assert f"Complaints go to {NAME}" in shown
        timeline = (await works.get(ME, f"/v1/deals/{deal}/timeline")).text
        assert TOKEN.search(timeline)
        assert not any(marker in timeline for marker in MARKERS)
        asked = await works.http.get(
            f"/v1/deals/{deal}/timeline", headers=works.headers(ME, Personal_Values="shown"), params={"limit": 200}
        )
        assert f"call {NAME.upper()}: {PHONE}" in asked.text
        blind = (await works.get("logistics_manager", f"/v1/deals/{deal}")).text
        assert not any(marker in blind for marker in MARKERS)
        note = {"text": f"ask {NAME} and {OTHER}"}
        first = await works.act(ME, deal, "note", note, key="once")
        again = await works.act(ME, deal, "note", note, key="once")
        assert again.headers["idempotent-replayed"] == "true"
        assert again.json() == first.json()

        [contract] = [name for name in documents(data) if "contract-v2" in name]
        before = await works.desk.privacy.paper(OPERATOR, contract)
        assert (before["state"], f"Complaints go to {NAME}" in before["text"]) == ("unchanged", True)
        await delivered(works, deal)
        await all_files_but_the_carriers(works, data)

        reason = {"reason": f"request of {NAME}, 2026-11"}
        for role in ("auditor", ME):
            assert (await works.post(role, f"/v1/contacts/{person}/erasure", reason)).status_code == 403
        told = [(await works.post("admin", f"/v1/contacts/{person}/erasure", reason)).json() for _ in range(2)]
        assert [(one["again"], one["clean"], one["remaining"]) for one in told] == [(False, True, []), (True, True, [])]
        assert (await works.post("admin", "/v1/contacts/nobody/erasure", {"reason": "x"})).status_code == 404
        assert (await works.post("admin", f"/v1/contacts/{person}/erasure", {"reason": ""})).status_code == 422
        [listed] = (await works.get("auditor", "/v1/erasures")).json()["items"]
        assert listed["reason"] == f"request of {ERASED}, 2026-11"

        await ended(works, deal)
        after = await works.desk.privacy.paper(OPERATOR, contract)
        assert after["state"] == "erased on request"
        assert f"Complaints go to {ERASED}, {ERASED}" in after["text"]
        assert after["digest"] == before["digest"]
        card = (await works.get(ME, "/v1/customers/c-1")).json()
        assert [(one["name"], one["email"], one["erased"]) for one in card["contacts"]] == [(ERASED, "", True)]
        assert ERASED in (await works.get(ME, f"/v1/deals/{deal}")).text
        repeated = await works.post(ME, "/v1/customers/c-1/contacts", CONTACT, key="anna")
        assert (repeated.status_code, repeated.json()["code"]) == (409, "erased")
        await all_proofs_hold(works, deal)
        letters = await works.desk.letters.page(OPERATOR)
        assert letters.rows, "letters go on to the firm"

    assert {file.name for file in data.rglob("*") if file.is_file()} >= {"dealwright.db", "temporal.db"}
    found = [(MARKERS[one.number], one.file.relative_to(data)) for one in search([data], MARKERS)]
    assert found == []
    # the words around the name are there, so the search has seen what it must see
    seen = search([data], ["Complaints go to"])
    around = {one.file.relative_to(data).parts[0].removesuffix("-wal") for one in seen}
    assert around == {"dealwright.db", "temporal.db", "documents", "archive"}
    written = capfd.readouterr()
    assert not any(marker in written.out + written.err for marker in MARKERS)


async def all_files_but_the_carriers(works: Office, data: Path) -> None:
    """Before the erasure already only our own database has the name, where a carrier has written it."""
    found = {one.file.name for one in await asyncio.to_thread(search, [data], MARKERS)}
    assert found
    assert found <= {"dealwright.db", "dealwright.db-wal"}


def documents(data: Path) -> list[str]:
    return sorted(path.name for path in (data / "documents").iterdir())
