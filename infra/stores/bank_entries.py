"""Bank entries after they came in: what matching decided, what deals were told, what a person decided, and pages."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, exists, func, insert, select, update

from infra.db import Database, insert_into
from infra.stores.audit_log import append_leaves, leaf_of_body
from infra.stores.bank_intake import LINES, STATEMENTS
from infra.stores.bank_rows import (
    ALLOCATIONS,
    BOOKED,
    ENTRIES,
    IGNORED,
    MATCHED,
    PLANNED,
    RECEIVED,
    REFUSED,
    WAITING,
    lock_imports,
    plan,
    planned,
    take_turn,
)
from infra.stores.pages import Page, Row, look_page
from models.banking.matching_values import Allocation, Match
from models.codec import encode
from models.tables.bank import BankPayerRow
from models.timeline import digest

BY_HAND = "by_hand"
"""The rule of an entry that a person decided."""

_DECIDE = (
    update(ENTRIES)
    .where(ENTRIES.c.id == bindparam("of"), ENTRIES.c.state == RECEIVED)
    .values({name: bindparam(f"new_{name}") for name in ("state", "rule", "reason", "customer", "candidates")})
    .values(decided_by=bindparam("by"), decided_at=bindparam("at"))
)
_LISTED = [column for column in ENTRIES.columns if column.name != "candidates"]


@dataclass(frozen=True, slots=True)
class Decided:
    """What matching made of an entry; `received_on` is the day that its deals will be told."""

    id: int
    match: Match
    received_on: str

    @property
    def state(self) -> str:
        """Where the entry goes: to its deals, to a person, or nowhere."""
        if not self.match.rule:
            return WAITING
        return MATCHED if self.match.allocations else IGNORED


class BankEntryStore:
    """Entries and their parts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def decide(self, decided: Sequence[Decided], seen: int, by: str, at: str) -> bool:
        """Write matches down; False, and nothing is written, when others were written since the turn `seen`."""
        return await self._database.write(partial(_decide, decided=decided, seen=seen, by=by, at=at))

    async def to_tell(self) -> list[Row]:
        """Matched entries with their deals, those first whose deals answered best: (id, tries, deals)."""
        query = select(ENTRIES.c.id, ENTRIES.c.tries, ALLOCATIONS.c.deal_id)
        query = query.join(ALLOCATIONS, ALLOCATIONS.c.entry_id == ENTRIES.c.id).where(ENTRIES.c.state == MATCHED)
        found: dict[int, Row] = {}
        worst: defaultdict[str, int] = defaultdict(int)
        for row in await self._database.rows(query):
            one = found.setdefault(row["id"], {"id": row["id"], "deals": set()})
            one["deals"].add(row["deal_id"])
            worst[row["deal_id"]] = max(worst[row["deal_id"]], row["tries"])
        return sorted(found.values(), key=lambda one: (max(worst[deal] for deal in one["deals"]), one["id"]))

    async def get(self, number: int) -> Row | None:
        """An entry with its candidates and parts."""

        def work(connection: Connection) -> Row | None:
            row = connection.execute(select(ENTRIES).where(ENTRIES.c.id == number)).mappings().one_or_none()
            return dict(row) | {"parts": _parts(connection, number)} if row else None

        return await self._database.look(work)

    async def page(self, chosen: dict[str, Any], cursor: str, limit: int) -> Page:
        """Entries with their candidates in the order in which they came; `chosen` by state, account or statement."""
        query = select(ENTRIES)
        for name in ("state", "account", "customer"):
            query = query.where(ENTRIES.c[name] == chosen[name]) if chosen.get(name) else query
        if chosen.get("statement"):
            mine = select(LINES.c.entry_id).where(LINES.c.statement_id == chosen["statement"])
            query = query.where(ENTRIES.c.id.in_(mine))
        found = await look_page(self._database, query, [ENTRIES.c.id], cursor, limit)
        numbers = [row["id"] for row in found.rows]
        parts = await self._database.look(partial(_parts_of, numbers=numbers)) if numbers else {}
        return Page([row | {"parts": parts.get(row["id"], [])} for row in found.rows], found.next_cursor)

    async def statements(self, account: str, state: str, cursor: str, limit: int) -> Page:
        """Statements, the newest first."""
        query = select(STATEMENTS)
        query = query.where(STATEMENTS.c.account == account) if account else query
        query = query.where(STATEMENTS.c.state == state) if state else query
        return await look_page(self._database, query, [STATEMENTS.c.id], cursor, limit, newest_first=True)

    async def statement(self, number: int) -> Row | None:
        """One statement."""
        return await self._database.row(select(STATEMENTS).where(STATEMENTS.c.id == number))

    async def outcomes(self, statements: Sequence[int]) -> dict[int, list[Row]]:
        """How many entries of statements are in which state by which rule, and their sums."""
        counted = (func.count().label("count"), func.sum(ENTRIES.c.amount_minor).label("amount_minor"))
        query = select(LINES.c.statement_id, ENTRIES.c.state, ENTRIES.c.rule, *counted)
        query = query.join(ENTRIES, ENTRIES.c.id == LINES.c.entry_id).where(LINES.c.statement_id.in_(statements))
        groups = (LINES.c.statement_id, ENTRIES.c.state, ENTRIES.c.rule)
        found: defaultdict[int, list[Row]] = defaultdict(list)
        for row in await self._database.rows(query.group_by(*groups).order_by(*groups)):
            plain = {name: row[name] for name in ("state", "rule", "count")}
            found[row["statement_id"]].append(plain | {"amount_minor": int(row["amount_minor"])})
        return found

    async def counts(self) -> dict[str, int]:
        """How many entries are in which state."""
        query = select(ENTRIES.c.state, func.count().label("count")).group_by(ENTRIES.c.state)
        return {row["state"]: row["count"] for row in await self._database.rows(query)}

    async def receive_on(self, key: str, day: str) -> None:
        """Note the day that a deal is told, which must be the same whenever it is told."""
        changed = update(ALLOCATIONS).where(ALLOCATIONS.c.key == key, ALLOCATIONS.c.state == PLANNED)
        await self._database.write(lambda connection: connection.execute(changed.values(received_on=day)))

    async def booked(self, key: str, applied: int, excess: int, at: str) -> None:
        """Write down how a deal booked a part. Done twice it changes nothing."""
        values = {"state": BOOKED, "reason": "", "applied_minor": applied, "excess_minor": excess, "settled_at": at}
        changed = update(ALLOCATIONS).where(ALLOCATIONS.c.key == key, ALLOCATIONS.c.state != BOOKED)
        await self._database.write(lambda connection: connection.execute(changed.values(values)))

    async def refused(self, key: str, reason: str, at: str) -> None:
        """Write down why a deal did not take a part."""
        changed = update(ALLOCATIONS).where(ALLOCATIONS.c.key == key, ALLOCATIONS.c.state == PLANNED)
        values = {"state": REFUSED, "reason": reason, "settled_at": at}
        await self._database.write(lambda connection: connection.execute(changed.values(values)))

    async def conclude(self, number: int, by: str, at: str) -> Row:
        """Move a matched entry on when all its parts are settled, and learn whose account it came from."""
        return await self._database.write(partial(_conclude, number=number, by=by, at=at))

    async def tried(self, number: int) -> None:
        """Count a try that nobody answered."""
        changed = update(ENTRIES).where(ENTRIES.c.id == number).values(tries=ENTRIES.c.tries + 1)
        await self._database.write(lambda connection: connection.execute(changed))

    async def allocate(self, number: int, parts: tuple[Allocation, ...], received_on: str, by: str, at: str) -> bool:
        """Plan a person's parts; False when the entry is not a person's to decide now."""
        work = partial(_allocate, number=number, parts=parts, received_on=received_on, by=by, at=at)
        return await self._database.write(work)

    async def ignore(self, number: int, reason: str, by: str, at: str) -> bool:
        """Write down that nothing of an entry is to be booked; False when it is not a person's to decide now."""
        return await self._database.write(partial(_ignore, number=number, reason=reason, by=by, at=at))

    async def match_again(self) -> int:
        """Give entries that wait and were never planned back to matching; how many they are."""
        never = ~exists().where(ALLOCATIONS.c.entry_id == ENTRIES.c.id)
        changed = update(ENTRIES).where(ENTRIES.c.state == WAITING, never).values(state=RECEIVED)
        return await self._database.write(lambda connection: connection.execute(changed).rowcount)


