"""The machine under the figures: cores, load, disk and versions. A figure without them says little."""

import os
import platform
import sqlite3
import statistics
import subprocess
import sysconfig
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any


def describe(folder: Path, synchronous: str) -> dict[str, Any]:
    """What to print beside the figures; `folder` is where the databases lie."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load": load(),
        "system": f"{platform.system()} {platform.release()}",
        "sqlite synchronous": f"{synchronous}, WAL (both databases)",
        "fsync p50 ms": round(fsync_p50(folder) * 1000, 3),
        "python": platform.python_version(),
        "temporal server": _server(),
        "sqlite": sqlite3.sqlite_version,
        **{name: version(name) for name in ("temporalio", "transitions", "SQLAlchemy", "uvloop")},
    }


def load() -> list[float]:
    """Load averages over 1, 5 and 15 minutes."""
    return [round(value, 2) for value in os.getloadavg()]


def warning() -> str:
    """What a reader must be told when others work on this machine as well; empty when it is quiet."""
    if os.getloadavg()[0] <= 0.75 * (os.cpu_count() or 1):
        return ""
    return "Others are at work on this machine: a move waits for more turns than its floor, so ratios come out high."


def fsync_p50(folder: Path, count: int = 100) -> float:
    """Median seconds of writing and fsyncing 4 KiB at the end of a file, as a commit does."""
    path, block = folder / "fsync.probe", b"\0" * 4096
    taken = []
    with path.open("wb", buffering=0) as probe:
        for _ in range(count):
            began = time.perf_counter()
            probe.write(block)
            os.fsync(probe.fileno())
            taken.append(time.perf_counter() - began)
    path.unlink()
    return statistics.median(taken)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _server() -> str:
    binary = Path(sysconfig.get_path("scripts")) / "temporal"
    asked = subprocess.run([binary, "--version"], capture_output=True, text=True, check=False)
    return asked.stdout.strip()
