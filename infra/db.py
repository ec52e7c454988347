"""Our own database: SQLite in a file (embedded) or PostgreSQL (scaled out), behind one small class.

`look(work)` and `write(work)` run a whole synchronous transaction in a thread, with one hop for all its statements:
the way to read and write. `read()` and `begin()` are for whoever must await between statements.
"""

import asyncio
import json
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar, cast

import sqlalchemy
from sqlalchemy import Connection, Engine, Select, Table, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.orm import DeclarativeBase

T = TypeVar("T")

BUSY_SECONDS = 15
"""How long SQLite waits for a writer of another process."""

_TURN_SECONDS = 60
_SCOUR_SECONDS = 2
"""How long readers are waited for while everybody who writes waits."""

_WRITES = "dealwright_writes"
_TRIES = 4
_READERS = 4
_PG_WRITERS = 8
"""Threads that read and write, each on a connection. More readers only queue for the interpreter's lock."""

_OPTIONS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "sqlite": ({_WRITES: False}, {_WRITES: True}),
    "postgresql": ({"isolation_level": "REPEATABLE READ"}, {"isolation_level": "READ COMMITTED"}),
}
"""For each database how its connections read (all statements see the same moment) and how they write."""
_RETRIED = frozenset({"40001", "40P01"})
"""PostgreSQL's serialization failure and deadlock: the transaction was rolled back and may run again."""


class DatabaseBusy(RuntimeError):
    """Another writer of this process held the database far too long: a write inside a write, most likely."""


