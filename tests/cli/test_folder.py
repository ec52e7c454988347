"""The folder that one stands in, of which nothing is executed, and the data folder, which is its owner's alone and is
never begun anew in silence: by the command itself, as a person runs it."""

import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.exits import ExitCode
from infra.settings import load_settings
from tests.cli.command import EXAMPLES, Ran, environment, in_process

pytestmark = [pytest.mark.systems, pytest.mark.timeout(400)]

DEALWRIGHT = Path(sys.executable).with_name("dealwright")
PLANTED = (
    "activities/__init__", "alembic", "api/__init__", "api/main", "api", "asyncio", "cli/__init__", "cli/main", "cli",
    "env", "infra/__init__", "json", "migrations/env", "models/__init__", "multiprocessing/__init__", "pickle",
    "signal", "sitecustomize", "socket", "sqlalchemy/__init__", "struct", "structlog", "temporalio/__init__", "typer",
    "typst", "usercustomize", "uvicorn/__init__", "uvloop", "worker", "workflows/__init__",
)  # fmt: skip


@dataclass(frozen=True)
class Place:
    """A folder that somebody stands in, and a data folder in it."""

    here: Path
    while_up: dict[str, int]
    ran: dict[str, Ran]

    @property
    def data(self) -> Path:
        return self.here / "mine"


def plant(here: Path) -> None:
    """Files that our programs could take for theirs; each leaves a marker when it is executed, and goes no further."""
    mark = f"open({str(here)!r} + '/executed', 'a').write(__file__ + ' ' + __name__ + chr(10))\nraise SystemExit(9)\n"
    for name in PLANTED:
        file = here / f"{name}.py"
        file.parent.mkdir(exist_ok=True)
        file.write_text(mark, encoding="utf-8")
    (here / "alembic.ini").write_text("[alembic]\nscript_location = migrations\n", encoding="utf-8")
    (here / "versions").mkdir()
    (here / ".env").write_text(f"DEALWRIGHT_DATA_DIR={here}/elsewhere\n", encoding="utf-8")
    (here / "pyvenv.cfg").write_text(f"home = {here}\n", encoding="utf-8")
    program = here / "temporal"
    program.write_text(f"#!/bin/sh\necho temporal >> {here}/executed\n", encoding="utf-8")
    program.chmod(0o755)


