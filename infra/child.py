"""Programs of ours as child processes: they die with us, write into a log, and are started again, within bounds."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from infra.temporal_server import DIE_WITH_PARENT

DRAIN_SECONDS = 15.0  # the worker finishes what it has begun within ten
LONG_LIFE_SECONDS = 60.0  # what ran for so long may die as often as it likes
MOST_RESTARTS = 5  # of a process that ended sooner, in a row
LOG_TAIL_LINES = 8


class SystemFailed(Exception):
    """A process of the system could not be started, or died again and again; the message ends with its last words."""


class Restarts:
    """Whether a process that ended may be started again: not when it has always ended soon after its start."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._began, self._short_lives = clock, clock(), 0

    def one_more(self) -> bool:
        """It ended: answers whether it is to be started again, and counts from now."""
        now = self._clock()
        self._short_lives = 0 if now - self._began >= LONG_LIFE_SECONDS else self._short_lives + 1
        self._began = now
        return self._short_lives <= MOST_RESTARTS


class Child:
    """One of our own programs as a process that dies with us; its output goes into a log file."""

    def __init__(self, name: str, log: Path) -> None:
        self.name, self.log = name, log
        self._process: subprocess.Popen[bytes] | None = None
        self._launch: Callable[[], subprocess.Popen[bytes]] | None = None
        self._restarts = Restarts()

    @property
    def pid(self) -> int:
        """Its process id, 0 when it doesn't run."""
        return self._process.pid if self._process is not None and self._process.poll() is None else 0

    def start(self, command: Sequence[str], environment: dict[str, str], hand_over: Sequence[int] = ()) -> None:
        """Start the process; in a session of its own, so that Ctrl-C reaches the supervisor alone. `hand_over` are open
        files that it is given."""
        if sys.platform == "linux":
            command = [sys.executable, "-ISc", DIE_WITH_PARENT, str(os.getpid()), *command]

        def launch() -> subprocess.Popen[bytes]:
            with self.log.open("ab") as log:
                return subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=environment,
                    pass_fds=hand_over,
                    start_new_session=True,
                )

        self._launch, self._restarts = launch, Restarts()
        self._process = launch()

    def start_again(self) -> None:
        """Start it as before. Raises SystemFailed when it keeps ending."""
        assert self._launch is not None
        if not self._restarts.one_more():
            raise SystemFailed(f"the {self.name} keeps ending, see {self.log}\n{self.last_words()}")
        self._process = self._launch()

    async def stop(self, grace: float = DRAIN_SECONDS) -> None:
        """Ask it to finish, and end it after the grace period."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            await asyncio.to_thread(process.wait, grace)
        except subprocess.TimeoutExpired:
            process.kill()
            await asyncio.to_thread(process.wait)

    def last_words(self) -> str:
        """The end of its log."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-LOG_TAIL_LINES:])
