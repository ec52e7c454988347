"""Invoice numbers in free text, as people and banks write them, and what only looks like one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.banking.mentions import Mentions, mentions_in
from models.banking.numbers import NumberIndex

OURS = [f"2026-{serial:06d}" for serial in (1, 7, 12, 123, 124, 125, 126, 350, 40123)] + [
    "2025-000123",
    "I-2026-000007",
    "I-2026-000123",
    "L-0009888306",
    "AB-12-X-34",
    "4711",
]
INDEX = NumberIndex(OURS)


def hear(text: str) -> Mentions:
    return mentions_in(INDEX, text)


@pytest.mark.parametrize(
    "text",
    [
        "2026-000123",
        "Rg 2026 123",
        "2026/000123",
        "INV2026-000123",
        "2026000123",
        "rg2026000123",
        "Rechnung-Nr. 2026 - 123",
        "SVWZ+2026-000123",
        "2026–000123",
        "２０２６-000123",
        "2026-00\n0123",
        "2026-000 123",
        "invoice no 2026-0123",
        "2026.000123 119,00 EUR",
        "Kd 4711 Re 2026-000123 vom 12.03.2026",
        "IBAN DE89370400440532013000 RE 2026-123",
        "+49 30 2026000124 Inv. 2026-000123",
        "RF18 5390 0754 7034 Rg. 2026-000123",
        "Счёт №2026-000123",
        "fac\u00adture: 2026\u2011000123",
    ],
)
def test_surely_names_the_invoice(text: str) -> None:
    assert hear(text).strong == ("2026-000123",)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("I-2026-000007", "I-2026-000007"),
        ("interest i2026000007", "I-2026-000007"),
        ("L-0009888306", "L-0009888306"),
        ("0009888306", "L-0009888306"),
        ("l 9888306", "L-0009888306"),
        ("ab 12 x 34", "AB-12-X-34"),
        ("Rg 4711", "4711"),
        ("Nr. 2025/123", "2025-000123"),
    ],
)
def test_other_series(text: str, number: str) -> None:
    assert hear(text).strong == (number,)


@pytest.mark.parametrize(
    "text",
    [
        "DE12 2026 0001 2345 6789 00",
        "DE12202600012345678900",
        "GB82 WEST 2026 0001 2365 98",
        "1232026000123456",
        "92026000123",
        "20260001231",
        "Tel. 0049 2026 000123",
        "Tel 2026000123",
        "+49 2026 000123",
        "Kd-Nr 2026-000123",
        "Auftrag 2026-000123",
        "MREF+2026-000123",
        "SO-2026-000123",
        "2026-12-31",
        "2026-01-23",
        "am 31.12.2026 000123",
        "Rg 2026 350,00 EUR",
        "2026123",
        "4711",
        "",
        "keine",
        "RF99 2026 0001 23",
        "2026-000000",
    ],
)
def test_names_nothing(text: str) -> None:
    assert hear(text).found == {}


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("Miete 2026/01", {"2026-000001"}),
        ("Rg 2026 7", {"2026-000007"}),
        ("0049 2026 000123", {"2026-000123"}),
        ("2026-000123A", {"2026-000123"}),
        ("9888306", {"L-0009888306"}),
        ("2026-0001 23", {"2026-000001", "2026-000123"}),
        ("ZAHLUNGI-2026-000007", {"2026-000007", "I-2026-000007"}),
        ("KD 4711/2026-000123", {"2026-000123"}),
    ],
)
def test_perhaps_names(text: str, numbers: set[str]) -> None:
    heard = hear(text)
    assert (heard.strong, set(heard.weak)) == ((), numbers)


def test_lists_and_ranges() -> None:
    full = hear("2026-000123/2026-000124 und 2026-000126")
    assert full.strong == ("2026-000123", "2026-000124", "2026-000126")
    short = hear("Rg 2026-000123, 124 und 125, 500,00 EUR")
    assert (short.strong, set(short.weak)) == (("2026-000123",), {"2026-000124", "2026-000125"})
    ends = hear("2026-000123 bis 2026-000126")
    assert (ends.strong, set(ends.weak)) == (("2026-000123", "2026-000126"), {"2026-000124", "2026-000125"})


def test_one_series_does_not_answer_for_another() -> None:
    heard = mentions_in(NumberIndex(["2026-000007"]), "I-2026-000007")
    assert (heard.found, heard.unknown) == ({}, ["I-2026-000007"])


def test_a_number_without_a_year_that_begins_like_one() -> None:
    assert mentions_in(NumberIndex(["L-2026004711", "2026-000123"]), "Rg 2026004711").strong == ("L-2026004711",)
    both = mentions_in(NumberIndex(["L-2026004711", "2026-004711"]), "Rg 2026004711")
    assert (both.strong, set(both.weak)) == ((), {"L-2026004711", "2026-004711"})


def test_a_number_that_looks_like_ours() -> None:
    assert hear("Rechnung 2026-000999").unknown == ["2026-000999"]


@pytest.mark.parametrize("index", [INDEX, NumberIndex([])])
@given(text=st.text(alphabet="0123456789 -/.,+RFDEAB\n€ß²٣", max_size=60) | st.text(max_size=60))
def test_any_text_is_read(index: NumberIndex, text: str) -> None:
    assert set(mentions_in(index, text).found) <= set(OURS)


@given(st.integers(0, 999_998), st.sampled_from("-/. "), st.sampled_from(["", "RE ", "Invoice ", "SVWZ+"]))
def test_a_whole_number_is_found_whatever_stands_between(serial: int, sign: str, before: str) -> None:
    number = f"2026-{serial:06d}"
    text = f"{before}{number.replace('-', sign)}"
    assert mentions_in(NumberIndex([number, "2026-999999"]), text).strong == (number,)


@given(st.integers(1, 999_999), st.from_regex(r"[0-9]{1,6}", fullmatch=True))
def test_nothing_inside_longer_runs(serial: int, more: str) -> None:
    index = NumberIndex([f"2026-{serial:06d}"])
    assert not mentions_in(index, f"{more}2026{serial:06d}").found
    assert not mentions_in(index, f"2026{serial:06d}{more}").strong
