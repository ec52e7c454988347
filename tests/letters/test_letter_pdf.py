"""The PDF of a letter: complete, an archive's, the same bytes everywhere, and deaf to what names try to say."""

import asyncio
import hashlib
import os
import sys
from pathlib import Path

import pytest

from infra.gateways.letter_page import Grid, Paragraph
from infra.gateways.letter_pdf import Letterhead, letter_pdf, render
from tests.letters.pdf_text import words_of
from tests.letters.samples import DAY, KINDS, LANGUAGES, LETTERHEAD, facts_of, page_of

ROOT = Path(__file__).resolve().parents[2]


def squeezed(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_letter_is_printed_in_full(language):
    for kind in KINDS:
        page = page_of(kind, language)
        pdf = render(page, DAY, LETTERHEAD)
        assert b"<pdfaid:part>2</pdfaid:part>" in pdf, kind
        words = words_of(pdf)
        for text in (page.title, page.greeting, page.closing, page.sender, "Nordwind Großhandel GmbH", "HRB 12345"):
            assert squeezed(text) in words, (kind, text)
        for block in page.blocks:
            shown = [block.text] if isinstance(block, Paragraph) else [cell for row in block.rows for cell in row]
            assert [text for text in shown if squeezed(text) not in words] == [], kind
        assert "\ufffd" not in words


async def test_the_same_page_gives_the_same_bytes_in_another_process_and_on_another_day():
    here = await letter_pdf(page_of("second_dunning", "ru"), DAY, LETTERHEAD)
    assert render(page_of("second_dunning", "ru"), DAY, LETTERHEAD) == here
    program = (
        "import hashlib; from infra.gateways.letter_pdf import render; from tests.letters.samples import *;"
        "print(hashlib.sha256(render(page_of('second_dunning', 'ru'), DAY, LETTERHEAD)).hexdigest())"
    )
    elsewhere = {**os.environ, "TZ": "Asia/Jakarta", "LANG": "C", "PYTHONHASHSEED": "7", "SOURCE_DATE_EPOCH": "1"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, cwd=ROOT, env=elsewhere, stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await process.communicate()
    assert printed.decode().strip() == hashlib.sha256(here).hexdigest()


def test_another_day_is_another_paper():
    page = page_of("reminder", "de")
    assert render(page, "2026-03-24", LETTERHEAD) != render(page, DAY, LETTERHEAD)


HOSTILE = (
    '#import "@preview/evil:0.1.0": *',
    '#read("/etc/passwd")',
    "$ integral_0^1 x $",
    "\\u{41} \\ \\\\",
    "[a] ]] [[ {b} #{c}",
    "*bold* _it_ `raw` <label> @ref = head",
    '"quoted" \\" ", "to": "X',
    "// comment /* more",
    "- list\n+ enum",
    "https://example.com -- --- ... ~ '",
)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_printed_and_nothing_else(name):
    facts = facts_of("statement") | {"row_1": f"{name.replace('|', '')}|2026-01-01|2026-02-01|1|1", "note": name}
    page = page_of("statement", "en", facts, to=name)
    words = words_of(render(page, DAY, Letterhead(name, (name,), (name,)))).replace("\ufffd", "")
    # letterhead, return line twice, addressee, detail, signature, foot; a long word in a cell has breaks in it
    assert words.count(squeezed(name)) >= 6


@pytest.mark.parametrize(
    "name", ["日本商事", "Acme 😀", "شركة", "\u0301x", "a" * 300, "W" * 300, "x\x00\x1b[31m\u202ey", ""]
)
def test_no_name_stops_a_letter(name):
    facts = facts_of("statement") | {"row_1": f"{name}|2026-01-01|2026-02-01|1|1", "note": name}
    page = page_of("statement", "en", facts, to=name)
    pdf = render(page, DAY, LETTERHEAD)
    assert pdf == render(page, DAY, LETTERHEAD)
    assert squeezed(page.greeting) in words_of(pdf)


def test_cyrillic_and_latin_stand_side_by_side():
    words = words_of(render(page_of("reminder", "ru", to="Țiriac Ștefan ș.a. · ООО «Ёлка»"), DAY, LETTERHEAD))
    assert "ȚiriacȘtefanș.a.·ООО«Ёлка»" in words
    assert "Страница1из1" in words


def test_a_long_table_goes_on_with_its_head_on_the_next_sheet():
    rows = {f"row_{n}": f"INV-{n:04}|2026-01-01|2026-02-01|100|100" for n in range(1, 121)}
    page = page_of("statement", "de", {**facts_of("statement"), **rows})
    words = words_of(render(page, DAY, LETTERHEAD))
    (grid,) = (block for block in page.blocks if isinstance(block, Grid))
    assert len(grid.rows) == 120
    assert all(f"INV-{n:04}" in words for n in range(1, 121))
    assert [f"Seite{sheet}von4" in words for sheet in (1, 2, 3, 4)] == [True] * 4
    assert words.count("Rechnungsdatum") >= 3


def test_nobody_needs_a_letterhead():
    words = words_of(render(page_of("reminder", "de"), DAY, Letterhead()))
    assert words.startswith("IhrKundenteam")


def test_a_very_long_word_stays_on_the_sheet():
    facts = facts_of("statement") | {"row_1": f"{'W' * 200}|2026-01-01|2026-02-01|1|1"}
    words = words_of(render(page_of("statement", "en", facts, to="V" * 100), DAY, LETTERHEAD))
    words = words.replace("\ufffd", "")  # where it may be broken
    assert "W" * 200 in words
    assert "V" * 100 in words
