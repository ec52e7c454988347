"""Guards of accounts taken over: invoices of an earlier system are brought once, to an account, with true dates."""

from typing import Any

from models.command import Context
from models.lifecycle.guards import guard


@guard("an account that was taken over", "accounts_receivable: take_over_account of a new deal")
def is_an_account(ctx: Context) -> tuple[bool, Any]:
    """Invoices of goods follow from goods; only an account takes those of an earlier system."""
    return ctx.deal.is_account, "an account" if ctx.deal.is_account else "a deal about goods"


@guard("a number that this account does not have yet", "the asker: another number", needs="payload")
def number_is_new(ctx: Context) -> tuple[bool, Any]:
    """An invoice that is brought twice is refused, even while the book is still being asked."""
    number = ctx.payload.number
    coming = any(e.kind == "issue_invoice" and e.data.get("number") == number for e in ctx.deal.pending)
    there = ctx.deal.receivable(number) is not None or coming
    return not there, f"{number} is on this account already" if there else number


@guard(
    "a number that no other deal's invoice has",
    "the asker: the number with the earlier system's name before it",
    needs="invoice_number",
)
def number_is_free(ctx: Context) -> tuple[bool, Any]:
    """An invoice number names one invoice, for ever."""
    holder = ctx.facts.invoice_number.deal_id if ctx.facts.invoice_number else ""
    return holder == ctx.deal.id, "free" if holder == ctx.deal.id else f"taken by {holder}"


@guard("an invoice that was issued by today", "the asker: the day of the invoice", needs="payload")
def issued_in_the_past(ctx: Context) -> tuple[bool, Any]:
    """What is not issued yet is not brought."""
    return ctx.payload.issued_on <= ctx.now[:10], ctx.payload.issued_on
