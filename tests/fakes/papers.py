"""A mailer and a printer in memory."""

import hashlib

from infra.gateways.wording import document_wording, letter_wording
from models.messages.legal import DocumentInput, DocumentResult
from models.messages.receivables import LetterInput, LetterResult
from tests.fakes.recorded import Recorded


def _digest(asked: DocumentInput | LetterInput) -> str:
    return hashlib.sha256(repr(asked).encode()).hexdigest()


class FakeMailer(Recorded):
    """The port Mailer in memory: `letters` by effect key. It refuses the kinds that the real one refuses."""

    def __init__(self) -> None:
        super().__init__()
        self.letters: dict[str, LetterInput] = {}

    async def send_letter(self, asked: LetterInput) -> LetterResult:
        letter_wording(asked.kind, "en")
        return self._act("send_letter", asked, lambda: self._send(asked), asked.effect_key)

    def sent(self, deal_id: str) -> list[str]:
        """The kinds of the letters of a deal, in the order in which they were sent."""
        return [letter.kind for letter in self.letters.values() if letter.deal_id == deal_id]

    def _send(self, asked: LetterInput) -> LetterResult:
        self.letters[asked.effect_key] = asked
        return LetterResult(f"{asked.deal_id}-{asked.kind}-{len(self.letters)}.txt", _digest(asked))


class FakePrinter(Recorded):
    """The port DocumentPrinter in memory: `documents` by effect key."""

    def __init__(self) -> None:
        super().__init__()
        self.documents: dict[str, DocumentInput] = {}

    async def print_document(self, asked: DocumentInput) -> DocumentResult:
        document_wording(asked.kind, "en")
        return self._act("print_document", asked, lambda: self._print(asked), asked.effect_key)

    def _print(self, asked: DocumentInput) -> DocumentResult:
        self.documents[asked.effect_key] = asked
        return DocumentResult(f"{asked.deal_id}-{asked.kind}-v{asked.version}.txt", _digest(asked))
