"""One run of the demo, then the auditor's week and other commands on the folder that it leaves."""

import re
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.exits import ExitCode
from infra.system_state import running_system
from tests.bank.statement_files import Payment
from tests.bank_inbox.paid_deals import file_of
from tests.cli.command import ROOT, Ran, command, dealwright, environment, in_process
from tests.cli.pages import blocks_of, follow

pytestmark = [pytest.mark.systems, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def demo(folder: Path) -> Ran:
    return dealwright("--data", folder, "demo", "-o", "json", timeout=500)


@pytest.fixture(scope="module")
def told(demo: Ran) -> Any:
    assert demo.code == 0, demo.err + demo.out[-3000:]
    return demo.json


@pytest.fixture
def cli(folder: Path, told: Any) -> Iterator[Any]:
    """A command on the demo's folder."""
    yield lambda *arguments: in_process("--data", folder, *arguments)
    assert running_system(folder) is None


@pytest.fixture(scope="module")
def up(folder: Path, told: Any) -> Iterator[Any]:
    """A command on the demo's folder while its system runs, so that nothing has to be started for it."""
    process = subprocess.Popen(
        command("--data", folder, "up"), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env=environment(), cwd=ROOT,
    )  # fmt: skip
    assert process.stdout is not None
    assert "Dealwright is up" in process.stdout.readline()
    yield lambda *arguments: in_process("--data", folder, *arguments)
    process.send_signal(signal.SIGTERM)
    assert process.wait(40) == 0
    process.stdout.close()


def deal_of(told: Any, fate: str) -> str:
    return next(str(story["deal"]) for story in told["stories"] if story["fate"] == fate)


def test_every_story_ends_as_told(told: Any) -> None:
    assert len(told["stories"]) >= 25
    assert [story for story in told["stories"] if story["problem"]] == []
    assert 180 <= max(story["days"] for story in told["stories"]) <= 220
    wanted = {"completed", "lost", "rejected", "cancelled", "defaulted", "offer_open", "fulfilling"}
    assert wanted <= {story["state"] for story in told["stories"]}


def test_shortages_are_solved_on_three_rungs(told: Any) -> None:
    stories = {story["fate"]: story for story in told["stories"]}
    solved = {}
    for fate in ("analogue", "logistics", "partial"):
        (short,) = stories[fate]["shortages"]
        asked = ("propose_analogue", "ask_logistics", "ask_production", "offer_partial", "choose")
        answered = {rung["name"] for rung in short["rungs"] if rung["answered_by"] and rung["name"] in asked}
        solved[fate] = (short["choice"], short["outcome"], answered)
    assert solved == {
        "analogue": ("", "substituted", {"propose_analogue"}),
        "logistics": ("wait", "stock", {"ask_logistics", "choose"}),
        "partial": ("buy_in", "stock", {"propose_analogue", "ask_logistics", "ask_production", "offer_partial"}),
    }
    assert sum(len(story["shortages"]) for story in told["stories"]) == 3


def test_running_orders_are_corrected_and_amended(told: Any) -> None:
    events = {story["fate"]: story["order_events"] for story in told["stories"] if story["order_events"]}
    assert events == {
        "redelivered": ["act of shortage, 2 units (packing): redelivery"],
        "amended": ["amendment 1, 3 changes: confirmed"],
    }


def test_the_auditors_week_goes_as_written(told: Any, folder: Path, tmp_path: Path) -> None:
    """Every block of docs/auditors-week.md, in one shell, on a copy of the folder that the demo leaves."""
    blocks = blocks_of("docs/auditors-week.md")
    assert len(blocks) >= 10
    week, desk = Path(shutil.copytree(folder, tmp_path / "week")), tmp_path / "audit"
    desk.mkdir()
    said = follow(blocks, desk, 400, DEALWRIGHT_DATA_DIR=str(week), VERIFIER=str(ROOT / "verify_bundle.py"))
    assert re.search(r"\bsound\b", said[1])
    assert "SOUND" in said[4]
    assert "TAMPERED" in said[5]
    assert "exit code 1" in said[5]
    assert "0 different" in said[6]
    assert "exit code" in said[8], "nobody approves their own draft"
    assert "SOUND" in said[10]
    assert "ada" in said[11]


def test_a_second_demo_finds_its_deals_and_tells_of_shortages(told: Any, folder: Path) -> None:
    shown = dealwright("--data", folder, "demo", timeout=300)
    assert shown.code == 0
    assert all(story["deal"] in shown.out for story in told["stories"])
    assert len(in_process("--data", folder, "deal", "list", "-o", "json", "--limit", 500).json["deals"]) == len(
        told["stories"]
    )
    section = shown.out[shown.out.index("Shortages") : shown.out.index("Board")]
    for fate in ("analogue", "logistics", "partial", "redelivered", "amended"):
        assert deal_of(told, fate) in section
    for words in ("ask logistics: marta.sokol", "bought in, delivered", "replaced by another article", "redelivery"):
        assert words in " ".join(section.split()), words


def test_the_books_are_sound(told: Any) -> None:
    assert told["audit"]["sound"]
    assert told["replay"]["equal"]
    assert told["books"]["sound"]
    for balance in told["money"]:
        settled = balance["paid_minor"] + balance["credited_minor"] + balance["written_off_minor"]
        assert balance["invoiced_minor"] == settled + balance["open_minor"] > 0


def test_reading_needs_no_engine(cli: Any, told: Any) -> None:
    listed = cli("deal", "list", "-o", "json", "--limit", 500)
    assert (listed.code, len(listed.json["deals"])) == (0, len(told["stories"]))
    dunned = deal_of(told, "two_dunnings")
    timeline = cli("deal", "timeline", dunned)
    assert timeline.code == 0
    assert "second dunning" in timeline.out
    for arguments in (("deal", "show", dunned), ("deal", "why", dunned), ("deal", "board"), ("deal", "agenda"),
                      ("stock", "list"), ("stock", "verify"), ("user", "list"), ("db", "check")):  # fmt: skip
        ran = cli(*arguments)
        assert (ran.code, ran.err) == (0, ""), arguments


READ = (
    *(f"deal {what} {fate}" for what in ("show", "timeline", "why") for fate in ("won", "written_off", "partial")),
    "deal list", "deal list --limit 1", "deal board", "deal why won note", "deal timeline won --refusals",
    "deal agenda", "audit leaves", "audit checkpoints", "audit duties", "audit conflicts", "audit conformance",
    "audit verify", "audit who-could won", "audit as-of deal won", "audit as-of customer alpenquell",
    "audit as-of stock CP-100", "reports response-times", "reports discrepancies", "reports ageing", "reports dso",
    "reports effectiveness", "reports cash", "reports lateness", "privacy list", "policies list", "policies drafts",
    "bank list", "bank worklist", "shortages", "alerts", "dead-letters", "invoices list", "letters list", "user list",
    "user deputy list", "stock list", "stock waiting", "doctor", "money verify", "lifecycle", "exit-codes", "keys list",
)  # fmt: skip


@pytest.mark.parametrize("asked", READ)
def test_whatever_is_kept_can_be_read_by_people(cli: Any, told: Any, asked: str) -> None:
    fates = {str(story["fate"]): str(story["deal"]) for story in told["stories"]}
    ran = cli(*(fates.get(word, word) for word in asked.split()))
    assert ran.code == ExitCode.OK, ran.err
    assert ran.out.strip()
    assert "Traceback" not in ran.out + ran.err


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("deal do won fly", "there is no action 'fly'"),
        ("deal do won note oops", "'oops' is not like NAME=VALUE"),
        ("deal do won note colour=red", "note has no field 'colour'"),
        ("deal do won record_needs quantity=many", "quantity: 'many' is no number"),
        ("deal do won note --payload {", "--payload is no JSON"),
        ("deal do won note --payload []", "--payload must be a JSON object"),
        ("deal why won fly", "there is no action"),
        ("deal show D-NONE", "there is no deal 'D-NONE'"),
        ("audit as-of deal won --at yesterday", "yesterday"),
        ("bank show 999", "999"),
    ],
)
def test_what_is_asked_wrongly_is_told_in_a_line(cli: Any, told: Any, asked: str, words: str) -> None:
    ran = cli(*(deal_of(told, "won") if word == "won" else word for word in asked.split()))
    assert ran.code in (ExitCode.USAGE, ExitCode.NOT_FOUND)
    assert words in ran.err
    assert "Traceback" not in ran.err


