"""Decodes payloads of the engine's store for auditors. Each time is attested in the audit log before the answer."""

import hashlib
from collections.abc import Sequence
from typing import Any

from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from temporalio.api.common.v1 import Payload, Payloads

from infra.desk.books import Books
from infra.desk.callers import Caller
from infra.desk.clocks import Clock
from infra.desk.errors import Invalid
from infra.payload_cipher import CannotDecode, PayloadCipher, is_encrypted, opened_history
from infra.payloads import cipher_of
from infra.stores.archive import HistoryDamaged
from models.lifecycle.roles import Role

DECODERS = frozenset({Role.AUDITOR})
"""Who may read the engine's store in clear: it holds every deal's prices, so nobody with a narrower view."""


class Decoding:
    """The installation's cipher behind authorisation and the audit log."""

    def __init__(self, books: Books, clock: Clock) -> None:
        self._books, self._clock = books, clock

    async def decode(self, caller: Caller, asked: dict[str, Any], namespace: str = "") -> dict[str, Any]:
        """Payloads in the JSON form of Temporal's remote codecs, in clear. Raises WrongRole and Invalid."""
        caller.require("decoding payloads", DECODERS)
        try:
            payloads = list(ParseDict(asked, Payloads()).payloads)
        except ParseError as problem:
            raise Invalid({"payloads": f"not the JSON of payloads: {str(problem)[:200]}"}) from None
        cipher = self._cipher()
        try:
            # markers of the engine itself are in clear: there is nothing to open, nor to refuse a reader
            opened = [cipher.opened(each) if is_encrypted(each) else each for each in payloads] if cipher else payloads
        except CannotDecode as problem:
            raise Invalid({"payloads": str(problem)}) from None
        await self._attest(caller, "payloads", {"namespace": namespace, **_told(payloads)})
        told: dict[str, Any] = MessageToDict(Payloads(payloads=opened))
        return told

    async def history(self, caller: Caller, deal_id: str, run_id: str, history: bytes) -> bytes:
        """An archived history of a deal, which the caller may see, in clear. Raises WrongRole and HistoryDamaged."""
        caller.require("decoding histories", DECODERS)
        try:
            clear, opened = opened_history(history, self._cipher())
        except CannotDecode as problem:
            raise HistoryDamaged(f"the history of run {run_id}: {problem}") from None
        digest = hashlib.sha256(history).hexdigest()
        await self._attest(caller, deal_id, {"run": run_id, "payloads": opened, "digest": digest})
        return clear

    def _cipher(self) -> PayloadCipher | None:
        return cipher_of(self._books.settings)

    async def _attest(self, caller: Caller, ref: str, what: dict[str, Any]) -> None:
        at = self._clock()
        body = {"by": caller.user, "credential": caller.credential, "at": at, **what}
        await self._books.audit.append("decode", ref, body, at)


def _told(payloads: Sequence[Payload]) -> dict[str, Any]:
    """What is attested of payloads: how many, and the digest of what came, so that the very ones can be found again."""
    digest = hashlib.sha256()
    for payload in payloads:
        digest.update(hashlib.sha256(payload.data).digest())
    return {"payloads": len(payloads), "digest": digest.hexdigest()}
