"""Letters to customers: a text and a PDF in the outbox folder, and a row that waits for the dispatcher."""

from functools import partial
from pathlib import Path

from sqlalchemy import Connection, insert

from infra.db import Database
from infra.gateways import checked
from infra.gateways.addressee import addressee
from infra.gateways.letter_page import letter_page
from infra.gateways.letter_pdf import Letterhead, letter_pdf
from infra.gateways.letter_states import LetterState
from infra.gateways.letter_text import page_text
from infra.gateways.once import answered, once
from infra.gateways.paper_files import digest_of, file_stem, keep
from infra.gateways.wording import letter_wording
from models.messages.receivables import LetterInput, LetterResult
from models.tables.papers import LetterRow

_ACT = "letters.send"
_NOBODY = Letterhead()


class OutboxMailer:
    """The port Mailer: two files in a folder, and a row each in our database. The result names the PDF."""

    def __init__(self, database: Database, folder: Path, letterhead: Letterhead = _NOBODY) -> None:
        self._database = database
        self._folder = folder
        self._letterhead = letterhead

    async def send_letter(self, asked: LetterInput) -> LetterResult:
        """Write a letter in the customer's language, or in English. Raises ValueError for a kind without a text and
        for typed facts that are not what their names say.

        The files are named after the effect key and the first ones written stand, so a crash between files and row,
        or two senders at once, leave one letter whose digests are the row's.
        """
        checked.instant(asked.at)
        done = await answered(self._database, asked.effect_key, _ACT, LetterResult)
        if done is not None:
            return done
        to = await addressee(self._database, asked.customer_id)
        words = letter_wording(asked.kind, to.language)
        head = {"date": asked.at[:10], "to": to.name, "reference": asked.deal_id}
        page = letter_page(words, asked.kind, head, asked.facts)
        stem = file_stem(asked.deal_id, asked.kind, digest_of(asked.effect_key.encode())[:12])
        pdf = await letter_pdf(page, asked.at[:10], self._letterhead)
        text_digest = await keep(self._folder, f"{stem}.txt", page_text(page))
        result = LetterResult(f"{stem}.pdf", await keep(self._folder, f"{stem}.pdf", pdf))
        row = {
            "effect_key": asked.effect_key,
            "deal_id": asked.deal_id,
            "customer_id": asked.customer_id,
            "kind": asked.kind,
            "language": words.language,
            "name": result.name,
            "digest": result.digest,
            "at": asked.at,
            "dispatched_at": "",
            "text_digest": text_digest,
            "subject": page.title,
            "state": LetterState.WAITING.value,
            "queued_at": asked.at,
        }
        return await once(self._database, asked.effect_key, _ACT, LetterResult, partial(_note, row, result))


def _note(row: dict[str, str], result: LetterResult, connection: Connection) -> LetterResult:
    connection.execute(insert(LetterRow), row)
    return result
