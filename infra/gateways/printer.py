"""Documents printed as text files that never change afterwards; the digest says which one it was."""

from functools import partial
from pathlib import Path

from sqlalchemy import Connection, insert

from infra.db import Database
from infra.gateways import checked
from infra.gateways.addressee import addressee
from infra.gateways.once import answered, once
from infra.gateways.paper_files import digest_of, file_stem, keep
from infra.gateways.wording import document, document_wording
from models.messages.legal import DocumentInput, DocumentResult
from models.tables.papers import DocumentRow

_ACT = "documents.print"


class FilePrinter:
    """The port DocumentPrinter: files in a folder, and a row each in our database."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._folder = folder

    async def print_document(self, asked: DocumentInput) -> DocumentResult:
        """Print an `offer` or `contract` in the `language` of its facts, or else that of the customer's card.

        The file is named after its content, so printing again after a crash gives the same file.
        Raises ValueError for other kinds.
        """
        checked.instant(asked.at)
        done = await answered(self._database, asked.effect_key, _ACT, DocumentResult)
        if done is not None:
            return done
        text = await self._text(asked)
        stem = file_stem(asked.deal_id, asked.kind, f"v{asked.version}", digest_of(text.encode())[:12])
        digest = await keep(self._folder, f"{stem}.txt", text)
        result = DocumentResult(f"{stem}.txt", digest)
        # the file is durable before the row that promises it
        return await once(self._database, asked.effect_key, _ACT, DocumentResult, partial(_note, asked, result))

    async def _text(self, asked: DocumentInput) -> str:
        to = await addressee(self._database, asked.customer_id)
        facts = dict(asked.facts)
        words = document_wording(asked.kind, facts.pop("language", "") or to.language)
        head = {"date": asked.at[:10], "to": to.name, "reference": asked.deal_id, "version": str(asked.version)}
        return document(words, asked.kind, head, facts)


def _note(asked: DocumentInput, result: DocumentResult, connection: Connection) -> DocumentResult:
    row = {
        "effect_key": asked.effect_key,
        "deal_id": asked.deal_id,
        "kind": asked.kind,
        "version": asked.version,
        "name": result.name,
        "digest": result.digest,
        "at": asked.at,
    }
    connection.execute(insert(DocumentRow), row)
    return result
