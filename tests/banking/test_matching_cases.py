"""What a bookkeeper expects of money that came in, rule by rule."""

from typing import Any

import pytest

from models.banking.matching import Book
from models.banking.matching_values import Match, Payer, Tolerance
from models.banking.references import creditor_reference
from tests.banking.bank_books import (
    INVOICES,
    NORD,
    PAYERS,
    TOLERANCE,
    book,
    entry,
    from_mueller,
    from_nord,
    invoice,
    parts,
    whys,
)


def match(amount_minor: int, text: str = "", **more: Any) -> Match:
    return book().match(entry(amount_minor, text, **more), "EUR")


class TestReference:
    """structured_reference"""

    def test_pays_the_invoice_that_it_names(self) -> None:
        found = match(119_00, structured=creditor_reference("2026-000123"))
        assert (found.rule, parts(found)) == ("structured_reference", {"2026-000123": 119_00})
        assert (found.customer, found.candidates) == ("nord", ())

    def test_also_in_groups_of_four_in_the_text(self) -> None:
        printed = creditor_reference("2026-000123")
        groups = " ".join(printed[i : i + 4] for i in range(0, len(printed), 4))
        assert match(119_00, f"SVWZ+{groups} Vielen Dank").rule == "structured_reference"

    def test_as_a_national_one_in_plain_text(self) -> None:
        assert match(119_00, structured="2026000123").rule == "structured_reference"

    def test_whoever_pays_and_whatever_part(self) -> None:
        reference = creditor_reference("2026-000123")
        found = book().match(from_mueller(19_00, structured=reference), "EUR")
        assert (found.rule, parts(found)) == ("structured_reference", {"2026-000123": 19_00})

    def test_wrong_check_digits_are_a_question(self) -> None:
        found = match(119_00, structured="RF992026000123")
        assert found.rule == ""
        best = found.candidates[0]
        assert best.score == 95
        assert "check digits of the reference RF992026000123 are wrong; did they mean 2026-000123?" in best.why

    def test_a_wrong_digit_is_understood(self) -> None:
        wrong = creditor_reference("2026-000123")[:4] + "2026000132"
        assert "did they mean 2026-000123?" in whys(match(5_00, structured=wrong))

    def test_almost_one_invoice_by_reference_and_exactly_another_by_amount(self) -> None:
        found = book().match(from_nord(200_00, structured="RF992026000123"), "EUR")
        assert found.rule == ""
        assert "2026-000125" in found.reason
        assert "2026-000123" in found.reason

    def test_of_somebody_else_says_nothing(self) -> None:
        found = book().match(from_nord(200_00, structured=creditor_reference("INVOICE77")), "EUR")
        assert found.rule == "amount_and_customer"

    def test_of_two_numbers_with_the_same_digits_the_amount_tells_which(self) -> None:
        pair = (invoice("A-77-1", "nord", 50_00), invoice("A-771", "rossi", 60_00))
        reference = creditor_reference("A-77-1")
        assert parts(book(*pair).match(entry(60_00, structured=reference), "EUR")) == {"A-771": 60_00}
        assert book(*pair).match(entry(55_00, structured=reference), "EUR").rule == ""

    def test_and_a_text_that_names_another_one(self) -> None:
        reference = creditor_reference("2026-000123")
        assert match(119_00, "2026-000125", structured=reference).rule == "structured_reference"
        both = match(319_00, "2026-000125", structured=reference)
        assert (both.rule, parts(both)) == ("invoice_number", {"2026-000123": 119_00, "2026-000125": 200_00})
        assert match(100_00, "2026-000125", structured=reference).rule == ""


