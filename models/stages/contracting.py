"""Contract: drafts in versions, the protocol of disagreements, release, signatures (D15..D18)."""

from dataclasses import dataclass

from models.change import replace
from models.codec import later
from models.command import Context
from models.deal_state import Deal, Effect
from models.event import Event, event
from models.parts.contract import SIDES, Contract, Disagreement, Signature
from models.parts.order import Order, OrderLine
from models.stages.everywhere import EffectFinished, Filed, PaperFiled, Reason
from models.stages.group_hold import ask_group_holds
from models.stages.handling import handles


@dataclass(frozen=True, slots=True)
class Redraft:
    """Special clauses of the next version; empty for the standard contract."""

    special_clauses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RaiseDisagreement:
    """A clause on which the sides differ (D16)."""

    clause: str
    our_position: str
    their_position: str

    def __post_init__(self) -> None:
        if not self.clause.strip():
            raise ValueError("clause must not be empty")


@dataclass(frozen=True, slots=True)
class SettleDisagreement:
    """How a clause was settled."""

    clause: str
    resolution: str

    def __post_init__(self) -> None:
        if not self.resolution.strip():
            raise ValueError("resolution must not be empty")


@dataclass(frozen=True, slots=True)
class Sign:
    """A signature of a side (`ours` or `theirs`) under the document with this digest.

    `signatory` names the function of who signed for the customer, never the person.
    """

    side: str
    digest: str
    signatory: str = ""

    def __post_init__(self) -> None:
        if self.side not in SIDES:
            raise ValueError(f"side must be one of {', '.join(SIDES)}")


@event
@dataclass(frozen=True, slots=True)
class ContractVersioned(Event):
    """A new version is to be printed; signatures under earlier ones no longer count."""

    tag = "contract_versioned"
    version: int
    special_clauses: tuple[str, ...]
    by: tuple[str, ...] = ()

    def apply(self, deal: Deal, at: str) -> Deal:
        contract = _contract(deal)
        return replace(
            deal,
            contract=replace(
                contract, version=self.version, special_clauses=self.special_clauses, digest="", document="",
                signatures=(), edited_by=self.by,
            ),
        )  # fmt: skip

    def effects(self, deal: Deal, at: str) -> tuple[Effect, ...]:
        return (Effect("print_document", {"kind": "contract", "version": self.version}),)


@event
@dataclass(frozen=True, slots=True)
class ContractSubmitted(Event):
    """Somebody asked for the release of the current version, and can't release it themselves."""

    tag = "contract_submitted"
    by: tuple[str, ...]

    def apply(self, deal: Deal, at: str) -> Deal:
        contract = _contract(deal)
        return replace(deal, contract=replace(contract, edited_by=(*contract.edited_by, *self.by)))


@event
@dataclass(frozen=True, slots=True)
class ContractPrinted(Event):
    """The document of a version exists; its digest is what gets signed."""

    tag = "contract_printed"
    version: int
    document: str
    digest: str

    def apply(self, deal: Deal, at: str) -> Deal:
        contract = deal.contract
        if contract is None or contract.version != self.version:
            return deal
        return replace(deal, contract=replace(contract, document=self.document, digest=self.digest))


@event
@dataclass(frozen=True, slots=True)
class DisagreementRaised(Event):
    """A clause was added to the protocol."""

    tag = "disagreement_raised"
    disagreement: Disagreement

    def apply(self, deal: Deal, at: str) -> Deal:
        contract = _contract(deal)
        return replace(deal, contract=replace(contract, disagreements=(*contract.disagreements, self.disagreement)))


@event
@dataclass(frozen=True, slots=True)
class DisagreementSettled(Event):
    """A clause of the protocol was settled."""

    tag = "disagreement_settled"
    clause: str
    resolution: str

    def apply(self, deal: Deal, at: str) -> Deal:
        contract = _contract(deal)
        clauses = tuple(
            replace(d, resolution=self.resolution) if d.clause == self.clause and not d.resolution else d
            for d in contract.disagreements
        )
        return replace(deal, contract=replace(contract, disagreements=clauses))


@event
@dataclass(frozen=True, slots=True)
class ContractSigned(Event):
    """One side signed."""

    tag = "contract_signed"
    signature: Signature

    def apply(self, deal: Deal, at: str) -> Deal:
        contract = _contract(deal)
        return replace(deal, contract=replace(contract, signatures=(*contract.signatures, self.signature)))


