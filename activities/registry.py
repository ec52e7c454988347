"""The activities that a worker offers, department by department."""

from collections.abc import Callable
from typing import Any, Protocol

from activities.control import Control
from activities.evidence import Evidence
from activities.finance import Finance
from activities.legal import Legal
from activities.logistics import Logistics
from activities.post_room import PostRoom
from activities.receivables import Receivables
from activities.reconciliation import Reconciliation
from activities.records import Records
from activities.sales import Sales
from activities.support import Support
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


class Departments(Protocol):
    """All the ports that activities need."""

    @property
    def prices(self) -> PriceList: ...
    @property
    def policies(self) -> PolicyBook: ...
    @property
    def bureau(self) -> CreditBureau: ...
    @property
    def credit(self) -> CreditBook: ...
    @property
    def printer(self) -> DocumentPrinter: ...
    @property
    def stock(self) -> StockBook: ...
    @property
    def carrier(self) -> Carrier: ...
    @property
    def waker(self) -> Waker: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def mailer(self) -> Mailer: ...
    @property
    def post_office(self) -> PostOffice: ...
    @property
    def reconciler(self) -> Reconciler: ...
    @property
    def evidence(self) -> EvidenceOffice: ...
    @property
    def recorder(self) -> Recorder: ...
    @property
    def archive(self) -> Archive: ...


def activities_of(ports: Departments) -> list[Callable[..., Any]]:
    """The activities of all departments on these ports."""
    sales, finance = Sales(ports.prices), Finance(ports.bureau, ports.credit)
    legal, logistics = Legal(ports.printer), Logistics(ports.stock, ports.carrier, ports.waker)
    receivables, support = Receivables(ports.ledger), Support(ports.mailer)
    post_room, reconciliation = PostRoom(ports.post_office), Reconciliation(ports.reconciler)
    records, evidence = Records(ports.recorder, ports.archive), Evidence(ports.evidence)
    return [
        sales.quote,
        sales.note_granted,
        Control(ports.policies).read_policy,
        finance.assess_reliability,
        finance.reserve_headroom,
        finance.release_headroom,
        finance.note_broken_promise,
        finance.hold_group,
        finance.read_group_holds,
        legal.print_document,
        logistics.reserve_lines,
        logistics.release_lines,
        logistics.ship_lines,
        logistics.take_back_lines,
        logistics.book_carriage,
        logistics.wake_waiting,
        receivables.issue_invoice,
        receivables.claim_number,
        receivables.book_entry,
        support.send_letter,
        post_room.dispatch_letters,
        reconciliation.write_statements,
        reconciliation.ring_unanswered,
        evidence.sign_checkpoint,
        evidence.hand_over_checkpoints,
        records.record,
        records.read_standing,
        records.archive_run,
    ]
