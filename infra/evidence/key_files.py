"""The folder of keys: private halves of the audit log's keys, and the last head that was signed. Files appear whole,
readable by their owner alone."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LOCK = ".lock"


def make_folder(folder: Path) -> None:
    """Make the folder, for its owner alone, unless it is there."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)


def add(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write a file that is not there yet. Raises FileExistsError."""
    part = _part(path.parent, content)
    try:
        part.chmod(mode)
        os.link(part, path)  # unlike a rename it never replaces anything
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if path.exists():
            raise FileExistsError(path) from None
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    _sync(path.parent)


def replace(path: Path, content: bytes) -> None:
    """Write a file, in one step in the place of the one that stands there."""
    os.replace(_part(path.parent, content), path)
    _sync(path.parent)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Held by one process at a time, for as long as files are compared and replaced."""
    with (folder / _LOCK).open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _part(folder: Path, content: bytes) -> Path:
    handle, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=folder)  # mode 0600
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return Path(name)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
