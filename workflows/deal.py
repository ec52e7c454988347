"""One durable workflow per deal: the shell around the pure core. `run` is the story of a deal."""

import asyncio
from contextlib import suppress
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError, FailureError

from models import codec
from models.command import SYSTEM, Command, Context, Facts
from models.deal import (
    Decision,
    agenda,
    automatic,
    consider,
    decide,
    due_command,
    next_due,
    open_deal,
    question,
)
from models.deal_state import Deal
from models.effects import report, request
from models.errors import MoveRefused
from models.instants import parse, render
from models.messages.deals import (
    QUERY_SNAPSHOT,
    UNAVAILABLE,
    UPDATE_ACT,
    UPDATE_OPENED,
    WORKFLOW,
    ActInput,
    ActResult,
    Carried,
    StartInput,
)
from models.messages.logistics import ReleaseInput, ReturnInput
from models.messages.records import Answer, ArchiveInput, Projection, RecordInput
from models.policy import Policy
from models.projection import changed_children, project, reduced
from models.stages.adopting import pinned
from models.stages.opening import OpenDeal
from models.timeline import Entry
from workflows import calls
from workflows.answers import HandledKeys, answer_of
from workflows.facts import Gathering
from workflows.refusals import as_error
from workflows.standing import Overtaken, is_conflict, take_over

FREES_GOODS = (ReleaseInput, ReturnInput)
"""Effects after which goods may have been set aside for other deals."""
COUNTS_WHAT_STOOD = "counts-what-stood"
"""Patch: runs of the first releases counted everything they took over at once as one move."""


