"""Activities of whoever keeps the business numbers."""

from temporalio import activity

from models.messages.control import PolicyInput, PolicyResult
from models.ports import PolicyBook


class Control:
    """The versions of the policy."""

    def __init__(self, policies: PolicyBook) -> None:
        self._policies = policies

    @activity.defn
    async def read_policy(self, asked: PolicyInput) -> PolicyResult:
        """One version with its numbers."""
        return await self._policies.policy(asked)
