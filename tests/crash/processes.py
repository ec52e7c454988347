"""The whole system as processes of its own that can be killed with kill -9 and started again on the same folder."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from temporalio.client import Client

from infra.settings import Settings, load_settings
from infra.temporal_client import connect_as
from infra.temporal_server import EmbeddedServer, ServerOptions

ROOT = Path(__file__).resolve().parents[2]
WORKER = (str(ROOT / "worker.py"),)
DYING_WORKER = ("-m", "tests.crash.dying_worker")
DIE_WITH_PARENT = """\
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() == int(sys.argv[1]): os.execv(sys.argv[2], sys.argv[2:])"""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Program:
    """One of our Python programs as a process; its output goes to a log in the data folder."""

    def __init__(self, name: str, arguments: Sequence[str], environment: dict[str, str], log: Path) -> None:
        self.name, self._arguments, self._log = name, tuple(arguments), log
        self.environment = dict(environment)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def runs(self) -> bool:
        """Whether the process is alive."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it; a no-op while it runs."""
        if self.runs:
            return
        command = [sys.executable, *self._arguments]
        if sys.platform == "linux":
            command = [sys.executable, "-ISc", DIE_WITH_PARENT, str(os.getpid()), *command]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=ROOT,
                env={**os.environ, **self.environment}, start_new_session=True,
            )  # fmt: skip

    def kill(self) -> None:
        """kill -9."""
        if self._process is not None and self.runs:
            self._process.kill()
            self._process.wait()

    def last_words(self) -> str:
        """The end of its log."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-30:]) if self._log.exists() else ""


class System:
    """Server, worker and API on one data folder; their addresses survive every restart."""

    def __init__(self, folder: Path, worker: Sequence[str] = WORKER, *, test_clock: bool = False) -> None:
        self.server = EmbeddedServer(ServerOptions(folder, test_clock=test_clock))
        self.settings: Settings = load_settings(
            data_dir=folder, temporal_address=self.server.address, test_clock=test_clock, api_port=free_port()
        )
        self.environment = {
            "DEALWRIGHT_DATA_DIR": str(folder),
            "DEALWRIGHT_TEMPORAL_ADDRESS": self.server.address,
            "DEALWRIGHT_TEST_CLOCK": str(test_clock).lower(),
            "DEALWRIGHT_API_PORT": str(self.settings.api_port),
            "DEALWRIGHT_LOG_LEVEL": "warning",
        }
        self.worker = Program("worker", worker, self.environment, folder / "worker.log")
        self.api = Program("api", ("-m", "cli.main", "api"), self.environment, folder / "api.log")
        self.with_api = False

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.api.kill()
        self.worker.kill()
        await self.server.stop(grace=timedelta(seconds=5))

    async def start(self) -> None:
        """Start whatever does not run."""
        await self.server.start()
        self.worker.start()
        if self.with_api:
            self.api.start()

    async def until_answering(self, patience: float = 30) -> None:
        """Wait until the API accepts connections."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.settings.api_port)
            except OSError:
                await asyncio.sleep(0.1)
                continue
            writer.close()
            return
        raise AssertionError(f"the API does not answer\n{self.api.last_words()}")

    async def kill(self, *names: str) -> None:
        """kill -9 of `server`, `worker` or `api`."""
        for name in names:
            if name == "server":
                if (pid := self.server.pid) is not None:
                    os.kill(pid, signal.SIGKILL)
                    await self._until_the_server_is_gone()
            else:
                (self.worker if name == "worker" else self.api).kill()

    async def _until_the_server_is_gone(self) -> None:
        for _ in range(1000):
            if self.server.pid is None:
                return
            await asyncio.sleep(0.01)
        raise AssertionError("the server survived kill -9")

    async def client(self) -> Client:
        """A client of the server."""
        return await connect_as(self.settings, self.server.address)
