"""Single cells: what is taken, what is repaired, what is refused."""

from datetime import date

import pytest

from cli.imports.cells import BadCell, Cells, plain, slug
from cli.imports.countries import country_code
from cli.imports.sheets import Row


def cells(value: str) -> Cells:
    return Cells(Row(2, {"x": value}))


@pytest.mark.parametrize(
    ("written", "minor", "repaired"),
    [
        ("10", 1000, False),
        ("10.50", 1050, False),
        ("0", 0, False),
        ("1e2", 10_000, False),
        ("1,054", 105_400, True),
        ("$1,054.20", 105_420, True),
        ("1 054", 105_400, True),
        ("€ 12", 1200, True),
    ],
)
def test_amounts(written: str, minor: int, repaired: bool) -> None:
    cell = cells(written)
    assert cell.minor("x", "EUR") == minor
    assert bool(cell.repairs) is repaired


@pytest.mark.parametrize(
    "written", ["", "ten", "NaN", "inf", "-1", "-0.01", "1.005", "99999999999", "1e400", "1_0", "0x10", "1,05"]
)
def test_amounts_that_are_none(written: str) -> None:
    with pytest.raises(BadCell):
        cells(written).minor("x", "EUR")


def test_amounts_follow_their_currency() -> None:
    assert cells("150").minor("x", "JPY") == 150
    with pytest.raises(BadCell, match="decimals"):
        cells("150.5").minor("x", "JPY")


@pytest.mark.parametrize("written", ["", "1.5", "NaN", "0", "11", "-1", "a"])
def test_whole_numbers_within_limits(written: str) -> None:
    with pytest.raises(BadCell):
        cells(written).whole("x", 1, 10)


def test_days() -> None:
    forms = ("%d-%m-%y", "%d-%m-%Y")
    assert cells("20-10-16").day("x", forms) == cells("2016-10-20").day("x", forms) == date(2016, 10, 20)
    assert cells("").day("x", forms) is None
    for bad in ("31-02-17", "tomorrow", "20161020", "00-00-00", "2016-13-01"):
        with pytest.raises(BadCell, match="no date"):
            cells(bad).day("x", forms)


def test_identifiers() -> None:
    assert cells("A.b_c-1").identifier("x") == "A.b_c-1"
    for bad in ("", "a b", "-a", "ä", "x" * 65, "../etc"):
        with pytest.raises(BadCell):
            cells(bad).identifier("x")


def test_choices_forgive_spelling() -> None:
    cell = cells("WON ")
    assert cell.choice("x", ["Won", "Lost"]) == "Won"
    assert cell.repairs
    with pytest.raises(BadCell, match="none of"):
        cells("Gone").choice("x", ["Won", "Lost"])


def test_names_without_spelling() -> None:
    assert plain("GTX Pro") == plain("GTXPro") == plain("gtx-PRO")
    assert slug("Genco Pura Olive Oil & Söhne") == "genco-pura-olive-oil-sohne"
    assert slug("日本") == ""


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("DE", "DE"),
        ("de", "DE"),
        ("Germany", "DE"),
        ("Philipines", "PH"),
        ("United  States", "US"),
        ("Korea", "KR"),
        ("Atlantis", ""),
        ("", ""),
    ],
)
def test_countries(written: str, code: str) -> None:
    assert country_code(written) == code