def _decide(connection: Connection, decided: Sequence[Decided], seen: int, by: str, at: str) -> bool:
    if not take_turn(connection, seen):
        return False
    rows = [
        row
        for one in decided
        if one.state == MATCHED
        for row in planned(one.id, one.match.allocations, one.received_on, by, at)
    ]
    if rows:
        connection.execute(insert(ALLOCATIONS), rows)
    connection.execute(_DECIDE, [_decision(one, by, at) for one in decided])
    return True


def _decision(one: Decided, by: str, at: str) -> Row:
    match = one.match
    return {
        "of": one.id,
        "new_state": one.state,
        "new_rule": match.rule,
        "new_reason": match.reason,
        "new_customer": match.customer,
        "new_candidates": encode(match.candidates),
        "by": by,
        "at": at,
    }


def _parts(connection: Connection, number: int) -> list[Row]:
    query = select(ALLOCATIONS).where(ALLOCATIONS.c.entry_id == number).order_by(ALLOCATIONS.c.number)
    return [dict(row) for row in connection.execute(query).mappings()]


def _parts_of(connection: Connection, numbers: list[int]) -> dict[int, list[Row]]:
    query = select(ALLOCATIONS).where(ALLOCATIONS.c.entry_id.in_(numbers))
    found: defaultdict[int, list[Row]] = defaultdict(list)
    for row in connection.execute(query.order_by(ALLOCATIONS.c.entry_id, ALLOCATIONS.c.number)).mappings():
        found[row["entry_id"]].append(dict(row))
    return found


