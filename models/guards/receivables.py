"""Guards of receivables and post-sale support."""

from typing import Any

from models.command import Context
from models.instants import between
from models.lifecycle.guards import guard
from models.parts.receivable import Receivable
from models.policy import able


def _owed(ctx: Context) -> Receivable | None:
    return ctx.deal.receivable(ctx.payload.invoice)


@guard("an invoice of this deal", "the asker: the right number", needs="payload")
def invoice_is_known(ctx: Context) -> tuple[bool, Any]:
    """Money is booked on invoices that exist."""
    known = ", ".join(r.number for r in ctx.deal.receivables)
    return _owed(ctx) is not None, known or "no invoices"


@guard("the deal's currency", "the asker: the amount in the deal's currency", needs="payload")
def currency_matches(ctx: Context) -> tuple[bool, Any]:
    """Foreign money is refused, not converted."""
    return ctx.payload.currency == ctx.deal.currency, ctx.payload.currency


@guard("an invoice with an open amount", "the asker: another invoice", needs="payload")
def invoice_is_open(ctx: Context) -> tuple[bool, Any]:
    """What is settled needs no collection."""
    owed = _owed(ctx)
    if owed is None:
        return False, "no such invoice"
    return owed.open_minor > 0, f"{owed.open_minor} open"


@guard("an amount within what is open and not disputed", "the asker: a smaller amount", needs="payload")
def amount_within_open(ctx: Context) -> tuple[bool, Any]:
    """Nobody disputes, promises or credits more than is open."""
    owed = _owed(ctx)
    if owed is None:
        return False, "no such invoice"
    return ctx.payload.amount_minor <= owed.collectable_minor, f"{owed.collectable_minor} open and not disputed"


@guard("a date in the future", "the asker: a later date", needs="payload")
def date_is_ahead(ctx: Context) -> tuple[bool, Any]:
    """A promise is about the future."""
    return between(ctx.now, ctx.payload.until) > 0, ctx.payload.until


@guard(
    "an open dispute with that number, and a credit within it",
    "the asker: another dispute or a smaller credit",
    needs="payload",
)
def dispute_is_open(ctx: Context) -> tuple[bool, Any]:
    """Only an open dispute can be settled, for no more than was disputed."""
    owed = _owed(ctx)
    opened = {d.number: d.amount_minor for d in owed.disputes if not d.settled} if owed else {}
    frozen = opened.get(ctx.payload.dispute)
    if frozen is None or owed is None:
        return False, f"open disputes: {', '.join(map(str, opened)) or 'none'}"
    return ctx.payload.credit_minor <= min(frozen, owed.open_minor), f"{frozen} disputed"


@guard("no other write-off waiting for a decision", "head_of_sales: approve_write_off or decline_write_off")
def no_request_pending(ctx: Context) -> tuple[bool, Any]:
    """One at a time."""
    asked = ctx.deal.pending_approval("write_off")
    return asked is None, f"request {asked.number} pending" if asked else "none"


@guard("a requested write-off whose amount is still open", "accounts_receivable: request_write_off")
def write_off_is_requested(ctx: Context) -> tuple[bool, Any]:
    """The approval binds to exactly the amount that was asked for."""
    asked = ctx.deal.pending_approval("write_off")
    if asked is None:
        return False, "no request"
    owed = ctx.deal.receivable(asked.subject)
    opened = owed.open_minor if owed else 0
    return opened == asked.amount, f"{asked.amount} asked, {opened} open"


@guard("an amount within the approver's authority")
def write_off_within_authority(ctx: Context) -> tuple[bool, Any, tuple[str, ...]]:
    """Write-offs by amount (D32)."""
    asked = ctx.deal.pending_approval("write_off")
    amount = asked.amount if asked else 0
    limits = ctx.policy.write_off_authority
    mine = max((limits.get(role, 0) for role in ctx.actor.roles), default=0)
    return amount <= mine, f"{amount} asked, {mine} allowed", able(limits, amount)


@guard("delivered lines of this order", "the asker: lines that were delivered", needs="payload")
def lines_are_known(ctx: Context) -> tuple[bool, Any]:
    """A complaint is about delivered lines."""
    delivered = {line.line for line in ctx.deal.order.lines if line.delivered} if ctx.deal.order else set()
    unknown = [str(n) for n in ctx.payload.lines if n not in delivered]
    if not ctx.payload.lines:
        return False, "no line named"
    return not unknown, f"not delivered: {', '.join(unknown)}" if unknown else "delivered"


@guard("an open case", "the asker: a case that is open", needs="payload")
def case_is_open(ctx: Context) -> tuple[bool, Any]:
    """Only an open case can be decided."""
    case = ctx.deal.case(ctx.payload.case)
    return case is not None and case.state == "open", case.state if case else "no such case"


@guard("a decided case", "account_manager: decide_case", needs="payload")
def case_is_decided(ctx: Context) -> tuple[bool, Any]:
    """A case closes after its decision."""
    case = ctx.deal.case(ctx.payload.case)
    return case is not None and case.state == "decided", case.state if case else "no such case"


@guard("a credit within the open amount of the invoice", "the asker: a smaller credit", needs="payload")
def credit_fits_an_invoice(ctx: Context) -> tuple[bool, Any]:
    """A credit note never exceeds what is open."""
    if not ctx.payload.credit_minor:
        return True, "no credit"
    owed = _owed(ctx)
    if owed is None:
        return False, "no such invoice"
    return ctx.payload.credit_minor <= owed.open_minor, f"{owed.open_minor} open"


@guard("nothing open on any invoice", "accounts_receivable: record_payment")
def receivables_are_settled(ctx: Context) -> tuple[bool, Any]:
    """A deal ends when its money is settled."""
    return ctx.deal.open_minor == 0, f"{ctx.deal.open_minor} open"


@guard("no open complaint case", "account_manager: decide_case, close_case")
def no_case_is_open(ctx: Context) -> tuple[bool, Any]:
    """A deal ends when nobody waits for an answer."""
    opened = [str(c.number) for c in ctx.deal.cases if c.state != "closed"]
    return not opened, f"cases open: {', '.join(opened)}" if opened else "none"


@guard("a written-off amount", "head_of_sales: approve_write_off")
def something_was_written_off(ctx: Context) -> tuple[bool, Any]:
    """A default is a deal whose money was given up."""
    given_up = sum(r.written_off_minor - r.tolerated_minor for r in ctx.deal.receivables)
    return given_up > 0, f"{given_up} written off"
