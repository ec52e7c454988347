"""What the post is asked to carry and what became of it.

Of all this only `DispatchInput` and `Dispatched` are part of a workflow: a letter names an address.
"""

from dataclasses import dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    """What became of one attempt to deliver a letter."""

    SENT = "sent"
    """The mail server has taken it over."""
    REFUSED = "refused"
    """It will never take this letter to this address."""
    LATER = "later"
    """It does not take this letter now."""
    CLOSED = "closed"
    """It takes no letter at all now: unreachable, or it doesn't let us in."""
    UNSURE = "unsure"
    """It was given the letter and did not say whether it has taken it over."""
    LOST = "lost"
    """Somebody else has this letter by now; nothing was sent."""


@dataclass(frozen=True, slots=True)
class OutgoingLetter:
    """A letter as it is posted. `message_id` is the same at every attempt; `at` is the instant of this one.

    `pdf` is empty for a letter that is a text alone; `name` is the PDF's file name.
    """

    message_id: str
    to: str = field(repr=False)
    subject: str
    language: str
    text: str = field(repr=False)
    name: str
    pdf: bytes = field(repr=False)
    at: str


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of it, and why in words (no address in them)."""

    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Dispatched:
    """What one run of the dispatcher did, in letters; `waiting` are those that are still to be sent afterwards."""

    sent: int = 0
    failed: int = 0
    unsure: int = 0
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class DispatchInput:
    """Send up to `limit` letters that wait. `now` is the real time, never a test deal's."""

    now: str
    limit: int


POST_OFFICE = "PostOffice"
"""The workflow that has letters sent."""
