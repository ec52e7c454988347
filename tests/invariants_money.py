"""Invariants of money: ledger and deals agree, numbers have no gaps, headroom and group holds are somebody's."""

from collections import Counter, defaultdict
from collections.abc import Iterable

from models.tables.money_books import GroupHoldRow, HeadroomRow, InvoiceRow, LedgerEntryRow
from tests.invariants_books import Books
from tests.stories import Story


def ledger_findings(books: Books) -> Iterable[str]:
    """Invariant 4: every invoice's book equals the deal's receivable; numbers have no gap."""
    booked = _booked(books)
    owed = {
        r.number: (story, r)
        for story in books.stories.values()
        for r in story.deal.receivables
    }  # fmt: skip
    for invoice in books.of(InvoiceRow):
        number, sums = invoice["number"], booked[invoice["number"]]
        spent = sums["payment"] + sums["credit_note"] + sums["write_off"]
        total, left = invoice["total_minor"], invoice["open_minor"]
        if total != spent + left:
            yield f"invoice {number}: {total} invoiced, {dict(sums)} booked, {left} open"
        if number not in owed:
            if not books.stories[invoice["deal_id"]].waits_for("issue_invoice", "issue_interest_note"):
                yield f"invoice {number}: its deal {invoice['deal_id']} does not know it"
            continue
        story, r = owed[number]
        if not story.waits_for("book_entry"):
            deal = (r.total_minor, r.open_minor, r.paid_minor, r.credited_minor, r.written_off_minor, r.unapplied_minor)
            kinds = ("payment", "credit_note", "write_off", "unapplied")
            book = (total, left, *(sums[kind] for kind in kinds))
            if deal != book:
                yield f"invoice {number}: the deal says {deal}, the ledger {book}"
    yield from _numbers(books)
    missing = set(owed) - {row["number"] for row in books.of(InvoiceRow)}
    yield from (f"invoice {number} of {owed[number][0].deal_id} is in no ledger" for number in sorted(missing))


_COUNTS_AS = {"reversal": ("payment", -1, -1), "set_off": ("credit_note", 1, -1)}


def _booked(books: Books) -> defaultdict[str, Counter[str]]:
    """What was booked on every invoice by kind; what went back is less paid, and less credit. What was set off settles
    like a credit note, and uses credit."""
    booked: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for entry in books.of(LedgerEntryRow):
        kind, sign, used = _COUNTS_AS.get(entry["kind"], (entry["kind"], 1, 1))
        booked[entry["invoice"]][kind] += sign * entry["amount_minor"]
        booked[entry["invoice"]]["unapplied"] += used * entry["unapplied_minor"]
    return booked


def _numbers(books: Books) -> Iterable[str]:
    """Invoices of our own and credit notes are numbered 1, 2, 3 and so on in every series; nothing else is."""
    series: defaultdict[str, list[int]] = defaultdict(list)
    numbers = [row["number"] for row in books.of(InvoiceRow) if row["kind"] != "legacy"]
    for entry in books.of(LedgerEntryRow):
        if bool(entry["number"]) != (entry["kind"] == "credit_note"):
            yield f"entry {entry['id']}: a {entry['kind']} has the number {entry['number']!r}"
        numbers += [entry["number"]] if entry["number"] else []
    for number in numbers:
        name, _, place = number.rpartition("-")
        series[name].append(int(place))
    for name, places in series.items():
        if sorted(places) != list(range(1, len(places) + 1)):
            yield f"the series {name} of invoices has a gap"


def headroom_findings(books: Books) -> Iterable[str]:
    """What deals believe to have reserved of the credit limit is what the credit book holds for them."""
    held: Counter[str] = Counter()
    for row in books.of(HeadroomRow):
        held[row["deal_id"]] += row["amount_minor"] if row["state"] == "active" else 0
    for story in books.stories.values():
        if not story.waits_for("release_headroom") and held[story.deal_id] != story.deal.headroom_minor:
            believed = story.deal.headroom_minor
            yield f"{story.deal_id}: has {believed} of headroom, the credit book holds {held[story.deal_id]}"
        if story.deal.is_closed and not story.deal.pending and held[story.deal_id]:
            yield f"{story.deal_id}: is closed and still holds {held[story.deal_id]} of headroom"


def group_holds_findings(books: Books) -> Iterable[str]:
    """The holds on customer groups are those that deals have set and not lifted; none outlives its deal's own hold."""
    held: defaultdict[str, set[str]] = defaultdict(set)
    for row in books.of(GroupHoldRow):
        held[row["deal_id"]].add(row["invoice"])
    for story in books.stories.values():
        asked = _holds_asked(story)
        booked = held.pop(story.deal_id, set())
        if not story.waits_for("hold_group") and asked != booked:
            yield f"{story.deal_id}: holds its group for {sorted(asked)}, the credit book says {sorted(booked)}"
        if asked and (story.deal.is_closed or "credit" not in story.deal.holds):
            yield f"{story.deal_id}: holds its group and is {story.deal.state}, on hold: {story.deal.holds}"
    yield from (f"{deal_id}: holds a group and has no timeline" for deal_id in held)


def _holds_asked(story: Story) -> set[str]:
    """The invoices for which the deal has its group held, as its own effects add up."""
    asked: set[str] = set()
    for data in (effect.data for effect in story.effects if effect.kind == "hold_group"):
        if data["on"]:
            asked.add(data["invoice"])
        else:
            asked -= {data["invoice"]} if data["invoice"] else set(asked)
    return asked
