"""What the demo shows at its end: the stories, the board, one timeline, the balances, and the verdicts."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from cli.balances import disagreements, stock_levels
from cli.deal_timeline import render_timeline
from cli.deal_views import board_table
from cli.demo.collection import collection_table
from cli.demo.shortages import shortages_table
from cli.demo.telling import Told
from cli.imports.report import Report
from cli.replaying import Verdict, replay_all, summary
from cli.session import Session
from infra.desk.callers import OPERATOR
from infra.desk.service import DealDesk
from infra.stores.audit import AuditReport, AuditStore
from models.money import show

SHOWN_STORY = "two_dunnings"


@dataclass(frozen=True, slots=True)
class Proof:
    """What the checks at the end say."""

    audit: AuditReport
    replays: list[Verdict]
    disagreements: list[str]

    @property
    def is_sound(self) -> bool:
        """True when nothing is wrong anywhere."""
        return self.audit.sound and all(verdict.equal for verdict in self.replays) and not self.disagreements


async def prove(session: Session, desk: DealDesk) -> Proof:
    """Verify the evidence, replay every deal, and add up the books."""
    database = desk.books.database
    with session.screen.progress("entries and leaves", None) as progress:
        audit = await AuditStore(database).verify(progress)
    replays = await replay_all(session, database, session.settings, [])
    return Proof(audit, replays, await disagreements(database))


async def show_outcome(
    session: Session, desk: DealDesk, reports: list[Report], told: list[Told], proof: Proof, seconds: float
) -> None:
    """Print it all, or its essence as JSON."""
    board = await desk.books.deals.board(OPERATOR.scope)
    balances = await desk.books.ledger.balances()
    levels = await stock_levels(desk.books.database)
    page = await desk.reading.timeline(OPERATOR, _shown(told).deal_id, limit=500)

    def render() -> None:
        _stories(session, told)
        shortages_table(session, told)
        collection_table(session, told)
        board_table(session, board)
        shown = _shown(told)
        session.screen.line(f"The timeline of {shown.deal_id}, {shown.row.title}: {shown.words}", "bold")
        render_timeline(session, page.entries, [])
        _money(session, [asdict(balance) | {"ok": balance.is_balanced} for balance in balances])
        _stock(session, levels)
        _verdicts(session, told, proof, seconds)

    plain = {
        "imports": [report.plain() for report in reports],
        "stories": [_plain(one) for one in told],
        "board": board,
        "money": [asdict(balance) for balance in balances],
        "audit": {**asdict(proof.audit), "sound": proof.audit.sound},
        "replay": {"equal": all(v.equal for v in proof.replays), "summary": summary(proof.replays)},
        "books": {"sound": not proof.disagreements, "disagreements": proof.disagreements},
        "seconds": round(seconds, 1),
    }
    session.screen.result(plain, render)


def _shown(told: list[Told]) -> Told:
    return next((one for one in told if one.row.fate == SHOWN_STORY and one.deal_id), told[0])


def _plain(one: Told) -> dict[str, Any]:
    same: dict[str, Any] = {"deal": one.deal_id, "state": one.state, "days": one.days, "problem": one.problem}
    same["shortages"], same["order_events"] = [asdict(each) for each in one.shortages], list(one.events)
    same["receivables"] = [asdict(each) for each in one.troubles]
    return {"opportunity": one.row.ref, "title": one.row.title, "fate": one.row.fate, "story": one.words, **same}


def _stories(session: Session, told: list[Told]) -> None:
    rows = [
        (one.deal_id, one.row.customer, one.words, one.days, one.state + (f" - {one.problem}" if one.problem else ""))
        for one in told
    ]
    columns = ("deal", "customer", "story", "days>", "ended as")
    session.screen.table(f"{len(told)} deals, {max(one.days for one in told)} virtual days", columns, rows)


def _money(session: Session, balances: list[dict[str, Any]]) -> None:
    names = ("invoiced", "paid", "credited", "written_off", "open")
    rows = [
        (b["currency"], *(show(b[f"{name}_minor"], b["currency"]) for name in names), "yes" if b["ok"] else "NO")
        for b in balances
    ]
    columns = ("currency", *(f"{name.replace('_', ' ')}>" for name in names), "balanced")
    session.screen.table("Money: invoiced = paid + credited + written off + open", columns, rows)


def _stock(session: Session, levels: list[dict[str, Any]]) -> None:
    warehouses: dict[str, list[int]] = {}
    for row in levels:
        sums = warehouses.setdefault(row["warehouse"], [0, 0, 0])
        for i, number in enumerate((1, row["on_hand"], row["reserved"])):
            sums[i] += number
    rows = [(name, *sums) for name, sums in sorted(warehouses.items())]
    session.screen.table("Stock", ("warehouse", "shelves>", "units on hand>", "reserved>"), rows)


def _verdicts(session: Session, told: list[Told], proof: Proof, seconds: float) -> None:
    line = session.screen.line
    audit = proof.audit
    counts = f"{audit.entries} entries, {audit.refusals} refusals, {audit.leaves} leaves, root {audit.root[:16]}..."
    line(f"audit verify  {'sound' if audit.sound else 'NOT SOUND'}: {counts}", _style(audit.sound))
    for problem in audit.problems[:10]:
        line(f"  {problem.where}: {problem.why}")
    line(f"audit replay  {summary(proof.replays)}", _style(all(verdict.equal for verdict in proof.replays)))
    for verdict in proof.replays:
        for different in verdict.problems[:2]:
            line(f"  {verdict.deal_id}: {different}")
    agree = not proof.disagreements
    line(f"books         stock, ledger and credit {'agree' if agree else 'DISAGREE'} with their moves", _style(agree))
    for disagreement in proof.disagreements[:10]:
        line(f"  {disagreement}")
    wrong = sum(1 for one in told if one.problem)
    ended = "all stories ended as told" if not wrong else f"{wrong} stories did NOT end as told"
    line(f"{ended}; {seconds:.0f} seconds", _style(not wrong))


def _style(good: bool) -> str:
    return "bold green" if good else "bold red"
