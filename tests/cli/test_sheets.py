"""Reading CSV files as people send them."""

from pathlib import Path

import pytest

from cli.exits import CommandFailed, ExitCode
from cli.imports import sheets
from cli.imports.report import Report, line_numbers
from cli.imports.sheets import LONGEST_CELL, Sheet, column_name, read_sheet


def read(tmp_path: Path, content: str | bytes, *required: str) -> tuple[Sheet, Report]:
    path = tmp_path / "file.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    report = Report(str(path))
    return read_sheet(path, required or ("id",), report), report


@pytest.mark.parametrize(
    "content",
    [
        "id,name\na,Ä\nb,B\n",
        "\ufeffid,name\na,Ä\nb,B\n",
        "id,name\r\na,Ä\r\nb,B\r\n",
        "id,name\ra,Ä\rb,B",
        "id;name\na;Ä\nb;B",
        "id\tname\na\tÄ\nb\tB",
        " ID , Name \n a , Ä \n\n b,B\n,\n",
        "name,id\nÄ,a\nB,b\n",
        'id,name\na,"Ä"\n"b","B"\n',
        "id,name\na,Ä\nb,B\n".encode("cp1252"),
        "id,name\na,Ä\nb,B\n".encode("utf-16"),
    ],
)
def test_any_usual_form_gives_the_same_rows(tmp_path: Path, content: str | bytes) -> None:
    sheet, report = read(tmp_path, content)
    assert [row.cells for row in sheet.rows] == [{"id": "a", "name": "Ä"}, {"id": "b", "name": "B"}]
    assert (report.rows, report.imported, report.refused) == (2, 2, 0)


def test_lines_are_those_of_the_file(tmp_path: Path) -> None:
    sheet, _ = read(tmp_path, 'id,name\na,"two\nlines"\n\nb,B\n')
    assert [(row.line, row.cells["id"]) for row in sheet.rows] == [(2, "a"), (5, "b")]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("x", "1 cells, the header 2"),
        ("x,y,z", "3 cells, the header only 2"),
        ("x,a\x00b", "control characters"),
        ("x," + "y" * (LONGEST_CELL + 1), "longer than"),
        ('x,"y" z', "no CSV"),
        ('x,"never closed', "no CSV"),
    ],
)
def test_a_bad_line_costs_that_line_alone(tmp_path: Path, bad: str, reason: str) -> None:
    sheet, report = read(tmp_path, f"id,name\na,A\n{bad}\nb,B\nc,C\n")
    assert [row.cells["id"] for row in sheet.rows] == ["a", "b", "c"]
    assert report.rows == report.imported + report.repaired + report.refused == 4
    (found,) = report.findings
    assert (found.line, found.outcome) == (3, "refused")
    assert reason in found.reason


@pytest.mark.parametrize(
    ("content", "said"),
    [("", "is empty"), ("\n \n", "is empty"), ("name,x\n", "no column id"), ("id,ID\n", "more than once")],
)
def test_files_that_are_none_are_refused(tmp_path: Path, content: str, said: str) -> None:
    with pytest.raises(CommandFailed, match=said) as failed:
        read(tmp_path, content)
    assert failed.value.code is ExitCode.BAD_DATA


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed) as failed:
        read_sheet(tmp_path, ("id",), Report(""))
    assert failed.value.code is ExitCode.NOT_FOUND


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "LARGEST_FILE", 1 << 20)
    head = "id,name\na,"
    assert read(tmp_path, head + "A" * 100)[1].refused == 0
    with pytest.raises(CommandFailed, match=r"file\.csv is larger than 1 MB") as failed:
        read(tmp_path, head + "A" * (1 << 20))
    assert (failed.value.code, failed.value.advice) == (ExitCode.BAD_DATA, "split it")


def test_names_and_numbers() -> None:
    assert column_name(" Close Value (USD) ") == "close_value_usd"
    assert line_numbers([9, 2, 3, 4, 3]) == "2-4, 9"
