"""The API as a process of its own on a rig, and a client that acts and reads through it as people's programs do."""

import asyncio
import itertools
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2

from benchmarks.rig import Rig, start, stop

API = ("-m", "api.main")
_PATIENCE = 60.0


@dataclass
class Front:
    """An API process with a client whose key belongs to the account manager of all deals."""

    pid: int
    http: httpx2.AsyncClient
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    async def act(self, deal_id: str, action: str, **payload: Any) -> None:
        """Carry out an act. Raises for any answer but success."""
        headers = {"Idempotency-Key": f"{action}-{next(self._numbers)}"}
        answer = await self.http.post(f"/v1/deals/{deal_id}/actions/{action}", json=payload, headers=headers)
        answer.raise_for_status()

    async def look_around(self, deal_id: str) -> None:
        """Read as a screen does: the board, a deal, its actions, its timeline."""
        for path in ("?limit=100", f"/{deal_id}", f"/{deal_id}/actions", f"/{deal_id}/timeline"):
            (await self.http.get(f"/v1/deals{path}")).raise_for_status()


@asynccontextmanager
async def running_api(rig: Rig) -> AsyncIterator[Front]:
    """Start the API on a free port and stop it in the end."""
    port = _free_port()
    process = await start(API, rig.settings.data_dir, rig.server.address, DEALWRIGHT_API_PORT=str(port))
    limits = httpx2.Limits(max_connections=32)
    try:
        async with httpx2.AsyncClient(
            base_url=f"http://127.0.0.1:{port}",
            headers={"Authorization": f"Bearer {rig.key}"},
            timeout=30,
            limits=limits,
            trust_env=False,
        ) as http:
            await _ready(http, process)
            yield Front(process.pid, http)
    finally:
        await stop(process)


async def _ready(http: httpx2.AsyncClient, process: asyncio.subprocess.Process) -> None:
    for _ in range(int(_PATIENCE / 0.1)):
        if process.returncode is not None:
            raise RuntimeError("the API ended; processes.log in the data folder says why")
        try:
            if (await http.get("/v1/health")).status_code == 200:
                return
        except httpx2.TransportError:
            pass
        await asyncio.sleep(0.1)
    raise TimeoutError("the API is not ready after a minute")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
