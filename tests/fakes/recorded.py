"""What all fakes share: they remember their calls, do an effect once per key, and fail when a test tells them to."""

from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar, cast

from infra.gateways.once import EffectKeyReused, checked_key

T = TypeVar("T")


class Outage(ConnectionError):
    """What a fake raises when it was told to fail: the outside world is away for a moment."""


class Recorded:
    """The base of the fakes. `calls` holds (method, asked) in order, failed calls included."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []
        self._faults: deque[tuple[Exception, bool]] = deque()
        self._done: dict[str, tuple[str, Any]] = {}

    def fail_next(self, times: int = 1, error: Exception | None = None, after_effect: bool = False) -> None:
        """Let the next calls raise: before anything was done, or (`after_effect`) when the answer got lost."""
        self._faults.extend([(error or Outage("told to fail"), after_effect)] * times)

    def asked(self, method: str) -> list[Any]:
        """Everything that a method was asked."""
        return [asked for name, asked in self.calls if name == method]

    def _act(self, method: str, asked: Any, work: Callable[[], T], key: str | None = None) -> T:
        self.calls.append((method, asked))
        error, after_effect = self._faults.popleft() if self._faults else (None, False)
        if error is not None and not after_effect:
            raise error
        answer = work() if key is None else self._once(method, key, work)
        if error is not None:
            raise error
        return answer

    def _once(self, method: str, key: str, work: Callable[[], T]) -> T:
        if checked_key(key) not in self._done:
            self._done[key] = (method, work())
        done, answer = self._done[key]
        if done != method:
            raise EffectKeyReused(f"effect key {key!r} was used for {done}")
        return cast(T, answer)
