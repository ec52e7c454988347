"""The embedded system of one data folder: Temporal server, worker and API as child processes of one supervisor.

`EmbeddedSystem` starts, watches and stops them; `engine_for` is for commands that need the engine only for a moment.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

from infra.db import open_database
from infra.desk.clocks import wall_clock
from infra.migrate import upgrade
from infra.payloads import cipher_of
from infra.privacy.moving_in import put_in_order
from infra.privacy.vault import Vault
from infra.settings import PREFIX, Settings
from infra.system_state import (
    RunningSystem,
    SystemRuns,
    forget_state,
    running_system,
    wait_for_lock,
    write_state,
)
from infra.temporal_client import connect_as
from infra.temporal_server import DIE_WITH_PARENT, EmbeddedServer, ServerOptions

WORKER = Path(__file__).resolve().parent.parent / "worker.py"
READY_SECONDS = 45.0  # far more than the 3 s that it takes; a machine may be busy
DRAIN_SECONDS = 15.0  # the worker finishes what it has begun within ten
LOOK_SECONDS = 0.1
MOST_RESTARTS = 5  # of one process within a minute, before the system gives up
BRIEF_PATIENCE_SECONDS = 120.0  # for another command that has the engine for a moment
LOG_TAIL_LINES = 8

Announce = Callable[[str], None]


class SystemFailed(Exception):
    """A process of the system could not be started, or died again and again; the message ends with its last words."""


class Child:
    """One of our own programs as a process that dies with us; its output goes into a log file."""

    def __init__(self, name: str, command: Sequence[str], environment: dict[str, str], log: Path) -> None:
        self.name, self.log = name, log
        self._command, self._environment = command, environment
        self._process: subprocess.Popen[bytes] | None = None
        self.starts: list[float] = []

    @property
    def pid(self) -> int:
        """Its process id, 0 when it doesn't run."""
        return self._process.pid if self._process is not None and self._process.poll() is None else 0

    def start(self) -> None:
        """Start the process; in a session of its own, so that Ctrl-C reaches the supervisor alone."""
        command = list(self._command)
        if sys.platform == "linux":
            command = [sys.executable, "-ISc", DIE_WITH_PARENT, str(os.getpid()), *command]
        self.starts = [*(at for at in self.starts if at > time.monotonic() - 60), time.monotonic()]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self._environment, start_new_session=True
            )

    async def stop(self, grace: float = DRAIN_SECONDS) -> None:
        """Ask it to finish, and end it after the grace period."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            await asyncio.to_thread(process.wait, grace)
        except subprocess.TimeoutExpired:
            process.kill()
            await asyncio.to_thread(process.wait)

    def last_words(self) -> str:
        """The end of its log."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-LOG_TAIL_LINES:])


