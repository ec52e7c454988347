"""Activities of customer care: letters."""

from temporalio import activity

from models.messages.receivables import LetterInput, LetterResult
from models.ports import Mailer


class Support:
    """Customer care with its mailer."""

    def __init__(self, mailer: Mailer) -> None:
        self._mailer = mailer

    @activity.defn
    async def send_letter(self, asked: LetterInput) -> LetterResult:
        """Write a letter to the customer, once."""
        return await self._mailer.send_letter(asked)
