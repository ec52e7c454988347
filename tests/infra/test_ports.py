"""Ports are held from choosing to listening, and an address that can't be had is named with its setting."""

import asyncio
import gc
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from infra.child import LONG_LIFE_SECONDS, MOST_RESTARTS, Restarts, SystemFailed
from infra.ports import CannotListen, hold, listen
from infra.settings import load_settings
from infra.system import EmbeddedSystem
from infra.system_state import running_system
from infra.temporal_server import PORT_TRIES, EmbeddedServer, PortsTaken, ServerOptions, find_binary
from tests.cli.command import ROOT, command, environment

HOLDS = pytest.mark.skipif(sys.platform != "linux", reason="a held port can be listened on by others on Linux only")


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody else listens on."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield int(other.getsockname()[1])


def counting(folder: Path, taken: int, times: int) -> Path:
    """The real server, which finds one of the ports that it chooses by itself taken for a number of starts."""
    binary = folder / "counting"
    binary.write_text(
        f"""#!/bin/sh
echo start >> {folder}/starts
[ "$(wc -l < {folder}/starts)" -gt {times} ] || exec {find_binary(None)} "$@" --http-port {taken}
exec {find_binary(None)} "$@"
""",
        encoding="utf-8",
    )
    binary.chmod(0o755)
    return binary


def starts(folder: Path) -> int:
    return len((folder / "starts").read_text(encoding="utf-8").splitlines())


async def test_ports_taken_before_the_server_listens_are_chosen_again(tmp_path: Path, taken: int) -> None:
    options = ServerOptions(tmp_path, binary=counting(tmp_path, taken, times=2))
    async with EmbeddedServer(options) as server:
        assert server.pid is not None
    assert starts(tmp_path) == 3
    assert "address already in use" in options.log.read_text(encoding="utf-8")


async def test_ports_that_are_always_taken_end_it_in_one_line(tmp_path: Path, taken: int) -> None:
    server = EmbeddedServer(ServerOptions(tmp_path, binary=counting(tmp_path, taken, times=99)))
    with pytest.raises(PortsTaken) as caught:
        await server.start()
    assert str(caught.value) == f"other programs keep taking the Temporal server's ports, see {tmp_path}/temporal.log"
    assert starts(tmp_path) == PORT_TRIES
    assert server.pid is None


@HOLDS
async def test_nobody_takes_the_servers_port_between_choosing_and_listening(tmp_path: Path) -> None:
    server = EmbeddedServer(ServerOptions(tmp_path, ui_port=0))
    assert server.ui_port
    for port in (server.port, server.ui_port):
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", port))
    async with server:
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.close()


@HOLDS
def test_a_port_is_let_go_with_its_server(tmp_path: Path) -> None:
    server = EmbeddedServer(ServerOptions(tmp_path))
    port = server.port
    del server
    gc.collect()
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))


def test_a_held_port_is_not_chosen_by_others() -> None:
    held = [hold("127.0.0.1") for _ in range(200)]
    assert len({one.getsockname()[1] for one in held}) == len(held)
    for one in held:
        one.close()


def test_a_taken_port_is_named_with_its_setting(tmp_path: Path, taken: int) -> None:
    with pytest.raises(CannotListen, match=f"DEALWRIGHT_API_PORT: port {taken} of 127.0.0.1 is taken"):
        listen(load_settings(data_dir=tmp_path, api_port=taken))
    with pytest.raises(CannotListen, match=r"DEALWRIGHT_API_HOST: 192\.0\.2\.7 can't be listened on"):
        listen(load_settings(data_dir=tmp_path, api_host="192.0.2.7"))


@pytest.mark.parametrize("program", ["up", "api"])
def test_a_port_that_somebody_else_has_ends_the_command(tmp_path: Path, taken: int, program: str) -> None:
    more = {} if program == "up" else {"DEALWRIGHT_TEMPORAL_ADDRESS": "127.0.0.1:1", "DEALWRIGHT_TEST_CLOCK": "on"}
    done = subprocess.run(
        command("--data", tmp_path / "data", "-q", program), env=environment(DEALWRIGHT_API_PORT=str(taken), **more),
        cwd=ROOT, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    told, advice = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (2, "")
    assert told == f"dealwright: DEALWRIGHT_API_PORT: port {taken} of 127.0.0.1 is taken by another program"
    assert "0 for a free one" in advice
    assert running_system(tmp_path / "data") is None
    assert not (tmp_path / "data" / "temporal.db").exists()


@pytest.mark.slow
async def test_what_keeps_ending_ends_the_system(tmp_path: Path) -> None:
    """The API answers once and dies, and then always at once."""
    dying = (
        "import pathlib, socket, sys\n"
        f"once = pathlib.Path({str(tmp_path / 'once')!r})\n"
        "if once.exists(): sys.exit('the disk is full')\n"
        "once.touch()\n"
        "caller, _ = socket.socket(fileno=int(sys.argv[-1])).accept()\n"
        "caller.recv(99); caller.send(b'HTTP/1.0 200 OK')\n"
    )
    told: list[str] = []
    async with EmbeddedSystem(load_settings(data_dir=tmp_path / "data"), [sys.executable, "-c", dying]) as system:
        running = system.running
        with pytest.raises(SystemFailed, match=r"the api keeps ending[^\n]*\n(the disk is full\n?)+"):
            await asyncio.wait_for(system.watch(asyncio.Event(), told.append), 60)
    assert told == ["the api ended; it is started again"] * MOST_RESTARTS
    assert running_system(tmp_path / "data") is None
    assert not any(psutil.pid_exists(pid) for pid in (running.worker_pid, running.server_pid))


def test_what_ran_for_a_while_may_always_be_started_again() -> None:
    now = 0.0

    def after(seconds: float) -> bool:
        nonlocal now
        now += seconds
        return restarts.one_more()

    restarts = Restarts(lambda: now)
    assert [after(1) for _ in range(MOST_RESTARTS)] == [True] * MOST_RESTARTS
    assert after(LONG_LIFE_SECONDS)
    assert [after(1) for _ in range(MOST_RESTARTS + 1)] == [True] * MOST_RESTARTS + [False]
    restarts = Restarts(lambda: now)
    assert all(after(LONG_LIFE_SECONDS) for _ in range(100))


def test_the_server_is_never_one_of_the_folder_one_stands_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("infra.temporal_server.sysconfig.get_path", lambda _: "/nowhere")
    for folder in (tmp_path, tmp_path / "bin"):
        folder.mkdir(exist_ok=True)
        program = folder / "temporal"
        program.write_text("#!/bin/sh\n", encoding="utf-8")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f":.:{tmp_path}/bin")
    assert find_binary(None) == tmp_path / "bin" / "temporal"
