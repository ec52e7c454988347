"""Recorded histories of the office's workflows replay on the current code (invariant 7)."""

import gzip
from pathlib import Path

import pytest
from temporalio.api.history.v1 import History
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from infra.payloads import DATA_CONVERTER
from tests.replay.record_office import ALL, FOLDER
from worker import STRICT
from workflows.registry import WORKFLOWS

HISTORIES = sorted(FOLDER.glob("*.pb.gz"))


def test_every_workflow_has_a_recorded_history() -> None:
    assert {path.name.split(".")[0] for path in HISTORIES} == set(ALL)


def recorded(path: Path) -> History:
    """A recorded history as the engine gave it."""
    return History.FromString(gzip.decompress(path.read_bytes()))


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.name.removesuffix(".pb.gz"))
async def test_replays(path: Path) -> None:
    history = recorded(path)
    replayer = Replayer(workflows=list(WORKFLOWS), data_converter=DATA_CONVERTER, workflow_runner=STRICT)
    await replayer.replay_workflow(WorkflowHistory(path.name.split(".")[0], list(history.events)))
