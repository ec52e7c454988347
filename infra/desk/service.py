"""The desk: one place where API and command line open deals, act on them, ask why, and move test clocks."""

from datetime import timedelta
from typing import Any

from temporalio.client import Client

from infra.control.counterfactual_desk import CounterfactualDesk
from infra.control.policy_desk import PolicyDesk
from infra.control.separation import Separation
from infra.control.standing_in import Deputies
from infra.db import Database
from infra.desk.acts import Acts, Ask
from infra.desk.alarm_board import AlarmBoard
from infra.desk.bank_inbox import BankInbox
from infra.desk.bank_worklist import BankWorklist
from infra.desk.books import Books
from infra.desk.callers import Caller
from infra.desk.carrier_inbox import CarrierInbox
from infra.desk.clock_moving import Moved, TestTime
from infra.desk.clocks import Clock, wall_clock
from infra.desk.credit_reading import CreditReading
from infra.desk.decoding import Decoding
from infra.desk.engine import Engine
from infra.desk.exporting import Exporting
from infra.desk.health import Health, look_after
from infra.desk.judging import ActionView, Rehearsal
from infra.desk.letter_desk import LetterDesk
from infra.desk.log_keeping import LogKeeping
from infra.desk.money_reading import MoneyReading
from infra.desk.opening import NewDeal, Opening
from infra.desk.privacy_desk import PrivacyDesk
from infra.desk.read_log import ReadLog
from infra.desk.reading import Reading, Why
from infra.desk.reconciling import Reconciling
from infra.desk.recording import RefusalBook
from infra.desk.reporting import Reporting
from infra.desk.waking import Waking
from infra.settings import Settings
from models.messages.deals import ActResult


class DealDesk:
    """Serves callers. Reads, dry runs and `why` need the database alone; acts need the engine."""

    def __init__(
        self, database: Database, client: Client | None, settings: Settings, clock: Clock = wall_clock
    ) -> None:
        self.clock = clock
        self.settings = settings
        self.books = Books(database, settings)
        self.engine = Engine(client, settings.task_queue, settings.updates_in_flight_per_deal)
        self.refusals = RefusalBook(self.books, clock)
        self._acts = Acts(self.books, self.engine, self.refusals, clock)
        self._opening = Opening(self.books, self.engine, self.refusals, clock)
        self.separation = Separation(self.books, self.refusals, clock)
        self.deputies = Deputies(self.books.deputies, self.books.people, clock)
        self.policies = PolicyDesk(self.books, self.refusals, clock)
        self.reads = ReadLog(self.books, clock)
        self.counterfactual = CounterfactualDesk(self.books, self.policies, self.reads, clock)
        self.reading = Reading(self.books, self._acts, self.reads, clock)
        self.money = MoneyReading(self.books, clock)
        self.credit = CreditReading(database)
        self.reporting = Reporting(self.books.reports, clock)
        self.carrier_inbox = CarrierInbox(self.books, self._acts, self.engine, clock)
        self.bank_inbox = BankInbox(self.books, self._acts, self.engine, self.refusals, clock)
        self.bank_worklist = BankWorklist(self.books, self._acts, self.engine, clock)
        self.alarms = AlarmBoard(self.books.alerts, clock)
        self.letters = LetterDesk(database, clock)
        self.log_keeping = LogKeeping(self.books, clock)
        self.decoding = Decoding(self.books, clock)
        self.exporting = Exporting(self.books, self.engine, clock)
        self.reconciling = Reconciling(self.books, self._acts, self.engine, clock)
        self.test_time = TestTime(self.books, self.engine)
        self.privacy = PrivacyDesk(self.books, clock)
        self.waking = Waking(self.books, self.engine)

    async def open_deal(self, caller: Caller, asked: NewDeal, key: str) -> ActResult:
        """Open a deal; the same key opens the same deal. Raises a DeskError."""
        return await self._opening.open(caller, asked, key)

    async def act(
        self,
        caller: Caller,
        deal_id: str,
        action: str,
        payload: Any,
        key: str,
        expected_version: int = 0,
        *,
        settle: bool = False,
    ) -> ActResult:
        """Carry out one act; the same key gets the same answer. Raises a DeskError, recorded as a refusal.

        With `settle` the answer waits until the departments have done what the act asked of them.
        """
        return await self._acts.act(Ask(caller, deal_id, action, payload, key, expected_version, settle))

    async def dry_run(
        self, caller: Caller, deal_id: str, action: str, payload: Any, expected_version: int = 0
    ) -> Rehearsal:
        """What would come of an act; nothing changes and nothing is recorded. Raises a DeskError."""
        return await self._acts.rehearse(Ask(caller, deal_id, action, payload, "", expected_version))

    async def actions(self, caller: Caller, deal_id: str) -> list[ActionView]:
        """Every action of the table, allowed or blocked and why. Raises NoSuch."""
        return await self.reading.actions(caller, deal_id)

    async def why(self, caller: Caller, deal_id: str, action: str = "") -> Why:
        """What the deal waits for and what blocks its actions. Raises NoSuch."""
        return await self.reading.why(caller, deal_id, action)

    async def advance_clock(self, caller: Caller, deal_id: str | None, by: timedelta) -> list[Moved]:
        """Forward a test deal's clock, or those of all open test deals. Raises a DeskError."""
        return await self.test_time.advance(caller, deal_id, by)

    async def health(self) -> Health:
        """Whether database, engine and workers answer."""
        return await look_after(self.books.database, self.engine, self.settings.task_queue)
