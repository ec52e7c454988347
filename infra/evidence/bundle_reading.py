"""Reads a bundle for whoever replays it: entries, refused acts, policies and engine histories, deal by deal.

Whether the bundle is genuine says `verify_bundle.py` alone; here only the digests of what is read are compared.
"""

import gzip
import hashlib
import json
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

from infra.evidence import bundle_format as form
from infra.stores.policies import PolicyVersion
from models.timeline import Entry

_FIELDS = {f.name for f in fields(Entry)}

Plain = dict[str, Any]


class BundleUnreadable(ValueError):
    """The file is no bundle of a format that we know, or is damaged."""


@dataclass(frozen=True, slots=True)
class BundledHistory:
    """The engine's history of one run, binary protobuf; `is_open` when the run went on after the export."""

    workflow_id: str
    run_id: str
    is_open: bool
    content: bytes


@dataclass(frozen=True, slots=True)
class BundledDeal:
    """One deal of a bundle."""

    deal_id: str
    entries: list[Entry]
    refusals: list[Plain]
    histories: list[BundledHistory]


class BundleReader:
    """An open bundle. Deals are read one after the other."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.manifest = self._manifest()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._archive.close()

    @property
    def deal_ids(self) -> list[str]:
        """The deals in it."""
        return [deal["id"] for deal in self.manifest["deals"]]

    def policies(self) -> dict[str, PolicyVersion]:
        """The policies in it, by version. Raises BundleUnreadable."""
        names = [name for name in self.manifest["members"] if name.startswith("policies/")]
        found = [PolicyVersion(**json.loads(self._member(name))) for name in sorted(names)]
        return {policy.version: policy for policy in found}

    def deals(self) -> Iterator[BundledDeal]:
        """The deals in it. Raises BundleUnreadable."""
        for told in self.manifest["deals"]:
            yield self.deal(told["id"])

    def deal(self, deal_id: str) -> BundledDeal:
        """One deal. Raises LookupError for one that is not in it, and BundleUnreadable."""
        told = next((deal for deal in self.manifest["deals"] if deal["id"] == deal_id), None)
        if told is None:
            raise LookupError(f"there is no deal {deal_id} in the bundle")
        entries = [_entry(plain) for plain in self._lines(f"{told['folder']}/{form.TIMELINE}")]
        histories = [self._history(one) for one in self.manifest["histories"] if one["deal"] == deal_id]
        return BundledDeal(deal_id, entries, self._lines(f"{told['folder']}/{form.REFUSALS}"), histories)

    def _history(self, told: Plain) -> BundledHistory:
        try:
            content = gzip.decompress(self._member(told["member"]))
        except (OSError, EOFError, zlib.error) as problem:
            raise BundleUnreadable(f"{told['member']} is damaged: {problem}") from problem
        return BundledHistory(told["workflow"], told["run"], told["open"], content)

    def _lines(self, name: str) -> list[Plain]:
        if name not in self.manifest["members"]:
            return []
        return [json.loads(line) for line in self._member(name).splitlines()]

    def _member(self, name: str) -> bytes:
        try:
            told = self.manifest["members"][name]
            with self._archive.open(name) as member:
                content = member.read(told["size"] + 1)
        except (KeyError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as problem:
            raise BundleUnreadable(f"{name} is missing or damaged: {problem}") from problem
        if hashlib.sha256(content).hexdigest() != told["sha256"]:
            raise BundleUnreadable(f"{name} is not what the manifest names")
        return content

    def _manifest(self) -> Plain:
        try:
            manifest = json.loads(self._archive.read(form.MANIFEST))
        except (KeyError, ValueError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as problem:
            raise BundleUnreadable(f"no bundle of ours: {problem}") from problem
        if not isinstance(manifest, dict) or manifest.get("format") != form.FORMAT:
            raise BundleUnreadable("no bundle of ours: its manifest is somebody else's")
        if manifest.get("version") != form.VERSION:
            raise BundleUnreadable(f"a bundle of format {manifest.get('version')}, we know format {form.VERSION}")
        return manifest


def read_bundle(path: Path) -> BundleReader:
    """Open a bundle; use it in a `with`. Raises BundleUnreadable, and FileNotFoundError."""
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, ValueError, RuntimeError) as problem:
        raise BundleUnreadable(f"{path.name} is no ZIP file, or is damaged: {problem}") from problem
    try:
        return BundleReader(archive)
    except BundleUnreadable:
        archive.close()
        raise


def _entry(plain: Plain) -> Entry:
    try:
        return Entry(**plain)
    except TypeError:
        unknown = ", ".join(sorted(set(plain) ^ _FIELDS))
        raise BundleUnreadable(f"an entry has other fields than ours: {unknown}") from None
