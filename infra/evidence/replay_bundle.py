"""Reads what replays look at out of an auditor's bundle, which needs neither our database nor the engine."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from infra.evidence.bundle_reading import BundledDeal, read_bundle
from infra.evidence.replay_cases import ReplayCase, policies_of, refused_act
from infra.payload_cipher import ENCRYPTED
from infra.stores.archive import HistoryDamaged
from infra.stores.pages import Row
from models.policy import Policy


class BundleCases:
    """Deals of a bundle. Raises BundleUnreadable and FileNotFoundError when it is made, and when it is read."""

    def __init__(self, file: Path) -> None:
        self._reader = read_bundle(file)
        self._histories: dict[str, bytes] = {}

    @property
    def is_encrypted(self) -> bool:
        """Whether its histories are encrypted, as those of an installation mostly are: the first of each deal tells."""
        return any(ENCRYPTED in run.content for deal in self._reader.deals() for run in deal.histories[:1])

    def deal_ids(self) -> list[str]:
        """The deals in it."""
        return sorted(self._reader.deal_ids)

    async def read(self, deals: Sequence[str]) -> list[ReplayCase]:
        """Some of its deals. Raises LookupError for one that is not in it."""
        found = await asyncio.to_thread(lambda: [self._reader.deal(deal) for deal in deals])
        self._histories = {run.run_id: run.content for deal in found for run in deal.histories}
        return [_case(deal) for deal in found]

    async def history(self, row: Row) -> bytes:
        """A history of the deals that were read last. Raises HistoryDamaged."""
        content = self._histories.get(row["run_id"])
        if content is None:
            raise HistoryDamaged(f"the history of run {row['run_id']} is not in the bundle")
        return content

    async def policies(self) -> dict[str, Policy]:
        """The policies in it, by version."""
        return policies_of({version: policy.body for version, policy in self._reader.policies().items()})


def _case(deal: BundledDeal) -> ReplayCase:
    rows: list[Row] = [{"workflow_id": run.workflow_id, "run_id": run.run_id} for run in deal.histories]
    refusals = [refused_act(each) for each in deal.refusals]
    return ReplayCase(deal.deal_id, deal.entries, None, False, refusals, rows, beside=False)
