"""The embedded server as an operator meets it: real processes, real files, killed and restarted."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import psutil
import pytest
from temporalio import workflow
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from infra import temporal_server
from infra.temporal_client import EngineUnreachable, connect
from infra.temporal_server import EmbeddedServer, EmbeddedServerError, ServerOptions

REPOSITORY = Path(__file__).parents[2]


@workflow.defn
class Patient:
    """Waits until it is told to go."""

    def __init__(self) -> None:
        self.go = False

    @workflow.run
    async def run(self) -> str:
        await workflow.wait_condition(lambda: self.go)
        return "gone"

    @workflow.signal
    def leave(self) -> None:
        self.go = True


def _script(path: Path, body: str) -> Path:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def _becomes(condition: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def _gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


async def test_it_answers_on_loopback_only_from_a_file_in_wal_mode(tmp_path: Path) -> None:
    async with EmbeddedServer(ServerOptions(tmp_path / "new" / "folder", retention=timedelta(days=7))) as server:
        assert server.pid is not None
        client = await connect(server.address)
        namespace = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="default"))
        listening = [
            connection.laddr.ip
            for connection in psutil.Process(server.pid).net_connections()
            if connection.status == psutil.CONN_LISTEN
        ]
    assert namespace.config.workflow_execution_retention_ttl.ToTimedelta() == timedelta(days=7)
    assert listening
    assert set(listening) == {"127.0.0.1"}
    with sqlite3.connect(tmp_path / "new" / "folder" / "temporal.db") as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)


async def test_the_web_ui_is_off_unless_a_port_is_given(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    async with EmbeddedServer(ServerOptions(tmp_path, ui_port=port)):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()


async def test_another_namespace_is_created_and_awaited(tmp_path: Path) -> None:
    async with EmbeddedServer(ServerOptions(tmp_path, namespace="deals")) as server:
        assert (await connect(server.address, "deals")).namespace == "deals"


async def test_killed_it_starts_again_on_its_port_with_its_workflows(tmp_path: Path) -> None:
    async with EmbeddedServer(ServerOptions(tmp_path)) as server:
        address, first_pid = server.address, server.pid
        assert first_pid is not None
        client = await connect(address)
        handle = await client.start_workflow(Patient.run, id="patient", task_queue="q")

        os.kill(first_pid, signal.SIGKILL)
        assert await asyncio.to_thread(_becomes, lambda: server.pid is None)

        await server.start()
        assert (server.address, server.pid is None, server.pid == first_pid) == (address, False, False)
        await handle.signal(Patient.leave)
        async with Worker(client, task_queue="q", workflows=[Patient], workflow_runner=UnsandboxedWorkflowRunner()):
            assert await handle.result() == "gone"


async def test_stopping_ends_the_process_and_may_be_repeated(tmp_path: Path) -> None:
    server = EmbeddedServer(ServerOptions(tmp_path))
    await server.stop()
    await server.start()
    pid = server.pid
    assert pid is not None
    await server.start()
    assert server.pid == pid
    await server.stop()
    await server.stop()
    assert server.pid is None
    assert _gone(pid)


@pytest.mark.parametrize("ip", ["0.0.0.0", "192.0.2.7", "::"])
async def test_an_address_that_others_can_reach_is_refused(tmp_path: Path, ip: str) -> None:
    with pytest.raises(EmbeddedServerError, match="loopback only"):
        ServerOptions(tmp_path, ip=ip)


async def test_a_missing_binary_is_named(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedServerError, match="no executable `temporal` at /nowhere/temporal"):
        await EmbeddedServer(ServerOptions(tmp_path, binary=Path("/nowhere/temporal"))).start()


@pytest.mark.parametrize("die_with_parent", [True, False])
async def test_a_binary_that_dies_shows_its_last_words(tmp_path: Path, die_with_parent: bool) -> None:
    binary = _script(tmp_path / "temporal", "echo 'the disk is full' >&2; exit 3")
    server = EmbeddedServer(ServerOptions(tmp_path, binary=binary, die_with_parent=die_with_parent))
    with pytest.raises(EmbeddedServerError, match=r"code 3\nthe disk is full"):
        await server.start()
    assert server.pid is None


async def test_a_binary_that_never_answers_is_given_up_and_ended(tmp_path: Path) -> None:
    binary = _script(tmp_path / "temporal", f"echo $$ > {tmp_path}/pid; exec sleep 600")
    with pytest.raises(EmbeddedServerError, match="not ready"):
        await EmbeddedServer(ServerOptions(tmp_path, binary=binary)).start(patience=timedelta(seconds=1))
    assert _gone(int((tmp_path / "pid").read_text()))


async def test_a_port_in_use_is_reported(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(EmbeddedServerError, match="Address already in use"):
            await EmbeddedServer(ServerOptions(tmp_path, port=other.getsockname()[1])).start()


async def test_one_database_has_one_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(temporal_server, "LOCK_PATIENCE_SECONDS", 0.2)
    async with EmbeddedServer(ServerOptions(tmp_path)) as first:
        with pytest.raises(EmbeddedServerError, match="another server uses the database"):
            await EmbeddedServer(ServerOptions(tmp_path)).start()
        assert first.pid is not None


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux only")
def test_it_does_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    program = f"""
import asyncio, os, pathlib, signal
from infra.temporal_server import EmbeddedServer, ServerOptions
async def main():
    server = EmbeddedServer(ServerOptions(pathlib.Path({str(tmp_path)!r})))
    await server.start()
    print(server.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, stdout=subprocess.PIPE, check=False)
    assert done.returncode == -signal.SIGKILL
    assert _becomes(lambda: _gone(int(done.stdout)))


async def test_the_log_keeps_one_older_generation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(temporal_server, "LOG_ROTATE_BYTES", 10)
    (tmp_path / "temporal.log").write_text("what happened yesterday\n")
    binary = _script(tmp_path / "temporal", "echo today; exit 1")
    with pytest.raises(EmbeddedServerError, match="today"):
        await EmbeddedServer(ServerOptions(tmp_path, binary=binary)).start()
    assert (tmp_path / "temporal.log.1").read_text() == "what happened yesterday\n"
    assert (tmp_path / "temporal.log").read_text() == "today\n"


async def test_an_engine_that_is_not_there_is_unreachable() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    with pytest.raises(EngineUnreachable) as caught:
        await connect(address, deadline=timedelta(seconds=0.5))
    assert caught.value.address == address
    assert "refused" in caught.value.reason


async def test_an_unknown_namespace_is_unreachable(tmp_path: Path) -> None:
    async with EmbeddedServer(ServerOptions(tmp_path)) as server:
        with pytest.raises(EngineUnreachable, match="nobody"):
            await connect(server.address, "nobody", deadline=timedelta(seconds=3))
