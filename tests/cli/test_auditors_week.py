"""docs/auditors-week.md as a reader follows it. It takes two minutes: `make auditors-week`, which CI calls."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import ROOT, dealwright, environment


@pytest.mark.soak
@pytest.mark.timeout(1_000)
def test_the_auditors_week_goes_as_written(tmp_path: Path) -> None:
    """Every block of docs/auditors-week.md, in one shell, on the folder that the demo leaves."""
    page = (ROOT / "docs" / "auditors-week.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    assert len(blocks) >= 10
    week, desk = tmp_path / "week", tmp_path / "audit"
    demo = dealwright("--data", week, "demo", "-q", timeout=500)
    assert demo.code == 0, demo.err + demo.out[-3000:]
    desk.mkdir()
    script = "".join(f"echo '=== block {number}'\n{block}" for number, block in enumerate(blocks, start=1))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    variables = environment(DEALWRIGHT_DATA_DIR=str(week), VERIFIER=str(ROOT / "verify_bundle.py"), PATH=path)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], cwd=desk, env=variables, capture_output=True, text=True, timeout=400
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    shown = re.split(r"^=== block \d+$", done.stdout, flags=re.MULTILINE)[1:]
    said = dict(enumerate(shown, start=1))
    assert re.search(r"\bsound\b", said[1])
    assert "SOUND" in said[4]
    assert "TAMPERED" in said[5]
    assert "exit code 1" in said[5]
    assert "0 different" in said[6]
    assert "exit code" in said[8], "nobody approves their own draft"
    assert "SOUND" in said[10]
    assert "ada" in said[11]
