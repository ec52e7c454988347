"""Deals from the command line: new, list, board, show, do, why, timeline, agenda."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.session import run, session_of

app = typer.Typer(help="Open deals, act on them, and see what became of them.", no_args_is_help=True)

Deal = Annotated[str, typer.Argument(metavar="DEAL", help="Id of a deal.")]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="Rows at most.")]


@app.command()
def new(
    context: typer.Context,
    customer: Annotated[str, typer.Argument(help="Id of a customer.")],
    title: Annotated[str, typer.Argument(help="What the deal is about.")],
    owner: Annotated[str, typer.Option(help="Account manager; --as USER is one by itself.")] = "",
    branch: Annotated[str, typer.Option(help="Warehouse that serves the deal first.")] = "",
    currency: Annotated[str, typer.Option(help="Currency, when it isn't the customer's.")] = "",
    linked_to: Annotated[str, typer.Option(metavar="DEAL", help="The deal that this one repeats or renews.")] = "",
    test: Annotated[bool, typer.Option("--test", help="A test deal, whose clock can be advanced.")] = False,
    key: Annotated[str, typer.Option(help="Idempotency key: the same key opens the same deal.")] = "",
) -> None:
    """Open a deal."""
    from cli.deal_acts import open_new

    run(open_new(session_of(context), customer, title, owner, branch, currency, linked_to, test, key))


@app.command("list")
def list_deals(
    context: typer.Context,
    stage: Annotated[str, typer.Option(help="Only this stage, such as negotiation.")] = "",
    state: Annotated[str, typer.Option(help="Only this state, such as offer_open.")] = "",
    owner: Annotated[str, typer.Option(help="Only this account manager's.")] = "",
    customer: Annotated[str, typer.Option(help="Only this customer's.")] = "",
    limit: Limit = 50,
) -> None:
    """Deals, the latest opened first."""
    from cli.deal_views import show_list

    run(show_list(session_of(context), stage, state, owner, customer, limit))


@app.command()
def board(context: typer.Context) -> None:
    """How many deals stand where, and what they are worth."""
    from cli.deal_views import show_board

    run(show_board(session_of(context)))


@app.command()
def show(context: typer.Context, deal: Deal) -> None:
    """One deal with its offer, goods, invoices and cases."""
    from cli.deal_views import show_deal

    run(show_deal(session_of(context), deal))


@app.command()
def do(
    context: typer.Context,
    deal: Deal,
    action: Annotated[str, typer.Argument(help="An action, such as log_contact; `deal why DEAL` lists them.")],
    field: Annotated[list[str] | None, typer.Argument(metavar="[NAME=VALUE]...", help="Fields of the action.")] = None,
    payload: Annotated[str, typer.Option(help="All fields as a JSON object, or @FILE.")] = "",
    key: Annotated[str, typer.Option(help="Idempotency key: the same key acts once.")] = "",
    if_version: Annotated[int, typer.Option(metavar="N", help="Refuse unless the deal is at this version.")] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Change nothing; say what would happen.")] = False,
) -> None:
    """Act on a deal, as the operator or as --as USER."""
    from cli.deal_acts import do_action

    run(do_action(session_of(context), deal, action, field or [], payload, key, if_version, dry_run))


@app.command("move-policy")
def move_policy(
    context: typer.Context,
    deal: Deal,
    version: Annotated[str, typer.Argument(help="A version that is active; `dealwright policies list` shows them.")],
    reason: Annotated[str, typer.Option("--reason", help="Why the deal shall live by other numbers.")],
    key: Annotated[str, typer.Option(help="Idempotency key.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only judge whether it is possible.")] = False,
) -> None:
    """Move a deal to another version of the policy, --as a head of sales who is not involved in it."""
    from cli.deal_acts import do_action

    fields = [f"version={version}", f"reason={reason}"]
    run(do_action(session_of(context), deal, "adopt_policy", fields, "", key, 0, dry_run))


@app.command()
def why(
    context: typer.Context,
    deal: Deal,
    action: Annotated[str, typer.Argument(help="Only this action, with its fields.")] = "",
) -> None:
    """What a deal waits for, what may be done, and what blocks the rest."""
    from cli.deal_views import show_why

    run(show_why(session_of(context), deal, action))


@app.command()
def timeline(
    context: typer.Context,
    deal: Deal,
    as_of: Annotated[str, typer.Option(help="Only until this instant, such as 2026-11-21T08:00:00Z.")] = "",
    refusals: Annotated[bool, typer.Option("--refusals", help="Also the acts that were refused.")] = False,
) -> None:
    """What happened to a deal, act by act."""
    from cli.deal_timeline import show_timeline

    run(show_timeline(session_of(context), deal, as_of, refusals))


@app.command()
def agenda(
    context: typer.Context,
    deal: Annotated[str, typer.Argument(metavar="[DEAL]", help="Id of a deal; all deals without one.")] = "",
    role: Annotated[str, typer.Option(help="Only what this role is to do.")] = "",
    person: Annotated[str, typer.Option(help="Only what this user is to do.")] = "",
    limit: Limit = 50,
) -> None:
    """What waits for whom until when."""
    from cli.deal_views import show_agenda

    run(show_agenda(session_of(context), deal, role, person, limit))
