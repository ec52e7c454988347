"""The embedded system of one data folder: Temporal server, worker and API as child processes of one supervisor.

`EmbeddedSystem` starts, watches and stops them; `engine_for` is for commands that need the engine only for a moment.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from types import TracebackType
from typing import IO, Self
from urllib.parse import urlsplit

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

from infra.child import Child, Restarts, SystemFailed
from infra.data_folder import (
    begin_database,
    see_that_the_engine_knows_the_deals,
    see_that_the_keys_are_there,
    take_folder,
)
from infra.db import open_database
from infra.desk.clocks import wall_clock
from infra.migrate import upgrade
from infra.own_process import INSTALLATION
from infra.payloads import cipher_of
from infra.ports import address_of, listen
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
from infra.temporal_server import EmbeddedServer, ServerOptions

WORKER = INSTALLATION / "worker.py"
READY_SECONDS = 45.0  # far more than the 3 s that it takes; a machine may be busy
LOOK_SECONDS = 0.1
BRIEF_PATIENCE_SECONDS = 120.0  # for another command that has the engine for a moment

Announce = Callable[[str], None]


class EmbeddedSystem:
    """Server, worker and, with a command to start it, the API. `async with` starts and stops them in order.

    The API's socket is opened here and given to it as `--fd`, so that nobody takes its port before it listens there or
    while it is started again.
    """

    def __init__(
        self, settings: Settings, api_command: Sequence[str] = (), *, with_ui: bool = False, brief: bool = False
    ) -> None:
        self.settings = settings
        self._brief = brief
        self._lock: IO[bytes] | None = None
        self._listening: socket.socket | None = None
        self._api_command = tuple(api_command)
        folder = settings.data_dir
        self.server = EmbeddedServer(
            ServerOptions(
                folder,
                ui_port=0 if with_ui else None,
                binary=settings.temporal_binary,
                namespace=settings.temporal_namespace,
                test_clock=settings.test_clock,
                synchronous=settings.sqlite_synchronous,
            )
        )
        self._server_restarts = Restarts()
        self.worker = Child("worker", folder / "worker.log")
        self.api = Child("api", folder / "api.log") if api_command else None

    @property
    def running(self) -> RunningSystem:
        """Addresses and process ids."""
        ui_port = self.server.ui_port
        return RunningSystem(
            supervisor=os.getpid(),
            brief=self._brief,
            temporal=self.server.address,
            api=self._api_address,
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
        """Start everything and return when it answers. Raises SystemRuns, FolderRefused, FolderIncomplete,
        CannotListen, SystemFailed or EmbeddedServerError, and leaves nothing running then."""
        take_folder(self.settings)
        self._lock = await wait_for_lock(self.settings.data_dir)
        try:
            if self.api:
                self._listening = listen(self.settings)
                codec = f"http://127.0.0.1:{self._listening.getsockname()[1]}/v1/codec"
                self.server.options = replace(self.server.options, ui_codec=codec)
            await self._begin_folder()
            await asyncio.gather(self._migrate_and_start_children(), self.server.start())
            client = await connect_as(self.settings, self.server.address)
            await asyncio.gather(self._until_polling(client), self._until_answering())
            write_state(self.settings.data_dir, self.running)
        except BaseException:
            await self.stop()
            raise

    async def _begin_folder(self) -> None:
        """See that nothing is missing, then make what a new folder lacks: our database before the engine's, and the
        keys before the first payload is stored, as a store without them holds plaintext."""
        settings = self.settings
        await see_that_the_engine_knows_the_deals(settings)
        begin_database(settings)
        database = open_database(settings.database, settings.sqlite_synchronous)
        try:
            await see_that_the_keys_are_there(settings, database)
        finally:
            await database.close()
        if cipher := cipher_of(settings):
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
        environment = self._environment()
        self.worker.start([sys.executable, str(WORKER)], environment)
        if self.api and self._listening:
            handle = self._listening.fileno()
            self.api.start([*self._api_command, "--fd", str(handle)], environment, (handle,))

    async def stop(self) -> None:
        """The API first, then the worker, which finishes what it has begun; the server last. Harmless when stopped."""
        if self.api:
            await self.api.stop()
        await self.worker.stop()
        await self.server.stop()
        if self._listening is not None:
            self._listening.close()
            self._listening = None
        if self._lock is not None:
            forget_state(self.settings.data_dir)
            self._lock.close()
            self._lock = None

    async def watch(self, stopped: asyncio.Event, announce: Announce) -> None:
        """Start again what dies, until `stopped`. Raises SystemFailed for a process that dies again and again."""
        while not stopped.is_set():
            changed = False
            if self.server.pid is None:
                if not self._server_restarts.one_more():
                    raise SystemFailed(f"the Temporal server keeps ending, see {self.server.options.log}")
                announce("the Temporal server ended; it is started again")
                await self.server.start()
                changed = True
            for child in self._children:
                if not child.pid:
                    child.start_again()
                    announce(f"the {child.name} ended; it is started again")
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

    @property
    def _api_address(self) -> str:
        """Where the API can be reached from this machine."""
        if self._listening is None:
            return ""
        return address_of(self._listening).replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")

    def _environment(self) -> dict[str, str]:
        """What our programs read their settings from: ours, with the addresses of this system."""
        own = {
            "DATA_DIR": str(self.settings.data_dir),
            "TEMPORAL_ADDRESS": self.server.address,
            "TEST_CLOCK": str(self.settings.test_clock).lower(),
        }
        if ui_port := self.server.ui_port:
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
        """Until the API answers. Connections are taken before: they wait in the socket that it was given."""
        deadline = time.monotonic() + READY_SECONDS
        if self.api:
            asking = asyncio.create_task(self._ask_api())
            try:
                while not asking.done():
                    await _pause(self.api, deadline)
                asking.result()
            finally:
                asking.cancel()

    async def _ask_api(self) -> None:
        """Ask for anything until there is any answer."""
        address, answer = urlsplit(self._api_address), b""
        while not answer:
            reader, writer = await asyncio.open_connection(address.hostname, address.port)
            try:
                writer.write(b"GET / HTTP/1.0\r\n\r\n")
                with suppress(ConnectionError):
                    answer = await reader.read(1)
            finally:
                writer.close()


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
