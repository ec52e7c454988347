"""What an audit of a book reports: a place where two counts of the same thing disagree."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Difference:
    """`what` of the thing `where` is `found` in its row, while its movements add up to `expected`."""

    where: str
    what: str
    expected: int
    found: int

    def __str__(self) -> str:
        return f"{self.where}: {self.what} is {self.found}, its movements add up to {self.expected}"
