"""Migrations: from nothing to the classes, on both databases, by several processes at once."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from infra.db import open_database
from infra.migrate import SCRIPTS, StaleTables, check, head, upgrade


@pytest.mark.parametrize("url", ["sqlite_url", "postgres_url"])
def test_migrated_tables_equal_the_classes(url, request):
    check(request.getfixturevalue(url))


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
