"""The engine's replay: histories through the SDK's Replayer on this code, and what they testify against a timeline."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from temporalio import workflow
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHistory
from temporalio.converter import DataConverter, DefaultFailureConverter
from temporalio.runtime import Runtime, TelemetryConfig
from temporalio.worker import (
    ExecuteWorkflowInput,
    Interceptor,
    Replayer,
    StartLocalActivityInput,
    UnsandboxedWorkflowRunner,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
    WorkflowReplayResult,
)
from temporalio.workflow import ActivityHandle

from models import codec
from models.messages.deals import StartInput
from models.messages.records import RecordInput, StandingResult
from models.policy import Policy
from models.replaying import ENGINE, OUT_OF_CHAIN, Difference, difference, entry_difference
from models.timeline import Entry, entry_hash
from workflows.registry import WORKFLOWS

_MESSAGE = re.compile(r'message: "((?:[^"\\]|\\.)*)"')
_COMPLETED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED


@dataclass(slots=True)
class Testimony:
    """What one run of a deal did, as its history makes it do it again: the entries that it recorded or took over, the
    entry that it began after (its number and hash), the policy that it began under. `ended` when the deal ended in it,
    `failure` when the code does not do again what the history says."""

    run_id: str
    entries: list[Entry] = field(default_factory=list)
    began_after: tuple[int, str] = (0, "")
    policy: dict[str, Any] = field(default_factory=dict)
    ended: bool = False
    failure: str = ""


class Witness(Interceptor):
    """Watches workflows under replay. Of a record only that it succeeded counts: an attempt that was overtaken by what
    a lost one had recorded computed entries that never stood, and the run went on with those that it read instead."""

    def __init__(self) -> None:
        self._seen: dict[str, Testimony] = {}

    def of(self, run_id: str) -> Testimony:
        """What a run did so far."""
        return self._seen.setdefault(run_id, Testimony(run_id))

    def forget(self, run_id: str) -> None:
        """Give up what a run did."""
        self._seen.pop(run_id, None)

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:
        """The interceptor of each workflow instance."""
        witness = self

        class Watching(WorkflowInboundInterceptor):
            """Watches one instance."""

            def init(self, outbound: WorkflowOutboundInterceptor) -> None:
                super().init(_Recording(outbound, witness))

            async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
                if input.args and isinstance(input.args[0], StartInput):
                    _begin(witness.of(workflow.info().run_id), input.args[0])
                return await super().execute_workflow(input)

        return Watching


def _begin(testimony: Testimony, start: StartInput) -> None:
    testimony.policy = start.policy
    if start.carried:
        testimony.began_after = (start.carried.deal["version"], start.carried.deal["last_hash"])


class _Recording(WorkflowOutboundInterceptor):
    """Notes which entries a run recorded, and which it found standing."""

    def __init__(self, outbound: WorkflowOutboundInterceptor, witness: Witness) -> None:
        super().__init__(outbound)
        self._witness = witness

    def start_local_activity(self, input: StartLocalActivityInput) -> ActivityHandle[Any]:
        handle = self.next.start_local_activity(input)
        asked = input.args[0] if input.args else None
        testimony = self._witness.of(workflow.info().run_id)

        def note(done: asyncio.Task[Any]) -> None:
            if done.cancelled() or done.exception() is not None:
                return
            if isinstance(asked, RecordInput):
                testimony.entries += asked.entries
            elif isinstance(found := done.result(), StandingResult):
                testimony.entries += found.entries

        handle.add_done_callback(note)
        return handle


@cache
def _silent() -> Runtime:
    """The SDK without a voice: else its core writes to stdout, and its worker to the log, why a history does not
    replay. That stands in the verdict."""
    logging.getLogger("temporalio.worker").setLevel(logging.CRITICAL)
    return Runtime(telemetry=TelemetryConfig(logging=None))


class EngineReplay:
    """Replays histories on the code of this process, one after the other in one worker of the SDK."""

    def __init__(self, converter: DataConverter) -> None:
        self._witness = Witness()
        self._replayer = Replayer(
            workflows=list(WORKFLOWS),
            # nothing is sent anywhere: why a replay failed must be readable
            data_converter=replace(converter, failure_converter_class=DefaultFailureConverter),
            workflow_runner=UnsandboxedWorkflowRunner(),
            interceptors=[self._witness],
            runtime=_silent(),
        )

    async def replay(self, histories: AsyncIterator[WorkflowHistory]) -> AsyncIterator[Testimony]:
        """What each history testifies, in their order."""
        async with self._replayer.workflow_replay_iterator(histories) as results:
            async for result in results:
                yield self._testimony(result)

    def _testimony(self, result: WorkflowReplayResult) -> Testimony:
        run_id = result.history.run_id
        testimony = self._witness.of(run_id)
        self._witness.forget(run_id)
        testimony.ended = result.history.events[-1].event_type == _COMPLETED
        if result.replay_failure is not None:
            testimony.failure = _in_words(result.replay_failure)
        return testimony


def _in_words(failure: Exception) -> str:
    """The messages in what the SDK's core makes of a failure, which is a dump of its protobuf on one line."""
    text = str(failure)
    messages = dict.fromkeys(found.replace('\\"', '"') for found in _MESSAGE.findall(text) if found)
    return (": ".join(messages) or text or type(failure).__name__).splitlines()[0][:300]


