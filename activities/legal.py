"""Activities of legal: documents."""

from temporalio import activity

from models.messages.legal import DocumentInput, DocumentResult
from models.ports import DocumentPrinter


class Legal:
    """Legal with its printer."""

    def __init__(self, printer: DocumentPrinter) -> None:
        self._printer = printer

    @activity.defn
    async def print_document(self, asked: DocumentInput) -> DocumentResult:
        """Print an offer or a contract."""
        return await self._printer.print_document(asked)
