"""Drives accounts taken over on the real engine, several at once, each through its own invoices in virtual time.

An account's deal id follows from its customer, and its next step from where it stands, so an interrupted import just
goes on. Test clocks start at the real now and only run forwards: all days are shifted by the same whole weeks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from cli.exits import CommandFailed, ExitCode
from cli.hands import REST_SECONDS, Hands, patiently
from cli.imports.driving import IMPORT_POLICY, ImportBooks, deals_by_source
from cli.imports.opportunities import Dataset
from cli.imports.pipeline import CLERK, set_up
from cli.imports.receivable_steps import AccountWay, deeds, next_step
from cli.imports.receivables import OldAccount, ReceivableFile
from cli.imports.steps import Act, Done, Forward
from infra.desk.errors import DeskError, EngineDown
from infra.desk.opening import NewDeal, Opening
from infra.stores.people import Person
from infra.test_clock import TestClockError, virtual_now
from models.deal_state import Deal
from models.instants import render
from models.interest import InterestPolicy
from models.lifecycle.roles import Role
from models.messages.deals import workflow_id

KEEPER = Person("import-accounts", "Import: account manager of accounts taken over", (str(Role.ACCOUNT_MANAGER),))

RECEIVABLES_POLICY = replace(
    IMPORT_POLICY, version=f"receivables-{IMPORT_POLICY.version.removeprefix('import-')}", interest=InterestPolicy()
)
"""The policy that accounts taken over by an import pin: as the default, but nobody pays interest, because the file does
not say what was agreed about it."""

_AFTER_A_STOP = 240.0
"""Seconds that a deal of an interrupted import may need: the engine waits for what a stopped worker had begun."""
_STEPS, _STEPS_A_DEED = 20, 4


@dataclass(slots=True)
class Kept:
    """What came of one account. `problem` says why it isn't where it should be; `resumed` ones were there before."""

    account: OldAccount
    deal_id: str = ""
    deal: Deal | None = None
    problem: str = ""
    resumed: bool = False


class AccountDriver:
    """Drives accounts; one for the whole import."""

    def __init__(self, hands: Hands, file: ReceivableFile, standing: dict[str, dict[str, Any]], weeks: int) -> None:
        self._hands, self._file, self._standing, self._weeks = hands, file, standing, weeks
        self._last = max(file.days)
        desk = hands.desk
        books = ImportBooks(desk.books.database, desk.books.settings, RECEIVABLES_POLICY)
        self._opening = Opening(books, desk.engine, desk.refusals, desk.clock)

    async def drive_all(self, accounts: list[OldAccount], at_once: int, progress: Callable[[int], None]) -> list[Kept]:
        """Drive every account; the answers are in their order. `progress` counts invoices that are done with."""
        places, done = asyncio.Semaphore(at_once), 0

        async def one(account: OldAccount) -> Kept:
            nonlocal done
            async with places:
                kept = await self._keep(account)
            done += len(account.invoices)
            progress(done)
            return kept

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(account)) for account in accounts]
        return [task.result() for task in tasks]

    async def _keep(self, account: OldAccount) -> Kept:
        there = self._standing.get(account.ref)
        kept = Kept(account, there["id"] if there else "", resumed=there is not None)
        try:
            kept.deal_id = kept.deal_id or await self._open(account)
            kept.deal = await self._go_on(kept)
        except EngineDown:
            raise
        except (DeskError, TestClockError, CommandFailed) as refused:
            kept.problem = str(refused)
        return kept

    async def _open(self, account: OldAccount) -> str:
        title = f"Account of {account.customer}, days {self._weeks} weeks later"
        asked = NewDeal(
            title, account.customer, KEEPER.id, currency=self._file.currency, source_ref=account.ref, is_test=True
        )
        caller = await self._hands.caller(CLERK.id)
        answer = await patiently(lambda: self._opening.open(caller, asked, f"import:{account.ref}:open"))
        return answer.deal_id

    async def _go_on(self, kept: Kept) -> Deal:
        now = ""
        for _ in range(_STEPS + _STEPS_A_DEED * len(deeds(kept.account))):
            deal = await self._hands.settled(kept.deal_id, _AFTER_A_STOP if kept.resumed else REST_SECONDS)
            now = max(now or await self._now(deal), deal.updated_at)
            step = next_step(AccountWay(kept.account, deal, now, self._weeks, self._last, CLERK.id))
            if isinstance(step, Done):
                if not step.reached:
                    raise CommandFailed(ExitCode.REFUSED, f"the account is {deal.state} and lacks invoices of the file")
                return deal
            if isinstance(step, Forward):
                now = await self._hands.forward(deal.id, step.seconds)
            else:
                await self._act(kept, deal, step)
        raise CommandFailed(ExitCode.REFUSED, "not there after very many steps")

    async def _act(self, kept: Kept, deal: Deal, step: Act) -> None:
        caller, key = await self._hands.caller(step.user), f"import:{kept.account.ref}:{deal.version}:{step.action}"
        await patiently(lambda: self._hands.desk.act(caller, deal.id, step.action, step.payload, key, settle=True))

    async def _now(self, deal: Deal) -> str:
        """The deal's own time; only the engine knows how far a deal of an interrupted import has come."""
        if deal.version == 1 or deal.is_closed:
            return deal.updated_at
        return render(await virtual_now(self._hands.client, workflow_id(deal.id)))


async def enter(file: ReceivableFile, hands: Hands) -> None:
    """Enter the customers of the file and who acts for the import; what stands is left as it is."""
    cards = [
        {
            "id": account.customer,
            "group_id": account.customer,
            "name": f"Customer {account.customer}",
            "currency": file.currency,
            "source": "receivables",
            "country": file.countries.get(account.customer, ""),
            "owner": KEEPER.id,
        }
        for account in file.accounts
    ]
    await set_up(Dataset([], [], people=[KEEPER], customers=cards), hands.desk.books, hands.desk.clock())


async def standing_accounts(file: ReceivableFile, hands: Hands) -> dict[str, dict[str, Any]]:
    """The deals of the file's accounts that an earlier import opened, by their source."""
    refs = {account.ref for account in file.accounts}
    return {ref: row for ref, row in (await deals_by_source(hands)).items() if ref in refs}


async def weeks_of(file: ReceivableFile, hands: Hands, standing: dict[str, dict[str, Any]], asked: int) -> int:
    """By how many weeks the file's days are shifted: as an earlier import did, else as asked (0: as few as possible).

    Raises CommandFailed when that is not what was asked, or when the first day would not lie ahead.
    """
    for account in file.accounts:
        if account.ref not in standing:
            continue
        deal = await hands.settled(standing[account.ref]["id"], _AFTER_A_STOP)
        for owed in account.invoices:
            if (there := deal.receivable(owed.number)) is not None:
                weeks = (date.fromisoformat(there.issued_at[:10]) - owed.issued).days // 7
                if asked not in (0, weeks):
                    raise CommandFailed(ExitCode.USAGE, f"an earlier import shifted the days by {weeks} weeks")
                return weeks
    first, today = min(file.days), date.fromisoformat(hands.desk.clock()[:10])
    least = max(0, (today - first).days // 7 + 1)
    if asked and first + timedelta(weeks=asked) <= today:
        raise CommandFailed(
            ExitCode.USAGE,
            f"shifted by {asked} weeks the first invoice is of {first + timedelta(weeks=asked)}, which is past",
            f"test clocks run forwards only: shift by {least} weeks or more",
        )
    return asked or least
