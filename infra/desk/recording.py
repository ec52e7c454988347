"""Every act that is refused leaves a row and a leaf, whoever refused it and why."""

from typing import Any

from infra.desk.books import Books
from infra.desk.callers import Caller
from infra.desk.clocks import Clock
from infra.desk.errors import DeskError, Invalid, Refused, WrongRole
from infra.desk.payloads import bad_text
from infra.stores.refusals import Refusal as RefusalRecord
from infra.stores.refusals import storable_detail
from models import codec


class RefusalBook:
    """Writes refused acts down."""

    def __init__(self, books: Books, clock: Clock) -> None:
        self._books, self._clock = books, clock

    async def note(
        self, caller: Caller, deal_id: str, action: str, code: str, detail: dict[str, Any], key: str = ""
    ) -> None:
        """Record one refusal, once per key; a deal that does not exist is named in the detail only."""
        if deal_id and (bad_text(deal_id) or not await self._books.deals.get(deal_id)):
            detail, deal_id = {**detail, "deal": deal_id}, ""
        at = self._clock()
        if deal_id:  # it may repeat what was sent, and stands for ever
            detail = await self._books.discretion.texts(deal_id, storable_detail(detail), at)
        if caller.on_behalf_of:
            detail = {**detail, "on_behalf_of": caller.on_behalf_of}
        await self._books.refusals.record(RefusalRecord(deal_id, at, caller.user, action, code, detail, key))

    async def note_error(self, caller: Caller, deal_id: str, action: str, problem: DeskError, key: str = "") -> None:
        """Record what a desk error tells, once."""
        if problem.recorded:
            return
        problem.recorded = True
        await self.note(caller, deal_id, action, problem.code, _detail(problem), key)


def _detail(problem: DeskError) -> dict[str, Any]:
    detail: dict[str, Any] = {"message": problem.message}
    if isinstance(problem, Refused):
        refusal = problem.refusal
        detail["state"] = refusal.state
        detail["failing"] = [codec.encode(verdict) for verdict in refusal.failing]
        detail["fields"] = refusal.field_errors
    elif isinstance(problem, Invalid):
        detail["fields"] = problem.fields
    elif isinstance(problem, WrongRole):
        detail["roles"] = list(problem.roles)
    return detail
