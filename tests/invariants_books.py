"""What the invariants compare: every deal's story and the rows of all books, read in one consistent view."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.stories import Story

Row = Mapping[str, Any]


@dataclass
class Books:
    """Everything that is compared, read in one consistent view."""

    stories: dict[str, Story] = field(default_factory=dict)
    rows: dict[str, list[Row]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def of(self, kind: Any) -> list[Row]:
        """All rows of a table."""
        return self.rows[kind.__tablename__]
