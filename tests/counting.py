"""On which tests coverage is counted, and under whose name: a plugin of pytest that tests/conftest.py names.

Tracing makes Python several times slower, and three things need none of it: to collect tests, the thousandth cell of a
matrix whose cells run through the same code, and whatever drives a whole system for minutes (`uncounted`). All of
them are run all the same.
"""

import importlib
import pkgutil
import sys
import threading
import zlib
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import coverage
import greenlet
import pytest

MANY = 60
"""Of a test that has more cells than this, or than its mark `counted_cells` says, about as many are counted: always the
same ones, in every process."""

TESTS = Path(__file__).parent
_counted = pytest.StashKey[set[str]]()
_context = pytest.StashKey[str]()


def pause_in_greenlets() -> None:
    """From now on nothing is traced in this thread's greenlets, SQLAlchemy's, where next to no code of ours runs.

    For every thread with an asynchronous database, or lines are booked on functions that have long returned.
    coverage's own way costs as much as all tracing (findings/coverage-greenlet-asks-at-each-call.sh).
    """
    traces: dict[greenlet.greenlet, Any] = {}

    def switched(_event: str, between: tuple[greenlet.greenlet, greenlet.greenlet]) -> None:
        left, entered = between
        if left.parent is None:
            traces[left] = sys.gettrace()
        sys.settrace(traces.get(entered) if entered.parent is None else None)

    greenlet.settrace(switched)


@contextmanager
def untraced() -> Iterator[None]:
    """No coverage, in threads that start now neither. We don't ask pytest-cov for it (`no_cover`): it stops and starts
    coverage, which in processes of xdist it had started twice; pausing the second wakes the first (thrice the work),
    and what is traced afterwards is lost."""
    here, elsewhere = sys.gettrace(), threading.gettrace()
    sys.settrace(None)
    threading.settrace(None)
    try:
        yield
    finally:
        sys.settrace(here)
        threading.settrace(elsewhere)


def _import_all(names: list[str]) -> None:
    """Import what is shipped, so that lines which run at import count though collecting is not traced. Folders of files
    (migrations, examples) are for whoever runs them."""
    for name in names:
        module = importlib.import_module(name)
        if module.__file__:
            for below in pkgutil.walk_packages(getattr(module, "__path__", ()), f"{name}."):
                importlib.import_module(below.name)


def python(*arguments: object) -> list[str]:
    """The command line of Python with these arguments, for a test that starts a process: counted if the test is. What
    the process starts in its turn is not, or whole systems would be traced."""
    command = [sys.executable, *map(str, arguments)]
    counting = coverage.Coverage.current()
    if counting is None or sys.gettrace() is None:
        return command
    data, settings = Path(counting.config.data_file).absolute(), TESTS.parent / "pyproject.toml"
    where = (f"--rcfile={settings}", f"--data-file={data}")
    return [sys.executable, "-m", "coverage", "run", "-p", "--concurrency=thread,greenlet", *where, *command[1:]]


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Trace the imports once, in the process that hands out the tests if there are several."""
    counting = coverage.Coverage.current()
    if counting:
        pause_in_greenlets()
    if counting and not hasattr(session.config, "workerinput"):
        _import_all(counting.config.source or [])
    with untraced():
        return (yield)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    cells = Counter(_matrix(item) for item in items)
    config.stash[_counted] = {item.nodeid for item in items if _is_counted(item, cells[_matrix(item)])}


def _matrix(item: pytest.Item) -> str:
    """The test of which this is a cell."""
    return item.nodeid.partition("[")[0]


def _is_counted(item: pytest.Item, cells: int) -> bool:
    if item.get_closest_marker("uncounted"):
        return False
    asked = item.get_closest_marker("counted_cells")
    wanted = asked.args[0] if asked else MANY
    return zlib.crc32(item.nodeid.encode()) % (1 + (cells - 1) // wanted) == 0


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, object]:
    if item.nodeid not in item.config.stash[_counted]:
        with untraced():
            return (yield)
    folder = item.path.relative_to(TESTS).parts[0]
    if folder != item.config.stash.get(_context, "") and (counting := coverage.Coverage.current()):
        counting.switch_context(folder)
        item.config.stash[_context] = folder
    return (yield)
