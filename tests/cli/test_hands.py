"""Asking patiently: an engine that is down is asked again, but Ctrl-C is not taken for one."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from cli.exits import CommandFailed, ExitCode
from cli.hands import Hands, patiently
from infra.desk.errors import EngineDown


async def test_an_engine_that_comes_back_is_asked_again() -> None:
    asked = 0

    async def ask() -> int:
        nonlocal asked
        asked += 1
        if asked < 3:
            raise EngineDown("it starts", retry_after=0)
        return asked

    assert await patiently(ask) == 3


async def test_an_engine_that_stays_down_is_given_up() -> None:
    async def ask() -> None:
        raise EngineDown("it is gone", retry_after=0)

    with pytest.raises(EngineDown):
        await patiently(ask)


async def test_an_interrupted_call_is_not_repeated() -> None:
    """The engine's client turns a cancelled call into one without an answer; asking again would swallow Ctrl-C."""
    asked = 0

    async def ask() -> None:
        nonlocal asked
        asked += 1
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError as interrupted:
            raise EngineDown("the call was cancelled", retry_after=0) from interrupted

    task = asyncio.create_task(patiently(ask))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (asked, task.cancelled()) == (1, True)


class Rows:
    """The row of a deal `D-1`, as it stands at each look; the last one stays."""

    def __init__(self, *pending: int) -> None:
        self.pending = list(pending)

    async def get(self, deal_id: str) -> dict[str, Any] | None:
        left = self.pending.pop(0) if len(self.pending) > 1 else self.pending[0]
        return {"state": "fulfilling", "pending_effects": left} if deal_id == "D-1" else None


def hands_over(*pending: int) -> Hands:
    desk = SimpleNamespace(books=SimpleNamespace(deals=Rows(*pending)))
    return Hands(cast(Any, desk), cast(Any, None))


async def test_a_deal_is_waited_for_until_it_rests() -> None:
    assert (await hands_over(2, 1, 0).settled_row("D-1"))["pending_effects"] == 0


async def test_a_deal_that_never_rests_is_given_up() -> None:
    with pytest.raises(CommandFailed, match="deal D-1 waits for 2 answers too long") as failed:
        await hands_over(2).settled_row("D-1", patience=0.01)
    assert failed.value.code is ExitCode.ENGINE


async def test_a_deal_that_is_not_there_is_not_waited_for() -> None:
    with pytest.raises(CommandFailed, match="there is no deal D-2") as failed:
        await hands_over(2).settled_row("D-2")
    assert failed.value.code is ExitCode.NOT_FOUND
