"""The worker of a running system keeps the schedules as the settings say, from start to start."""

import asyncio
import os
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.service import RPCError

from infra.schedules import duties, schedule_id
from infra.settings import Settings, load_settings
from infra.system import EmbeddedSystem
from infra.temporal_client import connect_as

pytestmark = [pytest.mark.systems, pytest.mark.timeout(240)]


async def kept(client: Client, settings: Settings) -> list[str]:
    found = []
    for duty in duties(settings):
        try:
            await client.get_schedule_handle(schedule_id(settings, duty.name)).describe()
        except RPCError:
            continue
        found.append(duty.name)
    return found


async def test_a_system_starts_and_ends_the_post_with_its_mail_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in list(os.environ):
        if name.startswith("DEALWRIGHT_"):
            monkeypatch.delenv(name)
    always = ["monthly-reconciliation", "reconciliation-deadlines", "audit-checkpoint"]
    for server, expected in (("127.0.0.1", ["post-office", *always]), ("", always)):
        monkeypatch.setenv("DEALWRIGHT_SMTP_HOST", server)
        monkeypatch.setenv("DEALWRIGHT_SMTP_FROM", "us@nordwind.example")
        settings = load_settings(data_dir=tmp_path)
        async with EmbeddedSystem(settings) as system:
            client = await connect_as(settings, system.server.address)
            for _ in range(100):
                if await kept(client, settings) == expected:
                    break
                await asyncio.sleep(0.1)
            assert await kept(client, settings) == expected
