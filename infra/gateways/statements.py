"""The port Reconciler: statements of account out of our own ledger, sent as letters."""

from structlog import get_logger

from infra.db import Database
from infra.stores.pages import Row
from infra.stores.reconciliations import ReconciliationStore
from models.messages.receivables import LetterInput
from models.messages.reconciliation import DeadlinesInput, Reminded, StatementsInput, StatementsWritten
from models.ports import Mailer
from models.reconciliation import Statement, check_ended, letter_facts, lines_of

LETTER = "statement"

log = get_logger()


class SqlReconciler:
    """Opens reconciliations and writes their letters. Several may run at once."""

    def __init__(self, database: Database, mailer: Mailer, answer_days: int) -> None:
        self._store = ReconciliationStore(database)
        self._mailer = mailer
        self._answer_days = answer_days

    async def write_statements(self, asked: StatementsInput) -> StatementsWritten:
        """Write the next customers' statements. Raises WrongMonth.

        A statement is what stood when its reconciliation was opened: who goes on after a crash writes that very one.
        A rehearsal may be about a month that has not ended, as test deals live ahead of their time.
        """
        if not asked.test_deals:
            check_ended(asked.month, asked.now)
        batch = (asked.month, asked.now, asked.test_deals, asked.after, asked.limit)
        rows, after = await self._store.begin(*batch, self._answer_days)
        written = 0
        for row in rows:
            written += await self._write(row, asked.now)
        return StatementsWritten(written, after)

    async def ring_unanswered(self, asked: DeadlinesInput) -> Reminded:
        """Tell people of statements that nobody has answered in time."""
        return Reminded(await self._store.ring_unanswered(asked.now))

    async def _write(self, row: Row, now: str) -> bool:
        letter = LetterInput(
            row["letter_key"], row["reference"], row["customer_id"], LETTER, facts_of(row), row["sent_at"]
        )
        try:
            done = await self._mailer.send_letter(letter)
        except ValueError as problem:  # one statement that can't be written must not keep back all the others
            log.error("statement_not_written", reconciliation=row["id"], problem=type(problem).__name__)
            await self._store.ring_unwritten(row["id"], now)
            return False
        return await self._store.note_letter(row["id"], done.name, done.digest)


def facts_of(row: Row) -> dict[str, str]:
    """What the letter of a reconciliation says."""
    lines = lines_of(row["lines"])
    statement = Statement(row["customer_id"], row["currency"], row["month"], lines, row["credit_minor"])
    return letter_facts(statement, row["deadline"][:10])
