"""Answers to acts, and the memory of keys already answered: it travels from run to run."""

from collections.abc import Iterable
from typing import Any

from models import codec
from models.deal import allowed_actions
from models.deal_state import Deal
from models.errors import MoveRefused, Refusal
from models.messages.deals import ActInput, ActResult
from models.policy import Policy
from models.projection import substates

KEPT_KEYS = 500
"""Keys that travel through continue-as-new; older ones stand in the `commands` table, which callers ask first."""


def answer_of(deal: Deal, roles: Iterable[str], policy: Policy) -> ActResult:
    """Where the deal stands, for somebody with these roles."""
    return ActResult(
        deal_id=deal.id,
        version=deal.version,
        state=str(deal.state),
        stage=str(deal.stage),
        substates=substates(deal),
        sequence=deal.version,
        allowed_actions=allowed_actions(deal, roles, policy),
    )


class HandledKeys:
    """Idempotency keys with the fingerprint of what was asked and the answer that was given."""

    def __init__(self, carried: dict[str, dict[str, Any]]) -> None:
        self._answers = dict(carried)

    def replay(self, asked: ActInput) -> ActResult | None:
        """The earlier answer to this key, or None. Raises MoveRefused when the key stood for something else."""
        known = self._answers.get(asked.key)
        if known is None:
            return None
        if known["fingerprint"] != asked.fingerprint:
            message = f"the idempotency key was used for another request before: {asked.key}"
            raise MoveRefused(Refusal("key_reused", asked.action, known["answer"]["state"], message))
        return codec.decode(ActResult, {**known["answer"], "replayed": True})

    def keep(self, key: str, fingerprint: str, answer: ActResult) -> None:
        """Remember an answer."""
        self._answers[key] = {"fingerprint": fingerprint, "answer": codec.encode(answer)}

    def latest(self) -> dict[str, dict[str, Any]]:
        """The youngest keys, for the next run."""
        return dict(list(self._answers.items())[-KEPT_KEYS:])
