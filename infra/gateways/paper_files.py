"""Files of letters and documents: written whole or not at all, durable before their row is, and never changed."""

import asyncio
import hashlib
import os
import re
import tempfile
from pathlib import Path

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def file_stem(*parts: str) -> str:
    """A file name without its ending from an id and the like: nothing in it can leave the folder or hide the file."""
    return "-".join(_UNSAFE.sub("_", part)[:60] for part in parts).lstrip(".-") or "_"


def digest_of(content: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(content).hexdigest()


async def keep(folder: Path, name: str, content: str | bytes) -> str:
    """Write the file unless it is there, and answer the digest of what is there now."""
    written = content.encode() if isinstance(content, str) else content
    return await asyncio.to_thread(_keep, folder, name, written)


def _keep(folder: Path, name: str, content: bytes) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    if not path.exists():
        handle, temporary = tempfile.mkstemp(prefix=".", suffix=".part", dir=folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            _publish(Path(temporary), path)
        finally:
            Path(temporary).unlink(missing_ok=True)
        _sync_folder(folder)
    return digest_of(path.read_bytes())


def _publish(temporary: Path, path: Path) -> None:
    """Give the file its name in one step. Of two writers the first wins: a link, unlike a rename, replaces nothing."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        return
    except OSError:  # a file system without hard links
        os.replace(temporary, path)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
