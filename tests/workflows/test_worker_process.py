"""The worker as a process: it works on what waits, and ends well when it is told to."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from infra.db import Database
from infra.settings import PREFIX, load_settings
from infra.temporal_client import connect_as
from infra.temporal_server import EmbeddedServer
from tests.counting import python
from tests.engine import Engine
from tests.journeys import furnish

ROOT = Path(__file__).resolve().parents[2]


async def test_a_deal_that_waits_is_taken_up_and_the_process_ends_well(
    server: EmbeddedServer, database: Database, database_url: str, tmp_path: Path
) -> None:
    await furnish(database)
    own = {
        "data_dir": str(tmp_path),
        "database_url": database_url,
        "temporal_address": server.address,
        "task_queue": f"process-{tmp_path.name}",
        "test_clock": "true",
        "payloads": "plain",
    }
    environment = os.environ | {f"{PREFIX}{name.upper()}": value for name, value in own.items()}
    settings = load_settings(**own)
    engine = Engine(await connect_as(settings, server.address), database, settings)
    opening = asyncio.create_task(engine.open("by-a-process"))
    process = await asyncio.create_subprocess_exec(
        *python("worker.py"), cwd=ROOT, env=environment, stdout=sys.stderr, stderr=sys.stderr
    )
    try:
        assert (await opening).state == "identified"
        assert (await engine.act("by-a-process", "account_manager", "note", text="it works")).version == 2
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 30) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
