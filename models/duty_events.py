"""From a deal's timeline to the acts that separation of duties looks at, and to what somebody conceded alone."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from models.concessions import Concession
from models.conflicts import DutyEvent
from models.duties import DUTY_OF, MACHINES
from models.lifecycle.roles import Role
from models.policy import Policy
from models.timeline import Entry

_CREDITS = ("credit", "grant_credit", "decide_case", "settle_dispute")
"""Acts by which somebody decides to credit money; credit for goods that never came is no concession."""
_PERSONAL_OBJECTS = ("record_payment", "bring_invoice", "reverse_payment")


@dataclass
class DealActs:
    """Walks over one deal's timeline; `concessions` fills on the way."""

    policies: dict[str, Policy] = field(default_factory=dict)
    concessions: list[Concession] = field(default_factory=list)
    is_test: bool = False
    _customer: str = ""
    _currency: str = ""
    _contract: str = ""
    _offer: dict[str, Any] = field(default_factory=dict)
    _subjects: dict[int, str] = field(default_factory=dict)
    _contracts: int = 0
    _amount_minor: int = 0

    def of(self, entries: Iterable[Entry]) -> Iterator[DutyEvent]:
        """The acts of a whole timeline that are part of a duty, or execute what was approved."""
        for entry in entries:
            requested, settled = self._follow(entry)
            if entry.action not in DUTY_OF and entry.action != "send_offer":
                continue
            executed, relied_on = self._executed(entry, settled)
            yield DutyEvent(
                entry.deal_id,
                entry.action,
                entry.actor,
                entry.at,
                entry.on_behalf_of,
                f"{entry.deal_id}/{entry.sequence}",
                tuple(self._objects(entry, requested, settled)),
                Role(entry.role) in MACHINES,
                executed,
                relied_on,
            )

    def _follow(self, entry: Entry) -> tuple[list[int], list[int]]:
        """Take note of what the entry changes; the numbers of approvals that it requested and settled."""
        requested: list[int] = []
        settled: list[int] = []
        for event in entry.events:
            match event["tag"]:
                case "deal_opened":
                    opened = event["opened"]
                    self._customer, self._currency = opened["group"] or opened["customer"], opened["currency"]
                    self.is_test = bool(opened.get("is_test"))
                case "offer_drafted":
                    self._offer = event["offer"]
                case "offer_accepted":
                    self._contracts, self._amount_minor = self._contracts + 1, event["amount_minor"]
                    self._contract = f"contract:{entry.deal_id}:{self._contracts}.1"
                case "contract_versioned":
                    self._contract = f"contract:{entry.deal_id}:{self._contracts}.{event['version']}"
                case "approval_requested":
                    requested.append(event["approval"]["number"])
                    self._subjects[requested[-1]] = event["approval"]["subject_hash"]
                case "approval_settled" if event["decided_by"]:
                    settled.append(event["number"])
        self._concede(entry)
        return requested, settled

    def _objects(self, entry: Entry, requested: list[int], settled: list[int]) -> Iterator[str]:
        yield f"deal:{entry.deal_id}"
        yield f"customer:{self._customer}"
        yield from (f"request:{entry.deal_id}:{number}" for number in (*requested, *settled))
        if entry.action in ("draft_offer", "request_approval"):
            yield f"subject:{self._offer['hash']}"
        yield from (f"subject:{self._subjects[number]}" for number in settled if number in self._subjects)
        if DUTY_OF.get(entry.action) in ("contract_writing", "contract_release"):
            yield f"subject:{self._contract}"
        if entry.action in _PERSONAL_OBJECTS:
            yield f"invoice:{entry.payload.get('invoice') or entry.payload.get('number') or ''}"

    def _executed(self, entry: Entry, settled: list[int]) -> tuple[str, tuple[str, ...]]:
        """The hash of what was done, and those of the approvals that counted for it."""
        for event in entry.events:
            if event["tag"] == "offer_sent":
                approvals = (entry.receipt or {}).get("approvals", [])
                return event["hash"], tuple(each["subject_hash"] for each in approvals if each["kind"] == "offer")
            if event["tag"] == "invoice_written_off" and settled:
                approved = tuple(self._subjects[number] for number in settled if number in self._subjects)
                return f"{event['invoice']}:{event['amount_minor']}", approved
        return "", ()

    def _concede(self, entry: Entry) -> None:
        if Role(entry.role) in MACHINES or (policy := self.policies.get(entry.policy_version)) is None:
            return
        if entry.action == "send_offer" and not (entry.receipt or {}).get("approvals"):
            lines = self._offer["lines"]
            net = sum(line["unit_price_minor"] * line["quantity"] for line in lines)
            self._replace_discount(entry, _list_of(self._offer) - net, policy)
        elif entry.action in _CREDITS:
            limit = policy.discount_authority.get(entry.role, 0)
            self._give(entry, "discount", _sum(entry, "invoice_credited", "credit_granted"), limit)
        elif entry.action == "approve_write_off":
            limit = policy.write_off_authority.get(entry.role, 0)
            self._give(entry, "write_off", _sum(entry, "invoice_written_off"), limit)
        elif entry.action == "approve_waiver":
            self._give(entry, "waiver", _sum(entry, "interest_waived"), policy.money.waiver.get(entry.role, 0))
        elif entry.action == "sign" and entry.payload.get("side") == "ours":
            self._give(entry, "signature", self._amount_minor, policy.signing_authority.get(entry.role, 0))

    def _replace_discount(self, entry: Entry, discount: int, policy: Policy) -> None:
        """A later version of an offer takes the place of the one before."""
        kept = [each for each in self.concessions if each.activity != "send_offer" or each.case != entry.deal_id]
        self.concessions[:] = kept
        self._give(entry, "discount", discount, policy.discount_authority.get(entry.role, 0))

    def _give(self, entry: Entry, kind: str, amount: int, limit: int) -> None:
        if amount <= 0:
            return
        base = _list_of(self._offer) if kind == "discount" else 0
        self.concessions.append(
            Concession(
                kind, entry.deal_id, self._customer, self._currency, entry.at, entry.actor, amount, limit, base,
                entry.on_behalf_of, entry.action, f"{entry.deal_id}/{entry.sequence}",
            )
        )  # fmt: skip


def _list_of(offer: dict[str, Any]) -> int:
    return sum(int(line["list_price_minor"]) * int(line["quantity"]) for line in offer.get("lines", ()))


def _sum(entry: Entry, *tags: str) -> int:
    """What the entry's events of these kinds gave, in minor units."""
    given = (event for event in entry.events if event["tag"] in tags)
    return sum(
        int(event.get("amount_minor", 0)) + int(event.get("applied_minor", 0)) + int(event.get("unapplied_minor", 0))
        for event in given
    )
