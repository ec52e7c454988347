"""The composition root: which gateway stands behind which port."""

from dataclasses import dataclass

from pydantic import SecretStr
from temporalio.client import Client

from infra.db import Database
from infra.desk.service import DealDesk
from infra.evidence.office import office_of
from infra.gateways.credit_book import SqlCreditBook
from infra.gateways.credit_bureau import SqlCreditBureau
from infra.gateways.http_carrier import HttpCarrier
from infra.gateways.http_door import HttpDoor, Patience
from infra.gateways.http_stock_book import HttpStockBook
from infra.gateways.ledger import SqlLedger
from infra.gateways.letter_office import dispatcher_of, letterhead_of
from infra.gateways.mailer import OutboxMailer
from infra.gateways.nulls import NullPostOffice
from infra.gateways.own_carrier import OwnCarrier
from infra.gateways.policy_book import SqlPolicyBook
from infra.gateways.price_list import SqlPriceList
from infra.gateways.printer import FilePrinter
from infra.gateways.run_archive import EngineArchive
from infra.gateways.statements import SqlReconciler
from infra.gateways.stock_book import SqlStockBook
from infra.settings import Settings
from infra.stores.archive import HistoryArchive
from infra.stores.recorder import DatabaseRecorder
from models.ports import (
    Archive,
    Carrier,
    CreditBook,
    CreditBureau,
    DocumentPrinter,
    EvidenceOffice,
    Ledger,
    Mailer,
    PolicyBook,
    PostOffice,
    PriceList,
    Reconciler,
    Recorder,
    StockBook,
    Waker,
)


@dataclass(frozen=True, slots=True)
class Ports:
    """One implementation of every port."""

    prices: PriceList
    policies: PolicyBook
    bureau: CreditBureau
    credit: CreditBook
    printer: DocumentPrinter
    stock: StockBook
    carrier: Carrier
    waker: Waker
    ledger: Ledger
    mailer: Mailer
    post_office: PostOffice
    reconciler: Reconciler
    evidence: EvidenceOffice
    recorder: Recorder
    archive: Archive

    async def close(self) -> None:
        """Close the connections to foreign systems; the database belongs to whoever opened it."""
        for port in (self.stock, self.carrier):
            if isinstance(port, HttpStockBook | HttpCarrier):
                await port.close()


def embedded_ports(settings: Settings, database: Database, client: Client) -> Ports:
    """The departments on our own database and folders, but for those whose address is set. To be closed at the end."""
    mailer = OutboxMailer(database, settings.outbox_dir, letterhead_of(settings))
    return Ports(
        prices=SqlPriceList(database),
        policies=SqlPolicyBook(database),
        bureau=SqlCreditBureau(database),
        credit=SqlCreditBook(database),
        printer=FilePrinter(database, settings.documents_dir),
        stock=_stock_book(settings, database),
        carrier=_carrier(settings, database),
        waker=DealDesk(database, client, settings).waking,
        ledger=SqlLedger(database),
        mailer=mailer,
        post_office=dispatcher_of(settings, database) or NullPostOffice(),
        reconciler=SqlReconciler(database, mailer, settings.reconciliation_answer_days),
        evidence=office_of(settings, database),
        recorder=DatabaseRecorder(database),
        archive=EngineArchive(client, HistoryArchive(database, settings.archive_dir)),
    )


def _stock_book(settings: Settings, database: Database) -> StockBook:
    if settings.stock_url is None:
        return SqlStockBook(database)
    return HttpStockBook(_door("stock book", settings.stock_url, settings.stock_token, settings), database)


def _carrier(settings: Settings, database: Database) -> Carrier:
    if settings.carrier_url is None:
        return OwnCarrier(database)
    return HttpCarrier(_door("carrier", settings.carrier_url, settings.carrier_token, settings), database)


def _door(connector: str, url: str, token: SecretStr | None, settings: Settings) -> HttpDoor:
    known = token.get_secret_value() if token else ""
    return HttpDoor(connector, url, known, Patience(timeout=settings.connector_timeout))
