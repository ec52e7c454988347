"""All stores and readers of one database, opened together: what desk, API and command line look things up in."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property

from infra.control.deputies import DeputyStore
from infra.db import Database
from infra.gateways.ledger_reading import LedgerReader
from infra.gateways.money_audit import MoneyAudit
from infra.gateways.price_list import SqlPriceList
from infra.gateways.stock_intake import StockIntake
from infra.gateways.stock_reading import StockReader
from infra.holidays import YEARS_AHEAD, calendars
from infra.privacy.discretion import Discretion
from infra.privacy.erasing import Eraser
from infra.privacy.showing import Showing
from infra.privacy.vault import Vault
from infra.settings import Settings
from infra.stores.alerts import AlertStore
from infra.stores.archive import HistoryArchive
from infra.stores.articles import ArticleStore
from infra.stores.audit import AuditStore
from infra.stores.bank_entries import BankEntryStore
from infra.stores.carrier_messages import CarrierMessageStore
from infra.stores.commands import CommandStore
from infra.stores.customers import CustomerStore
from infra.stores.deals import DealStore
from infra.stores.people import PeopleStore
from infra.stores.policies import PolicyStands, PolicyStore, PolicyVersion
from infra.stores.rebuild import Rebuilder, RebuildReport
from infra.stores.refusals import RefusalStore
from infra.stores.reports import ReportStore
from infra.stores.timeline import TimelineStore
from models import codec
from models.deal import fold
from models.messages.records import Projection
from models.policy import DEFAULT, Policy
from models.projection import project
from models.timeline import Entry

_ALWAYS = "2000-01-01T00:00:00Z"


@dataclass(frozen=True)
class Books:
    """The books of one installation. They belong to the event loop of their database."""

    database: Database
    settings: Settings

    @cached_property
    def people(self) -> PeopleStore:
        """Users and their keys."""
        return PeopleStore(self.database)

    @cached_property
    def deputies(self) -> DeputyStore:
        """Who stands in for whom."""
        return DeputyStore(self.database)

    @cached_property
    def customers(self) -> CustomerStore:
        """The customer bank."""
        return CustomerStore(self.database, self.vault)

    @cached_property
    def vault(self) -> Vault:
        """Where personal values are kept."""
        return Vault(self.settings.keys_dir)

    @cached_property
    def showing(self) -> Showing:
        """What puts personal values back for those who may see them."""
        return Showing(self.database, self.vault)

    @cached_property
    def eraser(self) -> Eraser:
        """What destroys personal values."""
        return Eraser(self.database, self.vault)

    @cached_property
    def discretion(self) -> Discretion:
        """What takes personal values out of what callers say."""
        return Discretion(self.database, self.vault)

    @cached_property
    def articles(self) -> ArticleStore:
        """Articles and prices."""
        return ArticleStore(self.database)

    @cached_property
    def prices(self) -> SqlPriceList:
        """What the price list answers."""
        return SqlPriceList(self.database)

    @cached_property
    def deals(self) -> DealStore:
        """Projections of deals."""
        return DealStore(self.database)

    @cached_property
    def reports(self) -> ReportStore:
        """Figures over many deals."""
        return ReportStore(self.database)

    @cached_property
    def timeline(self) -> TimelineStore:
        """Timelines and refusals."""
        return TimelineStore(self.database)

    @cached_property
    def refusals(self) -> RefusalStore:
        """Where refused acts are written."""
        return RefusalStore(self.database)

    @cached_property
    def commands(self) -> CommandStore:
        """Answers under their keys."""
        return CommandStore(self.database)

    @cached_property
    def audit(self) -> AuditStore:
        """The audit log."""
        return AuditStore(self.database)

    @cached_property
    def archive(self) -> HistoryArchive:
        """Histories of the engine."""
        return HistoryArchive(self.database, self.settings.archive_dir)

    @cached_property
    def stock(self) -> StockReader:
        """What the stock book says."""
        return StockReader(self.database)

    @cached_property
    def intake(self) -> StockIntake:
        """How goods come into the stock book."""
        return StockIntake(self.database)

    @cached_property
    def ledger(self) -> LedgerReader:
        """What the ledger says."""
        return LedgerReader(self.database)

    @cached_property
    def money_audit(self) -> MoneyAudit:
        """What verifies ledger, deals and bank against each other."""
        return MoneyAudit(self.database)

    @cached_property
    def carrier_messages(self) -> CarrierMessageStore:
        """What carriers sent."""
        return CarrierMessageStore(self.database)

    @cached_property
    def bank_entries(self) -> BankEntryStore:
        """What the bank told, and what was booked of it."""
        return BankEntryStore(self.database)

    @cached_property
    def alerts(self) -> AlertStore:
        """What a person must look at."""
        return AlertStore(self.database)

    @cached_property
    def policies(self) -> "Policies":
        """The business numbers by version."""
        return Policies(PolicyStore(self.database), tuple(filter(None, self.settings.countries.split(","))))

    async def compare_projections(self) -> RebuildReport:
        """Compare the live projections with those that the timelines give."""
        return await Rebuilder(self.database, await self.policies.folding()).compare()


class Policies:
    """Policies, decoded once: a version never changes."""

    def __init__(self, store: PolicyStore, countries: tuple[str, ...] = ()) -> None:
        self.store = store
        self._countries = countries
        self._known: dict[str, Policy] = {}

    async def of(self, version: str) -> Policy:
        """The numbers of a version. Raises LookupError when there is none."""
        if version not in self._known:
            found = await self.store.get(version)
            if found is None:
                raise LookupError(f"there is no policy {version}")
            self._known[version] = codec.decode(Policy, found.body)
        return self._known[version]

    async def active(self, at: str) -> Policy:
        """What a deal that starts now pins; a fresh system begins with the numbers of the domain."""
        found = await self.store.active(at)
        return await self.of(found.version if found else await self._begin(at))

    async def adopt(self, at: str) -> bool:
        """Let deals that start from now on pin the default policy of this release, as an upgraded installation keeps
        its own until somebody says so. False when the version stands already, which nothing changes."""
        if await self.store.get(DEFAULT.version) is not None:
            return False
        await self._begin(at, since=at)
        return True

    async def _begin(self, at: str, since: str = _ALWAYS) -> str:
        holidays = await asyncio.to_thread(calendars, self._countries, int(at[:4]), YEARS_AHEAD)
        body = codec.encode(replace(DEFAULT, holidays=holidays))
        first = PolicyVersion(DEFAULT.version, body, since, "defaults")
        with suppress(PolicyStands):  # another process may begin in the same moment, with other countries or a new year
            await self.store.add(first, at)
        return first.version

    async def folding(self) -> "Folding":
        """What turns a timeline into its projection, with all policies at hand."""
        rows = await self.store.all()
        return Folding({row["version"]: codec.decode(Policy, row["body"]) for row in rows})


class Folding:
    """Folds a timeline under the policy that its deal pinned."""

    def __init__(self, policies: dict[str, Policy]) -> None:
        self._policies = policies

    def __call__(self, entries: Sequence[Entry]) -> Projection:
        """The projection. Raises ValueError for a timeline that no deal could have."""
        deal = fold(entries)
        if deal.policy_version not in self._policies:
            raise ValueError(f"there is no policy {deal.policy_version}")
        return project(deal, self._policies[deal.policy_version])