class TestNumber:
    """invoice_number"""

    def test_many_invoices_in_one_payment(self) -> None:
        found = match(400_00, "2026-000123, 2026-000125 und 2026-000126")
        assert found.rule == "invoice_number"
        assert parts(found) == {"2026-000123": 119_00, "2026-000125": 200_00, "2026-000126": 81_00}

    def test_the_rest_of_a_list_when_the_sum_agrees(self) -> None:
        assert parts(match(400_00, "Rg 2026-000123, 125, 126")).keys() == {"2026-000123", "2026-000125", "2026-000126"}
        assert parts(match(400_00, "2026-000123 - 2026-000126")).keys() == {"2026-000123", "2026-000125", "2026-000126"}

    def test_a_list_whose_sum_does_not_agree_is_a_question(self) -> None:
        found = match(350_00, "Rg 2026-000123, 125, 126")
        assert found.rule == ""
        assert "perhaps 2026-000125, 2026-000126 too" in found.reason

    def test_too_little_goes_to_the_oldest_due(self) -> None:
        found = match(150_00, "2026-000125 2026-000123")
        assert parts(found) == {"2026-000123": 119_00, "2026-000125": 31_00}

    def test_what_is_not_reached_is_not_listed(self) -> None:
        assert parts(match(100_00, "2026-000125 2026-000123")) == {"2026-000123": 100_00}

    def test_too_much_is_credit_on_the_last_one(self) -> None:
        found = match(330_00, "2026-000125 2026-000123")
        assert found.rule == "invoice_number"
        assert [(part.invoice, part.applied_minor, part.excess_minor) for part in found.allocations] == [
            ("2026-000123", 119_00, 0),
            ("2026-000125", 200_00, 11_00),
        ]

    def test_several_customers_only_to_the_cent(self) -> None:
        assert match(599_00, "2026-000123 2026-000007").rule == "invoice_number"
        assert match(500_00, "2026-000123 2026-000007").rule == ""
        assert match(700_00, "2026-000123 2026-000007").rule == ""

    def test_a_number_that_nobody_knows_stands_in_the_way_of_a_rest(self) -> None:
        assert match(119_00, "2026-000123 2026-000777").rule == "invoice_number"
        found = match(219_00, "2026-000123 2026-000777")
        assert (found.rule, "also 2026-000777, which we do not know" in found.reason) == ("", True)
        assert parts(Match("", found.candidates[0].allocations)) == {"2026-000123": 119_00}

    def test_somebody_else_may_pay_all_but_not_a_part(self) -> None:
        assert book().match(from_mueller(119_00, "2026-000123"), "EUR").rule == "invoice_number"
        found = book().match(from_mueller(100_00, "2026-000123"), "EUR")
        assert (found.rule, "known as another customer" in found.reason) == ("", True)

    def test_a_settled_invoice_is_a_question_even_when_the_amount_fits_another(self) -> None:
        found = book().match(from_nord(200_00, "Rg 2026-000124"), "EUR")
        assert found.rule == ""
        assert found.reason == "names invoice 2026-000124, which is settled"
        assert "names invoice 2026-000124, which is settled" in whys(found)
        assert parts(Match("", found.candidates[0].allocations)) == {"2026-000125": 200_00}

    def test_a_settled_one_beside_an_open_one_is_no_question(self) -> None:
        assert parts(match(119_00, "2026-000124 2026-000123")) == {"2026-000123": 119_00}

    def test_in_the_end_to_end_id(self) -> None:
        assert match(119_00, end_to_end="RE2026-000123").rule == "invoice_number"

    def test_what_is_perhaps_a_number_needs_the_amount(self) -> None:
        assert match(480_00, "Zahlung 2026/07").rule == "invoice_number"
        assert match(479_00, "Zahlung 2026/07").rule == ""
        assert "perhaps names invoice 2026-000007" in whys(match(479_00, "Zahlung 2026/07"))
        assert book().match(from_nord(480_00, "Zahlung 2026/07"), "EUR").rule == ""

    def test_two_that_are_perhaps_numbers_and_both_fit(self) -> None:
        pair = (invoice("2026-000001", "nord", 50_00), invoice("2026-000123", "nord", 50_00))
        assert book(*pair).match(entry(50_00, "2026-0001 23"), "EUR").rule == ""

    def test_numbers_of_other_series(self) -> None:
        assert parts(match(4_12, "I-2026-000007")) == {"I-2026-000007": 4_12}
        assert parts(match(105_92, "rechnung 0009888306")) == {"L-0009888306": 105_92}

    def test_an_account_or_a_telephone_number_is_none(self) -> None:
        assert match(119_00, "DE12 2026 0001 2345 6789 00").rule == ""
        assert match(119_00, "Tel. 030 2026000123").rule == ""


