"""Deals that were played, kept in a folder: timeline, the deal that stands, histories.

Loads little, so that programs on changed code start soon.
"""

import gzip
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from temporalio.api.history.v1 import History
from temporalio.client import WorkflowHistory

from models.timeline import Entry, entry_hash


@dataclass(frozen=True, slots=True)
class Played:
    """One deal with everything that a replay reads of it."""

    deal_id: str
    entries: list[Entry]
    standing: dict[str, Any]
    histories: list[WorkflowHistory]

    def write(self, folder: Path) -> None:
        """Keep it in a folder of its own."""
        folder.mkdir(parents=True)
        plain = {"entries": [asdict(entry) for entry in self.entries], "standing": self.standing}
        (folder / "records.json").write_text(json.dumps(plain))
        for number, history in enumerate(self.histories):
            body = History(events=history.events).SerializeToString()
            (folder / f"{number}.pb.gz").write_bytes(gzip.compress(body, 1))


def read(folder: Path) -> Played:
    """What `write` kept."""
    plain = json.loads((folder / "records.json").read_text())
    histories = [
        WorkflowHistory(f"deal-{folder.name}", list(History.FromString(gzip.decompress(file.read_bytes())).events))
        for file in sorted(folder.glob("*.pb.gz"))
    ]
    entries = [Entry(**entry) for entry in plain["entries"]]
    return Played(folder.name, entries, plain["standing"], histories)


def forged(deal: Played, sequence: int, **changes: Any) -> Played:
    """The deal as a forger of our tables leaves it: one entry changed, and every hash after it made good again, so
    that the chain is sound."""
    chained: list[Entry] = []
    for entry in deal.entries:
        changed = replace(entry, **changes) if entry.sequence == sequence else entry
        linked = replace(changed, previous_hash=chained[-1].hash if chained else entry.previous_hash)
        chained.append(replace(linked, hash=entry_hash(linked)))
    return replace(deal, entries=chained, standing={**deal.standing, "last_hash": chained[-1].hash})
