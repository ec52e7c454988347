"""The command `dealwright`: the tree of commands and the global options.

What a command needs it imports when it runs, so that help comes at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli import (
    alerts,
    audit,
    bank,
    database,
    dead_letters,
    deals,
    importing,
    invoices,
    keys,
    letters,
    lifecycle,
    mining,
    money,
    people,
    policies,
    privacy,
    reconcile,
    reports,
    serving,
    shortages,
    status,
    stock,
    testing_time,
)
from cli.exits import MEANINGS, CommandFailed, ExitCode
from cli.root import Root
from cli.screen import Output
from cli.session import DEPUTY_OF, Options, Session, session_of

EPILOG = (
    "The options --data, -o, --pick, --quiet, --as, --for and --debug may stand anywhere on the line. "
    "`dealwright exit-codes` lists what the exit codes mean; docs/cli.md tells more."
)

app = typer.Typer(
    cls=Root,
    name="dealwright",
    help="Takes B2B deals from first contact to paid and supported.",
    epilog=EPILOG,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Data = Annotated[Path | None, typer.Option("--data", help="Data folder; DEALWRIGHT_DATA_DIR, else the user's own.")]
Form = Annotated[Output, typer.Option("--output", "-o", help="Form of the result.")]
Pick = Annotated[str, typer.Option(metavar="FIELD", help="Print only this field of the result, such as offer.total.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No remarks and no progress on stderr.")]
As = Annotated[str, typer.Option("--as", metavar="USER", help="The user to act and read as, instead of the operator.")]
For = Annotated[str, typer.Option("--for", metavar="USER", help="On whose behalf --as acts, as a deputy.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]


def tell_version(asked: bool) -> None:
    """The version of the installed package, or of the source that runs without having been installed, as in our image.

    Raises typer.Exit.
    """
    if not asked:
        return
    import tomllib
    from importlib.metadata import PackageNotFoundError, version

    try:
        told = version("dealwright")
    except PackageNotFoundError:
        project = Path(__file__).resolve().parent.parent / "pyproject.toml"
        told = tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"]
    typer.echo(told)
    raise typer.Exit


Version = Annotated[bool, typer.Option("--version", is_eager=True, callback=tell_version, help="Show the version.")]


@app.callback()
def options(
    context: typer.Context,
    data: Data = None,
    output: Form = Output.TABLE,
    pick: Pick = "",
    quiet: Quiet = False,
    acting_as: As = "",
    absent: For = "",
    debug: Debug = False,
    _: Version = False,
) -> None:
    """Takes B2B deals from first contact to paid and supported."""
    if absent and not acting_as:
        raise CommandFailed(ExitCode.USAGE, "--for says on whose behalf a deputy acts: name the deputy with --as")
    acting = f"{acting_as}{DEPUTY_OF}{absent}" if absent else acting_as
    context.obj = Session(Options(data, output, quiet, acting, debug, pick))


serving.add_to(app)
app.command(rich_help_panel=serving.SYSTEM)(status.status)
shortages.add_to(app, "Daily work")
mining.add_to(audit.app)


@app.command("exit-codes", rich_help_panel=serving.SYSTEM)
def exit_codes(context: typer.Context) -> None:
    """What the exit codes mean."""
    session = session_of(context)
    plain = {str(int(code)): meaning for code, meaning in MEANINGS.items()}
    rows = [(int(code), meaning) for code, meaning in MEANINGS.items()]
    session.screen.result(plain, lambda: session.screen.table("", ("code>", "meaning"), rows))


for tree, name, panel in (
    (deals.app, "deal", "Daily work"),
    (importing.app, "import", "Daily work"),
    (stock.app, "stock", "Daily work"),
    (reports.app, "reports", "Daily work"),
    (people.app, "user", "Daily work"),
    (letters.app, "letters", "Daily work"),
    (reconcile.app, "reconcile", "Daily work"),
    (alerts.app, "alerts", "Daily work"),
    (dead_letters.app, "dead-letters", "Daily work"),
    (invoices.app, "invoices", "Daily work"),
    (bank.app, "bank", "Daily work"),
    (audit.app, "audit", "Evidence"),
    (money.app, "money", "Evidence"),
    (privacy.app, "privacy", "Evidence"),
    (lifecycle.app, "lifecycle", "Evidence"),
    (testing_time.app, "clock", serving.SYSTEM),
    (policies.app, "policies", serving.SYSTEM),
    (keys.app, "keys", serving.SYSTEM),
    (database.app, "db", serving.SYSTEM),
):
    app.add_typer(tree, name=name, rich_help_panel=panel)

if __name__ == "__main__":
    app()
