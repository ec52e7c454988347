"""Bank statements by upload, what became of their entries, and the worklist of those that no rule could decide."""

import hashlib
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from api.keys import Desk, Me
from api.once import once
from api.problems import RequestRefused
from api.routes import GuardedRoute, HookRoute
from api.wire.bank import (
    Assigned,
    BankEntries,
    BankEntry,
    EntryState,
    NotOurs,
    Retried,
    Statement,
    Statements,
    StatementState,
    TakenStatements,
)
from api.wire.shared import Cursor, Key, Limit, OptionalId, Plain
from infra.desk.bank_worklist import Part

hook = APIRouter(prefix="/v1/bank-statements", tags=["bank"], route_class=HookRoute)
statements = APIRouter(prefix="/v1/bank-statements", tags=["bank"], route_class=GuardedRoute)
entries = APIRouter(prefix="/v1/bank-entries", tags=["bank"], route_class=GuardedRoute)

Number = Annotated[int, Path(ge=1, le=2**53 - 1)]
Account = Annotated[OptionalId, Query(description="Only this account of ours")]
OfStatement = Annotated[int, Query(ge=0, le=2**53 - 1, description="Only this statement's entries")]
State = Annotated[EntryState | None, Query(description="`waiting` is the worklist")]

TYPES = ("application/xml", "text/xml", "text/plain", "application/octet-stream")
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in TYPES},
    }
}


@hook.post("", status_code=201, response_model=TakenStatements, openapi_extra=_BODY)
async def import_statements(key: Key, desk: Desk, me: Me, request: Request, response: Response) -> Plain:
    """Import a file with statements (camt.053 or MT940), whatever its type says; its payments are told to the deals.

    A statement that doesn't add up goes into quarantine. Sending a file, or one that overlaps it, again books nothing
    twice.
    """
    body: bytes = request.state.body
    kind = request.headers.get("content-type", "application/octet-stream").split(";")[0].strip().lower()
    if kind not in TYPES:
        raise RequestRefused(415, "unsupported_media_type", f"send the file as one of {', '.join(TYPES)}")

    async def work() -> Plain:
        done = await desk.bank_inbox.receive(me, body)
        return TakenStatements.model_validate(
            {"statements": done.statements, "unanswered": done.unanswered}
        ).model_dump()

    asked = {"digest": hashlib.sha256(body).hexdigest()}
    return await once(desk, me, "bank-statements", key, asked, response, work)


@statements.get("", response_model=Statements)
async def list_statements(
    desk: Desk,
    me: Me,
    account: Account = "",
    state: StatementState | None = None,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Plain:
    """Bank statements with what became of their entries, the newest first."""
    page = await desk.bank_inbox.statements(me, account, state or "", cursor, limit)
    return {"items": page.rows, "next_cursor": page.next_cursor}


@statements.get("/{number}", response_model=Statement)
async def read_statement(number: Number, desk: Desk, me: Me) -> Plain:
    """One bank statement."""
    return await desk.bank_inbox.statement(me, number)


@entries.get("", response_model=BankEntries)
async def list_entries(
    desk: Desk,
    me: Me,
    state: State = None,
    account: Account = "",
    statement: OfStatement = 0,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Plain:
    """Bank entries with what they were booked on, or candidates with explanations, in the order in which they came."""
    page = await desk.bank_worklist.page(me, state or "", account, statement, cursor, limit)
    return {"items": page.rows, "next_cursor": page.next_cursor}


@entries.post("/retry", response_model=Retried)
async def retry(key: Key, desk: Desk, me: Me, response: Response) -> Plain:
    """Match once more what waits, and tell deals that did not answer; each try needs a key of its own."""

    async def work() -> Plain:
        return Retried.model_validate(await desk.bank_inbox.retry(me)).model_dump()

    return await once(desk, me, "bank-retries", key, {}, response, work)


@entries.get("/{number}", response_model=BankEntry)
async def read_entry(number: Number, desk: Desk, me: Me) -> Plain:
    """One bank entry."""
    return await desk.bank_worklist.entry(me, number)


@entries.post("/{number}/allocate", response_model=BankEntry)
async def allocate(number: Number, asked: Assigned, key: Key, desk: Desk, me: Me, response: Response) -> Plain:
    """Say what an entry is for; the deals are told at once. It is `waiting` again when a deal does not agree."""
    parts = [Part(**part.model_dump()) for part in asked.parts]

    async def work() -> Plain:
        return _kept(await desk.bank_worklist.allocate(me, number, parts))

    body = {"id": number, **asked.model_dump()}
    await once(desk, me, "bank-entries", key, body, response, work)
    return await desk.bank_worklist.entry(me, number)


@entries.post("/{number}/ignore", response_model=BankEntry)
async def ignore(number: Number, asked: NotOurs, key: Key, desk: Desk, me: Me, response: Response) -> Plain:
    """Say that an entry is not ours to book, and why."""

    async def work() -> Plain:
        return _kept(await desk.bank_worklist.ignore(me, number, asked.reason))

    body = {"id": number, **asked.model_dump()}
    await once(desk, me, "bank-entries", key, body, response, work)
    return await desk.bank_worklist.entry(me, number)


def _kept(entry: Plain) -> Plain:
    """What stays under an idempotency key for ever: nothing that names a payer."""
    return {"id": entry["id"], "state": entry["state"]}
