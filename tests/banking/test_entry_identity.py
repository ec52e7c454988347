"""The same entry in another file: nothing is booked twice, and nothing is lost."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.banking.identity import Imported, assign, same_entry
from models.banking.statement import BankEntry

CAMT = Imported(
    "2026-03-12",
    119_00,
    "EUR",
    "2026031200012345678",
    "E2E-2026-0000000000004711",
    "",
    "Rechnung 2026-000123 vom 01.03.2026 abzüglich Skonto, vielen Dank",
    "Müller & Söhne GmbH",
    "DE02120300000000202051",
    "camt.053.001.08",
)
MT940 = replace(
    CAMT,
    bank_reference=CAMT.bank_reference[:16],
    end_to_end="",
    text="SVWZ+RECHNUNG 2026-000123 VOM 0\n1.03.2026 ABZUEGLICH SKONTO",
    party_name="MUELLER + SOEHNE GMBH",
    source="MT940",
)


def test_the_same_payment_in_both_formats() -> None:
    assert same_entry(CAMT, MT940)
    assert same_entry(MT940, CAMT)
    assert same_entry(replace(CAMT, bank_reference=""), MT940)
    assert same_entry(replace(CAMT, bank_reference="", text=""), replace(MT940, bank_reference=""))
    assert same_entry(replace(CAMT, party_iban="", text="", party_name=""), replace(MT940, bank_reference=""))


@pytest.mark.parametrize(
    "other",
    [
        replace(MT940, day="2026-03-13"),
        replace(MT940, amount_minor=-119_00),
        replace(MT940, currency="CHF"),
        replace(MT940, bank_reference="2026031200099999"),
        replace(MT940, end_to_end="E2E-9"),
        replace(MT940, bank_reference="", text="Rechnung 2026-000124"),
        replace(MT940, bank_reference="", party_iban="DE89370400440532013000"),
        replace(MT940, bank_reference="", party_iban="", party_name="Nordholz"),
    ],
)
def test_another_payment(other: Imported) -> None:
    assert not same_entry(CAMT, other)
    assert not same_entry(other, CAMT)


def test_a_short_reference_is_not_a_long_one_cut_off() -> None:
    one, other = replace(CAMT, bank_reference="1", end_to_end=""), replace(MT940, bank_reference="12", text="anderes")
    assert not same_entry(one, other)
    assert same_entry(one, replace(other, text=CAMT.text))  # but it does not stand against the text either


def test_an_equal_reference_is_enough() -> None:
    assert same_entry(CAMT, replace(MT940, text="", party_name="", party_iban=""))
    assert same_entry(
        replace(CAMT, bank_reference=""), replace(MT940, bank_reference="", end_to_end=CAMT.end_to_end, text="?")
    )


def test_one_format_has_no_excuse() -> None:
    bare = replace(CAMT, bank_reference="", end_to_end="")
    assert same_entry(bare, replace(bare, text=bare.text.upper()))
    assert not same_entry(bare, replace(bare, text="Rechnung 2026-000123"))
    assert not same_entry(bare, replace(bare, party_iban=""))
    assert not same_entry(CAMT, replace(CAMT, bank_reference=CAMT.bank_reference[:16]))
    assert same_entry(bare, replace(bare, party_iban="", source=""))


def test_an_old_account_number_is_the_end_of_an_iban() -> None:
    one, other = replace(CAMT, bank_reference=""), replace(MT940, bank_reference="", party_iban="0000202051", text="")
    assert same_entry(one, other)


def test_more_equal_ones_than_before_are_new() -> None:
    assert assign([MT940] * 3, [MT940]) == [0, None, None]
    assert assign([MT940], [MT940] * 3) == [0]
    assert assign([CAMT] * 3, [MT940] * 2).count(None) == 1
    assert assign([], [MT940]) == []
    assert assign([CAMT], []) == [None]


def test_the_surer_twin_is_taken() -> None:
    silent = replace(MT940, bank_reference="", text="", party_name="", party_iban="")
    assert assign([CAMT], [silent, MT940]) == [1]
    assert assign([CAMT], [MT940, silent]) == [0]


def test_as_many_twins_as_there_can_be() -> None:
    """The first could take either; taking the wrong one would leave the second without."""
    silent = Imported("2026-03-12", 119_00, "EUR", source="MT940")
    first, second = (Imported("2026-03-12", 119_00, "EUR", text=text, source="camt") for text in ("A b", "C d"))
    assert assign([silent, replace(silent, text="A b")], [first, second]) == [1, 0]
    assert assign([replace(silent, text="A b"), silent], [first, second]) == [0, 1]
    party = "DE02120300000000202051"
    here = [replace(silent, party_iban=party), replace(silent, party_iban=party, text="A b")]
    there = [replace(first, party_iban=party), replace(second, party_iban=party)]
    assert assign(here, there) == [1, 0]
    texts = [f"text {i}" for i in range(50)]
    here = [replace(silent, text=text) for text in texts]
    there = [replace(first, text=text) for text in reversed(texts[1:])] + [replace(first, text="")]
    assert assign(here, there) == [49, *range(48, -1, -1)]


def test_of_an_entry() -> None:
    entry = BankEntry(1, 5, "EUR", "2026-03-12", "2026-03-13", "B", "E", "S", "T", "N", "I")
    assert Imported.of(entry, "MT940") == Imported("2026-03-12", 5, "EUR", "B", "E", "S", "T", "N", "I", "MT940")


# Payments as they happened, and how each format tells them. In one book a bank reference is one payment's; an
# end-to-end id is the payer's and may come again with the same words.

texts = st.sampled_from(
    ("", "Miete", "Rechnung 2026-000123", "Rechnung 2026-000124", "Für die Lieferung vom 1. März 2026")
)
parties = st.sampled_from(
    (("", ""), ("Müller & Söhne GmbH", "DE02120300000000202051"), ("Nordholz", "DE89370400440532013000"))
)


@st.composite
def payments(draw: st.DrawFn) -> list[Imported]:
    found = []
    for serial in range(draw(st.integers(0, 9))):
        name, account = draw(parties)
        text = draw(texts)
        found.append(
            Imported(
                draw(st.sampled_from(("2026-03-12", "2026-03-13"))),
                draw(st.sampled_from((100_00, -5_00))),
                "EUR",
                draw(st.sampled_from(("", f"{serial:02d}BANKREFERENCE99999"))),
                draw(st.sampled_from(("", f"E2E{text}{account[:4]}"))),
                "",
                text,
                name,
                account,
                "camt.053.001.08",
            )
        )
    return found


def as_mt940(payment: Imported, knows_party: bool) -> Imported:
    chunks = [payment.text[i : i + 27] for i in range(0, len(payment.text), 27)]
    return replace(
        payment,
        source="MT940",
        bank_reference=payment.bank_reference[:16],
        end_to_end=payment.end_to_end[:16] if knows_party else "",
        text="SVWZ+" + "\n".join(chunks).upper().replace("Ü", "UE") if payment.text else "",
        party_name=payment.party_name.upper() if knows_party else "",
        party_iban=payment.party_iban if knows_party else "",
    )


def import_all(files: list[list[tuple[int, Imported]]]) -> list[Imported]:
    """What is in the book after importing files of (number of the payment, how it is told)."""
    book: list[Imported] = []
    for file in files:
        new = [told for _, told in file]
        twins = assign(new, book)
        kept = [twin for twin in twins if twin is not None]
        assert len(kept) == len(set(kept))
        assert all(twin is None or same_entry(told, book[twin]) for told, twin in zip(new, twins, strict=True))
        book += [told for told, twin in zip(new, twins, strict=True) if twin is None]
    return book


@settings(max_examples=150)
@given(payments(), st.data())
def test_overlapping_parts_of_one_format_in_any_order_give_the_list(
    happened: list[Imported], data: st.DataObject
) -> None:
    """Files of one format that overlap anywhere. Those that cannot be told apart are in each file in full number."""
    files = []
    groups = [one.fingerprint for one in happened]
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(happened)))
        chosen = set(groups[start : data.draw(st.integers(start, len(happened)))])
        files.append([(i, told) for i, told in enumerate(happened) if told.fingerprint in chosen])
    files = [data.draw(st.permutations(file)) for file in (*files, list(enumerate(happened)))]
    book = import_all(data.draw(st.permutations(files)))
    assert Counter(one.fingerprint for one in book) == Counter(groups)


@settings(max_examples=150)
@given(payments(), st.booleans(), st.data())
def test_whole_days_in_any_format_in_any_order_give_the_list(
    happened: list[Imported], knows_party: bool, data: st.DataObject
) -> None:
    days = sorted({one.day for one in happened})
    files = []
    for _ in range(4):
        is_mt940 = data.draw(st.booleans())
        chosen = data.draw(st.sets(st.sampled_from(days))) if days else set()
        told = [as_mt940(one, knows_party) if is_mt940 else one for one in happened]
        files.append(data.draw(st.permutations([(i, one) for i, one in enumerate(told) if one.day in chosen])))
    book = import_all([*files, list(enumerate(happened))])
    assert Counter(one.money for one in book) == Counter(one.money for one in happened)


@given(payments(), payments())
def test_being_the_same_goes_both_ways(some: list[Imported], others: list[Imported]) -> None:
    for one in some:
        assert same_entry(one, one)
        for other in others:
            assert same_entry(one, as_mt940(other, True)) == same_entry(as_mt940(other, True), one)
