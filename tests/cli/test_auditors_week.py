"""docs/auditors-week.md as a reader follows it. It takes two minutes: `make auditors-week`, which CI calls."""

import re
from pathlib import Path

import pytest

from tests.cli.command import ROOT, dealwright
from tests.cli.pages import blocks_of, follow


@pytest.mark.soak
@pytest.mark.timeout(1_000)
def test_the_auditors_week_goes_as_written(tmp_path: Path) -> None:
    """Every block of docs/auditors-week.md, in one shell, on the folder that the demo leaves."""
    blocks = blocks_of("docs/auditors-week.md")
    assert len(blocks) >= 10
    week, desk = tmp_path / "week", tmp_path / "audit"
    demo = dealwright("--data", week, "demo", "-q", timeout=500)
    assert demo.code == 0, demo.err + demo.out[-3000:]
    desk.mkdir()
    said = follow(blocks, desk, 400, DEALWRIGHT_DATA_DIR=str(week), VERIFIER=str(ROOT / "verify_bundle.py"))
    assert re.search(r"\bsound\b", said[1])
    assert "SOUND" in said[4]
    assert "TAMPERED" in said[5]
    assert "exit code 1" in said[5]
    assert "0 different" in said[6]
    assert "exit code" in said[8], "nobody approves their own draft"
    assert "SOUND" in said[10]
    assert "ada" in said[11]
