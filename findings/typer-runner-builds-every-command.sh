#!/usr/bin/env bash
# Each call of typer's test runner builds the whole command tree anew, whichever single command it runs.
#
# CliRunner.invoke takes the Typer application and makes its commands, groups and parameters from the signatures of all
# functions before it runs one of them: with a hundred commands that takes longer than most commands do, and a suite
# that invokes a thousand times does it a thousand times. (click's own runner takes a command that was built before.)
#
# Seen on 2026-12-01 with typer 0.29.2: three invocations of one command of an application of fifty make a hundred and
# fifty commands. typer.main.get_command(app), kept, and called as command.main(arguments) within runner.isolation(),
# makes fifty, once.
# What to do: build the tree once for all tests.
set -euo pipefail

python=${PYTHON:-python3.11}
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
"$python" -m venv "$room/venv"
"$room/venv/bin/python" -m pip --disable-pip-version-check -qq install typer==0.29.2
"$room/venv/bin/python" - <<'PY'
import typer
from typer.core import TyperCommand
from typer.testing import CliRunner

built = []


class Counted(TyperCommand):
    def __init__(self, *arguments, **named):
        built.append(named.get("name"))
        super().__init__(*arguments, **named)


app = typer.Typer()
for number in range(50):

    @app.command(f"c{number}", cls=Counted)
    def do(size: int = 1) -> None:
        print(size)


runner = CliRunner()
for _ in range(3):
    assert runner.invoke(app, ["c7"]).stdout == "1\n"
each_time = len(built)

built.clear()
tree = typer.main.get_command(app)
for _ in range(3):
    with runner.isolation() as (out, _, _):
        try:
            tree.main(["c7"])
        except SystemExit as ended:
            assert not ended.code
        import sys

        sys.stdout.flush()
        assert out.getvalue() == b"1\n"
once = len(built)
print(f"typer 0.29.2: three invocations build {each_time} commands, three calls of a kept tree {once}")
assert (each_time, once) == (150, 50), "typer behaves otherwise now"
PY
