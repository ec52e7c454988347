"""`audit replay`: what may be asked, what it finds in records that were tampered with, and its processes."""

import asyncio
import multiprocessing
import os
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import aclosing, closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.exits import ExitCode
from cli.replaying_case import Setup, _converter
from cli.replaying_pool import Crew, cores, portions_of
from infra.db import open_database
from infra.desk.books import Books
from infra.payload_cipher import KeyRing, PayloadCipher
from infra.payloads import DATA_CONVERTER
from infra.settings import load_settings
from infra.stores.recorder import DatabaseRecorder
from infra.temporal_server import EmbeddedServer, ServerOptions
from models.deal import open_deal
from models.messages.records import RecordInput
from models.policy import DEFAULT
from models.projection import CHILDREN, project
from models.replaying import ENGINE
from models.stages.opening import OpenDeal
from tests.cli.command import Ran, command, environment, in_process
from tests.cli.crews import begin, length, lost
from tests.models.world import PEOPLE, START, World, contacted, paid, qualified

RECORDS = "fold,rules"


@dataclass
class Named(World):
    """A deal of the pure core under an id of its own."""

    name: str = ""

    def __post_init__(self) -> None:
        opened = OpenDeal("A deal", "c-1", "g-1", "u-account_manager", "north", "berlin", "EUR", is_test=True)
        self._keep(open_deal(self.name, opened, PEOPLE["account_manager"], "open", self.policy, self.now))


