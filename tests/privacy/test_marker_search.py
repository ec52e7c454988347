"""The search finds a planted text however a program may have written it, and nothing else."""

import base64
import gzip
import json
import random
import sqlite3
import urllib.parse
import zipfile
import zlib
from contextlib import closing
from pathlib import Path

import pytest

from infra.privacy.marker_search import Finding, search

MARKER = "Jürgen Markstein & Söhne"


@pytest.mark.parametrize(
    "content",
    [
        f"... {MARKER} ...".encode(),
        MARKER.upper().encode("latin-1", "ignore").replace(b"\xdc", b"\xfc").replace(b"\xd6", b"\xf6"),
        MARKER.encode("utf-16"),
        json.dumps({"name": MARKER}).encode(),
        urllib.parse.urlencode({"q": MARKER}).encode(),
        b"x" + MARKER.encode().hex().encode(),
        *(base64.b64encode(b"a" * offset + MARKER.encode() + b"bc") for offset in range(3)),
        *(base64.urlsafe_b64encode(b"a" * offset + MARKER.encode("utf-16-le")) for offset in range(3)),
        gzip.compress(b"before " + MARKER.encode(), mtime=0),
        b"\x00" * 100 + zlib.compress(b"before " * 9_000 + MARKER.encode()) + b"\x00" * 100,
        b"noise \x78\x9c noise \x1f\x8b\x08 noise" + gzip.compress(MARKER.encode(), mtime=0),
    ],
)
def test_every_spelling_is_found(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "deep").mkdir()
    file = tmp_path / "deep" / "file"
    file.write_bytes(content)
    (tmp_path / "other").write_bytes(b"nothing")
    assert [(one.file, one.number) for one in search([tmp_path], ["absent", MARKER])] == [(file, 1)]


def test_what_is_inside_of_a_zip_file_or_a_database_is_found(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner.gz", gzip.compress(MARKER.encode()))
    database = sqlite3.connect(tmp_path / "b.db")
    database.execute("CREATE TABLE t (x)")
    database.execute("INSERT INTO t VALUES (?)", (MARKER,))
    database.commit()
    database.close()
    found = search([tmp_path], [MARKER])
    assert found == [Finding(tmp_path / "a.zip", 0, True), Finding(tmp_path / "b.db", 0, False)]


@pytest.mark.parametrize("before", range(3_990, 4_130, 3))
def test_what_the_pages_of_a_database_part_is_found(tmp_path: Path, before: int) -> None:
    with closing(sqlite3.connect(tmp_path / "b.db")) as database:
        database.execute('CREATE TABLE "odd "" name" ("c ""1" BLOB)')
        noise = random.Random(before).randbytes(20_000)
        rows = [("x" * before + MARKER + "x" * 9_000,), (zlib.compress(noise + MARKER.encode()),)]
        database.executemany('INSERT INTO "odd "" name" VALUES (?)', rows[before % 2 :][:1])
        database.commit()
    assert [one.file.name for one in search([tmp_path], [MARKER])] == ["b.db"]


def test_nothing_is_found_where_nothing_is(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "odd").write_bytes(bytes(range(256)) * 300)
    assert search([tmp_path, tmp_path / "absent"], [MARKER, ""]) == []


def test_many_markers_are_told_apart_as_one_by_one(tmp_path: Path) -> None:
    """Names that begin alike, stand in each other, and overlap where they stand."""
    rng = random.Random(7)
    names = sorted({"".join(rng.choices("aAbäß .", k=rng.randrange(3, 18))) for _ in range(150)})
    text = "".join(rng.choices("aAbB .", k=20_000)) + "".join(rng.sample(names, 60)) + names[0][:-1] + names[1]
    (tmp_path / "file").write_bytes(text.encode() + b"\x00" + gzip.compress("|".join(rng.sample(names, 40)).encode()))
    alone = [(number, one.packed) for number, name in enumerate(names) for one in search([tmp_path], [name])]
    assert 60 < len(alone) < len(names)
    assert {packed for _, packed in alone} == {False, True}
    assert sorted((one.number, one.packed) for one in search([tmp_path], names)) == alone
