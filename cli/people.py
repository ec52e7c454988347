"""Users from the command line: user add, list, key, and their deputies."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli import deputies
from cli.exits import CommandFailed, ExitCode
from cli.session import Session, run, session_of

app = typer.Typer(help="People and machine clients, their API keys, and deputies.", no_args_is_help=True)
app.add_typer(deputies.app, name="deputy")


@app.command()
def add(
    context: typer.Context,
    user: Annotated[str, typer.Argument(help="Id, such as anna.keller.")],
    name: Annotated[str, typer.Argument(help="Name as people write it.")],
    role: Annotated[list[str], typer.Option("--role", help="A role of the domain; may be given more than once.")],
    department: Annotated[str, typer.Option(help="Heads and support see their department's deals.")] = "",
) -> None:
    """Add a user and print the API key, which can't be shown again."""
    run(_add(session_of(context), user, name, tuple(role), department))


@app.command()
def key(context: typer.Context, user: Annotated[str, typer.Argument(help="Id of a user.")]) -> None:
    """Give a user a new API key; the old one ends at once."""
    run(_key(session_of(context), user))


@app.command("list")
def list_users(
    context: typer.Context, department: Annotated[str, typer.Option(help="Only this department.")] = ""
) -> None:
    """All users with their roles."""
    run(_list(session_of(context), department))


async def _add(session: Session, user: str, name: str, roles: tuple[str, ...], department: str) -> None:
    from cli.imports.users import ROLES
    from infra.desk.clocks import wall_clock
    from infra.stores.people import PeopleStore, Person

    if unknown := [role for role in roles if role not in ROLES]:
        raise CommandFailed(ExitCode.USAGE, f"no such role: {', '.join(unknown)}", f"roles: {', '.join(ROLES)}")
    if not user.isascii() or not user or len(user) > 80 or any(c.isspace() for c in user):
        raise CommandFailed(ExitCode.USAGE, "an id has 1 to 80 characters without spaces")
    async with session.database(create=True) as database:
        api_key = await PeopleStore(database).create(Person(user, name, roles, department), wall_clock())
    _show_key(session, user, api_key)


async def _key(session: Session, user: str) -> None:
    from infra.desk.clocks import wall_clock
    from infra.stores.people import NoSuchPerson, PeopleStore

    async with session.database() as database:
        try:
            api_key = await PeopleStore(database).issue_key(user, wall_clock())
        except NoSuchPerson:
            raise CommandFailed(ExitCode.NOT_FOUND, f"there is no user {user!r}") from None
    _show_key(session, user, api_key)


def _show_key(session: Session, user: str, api_key: str) -> None:
    screen = session.screen

    def render() -> None:
        screen.line(f"API key of {user} (keep it now, it is shown once):")
        screen.line(f"  {api_key}")

    screen.result({"user": user, "api_key": api_key}, render)


async def _list(session: Session, department: str) -> None:
    from infra.stores.people import PeopleStore

    rows: list[dict[str, Any]] = []
    async with session.database() as database:
        store, cursor = PeopleStore(database), ""
        while True:
            page = await store.page(department, cursor, 200)
            rows += page.rows
            if not (cursor := page.next_cursor):
                break
    columns = ("user", "name", "roles", "department", "key")
    shown = [(r["id"], r["name"], ", ".join(r["roles"]), r["department"], r["api_key_prefix"] or "-") for r in rows]
    session.screen.result(rows, lambda: session.screen.table("", columns, shown))
