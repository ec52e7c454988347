"""The commands about personal data, from an import to an old backup that is put back."""

import shutil
from pathlib import Path

import pytest

from infra.privacy import erasure_list, installation_key
from tests.cli.command import Ran, in_process

NAME, EMAIL = "Quendolina Marksteiner", "q.marksteiner@kunde.example"
CARDS = f"""id,name,currency,contact_name,contact_role,contact_email,contact_phone
C-1,Kunde GmbH,EUR,{NAME},billing,{EMAIL},+49 30 99887766
C-2,Other Ltd,GBP,Balduin Bleibt,buyer,bleibt@other.example,
"""


class Folder:
    """A data folder with two customers."""

    def __init__(self, base: Path) -> None:
        self.data, self.file = base / "data", base / "cards.csv"
        self.file.write_text(CARDS, encoding="utf-8")

    def run(self, *arguments: object) -> Ran:
        return in_process("--data", self.data, "-o", "json", *arguments)

    def ok(self, *arguments: object) -> Ran:
        done = self.run(*arguments)
        assert done.code == 0, done
        return done


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path)
    made.ok("import", "customers", made.file)
    return made


def test_an_imported_contact_is_erased_and_stays_erased(folder: Folder) -> None:
    assert folder.ok("privacy", "check").json == {"findings": []}
    done = folder.ok("privacy", "erase", "C-1-1", "--reason", "request 7").json
    assert (done["subject"], done["customer_id"], done["values"], done["again"]) == ("C-1-1", "C-1", 3, False)
    assert folder.ok("privacy", "erase", "C-1-1", "--reason", "request 7").json["again"] is True
    [row] = folder.ok("privacy", "list").json
    assert (row["subject"], row["requested_by"], row["reason"]) == ("C-1-1", "operator", "request 7")
    again = folder.ok("import", "customers", folder.file).json
    assert [one["reason"] for one in again["findings"] if one["outcome"] == "remark"] == [
        "the contact was left out: its personal data was erased on request"
    ]
    assert folder.ok("audit", "verify").json["sound"] is True
    assert folder.ok("privacy", "check", "--marker", NAME, "--marker", EMAIL).json == {"findings": []}


def test_an_old_database_that_is_put_back_is_in_order_before_anybody_reads(folder: Folder, tmp_path: Path) -> None:
    database = folder.data / "dealwright.db"
    shutil.copy(database, tmp_path / "monday.db")
    folder.ok("privacy", "erase", "C-1-1", "--reason", "request 7")
    for left in folder.data.glob("dealwright.db*"):
        left.unlink()
    shutil.copy(tmp_path / "monday.db", database)
    [row] = folder.ok("privacy", "list").json
    assert (row["subject"], row["values_erased"]) == ("C-1-1", 3)
    assert folder.ok("privacy", "erase", "C-1-1", "--reason", "request 7").json["again"] is True


def test_what_is_in_clear_is_found(folder: Folder) -> None:
    (folder.data / "remarks.txt").write_text(f"call {NAME}", encoding="utf-8")
    for arguments in ((), ("--marker", "Marksteiner")):
        found = folder.run("privacy", "check", *arguments)
        assert found.code == 1
        assert [Path(one["file"]).name for one in found.json["findings"]] == ["remarks.txt"]


def test_people_read_what_was_erased_and_what_stands_in_clear(folder: Folder) -> None:
    def shown(*arguments: object) -> str:
        return in_process("--data", folder.data, "privacy", *arguments).out

    assert "nothing stands in clear" in shown("check")
    assert "C-1-1 was erased: 3 values" in shown("erase", "C-1-1", "--reason", "request 7")
    assert "C-1-1 was erased before: 3 values" in shown("erase", "C-1-1", "--reason", "request 7")
    assert "request 7" in shown("list")
    (folder.data / "remarks.txt").write_text("call Marksteiner", encoding="utf-8")
    found = shown("check", "--marker", "Marksteiner")
    assert "text 1 stands in" in found
    assert "1 findings" in found


def test_as_many_erasures_are_listed_as_are_asked_for(folder: Folder) -> None:
    for contact in ("C-1-1", "C-2-1"):
        folder.ok("privacy", "erase", contact, "--reason", "request 7")
    assert [row["subject"] for row in folder.ok("privacy", "list", "--limit", 1).json] == ["C-2-1"]
    assert [row["subject"] for row in folder.ok("privacy", "list").json] == ["C-2-1", "C-1-1"]


def test_what_is_asked_wrongly_is_told(folder: Folder) -> None:
    for arguments, code, words in (
        (("erase", "P-none", "--reason", "x"), 3, "there is no contact"),
        (("erase", "C-1-1", "--reason", "  "), 1, "say why"),
        (("erase", "C-1-1"), 2, "--reason"),
        (("disclose", "pv_0"), 3, "there is no personal value"),
        (("paper", "../personal.key"), 3, "there is no document"),
    ):
        done = folder.run("privacy", *arguments)
        assert (done.code, words in done.err) == (code, True), done
    assert folder.ok("privacy", "list").json == []


def test_with_another_key_nothing_is_read_and_nothing_is_made_anew(folder: Folder) -> None:
    keys = folder.data / "keys"
    (keys / installation_key.FILE).unlink()
    assert folder.run("import", "customers", folder.file).code != 0
    assert not (keys / installation_key.FILE).exists()
    assert erasure_list.erasures(keys) == []
