"""The office of evidence behind its port: signing and handing over, with an alert for whatever stands in the way."""

from dataclasses import dataclass

from infra.db import Database
from infra.evidence.checkpoints import Checkpoints
from infra.evidence.deliveries import Deliveries
from infra.evidence.heads import LogContradicted
from infra.evidence.keys import KeyTrouble
from infra.evidence.targets import targets_of
from infra.settings import Settings
from infra.stores.alerts import Alert, AlertStore
from models.messages.evidence import Checkpointed, HandedOver

ALERT_KEY = "audit_key_missing"


@dataclass(frozen=True, slots=True)
class SqlEvidenceOffice:
    """The office of one installation."""

    checkpoints: Checkpoints
    deliveries: Deliveries
    alerts: AlertStore

    async def sign(self, now: str) -> Checkpointed:
        """Sign the log; a refusal is an answer, as trying again would not help, and rings."""
        try:
            signed = await self.checkpoints.sign(now)
        except LogContradicted as found:
            return Checkpointed(problem=str(found))  # it has rung already
        except KeyTrouble as trouble:
            await self.alerts.ring(Alert(ALERT_KEY, "audit log", str(trouble)), now)
            return Checkpointed(problem=str(trouble))
        return Checkpointed(signed.size, signed.root, signed.is_new)

    async def hand_over(self, now: str) -> HandedOver:
        """Hand over what waits."""
        return await self.deliveries.run_once(now)


def office_of(settings: Settings, database: Database) -> SqlEvidenceOffice:
    """The office as the settings say."""
    deliveries = Deliveries(database, targets_of(settings))
    return SqlEvidenceOffice(Checkpoints.of(settings, database), deliveries, AlertStore(database))