def _conclude(connection: Connection, number: int, by: str, at: str) -> Row:
    locked = select(ENTRIES).where(ENTRIES.c.id == number).with_for_update()
    entry = dict(connection.execute(locked).mappings().one())
    parts = _parts(connection, number)
    if entry["state"] != MATCHED or any(part["state"] == PLANNED for part in parts):
        return entry
    booked = [part for part in parts if part["state"] == BOOKED]
    is_whole = sum(part["applied_minor"] + part["excess_minor"] for part in booked) == entry["amount_minor"]
    changes: Row = {"state": BOOKED if is_whole else WAITING, "decided_by": by, "decided_at": at}
    if is_whole:
        customers = {part["customer"] for part in booked}
        changes["customer"] = customers.pop() if len(customers) == 1 else ""
        changes["candidates"] = []
        _learn(connection, entry, changes["customer"], at)
    else:
        refused = [part for part in parts if part["state"] == REFUSED]
        told = "; ".join(f"{part['invoice']}: {part['reason']}" for part in refused[-3:])
        changes["reason"] = f"not booked: {told}"
    connection.execute(update(ENTRIES).where(ENTRIES.c.id == number).values(changes))
    return entry | changes


def _learn(connection: Connection, entry: Row, customer: str, at: str) -> None:
    if not customer or not entry["party_iban"] or entry["amount_minor"] <= 0:
        return
    row = {"customer": customer, "iban": entry["party_iban"], "entry_id": entry["id"], "learnt_at": at}
    connection.execute(insert_into(connection.dialect.name, BankPayerRow).on_conflict_do_nothing(), row)


def _to_decide(number: int) -> ColumnElement[bool]:
    """An entry that a person may decide."""
    return and_(ENTRIES.c.id == number, ENTRIES.c.state.in_((WAITING, IGNORED)), ENTRIES.c.amount_minor != 0)


def _allocate(
    connection: Connection, number: int, parts: tuple[Allocation, ...], received_on: str, by: str, at: str
) -> bool:
    lock_imports(connection)
    values = {"state": MATCHED, "rule": BY_HAND, "reason": f"assigned by {by}", "decided_by": by, "decided_at": at}
    if not connection.execute(update(ENTRIES).where(_to_decide(number)).values(values).returning(ENTRIES.c.id)).all():
        return False
    rows = plan(connection, number, parts, received_on, by, at)
    connection.execute(insert(ALLOCATIONS), rows)
    take_turn(connection)
    told = [{"invoice": part.invoice, "amount_minor": part.applied_minor + part.excess_minor} for part in parts]
    _attest(connection, number, {"decision": "allocated", "by": by, "parts": told}, at)
    return True


def _ignore(connection: Connection, number: int, reason: str, by: str, at: str) -> bool:
    values = {"state": IGNORED, "rule": BY_HAND, "reason": reason, "decided_by": by, "decided_at": at}
    if not connection.execute(update(ENTRIES).where(_to_decide(number)).values(values).returning(ENTRIES.c.id)).all():
        return False
    _attest(connection, number, {"decision": "not_ours", "by": by, "reason": reason}, at)
    return True


def _attest(connection: Connection, number: int, body: Row, at: str) -> None:
    body = {"entry": number, **body}
    append_leaves(connection, [leaf_of_body("bank", f"entry/{number}/{at}/{digest(body)[:12]}", body, at)])
