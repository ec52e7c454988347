"""The eight invariants of the domain, checked on a database; every finding is a sentence. Replays are elsewhere.

Each check counts for itself, from rows and timelines, rather than asking the code under test whether it is right.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from infra.db import Database, table_of
from infra.gateways.credit_limits import CreditLimits
from infra.gateways.ledger_reading import LedgerReader
from infra.gateways.stock_reading import StockReader
from infra.stores.audit import AuditStore
from infra.stores.policies import PolicyStore
from infra.stores.rebuild import Rebuilder
from infra.stores.timeline import timelines
from models import codec
from models.deal import fold
from models.deal_state import Deal
from models.lifecycle.deal_table import DEAL
from models.policy import DEFAULT, Policy
from models.projection import project
from models.tables.effects import EffectRow
from models.tables.money_books import GroupHoldRow, HeadroomRow, InvoiceRow, LedgerEntryRow
from models.tables.papers import DocumentRow, LetterRow
from models.tables.projection import DealAgendaRow, DealRow
from models.tables.records import CommandRow, OutboxRow
from models.tables.stock import StockHoldingRow, StockLevelRow, StockMoveRow, StockWaitingRow
from models.timeline import Entry, verify_chain
from tests.invariants_books import Books, Row
from tests.invariants_money import group_holds_findings, headroom_findings, ledger_findings
from tests.stories import Story, tell

Answered = tuple[str, str, dict[str, Any] | None]
"""Deal, idempotency key and the answer in plain form that a caller got (None: not kept)."""

LEAVES_A_ROW: dict[str, Any] = {
    "issue_invoice": InvoiceRow,
    "issue_interest_note": InvoiceRow,
    "book_entry": LedgerEntryRow,
    "send_letter": LetterRow,
    "print_document": DocumentRow,
}
"""Kinds of effects that leave exactly one row each, under the effect's key."""

MOVES_STOCK = ("reserve_lines", "release_lines", "ship_lines", "take_back_lines")
FOUR_EYES = frozenset(row.action for row in DEAL.rows if "four_eyes" in row.guards)


async def findings(
    database: Database,
    acknowledged: Iterable[Answered] = (),
    *,
    policy: Policy = DEFAULT,
    policies: Mapping[str, Policy] | None = None,
    allowed_extra_keys: Callable[[str], bool] = lambda key: False,
) -> list[str]:
    """What violates invariants 1 to 6 and 8 in a database; nothing when all hold. The system should be settled.

    `acknowledged` are the acts that callers were told about; `allowed_extra_keys` tells which effect keys were
    used by others than deals (imports, received goods). `policy` and `policies` are those that no database knows.
    """
    stored = {row["version"]: codec.decode(Policy, row["body"]) for row in await PolicyStore(database).all()}
    known = {policy.version: policy, **(policies or {}), **stored}
    books = await _read(database)
    found = books.problems
    for story in books.stories.values():
        found += _moves(story)
        found += _goods_rules(story)
        found += _sums(story)
    found += _acknowledged(books, acknowledged)
    found += _keys(books)
    found += _effects(books, allowed_extra_keys)
    found += _stock(books)
    found += ledger_findings(books)
    found += headroom_findings(books)
    found += group_holds_findings(books)
    found += _agenda(books)
    found += _outbox(books)
    found += await _audits(database, known)
    return found


async def _read(database: Database) -> Books:
    books = Books()
    tables = (
        CommandRow, OutboxRow, DealRow, DealAgendaRow, EffectRow, StockHoldingRow, StockLevelRow, StockMoveRow,
        StockWaitingRow, InvoiceRow, LedgerEntryRow, LetterRow, DocumentRow, HeadroomRow, GroupHoldRow,
    )  # fmt: skip
    async with database.read() as connection:
        async for some in timelines(connection):
            for entries in some:
                _tell(books, entries)
        for table in tables:
            books.rows[table.__tablename__] = await _all(connection, table)
    return books