@workflow.defn(name=WORKFLOW)
class DealWorkflow:
    """A deal from first contact to its end; it can be open for years."""

    @workflow.init
    def __init__(self, start: StartInput) -> None:
        carried = start.carried
        self._start = start
        self._policy = codec.decode(Policy, start.policy)
        self._deal: Deal | None = codec.decode(Deal, carried.deal) if carried else None
        self._handled = HandledKeys(carried.handled if carried else {})
        self._projection: Projection | None = project(self._deal, self._policy) if self._deal else None
        self._lock = asyncio.Lock()
        self._alarm: asyncio.Task[None] | None = None
        self._alarm_at = ""
        self._rang = False
        self._refused: dict[str, int] = {}
        self._acts = 0
        self._archiving = False

    @workflow.run
    async def run(self, start: StartInput) -> str:
        """Open the deal, then do what is due until it is closed; answers its last state."""
        await self._open(start)
        while True:
            await self._carry_out_effects()
            if self._is_over():
                break
            self._set_alarm()
            await workflow.wait_condition(self._has_something_to_do)
            if self._rang:
                self._silence_alarm()
            await self._fire_what_is_due()
            if self._is_long() and not self.deal.pending:
                await self._continue_as_new()
        self._silence_alarm()
        await self._archive_this_run()
        # answers of acts in flight must reach their callers before the run ends
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self.deal.state

    @workflow.update(name=UPDATE_OPENED)
    async def opened(self) -> ActResult:
        """Where the deal stands, as soon as its opening is recorded."""
        await workflow.wait_condition(lambda: self._deal is not None)
        return answer_of(self.deal, self._start.actor.roles, self._policy)

    @workflow.update(name=UPDATE_ACT)
    async def act(self, asked: ActInput) -> ActResult:
        """Carry out one act; refused ones change nothing."""
        # an act may arrive in the same task as the start, before the opening is recorded
        await workflow.wait_condition(lambda: self._deal is not None)
        async with self._lock:
            try:
                answer = await self._answer(asked)
            except MoveRefused as refused:
                raise as_error(refused.refusal) from None
            except FailureError as failed:
                raise ApplicationError(f"a department did not answer: {failed}", type=UNAVAILABLE) from None
        if not asked.settle:
            return answer
        # without the lock, which the effects' reports need
        await workflow.wait_condition(lambda: not self.deal.pending)
        return answer if answer.replayed else answer_of(self.deal, asked.actor.roles, self._policy)

    @act.validator
    def check_act(self, asked: ActInput) -> None:
        """Refuse early, without leaving a trace in the history."""
        try:
            if self._deal is None or self._handled.replay(asked) is not None:
                return
            command = _command(asked)
            consider(self._deal, command, self._policy, self._now())
        except MoveRefused as refused:
            raise as_error(refused.refusal) from None

    @workflow.query(name=QUERY_SNAPSHOT)
    def snapshot(self) -> dict[str, object]:
        """The deal in plain form."""
        plain: dict[str, object] = codec.encode(self.deal)
        return plain

    @property
    def deal(self) -> Deal:
        """The deal; it exists once its opening is recorded."""
        if self._deal is None:
            raise ApplicationError("the deal is not open yet", type="NotOpen")
        return self._deal

    async def _open(self, start: StartInput) -> None:
        if self._deal is not None:
            return
        opened = codec.decode(OpenDeal, start.opened)
        decision = open_deal(
            start.deal_id,
            opened,
            start.actor,
            start.key,
            self._policy,
            self._now(),
            start.country,
            start.customer_country,
            start.asked_at,
        )
        with suppress(Overtaken):
            await self._record(decision.deal, [decision.entry], start.actor.roles, start.key, start.fingerprint)

    async def _answer(self, asked: ActInput) -> ActResult:
        """Judge again, as the world may have moved while the act waited for the lock, and carry the act out."""
        while True:
            known = self._handled.replay(asked)
            if known is not None:
                return known
            command = _command(asked)
            with suppress(Overtaken):
                return await self._carry_out(command, asked.fingerprint)

    async def _carry_out(self, command: Command, fingerprint: str = "") -> ActResult:
        """Ask for facts, decide, let automatic moves follow, and record it all at once. Needs the lock."""
        known = Gathering(patiently=command.actor == SYSTEM)
        try:
            while asked := question(self._consider(command, known.facts), command.action):
                await known.ask(asked)
            decisions = [decide(self.deal, command, self._policy, self._now(), known.facts)]
            policy = pinned([decisions[0].entry], self._policy)
            decisions += self._automatic_moves(decisions[0].deal, policy)
            entries = [decision.entry for decision in decisions]
            key = command.key if fingerprint else ""
            return await self._record(decisions[-1].deal, entries, command.actor.roles, key, fingerprint)
        except (MoveRefused, Overtaken):
            await known.give_back(self.deal.headroom_minor, workflow.now().isoformat())
            raise

    def _consider(self, command: Command, facts: Facts) -> Context:
        return consider(self.deal, command, self._policy, self._now(), facts)

    def _automatic_moves(self, deal: Deal, policy: Policy) -> list[Decision]:
        moves: list[Decision] = []
        while (command := automatic(deal, policy, self._now())) is not None:
            moves.append(decide(deal, command, policy, self._now()))
            deal = moves[-1].deal
        return moves

    async def _record(
        self, deal: Deal, entries: list[Entry], roles: tuple[str, ...], key: str, fingerprint: str
    ) -> ActResult:
        """Write everything in one transaction; only then the deal is in its new state.

        Raises Overtaken when other acts stand there already, which are taken over.
        """
        policy = pinned(entries, self._policy)
        projection = project(deal, policy)
        answer = answer_of(deal, roles, policy)
        answers = (Answer(key, fingerprint, codec.encode(answer)),) if fingerprint else ()
        changed = changed_children(self._projection, projection)
        try:
            rows = reduced(projection, changed)
            await calls.record(RecordInput(deal.id, tuple(entries), rows, changed, answers))
        except FailureError as failed:
            if not is_conflict(failed):
                raise
            before = self._deal.version if self._deal else 0
            self._deal, self._policy = await take_over(deal.id, self._deal, self._policy, self._handled)
            self._projection = project(self._deal, self._policy)
            # a lost attempt may have recorded the moves of many acts: the run is as long as all of them
            self._acts += self._deal.version - before if workflow.patched(COUNTS_WHAT_STOOD) else 1
            raise Overtaken from None
        if fingerprint:
            self._handled.keep(key, fingerprint, answer)
        self._deal, self._projection, self._policy = deal, projection, policy
        self._acts += 1
        return answer

    async def _carry_out_effects(self) -> None:
        """Everything asked of the world, one after the other, in the order it was asked."""
        while self.deal.pending:
            effect = self.deal.pending[0]
            asked = request(effect, self.deal, self._policy, self._now())
            answer = await calls.perform(asked)
            if self._policy.rules > 1 and isinstance(asked, FREES_GOODS):
                await calls.wake_waiting()
            async with self._lock:
                # an attempt that was lost may have reported it already
                while self.deal.effect(effect.key):
                    told = report(effect, asked, answer, self.deal, self._policy, self._now())
                    with suppress(Overtaken):
                        await self._carry_out(told)

    async def _fire_what_is_due(self) -> None:
        """Act on every agenda item whose time has come; what is refused now waits until the deal changes."""
        while not self.deal.pending:
            item = next_due(agenda(self.deal, self._policy), self._put_off())
            if item is None or item.due_at > self._now():
                return
            async with self._lock:
                try:
                    await self._carry_out(due_command(item))
                except MoveRefused:
                    self._refused[item.key] = self.deal.version
                except Overtaken:
                    continue

    def _put_off(self) -> frozenset[str]:
        self._refused = {key: seen for key, seen in self._refused.items() if seen == self.deal.version}
        return frozenset(self._refused)

    def _set_alarm(self) -> None:
        """One timer for the whole agenda. An alarm that rings too early is cheaper than one set anew at each act."""
        item = next_due(agenda(self.deal, self._policy), self._put_off())
        if item is None or (self._alarm is not None and self._alarm_at <= item.due_at):
            return
        self._silence_alarm()
        self._alarm_at = item.due_at
        self._alarm = asyncio.create_task(self._ring(parse(item.due_at) - workflow.now()))

    async def _ring(self, after: timedelta) -> None:
        if after > timedelta():
            await workflow.sleep(after)
        self._rang = True

    def _silence_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm, self._alarm_at, self._rang = None, "", False

    def _has_something_to_do(self) -> bool:
        if self._rang or self.deal.pending or self._is_over() or self._is_long():
            return True
        item = next_due(agenda(self.deal, self._policy), self._put_off())
        return item is not None and (self._alarm is None or item.due_at < self._alarm_at)

    def _is_over(self) -> bool:
        return self.deal.is_closed and not self.deal.pending

    def _is_long(self) -> bool:
        info = workflow.info()
        return info.is_continue_as_new_suggested() or self._acts >= self._start.moves_per_run

    async def _continue_as_new(self) -> None:
        """Carry data only: the deal, the keys already answered, the pinned policy."""
        self._silence_alarm()
        await self._archive_this_run()
        # nothing may be awaited between this and the end of the run: an act that came in would be cut off;
        # acts that wait for effects go on in the story first
        await workflow.wait_condition(lambda: bool(self.deal.pending) or workflow.all_handlers_finished())
        if self.deal.pending:
            return
        carried = Carried(codec.encode(self.deal), self._handled.latest())
        start = self._start
        workflow.continue_as_new(
            StartInput(
                start.deal_id,
                codec.encode(self._policy),
                start.actor,
                start.key,
                carried=carried,
                moves_per_run=start.moves_per_run,
            )
        )

    async def _archive_this_run(self) -> None:
        """Ask a workflow of its own to keep this run's history, once it has ended."""
        if self._archiving:
            return
        self._archiving = True
        info = workflow.info()
        _ = await workflow.start_child_workflow(
            "ArchiveRun",
            ArchiveInput(self.deal.id, info.workflow_id, info.run_id),
            id=f"archive-{info.run_id}",
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
        )

    def _now(self) -> str:
        return render(workflow.now())


def _command(asked: ActInput) -> Command:
    return Command(asked.action, asked.actor, asked.key, asked.payload, asked.expected_version, asked.asked_at)
