"""Searches files for texts that must not stand there, in the spellings in which programs write them, also packed."""

import base64
import json
import mmap
import re
import sqlite3
import urllib.parse
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

_ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "latin-1")
_PACKED = re.compile(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]")
_CHUNK = 8 * 1024
_SQLITE = b"SQLite format 3\x00"
_CELLS = 500
_BEGINNING = 12
_LONGEST_PACKED = 64 * 1024 * 1024
"""Bytes that one packed piece may give; what gives more is searched as far as that."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A file, which of the texts (by its place in the list, from 0) stands in it, and whether packed."""

    file: Path
    number: int
    packed: bool


def search(folders: Iterable[Path], markers: Sequence[str]) -> list[Finding]:
    """Every file below the folders in which one of the markers stands, whatever the case of its letters."""
    told = [spellings(marker) for marker in markers if marker]
    found: dict[tuple[Path, int], Finding] = {}
    wanted = _Wanted(told)
    for file in _files(folders) if told else ():
        for number, packed in _in_file(file, wanted):
            found.setdefault((file, number), Finding(file, number, packed))
    return list(found.values())


def spellings(marker: str) -> set[bytes]:
    """The bytes that a marker may be written as: encodings, JSON, URLs, hex, and base64 at each of three offsets."""
    told = {marker.encode(encoding, "ignore") for encoding in _ENCODINGS}
    told |= {json.dumps(marker)[1:-1].encode(), urllib.parse.quote(marker).encode()}
    told |= {urllib.parse.quote_plus(marker).encode()}
    for raw in (marker.encode(), marker.encode("utf-16-le")):
        told |= {raw.hex().encode(), *_base64(raw)}
    return {one for one in told if len(one) > 2}


class _Wanted:
    """All spellings of all markers, for which a text is read through once however many they are.

    Their beginnings are one pattern, a tree of bytes; only where it holds the markers are tried one by one.
    """

    def __init__(self, told: Sequence[set[bytes]]) -> None:
        self._each = [re.compile(b"|".join(map(re.escape, sorted(one))), re.IGNORECASE) for one in told]
        begins = {spelling.lower()[:_BEGINNING] for one in told for spelling in one}
        self._any = re.compile(b"(?=%b)" % _tree(begins), re.IGNORECASE)

    def numbers_in(self, content: bytes | mmap.mmap) -> list[int]:
        """Which of the markers stand there, by their places in the list."""
        left = dict(enumerate(self._each))
        for place in self._any.finditer(content):
            for number in [number for number, one in left.items() if one.match(content, place.start())]:
                del left[number]
        return [number for number in range(len(self._each)) if number not in left]


def _tree(words: set[bytes]) -> bytes:
    """A pattern for any of the words that branches byte by byte."""
    if b"" in words:
        return b""
    below: dict[bytes, set[bytes]] = {}
    for word in words:
        below.setdefault(word[:1], set()).add(word[1:])
    return b"(?:%b)" % b"|".join(re.escape(first) + _tree(rest) for first, rest in sorted(below.items()))


def _base64(raw: bytes) -> Iterator[bytes]:
    for offset in range(3):
        # the characters that depend on neighbours are left out
        whole = base64.b64encode(b"\0" * offset + raw)
        first = (8 * offset + 5) // 6
        last = (8 * (offset + len(raw))) // 6
        for piece in (whole[first:last], whole[first:last].translate(bytes.maketrans(b"+/", b"-_"))):
            if len(piece) > 5:
                yield piece


def _files(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        yield from (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())


def _in_file(file: Path, wanted: _Wanted) -> Iterator[tuple[int, bool]]:
    try:
        if not file.stat().st_size:
            return
        with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
            yield from ((number, False) for number in wanted.numbers_in(content))
            for piece in _unpacked(file, content):
                yield from ((number, True) for number in wanted.numbers_in(piece))
            is_database = content[: len(_SQLITE)] == _SQLITE
        for cell in _cells(file) if is_database else ():
            for piece in (cell, *_inner(cell)):
                yield from ((number, piece is not cell) for number in wanted.numbers_in(piece))
    except FileNotFoundError:
        return  # gone while we looked


def _cells(file: Path) -> Iterator[bytes]:
    """Texts and blobs of an SQLite file, many at once; in the file itself they may be parted by the end of a page."""
    with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as database, suppress(sqlite3.Error):
        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            name = table.replace('"', '""')
            columns = [column for _, column, *_ in database.execute(f'PRAGMA table_info("{name}")')]
            for column in (one.replace('"', '""') for one in columns):
                texts = f"""typeof("{column}") IN ('text', 'blob')"""
                rows = database.execute(f'SELECT "{column}" FROM "{name}" WHERE {texts}')  # noqa: S608
                while some := rows.fetchmany(_CELLS):
                    yield b"\x00".join(one.encode() if isinstance(one, str) else one for (one,) in some)


def _unpacked(file: Path, content: mmap.mmap) -> Iterator[bytes]:
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            for member in archive.infolist():
                with archive.open(member) as opened:
                    piece = opened.read(_LONGEST_PACKED)
                yield piece
                yield from _inner(piece)
        return
    yield from _inner(content)


def _inner(content: bytes | mmap.mmap) -> Iterator[bytes]:
    """Whatever can be unpacked from some place on. Pages of a database part long pieces: of those the beginning."""
    for hit in _PACKED.finditer(content):
        if piece := _opened(content, hit.start()):
            yield piece


def _opened(content: bytes | mmap.mmap, start: int) -> bytes:
    """What is packed at a place, as far as it can be unpacked; nothing when only the first bytes looked like it."""
    reader, parts, size = zlib.decompressobj(wbits=47), list[bytes](), 0  # 47: zlib or gzip, as it says itself
    with suppress(zlib.error):
        while not reader.eof and size < _LONGEST_PACKED and start < len(content):
            part = reader.decompress(content[start : start + _CHUNK], _LONGEST_PACKED)
            start += _CHUNK
            parts.append(part)
            size += len(part)
    return b"".join(parts)
