"""Writes the ZIP file of a bundle: the same members give the same bytes, and every member's digest is noted."""

import hashlib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Protocol

_EPOCH = (1980, 1, 1, 0, 0, 0)
_READABLE = 0o100644 << 16
_PACKED = (".gz", ".pdf")
"""What is packed already is stored as it is."""


class Writable(Protocol):
    """What bytes are written to."""

    def write(self, content: bytes, /) -> object:
        """Write bytes."""


class BundleFile:
    """A bundle that is being written. Members are written one after the other; close it at the end."""

    def __init__(self, target: BinaryIO) -> None:
        self._archive = zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6)
        self.members: dict[str, dict[str, str | int]] = {}

    def __contains__(self, name: str) -> bool:
        return name in self.members

    def add(self, name: str, content: bytes) -> str:
        """Add a member and answer its digest."""
        with self.member(name) as member:
            member.write(content)
        return str(self.members[name]["sha256"])

    @contextmanager
    def member(self, name: str, *, huge: bool = False) -> Iterator[Writable]:
        """A member to be written piece by piece; `huge` ones may be larger than two gigabytes."""
        if name in self.members:
            raise ValueError(f"{name} stands in the bundle already")
        info = zipfile.ZipInfo(name, _EPOCH)
        info.create_system, info.external_attr = 3, _READABLE
        info.compress_type = zipfile.ZIP_STORED if name.endswith(_PACKED) else zipfile.ZIP_DEFLATED
        with self._archive.open(info, "w", force_zip64=huge) as opened:
            member = _Member(opened)
            yield member
        self.members[name] = {"sha256": member.hashed.hexdigest(), "size": member.size}

    def close(self) -> None:
        """Write the ZIP file's directory; the target stays open."""
        self._archive.close()


class _Member:
    """Counts and hashes what goes through."""

    def __init__(self, target: Writable) -> None:
        self._target = target
        self.hashed, self.size = hashlib.sha256(), 0

    def write(self, content: bytes, /) -> object:
        self.hashed.update(content)
        self.size += len(content)
        return self._target.write(content)
