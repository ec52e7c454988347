"""Policies from the command line: an upgraded installation keeps its own until somebody adopts the new one."""

import asyncio
from pathlib import Path
from typing import Any

from infra.db import open_database
from infra.migrate import upgrade
from infra.stores.policies import PolicyStore, PolicyVersion
from models import codec
from models.policy import DEFAULT, SPINE
from tests.cli.command import in_process

LONG_AGO = "2026-01-01T00:00:00Z"


def _older_installation(folder: Path) -> None:
    url = f"sqlite+aiosqlite:///{folder / 'dealwright.db'}"
    upgrade(url)

    async def keep() -> None:
        database = open_database(url)
        older = codec.encode(SPINE)
        await PolicyStore(database).add(PolicyVersion(SPINE.version, older, LONG_AGO, "defaults"), LONG_AGO)
        await database.close()

    asyncio.run(keep())


def test_an_upgraded_installation_adopts_the_new_rules_once(tmp_path: Path) -> None:
    _older_installation(tmp_path)

    def say(*words: str) -> Any:
        return in_process("--data", tmp_path, "-o", "json", "policies", *words).json

    assert [row["version"] for row in say("list")] == [SPINE.version]
    assert say("adopt") == {"version": DEFAULT.version, "rules": DEFAULT.rules, "adopted": True}
    assert say("adopt") == {"version": DEFAULT.version, "rules": DEFAULT.rules, "adopted": False}
    listed = [(row["version"], row["rules"], row["from"] > LONG_AGO) for row in say("list")]
    assert listed == [(DEFAULT.version, DEFAULT.rules, True), (SPINE.version, 1, False)]
