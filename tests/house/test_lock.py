"""The locks install wherever they are used, whatever is released after they were made.

pip before 23.3 takes `coverage` and `coverage[toml]` for two things: a lock without the extra leaves the second one
open once a newer release than the locked one exists, and a line with more extras helps only if it stands before who
asks (findings/pip-lock-without-its-extras.sh). So each lock must answer, line by line, whatever its own members
ask for, extras included, on every Python that our classifiers name. It is checked without a network, from the metadata
of what is installed; members that other machines alone need are not installed here, and theirs is not read.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path
from typing import cast

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.txt", "requirements-cluster.txt", "requirements-dev.txt")


def pythons() -> list[str]:
    """The minor versions that pyproject.toml says we were tried on."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = (re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", line) for line in project["classifiers"])
    return [match[1] for match in named if match]


def locked(text: str) -> dict[str, Requirement]:
    """The pinned requirements of a lock by canonical name."""
    pins = (Requirement(line.rstrip(" \\")) for line in text.splitlines() if re.match(r"[A-Za-z0-9]", line))
    return {canonicalize_name(pin.name): pin for pin in pins}


def asked_by(pin: Requirement, python: str) -> Iterator[Requirement]:
    """What a locked distribution, with its extras, asks for under a Python; nothing if it is not installed here."""
    here = cast("dict[str, str]", default_environment())
    there = here | {"python_version": python, "python_full_version": f"{python}.0"}
    try:
        declared = requires(pin.name) or []
    except PackageNotFoundError:
        return
    for requirement in map(Requirement, declared):
        marker = requirement.marker
        if marker is None or any(marker.evaluate(there | {"extra": extra}) for extra in ("", *pin.extras)):
            yield requirement


def unanswered(pins: Mapping[str, Requirement], python: str) -> list[str]:
    """Every requirement of a member that no line of the lock satisfies with its very extras, with who asked."""
    missing = []
    for pin in pins.values():
        for asked in asked_by(pin, python):
            answer = pins.get(canonicalize_name(asked.name))
            version = str(answer.specifier).removeprefix("==") if answer else ""
            extras = asked.extras in (set(), answer.extras) if answer else False
            if not extras or not asked.specifier.contains(version, prereleases=True):
                missing.append(f"{pin.name} asks for {asked}")
    return missing


@pytest.mark.parametrize("python", pythons())
@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_has_a_line_that_satisfies_it_with_its_extras(lock: str, python: str) -> None:
    assert unanswered(locked((ROOT / lock).read_text(encoding="utf-8")), python) == []


def test_a_lock_that_lost_an_extra_is_told() -> None:
    """The lock of November 2026 said `coverage==7.17.3` while pytest-cov asked for `coverage[toml]`."""
    text = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8")
    stripped = re.sub(r"(?m)^([a-z0-9._-]+)\[[a-z,]+\]==", r"\1==", text)
    assert "pytest-cov asks for coverage[toml]>=7.10.6" in unanswered(locked(stripped), "3.11")


def test_a_lock_that_lost_a_member_is_told() -> None:
    """An extra's own requirements count: nobody but `sqlalchemy[asyncio]` asks for greenlet."""
    pins = locked((ROOT / "requirements.txt").read_text(encoding="utf-8"))
    del pins["greenlet"]
    assert [said.split(">")[0] for said in unanswered(pins, "3.11")] == ["sqlalchemy asks for greenlet"]
