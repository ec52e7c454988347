"""Fixtures that every test may use: a Temporal `server`, an open, migrated, empty `database`, a PostgreSQL server.

`database` is on SQLite, or on PostgreSQL when DEALWRIGHT_TEST_DATABASE=postgres; `sqlite_url` and `postgres_url`
ask for one of them whatever the variable says. Each test gets a database of its own, copied from one that was
migrated once.
"""

import gc
import itertools
import os
import shutil
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from infra.db import Database, open_database
from infra.desk.clocks import live_ahead, wall_clock
from infra.migrate import upgrade
from infra.temporal_server import EmbeddedServer, ServerOptions
from tests.days import AHEAD, DAY, KNOW_A_DAY, seconds_ahead
from tests.postgres_server import NoPostgres, PostgresServer, running_postgres

pytest_plugins = ["tests.counting"]

VARIANT = os.environ.get("DEALWRIGHT_TEST_DATABASE", "sqlite")
BY_NAME = {"real", "own"}
"""The parameters of fixtures in tests/gateways that ask for `database` by its name, and not when they are fakes."""

_TEMPLATE = "migrated"
_numbers = itertools.count(1)


def pytest_configure() -> None:
    """Let the run live on a day of its own; its processes, of xdist and of the product, inherit it by the setting.

    What a script starts in its background ignores Ctrl-C, and so would every process that the tests start and stop.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if AHEAD not in os.environ:
        try:
            os.environ[AHEAD] = str(seconds_ahead(os.environ.get(DAY, "")))
        except ValueError as problem:
            raise pytest.UsageError(f"{DAY} must be a day or an instant to come: {problem}") from None
    live_ahead(int(os.environ[AHEAD]))


def pytest_report_header() -> list[str]:
    return [
        f"tables on: {VARIANT} (DEALWRIGHT_TEST_DATABASE)",
        f"this run lives from {wall_clock()} on; again: DEALWRIGHT_TEST_DAY={wall_clock()}",
    ]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--chosen-database-only",
        action="store_true",
        help="leave out every test that cannot have its tables where DEALWRIGHT_TEST_DATABASE says",
    )
    parser.addoption(
        "--knowing-a-day-only",
        action="store_true",
        help="leave out every test that has no engine and is not known to reckon from today (tests/days.py)",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The modules with long tests first, those with a time limit of their own before all: the processes of a run then
    end together."""

    def length(path: Path) -> int:
        marks = {mark.name for item in items if item.path == path for mark in item.iter_markers()}
        return -len(marks & {"slow", "systems", "timeout"})

    if config.getoption("chosen_database_only"):
        _choose(config, items, _may_use_the_chosen_database)
    if config.getoption("knowing_a_day_only"):
        _choose(config, items, _knows_a_day)
    lengths = {path: length(path) for path in {item.path for item in items}}
    items.sort(key=lambda item: lengths[item.path])


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes are numbered, not shown: nobody can read them, and the header or salt in some of them is another one in
    each process, which xdist takes for other tests."""
    return argname if isinstance(val, bytes) else None


def pytest_collection_finish() -> None:
    """What was collected lives to the end: the garbage collector need not walk over it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _choose(config: pytest.Config, items: list[pytest.Item], wanted: Callable[[pytest.Item], bool]) -> None:
    config.hook.pytest_deselected(items=[item for item in items if not wanted(item)])
    items[:] = filter(wanted, items)


def _knows_a_day(item: pytest.Item) -> bool:
    """Whether a test has a deal on an engine, whose days are those of the run, or is known to reckon from today."""
    names = getattr(item, "fixturenames", ())
    named = str(item.path.relative_to(item.config.rootpath)) in KNOW_A_DAY
    return (named or "server" in names) and "on_the_wall_clock" not in names


def _may_use_the_chosen_database(item: pytest.Item) -> bool:
    """Whether a test asks for `database_url`, or for a gateway on it. One that names a kind runs on both anyway."""
    cell = getattr(item, "callspec", None)
    by_name = cell is not None and not BY_NAME.isdisjoint(map(str, cell.params.values()))
    return by_name or "database_url" in getattr(item, "fixturenames", ())


@pytest.fixture(scope="session")
def postgres_server(request: pytest.FixtureRequest) -> Iterator[PostgresServer]:
    """A PostgreSQL server for this session (one per xdist worker). Absent binaries skip, but fail where CI is set."""
    try:
        with running_postgres() as server:
            capture = request.config.pluginmanager.getplugin("capturemanager")
            with capture.global_and_fixture_disabled():
                request.config.get_terminal_writer().line(f"\nPostgreSQL for tests: {server.origin}")
            upgrade(server.make(_TEMPLATE))
            yield server
    except NoPostgres as problem:
        if os.environ.get("CI") or VARIANT == "postgres":
            raise
        pytest.skip(str(problem))


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """The URL of a fresh migrated PostgreSQL database."""
    name = f"test_{next(_numbers)}"
    yield postgres_server.make(name, _TEMPLATE)
    postgres_server.drop(name)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file that was migrated and holds nothing; to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "dealwright.db"
    upgrade(f"sqlite+aiosqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(migrated_file: Path, tmp_path: Path) -> str:
    """The URL of a fresh migrated SQLite file."""
    return f"sqlite+aiosqlite:///{shutil.copy(migrated_file, tmp_path / 'dealwright.db')}"


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a fresh migrated database of the chosen kind."""
    url: str = request.getfixturevalue("postgres_url" if VARIANT == "postgres" else "sqlite_url")
    return url


@pytest_asyncio.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A fresh, open, migrated database of the chosen kind."""
    opened = open_database(database_url, synchronous="NORMAL")
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def postgres_database(postgres_url: str) -> AsyncIterator[Database]:
    """A fresh, open, migrated PostgreSQL database, whatever the variant."""
    opened = open_database(postgres_url)
    yield opened
    await opened.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedServer]:
    """The Temporal dev server of this session (one per xdist worker), with the test clock. Nobody pulls its plug."""
    options = ServerOptions(tmp_path_factory.mktemp("temporal"), test_clock=True, synchronous="NORMAL")
    async with EmbeddedServer(options) as running:
        yield running


@pytest.fixture
def on_the_wall_clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """For what Temporal's schedules start, as they are the server's, and for servers without a test clock."""
    ahead = int(os.environ[AHEAD])
    monkeypatch.setenv(AHEAD, "0")
    live_ahead(0)
    yield
    live_ahead(ahead)
