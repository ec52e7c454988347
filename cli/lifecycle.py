"""The transition tables from the command line: lifecycle show."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from cli.session import session_of

app = typer.Typer(help="What may happen to a deal, and who may do it.", no_args_is_help=True)


class Form(StrEnum):
    """Forms of a transition table."""

    TABLE = "table"
    MERMAID = "mermaid"
    DOT = "dot"
    JSON = "json"


class Name(StrEnum):
    """The tables."""

    DEAL = "deal"
    ORDER_LINE = "order_line"
    RECEIVABLE = "receivable"
    COMPLAINT = "complaint"
    APPROVAL = "approval"


@app.command()
def show(
    context: typer.Context,
    table: Annotated[Name, typer.Argument(help="Which table.")] = Name.DEAL,
    form: Annotated[Form, typer.Option("--format", "-f", help="Form of the table.")] = Form.TABLE,
) -> None:
    """Print a transition table, or draw it as a diagram."""
    from models.lifecycle.machines import TABLES
    from models.lifecycle.render import dot, mermaid, to_plain

    screen = session_of(context).screen
    found = next(one for one in TABLES if one.name == str(table))
    if form in (Form.MERMAID, Form.DOT):
        typer.echo(mermaid(found) if form is Form.MERMAID else dot(found))
        return
    plain = to_plain(found)
    if form is Form.JSON:
        screen.json(plain)
        return
    rows = [
        (
            row.action,
            "any open state" if len(row.sources) > 14 else ", ".join(map(str, row.sources)),
            "stays" if row.target == "=" else str(row.target),
            ", ".join(sorted(map(str, row.roles))),
            ", ".join(row.guards),
        )
        for row in found.rows
    ]
    columns = ("action", "from", "to", "roles", "guards")
    screen.result(plain, lambda: screen.table(f"{found.name}: {len(found.states)} states", columns, rows))