class EmbeddedSystem:
    """Server, worker and, with a command to start it, the API. `async with` starts and stops them in order."""

    def __init__(
        self, settings: Settings, api_command: Sequence[str] = (), *, with_ui: bool = False, brief: bool = False
    ) -> None:
        self.settings = settings
        self._brief = brief
        self._lock: IO[bytes] | None = None
        folder = settings.data_dir
        self._api_port = settings.api_port or _free_port()
        self.server = EmbeddedServer(
            ServerOptions(
                folder,
                ui_port=_free_port() if with_ui else None,
                ui_codec=f"http://127.0.0.1:{self._api_port}/v1/codec" if api_command else "",
                binary=settings.temporal_binary,
                namespace=settings.temporal_namespace,
                test_clock=settings.test_clock,
                synchronous=settings.sqlite_synchronous,
            )
        )
        environment = self._environment()
        self.worker = Child("worker", [sys.executable, str(WORKER)], environment, folder / "worker.log")
        self.api = Child("api", api_command, environment, folder / "api.log") if api_command else None

    @property
    def running(self) -> RunningSystem:
        """Addresses and process ids."""
        ui_port = self.server.options.ui_port
        return RunningSystem(
            supervisor=os.getpid(),
            brief=self._brief,
            temporal=self.server.address,
            api=f"http://{_reachable(self.settings.api_host)}:{self._api_port}" if self.api else "",
            ui=f"http://{self.server.options.ip}:{ui_port}" if ui_port else "",
            server_pid=self.server.pid or 0,
            worker_pid=self.worker.pid,
            api_pid=self.api.pid if self.api else 0,
            started_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        )

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Start everything and return when it answers. Raises SystemRuns, SystemFailed or EmbeddedServerError."""
        self.settings.data_dir.mkdir(parents=True, exist_ok=True)
        self._lock = await wait_for_lock(self.settings.data_dir)
        try:
            self._have_keys()
            await asyncio.gather(self._migrate_and_start_children(), self.server.start())
            client = await connect_as(self.settings, self.server.address)
            await asyncio.gather(self._until_polling(client), self._until_answering())
            write_state(self.settings.data_dir, self.running)
        except BaseException:
            await self.stop()
            raise

    def _have_keys(self) -> None:
        """Make the keys before the first payload is stored: a store without them holds plaintext."""
        cipher = cipher_of(self.settings)
        if cipher is None:
            return
        if self.settings.payloads == "encrypted" and self.settings.temporal_db.exists() and not cipher.ring.exists():
            raise SystemFailed(
                f"the deals in {self.settings.data_dir} were stored in clear, or the keys in {self.settings.keys_dir}"
                " are lost: put their backup there, or set DEALWRIGHT_PAYLOADS=migrating"
            )
        cipher.ring.current()

    async def _migrate_and_start_children(self) -> None:
        """Our programs try until the server answers, so they load meanwhile; in a new folder even while tables are
        made, as there are no deals yet whose work could meet old tables."""
        migrated = self._migrate()
        if self.settings.temporal_db.exists():
            await migrated
            self._start_children()
        else:
            self._start_children()
            await migrated

    async def _migrate(self) -> None:
        await asyncio.to_thread(upgrade, self.settings.database)
        database = open_database(self.settings.database, self.settings.sqlite_synchronous)
        try:
            await put_in_order(database, Vault(self.settings.keys_dir), wall_clock())
        finally:
            await database.close()

    def _start_children(self) -> None:
        for child in self._children:
            child.start()

    async def stop(self) -> None:
        """The API first, then the worker, which finishes what it has begun; the server last. Harmless when stopped."""
        if self.api:
            await self.api.stop()
        await self.worker.stop()
        await self.server.stop()
        if self._lock is not None:
            forget_state(self.settings.data_dir)
            self._lock.close()
            self._lock = None

    async def watch(self, stopped: asyncio.Event, announce: Announce) -> None:
        """Start again what dies, until `stopped`. Raises SystemFailed for a process that dies again and again."""
        while not stopped.is_set():
            changed = False
            if self.server.pid is None:
                announce("the Temporal server ended; it is started again")
                await self.server.start()
                changed = True
            for child in self._children:
                if not child.pid:
                    self._start_again(child, announce)
                    changed = True
            if changed:
                write_state(self.settings.data_dir, self.running)
            try:
                await asyncio.wait_for(stopped.wait(), LOOK_SECONDS)
            except TimeoutError:
                continue

    @property
    def _children(self) -> list[Child]:
        return [self.worker, self.api] if self.api else [self.worker]

    def _start_again(self, child: Child, announce: Announce) -> None:
        if len(child.starts) > MOST_RESTARTS:
            raise SystemFailed(f"the {child.name} keeps ending, see {child.log}\n{child.last_words()}")
        announce(f"the {child.name} ended; it is started again")
        child.start()

    def _environment(self) -> dict[str, str]:
        """What our programs read their settings from: ours, with the addresses of this system."""
        own = {
            "DATA_DIR": str(self.settings.data_dir),
            "TEMPORAL_ADDRESS": self.server.address,
            "TEST_CLOCK": str(self.settings.test_clock).lower(),
            "API_PORT": str(self._api_port),
        }
        if ui_port := self.server.options.ui_port:
            own["UI_ORIGINS"] = f"http://127.0.0.1:{ui_port},http://localhost:{ui_port}"
        return {**os.environ, **{f"{PREFIX}{name}": value for name, value in own.items()}}

    async def _until_polling(self, client: Client) -> None:
        """Until the worker asks the server for work."""
        request = DescribeTaskQueueRequest(
            namespace=client.namespace,
            task_queue=TaskQueue(name=self.settings.task_queue),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        )
        deadline = time.monotonic() + READY_SECONDS
        while not (await client.workflow_service.describe_task_queue(request)).pollers:
            await _pause(self.worker, deadline)

    async def _until_answering(self) -> None:
        """Until the API accepts connections."""
        deadline = time.monotonic() + READY_SECONDS
        while self.api:
            try:
                _, writer = await asyncio.open_connection(_reachable(self.settings.api_host), self._api_port)
            except OSError:
                await _pause(self.api, deadline)
            else:
                writer.close()
                return


@asynccontextmanager
async def engine_for(settings: Settings, announce: Announce) -> AsyncIterator[str]:
    """The address of the engine of a folder: of the cluster that is set, of the system that runs, or of one that is
    started for the time being."""
    if settings.temporal_address is not None:
        yield settings.temporal_address
        return
    system = await _start_or_find(settings, announce)
    if isinstance(system, RunningSystem):
        yield system.temporal
        return
    try:
        yield system.server.address
    finally:
        announce("stopping the engine")
        await system.stop()


async def _start_or_find(settings: Settings, announce: Announce) -> RunningSystem | EmbeddedSystem:
    """The system that stays, or one of our own; another command's is waited for, as it will end with that command."""
    give_up_at, told = time.monotonic() + BRIEF_PATIENCE_SECONDS, False
    while True:
        running = running_system(settings.data_dir)
        if running is not None and not running.brief:
            return running
        if running is None:
            system = EmbeddedSystem(settings, brief=True)
            try:
                announce("starting the engine for this command")
                await system.start()
                return system
            except SystemRuns:
                if time.monotonic() > give_up_at:
                    raise
        elif not told:
            announce("waiting for another command that uses the engine of this folder")
            told = True
        if time.monotonic() > give_up_at:
            raise SystemRuns(f"another command has used the engine of {settings.data_dir} for too long")
        await asyncio.sleep(LOOK_SECONDS)


async def until_signal(stopped: asyncio.Event) -> None:
    """Let Ctrl-C and SIGTERM set the event, instead of ending the process."""
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(signum, stopped.set)


async def _pause(child: Child, deadline: float) -> None:
    """Wait a little for a child that is not ready yet. Raises SystemFailed when it is dead or the deadline passes."""
    if not child.pid:
        raise SystemFailed(f"the {child.name} ended while it started, see {child.log}\n{child.last_words()}")
    if time.monotonic() > deadline:
        raise SystemFailed(f"the {child.name} is not ready after {READY_SECONDS:.0f} seconds, see {child.log}")
    await asyncio.sleep(LOOK_SECONDS)


def _reachable(host: str) -> str:
    """Where a server that listens on `host` can be reached from this machine."""
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
