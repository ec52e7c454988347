"""Creditor references: ISO 11649's check digits, and what a slip of the pen may have meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iso11649

from models.banking.references import ReferenceIndex, creditor_reference, has_right_check, is_iban

numbers = st.from_regex(r"([A-Z]{1,2}-)?20[0-9]{2}-[0-9]{6}", fullmatch=True)


def test_of_the_standards_example() -> None:
    assert creditor_reference("539007547034") == "RF18539007547034"
    assert has_right_check("RF18539007547034")


@given(numbers)
def test_another_library_finds_it_right(number: str) -> None:
    assert iso11649.is_valid(creditor_reference(number))


@given(numbers)
def test_leads_back_to_its_invoice(number: str) -> None:
    assert ReferenceIndex([number]).named(creditor_reference(number)) == (number,)


@given(numbers, st.data())
def test_one_wrong_digit_is_never_right_and_is_understood(number: str, data: st.DataObject) -> None:
    right = creditor_reference(number)
    digits = [i for i, sign in enumerate(right) if sign.isdigit()]
    at = data.draw(st.sampled_from(digits))
    digit = data.draw(st.sampled_from([sign for sign in "0123456789" if sign != right[at]]))
    wrong = right[:at] + digit + right[at + 1 :]
    index = ReferenceIndex([number])
    assert not has_right_check(wrong)
    assert index.named(wrong) == ()
    assert index.meant(wrong) == (number,)


def test_leading_zeros_that_a_system_put_before_do_not_matter() -> None:
    index = ReferenceIndex(["2026-000123"])
    assert index.named("RF" + creditor_reference("2026-000123")[2:4] + "0002026000123") == ("2026-000123",)


def test_a_national_reference_is_the_number_in_plain_text() -> None:
    assert ReferenceIndex(["2026-000123"]).named("2026000123") == ("2026-000123",)


@pytest.mark.parametrize("number", ["", "---", "1" * 22, "2026-Ü"])
def test_of_what_fits_in_no_reference(number: str) -> None:
    with pytest.raises(ValueError, match="creditor reference"):
        creditor_reference(number)


def test_ibans() -> None:
    assert is_iban("DE89370400440532013000")
    assert not is_iban("DE88370400440532013000")
    assert not is_iban("2026000123")