async def _all(connection: AsyncConnection, table: Any) -> list[Row]:
    return [dict(row) for row in (await connection.execute(select(table_of(table)))).mappings()]


def _tell(books: Books, entries: list[Entry]) -> None:
    deal_id = entries[0].deal_id
    if broken := verify_chain(entries):
        books.problems.append(f"{deal_id}/{broken.sequence}: {broken.why}")
    try:
        folded = fold(entries)
        books.stories[deal_id] = tell(entries)
    except Exception as problem:
        books.problems.append(f"{deal_id}: the timeline does not fold: {problem}")
        return
    if folded != books.stories[deal_id].deal:
        books.problems.append(f"{deal_id}: two folds of one timeline differ")


def _moves(story: Story) -> Iterable[str]:
    """Invariant 2: only moves of the table, by roles of the row, past guards that held, with four eyes."""
    for step in story.steps[1:]:
        entry, before = step.entry, step.before
        where = f"{story.deal_id}/{entry.sequence} {entry.action}"
        row = DEAL.row(entry.state_from, entry.action)
        if row is None or before is None or before.state != entry.state_from:
            yield f"{where}: no such move from {entry.state_from}"
            continue
        if entry.role not in row.roles:
            yield f"{where}: {entry.role} may not"
        if [v["guard"] for v in entry.verdicts] != list(row.guards) or not all(v["ok"] for v in entry.verdicts):
            yield f"{where}: guards were {entry.verdicts}, the row names {row.guards}"
        if entry.action in FOUR_EYES and (mine := {entry.actor, entry.on_behalf_of} & _involved(before)):
            yield f"{where}: {mine} decided about their own request"


def _involved(deal: Deal) -> set[str]:
    people = {deal.owner, *deal.former_owners}
    people |= {deal.offer.drafted_by, deal.offer.drafted_for} if deal.offer else set()
    people |= set(deal.contract.edited_by) if deal.contract else set()
    people |= {p for a in deal.approvals if a.state == "pending" for p in (a.requested_by, a.requested_for)}
    return people - {""}


def _goods_rules(story: Story) -> Iterable[str]:
    """Invariant 5: goods leave after both signatures, not on hold, not before a prepayment came in."""
    for step in story.steps[1:]:
        if step.entry.action != "ship" or step.before is None:
            continue
        where, deal = f"{story.deal_id}/{step.entry.sequence}", step.before
        signed = {s.side for s in deal.contract.signatures if s.digest == deal.contract.digest} if deal.contract else ()
        if set(signed) != {"ours", "theirs"}:
            yield f"{where}: goods left with signatures of {sorted(signed)} only"
        if deal.holds:
            yield f"{where}: goods left while on hold for {deal.holds}"
        if deal.offer and deal.offer.prepaid_share and deal.offer.total_minor and deal.offer.blocks.shipping:
            owed = [r for r in deal.receivables if r.kind == "prepayment"]
            if not owed or any(r.open_minor or r.written_off_minor > r.tolerated_minor for r in owed):
                yield f"{where}: goods left before the prepayment came in"


def _sums(story: Story) -> Iterable[str]:
    """Invariant 4, at every step: ordered = shipped + cancelled + substituted + open, and the same of money."""
    for step in story.steps:
        where = f"{story.deal_id}/{step.entry.sequence}"
        for line in step.after.order.lines if step.after.order else ():
            parts = (line.open, line.shipped, line.cancelled, line.substituted, line.reserved, line.delivered)
            if line.shipped + line.cancelled + line.substituted + line.open != line.ordered or min(parts) < 0:
                yield f"{where}: the quantities of line {line.line} are {parts} of {line.ordered}"
            if line.reserved > line.open or line.delivered > line.shipped:
                yield f"{where}: line {line.line} has {line.reserved} reserved, {line.delivered} delivered: {parts}"
        for owed in step.after.receivables:
            money = (owed.paid_minor, owed.credited_minor, owed.written_off_minor, owed.open_minor)
            if sum(money) != owed.total_minor or min(money) < 0 or not 0 <= owed.disputed_minor <= owed.open_minor:
                yield f"{where}: invoice {owed.number} of {owed.total_minor} is {money}"


