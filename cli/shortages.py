"""The worklist of the shortage desk in a terminal: `dealwright shortages`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.session import Session, run, session_of

Plain = dict[str, Any]

_LONGEST = 16
"""Columns that a name gets before it goes on in the next line, so that the table fits into 120."""


def add_to(app: typer.Typer, panel: str) -> None:
    """Register the command `shortages`."""
    app.command("shortages", rich_help_panel=panel)(list_shortages)


def list_shortages(
    context: typer.Context,
    role: Annotated[str, typer.Option(help="Only what this role has to answer.")] = "",
    deal: Annotated[str, typer.Option(help="Only this deal's.")] = "",
    article: Annotated[str, typer.Option(help="Only this article.")] = "",
    overdue: Annotated[bool, typer.Option("--overdue", help="Only answers that are late.")] = False,
    options: Annotated[bool, typer.Option("--options", help="Also all that can be done, the best first.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Rows at most.")] = 50,
) -> None:
    """Order lines that are out of stock: who has to answer until when, and what can be done."""
    run(_list(session_of(context), role, deal, article, overdue, options, limit))


async def _list(
    session: Session, role: str, deal: str, article: str, overdue: bool, with_options: bool, limit: int
) -> None:
    from cli.deal_views import said_no
    from cli.hands import caller_named, desk_on
    from infra.stores.deals import ShortageFilter

    asked = ShortageFilter(role, deal, article, True if overdue else None)
    rows: list[Plain] = []
    async with desk_on(session) as desk:
        caller, cursor = await caller_named(desk, session.options.acting_as), ""
        while len(rows) < limit:
            with said_no():
                page = await desk.reading.shortages(caller, asked, cursor, min(200, limit - len(rows)))
            rows += page.rows
            if not (cursor := page.next_cursor):
                break

    def render() -> None:
        _render(session, rows)
        if with_options:
            _render_options(session, rows, caller.sees_margins)
        if cursor:
            session.screen.line(f"the {len(rows)} that are due first; --limit shows more")

    session.screen.result({"shortages": rows, "more": bool(cursor)}, render)


def _render(session: Session, rows: list[Plain]) -> None:
    columns = ("deal/line", "article", "missing>", "next", "until", "comes on", "best option")
    shown = [
        (
            f"{r['deal_id']}/{r['line']}",
            _wrapped(r["article"]),
            f"{r['short']} of {r['ordered']}",
            _next(r),
            _until(r),
            r["promised_on"] or r["expected_on"] or "not known",
            _best(r["options"]),
        )
        for r in rows
    ]
    session.screen.table("", columns, shown)


def _render_options(session: Session, rows: list[Plain], with_costs: bool) -> None:
    """All options; what they cost and earn stands there for sales alone."""
    columns = ("deal/line", "rank>", "option", "article", "units>", "comes on")
    shown = [
        (
            *(f"{r['deal_id']}/{r['line']}", option["rank"], _words(option["kind"]), _wrapped(option["article"])),
            *(option["quantity"], option["promised_on"] or "-"),
            *(_costs(option) if with_costs else ()),
        )
        for r in rows
        for option in r["options"]
    ]
    session.screen.table("What can be done", (*columns, "extra cost>", "margin>") if with_costs else columns, shown)


def _costs(option: Plain) -> tuple[str, str]:
    from cli.deal_texts import amount, signed

    return amount(option["extra_cost"]), signed(option["margin_effect"])


def _next(row: Plain) -> str:
    from cli.deal_timeline import SHORT_ROLES

    role: str = SHORT_ROLES.get(row["role"]) or str(row["role"])
    who = f"{role} {row['deal']['owner']}" if role in ("AM", "KAM") else role
    return f"{_words(row['rung'])}\n{_wrapped(who)}"


def _until(row: Plain) -> str:
    from cli.deal_texts import minute

    return minute(row["due_at"]) + ("\nLATE" if row["overdue"] else "")


def _best(options: list[Plain]) -> str:
    if not options:
        return "none"
    best = options[0]
    what = f"{_words(best['kind'])} {best['article']}".rstrip()
    return f"{_wrapped(what)}\n{best['promised_on']}".rstrip()


def _words(name: str) -> str:
    return name.replace("_", " ")


def _wrapped(text: str) -> str:
    from textwrap import wrap

    return "\n".join(wrap(text, _LONGEST))