class TestDiscountAndCharges:
    def test_cash_discount_until_its_last_day(self) -> None:
        found = match(980_00, "2026-000130")
        assert [(part.applied_minor, part.discount_minor) for part in found.allocations] == [(980_00, 20_00)]

    def test_a_day_later_it_is_a_part(self) -> None:
        found = match(980_00, "2026-000130", valued_on="2026-03-13")
        assert [(part.applied_minor, part.discount_minor) for part in found.allocations] == [(980_00, 0)]

    def test_a_cent_more_than_the_discount_is_a_part_or_charges(self) -> None:
        found = match(979_99, "2026-000130")
        assert [(part.applied_minor, part.discount_minor, part.charges_minor) for part in found.allocations] == [
            (979_99, 20_00, 1)
        ]
        assert [part.discount_minor for part in match(970_00, "2026-000130").allocations] == [0]

    def test_discount_on_one_of_two(self) -> None:
        found = match(1_313_00, "2026-000130 2026-000131")
        assert [part.discount_minor for part in found.allocations] == [20_00, 0]

    def test_the_only_choice_of_discounts_that_fits(self) -> None:
        several = [
            invoice(f"2026-00020{i}", "nord", 100_00, discount_minor=minor, discount_until="2026-12-31")
            for i, minor in enumerate((1_00, 2_00, 4_00))
        ]
        names = " ".join(one.number for one in several)
        found = book(*several).match(entry(295_00, names), "EUR")
        assert [part.discount_minor for part in found.allocations] == [1_00, 0, 4_00]
        same = [
            invoice(f"2026-00020{i}", "nord", 100_00, discount_minor=9_00, discount_until="2026-12-31")
            for i in range(3)
        ]
        assert {part.discount_minor for part in book(*same).match(entry(291_00, names), "EUR").allocations} == {0}

    def test_charges_within_the_tolerance(self) -> None:
        found = match(116_70, "2026-000123")
        assert [(part.applied_minor, part.charges_minor) for part in found.allocations] == [(116_70, 2_30)]

    def test_beyond_the_share_it_is_a_part(self) -> None:
        assert [part.charges_minor for part in match(116_61, "2026-000123").allocations] == [0]  # 2 % are 2.38

    def test_beyond_the_fixed_sum_it_is_a_part(self) -> None:
        assert [part.charges_minor for part in match(327_00, "2026-000131").allocations] == [0]
        assert [part.charges_minor for part in match(328_00, "2026-000131").allocations] == [5_00]

    def test_what_the_bank_says_that_it_kept(self) -> None:
        found = match(104_00, "2026-000123", charges_minor=15_00)
        assert [(part.applied_minor, part.charges_minor) for part in found.allocations] == [(104_00, 15_00)]
        assert [part.charges_minor for part in match(104_01, "2026-000123", charges_minor=15_00).allocations] == [0]

    def test_charges_count_per_invoice(self) -> None:
        found = match(313_50, "2026-000123 2026-000125")
        assert [part.charges_minor for part in found.allocations] == [2_38, 3_12]

    def test_without_a_tolerance_for_the_currency_nothing_may_be_missing(self) -> None:
        strict = Book(INVOICES, PAYERS, Tolerance({}))
        assert parts(strict.match(entry(118_99, "2026-000123"), "EUR")) == {"2026-000123": 118_99}