def test_the_timeline_as_of_a_day(cli: Any, told: Any) -> None:
    deal = deal_of(told, "won")
    entries = cli("deal", "timeline", deal, "-o", "json").json["entries"]
    cut = cli("deal", "timeline", deal, "-o", "json", "--as-of", entries[9]["at"]).json["entries"]
    assert [entry["sequence"] for entry in cut] == [
        entry["sequence"] for entry in entries if entry["at"] <= entries[9]["at"]
    ]


def test_evidence_holds_afterwards(cli: Any, told: Any) -> None:
    assert cli("audit", "verify").code == 0
    assert cli("audit", "rebuild", "--check").code == 0
    replayed = cli("audit", "replay", deal_of(told, "won"), deal_of(told, "written_off"), "-o", "json")
    assert (replayed.code, replayed.err) == (0, "")  # both are archived: no engine was started
    assert [deal["equal"] for deal in replayed.json["deals"]] == [True, True]


def test_a_printed_offer_is_read_and_copied(cli: Any, told: Any, folder: Path, tmp_path: Path) -> None:
    kept = next((folder / "documents").glob(f"{deal_of(told, 'won')}-offer-*.txt"))
    text, copy = kept.read_text(encoding="utf-8"), tmp_path / "offer.txt"
    shown = cli("privacy", "paper", kept.name)
    assert (shown.code, shown.out) == (0, f"{text}\n")
    assert shown.err.startswith(f"{kept.name}: unchanged, digest ")
    written = cli("privacy", "paper", kept.name, "--to", copy)
    assert (written.code, written.out, copy.read_text(encoding="utf-8")) == (0, "", text)


