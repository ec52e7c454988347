"""Every letter in every language: complete, with the plural forms of its language, and readable."""

import re
from pathlib import Path

import pytest

from infra.gateways.letter_formats import formats
from infra.gateways.letter_page import Grid
from infra.gateways.letter_text import letter, page_text
from infra.gateways.wording import TEMPLATES, BadTemplate, document_wording, letter_wording, read_wording
from models.policy import DEFAULT
from tests.letters.samples import FACTS, HEAD, KINDS, LANGUAGES, OWED, facts_of, page_of

NEW = {
    "hold_notice", "interest_note", "statement", "promise_confirmation", "plan_agreement", "dispute_answer",
    "plan_default", "legal_notice",
}  # fmt: skip


def test_every_kind_is_written_in_every_language():
    assert NEW | {"pre_due_notice", "reminder", "first_dunning", "second_dunning", "formal_notice"} <= set(KINDS)
    for language in LANGUAGES:
        assert {letter_wording(kind, language).language for kind in KINDS} == {language}


def test_the_policys_ladder_has_its_letters():
    assert {rung.letter for rung in DEFAULT.ladder if rung.letter} <= set(KINDS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_languages_have_the_same_labels_for_what_letters_say(language):
    words = letter_wording("statement", language)
    named = {name.removesuffix("_minor").removesuffix("_bps") for kind in KINDS for name in facts_of(kind)}
    columns = {"issued_on", "due_on", "total", "open", "part_count", "amount", "reference"}
    needed = {name for name in named | columns if not name.startswith(("row_", "columns"))}
    assert needed <= words.labels.keys()
    assert {"credited", "compromise", "rejected", "to be told"} <= words.values.keys()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_letter_says_all_its_facts(kind, language):
    page = page_of(kind, language)
    text = page_text(page)
    assert not re.search(r"[${}|_]", text.replace("--", "")), text
    assert all(len(line) <= 110 and line == line.rstrip() for line in text.splitlines())
    assert "\n\n\n" not in text
    how = formats(language)
    for name, value in facts_of(kind).items():
        if name.endswith("_minor"):
            assert how.money(int(value), "EUR") in text
        elif name == "invoice":
            assert value in page.title
    if "columns" in facts_of(kind):
        (grid,) = (block for block in page.blocks if isinstance(block, Grid))
        assert len(grid.rows) == sum(name.startswith("row_") for name in facts_of(kind))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_letter_reads_well_without_facts(kind, language):
    text = page_text(page_of(kind, language, {}))
    assert not re.search(r"[${}|]", text), text
    assert len(text.split("\n\n")) >= 5


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_letter_of_earlier_rules_is_as_it_was(language):
    text = letter(
        letter_wording("first_dunning", language),
        "first_dunning",
        HEAD,
        {"invoice": "2026-000001", "open": "12,345.60 EUR", "due_at": "2026-03-01"},
    )
    words = letter_wording("first_dunning", language)
    assert f"{words.labels['open']}: 12,345.60 EUR" in re.sub(r": +", ": ", text)
    assert f"{words.labels['due_at']}: 2026-03-01" in re.sub(r": +", ": ", text)


@pytest.mark.parametrize(
    ("language", "days", "phrase"),
    [
        ("en", "1", "overdue for 1 day."),
        ("en", "22", "overdue for 22 days."),
        ("de", "1", "seit 1 Tag überfällig"),
        ("de", "1234", "seit 1.234 Tagen überfällig"),
        ("it", "1", "è di 1 giorno."),
        ("it", "8", "è di 8 giorni."),
        ("ro", "1", "este de 1 zi."),
        ("ro", "2", "este de 2 zile."),
        ("ro", "20", "este de 20 de zile."),
        ("ru", "1", "просрочена на 1 день."),
        ("ru", "3", "просрочена на 3 дня."),
        ("ru", "11", "просрочена на 11 дней."),
        ("ru", "21", "просрочена на 21 день."),
        ("id", "1", "selama 1 hari."),
    ],
)
def test_plurals(language, days, phrase):
    text = page_text(page_of("first_dunning", language, OWED | {"days_late": days}))
    assert phrase in " ".join(text.split())


def test_the_alternatives_of_a_sentence():
    with_day = page_text(page_of("second_dunning", "de", {"invoice": "1", "pay_by_on": "2026-04-01"}))
    without = page_text(page_of("second_dunning", "de", {"invoice": "1"}))
    assert "Bitte zahlen Sie bis zum 1. April 2026." in " ".join(with_day.split())
    assert "sieben Tagen" not in with_day
    assert "Bitte zahlen Sie binnen sieben Tagen." in without


def test_a_statement_as_text():
    text = page_text(page_of("statement", "de")).replace("\u00a0", " ")
    assert "Er umfasst 3 offene Rechnungen." in text
    table = text[text.index("    Rechnung") : text.index("    Stand")]
    assert table.rstrip("\n").split("\n") == [
        "    Rechnung              Rechnungsdatum  Fällig am   Gesamtbetrag  Offener Betrag",
        "    ------------------------------------------------------------------------------",
        "    2026-000001           01.01.2026      01.02.2026    1.234,56 €      1.234,56 €",
        "    2026-000002           02.01.2026      02.02.2026    2.469,12 €          0,00 €",
        "    2026-000003           03.01.2026      03.02.2026    3.703,68 €      2.469,12 €",
        "    weitere Rechnungen                                  1.000,00 €      1.000,00 €",
        "    Ihr Guthaben bei uns                                               -1.500,00 €",
    ]


def test_titles_without_their_facts():
    assert page_of("statement", "de", {}).title == "Kontoauszug"
    assert page_of("statement", "en", {"as_of_on": "2026-03-31"}).title == (
        "Statement of account as of 31\u00a0March\u00a02026"
    )


def test_no_name_forges_lines_or_turns_them_around():
    page = page_of("reminder", "en", to="Acme\r\x00\x1b[31m\u2028\u202eEvil\nOpen: 0\ud800")
    assert page.head["to"][1] == "Acme   [31m  Evil Open: 0 "
    page_text(page).encode()


@pytest.mark.parametrize(
    ("of", "to", "problem"),
    [
        ("days: one=$n день|few=$n дня", "days: one=$n день", "days has the plural forms"),
        ("{days_late|days}", "{days_late|weeks}", "counts in weeks"),
        ("{days_late|days}", "{days_late days}", "a { that counts nothing"),
        ("$details", "($details)", "paragraphs of their own"),
        ("$pay_by_on", "$ pay_by_on", "a $ that names no fact"),
        ("greeting: ", "greetings: ", "the frame has no greeting"),
    ],
)
def test_a_template_with_a_slip_is_refused_when_it_is_read(of, to, problem, tmp_path):
    text = (TEMPLATES / "ru.txt").read_text(encoding="utf-8")
    assert of in text
    path = tmp_path / "ru.txt"
    path.write_text(text.replace(of, to), encoding="utf-8")
    with pytest.raises(BadTemplate, match=re.escape(problem)):
        read_wording(path)


def test_a_language_without_formats_is_refused(tmp_path: Path):
    path = tmp_path / "xx.txt"
    path.write_text((TEMPLATES / "en.txt").read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(BadTemplate, match="no formats"):
        read_wording(path)


def test_templates_stay_readable():
    for path in TEMPLATES.glob("*.txt"):
        lines = path.read_text(encoding="utf-8").splitlines()
        assert len(lines) <= 400, path
        assert max(map(len, lines)) <= 120, path


def test_documents_are_no_letters():
    assert "document offer" not in KINDS
    assert document_wording("offer", "ru").language == "en"
    assert set(FACTS) <= set(KINDS)
