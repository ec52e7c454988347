"""Letters to customers on the wire."""

from typing import Literal

from api.wire.shared import Told

LetterStateName = Literal["waiting", "claimed", "sending", "sent", "failed", "unsure", "kept"]


class Letter(Told):
    """A letter and where it stands on its way.

    `failed` and `unsure` (nobody knows whether the mail server has it) wait for a person, `kept` is never sent by
    itself; `failure` says what went wrong last. `name` and `digest` are those of its file in the outbox.
    """

    key: str
    deal_id: str
    customer: str
    kind: str
    language: str
    subject: str
    name: str
    digest: str
    state: LetterStateName
    at: str
    queued_at: str
    dispatched_at: str
    attempts: int
    failure: str


class Letters(Told):
    """A page of letters, the oldest first."""

    items: list[Letter]
    next_cursor: str
