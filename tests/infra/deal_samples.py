"""Sample records: believable timeline entries with their chain, and projections, for tests of the stores."""

from dataclasses import replace
from typing import Any

from models.instants import plus
from models.messages.records import Answer, Projection, RecordInput
from models.timeline import GENESIS, Entry, entry_hash

START = "2026-03-02T08:00:00Z"


def chain(deal_id: str, count: int, first: int = 1, previous: str = GENESIS) -> list[Entry]:
    """Consecutive sound entries of one deal; `previous` is the hash that the first follows."""
    entries: list[Entry] = []
    for sequence in range(first, first + count):
        entry = Entry(
            deal_id=deal_id,
            sequence=sequence,
            at=plus(START, sequence * 60),
            actor="anna",
            role="account_manager",
            action="record_contact",
            state_from="contacted",
            state_to="contacted",
            policy_version="2026-1",
            key=f"{deal_id}-key-{sequence}",
            previous_hash=previous,
            payload={"channel": "phone", "outcome": "interested", "note": "wants 40 units in April — ü"},
            facts={},
            verdicts=[{"guard": "is_owner", "passed": True, "found": "anna"}],
            events=[{"event": "contacted", "channel": "phone"}, {"event": "scheduled", "key": "follow_up"}],
        )
        entries.append(replace(entry, hash=entry_hash(entry)))
        previous = entries[-1].hash
    return entries


def projection(deal_id: str, version: int, **changes: Any) -> Projection:
    """A deal with one line, one agenda item, one approval, one invoice and one case; `changes` are of its row."""
    at = plus(START, version * 60)
    deal: dict[str, Any] = {
        "id": deal_id,
        "version": version,
        "state": "contacted",
        "stage": "prospecting",
        "customer_id": "c-1",
        "group_id": "g-1",
        "owner": "anna",
        "department": "north",
        "branch": "turin",
        "currency": "EUR",
        "title": "Pumps for the spring",
        "is_test": False,
        "policy_version": "2026-1",
        "opened_at": START,
        "state_since": START,
        "updated_at": at,
        "due_at": plus(START, 86_400),
        "value_minor": 1_250_000,
        "holds": "",
        "goods_state": "none",
        "money_state": "none",
        "credit_state": "none",
        "approval_state": "none",
        "linked_deal": "",
        "loss_reason": "",
        "source_ref": "",
        "closed_at": "",
        "last_hash": "0" * 64,
        "pending_effects": 0,
        "snapshot": {"id": deal_id, "lines": [{"line": n, "article": f"a-{n}", "quantity": 4} for n in range(30)]},
    }
    return Projection(
        deal={**deal, **changes},
        lines=[_line(deal_id)],
        agenda=[_agenda(deal_id)],
        approvals=[_approval(deal_id)],
        invoices=[_invoice(deal_id)],
        cases=[_case(deal_id)],
    )


def record(
    deal_id: str,
    entries: list[Entry],
    children: tuple[str, ...] = ("agenda",),
    answers: tuple[Answer, ...] = (),
    **changes: Any,
) -> RecordInput:
    """A record of these entries with the projection that belongs to the last of them."""
    shown = projection(deal_id, entries[-1].sequence, **changes)
    return RecordInput(deal_id, tuple(entries), shown, children, answers)


def answer(key: str) -> Answer:
    return Answer(key, "f" * 64, {"deal_id": "d", "version": 3, "state": "contacted"})


def _line(deal_id: str) -> dict[str, Any]:
    return {
        "deal_id": deal_id,
        "line": 1,
        "article": "a-1",
        "description": "Pump 40",
        "ordered": 40,
        "reserved": 10,
        "shipped": 0,
        "delivered": 0,
        "cancelled": 0,
        "substituted": 0,
        "state": "open",
        "expected_on": "",
        "unit_price_minor": 31_250,
    }


def _agenda(deal_id: str) -> dict[str, Any]:
    return {
        "deal_id": deal_id,
        "key": "follow_up",
        "due_at": plus(START, 86_400),
        "kind": "reminder",
        "roles": "account_manager,key_account_manager",
        "person": "anna",
        "department": "north",
        "action": "record_contact",
        "note": "call back",
        "is_test": False,
    }


def _approval(deal_id: str) -> dict[str, Any]:
    return {
        "deal_id": deal_id,
        "approval_id": "discount-1",
        "kind": "discount",
        "subject_hash": "a" * 64,
        "state": "pending",
        "requested_by": "anna",
        "requested_at": START,
        "due_at": plus(START, 172_800),
        "decided_by": "",
        "decided_at": "",
        "roles": "head_of_sales,commercial_director",
        "reason": "",
    }


def _invoice(deal_id: str) -> dict[str, Any]:
    return {
        "deal_id": deal_id,
        "number": f"R-{deal_id}",
        "kind": "delivery",
        "state": "issued",
        "currency": "EUR",
        "total_minor": 1_250_000,
        "paid_minor": 0,
        "credited_minor": 0,
        "written_off_minor": 0,
        "open_minor": 1_250_000,
        "disputed_minor": 0,
        "unapplied_minor": 0,
        "interest_minor": 0,
        "charged_minor": 0,
        "waived_minor": 0,
        "charged_for": "",
        "issued_at": START,
        "due_at": plus(START, 2_592_000),
        "settled_at": "",
        "is_test": False,
    }


def _case(deal_id: str) -> dict[str, Any]:
    return {
        "deal_id": deal_id,
        "case_id": "case-1",
        "state": "open",
        "cause": "damaged",
        "lines": "1",
        "decision": "",
        "opened_at": START,
        "due_at": plus(START, 432_000),
        "note": "",
    }
