"""A worker that dies on the way of letters; LETTER_POINTS gives deals a point each, as CRASH_POINTS of `dying_worker`.

The points around the mailer wait for each other, as long as their deals are under way, and die together: the engine
takes half a minute to notice a letter whose writer was killed. `mailer.keep` is the file, before its row is written.
"""

import asyncio
import json
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import worker
from infra.gateways import mailer
from tests.crash import dying_worker

POINTS: dict[str, str] = json.loads(os.environ["LETTER_POINTS"])
MARKS = Path(os.environ["CRASH_MARKS"])
TOGETHER = {deal_id for deal_id, point in POINTS.items() if point.startswith("mailer.")}
LONGEST = 8.0
"""Seconds for which a letter waits for the others."""


async def _die_together(deal_id: str, point: str) -> None:
    if POINTS.get(deal_id) != point or (MARKS / deal_id).exists():
        return
    (MARKS / deal_id).touch()
    for _ in range(int(LONGEST / 0.05)):
        if all((MARKS / each).exists() for each in TOGETHER):
            break
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.1)  # the last one is at its point as well
    os.kill(os.getpid(), signal.SIGKILL)


def armed_keep(keep: Callable[..., Any]) -> Callable[..., Any]:
    """Dies when the letter is a file and no row tells of it."""

    async def kept(folder: Path, name: str, content: str | bytes) -> Any:
        answer = await keep(folder, name, content)
        if name.endswith(".pdf"):
            await _die_together(name.rsplit("-", 2)[0], "mailer.keep:after")
        return answer

    return kept


class FatalMailer(dying_worker.Fatal):
    """A mailer before and after whose letters the process may die."""

    def _armed(self, method: Callable[..., Any], place: str) -> Callable[..., Any]:
        async def call(asked: Any) -> Any:
            await _die_together(asked.deal_id, f"{place}:before")
            answer = await method(asked)
            await _die_together(asked.deal_id, f"{place}:after")
            return answer

        return call


def fatal_ports(*known: Any) -> Any:
    """The ports of `dying_worker`, with a mailer of its own."""
    ports: Any = dying_worker.fatal_ports(*known)
    return replace(ports, mailer=FatalMailer("mailer", ports.mailer._port, POINTS, MARKS))


if __name__ == "__main__":
    vars(mailer)["keep"] = armed_keep(vars(mailer)["keep"])
    vars(worker)["embedded_ports"] = fatal_ports
    worker.main()