def _acknowledged(books: Books, acknowledged: Iterable[Answered]) -> Iterable[str]:
    """Invariant 1: what was answered with a yes stands once, and its stored answer is what the caller was told."""
    standing = Counter((d, step.entry.key) for d, story in books.stories.items() for step in story.steps)
    stored = {(row["scope"], row["key"]): row for row in books.of(CommandRow)}
    for deal_id, key, answer in acknowledged:
        if standing[deal_id, key] != 1:
            yield f"{deal_id}: the acknowledged act {key} stands {standing[deal_id, key]} times"
        row = stored.get((deal_id, key))
        if row is None:
            yield f"{deal_id}: no answer is stored for the acknowledged act {key}"
        elif answer is not None and _plain(answer) != _plain(row["body"]):
            yield f"{deal_id}: {key} was answered {_plain(answer)}, stored is {_plain(row['body'])}"
    for deal_id, key in stored:
        if deal_id in books.stories and standing[deal_id, key] != 1:
            yield f"{deal_id}: an answer is stored for {key}, which stands {standing[deal_id, key]} times"


def _plain(answer: Row) -> dict[str, Any]:
    plain: dict[str, Any] = codec.encode({name: value for name, value in answer.items() if name != "replayed"})
    return plain


def _keys(books: Books) -> Iterable[str]:
    """Invariant 1: no key twice in a deal."""
    for story in books.stories.values():
        keys = Counter(step.entry.key for step in story.steps)
        yield from (f"{story.deal_id}: the key {key} stands {n} times" for key, n in keys.items() if n > 1)


def _effects(books: Books, allowed_extra_keys: Callable[[str], bool]) -> Iterable[str]:
    """Invariant 1: one effect per key: what is done stands once in its book, and nobody does more."""
    asked = {effect.key: effect.kind for story in books.stories.values() for effect in story.effects}
    pending = {effect.key for story in books.stories.values() for effect in story.deal.pending}
    for table in dict.fromkeys(LEAVES_A_ROW.values()):
        kinds = [kind for kind, its in LEAVES_A_ROW.items() if its is table]
        rows = Counter(row["effect_key"] for row in books.of(table) if not allowed_extra_keys(row["effect_key"]))
        for key in (key for key, its in asked.items() if its in kinds):
            if rows[key] > 1 or (rows[key] == 0 and key not in pending):
                yield f"{table.__tablename__}: {rows[key]} rows for the effect {key}"
        yield from (f"{table.__tablename__}: nobody asked for {key}" for key in rows if asked.get(key) not in kinds)
    for key in (row["effect_key"] for row in books.of(EffectRow)):
        if key not in asked and not key.startswith(("undo:", "number:")) and not allowed_extra_keys(key):
            yield f"effects_done: nobody asked for {key}"
    done = {row["effect_key"] for row in books.of(EffectRow)}
    silent = ("assess_reliability",)  # reads only
    yield from (
        f"the effect {key} is reported done, but no department did it"
        for key, kind in asked.items()
        if key not in pending and key not in done and kind not in silent
    )


