"""Every timeout and retry of the deal's workflow, in one place.

Quick work on our own database runs as local activities (half the latency of regular ones, measured); printing
and mailing, which may one day be slow and foreign, runs as regular activities.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import FailureError

from activities.control import Control
from activities.evidence import Evidence
from activities.finance import Finance
from activities.legal import Legal
from activities.logistics import Logistics
from activities.post_room import PostRoom
from activities.receivables import Receivables
from activities.reconciliation import Reconciliation
from activities.records import Records
from activities.sales import Sales
from activities.support import Support
from models.effects import Request
from models.messages.control import PolicyInput, PolicyResult
from models.messages.evidence import Checkpointed, EvidenceInput, HandedOver
from models.messages.finance import (
    BrokenPromiseInput,
    GroupHoldInput,
    GroupHolds,
    GroupHoldsInput,
    HeadroomInput,
    HeadroomReleaseInput,
    HeadroomResult,
    ReliabilityInput,
)
from models.messages.legal import DocumentInput
from models.messages.logistics import CarriageInput, ReleaseInput, ReserveInput, ReturnInput, ShipInput
from models.messages.post import Dispatched, DispatchInput
from models.messages.receivables import (
    InvoiceInput,
    LedgerEntryInput,
    LegacyNumberInput,
    LegacyNumberResult,
    LetterInput,
)
from models.messages.reconciliation import (
    WRONG_MONTH,
    DeadlinesInput,
    Reminded,
    StatementsInput,
    StatementsWritten,
)
from models.messages.records import (
    CONFLICT,
    ArchiveInput,
    ArchiveResult,
    RecordInput,
    StandingInput,
    StandingResult,
)
from models.messages.sales import GrantedDiscountInput, QuoteInput, QuoteResult

R = TypeVar("R")

UNTIL_DONE = RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(minutes=1))
ONCE = RetryPolicy(maximum_attempts=1)
A_FEW_TIMES = RetryPolicy(initial_interval=timedelta(milliseconds=100), maximum_attempts=4)
UNTIL_DONE_OR_CONFLICT = replace(UNTIL_DONE, non_retryable_error_types=[CONFLICT])
UNTIL_DONE_OR_WRONG_MONTH = replace(UNTIL_DONE, non_retryable_error_types=[WRONG_MONTH])
AT_ONCE = timedelta(seconds=3)
QUICK = timedelta(seconds=20)
SLOW = timedelta(seconds=30)
"""Also how long a deal waits for a paper whose printer was killed, as nobody else notices that it is gone."""

BEATS = timedelta(minutes=1)
"""After this long without a heartbeat a worker is taken for dead."""

POSTING = timedelta(hours=1)
"""A batch of letters to a mail server that takes as long as it may for each of them."""

WRITING = timedelta(minutes=30)
"""A batch of statements on a busy machine."""

LOCAL: dict[type[Any], Callable[..., Any]] = {
    ReliabilityInput: Finance.assess_reliability,
    HeadroomReleaseInput: Finance.release_headroom,
    BrokenPromiseInput: Finance.note_broken_promise,
    GroupHoldInput: Finance.hold_group,
    GrantedDiscountInput: Sales.note_granted,
    ReserveInput: Logistics.reserve_lines,
    ReleaseInput: Logistics.release_lines,
    ShipInput: Logistics.ship_lines,
    ReturnInput: Logistics.take_back_lines,
    CarriageInput: Logistics.book_carriage,
    InvoiceInput: Receivables.issue_invoice,
    LedgerEntryInput: Receivables.book_entry,
}

REGULAR: dict[type[Any], Callable[..., Any]] = {
    DocumentInput: Legal.print_document,
    LetterInput: Support.send_letter,
}


PERHAPS_ABROAD = (ReserveInput, ReleaseInput, ShipInput, ReturnInput, CarriageInput)
"""Questions to the stock book and the carrier, which may be foreign systems behind HTTP."""


async def perform(asked: Request) -> object:
    """Ask a department to carry an effect out; tried until it answers.

    Stock book and carrier are asked once as a local activity, which is quick while they are our own. A local activity
    keeps its workflow task while it tries again, so that a foreign system that is silent would keep other deals from
    their turns (measured): what did not succeed at once goes on as a regular activity under the same effect key.
    """
    local = LOCAL.get(type(asked))
    if local is not None and isinstance(asked, PERHAPS_ABROAD):
        with suppress(FailureError):  # which comes bare or wrapped from a local activity
            return await workflow.execute_local_activity_method(
                local, asked, start_to_close_timeout=AT_ONCE, retry_policy=ONCE
            )
        return await workflow.execute_activity_method(
            local, asked, start_to_close_timeout=SLOW, retry_policy=UNTIL_DONE
        )
    if local is not None:
        return await workflow.execute_local_activity_method(
            local, asked, start_to_close_timeout=QUICK, retry_policy=UNTIL_DONE
        )
    return await workflow.execute_activity_method(
        REGULAR[type(asked)], asked, start_to_close_timeout=SLOW, retry_policy=UNTIL_DONE
    )


async def wake_waiting() -> None:
    """Have deals told that freed goods were set aside for them; asked once, as they ask by themselves later on."""
    with suppress(FailureError):
        await workflow.execute_activity_method(Logistics.wake_waiting, start_to_close_timeout=SLOW, retry_policy=ONCE)


async def quote(asked: QuoteInput, *, patiently: bool) -> QuoteResult:
    """Ask the price list; gives up after a few tries when a caller waits, never when the engine itself asks."""
    tries = UNTIL_DONE if patiently else A_FEW_TIMES
    return await workflow.execute_local_activity_method(
        Sales.quote, asked, start_to_close_timeout=QUICK, retry_policy=tries
    )


async def reserve_headroom(asked: HeadroomInput) -> HeadroomResult:
    """Reserve headroom; tried until the book answers, so that it is never unknown whether it is held."""
    return await workflow.execute_local_activity_method(
        Finance.reserve_headroom, asked, start_to_close_timeout=QUICK, retry_policy=UNTIL_DONE
    )


async def read_group_holds(asked: GroupHoldsInput, *, patiently: bool) -> GroupHolds:
    """Ask who holds the customer's group; gives up after a few tries when a caller waits."""
    tries = UNTIL_DONE if patiently else A_FEW_TIMES
    return await workflow.execute_local_activity_method(
        Finance.read_group_holds, asked, start_to_close_timeout=QUICK, retry_policy=tries
    )


