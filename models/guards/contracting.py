"""Guards of the contract stage."""

from typing import Any

from models.command import Context
from models.lifecycle.guards import guard
from models.lifecycle.roles import Role
from models.parts.contract import OURS, SIDES
from models.policy import able


@guard("a printed contract of the current version", "system: prints it in a moment")
def contract_is_drafted(ctx: Context) -> tuple[bool, Any]:
    """What has no digest can't be sent or signed."""
    contract = ctx.deal.contract
    if contract is None:
        return False, "no contract"
    return bool(contract.digest), f"version {contract.version} {'printed' if contract.digest else 'not printed yet'}"


@guard("no special clauses", "account_manager: submit_contract")
def clauses_are_standard(ctx: Context) -> tuple[bool, Any]:
    """Special clauses are reviewed by legal."""
    special = ctx.deal.contract.special_clauses if ctx.deal.contract else ()
    return not special, f"{len(special)} special clauses"


@guard("legal's release for special clauses", "legal: approve_contract")
def special_clauses_need_legal(ctx: Context) -> tuple[bool, Any]:
    """Heads may release standard contracts; what departs from the standard is legal's (D16)."""
    special = ctx.deal.contract.special_clauses if ctx.deal.contract else ()
    return not special or Role.LEGAL in ctx.actor.roles, f"{len(special)} special clauses, as {ctx.role}"


@guard("an amount within the signing authority")
def signing_within_authority(ctx: Context) -> tuple[bool, Any, tuple[str, ...]]:
    """Signing authority by amount (D17). The customer's signature and machines that record it are not measured."""
    amount = ctx.deal.contract.amount_minor if ctx.deal.contract else 0
    signers = able(ctx.policy.signing_authority, amount)
    if ctx.payload is not None and getattr(ctx.payload, "side", OURS) != OURS:
        return True, "recorded for the customer", signers
    mine = max((ctx.policy.signing_authority.get(role, 0) for role in ctx.actor.roles), default=0)
    return amount <= mine, f"{amount} to sign, {mine} allowed", signers


MOST_CLAUSES = 100
"""Clauses of one protocol at most: beyond that, parties negotiate another contract."""


@guard(f"fewer than {MOST_CLAUSES} clauses in the protocol", "legal: settle the matter in one clause")
def protocol_has_room(ctx: Context) -> tuple[bool, Any]:
    """A deal stays small enough for the engine to carry."""
    clauses = ctx.deal.contract.disagreements if ctx.deal.contract else ()
    return len(clauses) < MOST_CLAUSES, f"{len(clauses)} clauses"


@guard("an open clause of that name", "the asker: a clause that is open", needs="payload")
def disagreement_is_open(ctx: Context) -> tuple[bool, Any]:
    """Only an open clause can be settled."""
    clauses = ctx.deal.contract.disagreements if ctx.deal.contract else ()
    opened = [d.clause for d in clauses if not d.resolution]
    return ctx.payload.clause in opened, ", ".join(opened) or "none open"


@guard("no open clause in the protocol", "legal, account_manager: settle_disagreement")
def disagreements_are_settled(ctx: Context) -> tuple[bool, Any]:
    """The protocol closes when every clause is settled."""
    clauses = ctx.deal.contract.disagreements if ctx.deal.contract else ()
    opened = [d.clause for d in clauses if not d.resolution]
    return not opened, ", ".join(opened) or "all settled"


@guard(
    "a side that has not signed this version yet",
    "the asker: the other side; legal, account_manager: raise_disagreement",
    needs="payload",
)
def side_has_not_signed(ctx: Context) -> tuple[bool, Any]:
    """One signature per side and version."""
    signed = bool(ctx.deal.contract and ctx.deal.contract.signed_by(ctx.payload.side))
    return not signed, f"{ctx.payload.side} {'signed' if signed else 'not signed'}"


@guard("the digest of the current document", "the asker: the digest of the document as it stands", needs="payload")
def document_is_current(ctx: Context) -> tuple[bool, Any]:
    """Signatures bind to the document's hash (D17)."""
    current = ctx.deal.contract.digest if ctx.deal.contract else ""
    return bool(current) and ctx.payload.digest == current, current or "no document"


@guard("signatures of both sides", "account_manager: sign")
def both_sides_signed(ctx: Context) -> tuple[bool, Any]:
    """The contract stands when both have signed the same document."""
    contract = ctx.deal.contract
    return bool(contract and contract.is_signed), f"{len(contract.signatures) if contract else 0} signatures"


@guard("a contract signed by both sides", "account_manager: sign")
def contract_is_signed(ctx: Context) -> tuple[bool, Any]:
    """No goods leave before (invariant 5)."""
    contract = ctx.deal.contract
    if contract is None:
        return False, "no contract"
    signed = sum(contract.signed_by(side) for side in SIDES)
    return contract.is_signed, f"signed by {signed} of {len(SIDES)}"
