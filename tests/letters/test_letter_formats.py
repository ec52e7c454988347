"""How each language writes money, days, numbers and plurals, against what was written by hand."""

from datetime import date

import pytest

from infra.gateways.letter_facts import BadFacts, say
from infra.gateways.letter_formats import LOCALES, formats

NB = "\u00a0"  # no-break space
NARROW = "\u202f"


@pytest.mark.parametrize(
    ("language", "minor", "currency", "written"),
    [
        ("en", 123456, "EUR", "€1,234.56"),
        ("de", 123456, "EUR", f"1.234,56{NB}€"),
        ("it", 123456, "EUR", f"1.234,56{NB}€"),
        ("ro", 123456, "RON", f"1.234,56{NB}RON"),
        ("ru", 123456, "RUB", f"1{NB}234,56{NB}₽"),
        ("id", 123456, "IDR", f"Rp{NB}1.234,56"),
        ("en", -5, "EUR", "-€0.05"),
        ("en", 1250, "RSD", f"RSD{NB}12.50"),
        ("en", 123456, "KWD", f"KWD{NB}123.456"),
        ("en", 1234, "JPY", "JP¥1,234"),
        ("de", 10**14, "EUR", f"1.000.000.000.000,00{NB}€"),
    ],
)
def test_money_is_written_as_the_language_does_and_never_rounded(language, minor, currency, written):
    assert formats(language).money(minor, currency) == written


@pytest.mark.parametrize(
    ("language", "long", "medium"),
    [
        ("en", "1 March 2026", "1 Mar 2026"),
        ("de", "1. März 2026", "01.03.2026"),
        ("it", "1 marzo 2026", "1 mar 2026"),
        ("ro", "1 martie 2026", "1 mar. 2026"),
        ("ru", f"1 марта 2026{NARROW}г.", f"1 мар. 2026{NARROW}г."),
        ("id", "1 Maret 2026", "1 Mar 2026"),
    ],
)
def test_days(language, long, medium):
    on = date(2026, 3, 1)
    assert (formats(language).day(on), formats(language).day(on, "medium")) == (long, medium)


@pytest.mark.parametrize(
    ("language", "number", "percent"),
    [
        ("en", "12,345", "11.37%"),
        ("de", "12.345", f"11,37{NB}%"),
        ("it", "12.345", "11,37%"),
        ("ro", "12.345", f"11,37{NB}%"),
        ("ru", f"12{NB}345", f"11,37{NB}%"),
        ("id", "12.345", "11,37%"),
    ],
)
def test_numbers_and_rates(language, number, percent):
    assert (formats(language).number(12345), formats(language).percent(1137)) == (number, percent)


@pytest.mark.parametrize(
    ("language", "categories"),
    [
        ("en", {"one": (1,), "other": (0, 2, 5, 21)}),
        ("de", {"one": (1,), "other": (0, 2, 21)}),
        ("it", {"one": (1,), "many": (10**6,), "other": (0, 2, 21)}),
        ("ro", {"one": (1,), "few": (0, 2, 19, 101), "other": (20, 100)}),
        ("ru", {"one": (1, 21, 101), "few": (2, 4, 22), "many": (0, 5, 11, 12, 111), "other": ()}),
        ("id", {"other": (0, 1, 2, 21)}),
    ],
)
def test_plural_categories(language, categories):
    how = formats(language)
    assert how.plurals == categories.keys()
    assert {category: {how.plural(number) for number in numbers} for category, numbers in categories.items()} == {
        category: {category} if numbers else set() for category, numbers in categories.items()
    }


def test_every_language_has_a_locale():
    assert sorted(LOCALES) == ["de", "en", "id", "it", "ro", "ru"]


def said(**facts: str) -> dict[str, str]:
    return dict(say(facts, {"to be told": "soon"}, formats("de")).texts)


def test_what_the_name_of_a_fact_ends_with_says_what_it_is():
    facts = said(open_minor="123456", currency="EUR", due_on="2026-03-01", days_late="1234", rate_bps="500", note="x")
    assert facts == {
        "open": f"1.234,56{NB}€",
        "currency": "EUR",
        "due_on": f"1.{NB}März{NB}2026",
        "days_late": "1.234",
        "rate": f"5{NB}%",
        "note": "x",
    }


def test_facts_of_earlier_rules_are_text_as_they_were():
    old = {"invoice": "2026-000001", "open": "12,345.60 EUR", "due_at": "2026-03-01"}
    assert said(**old) == old
    assert said(available_on="to be told") == {"available_on": "soon"}
    assert said(available_on="2026-02-31") == {"available_on": "2026-02-31"}


def test_nothing_is_said_of_zero_but_for_balances():
    zeros = {"open_minor": "0", "balance_minor": "0", "paid_minor": "0", "days_late": "0", "currency": "EUR"}
    assert said(**zeros) == {"open": f"0,00{NB}€", "balance": f"0,00{NB}€", "currency": "EUR"}


@pytest.mark.parametrize(
    "facts",
    [
        {"open_minor": "12.50", "currency": "EUR"},
        {"open_minor": "1250"},
        {"open_minor": "1250", "currency": "euro"},
        {"open_minor": "1" * 19, "currency": "EUR"},
        {"days_late": "many"},
        {"invoices_count": "٣"},
        {"columns": "invoice|open_minor", "row_1": "A|1|2", "currency": "EUR"},
        {"columns": "invoice|open_minor", "row_1": "A", "currency": "EUR"},
        {"columns": "invoice|open_minor", "row_1": "A|x", "currency": "EUR"},
    ],
)
def test_an_amount_that_is_none_is_refused_rather_than_shown(facts):
    with pytest.raises(BadFacts):
        say(facts, {}, formats("en"))


def test_a_table_has_its_rows_by_number_and_its_cells_by_the_columns_names():
    facts = {"columns": "invoice|due_on|open_minor", "currency": "EUR", "row_10": "B|2026-03-02|200", "row_2": "A||0"}
    said = say(facts, {}, formats("de"))
    assert said.table is not None
    assert said.table.names == ("invoice", "due_on", "open")
    assert said.table.numeric == (False, False, True)
    assert said.table.rows == (("A", "", f"0,00{NB}€"), ("B", "02.03.2026", f"2,00{NB}€"))
    assert said.details == ()