def test_acts_start_the_engine_and_say_so(cli: Any, told: Any) -> None:
    deal = deal_of(told, "open_contacted")
    dry = cli("deal", "do", deal, "note", "text=hello", "--as", "jonas.brandt", "--dry-run")
    assert (dry.code, dry.err) == (0, "")
    done = cli("deal", "do", deal, "note", "text=hello", "--as", "jonas.brandt", "--key", "k-1", "-o", "json")
    assert done.code == 0
    assert "starting the engine" in done.err
    again = cli("deal", "do", deal, "note", "text=hello", "--as", "jonas.brandt", "--key", "k-1", "-o", "json")
    assert again.json == {**done.json, "replayed": True}


def test_refusals_say_who_can_help(up: Any, told: Any) -> None:
    approval = deal_of(told, "open_approval")
    refused = up("deal", "do", approval, "approve_offer", "reason=why not")
    assert refused.code == ExitCode.REFUSED
    assert "head_of_sales" in refused.err
    assert "--as USER" in refused.err
    assert refused.err.count("\n") <= 2
    closed = up("deal", "do", deal_of(told, "won"), "qualify", "--as", "anna.keller")
    assert closed.code == ExitCode.REFUSED
    assert up("deal", "show", "D-NOSUCHDEAL").code == ExitCode.NOT_FOUND
    assert up("deal", "list", "--as", "nobody").code == ExitCode.NOT_FOUND
    assert up("deal", "list", "--state", "flying").code == ExitCode.USAGE


