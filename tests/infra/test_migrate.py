"""Migrations: from nothing to the classes, on both databases, by several processes at once."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from infra import migrate
from infra.db import open_database
from infra.migrate import SCRIPTS, StaleTables, check, head, upgrade


@pytest.mark.parametrize("url", ["sqlite_url", "postgres_url"])
def test_migrated_tables_equal_the_classes(url, request):
    check(request.getfixturevalue(url))


@pytest.mark.parametrize("url", ["sqlite_url", "postgres_url"])
def test_every_migration_can_be_taken_back_and_done_again(url, request):
    from alembic import command

    chosen = request.getfixturevalue(url)
    engine = migrate._engine(chosen)
    with engine.begin() as connection:
        command.downgrade(migrate._config(connection), "base")
        assert inspect(connection).get_table_names() == ["alembic_version"]
    engine.dispose()
    upgrade(chosen)
    check(chosen)


def test_head_is_the_one_that_alembic_sees():
    from alembic.script import ScriptDirectory

    assert ScriptDirectory(str(SCRIPTS)).get_current_head() == head()


def test_upgrading_again_does_nothing_and_does_not_import_alembic(sqlite_url):
    program = (
        f"import sys; from infra.migrate import upgrade; upgrade({sqlite_url!r}); sys.exit('alembic' in sys.modules)"
    )
    root = SCRIPTS.parent
    done = subprocess.run([sys.executable, "-c", program], cwd=Path("/"), env={**os.environ, "PYTHONPATH": str(root)})
    assert done.returncode == 0


async def test_several_processes_may_upgrade_at_once(tmp_path):
    url = f"sqlite+aiosqlite:///{tmp_path}/folder/made/for/it.db"
    await asyncio.gather(*(asyncio.to_thread(upgrade, url) for _ in range(4)))
    await asyncio.to_thread(check, url)


async def test_several_processes_may_upgrade_at_once_on_postgresql(postgres_server):
    url = postgres_server.make("upgraded_by_many")
    await asyncio.gather(*(asyncio.to_thread(upgrade, url) for _ in range(4)))
    await asyncio.to_thread(check, url)
    postgres_server.drop("upgraded_by_many")


async def test_check_finds_a_difference(sqlite_url):
    database = open_database(sqlite_url)
    async with database.begin() as connection:
        await connection.execute(text("ALTER TABLE outbox ADD COLUMN forgotten INTEGER"))
    await database.close()
    with pytest.raises(StaleTables):
        check(sqlite_url)


def test_check_finds_tables_that_were_never_upgraded(tmp_path):
    with pytest.raises(StaleTables):
        check(f"sqlite+aiosqlite:///{tmp_path}/empty.db")


def test_a_migration_is_written_from_what_differs(sqlite_url, tmp_path, monkeypatch):
    for part in ("env.py", "script.py.mako"):
        (tmp_path / part).symlink_to(SCRIPTS / part)
    (tmp_path / "versions").mkdir()
    for done in (SCRIPTS / "versions").glob("*.py"):
        (tmp_path / "versions" / done.name).symlink_to(done)
    number = int(head()) + 1
    monkeypatch.setattr(migrate, "SCRIPTS", tmp_path)
    engine = migrate._engine(sqlite_url)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE outbox DROP COLUMN body"))
        connection.execute(text("ALTER TABLE outbox DROP COLUMN dispatched_at"))
    engine.dispose()
    migrate.revise(sqlite_url, "what was lost")
    written = (tmp_path / "versions" / f"{number:04}_what_was_lost.py").read_text()
    assert "sa.Column('body', sa.JSON().with_variant(postgresql.JSONB(), 'postgresql')" in written.replace('"', "'")
    assert "from sqlalchemy.dialects import postgresql" in written