async def claim_number(asked: LegacyNumberInput, *, patiently: bool) -> LegacyNumberResult:
    """Claim an invoice number of an earlier system; gives up after a few tries when a caller waits."""
    tries = UNTIL_DONE if patiently else A_FEW_TIMES
    return await workflow.execute_local_activity_method(
        Receivables.claim_number, asked, start_to_close_timeout=QUICK, retry_policy=tries
    )


async def read_policy(asked: PolicyInput, *, patiently: bool) -> PolicyResult:
    """Ask for a version of the policy; gives up after a few tries when a caller waits."""
    tries = UNTIL_DONE if patiently else A_FEW_TIMES
    return await workflow.execute_local_activity_method(
        Control.read_policy, asked, start_to_close_timeout=QUICK, retry_policy=tries
    )


async def record(asked: RecordInput) -> None:
    """Write down what happened; tried until it stands. Raises FailureError when its place is taken."""
    await workflow.execute_local_activity_method(
        Records.record, asked, start_to_close_timeout=QUICK, retry_policy=UNTIL_DONE_OR_CONFLICT
    )


async def read_standing(asked: StandingInput) -> StandingResult:
    """What stands in the timeline that this run has not seen."""
    return await workflow.execute_local_activity_method(
        Records.read_standing, asked, start_to_close_timeout=QUICK, retry_policy=UNTIL_DONE
    )


async def archive_run(asked: ArchiveInput) -> ArchiveResult:
    """Keep a closed history; tried until it is closed and kept."""
    return await workflow.execute_activity_method(
        Records.archive_run, asked, start_to_close_timeout=SLOW, retry_policy=UNTIL_DONE
    )


async def dispatch_letters(asked: DispatchInput) -> Dispatched:
    """Have a batch of letters sent. Never tried again with this input, nor begun late: its `now` must be now."""
    return await workflow.execute_activity_method(
        PostRoom.dispatch_letters,
        asked,
        schedule_to_start_timeout=BEATS,
        start_to_close_timeout=POSTING,
        heartbeat_timeout=BEATS,
        retry_policy=ONCE,
    )


async def write_statements(asked: StatementsInput) -> StatementsWritten:
    """Have a batch of statements written; tried until they are. Raises FailureError for a month that is none."""
    return await workflow.execute_activity_method(
        Reconciliation.write_statements,
        asked,
        start_to_close_timeout=WRITING,
        heartbeat_timeout=BEATS,
        retry_policy=UNTIL_DONE_OR_WRONG_MONTH,
    )


async def ring_unanswered(asked: DeadlinesInput) -> Reminded:
    """Have people told of statements that nobody has answered in time."""
    return await workflow.execute_activity_method(
        Reconciliation.ring_unanswered, asked, start_to_close_timeout=SLOW, retry_policy=UNTIL_DONE
    )


async def sign_checkpoint(asked: EvidenceInput) -> Checkpointed:
    """Have the audit log signed. Never tried again with this input, nor begun late: its `now` must be now."""
    return await workflow.execute_activity_method(
        Evidence.sign_checkpoint,
        asked,
        schedule_to_start_timeout=BEATS,
        start_to_close_timeout=WRITING,
        heartbeat_timeout=BEATS,
        retry_policy=ONCE,
    )


async def hand_over_checkpoints(asked: EvidenceInput) -> HandedOver:
    """Have those outside given what they don't have yet."""
    return await workflow.execute_activity_method(
        Evidence.hand_over_checkpoints,
        asked,
        start_to_close_timeout=WRITING,
        heartbeat_timeout=BEATS,
        retry_policy=A_FEW_TIMES,
    )
