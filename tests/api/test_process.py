"""The API as a process: starts without an engine, announces itself, survives rude clients, stops when it is told."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from infra.settings import PREFIX
from tests.counting import python

TOP = Path(__file__).resolve().parents[2]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _running(folder: Path, migrated_file: Path) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """The API on a database in the folder, where its log goes, too."""
    port = _free_port()
    (folder / "dealwright.db").write_bytes(migrated_file.read_bytes())
    own = {"DATA_DIR": str(folder), "TEMPORAL_ADDRESS": "127.0.0.1:1", "API_PORT": str(port), "LOG_FORMAT": "json"}
    own["TEST_CLOCK"] = "true"  # of whoever lives on a day of its own
    environment = {**os.environ, **{f"{PREFIX}{name}": value for name, value in own.items()}}
    log = (folder / "api.log").open("wb")
    process = subprocess.Popen(python("-m", "api.main"), cwd=TOP, env=environment, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(address, process)
        yield address, process
    finally:
        process.kill()
        process.wait(10)
        log.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[str]:
    """Where one process answers all rude clients, one after the other."""
    with _running(tmp_path_factory.mktemp("api"), migrated_file) as (address, process):
        yield address
        assert process.poll() is None, "the API did not survive its clients"


def _wait(address: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx2.get(f"{address}/v1/health/live")
            return
        except httpx2.TransportError:
            time.sleep(0.05)
    raise AssertionError("the API does not answer")


def test_it_serves_without_an_engine_and_stops(tmp_path: Path, migrated_file: Path) -> None:
    with _running(tmp_path, migrated_file) as (address, process):
        health = httpx2.get(f"{address}/v1/health")
        assert (health.status_code, health.json()["database"]) == (503, "ok")
        assert httpx2.get(f"{address}/v1/deals").status_code == 401
        assert httpx2.get(f"{address}/v1/openapi.json").json()["info"]["title"] == "Dealwright"
        assert address in (tmp_path / "api.log").read_text()
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) in (0, -signal.SIGTERM)


def test_large_bodies_are_answered_and_not_kept(address: str) -> None:
    for size in (1_100_000, 2_000_000, 30_000_000):
        try:
            answer = httpx2.post(
                f"{address}/v1/deals", content=b"x" * size, headers={"Idempotency-Key": "k"}, timeout=20
            )
        except httpx2.TransportError:
            assert size > 8_000_000  # cut off while still sending
        else:
            assert answer.status_code == 401
    assert httpx2.get(f"{address}/v1/health/live").status_code == 200


@pytest.mark.parametrize(
    "rude",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"GET /v1/health/live HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: " + b"y" * 200_000 + b"\r\n\r\n",
        b"POST /v1/deals HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"POST /v1/deals HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"POST /v1/deals HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
    ],
)
def test_rude_clients_do_not_hurt(address: str, rude: bytes) -> None:
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        try:
            connection.sendall(rude)
            answer = connection.recv(200)
        except OSError:
            answer = b""
    assert b" 500 " not in answer
    assert httpx2.get(f"{address}/v1/health/live").status_code == 200
