"""Help, global options, exit codes and errors: what a newcomer meets first."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from cli.exits import ExitCode
from cli.root import to_the_front
from tests.cli.command import ROOT, command, dealwright, environment, in_process

HEAVY = {"temporalio", "sqlalchemy", "pydantic", "fastapi", "models", "infra", "workflows", "alembic", "structlog"}


def test_help_loads_nothing_heavy() -> None:
    script = "import sys, cli.main; print(*{name.split('.')[0] for name in sys.modules})"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True)
    assert HEAVY & set(told.stdout.split()) == set()


def test_help_comes_at_once() -> None:
    """In processor seconds, as a busy machine says nothing about us."""

    def spent() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    costs = []
    for _ in range(3):
        before = spent()
        subprocess.run(command("--help"), capture_output=True, env=environment(), cwd=ROOT, check=True)
        costs.append(spent() - before)
    assert min(costs) < 0.5


@pytest.mark.parametrize("tree", [(), ("deal",), ("deal", "do"), ("import",), ("audit", "replay"), ("demo",)])
def test_every_help_is_there(tree: tuple[str, ...]) -> None:
    told = in_process(*tree, "--help")
    assert told.code == 0
    assert "Usage:" in told.out


def test_global_options_stand_anywhere() -> None:
    line = ["deal", "list", "-o", "json", "--limit", "3", "--data", "here", "--quiet", "--as=anna"]
    assert to_the_front(line) == [
        "-o",
        "json",
        "--data",
        "here",
        "--quiet",
        "--as=anna",
        "deal",
        "list",
        "--limit",
        "3",
    ]
    assert to_the_front(["deal", "do", "D", "note", "--", "-o", "text"]) == [
        "deal",
        "do",
        "D",
        "note",
        "--",
        "-o",
        "text",
    ]
    assert to_the_front(["deal", "list", "-o"]) == ["deal", "list", "-o"]


def test_every_exit_code_is_documented() -> None:
    told = dealwright("exit-codes", "-o", "json").json
    assert set(told) == {str(int(code)) for code in ExitCode}
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert [code for code in told if f"| {code} |" not in page] == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("deal", "fly"), ExitCode.USAGE),
        (("deal", "list", "--limit", "0"), ExitCode.USAGE),
        (("-o", "xml", "exit-codes"), ExitCode.USAGE),
        (("deal", "list"), ExitCode.NOT_FOUND),
        (("audit", "verify"), ExitCode.NOT_FOUND),
        (("audit", "replay"), ExitCode.USAGE),
        (("clock", "advance", "30d"), ExitCode.USAGE),
        (("import", "customers", "nowhere.csv"), ExitCode.NOT_FOUND),
        (("deal", "do", "D-1", "fly"), ExitCode.NOT_FOUND),
        (("deal", "do", "D-1", "log_contact", "how=well"), ExitCode.USAGE),
        (("user", "add", "max", "Max", "--role", "king"), ExitCode.USAGE),
        (("api",), ExitCode.ENGINE),
        (("worker",), ExitCode.ENGINE),
    ],
)
def test_errors_are_short_and_say_what_to_do(arguments: tuple[str, ...], code: ExitCode, tmp_path: Path) -> None:
    told = in_process("--data", tmp_path / "new", *arguments)
    assert told.code == code, told.err
    assert "Traceback" not in told.err + told.out
    assert told.err.strip()
    if code is not ExitCode.USAGE:
        assert len(told.err.strip().splitlines()) <= 3


def test_wrong_settings_are_named() -> None:
    told = dealwright("deal", "list", DEALWRIGHT_API_PROT="80")
    assert told.code == ExitCode.USAGE
    assert "DEALWRIGHT_API_PORT" in told.err


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    told = dealwright("--data", tmp_path, "deal", "list", "--debug")
    assert told.code != 0
    assert "Traceback" in told.err


@pytest.mark.parametrize("form", ["mermaid", "dot", "json", "table"])
def test_lifecycle_is_drawn(form: str) -> None:
    told = in_process("lifecycle", "show", "--format", form)
    assert told.code == 0
    assert "offer_open" in told.out


def test_doctor_is_content_with_a_new_folder(tmp_path: Path) -> None:
    told = in_process("--data", tmp_path / "new", "doctor", "-o", "json")
    assert told.code == 0, told.out
    assert {finding["verdict"] for finding in told.json} == {"fine"}
    assert not (tmp_path / "new").exists()
