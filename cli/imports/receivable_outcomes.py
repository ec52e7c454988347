"""What came of accounts taken over, read from the books: invoices, letters, disputes, money, days late."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from cli.imports.receivable_driving import Kept
from cli.imports.receivables import ReceivableFile
from infra.db import Database
from infra.stores.letters import LetterStore
from infra.stores.receivable_reports import AsOf, ReceivableReportStore
from models.receivable_reports import Lateness
from models.visibility import EVERYTHING


@dataclass(frozen=True, slots=True)
class AccountOutcome:
    """One account as it stands in the books. Days are late ones on average and in the middle, of settled invoices."""

    kept: Kept
    letters: Counter[str]
    lateness: Lateness | None

    @property
    def problem(self) -> str:
        """Why the account is not as its rows say; empty when it is."""
        if self.kept.problem or self.kept.deal is None:
            return self.kept.problem or "the deal was not opened"
        wrong = [
            owed.number for owed in self.kept.account.invoices if self._open(owed.number) != (owed.settled is None)
        ]
        return f"not as the file says: {', '.join(wrong[:5])}" if wrong else ""

    def plain(self) -> dict[str, Any]:
        """The account for programs."""
        receivables = self.kept.deal.receivables if self.kept.deal else ()
        return {
            "customer": self.kept.account.customer,
            "deal": self.kept.deal_id,
            "state": str(self.kept.deal.state) if self.kept.deal else "",
            "invoices": len(receivables),
            "disputes": sum(len(owed.disputes) for owed in receivables),
            "invoiced_minor": sum(owed.total_minor for owed in receivables),
            "paid_minor": sum(owed.paid_minor for owed in receivables),
            "open_minor": sum(owed.open_minor for owed in receivables),
            "letters": dict(sorted(self.letters.items())),
            "average_days_late": self.lateness.average_days if self.lateness else None,
            "median_days_late": self.lateness.median_days if self.lateness else None,
            "problem": self.problem,
        }

    def _open(self, number: str) -> bool | None:
        there = self.kept.deal.receivable(number) if self.kept.deal else None
        return not there.is_settled if there else None


@dataclass(frozen=True, slots=True)
class Outcomes:
    """All accounts of an import, and what they wrote and did together."""

    accounts: list[AccountOutcome]
    moves: int

    @property
    def problems(self) -> list[str]:
        """Accounts that are not as their rows say."""
        return [f"{each.kept.account.customer}: {each.problem}" for each in self.accounts if each.problem]

    def plain(self) -> dict[str, Any]:
        """All of it for programs."""
        accounts = [each.plain() for each in self.accounts]
        sums = ("invoices", "disputes", "invoiced_minor", "paid_minor", "open_minor")
        letters = sum((each.letters for each in self.accounts), Counter[str]())
        return {
            **{name: sum(each[name] for each in accounts) for name in sums},
            "letters": dict(sorted(letters.items())),
            "moves": self.moves,
            "problems": self.problems,
            "accounts": accounts,
        }


async def outcomes_of(file: ReceivableFile, kept: list[Kept], weeks: int, database: Database) -> Outcomes:
    """Read the books at the end of everything that happened."""
    letters = await LetterStore(database).kinds([each.deal_id for each in kept if each.deal_id])
    day = (max(file.days) + timedelta(weeks=weeks + 1)).isoformat()
    asked = AsOf(day, EVERYTHING, file.currency, test_deals=True)
    late, _ = await ReceivableReportStore(database).lateness(asked)
    by_customer = {each.customer: each for each in late}
    accounts = [
        AccountOutcome(each, letters.get(each.deal_id, Counter()), by_customer.get(each.account.customer))
        for each in kept
    ]
    return Outcomes(accounts, sum(each.deal.version for each in kept if each.deal))
