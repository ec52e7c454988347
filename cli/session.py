"""What the global options say, and how a command gets at the data folder with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from cli.exits import CommandFailed, ExitCode
from cli.screen import Output, Screen

if TYPE_CHECKING:
    from infra.db import Database
    from infra.settings import Settings

T = TypeVar("T")

OPERATOR = "operator"
"""The user that the command line acts as when --as names nobody: the machine client of whoever owns the folder."""


DEPUTY_OF = " for "
"""Between a deputy and the absent person, where it is said who acts; no id has spaces."""


@dataclass(frozen=True)
class Options:
    """The global options as they were given. `acting_as` is a user, or a deputy and for whom."""

    data: Path | None = None
    output: Output = Output.TABLE
    quiet: bool = False
    acting_as: str = ""
    debug: bool = False
    pick: str = ""


class Session:
    """One run of the command line."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.screen = Screen(options.output, options.quiet, options.pick)

    @cached_property
    def settings(self) -> Settings:
        """The settings of the data folder. Raises SettingsError."""
        from infra.desk.clocks import live_ahead
        from infra.settings import load_settings

        settings = load_settings(data_dir=self.options.data)
        live_ahead(settings.test_clock_ahead)
        return settings

    def require_data(self) -> None:
        """Refuse to read a folder in which nothing was ever stored, or of which a part is missing."""
        from infra.data_folder import see_that_the_database_is_there

        settings = self.settings
        see_that_the_database_is_there(settings)
        if not settings.on_postgresql and not settings.database_file.exists():
            advice = "`dealwright import examples` fills the folder with samples, `dealwright up` starts it empty"
            raise CommandFailed(ExitCode.NOT_FOUND, f"there is no data in {settings.data_dir}", advice)

    @asynccontextmanager
    async def database(self, create: bool = False) -> AsyncIterator[Database]:
        """Our tables, up to date; with `create` also in a folder that is new."""
        from infra.data_folder import take_folder
        from infra.db import open_database
        from infra.desk.clocks import wall_clock
        from infra.logging import log_to_stderr
        from infra.migrate import upgrade
        from infra.privacy.moving_in import put_in_order
        from infra.privacy.vault import Vault

        log_to_stderr()
        if not create:
            self.require_data()
        settings = self.settings
        take_folder(settings)
        await asyncio.to_thread(upgrade, settings.database)
        opened = open_database(settings.database, settings.sqlite_synchronous)
        try:
            await put_in_order(opened, Vault(settings.keys_dir), wall_clock())
            yield opened
        finally:
            await opened.close()


def session_of(context: typer.Context) -> Session:
    """The session that the global options made."""
    found = context.find_root().obj
    return found if isinstance(found, Session) else Session(Options())


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's work to its end, or until Ctrl-C."""
    return asyncio.run(_quietly_when_stopped(work))


async def _quietly_when_stopped(work: Coroutine[Any, Any, T]) -> T:
    """After Ctrl-C nobody waits any more for the calls that were under way, so their failures are no news."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()

    def tell(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if task is None or not (task.cancelling() or task.cancelled()):
            loop.default_exception_handler(context)

    loop.set_exception_handler(tell)
    return await work
