"""Asking patiently: an engine that is down is asked again, but Ctrl-C is not taken for one."""

import asyncio

import pytest

from cli.hands import patiently
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
