"""The floors: workflows that do as little as the engine allows, so that a deal's cost shows as a ratio to them."""

from dataclasses import dataclass
from datetime import timedelta

from temporalio import activity, workflow

FLOOR = "Floor"
FLOOR_QUEUE = "floors"
POKE = "poke"
NOTHING = "nothing"
LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Asked:
    """The smallest question."""

    key: str


@dataclass(frozen=True, slots=True)
class Told:
    """The smallest answer."""

    count: int


@activity.defn
async def touch(asked: Asked) -> Told:
    """A local activity without any work."""
    return Told(1)


@workflow.defn(name=FLOOR)
class FloorWorkflow:
    """Counts what it is asked and otherwise waits."""

    def __init__(self) -> None:
        self._count = 0

    @workflow.run
    async def run(self) -> None:
        """Wait for ever; the benchmark's server is thrown away."""
        await workflow.wait_condition(lambda: self._count < 0)

    @workflow.signal(name=POKE)
    def poke(self, asked: Asked) -> None:
        """Floor (a): the caller only waits for the acknowledgement."""
        self._count += 1

    @workflow.update(name=NOTHING)
    async def nothing(self, asked: Asked) -> Told:
        """Floor (b): an update with no effect."""
        self._count += 1
        return Told(self._count)

    @workflow.update(name=LOCAL)
    async def local(self, asked: Asked) -> Told:
        """Floor (c): an update with a no-op local activity."""
        told = await workflow.execute_local_activity(touch, asked, start_to_close_timeout=timedelta(seconds=20))
        self._count += told.count
        return Told(self._count)
