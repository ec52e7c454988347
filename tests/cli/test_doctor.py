"""The doctor finds what is wrong with each part, says what to do, and goes on to the next."""

import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from cli import doctor
from cli.exits import ExitCode
from tests.cli.command import in_process


def finding(folder: Path, name: str, code: ExitCode = ExitCode.REFUSED) -> tuple[str, str]:
    """The verdict on one part, and what is told about it with the advice."""
    told = in_process("--data", folder, "doctor", "-o", "json")
    assert told.code == code, told.err
    (found,) = (one for one in told.json if one["check"] == name)
    shown = in_process("--data", folder, "doctor").out
    assert ("checks failed" in shown) == (code != ExitCode.OK)
    return found["verdict"], f"{found['found']}; {found['advice']}"


def test_an_engine_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEALWRIGHT_TEMPORAL_BINARY", str(tmp_path / "temporal"))
    verdict, told = finding(tmp_path, "temporal")
    assert (verdict, "no executable `temporal`" in told, "make setup" in told) == ("wrong", True, True)


def test_an_engine_that_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "temporal"
    broken.write_text("#!/bin/sh\nexit 3\n", encoding="utf-8")
    broken.chmod(0o755)
    monkeypatch.setenv("DEALWRIGHT_TEMPORAL_BINARY", str(broken))
    assert finding(tmp_path, "temporal")[0] == "wrong"


def test_a_package_that_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "PACKAGES", ("typer", "no-such-package-of-ours"))
    verdict, told = finding(tmp_path, "packages")
    assert (verdict, told) == (
        "wrong", "missing: no-such-package-of-ours; `make setup` installs the locked versions",
    )  # fmt: skip


def test_a_cluster_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEALWRIGHT_TEMPORAL_ADDRESS", "127.0.0.1:1")
    monkeypatch.setenv("DEALWRIGHT_TEST_CLOCK", "true")
    told = in_process("--data", tmp_path, "doctor", "-o", "json").json
    verdicts = {one["check"]: one["verdict"] for one in told}
    assert verdicts["temporal"] == "fine", "no own server is needed"
    assert "wrong" in verdicts.values()


@pytest.mark.usefixtures("on_the_wall_clock")
def test_a_test_clock_that_is_switched_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEALWRIGHT_TEST_CLOCK", "false")
    verdict, told = finding(tmp_path, "test clock", ExitCode.OK)
    assert (verdict, told) == ("fine", "switched off: there are no test deals here; ")


def test_a_port_that_somebody_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        monkeypatch.setenv("DEALWRIGHT_API_PORT", str(somebody.getsockname()[1]))
        verdict, told = finding(tmp_path, "ports")
        assert (verdict, "0 for a free one" in told) == ("wrong", True)
    assert finding(tmp_path, "ports", ExitCode.OK)[0] == "fine"


@pytest.mark.parametrize(
    ("statement", "words"), [("CREATE TABLE deals (id TEXT)", "db upgrade"), ("", "is it running?")]
)
def test_tables_that_are_not_ours(tmp_path: Path, statement: str, words: str) -> None:
    database = tmp_path / "dealwright.db"
    if statement:
        with closing(sqlite3.connect(database)) as books:
            books.execute(statement)
    else:
        database.write_text("no database at all, but a text of more than a hundred bytes " * 3, encoding="utf-8")
    verdict, told = finding(tmp_path, "database")
    assert (verdict, words in told) == ("wrong", True), told
