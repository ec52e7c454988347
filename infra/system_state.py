"""Whether a system runs in a data folder: a lock that dies with it, and `system.json`, where it says its addresses."""

from __future__ import annotations

import asyncio
import fcntl
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

_LOOK_SECONDS, _LOOKS = 0.1, 5


class SystemRuns(Exception):
    """A system runs in this folder already."""


@dataclass(frozen=True)
class RunningSystem:
    """What `system.json` says about the system that runs in a folder; `brief` ones end with their command."""

    supervisor: int
    brief: bool
    temporal: str
    api: str = ""
    ui: str = ""
    server_pid: int = 0
    worker_pid: int = 0
    api_pid: int = 0
    started_at: str = ""


def running_system(folder: Path) -> RunningSystem | None:
    """The system that runs in a folder. What a killed one left behind doesn't count: its lock died with it."""
    try:
        lock = _take_lock(folder, "rb")
    except SystemRuns:
        return _read_state(folder)
    except FileNotFoundError:
        return None
    lock.close()
    return None


async def wait_for_lock(folder: Path) -> IO[bytes]:
    """The folder's lock, even if somebody is just looking whether it is free. Raises SystemRuns."""
    for _ in range(_LOOKS):
        try:
            return _take_lock(folder)
        except SystemRuns:
            await asyncio.sleep(_LOOK_SECONDS)
    return _take_lock(folder)


def _take_lock(folder: Path, mode: str = "ab") -> IO[bytes]:
    """The folder's lock, held as long as the file is open. Raises SystemRuns."""
    lock: IO[Any] = (folder / "system.lock").open(mode)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        found = _read_state(folder)
        where = f" (process {found.supervisor}, {found.api or found.temporal})" if found else ""
        raise SystemRuns(f"a system runs in {folder} already{where}") from None
    return lock


def write_state(folder: Path, running: RunningSystem) -> None:
    """Say what runs, for whoever looks."""
    file = _state_file(folder)
    part = file.with_suffix(".part")
    part.write_text(json.dumps(asdict(running), indent=2) + "\n", encoding="utf-8")
    part.replace(file)


def forget_state(folder: Path) -> None:
    """Nothing runs any more."""
    _state_file(folder).unlink(missing_ok=True)


def _state_file(folder: Path) -> Path:
    return folder / "system.json"


def _read_state(folder: Path) -> RunningSystem | None:
    try:
        plain: dict[str, Any] = json.loads(_state_file(folder).read_text(encoding="utf-8"))
        return RunningSystem(**plain)
    except (OSError, ValueError, TypeError):
        return None  # it has only just begun to start, or is about to end
