"""The command line about duties: deputies, rules, conflicts in a foreign log, rights on a day."""

import gzip
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from cli.exits import ExitCode
from infra.desk.clocks import wall_clock
from models.instants import DAY, plus
from tests.cli.command import EXAMPLES, Ran, in_process

LOG = """case,activity,resource,time
1,Create Sales Order,bob,2026-01-01T00:00:00Z
1,Post Goods Issue,bob,2026-01-02T00:00:00Z
2,Post Goods Issue,eve,2026-01-02T00:00:00Z
2,Look,eve,2026-01-02T00:00:00Z
"""
MAPPED = ("--map", "Create Sales Order=order_entry", "--map", "Post Goods Issue=goods_release")


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the people of the examples."""
    folder: Path = tmp_path_factory.mktemp("furnished")
    assert in_process("--data", folder, "import", "users", EXAMPLES / "users.csv").code == 0
    return folder


@pytest.fixture
def data(furnished: Path, tmp_path: Path) -> Path:
    """A copy of that folder."""
    return Path(shutil.copytree(furnished, tmp_path / "data"))


def run(data: Path, *arguments: object) -> Ran:
    return in_process("--data", data, "-o", "json", "-q", *arguments)


def tomorrow() -> str:
    return plus(wall_clock(), DAY)[:10]


def test_a_deputy_is_appointed_acts_and_is_ended(data: Path):
    people = ("anna.keller", "jonas.brandt", "--until", tomorrow())
    made = run(data, "--as", "anna.keller", "user", "deputy", "appoint", *people)
    assert made.code == 0, made.err
    assert (made.json["absent"], made.json["deputy"], made.json["until_at"]) == (
        "anna.keller", "jonas.brandt", f"{plus(f'{tomorrow()}T00:00:00Z', DAY)}",
    )  # fmt: skip
    assert run(data, "--as", "jonas.brandt", "--for", "anna.keller", "deal", "list").code == 0
    twice = run(data, "--as", "anna.keller", "user", "deputy", "appoint", *people)
    assert (twice.code, "has a deputy in this window already" in twice.err) == (ExitCode.REFUSED, True)
    assert [row["id"] for row in run(data, "user", "deputy", "list", "--active").json] == [1]
    assert run(data, "user", "deputy", "end", 1).json["ended_by"] == "operator"
    gone = run(data, "--as", "jonas.brandt", "--for", "anna.keller", "deal", "list")
    assert (gone.code, "is not the deputy of anna.keller now" in gone.err) == (ExitCode.REFUSED, True)
    assert run(data, "user", "deputy", "list", "--active").json == []


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--for", "anna.keller", "deal", "list"), ExitCode.USAGE, "name the deputy with --as"),
        (("--as", "operator", "--for", "anna.keller", "deal", "list"), ExitCode.USAGE, "stands in for nobody"),
        (("--as", "ines.aurel", "--for", "anna.keller", "deal", "list"), ExitCode.REFUSED, "auditor"),
        (("user", "deputy", "end", 9), ExitCode.NOT_FOUND, "deputyship"),
        (("user", "deputy", "appoint", "a", "b", "--until", "soon"), ExitCode.USAGE, "--until 'soon'"),
        (("audit", "rights", "--on", "2026-13-01"), ExitCode.USAGE, "is no day"),
        (("audit", "rights", "--action", "fly"), ExitCode.NOT_FOUND, "there is no act 'fly'"),
        (("--as", "anna.keller", "audit", "rights"), ExitCode.REFUSED, "auditor"),
        (("--as", "adam.root", "audit", "conflicts"), ExitCode.REFUSED, "auditor"),
        (("audit", "conflicts", "--from", "x"), ExitCode.USAGE, "is no day"),
        (("audit", "conflicts", "--from", "2026-02-02", "--to", "2026-02-01"), ExitCode.USAGE, "is before"),
        (("audit", "conflicts", "--map", "a=ship"), ExitCode.USAGE, "--log"),
    ],
)
def test_what_cannot_be_asked_is_told_in_a_sentence(data: Path, arguments: tuple[object, ...], code: int, words: str):
    ran = run(data, *arguments)
    assert (ran.code, words in ran.err) == (code, True), ran.err
    assert "Traceback" not in ran.err


def test_who_has_left_does_nothing_any_more(data: Path):
    with closing(sqlite3.connect(data / "dealwright.db")) as books, books:
        books.execute("UPDATE users SET active = 0 WHERE id = 'felix.baum'")
    told = run(data, "--as", "felix.baum", "deal", "list")
    assert (told.code, told.out) == (ExitCode.REFUSED, "")
    assert "user felix.baum is not active" in told.err


def test_conflicts_in_the_log_of_another_system_need_no_data_folder(tmp_path: Path):
    log = tmp_path / "orders.csv.gz"
    log.write_bytes(gzip.compress(LOG.encode()))
    ran = run(tmp_path / "none", "audit", "conflicts", "--log", log, *MAPPED)
    assert ran.code == ExitCode.REFUSED
    (finding,) = ran.json["findings"]
    assert (finding["rule"], finding["case"], finding["people"]) == ("order_entry_and_goods_release", "1", ["bob"])
    assert ran.json["unmapped"] == {"Look": 1}
    shown = in_process("--data", tmp_path, "audit", "conflicts", "--log", log, *MAPPED)
    assert "Create Sales Order by bob (line 2)" in shown.out
    assert "not mapped: Look" in shown.out
    nobody = tmp_path / "nobody.csv"
    nobody.write_text("case,activity,resource,time\n1,Post Goods Issue,,2026-01-01\n", encoding="utf-8")
    told = in_process("--data", tmp_path, "audit", "conflicts", "--log", nobody, *MAPPED)
    assert (told.code, told.out.splitlines()) == (
        ExitCode.OK, ["  1 acts without a person", "0 conflicts in 1 cases with 1 acts"],
    )  # fmt: skip
    clean = run(tmp_path, "audit", "conflicts", "--log", log, "--map", "Post Goods Issue=ship")
    assert (clean.code, clean.json["findings"]) == (ExitCode.OK, [])


def test_a_log_that_cannot_be_read_is_told_with_its_line(tmp_path: Path):
    log = tmp_path / "orders.csv"
    log.write_text("case,activity,time\n1,a,soon\n")
    ran = run(tmp_path, "audit", "conflicts", "--log", log)
    assert (ran.code, "orders.csv, line 2: 'soon' is no time" in ran.err) == (ExitCode.BAD_DATA, True)
    assert run(tmp_path, "audit", "conflicts", "--log", tmp_path / "none").code == ExitCode.NOT_FOUND
    assert run(tmp_path, "audit", "conflicts", "--log", tmp_path).code == ExitCode.USAGE
    assert run(tmp_path, "audit", "conflicts", "--log", log, "--map", "a=fly").code == ExitCode.USAGE
    assert run(tmp_path, "audit", "conflicts", "--log", log, "--customer", "c").code == ExitCode.USAGE


def test_rights_tell_whose_deputy_somebody_is_and_for_how_much_of_a_day(data: Path):
    last = plus(wall_clock(), 5 * DAY)[:10]
    appoint = ("user", "deputy", "appoint", "anna.keller", "jonas.brandt", "--until", last)
    assert run(data, "--as", "anna.keller", *appoint).code == 0
    asked = ("--data", data, "audit", "rights", "--on", last)
    one = [" ".join(line.split()) for line in in_process(*asked, "--user", "jonas.brandt").out.splitlines()]
    assert any(line.startswith("jonas.brandt account_manager dach ") and " anna.keller " in line for line in one), one
    assert any(line.startswith("jonas.brandt: accept_analogue, ") for line in one)
    assert any(line.startswith("on behalf of anna.keller: accept_analogue, ") for line in one)
    everybody = in_process(*asked).out
    assert "anna.keller" in everybody
    assert "on behalf of" not in everybody


def test_rules_and_rights_are_printed(data: Path):
    assert "order_entry_and_goods_release" in in_process("--data", data, "audit", "duties").out
    rows = run(data, "audit", "rights", "--action", "ship").json["items"]
    assert {row["user"] for row in rows} == {"marta.sokol", "web.shop"}
    shown = in_process("--data", data, "audit", "rights", "--user", "nora.weiss")
    assert "customer_master_and_credit_limit" in shown.out
    assert "approve_reliability" in shown.out
    assert run(data, "audit", "conflicts").json["findings"] == []