@event
@dataclass(frozen=True, slots=True)
class ContractConcluded(Event):
    """Both sides signed: the order stands as offered; prepaid deals are invoiced at once. When `billing_follows`, with
    an event of its own."""

    tag = "contract_concluded"
    billing_follows: bool = later(False)

    def apply(self, deal: Deal, at: str) -> Deal:
        offered = deal.offer.lines if deal.offer else ()
        lines = tuple(
            OrderLine(o.line, o.article, o.description, o.quantity, o.unit_price_minor, o.tax_bps) for o in offered
        )
        return replace(deal, order=Order(lines))

    def effects(self, deal: Deal, at: str) -> tuple[Effect, ...]:
        if self.billing_follows or deal.offer is None or not deal.offer.prepaid or deal.offer.total_minor <= 0:
            return ()
        lines = [{"line": line.line, "quantity": line.ordered} for line in deal.order.lines] if deal.order else []
        return (Effect("issue_invoice", {"kind": "prepayment", "lines": lines}),)


def _contract(deal: Deal) -> Contract:
    if deal.contract is None:
        raise ValueError(f"deal {deal.id} has no contract")
    return deal.contract


@handles("redraft_contract", Redraft)
def redraft_contract(ctx: Context) -> list[Event]:
    """Print the next version."""
    return [ContractVersioned(_contract(ctx.deal).version + 1, ctx.payload.special_clauses, ctx.actor.people)]


@handles("file_document", Filed)
def file_document(ctx: Context) -> list[Event]:
    """Keep the digest; a contract's digest is what will be signed."""
    filed: Filed = ctx.payload
    effect = ctx.deal.effect(filed.effect)
    kind, version = (str(effect.data["kind"]), int(effect.data["version"])) if effect else ("", 0)
    done: list[Event] = [EffectFinished(filed.effect), PaperFiled(kind, filed.name, filed.digest)]
    return [*done, ContractPrinted(version, filed.name, filed.digest)] if kind == "contract" else done


@handles("send_contract")
def send_contract(ctx: Context) -> list[Event]:
    """The move itself is all there is: the document is the one that was printed."""
    return []


@handles("submit_contract")
def submit_contract(ctx: Context) -> list[Event]:
    """Legal is asked through the agenda."""
    return [ContractSubmitted(ctx.actor.people)]


@handles("approve_contract", Reason)
def approve_contract(ctx: Context) -> list[Event]:
    """The release is in the entry itself: who, when, which version."""
    return []


@handles("return_contract", Reason)
def return_contract(ctx: Context) -> list[Event]:
    """Back to drafting, with the reason in the entry."""
    return []


@handles("raise_disagreement", RaiseDisagreement)
def raise_disagreement(ctx: Context) -> list[Event]:
    """Add a clause to the protocol."""
    p: RaiseDisagreement = ctx.payload
    return [DisagreementRaised(Disagreement(p.clause, p.our_position, p.their_position))]


@handles("settle_disagreement", SettleDisagreement)
def settle_disagreement(ctx: Context) -> list[Event]:
    """Record the settlement of a clause."""
    return [DisagreementSettled(ctx.payload.clause, ctx.payload.resolution)]


@handles("close_protocol")
def close_protocol(ctx: Context) -> list[Event]:
    """The next version adds what was settled to the special clauses; what an earlier protocol settled stays once."""
    contract = _contract(ctx.deal)
    settled = (f"{d.clause}: {d.resolution}" for d in contract.disagreements)
    clauses = tuple(dict.fromkeys((*contract.special_clauses, *settled)))
    return [ContractVersioned(contract.version + 1, clauses, ctx.actor.people)]


@handles("sign", Sign, asks={"group_holds": ask_group_holds})
def sign(ctx: Context) -> list[Event]:
    """Our signature is the actor's; theirs is recorded by function."""
    p: Sign = ctx.payload
    signed_by = ctx.actor.user if p.side == "ours" else p.signatory or "customer"
    return [ContractSigned(Signature(p.side, signed_by, p.digest, ctx.now))]


@handles("conclude_contract")
def conclude_contract(ctx: Context) -> list[Event]:
    """The order begins."""
    return [ContractConcluded(billing_follows=ctx.policy.rules >= 3)]
