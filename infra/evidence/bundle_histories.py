"""The engine's histories of a deal for a bundle: archived runs, and of an open deal what the engine has now.

They are in clear, as an auditor replays them where our keys are not."""

import gzip
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from google.protobuf.message import DecodeError
from temporalio.api.history.v1 import History
from temporalio.client import Client
from temporalio.service import RPCError

from infra.payload_cipher import CannotDecode, PayloadCipher, opened_history
from infra.stores.archive import HistoryArchive, HistoryDamaged
from models.messages.deals import workflow_id


@dataclass(frozen=True, slots=True)
class RunHistory:
    """One run. `content` is binary protobuf with its payloads in clear; None when it can't be had, and `why` says so.
    An open run goes on after the export."""

    workflow: str
    run: str
    content: bytes | None
    is_open: bool = False
    why: str = ""

    @property
    def digest(self) -> str:
        """SHA-256 of the protobuf."""
        return hashlib.sha256(self.content or b"").hexdigest()

    def packed(self) -> bytes:
        """The protobuf as it stands in the bundle; the same history gives the same bytes."""
        return gzip.compress(self.content or b"", compresslevel=6, mtime=0)


class BundleHistories:
    """Histories from the archive, and from an engine if one is connected. `opened` counts the payloads that were
    decrypted."""

    def __init__(self, archive: HistoryArchive, client: Client | None, cipher: PayloadCipher | None = None) -> None:
        self._archive, self._client, self._cipher = archive, client, cipher
        self.opened = 0

    async def of_deal(self, deal_id: str, *, is_open: bool) -> AsyncIterator[RunHistory]:
        """The runs of a deal, the oldest first."""
        known = set()
        for row in await self._archive.of_deal(deal_id):
            known.add(row["run_id"])
            try:
                content = self._in_clear(await self._archive.load(row["workflow_id"], row["run_id"]))
                yield RunHistory(row["workflow_id"], row["run_id"], content)
            except (HistoryDamaged, CannotDecode) as damage:
                yield RunHistory(row["workflow_id"], row["run_id"], None, why=str(damage))
        if is_open or not known:
            live = await self._live(workflow_id(deal_id))
            if live.run not in known:
                yield live

    async def _live(self, workflow: str) -> RunHistory:
        if self._client is None:
            return RunHistory(workflow, "", None, is_open=True, why="the engine was not connected at the export")
        try:
            fetched = await self._client.get_workflow_handle(workflow).fetch_history()
        except RPCError as problem:
            why = f"the engine did not tell it: {problem.status.name.lower().replace('_', ' ')}"
            return RunHistory(workflow, "", None, is_open=True, why=why)
        try:
            content = self._in_clear(History(events=fetched.events).SerializeToString(deterministic=True))
        except CannotDecode as problem:
            return RunHistory(workflow, fetched.run_id, None, is_open=True, why=str(problem))
        return RunHistory(workflow, fetched.run_id, content, is_open=True)

    def _in_clear(self, content: bytes | None) -> bytes | None:
        if content is None:
            return None
        try:
            clear, opened = opened_history(content, self._cipher)
        except DecodeError:
            return content  # no history at all, but what was archived: evidence as it stands
        self.opened += opened
        return clear
