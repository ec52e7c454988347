"""A worker that dies at the worst points; CRASH_POINTS gives a deal one: `<port>.<method>:<before|after>[:<action>]`.

`recorder.record:after:ship` is killed when the transaction of the act `ship` is committed and the engine was not
told; `stock.ship:before` before the stock book is asked to ship. A file per deal in CRASH_MARKS says that it has
happened, so that the next worker lives on.

On Linux the worker is a fork of a process that has imported everything and done nothing else, so that nineteen deaths
do not cost nineteen times the imports. The fork that is killed is the whole worker: its engine client, its threads and
its memory are gone, and the next one begins with none of them.
"""

import asyncio
import ctypes
import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import worker
from infra.db import Database
from infra.settings import Settings
from infra.wiring import Ports, embedded_ports

ONE_AT_A_TIME = asyncio.Lock()
"""A death for one deal while another's act is committed and not yet followed by its own would leave that one undone."""


class Fatal:
    """A port whose methods may kill the process."""

    def __init__(self, name: str, port: Any, points: dict[str, str], marks: Path) -> None:
        self._name, self._port, self._points, self._marks = name, port, points, marks

    def __getattr__(self, name: str) -> Any:
        return self._armed(getattr(self._port, name), f"{self._name}.{name}")

    def _armed(self, method: Callable[..., Any], place: str) -> Callable[..., Any]:
        async def call(*question: Any) -> Any:
            if not question:  # about no deal in particular
                return await method()
            (asked,) = question
            before, after = self._is_due(asked, f"{place}:before"), self._is_due(asked, f"{place}:after")
            if not (before or after):
                return await method(asked)
            async with ONE_AT_A_TIME:
                if after:
                    await method(asked)
                (self._marks / asked.deal_id).touch()
                os.kill(os.getpid(), signal.SIGKILL)

        return call

    def _is_due(self, asked: Any, place: str) -> bool:
        actions = {entry.action for entry in getattr(asked, "entries", ())}
        point, mark = self._points.get(asked.deal_id, ""), self._marks / asked.deal_id
        return point in {place, *(f"{place}:{action}" for action in actions)} and not mark.exists()


def fatal_ports(settings: Settings, database: Database, client: Any) -> Ports:
    """The usual ports, all of them armed."""
    ports = embedded_ports(settings, database, client)
    points, marks = json.loads(os.environ["CRASH_POINTS"]), Path(os.environ["CRASH_MARKS"])
    armed: dict[str, Any] = {f.name: Fatal(f.name, getattr(ports, f.name), points, marks) for f in fields(ports)}
    return replace(ports, **armed)


def _live_again_and_again() -> None:
    """A worker as a child process, and another one whenever it was killed."""
    this = os.getpid()
    while True:
        child = os.fork()
        if child == 0:
            ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # die with the parent
            if os.getppid() == this:
                worker.main()
            return
        _, status = os.waitpid(child, 0)
        if os.waitstatus_to_exitcode(status) != -signal.SIGKILL:
            raise SystemExit(f"the worker ended by itself: {status}")


if __name__ == "__main__":
    worker.embedded_ports = fatal_ports  # type: ignore[attr-defined]
    if sys.platform == "linux":
        _live_again_and_again()
    else:
        worker.main()
