"""Letters to customers: a file each in the outbox folder, and a row that waits for whoever dispatches it."""

from functools import partial
from pathlib import Path

from sqlalchemy import Connection, insert

from infra.db import Database
from infra.gateways import checked
from infra.gateways.addressee import addressee
from infra.gateways.once import answered, once
from infra.gateways.paper_files import digest_of, file_stem, keep
from infra.gateways.wording import letter, letter_wording
from models.messages.receivables import LetterInput, LetterResult
from models.tables.papers import LetterRow

_ACT = "letters.send"


class OutboxMailer:
    """The port Mailer: files in a folder, and a row each in our database."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._folder = folder

    async def send_letter(self, asked: LetterInput) -> LetterResult:
        """Write a letter in the customer's language, or in English. Raises ValueError for a kind without a text.

        The file is named after the effect key and the first one written stands, so a crash between the file and
        the row, or two senders at once, leave one letter whose digest is the row's.
        """
        checked.instant(asked.at)
        done = await answered(self._database, asked.effect_key, _ACT, LetterResult)
        if done is not None:
            return done
        to = await addressee(self._database, asked.customer_id)
        words = letter_wording(asked.kind, to.language)
        head = {"date": asked.at[:10], "to": to.name, "reference": asked.deal_id}
        name = f"{file_stem(asked.deal_id, asked.kind, digest_of(asked.effect_key.encode())[:12])}.txt"
        digest = await keep(self._folder, name, letter(words, asked.kind, head, asked.facts))
        work = partial(_note, asked, words.language, LetterResult(name, digest))
        return await once(self._database, asked.effect_key, _ACT, LetterResult, work)


def _note(asked: LetterInput, language: str, result: LetterResult, connection: Connection) -> LetterResult:
    row = {
        "effect_key": asked.effect_key,
        "deal_id": asked.deal_id,
        "customer_id": asked.customer_id,
        "kind": asked.kind,
        "language": language,
        "name": result.name,
        "digest": result.digest,
        "at": asked.at,
        "dispatched_at": "",
    }
    connection.execute(insert(LetterRow), row)
    return result
