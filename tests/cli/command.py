"""The command line as a person runs it: a process of its own, with nothing set in its environment."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from cli.main import app
from tests.counting import python
from tests.days import AHEAD

TREE = get_command(app)
"""Built once: it takes longer than most commands, and the runner of typer does it for each."""
ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
REAL_DATA = ROOT.parent / "shared" / "data" / "opportunities"


@dataclass(frozen=True)
class Ran:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def environment(**more: str) -> dict[str, str]:
    """Ours without the settings of whoever runs the tests; but it lives on the run's day (tests/conftest.py)."""
    # xdist's workers and make set COLUMNS, which would narrow the tables
    foreign = {name for name in os.environ if name.startswith("DEALWRIGHT_")} - {AHEAD} | {"COLUMNS"}
    plain = {name: value for name, value in os.environ.items() if name not in foreign}
    return {**plain, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", **more}


def command(*arguments: object) -> list[str]:
    return python("-m", "cli.main", *arguments)


def in_process(*arguments: object) -> Ran:
    """Run a command in this process, which saves it from loading everything once more."""
    with CliRunner().isolation(env={"COLUMNS": None}) as (out, err, _):
        with pytest.raises(SystemExit) as ended:
            TREE.main([str(argument) for argument in arguments], prog_name="dealwright")
        sys.stdout.flush()
        sys.stderr.flush()
        return Ran(int(ended.value.code or 0), out.getvalue().decode(), err.getvalue().decode())


def dealwright(*arguments: object, timeout: float = 150, **more: str) -> Ran:
    """Run a command to its end."""
    done = subprocess.run(
        command(*arguments), capture_output=True, text=True, env=environment(**more), timeout=timeout, cwd=ROOT
    )
    return Ran(done.returncode, done.stdout, done.stderr)
