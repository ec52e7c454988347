"""The three replays of recorded deals on whatever code stands first on the path.

Prints what each replay found, as JSON. Run by `test_mutations.py` on copies of the code in which something was changed.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHistory

from cli.replaying_engine import EngineReplay, compare
from infra.payloads import DATA_CONVERTER
from models import codec
from models.policy import Policy
from models.rejudging import rejudge
from models.replaying import Difference, fold_problems
from tests.replay.kept import Played, read


async def replayed(deals: list[Played], policies: dict[str, Policy]) -> list[Difference]:
    """Everything that the three replays find on some deals."""
    found: list[Difference] = []
    for deal in deals:
        found += fold_problems(deal.deal_id, deal.entries, deal.standing)
        found += rejudge(deal.deal_id, deal.entries, policies).differences

    async def histories() -> AsyncIterator[WorkflowHistory]:
        for deal in deals:
            for history in deal.histories:
                yield history

    runs = {run.run_id: run async for run in EngineReplay(DATA_CONVERTER).replay(histories())}
    for deal in deals:
        mine = [runs[history.run_id] for history in deal.histories]
        found += compare(deal.deal_id, mine, deal.entries, policies).differences
    return found


def main(folder: Path, bodies: Path) -> list[dict[str, Any]]:
    """The findings on all deals of a folder, under the policies of a file."""
    policies = {version: codec.decode(Policy, body) for version, body in json.loads(bodies.read_text()).items()}
    deals = [read(each) for each in sorted(folder.iterdir())]
    return [codec.encode(each) for each in asyncio.run(replayed(deals, policies))]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(*map(Path, sys.argv[1:]))))
