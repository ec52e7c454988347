"""`dealwright import receivables`: judge the rows, let the accounts live through them, show what became of them."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from pathlib import Path
from typing import Any

import typer

from cli.exits import CommandFailed, ExitCode
from cli.hands import Hands, hands_on
from cli.import_reports import end_with, keep_report, show_reports
from cli.imports.receivable_driving import (
    RECEIVABLES_POLICY,
    AccountDriver,
    Kept,
    enter,
    standing_accounts,
    weeks_of,
)
from cli.imports.receivable_outcomes import Outcomes, outcomes_of
from cli.imports.receivables import OldAccount, ReceivableFile, read_receivables
from cli.session import Session
from models.money import Money, show
from models.policy import DEFAULT


async def import_receivables(
    session: Session,
    path: Path,
    driving: bool,
    currency: str,
    customers: int,
    weeks: int,
    concurrency: int,
    allow_refused: bool,
) -> None:
    """Read, and with `driving` drive. Raises typer.Exit with 1 when an account is not as its rows say, with 5 for
    refused rows."""
    _check_currency(currency)
    file = await asyncio.to_thread(read_receivables, path, currency)
    accounts = file.accounts[:customers] if customers else file.accounts
    if not driving or not accounts:
        _show_reading(session, file, accounts)
    else:
        async with hands_on(session, create=True) as hands:
            started = time.monotonic()
            kept, shifted = await _drive(session, hands, file, accounts, weeks, concurrency)
            seconds = time.monotonic() - started
            outcomes = await outcomes_of(file, kept, shifted, hands.desk.books.database)
        _show_driving(session, file, outcomes, shifted, seconds)
        if outcomes.problems:
            raise typer.Exit(ExitCode.REFUSED)
    end_with([file.report], allow_refused)


async def _drive(
    session: Session, hands: Hands, file: ReceivableFile, accounts: list[OldAccount], weeks: int, at_once: int
) -> tuple[list[Kept], int]:
    await enter(file, hands)
    standing = await standing_accounts(file, hands)
    shifted = await weeks_of(file, hands, standing, weeks)
    driver = AccountDriver(hands, file, standing, shifted)
    with session.screen.progress("invoices", sum(len(account.invoices) for account in accounts)) as progress:
        return await driver.drive_all(accounts, at_once, progress), shifted


def _check_currency(currency: str) -> None:
    try:
        Money(0, currency)
    except ValueError as wrong:
        raise CommandFailed(ExitCode.USAGE, str(wrong)) from None


def _show_reading(session: Session, file: ReceivableFile, accounts: list[OldAccount]) -> None:
    invoices = [owed for account in accounts for owed in account.invoices]
    counts = {
        "accounts": len(accounts),
        "invoices": len(invoices),
        "disputed": sum(owed.disputed for owed in invoices),
        "unsettled": sum(owed.settled is None for owed in invoices),
        "invoiced_minor": sum(owed.amount_minor for owed in invoices),
    }
    plain: dict[str, Any] = {"files": [file.report.plain()], "currency": file.currency, **counts}
    kept = keep_report(session, plain)

    def render() -> None:
        show_reports(session, [file.report], kept)
        session.screen.line(
            f"{counts['invoices']} invoices of {counts['accounts']} customers, "
            f"{show(counts['invoiced_minor'], file.currency)}, {counts['disputed']} disputed; "
            "nothing was changed. Add --drive.",
            "bold",
        )

    session.screen.result({**plain, "report": str(kept)}, render)


def _show_driving(session: Session, file: ReceivableFile, outcomes: Outcomes, weeks: int, seconds: float) -> None:
    found = sum(each.kept.resumed for each in outcomes.accounts)
    told = {
        "files": [file.report.plain()],
        "currency": file.currency,
        "policy": RECEIVABLES_POLICY.version,
        "shift_weeks": weeks,
        "opened": len(outcomes.accounts) - found,
        "found": found,
        "seconds": round(seconds, 1),
    }
    plain: dict[str, Any] = {**told, **outcomes.plain()}
    kept = keep_report(session, plain)

    def render() -> None:
        show_reports(session, [file.report], kept)
        show_letters(session, plain)
        show_accounts(session, plain)
        session.screen.line(
            f"{plain['invoices']} invoices and {plain['disputes']} disputes on {len(outcomes.accounts)} accounts "
            f"({plain['opened']} driven now, {found} found from an earlier import) in {plain['seconds']} s, "
            f"{plain['moves']} moves; all days are {weeks} weeks later than in the file"
        )
        for problem in outcomes.problems[:20]:
            session.screen.line(f"  {problem}")
        good = not outcomes.problems
        verdict = "Every account is as its rows say." if good else "Accounts are NOT as their rows say."
        session.screen.line(verdict, "bold green" if good else "bold red")

    session.screen.result({**plain, "report": str(kept)}, render)


def show_letters(session: Session, plain: dict[str, Any]) -> None:
    """Letters per level of the ladder, then those of other kinds."""
    levels = [rung.letter for rung in DEFAULT.ladder if rung.letter]
    sent = Counter[str](plain["letters"])
    others = sorted(kind for kind in sent if kind not in levels)
    session.screen.table("Letters", ("letter", "sent>"), [(kind, sent[kind]) for kind in (*levels, *others)])


def show_accounts(session: Session, plain: dict[str, Any]) -> None:
    """Money and days late per customer."""
    columns = ("customer", "state", "invoices>", "disputes>", "invoiced>", "paid>", "open>", "days late>", "median>")
    rows = [
        (
            each["customer"],
            each["state"],
            each["invoices"],
            each["disputes"],
            *(show(each[f"{name}_minor"], plain["currency"]) for name in ("invoiced", "paid", "open")),
            each["average_days_late"],
            each["median_days_late"],
        )
        for each in plain["accounts"]
    ]
    session.screen.table("Accounts", columns, rows)
