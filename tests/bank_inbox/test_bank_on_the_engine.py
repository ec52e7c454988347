"""Statements against deals on the real engine, through API and command line."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from httpx2 import ASGITransport, AsyncClient, Response
from sqlalchemy import update

from api.app import create_app
from infra.db import Database, table_of
from infra.desk.service import DealDesk
from infra.stores.people import Person
from infra.temporal_server import EmbeddedServer
from models.tables.masters import CustomerRow
from tests.bank.statement_files import Payment
from tests.bank_inbox.paid_deals import BERGMANN, NORDHOLZ, file_of
from tests.engine import Engine, running_engine
from tests.journeys import BEGINNING, deal_of, delivered, furnish

PIECE = 11_900


class Works:
    """The API over a running engine, with a clerk and an auditor."""

    def __init__(self, engine: Engine, desk: DealDesk, http: AsyncClient, keys: dict[str, str]) -> None:
        self.engine, self.desk, self.http, self.keys = engine, desk, http, keys
        self._asked = 0

    async def send(self, body: bytes, who: str = "clerk", kind: str = "application/xml", key: str = "") -> Response:
        return await self._post("/v1/bank-statements", who, key, content=body, headers={"Content-Type": kind})

    async def post(self, path: str, body: Any = None, who: str = "clerk", key: str = "") -> Response:
        return await self._post(path, who, key, json=body, headers={})

    async def _post(self, path: str, who: str, key: str, headers: dict[str, str], **more: Any) -> Response:
        self._asked += 1
        own = {"Authorization": f"Bearer {self.keys[who]}", "Idempotency-Key": key or f"k-{self._asked}"}
        return await self.http.post(path, headers=own | headers, **more)

    async def get(self, path: str, who: str = "auditor", **asked: Any) -> Any:
        found = await self.http.get(path, params=asked, headers={"Authorization": f"Bearer {self.keys[who]}"})
        assert found.status_code == 200, found.text
        return found.json()

    async def delivered(self, number: str, pieces: int, customer: str = "c-1") -> str:
        """A delivered deal; the number of its invoice."""
        lines = [{"article": "A-1", "quantity": pieces}]
        await delivered(self.engine, number, lines, customer=customer, group=f"g-{customer[2:]}")
        return (await deal_of(self.engine, number)).receivables[0].number

    async def owed(self, deal: str) -> int:
        return sum(r.open_minor for r in (await deal_of(self.engine, deal)).receivables)

    async def is_sound(self) -> None:
        for deal in await self.desk.books.timeline.deal_ids():
            await self.engine.act(deal, "account_manager", "note", text=f"at rest {self._asked}")
        verdict = await self.desk.books.money_audit.verify()
        assert verdict.is_sound, verdict.differences


@pytest_asyncio.fixture(loop_scope="module")
async def works(server: EmbeddedServer, database: Database, tmp_path: Path) -> AsyncIterator[Works]:
    await furnish(database)
    customers = table_of(CustomerRow)
    async with database.begin() as connection:
        for number, iban in (("c-1", NORDHOLZ), ("c-2", ""), ("c-3", BERGMANN)):
            await connection.execute(update(customers).where(customers.c.id == number).values(iban=iban))
    async with running_engine(server, database, tmp_path) as engine:
        desk = DealDesk(database, engine.client, engine.settings)
        await desk.books.policies.active(BEGINNING)
        keys = {}
        for name, role in (("clerk", "accounts_receivable"), ("auditor", "auditor"), ("seller", "account_manager")):
            keys[name] = await desk.books.people.create(Person(f"u-{name}", name, (role,), "north"), BEGINNING)
        transport = ASGITransport(app=create_app(desk), raise_app_exceptions=False)
        async with AsyncClient(transport=transport, base_url="http://desk.test") as http:
            yield Works(engine, desk, http, keys)


def today(desk: DealDesk) -> dict[str, Any]:
    return {"booked_on": desk.clock()[:10], "valued_on": desk.clock()[:10]}


pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]


async def test_statements_pay_reopen_and_leave_credit(works: Works) -> None:
    first, second = await works.delivered("D-1", 3), await works.delivered("D-2", 2)
    on = today(works.desk)

    # one entry for two invoices of two deals, then a part and the rest of a third
    both = Payment(5 * PIECE, text=f"RE {first} {second}", iban=NORDHOLZ, end_to_end="E-1", **on)
    answer = await works.send(file_of([both], days=(on["booked_on"],) * 2), key="the-key")
    assert answer.status_code == 201, answer.text
    (told,) = answer.json()["statements"]
    assert [(one["state"], one["rule"], one["count"]) for one in told["outcomes"]] == [("booked", "invoice_number", 1)]
    assert (await works.owed("D-1"), await works.owed("D-2")) == (0, 0)
    again = await works.send(file_of([both], days=(on["booked_on"],) * 2), key="the-key")
    assert (again.headers["Idempotent-Replayed"], again.json()) == ("true", answer.json())

    third = await works.delivered("D-3", 4)
    part = Payment(PIECE, text=third, iban=NORDHOLZ, reference="R-2", **on)
    rest = Payment(4 * PIECE, text=third, iban=NORDHOLZ, reference="R-3", **on)
    body = file_of([both, part, rest], form="mt940", number="2", days=(on["booked_on"],) * 2)
    (told,) = (await works.send(body, kind="text/plain")).json()["statements"]
    assert (told["new"], told["known"]) == (2, 1)
    assert await works.owed("D-3") == 0
    assert (await deal_of(works.engine, "D-3")).receivables[0].unapplied_minor == PIECE

    # the direct debit for the first two comes back
    back = Payment(-5 * PIECE, end_to_end="E-1", reason="MS03", reference="R-4", **on)
    (told,) = (await works.send(file_of([back], number="3", days=(on["booked_on"],) * 2))).json()["statements"]
    assert [(one["state"], one["rule"]) for one in told["outcomes"]] == [("booked", "returned")]
    assert (await works.owed("D-1"), await works.owed("D-2")) == (3 * PIECE, 2 * PIECE)
    await works.is_sound()

    # somebody else pays for the first: a person says so
    stranger = Payment(2 * PIECE, text="as discussed", name="Holding SE", reference="R-5", **on)
    await works.send(file_of([stranger], number="4", days=(on["booked_on"],) * 2))
    (entry,) = (await works.get("/v1/bank-entries", state="waiting"))["items"]
    assert entry["party_name"] == "Holding SE"
    path = f"/v1/bank-entries/{entry['id']}/allocate"
    wrong = await works.post(path, {"parts": [{"invoice": first, "amount_minor": 1}]})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "malformed")
    refused = await works.post(path, {"parts": [{"invoice": first, "amount_minor": 2 * PIECE}]}, who="auditor")
    assert refused.status_code == 403
    done = await works.post(path, {"parts": [{"invoice": first, "amount_minor": 2 * PIECE}]}, key="once")
    assert (done.status_code, done.json()["state"]) == (200, "booked"), done.text
    repeated = await works.post(path, {"parts": [{"invoice": first, "amount_minor": 2 * PIECE}]}, key="once")
    assert (repeated.status_code, repeated.json()["id"]) == (200, entry["id"])
    assert await works.owed("D-1") == PIECE
    await works.is_sound()
    assert (await works.get(f"/v1/bank-statements/{told['id']}"))["state"] == "imported"
    assert len((await works.get("/v1/bank-statements"))["items"]) == 4


async def test_files_that_are_refused_by_the_api(works: Works) -> None:
    hostile = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><Document>&b;</Document>'
    answer = await works.send(hostile)
    assert (answer.status_code, answer.json()["code"]) == (422, "hostile_xml")
    assert answer.headers["content-type"] == "application/problem+json"
    large = b"<" + b"x" * works.engine.settings.max_body_bytes
    assert (await works.send(large)).status_code == 413
    assert (await works.send(b"{}", kind="application/json")).status_code == 415
    assert (await works.send(file_of([]), who="auditor")).status_code == 403
    assert (await works.send(file_of([]), who="seller")).json()["code"] == "wrong_role"
    assert (await works.post("/v1/bank-entries/7/ignore", {"reason": "no"})).status_code == 404
    retried = await works.post("/v1/bank-entries/retry")
    assert (retried.status_code, retried.json()["booked"]) == (200, 0)
    assert json.loads(json.dumps(await works.get("/v1/bank-entries")))["items"] == []