class TestCustomer:
    """amount_and_customer"""

    def test_known_by_the_account(self) -> None:
        found = book().match(from_nord(81_00, "Vielen Dank"), "EUR")
        assert (found.rule, parts(found)) == ("amount_and_customer", {"2026-000126": 81_00})

    def test_known_by_a_unique_name_however_it_is_spelled(self) -> None:
        for name in ("Müller & Söhne GmbH", "MUELLER UND SOEHNE GMBH", "MULLER & SOHNE G.m.b.H."):
            assert book().match(entry(333_00, party_name=name), "EUR").rule == "amount_and_customer"

    def test_a_name_that_is_only_like_it_is_a_question(self) -> None:
        found = book().match(entry(333_00, party_name="Mueller Soehne AG"), "EUR")
        assert found.rule == ""
        assert "amount equals invoice 2026-000131 of a payer with a similar name (mueller)" in whys(found)

    def test_everything_that_he_owes(self) -> None:
        assert len(parts(book().match(from_nord(400_00), "EUR"))) == 3

    def test_the_only_sum_of_some(self) -> None:
        assert parts(book().match(from_nord(281_00), "EUR")) == {"2026-000125": 200_00, "2026-000126": 81_00}

    def test_less_cash_discount(self) -> None:
        found = book().match(from_mueller(980_00), "EUR")
        assert [(part.invoice, part.discount_minor) for part in found.allocations] == [("2026-000130", 20_00)]

    def test_everything_less_cash_discount(self) -> None:
        found = book().match(from_mueller(1_317_12), "EUR")
        assert (found.rule, len(found.allocations)) == ("amount_and_customer", 3)

    def test_less_charges(self) -> None:
        found = book().match(from_nord(198_00), "EUR")
        assert [(part.invoice, part.charges_minor) for part in found.allocations] == [("2026-000125", 2_00)]

    def test_two_invoices_of_the_same_amount_are_a_question(self) -> None:
        pair = (
            invoice("2026-000002", "nord", 50_00, "2026-04-01"),
            invoice("2026-000001", "nord", 50_00, "2026-05-01"),
        )
        found = book(*pair).match(from_nord(50_00), "EUR")
        assert (found.rule, found.customer) == ("", "nord")
        assert [[part.invoice for part in candidate.allocations] for candidate in found.candidates] == [
            ["2026-000002"],
            ["2026-000001"],
        ]

    def test_two_sums_are_a_question(self) -> None:
        four = [invoice(f"2026-00000{i}", "nord", minor) for i, minor in enumerate((10_00, 40_00, 20_00, 30_00))]
        found = book(*four).match(from_nord(50_00), "EUR")
        assert (found.rule, "more than one way" in found.reason) == ("", True)

    def test_one_less_discount_and_another_in_full_are_a_question(self) -> None:
        pair = (
            invoice("2026-000001", "nord", 100_00),
            invoice("2026-000002", "nord", 102_00, discount_minor=2_00, discount_until="2026-12-31"),
        )
        assert book(*pair).match(from_nord(100_00), "EUR").rule == ""

    def test_in_full_is_better_than_less_charges(self) -> None:
        pair = (invoice("2026-000001", "nord", 100_00), invoice("2026-000002", "nord", 101_00))
        assert parts(book(*pair).match(from_nord(100_00), "EUR")) == {"2026-000001": 100_00}

    def test_more_invoices_than_are_searched_prove_no_sum(self) -> None:
        many = [invoice(f"2026-{i:06d}", "nord", 100_00 + 3**i, f"2026-03-{i + 1:02d}") for i in range(25)]
        found = book(*many).match(from_nord(200_00 + 3 + 9), "EUR")
        assert (found.rule, "perhaps of others too" in found.reason) == ("", True)
        assert "amount equals the sum of 2026-000001, 2026-000002 of nord" in whys(found)

    def test_all_but_one(self) -> None:
        found = book(
            *[invoice(f"2026-00000{i}", "nord", minor) for i, minor in enumerate((7_00, 11_00, 7_00, 29_00))]
        ).match(from_nord(47_00), "EUR")
        assert found.rule == ""
        assert "pays all open invoices of nord but one (2026-000000)" in whys(found)

    def test_an_account_that_two_customers_use(self) -> None:
        shared = (NORD, Payer("mueller", (), NORD.ibans))
        both = Book(INVOICES, shared, TOLERANCE)
        found = both.match(entry(81_00, party_iban=NORD.ibans[0]), "EUR")
        assert (found.rule, found.reason) == ("", "the payer may be mueller or nord")
        assert "amount equals invoice 2026-000126 of nord" in whys(found)
        assert both.match(from_nord(81_00), "EUR").rule == "amount_and_customer"  # the name tells them apart

    def test_the_account_of_one_and_the_name_of_another(self) -> None:
        both = entry(81_00, party_name=NORD.names[0], party_iban="DE02120300000000202051")
        assert book().match(both, "EUR").rule == ""


