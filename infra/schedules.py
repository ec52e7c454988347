"""The Temporal Schedules of an installation: made, brought up to date or taken away as the settings say."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from structlog import get_logger
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleCalendarSpec,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.service import RPCError, RPCStatusCode

from infra.settings import Settings
from models.messages.evidence import CHECKPOINT, DELIVERY
from models.messages.post import POST_OFFICE
from models.messages.reconciliation import DEADLINES, MONTHLY, Reconcile

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
_DELIVERY_INTERVAL = timedelta(minutes=5)
"""Between two looks for checkpoints that those outside don't have yet."""

log = get_logger()


@dataclass(frozen=True, slots=True)
class Duty:
    """A workflow that a schedule starts. `made_up` is how long after its time a missed start is made up for;
    `at_most` how long a run may take until the engine ends it."""

    name: str
    workflow: str
    spec: ScheduleSpec
    wanted: bool
    made_up: timedelta
    at_most: timedelta
    input: Sequence[Any] = field(default=())


def duties(settings: Settings) -> tuple[Duty, ...]:
    """What is done on a schedule; the unwanted ones are taken away when there are any."""
    day, hour = settings.reconciliation_day, settings.reconciliation_hour
    wanted, hours = day > 0, (ScheduleRange(hour),)
    monthly = ScheduleCalendarSpec(hour=hours, day_of_month=(ScheduleRange(day or 1),), comment="statements of account")
    daily = ScheduleCalendarSpec(minute=(ScheduleRange(30),), hour=hours, comment="statements without an answer")
    return (
        Duty(
            "post-office",
            POST_OFFICE,
            ScheduleSpec(intervals=[ScheduleIntervalSpec(timedelta(seconds=settings.post_interval))]),
            wanted=settings.smtp_host is not None,
            made_up=timedelta(seconds=10),
            at_most=timedelta(hours=6),
        ),
        Duty(
            "monthly-reconciliation",
            MONTHLY,
            ScheduleSpec(calendars=[monthly]),
            wanted=wanted,
            # the last one that was missed, not all of a long absence
            made_up=timedelta(days=27),
            at_most=timedelta(days=5),
            input=(Reconcile(),),
        ),
        Duty(
            "reconciliation-deadlines",
            DEADLINES,
            ScheduleSpec(calendars=[daily]),
            wanted=wanted,
            made_up=timedelta(hours=23),
            at_most=timedelta(hours=12),
        ),
        *_evidence_duties(settings),
    )


def _evidence_duties(settings: Settings) -> tuple[Duty, ...]:
    signing = ScheduleIntervalSpec(timedelta(seconds=settings.checkpoint_interval or 1))
    has_targets = settings.checkpoint_drop is not None or settings.checkpoint_webhook is not None
    return (
        Duty(
            "audit-checkpoint",
            CHECKPOINT,
            ScheduleSpec(intervals=[signing]),
            wanted=settings.checkpoint_interval > 0,
            made_up=timedelta(seconds=10),
            at_most=timedelta(hours=6),
        ),
        Duty(
            "checkpoint-delivery",
            DELIVERY,
            ScheduleSpec(intervals=[ScheduleIntervalSpec(_DELIVERY_INTERVAL)]),
            wanted=has_targets,
            made_up=timedelta(seconds=10),
            at_most=timedelta(hours=6),
        ),
    )


def schedule_id(settings: Settings, name: str) -> str:
    """The id of a schedule; installations that share a namespace have task queues of their own."""
    return f"{settings.task_queue}-{name}"


async def keep_schedules(client: Client, settings: Settings) -> None:
    """Make the schedules be as the settings say; harmless when they are, and when many do so at once."""
    for duty in duties(settings):
        if duty.wanted:
            await _put(client, schedule_id(settings, duty.name), duty, settings.task_queue)
        else:
            await _take_away(client, schedule_id(settings, duty.name))


async def keep_schedules_patiently(client: Client, settings: Settings) -> None:
    """The same, tried until the engine has done so: deals go on meanwhile."""
    pause = _FIRST_PAUSE
    while True:
        try:
            return await keep_schedules(client, settings)
        except RPCError as problem:
            log.warning("schedules_not_kept", status=problem.status.name, again_in_seconds=pause)
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


async def _put(client: Client, schedule: str, duty: Duty, task_queue: str) -> None:
    wanted = Schedule(
        action=ScheduleActionStartWorkflow(
            duty.workflow, args=list(duty.input), id=schedule, task_queue=task_queue, execution_timeout=duty.at_most
        ),
        spec=duty.spec,
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=duty.made_up),
    )

    def updated(known: ScheduleUpdateInput) -> ScheduleUpdate:
        wanted.state = known.description.schedule.state  # whoever paused it has a reason
        return ScheduleUpdate(schedule=wanted)

    try:
        await client.create_schedule(schedule, wanted)
    except ScheduleAlreadyRunningError:
        await client.get_schedule_handle(schedule).update(updated)


async def _take_away(client: Client, schedule: str) -> None:
    try:
        await client.get_schedule_handle(schedule).delete()
    except RPCError as problem:
        if problem.status is not RPCStatusCode.NOT_FOUND:
            raise
