"""Reconciliation of accounts: runs, statements, customers' answers, and the end of differences (D33)."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from api.keys import Desk, Me
from api.once import once
from api.routes import GuardedRoute
from api.wire.reconciliations import (
    AnswerAsked,
    Month,
    Reconciliations,
    RunAsked,
    RunTold,
    SettleAsked,
    StateName,
    WholeReconciliation,
)
from api.wire.shared import Cursor, Key, Limit, OptionalId, Plain
from infra.desk.errors import Invalid
from models.reconciliation import Claim, ItemKind

router = APIRouter(prefix="/v1/reconciliations", tags=["reconciliations"], route_class=GuardedRoute)

Number = Annotated[str, Path(max_length=80)]
InMonth = Annotated[Month, Query(description="Only this month's, such as 2026-01")]
State = Annotated[StateName | None, Query(description="Only those in this state")]
Customer = Annotated[OptionalId, Query(description="Only this customer's")]
TestDeals = Annotated[bool, Query(description="Rehearsals about test deals instead")]


@router.post("/run", response_model=RunTold)
async def run(asked: RunAsked, key: Key, desk: Desk, me: Me, response: Response) -> Plain:
    """Write the statements of a month that has ended; what was written before stays."""

    async def work() -> Plain:
        return asdict(await desk.reconciling.run(me, asked.month, asked.test_deals))

    return await once(desk, me, "reconciliations", key, {"run": asked.model_dump()}, response, work)


@router.get("", response_model=Reconciliations)
async def list_reconciliations(
    desk: Desk,
    me: Me,
    month: InMonth = "",
    state: State = None,
    customer: Customer = "",
    test_deals: TestDeals = False,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Plain:
    """Statements of account and what became of them, the latest month first."""
    page = await desk.reconciling.page(me, month, state or "", customer, test_deals, cursor, limit)
    return {"items": page.rows, "next_cursor": page.next_cursor}


@router.get("/{number}", response_model=WholeReconciliation)
async def read_reconciliation(number: Number, desk: Desk, me: Me) -> Plain:
    """One statement with its invoices and the customer's differences."""
    return await desk.reconciling.get(me, number)


@router.post("/{number}/answer", response_model=WholeReconciliation)
async def answer(number: Number, asked: AnswerAsked, key: Key, desk: Desk, me: Me, response: Response) -> Plain:
    """Take in what the customer answered: a difference about an open invoice becomes a dispute on its deal, any other
    a task for a person. 503 means that some are not seen to yet: send it again with the same key."""
    claims = await _claims(desk, me, number, asked)

    async def work() -> Plain:
        return await desk.reconciling.answer(me, number, asked.balance.amount_minor, claims, key)

    told = {"number": number, "answer": asked.model_dump()}
    return await once(desk, me, "reconciliations", key, told, response, work)


@router.post("/{number}/settle", response_model=WholeReconciliation)
async def settle(number: Number, asked: SettleAsked, key: Key, desk: Desk, me: Me, response: Response) -> Plain:
    """The differences are put right; their tasks ring no more."""

    async def work() -> Plain:
        return await desk.reconciling.settle(me, number, asked.note)

    told = {"number": number, "settle": asked.model_dump()}
    return await once(desk, me, "reconciliations", key, told, response, work)


async def _claims(desk: Desk, me: Me, number: str, asked: AnswerAsked) -> tuple[Claim, ...]:
    """The items as the core knows them. Raises Invalid for what contradicts itself, or another currency."""
    currency = (await desk.reconciling.get(me, number))["our_balance"]["currency"]
    wrong, claims = dict[str, str](), list[Claim]()
    if asked.balance.currency != currency:
        wrong["balance.currency"] = f"the statement is in {currency}"
    for place, item in enumerate(asked.items):
        if item.theirs.currency != currency:
            wrong[f"items.{place}.theirs.currency"] = f"the statement is in {currency}"
        try:
            kind = ItemKind(item.kind)
            claims.append(Claim(kind, item.invoice, item.theirs.amount_minor, item.reference, item.note))
        except ValueError as problem:
            wrong[f"items.{place}"] = str(problem)
    if wrong:
        raise Invalid(wrong)
    return tuple(claims)