@dataclass(slots=True)
class Compared:
    """What the runs of a deal say about its timeline. `vouched` entries are those that a run recorded or took over,
    `unknown` those after the last that any run knows of: a deal that goes on may be about to find them."""

    vouched: int = 0
    unknown: int = 0
    differences: list[Difference] = field(default_factory=list)


def compare(
    deal_id: str, runs: Sequence[Testimony], entries: Sequence[Entry], policies: Mapping[str, Policy]
) -> Compared:
    """Hold a timeline against what the deal's runs did, entry by entry and by content."""
    told = Compared()

    def differs(sequence: int, why: str) -> None:
        told.differences.append(Difference(deal_id, sequence, ENGINE, why))

    for run in runs:
        if run.failure:
            differs(0, f"the history of run {run.run_id} does not replay: {run.failure}")
        if why := _other_policy(run, policies):
            differs(0, why)
    stands = {entry.sequence: entry for entry in entries}
    recorded = {entry.sequence: entry for run in runs for entry in run.entries}
    told.vouched = len(recorded.keys() & stands.keys())
    for sequence, entry in sorted(recorded.items()):
        why = _against(stands.get(sequence), entry)
        if why and not (why == OUT_OF_CHAIN and told.differences):
            differs(sequence, why)
    pinned = {version: hash_ for run in runs for version, hash_ in [run.began_after] if version}
    for sequence, why in _pinned(pinned, stands, recorded):
        differs(sequence, why)
    tail = [sequence for sequence in sorted(stands) if sequence > max((*recorded, *pinned), default=0)]
    told.unknown = len(tail)
    if tail and any(run.ended for run in runs) and not any(run.failure for run in runs):
        differs(tail[0], f"the engine's history ended before it and {len(tail) - 1} more")
    return told


def _against(stands: Entry | None, recorded: Entry) -> str:
    if stands is None:
        return f"the engine's history recorded {recorded.action} at {recorded.at} here; the timeline lacks it"
    why = entry_difference(stands, recorded)
    return why if not why or why == OUT_OF_CHAIN else f"it is not what the engine's history gives: {why}"


def _pinned(
    pinned: Mapping[int, str], stands: Mapping[int, Entry], recorded: Mapping[int, Entry]
) -> list[tuple[int, str]]:
    """Entries of runs whose histories are not at hand: the next run began after the hash of the last of them, which
    stands for them all as long as the chain between holds."""
    found = []
    for version, hash_ in sorted(pinned.items()):
        if version in stands and stands[version].hash != hash_:
            found.append((version, "a later run of the deal began after another entry"))
    for sequence in range(1, max(pinned, default=0) + 1):
        entry = stands.get(sequence)
        if sequence in recorded:
            continue
        if entry is None:
            found.append((sequence, "a later run of the deal began after it; the timeline lacks it"))
        elif entry_hash(entry) != entry.hash:
            found.append((sequence, "its content does not give its hash"))
        elif sequence > 1 and sequence - 1 in stands and stands[sequence - 1].hash != entry.previous_hash:
            found.append((sequence, OUT_OF_CHAIN))
    return found


def _other_policy(run: Testimony, policies: Mapping[str, Policy]) -> str:
    """The numbers that a run was begun under against those that the books keep under the same version."""
    version = str(run.policy.get("version", ""))
    if version not in policies:
        return ""
    try:
        carried = codec.encode(codec.decode(Policy, run.policy))
    except codec.Malformed as problem:
        return f"run {run.run_id} carries a policy that is none: {problem}"
    kept = codec.encode(policies[version])
    # a deal takes along the public holidays of its own countries only
    kept["holidays"] = {country: days for country, days in kept["holidays"].items() if country in carried["holidays"]}
    return (
        "" if carried == kept else f"the policy {version} of the books is not the deal's: {difference(kept, carried)}"
    )