class TestHistory:
    """iban_history"""

    def test_a_part_of_the_only_open_invoice(self) -> None:
        found = book().match(entry(100_00, party_iban="IT60X0542811101000000123456"), "EUR")
        assert (found.rule, parts(found)) == ("iban_history", {"2026-000007": 100_00})

    def test_not_by_the_name_alone(self) -> None:
        found = book().match(entry(100_00, party_name="Rossi Legnami Srl"), "EUR")
        assert (found.rule, found.candidates[0].score) == ("", 45)

    def test_more_than_is_open_is_a_question(self) -> None:
        found = book().match(entry(500_00, party_iban="IT60X0542811101000000123456"), "EUR")
        assert found.rule == ""
        assert [part.excess_minor for part in found.candidates[0].allocations] == [20_00]

    def test_several_open_invoices_are_a_question_oldest_first(self) -> None:
        found = book().match(from_nord(150_00), "EUR")
        assert (found.rule, found.reason) == ("", "nord paid, but the amount is nothing that is open")
        assert parts(Match("", found.candidates[0].allocations)) == {"2026-000123": 119_00, "2026-000125": 31_00}

    @pytest.mark.parametrize("more", [{"text": "2026-000777"}, {"structured": "RF982026000999"}, {"text": "2026/1"}])
    def test_not_when_the_payer_means_something_else(self, more: dict[str, str]) -> None:
        some = (*INVOICES, invoice("2026-000001", "rossi", 0))
        found = book(*some).match(entry(100_00, party_iban="IT60X0542811101000000123456", **more), "EUR")
        assert found.rule == ""


class TestCurrency:
    def test_an_invoice_in_another_currency(self) -> None:
        found = match(700_00, "2026-000200")
        assert found.reason == "foreign currency: names invoice 2026-000200 in USD, but EUR came in"
        assert (found.rule, found.candidates) == ("", ())

    def test_an_entry_in_another_currency_than_the_account(self) -> None:
        found = match(119_00, "2026-000123", currency="USD")
        assert found.reason == "foreign currency: the entry is in USD, the account in EUR"

    def test_a_customer_who_owes_in_another_currency_only(self) -> None:
        yankee = Book(INVOICES, (Payer("yankee", ("Yankee Inc",)),), TOLERANCE)
        found = yankee.match(entry(700_00, party_name="YANKEE INC."), "EUR")
        assert found.reason == "foreign currency: yankee owes in USD, but EUR came in"
        assert (
            yankee.match(entry(700_00, party_name="YANKEE INC.", currency="USD"), "USD").rule == "amount_and_customer"
        )

    def test_what_was_exchanged_is_information_only(self) -> None:
        found = match(119_00, "2026-000123", original_amount_minor=130_00, original_currency="USD")
        assert found.rule == "invoice_number"


class TestNobody:
    def test_a_stranger_with_an_amount_that_somebody_owes(self) -> None:
        found = match(105_92, "Danke", party_name="Unbekannt")
        assert (found.rule, found.reason) == ("", "neither an invoice nor a payer that we know")
        assert "105.92 EUR is open on invoice L-0009888306 of holz" in whys(found)

    def test_nothing_at_all(self) -> None:
        assert match(1).candidates == ()
        assert match(0).rule == "nothing_moved"

    def test_money_of_ours_that_came_back(self) -> None:
        found = match(119_00, "2026-000123", return_reason="AC04")
        assert (found.rule, "money of ours came back" in found.reason) == ("", True)


class TestTaking:
    def test_the_next_entry_sees_what_is_left(self) -> None:
        ours = book()
        ours.take(ours.match(from_nord(19_00, "2026-000123"), "EUR"))
        assert ours.open_minor("2026-000123") == 100_00
        ours.take(ours.match(from_nord(100_00, "2026-000123"), "EUR"))
        again = ours.match(from_nord(100_00, "2026-000123"), "EUR")
        assert again.reason == "names invoice 2026-000123, which is settled"

    def test_more_than_is_open_is_refused_as_a_whole(self) -> None:
        ours = book()
        found = ours.match(entry(319_00, "2026-000123 2026-000125"), "EUR")
        ours.take(ours.match(entry(200_00, "2026-000125"), "EUR"))
        with pytest.raises(ValueError, match="less than 20000 is open on invoice 2026-000125"):
            ours.take(found)
        assert ours.open_minor("2026-000123") == 119_00

    def test_two_invoices_with_one_number_are_refused(self) -> None:
        with pytest.raises(ValueError, match="two invoices"):
            book(INVOICES[0], INVOICES[0])
