"""Which Python `make` takes: python3.11, else the newest of those named that starts; what it says when none does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

FIND = Path(__file__).resolve().parents[2] / ".ci" / "find-python"


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """A folder of programs, which is all that the PATH has."""
    return tmp_path


def put(shelf: Path, name: str, version: tuple[int, int] | None) -> None:
    """A Python of a version, as far as it is asked for one; a stand-in that does not start without one."""
    answer = f"exit {int(version < (3, 11))}" if version else "echo 'command not found' >&2; exit 127"
    program = shelf / name
    program.write_text(f"#!/bin/sh\n{answer}\n", encoding="utf-8")
    program.chmod(0o755)


def found(shelf: Path, given: str = "") -> tuple[int, str]:
    done = subprocess.run(["/bin/sh", FIND, given], env={"PATH": str(shelf)}, capture_output=True, text=True)
    return done.returncode, (done.stdout or done.stderr).strip()


def test_the_one_that_we_are_developed_on_goes_first_then_the_newest(shelf: Path) -> None:
    put(shelf, "python3", (3, 12))
    assert found(shelf) == (0, "python3")
    put(shelf, "python3.12", (3, 12))
    put(shelf, "python3.14", (3, 14))
    assert found(shelf) == (0, "python3.14")
    put(shelf, "python3.11", (3, 11))
    assert found(shelf) == (0, "python3.11")


def test_what_does_not_start_or_is_too_old_is_passed_over(shelf: Path) -> None:
    put(shelf, "python3.11", None)
    put(shelf, "python3.14", None)
    put(shelf, "python3", (3, 9))
    code, told = found(shelf)
    assert (code, told.splitlines()[-1].split(":")[0]) == (1, "no Python 3.11 or newer is on the PATH")
    put(shelf, "python3.13", (3, 13))
    assert found(shelf) == (0, "python3.13")


def test_the_one_that_was_named_is_taken_or_refused_by_its_name(shelf: Path) -> None:
    put(shelf, "python3.11", (3, 11))
    put(shelf, "mine", (3, 12))
    put(shelf, "old", (3, 10))
    assert found(shelf, "mine") == (0, "mine")
    assert found(shelf, "old")[0] == found(shelf, "absent")[0] == 1
    assert "PYTHON=old" in found(shelf, "old")[1]


def test_a_real_one_is_asked_for_its_version() -> None:
    done = subprocess.run([FIND, sys.executable], capture_output=True, text=True, env=dict(os.environ), check=True)
    assert done.stdout.strip() == sys.executable
