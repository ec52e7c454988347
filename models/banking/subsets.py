"""Which of a payer's invoices add up to an amount: a bounded search that says when it did not look everywhere."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

MOST_MEMBERS = 6
MOST_AMOUNTS = 20
FEW_AMOUNTS = 12
_HALF = MOST_MEMBERS // 2


@dataclass(frozen=True, slots=True)
class Sums:
    """Up to two sets of positions that add up, each in ascending order, and whether all sets have been looked at.

    Only when `is_complete` and there is one set, it is the only one.
    """

    found: tuple[tuple[int, ...], ...]
    is_complete: bool


class SumTable:
    """Sums of up to 20 amounts (positive, minor units), or of the first 12 when there are more.

    It holds all sets of up to three, so that a set of up to six is two that are looked up: with 20 amounts a table of
    1,350 sums and as many steps for an answer. With more than 20 a sum proves nothing, as there may be another one.
    """

    def __init__(self, amounts: Sequence[int]) -> None:
        self._is_complete = len(amounts) <= MOST_AMOUNTS
        looked_at = range(len(amounts) if self._is_complete else FEW_AMOUNTS)
        self._by_sum: dict[int, list[tuple[int, ...]]] = {}
        self._halves: list[tuple[int, tuple[int, ...]]] = []
        for size in range(1, _HALF + 1):
            for chosen in combinations(looked_at, size):
                total = sum([amounts[i] for i in chosen])
                self._by_sum.setdefault(total, []).append(chosen)
                if size == _HALF:
                    self._halves.append((total, chosen))

    def sums_to(self, target: int) -> Sums:
        """Sets of two to six amounts that add up to `target`; stops at the second one."""
        found: list[tuple[int, ...]] = []
        for chosen in self._sets(target):
            found.append(chosen)
            if len(found) == 2:
                break
        return Sums(tuple(found), self._is_complete)

    def _sets(self, target: int) -> Iterator[tuple[int, ...]]:
        for chosen in self._by_sum.get(target, ()):
            if len(chosen) > 1:
                yield chosen
        for total, first in self._halves:
            for second in self._by_sum.get(target - total, ()):
                if second[0] > first[-1]:
                    yield first + second
