"""Brings our tables to the current version, from an empty database as well, and checks that they are.

`upgrade` costs one query when nothing is to be done: Alembic is only imported when there is a migration to run.
"""

import io
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, create_engine, inspect, make_url, text

from infra.db import sqlite_engine

if TYPE_CHECKING:
    from alembic.config import Config

SCRIPTS = Path(__file__).resolve().parent.parent / "migrations"
_NUMBERED = re.compile(r"(\d{4})_\w+\.py")
_LOCK = 0x6465616C
"""PostgreSQL's advisory lock under which one process migrates while the others wait."""


class StaleTables(RuntimeError):
    """The tables and the code differ: a migration is missing, or has not been run."""


def head() -> str:
    """The newest revision: migrations are files `NNNN_what.py`, and NNNN is their revision."""
    numbers = [m[1] for path in (SCRIPTS / "versions").iterdir() if (m := _NUMBERED.fullmatch(path.name))]
    return max(numbers, default="")


def upgrade(database_url: str) -> None:
    """Create or upgrade the tables. Several processes may start at once: one migrates, the others wait for it."""
    engine = _engine(database_url)
    try:
        with engine.connect() as connection:
            if _revision(connection) == head():
                return
        with engine.begin() as connection:
            _lock(connection)
            if _revision(connection) != head():
                from alembic import command

                command.upgrade(_config(connection), "head")
    finally:
        engine.dispose()


def check(database_url: str) -> None:
    """Raise StaleTables when the database is not at the newest revision, or differs from the classes."""
    from alembic import command
    from alembic.util import CommandError

    engine = _engine(database_url)
    try:
        with engine.connect() as connection:
            command.check(_config(connection))
    except CommandError as problem:
        raise StaleTables(str(problem)) from problem
    finally:
        engine.dispose()


def revise(database_url: str, message: str) -> None:
    """Write the next migration from the differences between an upgraded database and the classes (developers only)."""
    from alembic import command

    engine = _engine(database_url)
    try:
        with engine.connect() as connection:
            number = f"{int(head() or 0) + 1:04d}"
            command.revision(_config(connection), message, autogenerate=True, rev_id=number)
    finally:
        engine.dispose()


def _engine(database_url: str) -> Engine:
    url = make_url(database_url)
    if url.get_backend_name() == "postgresql":
        return create_engine(url)
    if url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    return sqlite_engine(database_url, writes=True)


def _lock(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


def _revision(connection: Connection) -> str:
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return str(connection.scalar(text("SELECT version_num FROM alembic_version")) or "")


def _config(connection: Connection) -> "Config":
    from alembic.config import Config

    # Alembic's configuration reads % as the start of an interpolation
    options: dict[str, Any] = {"script_location": str(SCRIPTS).replace("%", "%%"), "path_separator": "os"}
    config = Config(attributes={"connection": connection}, stdout=io.StringIO())  # its chatter is not for our users
    for name, value in options.items():
        config.set_main_option(name, value)
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    return config


if __name__ == "__main__":
    revise(sys.argv[1], " ".join(sys.argv[2:]))