def settled(number: int) -> World:
    """A deal of a number: some are paid, some have only begun."""
    world = Named(name=f"D-{number:02}")
    return (paid, qualified, contacted)[number % 3](world)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with 30 deals of the pure core, which no engine knows."""
    folder = tmp_path_factory.mktemp("many")
    assert in_process("--data", folder, "db", "upgrade").code == 0

    async def fill() -> None:
        database = open_database(load_settings(data_dir=folder).database, "NORMAL")
        await Books(database, load_settings(data_dir=folder)).policies.active(START)
        recorder = DatabaseRecorder(database)
        for number in range(30):
            world = settled(number)
            shown = project(world.deal, DEFAULT)
            await recorder.record(RecordInput(world.deal.id, tuple(world.entries), shown, CHILDREN))
        await database.close()

    asyncio.run(fill())
    return folder


@pytest.fixture
def tampered(many: Path, tmp_path: Path) -> Callable[[str], Ran]:
    """Runs a statement on a copy of the records, and replays them."""

    def replay(statement: str) -> Ran:
        file = tmp_path / "dealwright.db"
        with closing(sqlite3.connect(many / "dealwright.db")) as source, closing(sqlite3.connect(file)) as copy:
            source.backup(copy)
            copy.execute(statement)
            copy.commit()
        return in_process("--data", tmp_path, "audit", "replay", "--all", "--kind", RECORDS, "--jobs", 1, "-o", "json")

    return replay


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ((), "name deals, or a filter, or say --all"),
        (("D-00", "--all"), "name deals, or a filter, or say --all"),
        (("--all", "--owner", "x"), "name deals, or a filter, or say --all"),
        (("--all", "--kind", "fold,dance"), "there is no replay 'dance'"),
        (("--all", "--kind", ","), "name one of the replays"),
        (("--state", "flying"), "there is no state 'flying'"),
        (("--from", "yesterday"), "a day must look like 2026-12-31"),
        (("--from", "2026-02-02", "--to", "2026-02-01"), "--to is before --from"),
    ],
)
def test_nonsense_is_refused_with_a_reason(many: Path, arguments: tuple[str, ...], why: str) -> None:
    ran = in_process("--data", many, "audit", "replay", *arguments)
    assert ran.code == ExitCode.USAGE
    assert why in ran.err


def test_deals_that_are_not_there_are_named(many: Path) -> None:
    ran = in_process("--data", many, "audit", "replay", "D-00", "D-NO", "--kind", RECORDS)
    assert (ran.code, "there is no deal D-NO" in ran.err) == (ExitCode.NOT_FOUND, True)
    assert in_process("--data", many, "audit", "replay", "--customer", "c-none").code == ExitCode.NOT_FOUND


def test_over_two_processes_comes_the_same_as_in_one(many: Path) -> None:
    asked = ("--data", many, "audit", "replay", "--all", "--kind", RECORDS, "-o", "json")
    one, two = (in_process(*asked, "--jobs", jobs) for jobs in (1, 2))
    assert (one.code, two.code) == (0, 0), two.err
    assert (one.json["jobs"], two.json["jobs"]) == (1, 2)
    for told in (one.json, two.json):
        assert told["equal"]
        assert [deal["deal_id"] for deal in told["deals"]] == [f"D-{number:02}" for number in range(30)]
        assert set(told["replays"]) == {"fold", "rules"}
        assert told["replays"]["fold"]["entries"] == told["replays"]["rules"]["acts"] > 300
        assert told["replays"]["rules"]["seconds_of_work"] > 0
    counts = [[(d["deal_id"], d["acts"], d["verdicts"]) for d in told["deals"]] for told in (one.json, two.json)]
    assert counts[0] == counts[1]


def test_filters_choose_deals(many: Path) -> None:
    def chosen(*arguments: str) -> int:
        ran = in_process("--data", many, "audit", "replay", *arguments, "--kind", "fold", "--jobs", 1, "-o", "json")
        assert ran.code == 0, ran.err
        return int(ran.json["deals_replayed"])

    assert chosen("--customer", "c-1") == chosen("--owner", "u-account_manager") == chosen("--from", "2026-01-05") == 30
    assert chosen("--state", "contacted", "--customer", "c-1") == 10
    assert chosen("--to", "2026-01-05") == 30
    assert in_process("--data", many, "audit", "replay", "--from", "2027-01-01").code == ExitCode.NOT_FOUND


async def test_without_an_engine_that_knows_them_the_deals_have_no_witness(many: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(many, tmp_path / "known"))
    asked = ("--data", folder, "audit", "replay", "D-00", "--kind", "engine", "-o", "json")
    told = await asyncio.to_thread(in_process, *asked)
    assert told.code == ExitCode.NOT_FOUND
    assert f"{folder}/temporal.db is missing" in told.err
    KeyRing(folder / "keys").current()
    async with EmbeddedServer(ServerOptions(folder)):
        pass  # an engine, but one that never heard of them
    ran = await asyncio.to_thread(in_process, *asked)
    assert ran.code == ExitCode.REFUSED, ran.err
    assert "the engine knows no history of it" in ran.json["problems"][0]["why"]


async def test_a_bundles_histories_are_read_in_clear_or_under_keys_that_came_with_it(tmp_path: Path) -> None:
    theirs, mine = tmp_path / "theirs", load_settings(data_dir=tmp_path / "mine")
    setup = Setup(mine, "", (ENGINE,), tmp_path / "bundle.zip")
    clear = await DATA_CONVERTER.encode(["a deal"])
    sealed = await PayloadCipher(KeyRing(theirs)).encode(clear)
    assert await _converter(setup).decode(clear) == ["a deal"]
    shutil.copytree(theirs, mine.keys_dir)
    assert await _converter(setup).decode(sealed) == await _converter(setup).decode(clear) == ["a deal"]


@pytest.mark.parametrize(
    ("statement", "deal", "sequence", "kinds"),
    [
        ("UPDATE timeline SET state_to = 'lost' WHERE deal_id = 'D-03' AND sequence = 4", "D-03", 4, {"fold", "rules"}),
        ("DELETE FROM timeline WHERE deal_id = 'D-03' AND sequence = 9", "D-03", 9, {"fold", "rules"}),
        ("DELETE FROM timeline WHERE deal_id = 'D-03'", "D-03", 0, {"fold"}),
        ("DELETE FROM deals WHERE id = 'D-03'", "D-03", 0, {"fold"}),
        ("UPDATE timeline SET actor = 'u-x' WHERE deal_id = 'D-03' AND action = 'sign'", "D-03", None, {"rules"}),
        ("UPDATE timeline SET events = '[7]' WHERE deal_id = 'D-03' AND sequence = 5", "D-03", 5, {"fold", "rules"}),
        ("UPDATE timeline SET verdicts = '[]' WHERE deal_id = 'D-03' AND sequence = 4", "D-03", 4, {"rules"}),
        ("UPDATE deals SET snapshot = json_set(snapshot, '$.contacts', 7) WHERE id = 'D-03'", "D-03", None, {"fold"}),
        ("UPDATE policies SET body = '{}'", "D-00", 1, {"rules"}),
        ("DELETE FROM policies", "D-00", 1, {"rules"}),
    ],
)
def test_tampering_is_named_by_deal_and_entry(
    tampered: Callable[[str], Ran], statement: str, deal: str, sequence: int | None, kinds: set[str]
) -> None:
    ran = tampered(statement)
    assert ran.code == ExitCode.REFUSED, ran.err
    found = [problem for problem in ran.json["problems"] if problem["deal_id"] == deal]
    assert {problem["replay"] for problem in found} == kinds
    assert sequence is None or found[0]["sequence"] == sequence
    others = {problem["deal_id"] for problem in ran.json["problems"]} - {deal}
    assert not others or "policies" in statement


def test_it_says_so_to_people_as_well(many: Path) -> None:
    ran = in_process("--data", many, "audit", "replay", "D-00", "D-01", "--kind", RECORDS)
    assert ran.code == 0
    assert "2 deals: 0 engine histories (0 events) replayed" in ran.out
    assert "2 equal, 0 different" in ran.out


def test_the_deals_of_a_bundle_are_replayed_without_our_records(many: Path, tmp_path: Path) -> None:
    bundle, nowhere = tmp_path / "all.zip", tmp_path / "nowhere"
    exported = in_process("--data", many, "audit", "export", "--all", "--file", bundle)
    assert exported.code == 0, exported.err
    asked = ("--data", nowhere, "audit", "replay", "--bundle", bundle, "--kind", RECORDS, "-o", "json")
    for jobs, deals in ((1, ["D-03", "D-04"]), (2, [])):
        ran = in_process(*asked, "--jobs", jobs, *deals)
        assert (ran.code, ran.json["problems"]) == (0, []), ran.err
        assert ran.json["deals_replayed"] == len(deals or range(30))
        assert ran.json["replays"]["rules"]["verdicts"] > 0
    assert in_process(*asked, "D-NO").code == ExitCode.NOT_FOUND
    assert in_process(*asked, "--owner", "x").code == ExitCode.USAGE
    assert not nowhere.exists()


def test_what_is_no_bundle_is_said_to_be_none(tmp_path: Path) -> None:
    file = tmp_path / "file.zip"
    missing = in_process("audit", "replay", "--bundle", file)
    assert (missing.code, missing.err.count("\n")) == (ExitCode.NOT_FOUND, 1)
    file.write_bytes(b"PK and so on")
    ran = in_process("audit", "replay", "--bundle", file)
    assert (ran.code, ran.err.count("\n")) == (ExitCode.BAD_DATA, 1)


async def test_a_process_that_dies_costs_its_deal_and_no_other() -> None:
    deals = [f"d-{number}" for number in range(16)]
    deals[9] = "killer"
    found = dict([one async for some in Crew(begin, None, length, lost, 2).over(deals) for one in some])
    assert found == {deal: -1 if deal == "killer" else len(deal) for deal in deals}


async def test_whoever_stops_listening_ends_the_processes() -> None:
    async with aclosing(Crew(begin, None, length, lost, 2).over(["a", *["stuck"] * 7])) as portions:
        async for portion in portions:
            assert portion == [("a", 1)]
            break
    for child in multiprocessing.active_children():
        child.join(10)
    assert multiprocessing.active_children() == []


def test_portions_leave_nobody_out_and_nobody_alone() -> None:
    deals = [str(number) for number in range(1_003)]
    for jobs in (1, 2, 7, 64):
        portions = portions_of(deals, jobs)
        assert [deal for portion in portions for deal in portion] == deals
        assert max(map(len, portions)) <= 25
    assert portions_of([], 3) == []
    assert cores() >= 1


def test_ctrl_c_ends_all_processes(many: Path) -> None:
    asked = command("--data", many, "audit", "replay", "--all", "--kind", "rules", "--jobs", 2)
    started = subprocess.Popen(asked, env=environment(), stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    children = until_children(started)
    started.send_signal(signal.SIGINT)
    _, errors = started.communicate(timeout=60)
    assert started.returncode != 0
    assert "Traceback" not in errors
    for child in children:
        gone = time.monotonic() + 20
        while Path(f"/proc/{child}").exists() and time.monotonic() < gone:
            os.sched_yield()
        assert not Path(f"/proc/{child}").exists()


def until_children(process: "subprocess.Popen[str]") -> list[str]:
    """The process ids of its children, as soon as it has two."""
    file = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while process.poll() is None:
        if len(children := file.read_text().split()) >= 2:
            return children
    raise AssertionError(f"it ended before it had children: {process.communicate()}")