def started_in(here: Path, *arguments: object, **more: str) -> "subprocess.Popen[str]":
    """The installed command, with the umask that most people have, and with the folder on the path of programs."""
    known = {name: value for name, value in environment(**more).items() if name != "PYTHONPATH"}
    known["PATH"] = f":.:{known['PATH']}"
    line = [str(DEALWRIGHT), "--data", "./mine", *map(str, arguments)]
    return subprocess.Popen(
        line, cwd=here, env=known, umask=0o022, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def ran_in(here: Path, *arguments: object, **more: str) -> Ran:
    process = started_in(here, *arguments, **more)
    out, err = process.communicate(timeout=200)
    return Ran(process.returncode, out, err)


def modes(folder: Path) -> dict[str, int]:
    """The mode of the folder and of everything in it."""
    found = {}
    for path in (folder, *folder.rglob("*")):
        try:
            found[str(path.relative_to(folder))] = stat.S_IMODE(path.lstat().st_mode)
        except FileNotFoundError:  # SQLite's logs come and go
            continue
    return found


def open_to_others(found: dict[str, int], folders: set[str]) -> dict[str, str]:
    """What has another mode than it should."""
    return {name: oct(mode) for name, mode in found.items() if mode != (0o700 if name in folders else 0o600)}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Everything that starts programs, done once where such files are planted: a system, imports, a deal, a replay."""
    here = tmp_path_factory.mktemp("stood_in")
    plant(here)
    ran = {"upgrade": ran_in(here, "db", "upgrade")}
    up = started_in(here, "up", "--ui")
    try:
        assert up.stdout is not None
        ran["up"] = Ran(0, up.stdout.readline(), "")
        for what in ("users", "products", "customers", "stock"):
            ran[what] = ran_in(here, "import", what, EXAMPLES / f"{what}.csv")
        ran["deal"] = ran_in(here, "deal", "new", "alpenquell", "A deal", "--owner", "anna.keller", "-o", "json")
        deal = ran["deal"].json["deal_id"]
        ran["act"] = ran_in(
            here, "deal", "do", deal, "log_contact", "channel=call", "outcome=talks", "--as", "anna.keller"
        )
        ran["list"] = ran_in(here, "deal", "list")
        ran["checkpoint"] = ran_in(here, "audit", "checkpoint")
        while_up = modes(here / "mine")
        up.send_signal(signal.SIGINT)
        out, err = up.communicate(timeout=60)
        ran["down"] = Ran(up.returncode, out, err)
    finally:
        up.kill()
        up.communicate()
    ran["brief engine"] = ran_in(here, "deal", "do", deal, "log_contact", "channel=call", "outcome=talks", "--as",
                                 "anna.keller")  # fmt: skip
    ran["replay"] = ran_in(here, "audit", "replay", "--all", "--jobs", "2")
    yield Place(here, while_up, ran)
    shutil.rmtree(here)


def test_everything_works_where_somebody_planted_files(place: Place) -> None:
    failed = {name: ran for name, ran in place.ran.items() if ran.code != 0}
    assert failed == {}
    assert "Dealwright is up" in place.ran["up"].out


def test_nothing_of_the_folder_one_stands_in_is_executed(place: Place) -> None:
    executed = place.here / "executed"
    assert not executed.exists(), executed.read_text(encoding="utf-8")
    assert not (place.here / "elsewhere").exists()


def test_planted_files_are_executed_by_what_looks_for_them(place: Place, tmp_path: Path) -> None:
    """Or the test above could not fail."""
    here = tmp_path / "here"
    here.mkdir()
    plant(here)
    for arguments in (["-m", "cli.main"], ["-c", "import multiprocessing.spawn"]):
        (here / "executed").unlink(missing_ok=True)
        assert subprocess.run([sys.executable, *arguments], cwd=here, check=False).returncode == 9
        assert (here / "executed").exists()


def test_the_data_folder_is_its_owners_alone_while_it_is_used(place: Place) -> None:
    assert {"system.json", "dealwright.db-wal", "temporal.db-shm", "api.log"} <= place.while_up.keys()
    folders = {str(path.relative_to(place.data)) for path in place.data.rglob("*") if path.is_dir()} | {"."}
    assert open_to_others(place.while_up, folders) == {}


def test_the_data_folder_is_its_owners_alone_afterwards(place: Place) -> None:
    found = modes(place.data)
    assert {"dealwright.db", "temporal.db", "keys/personal.key", "reports"} <= found.keys()
    folders = {str(path.relative_to(place.data)) for path in place.data.rglob("*") if path.is_dir()} | {"."}
    assert open_to_others(found, folders) == {}


@pytest.fixture
def copy(place: Place, tmp_path: Path) -> Path:
    """The data folder as it stands, to lose something of."""
    return Path(shutil.copytree(place.data, tmp_path / "copy"))


@pytest.mark.parametrize(
    "command", ["up", "demo", "deal list", "db upgrade", "db check", "keys list", "audit verify", "privacy erase P-1"]
)
def test_a_lost_database_is_told_and_not_begun_anew(copy: Path, command: str) -> None:
    (copy / "dealwright.db").unlink()
    told = in_process("--data", copy, *command.split(), *(["--reason", "x"] if "erase" in command else []))
    assert told.code == ExitCode.NOT_FOUND
    assert f"{copy}/dealwright.db is missing" in told.err
    assert "backup" in told.err
    assert "Traceback" not in told.err
    assert not (copy / "dealwright.db").exists()


def test_the_doctor_finds_what_is_missing_or_open(copy: Path) -> None:
    (copy / "dealwright.db").unlink()
    copy.chmod(0o755)
    told = in_process("--data", copy, "doctor")
    assert told.code == ExitCode.REFUSED
    assert "dealwright.db is missing" in told.out
    assert "others on this machine can look into it" in told.out


@pytest.mark.parametrize("command", ["up", "deal do D-1 log_contact"])
def test_a_lost_store_of_the_engine_is_told_and_not_begun_anew(copy: Path, command: str) -> None:
    for file in copy.glob("temporal.db*"):
        file.unlink()
    told = in_process("--data", copy, *command.split())
    assert told.code == ExitCode.NOT_FOUND
    assert f"{copy}/temporal.db is missing" in told.err
    assert not (copy / "temporal.db").exists()
    assert in_process("--data", copy, "deal", "list").code == 0, "reading needs no engine"


@pytest.mark.parametrize("command", ["up", "keys list", "keys rotate", "deal do D-1 log_contact"])
def test_lost_keys_are_told_and_not_made_anew(copy: Path, command: str) -> None:
    shutil.rmtree(copy / "keys")
    told = in_process("--data", copy, *command.split())
    assert told.code == ExitCode.NOT_FOUND
    assert f"{copy}/keys/payload-keys.json is" in told.err
    assert "backup" in told.err
    assert not (copy / "keys" / "payload-keys.json").exists()


def test_a_folder_of_an_earlier_release_is_closed(copy: Path) -> None:
    for path in (copy, *copy.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    assert in_process("--data", copy, "deal", "list").code == 0
    folders = {str(path.relative_to(copy)) for path in copy.rglob("*") if path.is_dir()} | {"."}
    assert open_to_others(modes(copy), folders) == {}


def test_a_first_start_that_was_killed_is_begun_again(tmp_path: Path) -> None:
    """The engine's store is never there without our database, whenever the first start ends."""
    here = tmp_path / "here"
    here.mkdir()
    up = started_in(here, "up")
    store = load_settings(data_dir=here / "mine").temporal_db
    while not store.exists():
        assert up.poll() is None
        time.sleep(0.001)
    up.kill()
    up.communicate()
    assert store.with_name("dealwright.db").exists()
    with closing(sqlite3.connect(store.with_name("dealwright.db"))) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    again = started_in(here, "up")
    try:
        assert again.stdout is not None
        assert "Dealwright is up" in again.stdout.readline()
    finally:
        again.send_signal(signal.SIGINT)
        again.communicate(timeout=60)


def test_a_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        foreign = tmp_path / "theirs"
        foreign.mkdir()
        os.chown(foreign, 65_534, 65_534)
    else:
        foreign = Path("/usr")
    told = in_process("--data", foreign, "db", "upgrade")
    assert told.code == ExitCode.USAGE
    assert f"{foreign} belongs to" in told.err
    assert not (foreign / "dealwright.db").exists()