plain_json: Callable[[Any], str] = partial(json.dumps, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
"""How JSON columns are written: compact, and never NaN, which SQLite would keep and every reader choke on."""


class Database:
    """One process's access to our tables. Belongs to one event loop; open it with `open_database`."""

    def __init__(self, engine: Engine, async_engine: AsyncEngine, writers: int) -> None:
        self.dialect = engine.dialect.name
        reading, writing = _OPTIONS[self.dialect]
        self._reader = engine.execution_options(**reading)
        self._writer = engine.execution_options(**writing)
        self._async_reader = async_engine.execution_options(**reading)
        self._async_writer = async_engine.execution_options(**writing)
        self._reading = ThreadPoolExecutor(_READERS, "database-reader")
        self._writing = ThreadPoolExecutor(writers, "database-writer")
        self._turn = asyncio.Semaphore(writers)

    async def rows(self, query: Select[Any]) -> list[dict[str, Any]]:
        """All rows that a query finds, as column name to value."""
        return await self.look(lambda connection: [dict(row) for row in connection.execute(query).mappings()])

    async def row(self, query: Select[Any]) -> dict[str, Any] | None:
        """The one row that a query finds, or None. Raises MultipleResultsFound."""

        def work(connection: Connection) -> dict[str, Any] | None:
            found = connection.execute(query).mappings().one_or_none()
            return dict(found) if found else None

        return await self.look(work)

    async def look(self, work: Callable[[Connection], T]) -> T:
        """Run reading `work` in a thread and answer what it returns: one hop, a third of the time of `read`.

        All its statements see the same moment. For short reads; long ones hold up the others.
        """
        return await asyncio.get_running_loop().run_in_executor(self._reading, _look, self._reader, work)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` as one writing transaction in a thread and answer what it returns: one hop.

        After a deadlock or a lost connection it is run again (never after its commit began), so it must have no
        effect but on the connection.
        """
        async with self._own_turn():
            running = asyncio.get_running_loop().run_in_executor(self._writing, _transaction, self._writer, work)
            return await running

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection for reading with awaits in between; all its statements see the same moment."""
        async with self._async_reader.connect() as connection:
            yield connection

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """A writing transaction with awaits in between: committed at the end, rolled back by an exception.

        Not to be nested.
        """
        async with self._own_turn(), self._async_writer.begin() as connection:
            yield connection

    async def scour(self, tables: Sequence[str], *, whole: bool = False) -> bool:
        """Leave nothing of deleted rows in the files: empties SQLite's log, which holds old pages, and vacuums `tables`
        on PostgreSQL, whose log still holds them until it is recycled. `whole` writes an SQLite file anew, which is for
        rows that were there before it deleted securely. False when readers were in the way: to be done again."""
        async with self._own_turn():
            scour = partial(_scour, self._writer, tables, whole)
            return await asyncio.get_running_loop().run_in_executor(self._writing, scour)

    async def close(self) -> None:
        """Give back all connections; waits for what is being read and written."""
        for threads in (self._writing, self._reading):
            await asyncio.to_thread(threads.shutdown)
        self._writer.dispose()
        await self._async_reader.dispose()

    @asynccontextmanager
    async def _own_turn(self) -> AsyncIterator[None]:
        # SQLite has one writer at a time; a fair queue here beats its own waiting, which polls and starves.
        if self._turn.locked():
            try:
                await asyncio.wait_for(self._turn.acquire(), _TURN_SECONDS)
            except TimeoutError:
                raise DatabaseBusy("no turn to write within a minute; is a write started inside another?") from None
        else:
            await self._turn.acquire()
        try:
            yield
        finally:
            self._turn.release()


def open_database(url: str, synchronous: str = "FULL") -> Database:
    """Open `sqlite+aiosqlite:///<file>` or `postgresql+psycopg://...`; connects on first use.

    `synchronous` is SQLite's: FULL survives a power cut, NORMAL a crash of the process only.
    """
    target = make_url(url)
    if target.get_backend_name() == "postgresql":
        pool: dict[str, Any] = {"json_serializer": plain_json, "pool_size": _READERS + _PG_WRITERS, "max_overflow": 0}
        engine = sqlalchemy.create_engine(target, hide_parameters=True, **pool)  # errors are logged
        slow = create_async_engine(target, pool_pre_ping=True, hide_parameters=True, **pool)
        return Database(engine, slow, _PG_WRITERS)
    if not target.database or ":memory:" in target.database:
        raise ValueError("SQLite needs a file: its writer and its readers are separate connections")
    async_engine = create_async_engine(
        target, json_serializer=plain_json, pool_size=4, max_overflow=12, hide_parameters=True
    )
    _set_up_sqlite(async_engine.sync_engine, synchronous)
    return Database(sqlite_engine(url, synchronous), async_engine, writers=1)


def _look(reader: Engine, work: Callable[[Connection], T]) -> T:
    for left in reversed(range(_TRIES)):
        try:
            with reader.connect() as connection:
                return work(connection)
        except DBAPIError as problem:
            if not left or not problem.connection_invalidated:
                raise
    raise AssertionError("the loop above returns or raises")


def _transaction(writer: Engine, work: Callable[[Connection], T]) -> T:
    for left in reversed(range(_TRIES)):
        done = False
        try:
            with writer.begin() as connection:
                result = work(connection)
                done = True
            return result
        except DBAPIError as problem:
            again = problem.connection_invalidated or getattr(problem.orig, "sqlstate", None) in _RETRIED
            if done or not left or not again:
                raise
            time.sleep(0.005 * (_TRIES - left))
    raise AssertionError("the loop above returns or raises")


def _scour(writer: Engine, tables: Sequence[str], whole: bool) -> bool:
    if writer.dialect.name == "postgresql":
        with writer.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(f"VACUUM {', '.join(tables)}")
        return True
    lent = writer.raw_connection()  # outside of any transaction, as both statements must be
    try:
        cursor = lent.cursor()
        if whole:
            cursor.execute("VACUUM")
        cursor.execute(f"PRAGMA busy_timeout = {_SCOUR_SECONDS * 1000}")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        busy, _, _ = cast("tuple[int, int, int]", cursor.fetchone())
        return busy == 0
    finally:
        lent.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
        lent.close()


def sqlite_engine(url: str, synchronous: str = "FULL", writes: bool = False) -> Engine:
    """A synchronous engine on the same SQLite file, set up alike; with `writes` its transactions lock at once."""
    target = make_url(url).set(drivername="sqlite+pysqlite")
    # errors are logged, and what was to be written may name people
    engine = sqlalchemy.create_engine(
        target, json_serializer=plain_json, execution_options={_WRITES: writes}, hide_parameters=True
    )
    _set_up_sqlite(engine, synchronous)
    event.listen(engine, "connect", _use_wal)
    return engine


def _use_wal(connection: Any, _record: Any) -> None:
    """Switch the file to its write-ahead log, for good. The one statement that never waits for a lock by itself."""
    for left in reversed(range(BUSY_SECONDS * 20)):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if not left:
                raise
            time.sleep(0.05)


def _set_up_sqlite(engine: Engine, synchronous: str) -> None:
    if synchronous not in ("FULL", "NORMAL"):
        raise ValueError(f"synchronous must be FULL or NORMAL, not {synchronous!r}")

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver must not begin transactions on its own; `begun` does
        cursor = connection.cursor()
        for setting in (
            f"busy_timeout = {BUSY_SECONDS * 1000}",
            f"synchronous = {synchronous}",
            "foreign_keys = ON",
            "temp_store = MEMORY",
            # while writing too, not for deletes alone: rows that change pages leave copies (12 of 1,000, measured)
            "secure_delete = ON",
        ):
            cursor.execute(f"PRAGMA {setting}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        # A transaction that reads before it writes would fail at once with "database is locked" if another
        # wrote in between; taking the write lock first makes it wait instead.
        writes = connection.get_execution_options().get(_WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def table_of(row: type[DeclarativeBase]) -> Table:
    """The table of a row class: statements on tables skip the ORM, which the stores have no use for."""
    return cast(Table, row.__table__)


def insert_into(dialect: str, row: type[DeclarativeBase]) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows ON CONFLICT, which SQLite and PostgreSQL spell alike but SQLAlchemy keeps apart.

    The `rowcount` of its result tells whether a row was written; SQLAlchemy leaves it at -1 unless it is asked for.
    """
    insert = sqlite.insert(table_of(row)) if dialect == "sqlite" else postgresql.insert(table_of(row))
    return insert.execution_options(preserve_rowcount=True)
