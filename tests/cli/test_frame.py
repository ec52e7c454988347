"""Help, global options, exit codes and errors: what a newcomer meets first."""

import asyncio
import io
import os
import re
import resource
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import typer

from cli.exits import CommandFailed, ExitCode, explain
from cli.root import guarded, to_the_front
from cli.screen import Output, Screen, picked
from cli.session import run
from tests.cli.command import ROOT, command, dealwright, environment, in_process
from tests.cli.pages import BIN

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


@pytest.mark.parametrize("words", [(), ("deal",), ("user", "deputy"), ("import",)])
def test_whoever_says_nothing_is_told_what_there_is(words: tuple[str, ...]) -> None:
    told = in_process(*words)
    assert (told.code, told.err) == (0, "")
    assert told.out.rstrip() == in_process(*words, "--help").out.rstrip()


VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


def test_the_version_is_that_of_the_package() -> None:
    assert (dealwright("--version").out, in_process("-q", "--version").out) == (f"{VERSION}\n", f"{VERSION}\n")


def test_source_that_is_not_installed_has_a_version_too(tmp_path: Path) -> None:
    """As in our image, whose environment holds what we need, but not us."""
    for package in Path(typer.__file__).parents[1].iterdir():
        if "dealwright" not in package.name:
            (tmp_path / package.name).symlink_to(package)
    program = [sys.executable, "-S", "-m", "cli.main", "--version"]
    variables = environment(PYTHONPATH=f"{ROOT}{os.pathsep}{tmp_path}")
    assert subprocess.run(program, env=variables, capture_output=True, text=True, check=True).stdout == f"{VERSION}\n"


def test_the_shell_completes_commands(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path), "SHELL": "/bin/bash"}
    asked = {"_DEALWRIGHT_COMPLETE": "complete_bash", "COMP_WORDS": "dealwright deal t", "COMP_CWORD": "2"}
    program = [str(BIN / "dealwright")]
    assert (
        subprocess.run(program, env=environment(**home, **asked), capture_output=True, text=True).stdout == "timeline\n"
    )
    installed = subprocess.run(
        [*program, "--install-completion", "bash"], env=environment(**home), capture_output=True, text=True, check=True
    )
    assert "bash completion installed" in installed.stdout
    assert "complete_bash" in (tmp_path / ".bash_completions" / "dealwright.sh").read_text(encoding="utf-8")


DEAL = {"id": "D-1", "offer": {"total": 7}, "lines": [{"article": "A"}, {"article": "Ü"}], "holds": []}


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("id", ["D-1"]),
        ("offer.total", [7]),
        ("offer", [{"total": 7}]),
        ("lines.0.article", ["A"]),
        ("lines.-1.article", ["Ü"]),
        ("lines.article", ["A", "Ü"]),
        ("holds.anything", []),
    ],
)
def test_one_field_of_a_result(path: str, values: list[object]) -> None:
    assert picked(DEAL, path) == values


@pytest.mark.parametrize(
    "path", ["nothing", "offer.", "offer.total.0", "lines.2", "lines.0.0", "id.0", ".", "lines.x.y"]
)
def test_a_field_that_is_not_there_is_named(path: str) -> None:
    with pytest.raises(CommandFailed, match=re.escape(f"the result has no {path}: instead of")) as failed:
        picked(DEAL, path)
    assert failed.value.code is ExitCode.NOT_FOUND


def test_a_field_is_all_that_is_printed() -> None:
    assert (
        in_process("exit-codes", "--pick", "70").out
        == "an error that nobody expected; run again with --debug and report it\n"
    )
    assert in_process("--pick=initial", "lifecycle", "show").out == "identified\n"
    wrong = in_process("exit-codes", "--pick", "71")
    assert (wrong.code, wrong.out) == (ExitCode.NOT_FOUND, "")


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
        (("clock", "advance", "1d12", "D-1"), ExitCode.USAGE),
        (("clock", "advance", "soon", "--all"), ExitCode.USAGE),
        (("import", "customers", "nowhere.csv"), ExitCode.NOT_FOUND),
        (("deal", "do", "D-1", "fly"), ExitCode.NOT_FOUND),
        (("deal", "do", "D-1", "log_contact", "how=well"), ExitCode.USAGE),
        (("user", "add", "max", "Max", "--role", "king"), ExitCode.USAGE),
        (("user", "add", "max mix", "Max", "--role", "legal"), ExitCode.USAGE),
        (("status",), ExitCode.ENGINE),
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


def test_what_nobody_expected_is_reported_in_two_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended:
        guarded(lambda: 1 // 0)
    assert ended.value.exit_code == ExitCode.BUG
    first, second = capsys.readouterr().err.splitlines()
    assert first == "dealwright: unexpected ZeroDivisionError: integer division or modulo by zero"
    assert "--debug" in second
    with pytest.raises(ZeroDivisionError):
        guarded(lambda: 1 // 0, debug=True)


def test_an_error_ends_a_command_as_its_kind_does() -> None:
    class Gone(FileNotFoundError):
        """A more special kind of what is known."""

    found = explain(Gone(2, "No such file", "x.csv"))
    assert found is not None
    assert (found.code, found.message) == (ExitCode.NOT_FOUND, "x.csv: No such file")
    assert explain(LookupError("x")) is None
    asked = CommandFailed(ExitCode.REFUSED, "no")
    assert explain(asked) is asked


def test_progress_is_for_people_at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    def told(screen: Screen, where: io.StringIO) -> str:
        monkeypatch.setattr(sys, "stderr", where)
        with screen.progress("deals", 4) as done:
            done(4)
        return where.getvalue()

    monkeypatch.setenv("TERM", "xterm")
    assert "deals" in (shown := told(Screen(), Terminal()))
    assert "4/4" in shown
    assert told(Screen(quiet=True), Terminal()) == told(Screen(), io.StringIO()) == ""


def test_lines_for_people_are_not_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    for screen in (Screen(Output.JSON), Screen(pick="x")):
        screen.line("hello")
    assert capsys.readouterr().out == ""
    Screen().line("hello")
    assert capsys.readouterr().out == "hello\n"


def test_failures_that_nobody_waits_for_are_news_unless_the_command_was_stopped(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(what: str) -> None:
        asyncio.get_running_loop().call_exception_handler({"message": what})

    async def work() -> int:
        fail("a call was lost")
        return 7

    async def stopped() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        fail("a call was cut off")
        await asyncio.sleep(0)

    assert run(work()) == 7
    with pytest.raises(asyncio.CancelledError):
        run(stopped())
    assert [record.message for record in caplog.records if record.name == "asyncio"] == ["a call was lost"]


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
