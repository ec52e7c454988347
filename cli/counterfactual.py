"""Counterfactual runs in a terminal: totals, and decision by decision what a draft would have done otherwise."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from cli.exits import CommandFailed, ExitCode
from cli.policy_drafts import on_desk
from cli.session import Session
from infra.control.counterfactual_desk import Outcome, Question
from models import codec
from models.instants import day_start
from models.money import show

if TYPE_CHECKING:
    from infra.control.policy_desk import Numbers
    from infra.desk.callers import Caller
    from infra.desk.service import DealDesk

_FIRST, _LAST = "2000-01-01T00:00:00Z", "9999-01-01T00:00:00Z"


async def show_trial(
    session: Session, version: str, numbers: Numbers, first: str, last: str, deal: str, tests: bool, most: int
) -> None:
    """Try a policy on the decisions of a period, both days included; empty days leave it open."""
    since = _start(first) if first else _FIRST
    until = _start((date.fromisoformat(_start(last)[:10]) + timedelta(days=1)).isoformat()) if last else _LAST
    question = Question(since, until, deal, tests)
    with session.screen.progress("deals", None) as progress:

        async def ask(desk: DealDesk, me: Caller) -> Outcome:
            return await desk.counterfactual.run(me, version, question, numbers, progress)

        outcome = await on_desk(session, ask)
    session.screen.result(codec.encode(outcome), lambda: _render(session, outcome, most))


def _start(day: str) -> str:
    try:
        return day_start(day)
    except (ValueError, OverflowError):
        raise CommandFailed(ExitCode.USAGE, f"{day!r} is no day such as 2026-03-31") from None


def _render(session: Session, outcome: Outcome, most: int) -> None:
    screen = session.screen
    deals = f"{outcome.tried} deal{'' if outcome.tried == 1 else 's'}"
    screen.line(
        f"policy {outcome.version}: {outcome.judged} decisions of {deals} were judged again; "
        f"{sum(total.count for total in outcome.totals)} come out otherwise",
        "bold",
    )
    if outcome.totals:
        sums = [
            (
                total.kind.replace("_", " "),
                total.count,
                total.measure.replace("_", " "),
                show(total.amount_minor, total.currency),
            )
            for total in outcome.totals
        ]
        screen.table("In total", ("how", "decisions>", "measure", "amount>"), sums)
        each = [
            (deal.deal_id, deal.owner, total.kind.replace("_", " "), total.count, total.measure.replace("_", " "),
             show(total.amount_minor, total.currency))
            for deal in outcome.deals
            for total in deal.totals
        ]  # fmt: skip
        screen.table("Deal by deal", ("deal", "owner", "how", "decisions>", "measure", "amount>"), each[:most])
    rows = [
        (deal.deal_id, flip.at[:10], flip.action, flip.subject, flip.kind.replace("_", " "), flip.recorded, flip.tried,
         show(flip.amount_minor, flip.currency))
        for deal in outcome.deals
        for flip in deal.flips
    ]  # fmt: skip
    if rows:
        columns = ("deal", "day", "decision", "invoice", "how", "was", "would be", "amount>")
        screen.table("Decision by decision", columns, rows[:most])
    if len(rows) > most:
        screen.line(f"the first {most} of {len(rows)}; --limit shows more, -o json all")
    for deal_id, why in outcome.unreadable.items():
        screen.line(f"{deal_id} could not be judged: {why}", "bold red")
