"""README's first look as a newcomer follows it, in a folder where nothing is but what `make setup` made."""

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.command import ROOT, environment
from tests.cli.pages import BIN, blocks_of, follow

pytestmark = [pytest.mark.systems, pytest.mark.timeout(600)]


@contextmanager
def first_terminal(block: str, folder: Path) -> Iterator[None]:
    """The first block, until Ctrl-C: the system is up. Its `make setup` is done, as this test runs in what it made."""
    setup, *lines = block.splitlines()
    assert setup == "make setup"
    assert re.search(r"^setup:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert (BIN / "dealwright").exists(), "run `make setup` first"
    (folder / ".venv").symlink_to(BIN.parent)
    terminal = subprocess.Popen(
        ["bash", "-euc", "\n".join(lines)], cwd=folder, env=environment(), stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        assert terminal.stdout is not None
        assert "Dealwright is up" in terminal.stdout.readline()
        yield
        os.killpg(terminal.pid, signal.SIGINT)
        said = terminal.communicate(timeout=60)[1]
        assert "everything is kept for the next start" in said
        assert terminal.returncode == 0
    finally:
        if terminal.poll() is None:
            os.killpg(terminal.pid, signal.SIGKILL)
            terminal.communicate()


def test_the_first_look_goes_as_written(tmp_path: Path) -> None:
    assert shutil.which("curl"), "README's first look needs curl: install it"
    first, *second = blocks_of("README.md", "A first look")
    assert len(second) == 4
    with first_terminal(first, tmp_path):
        shown = follow(second, tmp_path, 500)
    assert shown[1].count("\n  remark") == 3
    assert "next: dealwright deal new alpenquell" in shown[1]
    assert re.search(r"done: ordering \(fulfilment\), version \d+\n", shown[2])
    assert re.search(r"D-\w{10} .* Four pumps .* completed +4,236.40 EUR +delivered +settled", shown[3])
    assert re.search(r"system +complete +-> completed", shown[3]), "by itself, two weeks after delivery"
    assert shown[3].endswith("\nsound\n")
    *answers, timeline = [json.loads(line) for line in shown[4].splitlines() if line.startswith("{")]
    assert len(answers) == 17
    assert answers[-1]["state"] == "completed"
    assert {answer["deal_id"] for answer in answers} == {timeline["deal_id"]}
    assert [entry["action"] for entry in timeline["entries"]].count("complete") == 1
