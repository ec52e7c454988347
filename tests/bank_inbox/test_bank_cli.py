"""Bank statements in a terminal: imported, listed, shown, set aside; exit codes for scripts."""

from pathlib import Path

import pytest

from benchmarks.bank import file_of as bench_file
from cli.exits import ExitCode
from tests.bank.statement_files import ACCOUNT, Payment, camt
from tests.bank_inbox.paid_deals import file_of
from tests.cli.command import in_process


@pytest.fixture
def data(tmp_path: Path, migrated_file: Path) -> Path:
    (tmp_path / "dealwright.db").write_bytes(migrated_file.read_bytes())
    added = in_process("--data", tmp_path, "user", "add", "clerk", "A clerk", "--role", "accounts_receivable")
    assert added.code == 0, added.err
    return tmp_path


@pytest.mark.systems
@pytest.mark.timeout(300)
def test_files_are_imported_and_entries_decided(data: Path) -> None:
    good, bad, broken = data / "good.xml", data / "bad.xml", data / "broken.sta"
    good.write_bytes(file_of([Payment(500, text="what is this", name="Somebody"), Payment(-700, text="rent")]))
    bad.write_bytes(camt("04", ACCOUNT, [Payment(1)], 0, 2))
    broken.write_bytes(b"no statement at all")

    done = in_process("--data", data, "import", "bank", good, bad, broken, good, "-o", "json")
    assert done.code == ExitCode.BAD_DATA, done.err
    first, second, third, again = done.json
    assert (first["statements"][0]["replayed"], first["statements"][0]["new"]) == (False, 2)
    assert (again["statements"][0]["replayed"], again["statements"][0]["new"]) == (True, 0)
    assert (second["statements"][0]["state"], second["statements"][0]["difference"]["amount_minor"]) == (
        "quarantined",
        -1,
    )
    assert (third["refused"], third["statements"]) == ("unknown_format", [])

    shown = in_process("--data", data, "import", "bank", good, bad, broken)
    assert shown.code == ExitCode.BAD_DATA
    assert all(words in shown.out for words in ("refused (unknown_format)", "is in quarantine", good.name))

    listed = in_process("--data", data, "bank", "list")
    assert "in quarantine" in listed.out
    assert "1 ignored (outgoing)" in listed.out
    assert len(in_process("--data", data, "bank", "list", "--quarantined", "-o", "json").json) == 1
    (entry,) = in_process("--data", data, "bank", "worklist", "-o", "json").json
    assert "Somebody" in in_process("--data", data, "bank", "show", entry["id"]).out
    assert in_process("--data", data, "bank", "show", 99).code == ExitCode.NOT_FOUND
    assert in_process("--data", data, "bank", "worklist", "--state", "lost").code == ExitCode.USAGE

    ignored = ("--data", data, "bank", "ignore", entry["id"], "--reason", "a mistake of the bank")
    assert in_process(*ignored).code == ExitCode.REFUSED  # the operator is no clerk
    assert in_process(*ignored, "--as", "clerk").code == 0
    wrong = in_process("--data", data, "bank", "allocate", entry["id"], "2026-000001=x", "--as", "clerk")
    assert wrong.code == ExitCode.USAGE
    wrong = in_process("--data", data, "bank", "allocate", entry["id"], "2026-000001=500", "--as", "clerk")
    assert wrong.code == ExitCode.REFUSED
    assert "there is no such invoice" in wrong.err
    done = in_process("--data", data, "bank", "retry")
    assert (done.code, "0 booked" in done.out) == (0, True), done.err
    assert in_process("--data", data, "money", "verify").code == 0


def test_the_benchmarks_file_is_a_statement(tmp_path: Path) -> None:
    assert bench_file(3).count(b"<Ntry>") == 6
