"""The versions of the policy on our database, as deals ask for them."""

from infra.db import Database
from infra.stores.policies import PolicyStore
from models.messages.control import PolicyInput, PolicyResult


class SqlPolicyBook:
    """The port PolicyBook on our database."""

    def __init__(self, database: Database) -> None:
        self._store = PolicyStore(database)

    async def policy(self, asked: PolicyInput) -> PolicyResult:
        """A version; of its holidays only those of the deal's countries, as the engine keeps the answer for ever."""
        found = await self._store.get(asked.version)
        if found is None:
            return PolicyResult(asked.version)
        body = dict(found.body)
        holidays = body.get("holidays", {})
        body["holidays"] = {country: days for country, days in holidays.items() if country in asked.countries}
        return PolicyResult(found.version, found.active_from, body)
