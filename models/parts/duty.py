"""What a deal remembers of who did which duty, so that the same person does not do its counterpart as well."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Done:
    """A duty that somebody did in the entry `sequence`, by `action`; `people` are who acted, and for whom."""

    duty: str
    action: str
    sequence: int
    people: tuple[str, ...]