def _stock(books: Books) -> Iterable[str]:
    """Invariant 3, counted from the moves and holdings, and the deals' lines against them."""
    moved: Counter[tuple[str, str]] = Counter()
    shipped: Counter[tuple[str, int]] = Counter()
    for move in books.of(StockMoveRow):
        sign = -1 if move["kind"] == "shipped" else 1
        moved[move["article"], move["warehouse"]] += sign * move["quantity"]
        if move["deal_id"]:
            shipped[move["deal_id"], move["line"]] -= sign * move["quantity"]
    held: Counter[tuple[str, str]] = Counter()
    holds: Counter[tuple[str, int]] = Counter()
    for row in books.of(StockHoldingRow):
        held[row["article"], row["warehouse"]] += row["quantity"]
        holds[row["deal_id"], row["line"]] += row["quantity"]
    for row in books.of(StockWaitingRow):  # set aside for a line whose deal has not been told
        holds[row["deal_id"], row["line"]] -= row["allocated"]
    for level in books.of(StockLevelRow):
        shelf, on_hand, reserved = (level["article"], level["warehouse"]), level["on_hand"], level["reserved"]
        if on_hand != moved[shelf] or reserved != held[shelf] or not 0 <= reserved <= on_hand:
            yield f"{shelf}: {on_hand} on hand, {reserved} reserved; moves say {moved[shelf]}, holdings {held[shelf]}"
    yield from _goods_of_deals(books, shipped, holds)


def _goods_of_deals(books: Books, shipped: Counter[tuple[str, int]], holds: Counter[tuple[str, int]]) -> Iterable[str]:
    """What the stock book says of every order line against what its deal says."""
    for story in books.stories.values():
        if story.waits_for(*MOVES_STOCK):
            continue
        lines = {line.line: line for line in (story.deal.order.lines if story.deal.order else ())}
        for number in {n for d, n in (*shipped, *holds) if d == story.deal_id} | set(lines):
            line = lines.get(number)
            want = (0, 0) if line is None else (line.shipped + line.lost, 0 if story.deal.is_closed else line.reserved)
            found = (shipped[story.deal_id, number], holds[story.deal_id, number])
            if want != found:
                yield f"{story.deal_id} line {number}: shipped and reserved are {want}, the stock book says {found}"


def _agenda(books: Books) -> Iterable[str]:
    """Invariant 8: every open deal waits for a named person, date or event, and no closed one for anything."""
    items: defaultdict[str, list[Row]] = defaultdict(list)
    for row in books.of(DealAgendaRow):
        items[row["deal_id"]].append(row)
        if not row["due_at"] or not (row["roles"] or row["person"]):
            yield f"{row['deal_id']}: the agenda item {row['key']} waits for nobody or for ever"
    for story in books.stories.values():
        if story.deal.is_closed == bool(items[story.deal_id]):
            yield f"{story.deal_id}: is {story.deal.state} and has {len(items[story.deal_id])} agenda items"


def _outbox(books: Books) -> Iterable[str]:
    """Invariant 6: one event for the outside world per entry."""
    told = Counter((row["deal_id"], row["sequence"]) for row in books.of(OutboxRow))
    for deal_id, story in books.stories.items():
        for step in story.steps:
            if told[deal_id, step.entry.sequence] != 1:
                yield f"{deal_id}/{step.entry.sequence}: told {told[deal_id, step.entry.sequence]} times"


async def _audits(database: Database, policies: Mapping[str, Policy]) -> list[str]:
    """Invariant 6: chains, leaves and root verify, the rebuilt projection is the live one; the books' own audits."""

    def rebuilt(entries: Any) -> Any:
        deal = fold(entries)
        return project(deal, policies[deal.policy_version])

    audit = await AuditStore(database).verify()
    compared = await Rebuilder(database, rebuilt).compare()
    books = [
        *await StockReader(database).verify(),
        *await LedgerReader(database).verify(),
        *await CreditLimits(database).verify(),
    ]
    return [
        *(f"audit: {problem.where} {problem.why}" for problem in audit.problems),
        *(f"rebuild: {d.deal_id} {d.table} {d.row} {d.column}: live {d.live!r}, rebuilt {d.rebuilt!r}"
          for d in compared.differences),
        *(f"book: {difference}" for difference in books),
        *(f"balance: {b}" for b in await LedgerReader(database).balances() if not b.is_balanced),
    ]  # fmt: skip