def test_a_running_system_is_told_of(up: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    status = up("status")
    assert status.code == 0, status.err
    running = up("status", "-o", "json").json
    for words in (f"Dealwright is up since {running['started_at']}", f"{running['api']}/v1", str(folder)):
        assert words in status.out, words
    monkeypatch.setenv("DEALWRIGHT_API_PORT", "4711")
    checked = up("doctor", "-o", "json")
    found = {one["check"]: (one["verdict"], one["found"]) for one in checked.json}
    assert checked.code == 0, found
    assert found["ports"] == ("fine", "the API's port 4711 is used by the running system")
    assert found["test clock"] == ("fine", "on: test deals can skip time")
    assert found["engine"][1].startswith(f"at {running['temporal']}: engine ok, database ok, ")


def test_money_is_booked_by_hand_where_a_deal_takes_it(up: Any, told: Any, tmp_path: Path) -> None:
    def entry(number: str, currency: str) -> Any:
        file, payer = tmp_path / f"{number}.xml", f"payer {number}"
        file.write_bytes(file_of([Payment(500, text="which", name=payer)], currency=currency, number=number))
        assert up("import", "bank", file).code == 0
        return next(one["id"] for one in up("bank", "worklist", "-o", "json").json if one["party_name"] == payer)

    def allocate(number: str, invoice: Any) -> Any:
        part = f"{invoice['number']}=500"
        return up("bank", "allocate", entry(number, invoice["open"]["currency"]), part, "--as", "clara.simon")

    (owed,) = up("invoices", "list", "--open", "-o", "json").json["invoices"]
    booked = allocate("1", owed)
    assert booked.code == 0, booked.err
    assert "assigned by clara.simon" in booked.out
    after = up("invoices", "show", owed["number"], "-o", "json").json
    assert after["open"]["amount_minor"] == owed["open"]["amount_minor"] - 500

    (paid, *_) = up("invoices", "list", "--deal", deal_of(told, "won"), "-o", "json").json["invoices"]
    refused = allocate("2", paid)
    assert refused.code == ExitCode.REFUSED
    assert f"not booked: {paid['number']}: the deal is closed" in refused.out


def test_managers_see_their_own(up: Any, told: Any) -> None:
    mine = up("deal", "list", "--as", "dewi.santoso", "-o", "json", "--limit", 500).json["deals"]
    assert {deal["owner"] for deal in mine} == {"dewi.santoso"}


def test_clocks_of_test_deals_only(up: Any, told: Any) -> None:
    deal = deal_of(told, "open_contacted")
    moved = up("clock", "advance", "40d", deal, "-o", "json")
    assert moved.code == 0, moved.err
    assert moved.json[0]["problem"] == ""
    closed = up("clock", "advance", "1d", deal_of(told, "won"))
    assert closed.code == ExitCode.REFUSED
    real = up("deal", "new", "alpenquell", "A real deal", "--owner", "anna.keller", "-o", "json")
    assert real.code == 0, real.err
    refused = up("clock", "advance", "1d", real.json["deal_id"])
    assert refused.code == ExitCode.REFUSED
    assert "real deal" in refused.err


def test_tampering_is_found(folder: Path, told: Any) -> None:
    """Last in this module, as it spoils the folder; its system may run, for it reads the same books."""
    deal = deal_of(told, "won")
    with sqlite3.connect(folder / "dealwright.db") as books:
        books.execute("UPDATE timeline SET actor = 'mallory' WHERE deal_id = ? AND sequence = 3", (deal,))
        books.execute("UPDATE deals SET owner = 'mallory' WHERE id = ?", (deal,))
    books.close()
    verified = in_process("--data", folder, "audit", "verify")
    assert verified.code == ExitCode.REFUSED
    assert f"{deal}/3" in verified.out
    assert in_process("--data", folder, "audit", "rebuild", "--check").code == ExitCode.REFUSED
    assert in_process("--data", folder, "audit", "rebuild").code == 0
    assert in_process("--data", folder, "audit", "rebuild", "--check").code == 0
