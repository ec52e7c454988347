"""Bank charges and cash discount on the same invoice: together they never take more than is open."""

from tests.banking.bank_books import DAY, book, entry, invoice


def test_charges_take_no_more_than_the_discount_leaves() -> None:
    two = (
        invoice("2026-000301", "nord", 3_01, "2026-02-01", discount_minor=3_00, discount_until=DAY, total_minor=300_00),
        invoice("2026-000302", "nord", 2, "2026-03-01", total_minor=300_00),
    )
    found = book(*two).match(entry(1, "2026-000301 2026-000302"), "EUR")
    assert found.allocations
    assert all(part.applied_minor > 0 for part in found.allocations)
    assert sum(part.applied_minor for part in found.allocations) == 1
