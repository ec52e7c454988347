"""Letters and documents: the contract of mailer and printer, their words in six languages, and what a crash leaves."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from infra.db import Database
from infra.gateways import mailer as mailing
from infra.gateways.letter_text import letter
from infra.gateways.mailer import OutboxMailer
from infra.gateways.paper_files import file_stem
from infra.gateways.printer import FilePrinter
from infra.gateways.wording import TEMPLATES, letter_kinds, letter_wording
from models.messages.legal import DocumentInput
from models.messages.receivables import LetterInput
from models.policy import DEFAULT
from models.ports import DocumentPrinter, Mailer
from models.tables.masters import CustomerRow
from models.tables.papers import DocumentRow, LetterRow
from tests.fakes.papers import FakeMailer, FakePrinter
from tests.gateways.worlds import AT

FACTS = {"invoice": "2026-000001", "open": "1,090.00 EUR", "due_at": "2026-03-10"}


def dunning(key: str = "k1", kind: str = "reminder", customer: str = "C1", **facts: str) -> LetterInput:
    return LetterInput(key, "D1", customer, kind, facts or FACTS, AT)


def contract(key: str = "k1", kind: str = "contract", version: int = 1, **facts: str) -> DocumentInput:
    return DocumentInput(key, "D1", "C1", kind, version, facts or {"total": "1,090.00 EUR"}, AT)


async def add_customer(database: Database, language: str, name: str = "Acme") -> None:
    card = {"id": "C1", "name": name, "group_id": "G1", "currency": "EUR", "language": language}
    async with database.begin() as connection:
        await connection.execute(insert(CustomerRow), {**card, "created_at": AT, "updated_at": AT})


def files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


async def rows(database: Database, table: type[Any]) -> list[Any]:
    async with database.read() as connection:
        return list((await connection.execute(select(table))).all())


@pytest.fixture(params=["fake", "real"])
def mailer(request: pytest.FixtureRequest, folder: Path) -> Mailer:
    return FakeMailer() if request.param == "fake" else OutboxMailer(request.getfixturevalue("database"), folder)


@pytest.fixture(params=["fake", "real"])
def printer(request: pytest.FixtureRequest, folder: Path) -> DocumentPrinter:
    return FakePrinter() if request.param == "fake" else FilePrinter(request.getfixturevalue("database"), folder)


async def test_one_letter_per_key_for_ever(mailer: Mailer):
    first = await mailer.send_letter(dunning())
    assert await mailer.send_letter(dunning(open="changed meanwhile")) == first
    assert await mailer.send_letter(dunning("k2")) != first


async def test_a_letter_without_a_text_is_refused(mailer: Mailer):
    for kind in ("love_letter", "", "frame", "document offer", "../../etc/passwd"):
        with pytest.raises(ValueError, match="no letter"):
            await mailer.send_letter(dunning(kind=kind))


async def test_one_document_per_key_for_ever(printer: DocumentPrinter):
    first = await printer.print_document(contract())
    assert await printer.print_document(contract(total="2.00 EUR")) == first
    assert (await printer.print_document(contract("k2", version=2))).digest != first.digest


async def test_a_document_without_a_text_is_refused(printer: DocumentPrinter):
    for kind in ("poem", "", "reminder", "../x"):
        with pytest.raises(ValueError, match="no document"):
            await printer.print_document(contract(kind=kind))


async def test_a_letter_is_two_files_in_the_customers_language_and_a_row_in_the_outbox(
    database: Database, folder: Path
):
    await add_customer(database, "de-AT", "Müller & Söhne")
    sent = await OutboxMailer(database, folder).send_letter(dunning(kind="second_dunning"))
    assert hashlib.sha256((folder / sent.name).read_bytes()).hexdigest() == sent.digest
    content = (folder / sent.name).with_suffix(".txt").read_bytes()
    text = content.decode()
    for words in (
        "Müller & Söhne",
        "Zweite Mahnung: Rechnung 2026-000001",
        "Offener Betrag: 1,090.00 EUR",
        "2. März 2026",
    ):
        assert words in text
    (row,) = await rows(database, LetterRow)
    assert (row.name, row.digest, row.language, row.dispatched_at) == (sent.name, sent.digest, "de", "")
    assert row.text_digest == hashlib.sha256(content).hexdigest()
    assert (row.subject, row.state, row.queued_at) == ("Zweite Mahnung: Rechnung 2026-000001", "waiting", row.at)
    assert [path.suffix for path in files(folder)] == [".pdf", ".txt"], "no temporary file is left"


async def test_a_crash_between_file_and_row_leaves_one_letter(
    database: Database, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    real = OutboxMailer(database, folder)

    async def crash(*_: object) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as broken:
        broken.setattr(mailing, "once", crash)
        with pytest.raises(RuntimeError, match="power cut"):
            await real.send_letter(dunning())
    assert await rows(database, LetterRow) == []
    sent = await real.send_letter(dunning(open="9.99 EUR"))
    digests = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files(folder)]
    assert digests[0] == sent.digest
    assert "1,090.00 EUR" in files(folder)[1].read_text(), "the letter that was written stands"
    assert [[row.digest, row.text_digest] for row in await rows(database, LetterRow)] == [digests]


async def test_a_dispatched_letter_is_not_written_again(database: Database, folder: Path):
    real = OutboxMailer(database, folder)
    sent = await real.send_letter(dunning())
    for file in files(folder):
        file.unlink()
    assert await real.send_letter(dunning()) == sent
    assert files(folder) == []


async def test_a_document_is_a_file_named_after_its_content(database: Database, folder: Path):
    printer = FilePrinter(database, folder)
    facts = {"lines": "1  bolt  10\n2  nut    1", "line_1": "10 x bolt", "clause_2": "None of it"}
    printed = await printer.print_document(replace(contract(), facts=facts))
    text = (folder / printed.name).read_text()
    assert printed.name == f"D1-contract-v1-{printed.digest[:12]}.txt"
    assert "    Positions:\n      1  bolt  10\n      2  nut    1\n" in text
    assert "Position 1:" in text
    assert "Special clause 2: None of it" in text
    again = await printer.print_document(replace(contract("k2"), facts=facts))
    assert again == printed
    assert [row.name for row in await rows(database, DocumentRow)] == [printed.name] * 2
    assert len(files(folder)) == 1


async def test_a_document_is_in_the_language_of_the_offer_before_that_of_the_card(database: Database, folder: Path):
    await add_customer(database, "it")
    printer = FilePrinter(database, folder)
    for language, title in (("de", "KAUFVERTRAG"), ("ru", "CONTRACT OF SALE"), ("", "CONTRACT OF SALE")):
        printed = await printer.print_document(contract(f"k{language}", language=language, total="1.00 EUR"))
        assert (folder / printed.name).read_text().startswith(title + "\n=====")


@pytest.mark.parametrize("language", sorted(path.stem for path in TEMPLATES.glob("*.txt")))
@pytest.mark.parametrize("kind", letter_kinds())
def test_every_letter_reads_well_in_every_language(language: str, kind: str):
    words = letter_wording(kind, language)
    assert words.language == language
    head = {"date": "2026-03-02", "to": "Acme", "reference": "D1"}
    for facts in (FACTS, {}, {"article": "bolt", "cost of $love": "$5 ${x} $details"}):
        text = letter(words, kind, head, facts)
        assert words.frame["greeting"] in text
        assert all(value in text for value in facts.values())
        assert "$" not in text.replace("$5 ${x} $details", "").replace("Cost of $love", "")
        assert not [line for line in text.splitlines() if line != line.rstrip() or len(line) > 110]
        assert "\n\n\n\n" not in text


def test_the_policys_ladder_has_its_letters():
    assert {rung.letter for rung in DEFAULT.ladder if rung.letter} <= set(letter_kinds())


def test_a_name_can_not_forge_lines_of_a_letter():
    words = letter_wording("reminder", "en")
    text = letter(words, "reminder", {"to": "Acme\r\x00\x1b[31m\u2028Evil"}, FACTS)
    assert "To: Acme   [31m Evil\n" in text


def test_no_file_leaves_its_folder_or_hides():
    assert file_stem("../../etc/passwd", "x") == "_.._etc_passwd-x"
    assert file_stem(".hidden", "a b\x00c") == "hidden-a_b_c"
    assert file_stem("...") == "_"
    assert len(file_stem("x" * 500)) == 60
