"""Work on many deals in parallel over the cores: processes that load everything once and take some deals at a time."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")
TOGETHER = 25
"""Deals that one process takes at a time, at most."""
_SHARES = 4
"""Portions for each process at least, so that none works on alone at the end."""


@dataclass(frozen=True, slots=True)
class Crew(Generic[T]):
    """Processes that work alike: `begin(setup)` runs once in each, `work(deals)` for every portion, `died(deal)` says
    what is told of a deal over which a process died. All three are functions of modules."""

    begin: Callable[[Any], None]
    setup: Any
    work: Callable[[list[str]], list[T]]
    died: Callable[[str], T]
    jobs: int

    async def over(self, deals: Sequence[str]) -> AsyncGenerator[list[T], None]:
        """What comes of the deals, in portions as they are done. What was in the works when a process died is tried
        again apart, so that only the deal that kills its process is lost. Whoever stops listening, or is cancelled,
        ends all processes."""
        waiting, suspected = deque(portions_of(deals, self.jobs)), deque[list[str]]()
        while waiting:
            async with aclosing(self._together(waiting, suspected)) as portions:
                async for portion in portions:
                    yield portion
        while suspected:
            async with aclosing(self._apart(suspected)) as portions:
                async for portion in portions:
                    yield portion

    async def _together(self, waiting: deque[list[str]], suspected: deque[list[str]]) -> AsyncGenerator[list[T], None]:
        """All processes, until nothing waits or one of them dies: with it the others end, too."""
        with self._processes(self.jobs) as pool:
            running: dict[asyncio.Future[list[T]], list[str]] = {}
            broken = False
            while running or (waiting and not broken):
                # no more in the works than the processes take next: what waits is read when its turn comes
                while waiting and not broken and len(running) <= self.jobs:
                    portion = waiting.popleft()
                    running[self._submit(pool, portion)] = portion
                done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for future in done:
                    portion = running.pop(future)
                    if isinstance(future.exception(), BrokenProcessPool):
                        broken = True
                        suspected.append(portion)
                    else:
                        yield future.result()

    async def _apart(self, suspected: deque[list[str]]) -> AsyncGenerator[list[T], None]:
        """One portion at a time in one process, until it dies: then its deals one by one."""
        with self._processes(1) as pool:
            while suspected:
                portion = suspected.popleft()
                try:
                    yield await self._submit(pool, portion)
                except BrokenProcessPool:
                    if len(portion) == 1:
                        yield [self.died(portion[0])]
                    suspected.extendleft([deal] for deal in reversed(portion if len(portion) > 1 else []))
                    return

    def _submit(self, pool: ProcessPoolExecutor, portion: list[str]) -> asyncio.Future[list[T]]:
        try:
            return asyncio.wrap_future(pool.submit(self.work, portion))
        except BrokenProcessPool as problem:  # it broke a moment ago, and takes nothing any more
            failed: asyncio.Future[list[T]] = asyncio.get_running_loop().create_future()
            failed.set_exception(problem)
            return failed

    @contextmanager
    def _processes(self, jobs: int) -> Iterator[ProcessPoolExecutor]:
        before = set(multiprocessing.active_children())
        spawn = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(jobs, mp_context=spawn, initializer=_begin, initargs=(self.begin, self.setup))
        try:
            yield pool
            pool.shutdown()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for child in set(multiprocessing.active_children()) - before:
                child.kill()
            raise


def portions_of(deals: Sequence[str], jobs: int) -> list[list[str]]:
    """The deals in portions for a number of processes."""
    size = max(1, min(TOGETHER, -(-len(deals) // (jobs * _SHARES))))
    return [list(deals[at : at + size]) for at in range(0, len(deals), size)]


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _begin(begin: Callable[[Any], None], setup: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; who started us ends us
    threading.Thread(target=_end_with_parent, daemon=True).start()
    begin(setup)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
