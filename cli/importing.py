"""Imports from the command line: examples, customers, products, stock, users, opportunities, orders, receivables."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.session import Session, run, session_of

if TYPE_CHECKING:
    from cli.imports.report import Report
    from infra.db import Database

app = typer.Typer(help="Bring in CSV files; docs/imports.md describes their columns.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(metavar="FILE", help="A CSV file.")]
Allow = Annotated[bool, typer.Option("--allow-refused", help="Exit with 0 even when rows were refused.")]


@app.command()
def examples(
    context: typer.Context,
    files: Annotated[Path | None, typer.Option("--files", help="Also copy the CSV files there, to edit them.")] = None,
) -> None:
    """Fill the data folder with our examples: users, products, their stock, and customers; again changes nothing."""
    run(_examples(session_of(context), files))


@app.command()
def customers(context: typer.Context, file: File, allow_refused: Allow = False) -> None:
    """Add customers, or bring their cards up to date."""
    session = session_of(context)

    async def work(database: Database, at: str) -> Report:
        from cli.imports.customers import import_customers
        from cli.imports.users import all_people
        from infra.privacy.vault import Vault
        from infra.stores.people import PeopleStore

        owners = frozenset(await all_people(PeopleStore(database)))
        return await import_customers(database, file, at, owners, Vault(session.settings.keys_dir))

    run(_import(session, work, allow_refused))


@app.command()
def products(context: typer.Context, file: File, allow_refused: Allow = False) -> None:
    """Add articles and prices, or bring them up to date."""

    async def work(database: Database, at: str) -> Report:
        from cli.imports.products import import_products

        return await import_products(database, file)

    run(_import(session_of(context), work, allow_refused))


@app.command()
def stock(context: typer.Context, file: File, allow_refused: Allow = False) -> None:
    """Enter opening stock, receipts and expected arrivals; tells deals that wait for the goods if a system runs."""
    session = session_of(context)

    async def work(database: Database, at: str) -> Report:
        from cli.imports.stock import import_stock

        report = await import_stock(database, file, at)
        report.notes += await _wake(session, database)
        return report

    run(_import(session, work, allow_refused))


@app.command()
def users(context: typer.Context, file: File, allow_refused: Allow = False) -> None:
    """Add users; those who are there already stay as they are."""

    async def work(database: Database, at: str) -> Report:
        from cli.imports.users import import_users

        return await import_users(database, file, at)

    run(_import(session_of(context), work, allow_refused))


@app.command()
def opportunities(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(help="Our own CSV file, or a folder of a CRM export with four files.")],
    drive: Annotated[bool, typer.Option("--drive", help="Make test deals and drive each to its row's fate.")] = False,
    limit: Annotated[int, typer.Option(min=0, help="Drive only the first rows; 0 means all.")] = 0,
    concurrency: Annotated[int, typer.Option(min=1, max=64, help="Deals that are driven at once.")] = 12,
    allow_refused: Allow = False,
) -> None:
    """Read sales opportunities; without --drive nothing is changed, only the rows are judged."""
    from cli.import_opportunities import import_opportunities

    run(import_opportunities(session_of(context), path, drive, limit, concurrency, allow_refused))


@app.command()
def orders(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Order lines with the columns of UCI Online Retail.")],
    drive: Annotated[bool, typer.Option("--drive", help="Make test deals and drive each to its end.")] = False,
    limit: Annotated[int, typer.Option(min=0, help="Drive only the first orders; 0 means all.")] = 0,
    stock_share: Annotated[int, typer.Option(min=0, max=100, help="Percent of the demand that is on stock.")] = 80,
    concurrency: Annotated[int, typer.Option(min=1, max=64, help="Deals that are driven at once.")] = 12,
    allow_refused: Allow = False,
) -> None:
    """Read orders line by line; without --drive nothing is changed, only the rows are judged."""
    from cli.import_orders import import_orders

    run(import_orders(session_of(context), file, drive, limit, stock_share, concurrency, allow_refused))


@app.command()
def bank(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Bank statements: camt.053 or MT940.")],
) -> None:
    """Import bank statements and tell the deals what was paid; the same file again books nothing twice."""
    from cli.import_bank import import_bank

    run(import_bank(session_of(context), files))


@app.command()
def receivables(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Invoices of an earlier system, with what became of them.")
    ],
    drive: Annotated[
        bool, typer.Option("--drive", help="Make test accounts and let each live through its rows.")
    ] = False,
    currency: Annotated[str, typer.Option(help="The currency of the amounts, which the file does not name.")] = "USD",
    customers: Annotated[int, typer.Option(min=0, help="Drive only the first customers; 0 means all.")] = 0,
    shift_weeks: Annotated[
        int, typer.Option(min=0, help="Weeks by which all days are later than in the file; 0 means as few as possible.")
    ] = 0,
    concurrency: Annotated[int, typer.Option(min=1, max=64, help="Accounts that are driven at once.")] = 8,
    allow_refused: Allow = False,
) -> None:
    """Read open and settled invoices; without --drive nothing is changed, only the rows are judged."""
    from cli.import_receivables import import_receivables

    run(
        import_receivables(
            session_of(context), file, drive, currency, customers, shift_weeks, concurrency, allow_refused
        )
    )


async def _wake(session: Session, database: Database) -> list[str]:
    """Tell deals that goods were set aside for them, when an engine runs; without one they ask when they wake."""
    from cli.hands import reading_desk
    from infra.logging import configure_logging

    desk = await reading_desk(session, database)
    if not desk.engine.is_attached:
        return []
    configure_logging(level="error" if session.options.quiet else "warning")  # to stderr: stdout is the report's
    told = await desk.waking.wake()
    return [f"deals that were told of units set aside for them: {told}"] if told else []


async def _examples(session: Session, files: Path | None) -> None:
    from cli.import_reports import end_with, keep_report, show_reports
    from cli.imports.examples import copy_examples, import_examples
    from infra.desk.clocks import wall_clock
    from infra.privacy.vault import Vault

    async with session.database(create=True) as database:
        users, products, stock, customers = await import_examples(
            database, wall_clock(), Vault(session.settings.keys_dir)
        )
        stock.notes += await _wake(session, database)
    reports = [users, products, stock, customers]
    plain = [report.plain() for report in reports]
    kept = keep_report(session, plain)
    copied = [str(copy) for copy in copy_examples(files)] if files else []
    nothing_new = all(report.unchanged == report.rows for report in reports)

    def render() -> None:
        show_reports(session, reports, kept)
        if files:
            session.screen.line(f"{len(copied)} files copied to {files}; what was there already stays as it is")
        then = (
            "nothing changed" if nothing_new else 'next: dealwright deal new alpenquell "Four pumps" --as anna.keller'
        )
        session.screen.line(f"the examples are in {session.settings.data_dir}; {then}", "bold green")

    session.screen.result({"imports": plain, "report": str(kept), "copied": copied}, render)
    end_with(reports, allow_refused=False)


async def _import(session: Session, work: Callable[[Database, str], Awaitable[Report]], allow_refused: bool) -> None:
    from cli.import_reports import end_with, keep_report, show_reports
    from infra.desk.clocks import wall_clock

    async with session.database(create=True) as database:
        report = await work(database, wall_clock())
    kept = keep_report(session, [report.plain()])
    session.screen.result(report.plain() | {"report": str(kept)}, lambda: show_reports(session, [report], kept))
    end_with([report], allow_refused)
