"""The database class: transactions, turns and consistent reads, on SQLite and on PostgreSQL."""

import asyncio

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from infra.db import Database, open_database, plain_json

ADD = text("UPDATE counters SET n = n + 1")
READ = text("SELECT n FROM counters ORDER BY id")


@pytest.fixture(params=["sqlite_url", "postgres_url"])
async def counters(request):
    """Two openings of one database, as two processes have them, with a table to count in."""
    url = request.getfixturevalue(request.param)
    first, second = open_database(url), open_database(url)
    async with first.begin() as connection:
        await connection.execute(text("CREATE TABLE counters (id INTEGER PRIMARY KEY, n INTEGER)"))
        await connection.execute(text("INSERT INTO counters VALUES (1, 0), (2, 0)"))
    yield first, second
    await first.close()
    await second.close()


async def test_read_then_write_from_two_processes_loses_no_update_and_is_never_locked_out(counters):
    def work(connection: Connection) -> None:
        query = "SELECT n FROM counters WHERE id = 1"
        if connection.dialect.name == "postgresql":
            query += " FOR UPDATE"
        n = connection.execute(text(query)).scalar_one()
        connection.execute(text("UPDATE counters SET n = :n WHERE id = 1"), {"n": n + 1})

    await asyncio.gather(*(database.write(work) for database in counters for _ in range(40)))
    async with counters[0].read() as connection:
        assert (await connection.execute(READ)).scalars().first() == 80


async def test_begin_and_write_take_turns(counters):
    database, _ = counters

    async def begin() -> None:
        async with database.begin() as connection:
            await connection.execute(ADD)

    work = [database.write(lambda connection: connection.execute(ADD)) for _ in range(10)]
    await asyncio.gather(*work, *(begin() for _ in range(10)))
    async with database.read() as connection:
        assert (await connection.execute(READ)).scalars().all() == [20, 20]


async def test_an_exception_rolls_back(counters):
    database, _ = counters

    def fails(connection: Connection) -> None:
        connection.execute(ADD)
        raise LookupError("on purpose")

    async def fails_later(database: Database) -> None:
        async with database.begin() as connection:
            await connection.execute(ADD)
            raise LookupError("on purpose")

    with pytest.raises(LookupError):
        await database.write(fails)
    with pytest.raises(LookupError):
        await fails_later(database)
    async with database.read() as connection:
        assert (await connection.execute(READ)).scalars().all() == [0, 0]


async def test_a_read_sees_one_moment(counters):
    database, other = counters
    async with database.read() as connection:
        before = (await connection.execute(READ)).scalars().all()
        await other.write(lambda c: c.execute(ADD))
        assert (await connection.execute(READ)).scalars().all() == before == [0, 0]
    async with database.read() as connection:
        assert (await connection.execute(READ)).scalars().all() == [1, 1]


async def test_a_deadlock_is_run_again(counters):
    """Two transactions lock two rows crosswise; PostgreSQL ends one of them, and both are done in the end."""

    def crosswise(first: int, second: int):
        def work(connection: Connection) -> None:
            for row in (first, second):
                connection.execute(text("UPDATE counters SET n = n + 1 WHERE id = :id"), {"id": row})
                if connection.dialect.name == "postgresql":
                    connection.execute(text("SELECT pg_sleep(0.02)"))

        return work

    await asyncio.gather(*(d.write(crosswise(*p)) for d, p in zip(counters, ((1, 2), (2, 1)), strict=True)))
    async with counters[0].read() as connection:
        assert (await connection.execute(READ)).scalars().all() == [2, 2]


async def test_a_lost_connection_is_replaced(postgres_database, postgres_server):
    await postgres_database.write(lambda connection: connection.execute(text("SELECT 1")))
    with postgres_server.connect() as admin:
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'test_%'")
    assert await postgres_database.write(lambda connection: connection.execute(text("SELECT 2")).scalar_one()) == 2


async def test_other_database_errors_are_not_run_again(counters):
    runs = []

    def work(connection: Connection) -> None:
        runs.append(1)
        connection.execute(text("SELECT * FROM nowhere"))

    with pytest.raises(DBAPIError):
        await counters[0].write(work)
    assert len(runs) == 1


async def test_sqlite_is_set_up_as_documented(sqlite_url):
    database = open_database(sqlite_url, "NORMAL")

    def settings(connection: Connection) -> list[object]:
        names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        return [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]

    assert await database.write(settings) == ["wal", 1, 1, 15_000]
    async with database.read() as connection:
        assert await connection.run_sync(settings) == ["wal", 1, 1, 15_000]
    await database.close()


def test_an_sqlite_database_needs_a_file():
    with pytest.raises(ValueError, match="file"):
        open_database("sqlite+aiosqlite:///:memory:")
    with pytest.raises(ValueError, match="synchronous"):
        open_database("sqlite+aiosqlite:///x.db", "OFF; DROP TABLE deals")


def test_json_never_holds_nan():
    with pytest.raises(ValueError, match="not JSON compliant"):
        plain_json({"rate": float("nan")})


async def test_what_was_to_be_written_stands_in_no_error(counters):
    doubled = text("INSERT INTO counters VALUES (1, :n), (1, length(:who))")
    async with counters[0].begin() as connection:
        with pytest.raises(DBAPIError) as caught:
            await connection.execute(doubled, {"n": 1, "who": "Sabine Lorenz"})
        await connection.rollback()
    assert "Sabine" not in str(caught.value)
