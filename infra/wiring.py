"""The composition root: which gateway stands behind which port."""

from dataclasses import dataclass

from temporalio.client import Client

from infra.db import Database
from infra.gateways.credit_book import SqlCreditBook
from infra.gateways.credit_bureau import SqlCreditBureau
from infra.gateways.ledger import SqlLedger
from infra.gateways.mailer import OutboxMailer
from infra.gateways.price_list import SqlPriceList
from infra.gateways.printer import FilePrinter
from infra.gateways.run_archive import EngineArchive
from infra.gateways.stock_book import SqlStockBook
from infra.settings import Settings
from infra.stores.archive import HistoryArchive
from infra.stores.recorder import DatabaseRecorder
from models.ports import (
    Archive,
    CreditBook,
    CreditBureau,
    DocumentPrinter,
    Ledger,
    Mailer,
    PriceList,
    Recorder,
    StockBook,
)


@dataclass(frozen=True, slots=True)
class Ports:
    """One implementation of every port."""

    prices: PriceList
    bureau: CreditBureau
    credit: CreditBook
    printer: DocumentPrinter
    stock: StockBook
    ledger: Ledger
    mailer: Mailer
    recorder: Recorder
    archive: Archive


def embedded_ports(settings: Settings, database: Database, client: Client) -> Ports:
    """The departments on our own database and folders."""
    return Ports(
        prices=SqlPriceList(database),
        bureau=SqlCreditBureau(database),
        credit=SqlCreditBook(database),
        printer=FilePrinter(database, settings.documents_dir),
        stock=SqlStockBook(database),
        ledger=SqlLedger(database),
        mailer=OutboxMailer(database, settings.outbox_dir),
        recorder=DatabaseRecorder(database),
        archive=EngineArchive(client, HistoryArchive(database, settings.archive_dir)),
    )
