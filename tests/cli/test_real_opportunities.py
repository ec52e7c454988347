"""The main job on real input: a published pipeline, read whole, and its first rows driven on the real engine."""

import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

from cli.imports.maven import read_folder
from cli.imports.opportunities import Outcome
from infra.system_state import running_system
from tests.cli.command import REAL_DATA, ROOT, command, dealwright, environment, in_process

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not REAL_DATA.is_dir(), reason="the folder shared/data/opportunities is absent"),
]

ROWS = 24


def test_every_row_is_accounted_for() -> None:
    dataset = read_folder(REAL_DATA)
    for report in dataset.reports:
        assert report.rows == report.imported + report.repaired + report.refused > 0
        assert all(found.line > 1 and found.reason for found in report.findings)
    pipeline = dataset.reports[-1]
    lines = sum(1 for line in (REAL_DATA / "sales_pipeline.csv").read_text().splitlines()[1:] if line.strip())
    assert pipeline.rows == lines
    assert len(dataset.opportunities) == pipeline.imported + pipeline.repaired
    assert len({row.ref for row in dataset.opportunities}) == len(dataset.opportunities)
    outcomes = Counter(row.outcome for row in dataset.opportunities)
    assert set(outcomes) == set(Outcome)
    assert sum(dataset.stock.values()) == outcomes[Outcome.WON]


@pytest.mark.systems
@pytest.mark.timeout(300)
def test_the_first_rows_are_driven_to_their_ends(tmp_path: Path) -> None:
    arguments = ("--data", tmp_path, "import", "opportunities", REAL_DATA, "--drive", "--limit", 6)
    told = in_process(*arguments)
    assert told.code == 0, told.err
    assert "full report:" in told.out
    again = in_process(*arguments, "-o", "json").json
    assert (again["rows"], again["opened"], again["found"], again["funnel"]["equal"]) == (6, 0, 6, True)


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_an_interrupted_import_goes_on_without_doubling(tmp_path: Path) -> None:
    """Ctrl-C in the middle, then the whole again: equal funnels, every row once, and the evidence holds."""
    arguments = ("--data", tmp_path, "import", "opportunities", REAL_DATA, "--drive", "--limit", ROWS, "-o", "json")
    first = subprocess.Popen(
        command(*arguments), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment(), cwd=ROOT
    )
    give_up_at = time.monotonic() + 150
    while closed_deals(tmp_path) < 4 and time.monotonic() < give_up_at:
        time.sleep(0.5)
    first.send_signal(signal.SIGINT)
    _, complaints = first.communicate(timeout=60)
    assert first.returncode == 130, complaints
    assert "Traceback" not in complaints
    assert running_system(tmp_path) is None

    second = dealwright(*arguments, timeout=400)
    assert second.code == 0, second.err + second.out[-3000:]
    told = second.json
    assert told["funnel"]["equal"]
    assert told["rows"] == ROWS == told["opened"] + told["found"]
    assert told["found"] >= 4

    third = dealwright(*arguments, timeout=200).json
    assert (third["opened"], third["found"]) == (0, ROWS)
    deals = in_process("--data", tmp_path, "deal", "list", "-o", "json", "--limit", 200).json["deals"]
    assert len(deals) == len({deal["source_ref"] for deal in deals}) == ROWS
    for check in (("audit", "verify"), ("audit", "rebuild", "--check"), ("stock", "verify")):
        assert in_process("--data", tmp_path, *check).code == 0, check


def closed_deals(folder: Path) -> int:
    """How many deals of a folder are done by now."""
    if not (folder / "dealwright.db").exists():
        return 0
    listed = in_process("--data", folder, "deal", "list", "--state", "completed", "-o", "json")
    return len(listed.json["deals"]) if listed.code == 0 else 0
