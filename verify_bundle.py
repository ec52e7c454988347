#!/usr/bin/env python3
"""Checks an auditor's bundle of Dealwright offline, with nothing but Python 3.9: `python verify_bundle.py FILE`.

One file on purpose, so that it can be read, copied and kept apart from the system that it judges; docs/bundle.md
describes the format and the exit codes. It imports nothing of Dealwright.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import io
import json
import re
import struct
import sys
import zipfile
import zlib
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Callable, Iterable, Iterator, Mapping, Sequence  # noqa: UP035 - Python 3.9 reads this file

FORMAT, VERSION = "dealwright-bundle", 1
SOUND, TAMPERED, UNREADABLE, UNTRUSTED, OLDER = range(5)
VERDICTS = ("sound", "tampered", "unreadable", "sound, but trust is not established", "an older copy")
SHOWN = 12

GENESIS = "0" * 64
LONGEST_LINE, LONGEST_MANIFEST, LONGEST_SMALL, LONGEST_NOTE = 1 << 25, 1 << 28, 1 << 24, 1 << 16
MOST_MEMBERS, MOST_RATIO, HARMLESS = 2_000_000, 250, 1 << 24
MOST_FINDINGS, MOST_NOTES, MOST_KEYS, DEEPEST = 100, 20, 1_000, 200
_CHUNK = 1 << 16
_EXACT = 2**53 - 1


class Unreadable(Exception):
    """This is no bundle that this program can judge; the message says why."""


class Damaged(Exception):
    """A member of the bundle, or a line of it, can't be read."""


# ------------------------------------------------------------------------------------- canonical JSON (RFC 8785)


def canonical(value: Any) -> bytes:
    """The RFC 8785 form of texts, whole numbers up to 2^53 - 1, truth values, null, lists and objects."""
    return json.dumps(_ordered(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _ordered(value: Any, left: int = DEEPEST) -> Any:
    if not left:
        raise ValueError("it is nested too deeply")
    if isinstance(value, dict):
        return {key: _ordered(value[key], left - 1) for key in sorted(value, key=lambda one: one.encode("utf-16-be"))}
    return [_ordered(one, left - 1) for one in value] if isinstance(value, list) else value


def digest(value: Any) -> str:
    """SHA-256 over the canonical form, in hex."""
    return hashlib.sha256(canonical(value)).hexdigest()


def parse(raw: bytes) -> Any:
    """A value from exactly its canonical form. Raises Damaged."""
    try:
        value = json.loads(
            raw.decode(), object_pairs_hook=_once, parse_float=_refuse, parse_constant=_refuse, parse_int=_exact
        )
        same = canonical(value) == raw
    except (ValueError, RecursionError) as problem:
        raise Damaged(f"it is no canonical JSON ({str(problem)[:80]})") from None
    if not same:
        raise Damaged("it is not in canonical form")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found


def _refuse(text: str) -> Any:
    raise ValueError(f"{text[:20]} is no whole number")


def _exact(text: str) -> int:
    if len(text) > 17 or abs(int(text)) > _EXACT:
        raise ValueError("a number is too large")
    return int(text)


# ---------------------------------------------------------------- Ed25519 (RFC 8032, section 5.1), if need be our own

_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P
_ROOT = pow(2, (_P - 1) // 4, _P)
_Point = tuple[int, int, int, int]


def _add(a: _Point, b: _Point) -> _Point:
    left, right = (a[1] - a[0]) * (b[1] - b[0]) % _P, (a[1] + a[0]) * (b[1] + b[0]) % _P
    across, double = 2 * a[3] * b[3] * _D % _P, 2 * a[2] * b[2] % _P
    e, f, g, h = right - left, double - across, double + across, right + left
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _times(number: int, point: _Point) -> _Point:
    total: _Point = (0, 1, 1, 0)
    while number:
        if number & 1:
            total = _add(total, point)
        point, number = _add(point, point), number >> 1
    return total


def _decoded(raw: bytes) -> _Point | None:
    y = int.from_bytes(raw, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    if y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, _P - 2, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _ROOT % _P
    if (x * x - square) % _P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = _P - x
    return x, y, 1, x * y % _P


def _encoded(point: _Point) -> bytes:
    inverse = pow(point[2], _P - 2, _P)
    x, y = point[0] * inverse % _P, point[1] * inverse % _P
    return (y | (x & 1) << 255).to_bytes(32, "little")


_BASE = _decoded(bytes([0x58]) + bytes([0x66]) * 31)


def plain_ed25519(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether a signature is valid, by this file's own arithmetic: slow (some milliseconds), and easy to read."""
    point = _decoded(key) if len(key) == 32 and len(signature) == 64 else None
    scalar = int.from_bytes(signature[32:], "little")
    if point is None or _BASE is None or scalar >= _L:
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % _L
    negative = (_P - point[0], point[1], point[2], _P - point[3])
    return _encoded(_add(_times(scalar, _BASE), _times(challenge, negative))) == signature[:32]


def _library() -> Callable[[bytes, bytes, bytes], bool] | None:
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        return None

    def valid(key: bytes, message: bytes, signature: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True

    return valid


library_ed25519 = _library()
ed25519 = library_ed25519 or plain_ed25519


# ------------------------------------------------------------------------------- Merkle proofs (RFC 6962 and RFC 9162)


def leaf_hash(content: bytes) -> bytes:
    """The hash of a leaf."""
    return hashlib.sha256(b"\x00" + content).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def included(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether a path proves that `leaf` is number `index` (from 0) of `size` under `root` (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    place, last, found = index, size - 1, leaf
    for sibling in path:
        if not last:
            return False
        if place & 1 or place == last:
            found = _node(sibling, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = _node(found, sibling)
        place, last = place >> 1, last >> 1
    return not last and found == root


def consistent(old: int, old_root: bytes, size: int, root: bytes, path: Sequence[bytes]) -> bool:
    """Whether a path proves that the tree under `root` begins with the one under `old_root` (RFC 9162, 2.1.4.2)."""
    if old == size:
        return old_root == root and not path
    hashes = [*([old_root] if old & (old - 1) == 0 else []), *path]
    if not 1 <= old < size or not hashes:
        return False
    place, last = old - 1, size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    first = second = hashes[0]
    for sibling in hashes[1:]:
        if not last:
            return False
        if place & 1 or place == last:
            first, second = _node(sibling, first), _node(sibling, second)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            second = _node(second, sibling)
        place, last = place >> 1, last >> 1
    return not last and first == old_root and second == root


# --------------------------------------------------------------- signed notes and keys (C2SP signed-note, checkpoint)


@dataclass(frozen=True)
class Note:
    """A signed note: its lines, the text that is signed, and (name, short key hash, signature) of each signature."""

    lines: list[str]
    signed: bytes
    signatures: list[tuple[str, str, bytes]]

    def signers(self, keys: Iterable[bytes]) -> set[bytes]:
        """Those of the public keys whose signature under this note is valid."""
        return {
            key
            for key in keys
            for name, short, signature in self.signatures
            if short == key_hash(name, key) and ed25519(key, self.signed, signature)
        }


@dataclass(frozen=True)
class Checkpoint:
    """A note that states the log's name, size and root."""

    note: Note
    origin: str
    size: int
    root: bytes
    at: str


def key_hash(name: str, key: bytes) -> str:
    """The short hash by which a note names an Ed25519 key, 8 hex digits."""
    return hashlib.sha256(name.encode() + b"\n\x01" + key).hexdigest()[:8]


def fingerprint(key: bytes) -> str:
    """The fingerprint to compare by telephone: SHA-256 of the 32 bytes of the public key."""
    return hashlib.sha256(key).hexdigest()


def read_note(raw: bytes) -> Note:
    """A note from its bytes. Raises Damaged."""
    try:
        body, gap, tail = raw.decode().rpartition("\n\n")
        signatures = [_signature(line) for line in tail.split("\n")[:-1]]
    except ValueError as problem:
        raise Damaged(f"it is no signed note ({str(problem)[:80]})") from None
    if not gap or not tail.endswith("\n") or not signatures:
        raise Damaged("it is no signed note")
    return Note(body.split("\n"), (body + "\n").encode(), signatures)


def _signature(line: str) -> tuple[str, str, bytes]:
    dash, _, rest = line.partition(" ")
    name, _, packed = rest.rpartition(" ")
    raw = base64.b64decode(packed, validate=True)
    if dash != "\N{EM DASH}" or not name or len(raw) != 68:
        raise ValueError("a signature line is malformed")
    return name, raw[:4].hex(), raw[4:]


def read_checkpoint(raw: bytes) -> Checkpoint:
    """A checkpoint from its note's bytes. Raises Damaged."""
    note = read_note(raw)
    try:
        origin, size, root = note.lines[:3]
        unpacked = base64.b64decode(root, validate=True)
    except ValueError:
        raise Damaged("it is no checkpoint") from None
    if not re.fullmatch(r"0|[1-9][0-9]{0,15}", size) or len(unpacked) != 32:
        raise Damaged("it is no checkpoint")
    times = [line[3:] for line in note.lines[3:] if line.startswith("at ")]
    return Checkpoint(note, origin, int(size), unpacked, times[0] if times else "")


def read_key(given: str) -> bytes:
    """A public key: base64 of its 32 bytes, a C2SP verifier key (`name+hash+...`), PEM, or a file with one of these.
    Raises Unreadable."""
    try:
        with open(given, encoding="utf-8") as file:
            text = file.read(10_000)
    except (OSError, ValueError):
        text = given
    body = "".join(line.strip() for line in text.split("\n") if not line.startswith("-----"))
    for candidate in (body, body.split("+", 2)[-1]):
        try:
            raw = base64.b64decode(candidate, validate=True)
        except (binascii.Error, ValueError):
            continue
        for prefix in (b"", b"\x01", bytes.fromhex("302a300506032b6570032100")):
            if len(raw) == 32 + len(prefix) and raw.startswith(prefix):
                return raw[len(prefix) :]
    raise Unreadable(f"--key {given[:60]!r} is neither an Ed25519 public key in base64 nor a file with one")


# ----------------------------------------------------------------------- the ZIP file, which may come from an enemy


class Container:
    """The members of a ZIP file. Nothing is ever unpacked to disk; what is damaged is read up to the damage."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.members: dict[str, zipfile.ZipInfo] = {}
        self.read: dict[str, tuple[str, int]] = {}
        start = file.read(4)
        if not start:
            raise Unreadable("the file is empty")
        try:
            listed = zipfile.ZipFile(file).infolist()
        except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, struct.error, EOFError) as problem:
            cut = "it begins like a ZIP file, but is cut off or damaged" if start == b"PK\x03\x04" else "not a ZIP file"
            raise Unreadable(f"{cut} ({problem})") from None
        if len(listed) > MOST_MEMBERS:
            raise Unreadable(f"the ZIP file is hostile: {len(listed)} members")
        end = 0
        for info in sorted(listed, key=lambda one: one.header_offset):
            if why := _hostile(info, self.members, end):
                raise Unreadable(f"the ZIP file is hostile: {info.filename[:80]!r} {why}")
            end = info.header_offset + 30 + len(info.filename.encode()) + info.compress_size
            self.members[info.filename] = info

    def chunks(self, name: str) -> Iterator[bytes]:
        """The content of a member; its size is limited by what the directory says. Raises Damaged where it ends."""
        info = self.members[name]
        self._file.seek(info.header_offset)
        header = self._file.read(30)
        if len(header) < 30 or header[:4] != b"PK\x03\x04":
            raise Damaged("its place in the ZIP file is damaged")
        named, extra = struct.unpack("<HH", header[26:30])
        if self._file.read(named) != name.encode():
            raise Damaged("the ZIP file gives it two names")
        self._file.seek(extra, io.SEEK_CUR)
        engine = zlib.decompressobj(-15) if info.compress_type == zipfile.ZIP_DEFLATED else None
        place, left, total, crc = self._file.tell(), info.compress_size, 0, 0
        while left:
            self._file.seek(place)  # another member may have been read in between
            piece = self._file.read(min(_CHUNK, left))
            if not piece:
                raise Damaged("it is cut off")
            place, left = place + len(piece), left - len(piece)
            for out in _inflated(engine, piece) if engine else (piece,):
                total, crc = total + len(out), zlib.crc32(out, crc)
                if total > info.file_size:
                    raise Damaged("it is longer than the ZIP file says")
                yield out
        if total != info.file_size or crc != info.CRC or (engine and not engine.eof):
            raise Damaged("it is not what the ZIP file says (length or CRC)")

    def lines(self, name: str) -> Iterator[bytes]:
        """The lines of a member without their ends; its digest is noted. Raises Damaged where it can't be read on."""
        rest, hashed, size = b"", hashlib.sha256(), 0
        for chunk in self.chunks(name):
            hashed.update(chunk)
            size += len(chunk)
            *whole, rest = (rest + chunk).split(b"\n")
            yield from whole
            if len(rest) > LONGEST_LINE:
                raise Damaged("a line is too long")
        self.read[name] = hashed.hexdigest(), size
        if rest:
            raise Damaged("its last line is cut off")

    def whole(self, name: str, limit: int = LONGEST_SMALL) -> bytes:
        """All of a small member. Raises Damaged."""
        if self.members[name].file_size > limit:
            raise Damaged("it is too large")
        raw = b"".join(self.chunks(name))
        self.read[name] = hashlib.sha256(raw).hexdigest(), len(raw)
        return raw


def _inflated(engine: Any, piece: bytes) -> Iterator[bytes]:
    try:
        while piece and not engine.eof:
            yield engine.decompress(piece, _CHUNK)
            piece = engine.unconsumed_tail
    except zlib.error as problem:
        raise Damaged(f"it can't be unpacked ({problem})") from None


def _hostile(info: zipfile.ZipInfo, known: dict[str, zipfile.ZipInfo], end: int) -> str:
    name = info.filename
    if name in known:
        return "stands in it twice"
    if info.header_offset < end:
        return "overlaps another member"
    if info.orig_filename != name or not name or name[0] == "/" or re.search(r"[\x00-\x1f\\:]|(^|/)\.\.?(/|$)", name):
        return "leads out of the bundle"
    if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "is encrypted or packed in another way than a bundle's members"
    if info.file_size > max(HARMLESS, MOST_RATIO * info.compress_size):
        return f"is a bomb: {info.compress_size} bytes that become {info.file_size}"
    return ""


# ------------------------------------------------------------------------------------------------- what was found


@dataclass
class Report:
    """What was checked and found. `findings` say that the bundle is not what was exported, `notes` tell the rest."""

    file: str
    verdict: str = ""
    exit_code: int = SOUND
    first_bad: dict[str, Any] | None = None
    findings: list[dict[str, Any]] = field(default_factory=list)
    more_findings: int = 0
    notes: list[str] = field(default_factory=list)
    bundle: dict[str, Any] = field(default_factory=dict)
    checkpoint: dict[str, Any] = field(default_factory=dict)
    trust: dict[str, Any] = field(default_factory=dict)
    checked: dict[str, int] = field(default_factory=dict)

    def bad(self, where: str, why: str, deal: str = "", sequence: int = 0) -> None:
        """Something is wrong; with a deal and its sequence if it concerns an entry."""
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append({"where": where, "deal": deal, "sequence": sequence, "why": why})
        else:
            self.more_findings += 1
        best = self.first_bad
        same = best and best["deal"] == deal and best["sequence"] > sequence > 0
        if best is None or same or (sequence and not best["sequence"]):
            self.first_bad = {"where": where, "deal": deal, "sequence": sequence, "why": why}

    def count(self, what: str, number: int = 1) -> None:
        """One more of these was checked."""
        self.checked[what] = self.checked.get(what, 0) + number

    def end(self, code: int) -> Report:
        """The report with its verdict."""
        self.exit_code, self.verdict = code, VERDICTS[code]
        return self


@dataclass
class Outside:
    """What the auditor brings along: public keys, checkpoints (file name to bytes), consistency proofs."""

    keys: list[bytes] = field(default_factory=list)
    checkpoints: dict[str, bytes] = field(default_factory=dict)
    proofs: list[dict[str, Any]] = field(default_factory=list)


# -------------------------------------------------------------------------------------------------- what is checked

Shape = Mapping[str, type]

_MANIFEST = {
    "format": str,
    "version": int,
    "origin": str,
    "exported_at": str,
    "exported_by": str,
    "selection": dict,
    "complete": bool,
    "checkpoint": dict,
    "deals": list,
    "histories": list,
    "documents": list,
    "missing": list,
    "members": dict,
}
_DEAL = {"id": str, "folder": str, "entries": int, "head": str, "refusals": int, "leaves": int}
_HISTORY = {"deal": str, "workflow": str, "run": str, "member": str, "sha256": str, "size": int, "open": bool}
_MISSING = {"what": str, "deal": str, "name": str, "digest": str, "why": str}
_MEMBER = {"sha256": str, "size": int}
_LEAF = {
    "sequence": int,
    "kind": str,
    "ref": str,
    "at": str,
    "logged_at": str,
    "form": int,
    "body_hash": str,
    "leaf_hash": str,
    "path": list,
}
_PARTS = ("timeline.jsonl", "leaves.jsonl", "refusals.jsonl")
_FIXED = {"keys.json", "consistency.json", "leaves.jsonl", "refusals.jsonl"}
_HEX = re.compile(r"[0-9a-f]{64}")


def _shaped(value: Any, shape: Shape, more: tuple[str, ...] = ()) -> bool:
    if not isinstance(value, dict) or not set(shape) <= set(value) <= {*shape, *more}:
        return False
    return all(type(value[name]) is kind for name, kind in shape.items())


class Verifier:
    """One bundle under examination. What is wrong goes into the report; `run` goes on to the end all the same."""

    def __init__(self, container: Container, report: Report, outside: Outside) -> None:
        self.box, self.report, self.outside = container, report, outside
        self.manifest: dict[str, Any] = {}
        self.head = Checkpoint(Note([], b"", []), "", 0, b"", "")
        self.keys: list[bytes] = []
        self.checkpoints: list[tuple[Checkpoint, set[bytes]]] = []
        self.proven: set[int] = set()  # sizes of checkpoints in the bundle that the one used is consistent with
        self.papers: dict[str, tuple[str, int]] = {}  # digest to the entry that names it
        self.pinned: dict[str, tuple[str, int]] = {}  # policy version to the first entry under it
        self.policies: dict[str, str] = {}  # version to hash
        self.rotations: list[tuple[int, bytes]] = []
        self.leaves: set[int] = set()
        self.trusted: set[bytes] = set(outside.keys)
        self.suspect: tuple[int, int] | None = None  # leaves after the first, up to the second, are contradicted
        self.suspected: tuple[int, str, int] | None = None
        self.older = 0
        self.unproven = False

    def run(self) -> int:
        """All checks; answers the exit code. Raises Unreadable."""
        self._read_manifest()
        self._read_keys()
        self._check_checkpoints()
        self._compare_outside()
        for deal in self.manifest["deals"]:
            self._check_deal(deal)
        self._check_policies()
        self._check_other_leaves()
        self._check_documents()
        self._check_histories()
        self._check_members()
        self._check_complete()
        self._check_trust()
        return self._verdict()

    # ------------------------------------------------------------------------------------------- reading members

    def _values(self, name: str, deal: str = "", at: Callable[[], int] = int) -> Iterator[Any]:
        """The parsed lines of a member; None for one that can't be read, which is reported at the entry `at`."""
        number = 0
        try:
            for number, line in enumerate(self.box.lines(name) if name in self.box.members else (), 1):
                value = None
                try:
                    value = parse(line)
                except Damaged as problem:
                    self.report.bad(f"{name}, line {number}", str(problem), deal, at())
                yield value
        except Damaged as problem:
            self.report.bad(f"{name}, after line {number}", str(problem), deal, at())

    def _small(self, name: str, kind: type) -> Any:
        """The value of a small member of canonical JSON, or an empty one of this kind, reported."""
        try:
            value = parse(self.box.whole(name)) if name in self.box.members else kind()
        except Damaged as problem:
            self.report.bad(name, str(problem))
            return kind()
        if not isinstance(value, kind):
            self.report.bad(name, "it has not the form of the format")
            return kind()
        return value

    # --------------------------------------------------------------------------------- manifest, keys, checkpoints

    def _read_manifest(self) -> None:
        if "manifest.json" not in self.box.members:
            raise Unreadable("a ZIP file, but no bundle of Dealwright: it has no manifest.json")
        try:
            raw = self.box.whole("manifest.json", LONGEST_MANIFEST)
            loose = json.loads(raw, parse_int=_exact)
        except (Damaged, ValueError, RecursionError) as problem:
            raise Unreadable(f"manifest.json is damaged: {str(problem)[:100]}") from None
        if not isinstance(loose, dict) or loose.get("format") != FORMAT:
            raise Unreadable("a ZIP file, but no bundle of Dealwright: its manifest.json is somebody else's")
        version = loose.get("version")
        if type(version) is int and version > VERSION:
            raise Unreadable(
                f"a bundle of format {version}; this program knows formats up to {VERSION}: take a newer one"
            )
        try:
            self.manifest = parse(raw)
        except Damaged as problem:
            raise Unreadable(f"manifest.json is damaged: {problem}") from None
        self._check_manifest()
        told = self.manifest
        named = ("origin", "exported_at", "exported_by", "selection", "complete")
        self.report.bundle = {name: told[name] for name in named} | {"manifest": self.box.read["manifest.json"][0]}
        for lacking in told["missing"][:MOST_NOTES]:
            what = f"{lacking['what']} {lacking['name'] or lacking['digest'][:12]} of deal {lacking['deal']}"
            self.report.notes.append(f"{what.removesuffix(' of deal ')} is not in the bundle: {lacking['why']}")
        if (more := len(told["missing"]) - MOST_NOTES) > 0:
            self.report.notes.append(f"{more} more are not in the bundle; its manifest.json names them under `missing`")

    def _check_manifest(self) -> None:
        told = self.manifest
        parts: tuple[tuple[str, Shape], ...] = (("deals", _DEAL), ("histories", _HISTORY), ("missing", _MISSING))
        sound = (
            _shaped(told, _MANIFEST)
            and told["version"] == VERSION
            and all(_shaped(one, shape) for name, shape in parts for one in told[name])
            and all(_shaped(one, _MEMBER) for one in told["members"].values())
            and len({deal["folder"] for deal in told["deals"]}) == len(told["deals"])
            and len({deal["id"] for deal in told["deals"]}) == len(told["deals"])
        )
        if not sound:
            raise Unreadable(f"manifest.json is damaged: it has not the fields of format {VERSION}")

    def _read_keys(self) -> None:
        for told in self._small("keys.json", list)[:MOST_KEYS]:
            packed = told.get("public_key", "") if isinstance(told, dict) else ""
            try:
                key = base64.b64decode(packed, validate=True)
            except (ValueError, TypeError):
                key = b""
            if len(key) == 32:
                self.keys.append(key)
            else:
                self.report.bad("keys.json", f"{str(packed)[:60]!r} is no Ed25519 public key")

    def _check_checkpoints(self) -> None:
        names = sorted(name for name in self.box.members if name.startswith("checkpoints/"))
        used = self.manifest["checkpoint"].get("member")
        if used not in names:
            raise Unreadable("the bundle lacks the checkpoint that it names")
        for name in names:
            try:
                found = read_checkpoint(self.box.whole(name, LONGEST_NOTE))
            except Damaged as problem:
                self.report.bad(name, str(problem))
                continue
            signers = found.note.signers(dict.fromkeys([*self.keys, *self.outside.keys]))
            if not signers:
                self.report.bad(name, "its signature is not valid under any key of the bundle")
            if found.origin != self.manifest["origin"]:
                self.report.bad(name, f"it is of the log {found.origin[:80]!r}")
            self.checkpoints.append((found, signers))
            self.report.count("checkpoints")
            if name == used:
                self.head = found
        if not self.head.root:
            raise Unreadable("the checkpoint that the bundle rests on is damaged")
        told = self.manifest["checkpoint"]
        if (told.get("size"), told.get("root")) != (self.head.size, self.head.root.hex()):
            self.report.bad(used, "it is not the checkpoint that the manifest names")
        self._check_succession()

    def _check_succession(self) -> None:
        proofs = {}
        for proof in [*self._small("consistency.json", list), *self.outside.proofs]:
            if read := _proof(proof):
                proofs[read[0], read[1]] = read[2]
        self.proofs = proofs
        self.checkpoints.sort(key=lambda one: one[0].size)
        self.proven = {self.head.size}
        for (older, _), (newer, _) in reversed(list(zip(self.checkpoints, self.checkpoints[1:]))):  # noqa: B905
            path = proofs.get((older.size, newer.size), [] if older.size == newer.size else None)
            if older.size == 0 or (path is not None and self._follows(older, newer, path)):
                self.proven |= {older.size} if newer.size in self.proven else set()
                continue
            where = f"leaves {older.size + 1} to {newer.size}"
            if path is None:
                self.report.bad(where, "no proof says that the later checkpoint continues the earlier one")
                continue
            self.report.bad(where, "the later checkpoint does not continue the earlier one: the log was rewritten")
            self.suspect = (older.size, newer.size)

    def _follows(self, older: Checkpoint, newer: Checkpoint, path: list[bytes]) -> bool:
        return consistent(older.size, older.root, newer.size, newer.root, path)

    # ------------------------------------------------------------------------------- checkpoints from the outside

    def _compare_outside(self) -> None:
        sound, broken = [0], list[int]()
        for name, raw in self.outside.checkpoints.items():
            try:
                found = read_checkpoint(raw)
            except Damaged as problem:
                raise Unreadable(f"{name}: {problem}") from None
            if found.origin != self.manifest["origin"]:
                self.report.bad(name, f"the bundle is of the log {self.manifest['origin']!r}, this of {found.origin!r}")
                continue
            signers = found.note.signers(dict.fromkeys([*self.keys, *self.outside.keys]))
            if not signers:
                self.report.bad(name, "it is signed by a key that the bundle does not name: one of them is not genuine")
            verdict = self._against(name, found)
            if verdict is None:
                continue
            (sound if verdict else broken).append(found.size)
            if verdict and signers and not self.outside.keys:
                self.trusted |= signers
        if broken:
            floor = max(size for size in sound if size < min(broken)) if min(sound) < min(broken) else 0
            self.suspect = (floor, min(broken))
            self.report.bad(
                f"leaves {floor + 1} to {min(broken)}",
                "the log in the bundle is not the one that the outside checkpoint fixed: it was rewritten",
            )

    def _against(self, name: str, found: Checkpoint) -> bool | None:
        """Whether the bundle's checkpoint agrees with an outside one; None when nothing proves it."""
        if found.size == self.head.size:
            return found.root == self.head.root
        if found.size > self.head.size:
            since = found.size - self.head.size
            path = self.proofs.get((self.head.size, found.size))
            grown = f"from {self.head.size} to {found.size} leaves since this bundle"
            told = f"the log has grown {grown}; its deals may have later entries"
            if path is None:
                self.older = max(self.older, since)
                self.report.notes.append(f"{name}: {told}, and no proof shows that the bundle is what came before")
                return None
            if self._follows(self.head, found, path):
                self.report.notes.append(f"{name}: {told}; a proof shows that the bundle is what came before")
                return True
            return False
        for standing, _ in self.checkpoints:
            if standing.size == found.size and found.size in self.proven:
                return standing.root == found.root
        path = self.proofs.get((found.size, self.head.size))
        if path is None and found.size:
            self.unproven = True
            self.report.notes.append(f"{name}: no proof leads from its {found.size} leaves to the bundle's checkpoint")
            return None
        return found.size == 0 or self._follows(found, self.head, path or [])

    # ------------------------------------------------------------------------------------------------ deals

    def _check_deal(self, told: dict[str, Any]) -> None:
        deal, folder = told["id"], told["folder"]
        entries, last, head = self._check_chain(deal, f"{folder}/timeline.jsonl")
        if last != told["entries"]:
            where = min(last, told["entries"]) + 1
            self.report.bad(f"{deal}/{where}", f"ends at {last}, but {told['entries']} were exported", deal, where)
        elif head != told["head"]:
            self.report.bad(f"{deal}/{last}", "it is not the last entry that the manifest names", deal, last)
        refusals = self._read_refusals(f"{folder}/refusals.jsonl", deal)
        self._check_deal_leaves(deal, f"{folder}/leaves.jsonl", entries, refusals)
        self.report.count("deals")

    def _check_chain(self, deal: str, name: str) -> tuple[dict[int, tuple[str, str]], int, str]:
        """The entries (sequence to recomputed hash and time), the last sequence, and its hash."""
        entries: dict[int, tuple[str, str]] = {}
        previous, expected, broken = GENESIS, 1, False
        for entry in self._values(name, deal, lambda: len(entries) + 1):
            found, hashed = _entry(entry)
            why = "" if entry is None else _wrong(found, hashed, deal, expected, previous)
            if why and not broken:
                self.report.bad(f"{deal}/{expected}", why, deal, expected)
            broken = broken or bool(why) or entry is None
            previous = found.get("hash", previous)
            number = found.get("sequence", expected)
            entries.setdefault(number, (hashed, found.get("at", "")))
            self._note_named(found, deal, number)
            expected = number + 1
            self.report.count("entries")
        return entries, expected - 1, previous

    def _note_named(self, entry: dict[str, Any], deal: str, sequence: int) -> None:
        if isinstance(version := entry.get("policy_version"), str):
            self.pinned.setdefault(version, (deal, sequence))
        for event in entry.get("events", ()):
            named = event.get("digest") if isinstance(event, dict) and {"name", "document"} & set(event) else None
            if isinstance(named, str) and _HEX.fullmatch(named):
                self.papers.setdefault(named, (deal, sequence))

    def _read_refusals(self, name: str, deal: str | None) -> dict[str, str]:
        """Number to hash of refused acts; those outside of an exported deal may be of any."""
        found: dict[str, str] = {}
        for refusal in self._values(name, deal or ""):
            if not isinstance(refusal, dict) or type(refusal.get("id")) is not int:
                self.report.bad(name, "it has a line that is no refused act", deal or "")
                continue
            if deal is not None and refusal.get("deal_id") != deal:
                self.report.bad(f"refusal {refusal['id']}", "it is of another deal", deal)
            number = str(refusal.pop("id"))
            if number in found:
                self.report.bad(f"refusal {number}", "it stands twice", deal or "")
            found[number] = digest(refusal)
            self.report.count("refusals")
        return found

    def _check_deal_leaves(
        self, deal: str, name: str, entries: dict[int, tuple[str, str]], refusals: dict[str, str]
    ) -> None:
        missing, unattested, last = dict(entries), dict(refusals), 0
        for leaf in self._values(name, deal, lambda: min(missing, default=0)):
            if not _shaped(leaf, _LEAF, ("body",)):
                if leaf is not None:
                    self.report.bad(name, "it has a line that is no leaf", deal, min(missing, default=0))
                continue
            sequence = _sequence_of(leaf, deal)
            if leaf["kind"] == "act":
                why = _wrong_act(leaf, sequence, missing, entries)
                why = why or ("" if leaf["sequence"] > last else "is out of order")
                last = leaf["sequence"]
                missing.pop(sequence, None)
            elif leaf["kind"] == "refusal":
                why = "" if unattested.pop(leaf["ref"], "") == leaf["body_hash"] else "attests another refusal"
            else:
                why = "" if "body" in leaf else "attests something that is not in the bundle"
            self._check_leaf(leaf, why, deal, sequence)
        for sequence in sorted(missing)[:1]:
            self.report.bad(f"{deal}/{sequence}", "has no leaf in the audit log", deal, sequence)
        for number in sorted(unattested)[:1]:
            self.report.bad(f"refusal {number}", "has no leaf in the audit log", deal)

    def _check_leaf(self, leaf: dict[str, Any], why: str, deal: str = "", sequence: int = 0) -> None:
        """A leaf's hash, and that it stands where it says under the checkpoint; `why` is what is wrong besides."""
        number = leaf["sequence"]
        content = {name: leaf[name] for name in ("kind", "ref", "body_hash")}
        if leaf["form"] > 1:
            content |= {"at": leaf["at"], "logged_at": leaf["logged_at"]}
        hashed = leaf_hash(canonical(content))
        if not why and "body" in leaf and digest(leaf["body"]) != leaf["body_hash"]:
            why = "does not attest its body"
        if not why and (leaf["form"] not in (1, 2) or hashed.hex() != leaf["leaf_hash"]):
            why = "does not attest what stands there"
        if not why and not self._included(hashed, leaf):
            why = "does not stand in the log under the checkpoint"
        if why:
            self.report.bad(f"leaf {number} ({leaf['kind']} {leaf['ref']})"[:200], why, deal, sequence)
        self.leaves.add(number)
        self.report.count("leaves")
        if self.suspect and sequence and self.suspect[0] < number <= self.suspect[1]:
            self.suspected = min(self.suspected or (number, deal, sequence), (number, deal, sequence))

    def _included(self, hashed: bytes, leaf: dict[str, Any]) -> bool:
        path = _hashes(leaf["path"])
        return path is not None and included(hashed, leaf["sequence"] - 1, self.head.size, path, self.head.root)

    # ------------------------------------------------------------------------ policies, other leaves, documents, runs

    def _check_policies(self) -> None:
        for name in sorted(name for name in self.box.members if name.startswith("policies/")):
            policy = self._small(name, dict)
            self.policies[str(policy.get("version"))] = digest(policy)
            self.report.count("policies")
        lacking = {one["name"] for one in self.manifest["missing"] if one["what"] == "policy"}
        for version, (deal, sequence) in self.pinned.items():
            if version not in self.policies and version not in lacking:
                self.report.bad(f"{deal}/{sequence}", f"its policy {version[:80]} is not in the bundle", deal, sequence)

    def _check_other_leaves(self) -> None:
        refusals = self._read_refusals("refusals.jsonl", None)
        unattested, policies = dict(refusals), dict(self.policies)
        for leaf in self._values("leaves.jsonl"):
            if not _shaped(leaf, _LEAF, ("body",)):
                if leaf is not None:
                    self.report.bad("leaves.jsonl", "it has a line that is no leaf")
                continue
            why, kind, ref = "", leaf["kind"], leaf["ref"]
            if kind == "policy":
                why = "" if policies.pop(ref, "") == leaf["body_hash"] else "attests another policy"
            elif kind == "refusal":
                why = "" if unattested.pop(ref, "") == leaf["body_hash"] else "attests another refusal"
            elif "body" not in leaf:
                why = "attests something that is not in the bundle"
            self._check_leaf(leaf, why)
            if kind == "audit_key" and not why and isinstance(leaf.get("body"), dict):
                self._note_rotation(leaf)
        for version in policies:
            deal, sequence = self.pinned.get(version, ("", 0))
            self.report.bad(f"policy {version[:80]}", "has no leaf in the audit log", deal, sequence)
        for number in sorted(unattested)[:1]:
            self.report.bad(f"refusal {number}", "has no leaf in the audit log")

    def _note_rotation(self, leaf: dict[str, Any]) -> None:
        try:
            key = base64.b64decode(str(leaf["body"].get("public_key", "")), validate=True)
        except ValueError:
            return
        self.rotations.append((leaf["sequence"], key))

    def _check_documents(self) -> None:
        there = {name[10:] for name in self.box.members if name.startswith("documents/")}
        for named in sorted(there):
            deal, sequence = self.papers.get(named, ("", 0))
            where = f"{deal}/{sequence}, document {named[:12]}" if deal else f"document {named[:12]}"
            hashed = hashlib.sha256()
            try:
                for chunk in self.box.chunks(f"documents/{named}"):
                    hashed.update(chunk)
                if hashed.hexdigest() != named:
                    self.report.bad(where, "it is another document than the one that was filed", deal, sequence)
            except Damaged as problem:
                self.report.bad(where, str(problem), deal, sequence)
            self.report.count("documents")
        lacking = {one["digest"] for one in self.manifest["missing"]}
        for named, (deal, sequence) in self.papers.items():
            if named not in there and named not in lacking:
                self.report.bad(f"{deal}/{sequence}", f"its document {named[:12]} is not in the bundle", deal, sequence)

    def _check_histories(self) -> None:
        for told in self.manifest["histories"]:
            hashed, size = hashlib.sha256(), 0
            engine = zlib.decompressobj(31)
            try:
                for chunk in self.box.chunks(told["member"]) if told["member"] in self.box.members else ():
                    for out in _inflated(engine, chunk):
                        hashed.update(out)
                        size += len(out)
                        if size > told["size"]:
                            raise Damaged("it is longer than the manifest says")
                if (hashed.hexdigest(), size) != (told["sha256"], told["size"]):
                    raise Damaged("it is not the history that was exported")
            except Damaged as problem:
                self.report.bad(f"history {told['member'][:120]} of deal {told['deal']}", str(problem), told["deal"])
            self.report.count("histories")

    # ---------------------------------------------------------------------------------------------- the whole of it

    def _check_members(self) -> None:
        members = self.manifest["members"]
        for name in sorted(set(self.box.members) - set(members) - {"manifest.json", "manifest.note"}):
            self.report.bad(name[:200], "it is not in the manifest")
        known = {f"{deal['folder']}/{part}" for deal in self.manifest["deals"] for part in _PARTS}
        known |= {told["member"] for told in self.manifest["histories"]} | _FIXED
        for name, told in members.items():
            if name not in known and not name.startswith(("checkpoints/", "documents/", "policies/")):
                self.report.bad(name[:200], "it belongs to nothing that is checked")
            try:
                if name not in self.box.members:
                    raise Damaged("it is in the manifest, but not in the bundle")
                if name not in self.box.read:
                    self._hash(name)
                if self.box.read[name] != (told["sha256"], told["size"]):
                    raise Damaged("it is not what the manifest names (digest)")
            except Damaged as problem:
                self.report.bad(name[:200], str(problem))
            self.report.count("members")

    def _hash(self, name: str) -> None:
        hashed, size = hashlib.sha256(), 0
        for chunk in self.box.chunks(name):
            hashed.update(chunk)
            size += len(chunk)
        self.box.read[name] = hashed.hexdigest(), size

    def _check_complete(self) -> None:
        if self.manifest["complete"]:
            if len(self.leaves) != self.head.size or max(self.leaves, default=0) != self.head.size:
                lacking = next(number for number in range(1, self.head.size + 2) if number not in self.leaves)
                self.report.bad(f"leaf {lacking}", "it is not in the bundle, which claims to hold the whole log")
            else:
                self.report.notes.append(f"complete: all {self.head.size} leaves of the log are in the bundle")
        if self.suspected:
            number, deal, sequence = self.suspected
            self.report.bad(f"{deal}/{sequence}", f"leaf {number}: the first in the rewritten range", deal, sequence)

    def _check_trust(self) -> None:
        for _ in self.rotations:
            for number, key in self.rotations:
                if any(c.size >= number and c.size in self.proven and s & self.trusted for c, s in self.checkpoints):
                    self.trusted.add(key)
        signers = set().union(*(s for c, s in self.checkpoints if c == self.head))
        try:
            note = read_note(self.box.whole("manifest.note")) if "manifest.note" in self.box.members else None
        except Damaged as problem:
            self.report.bad("manifest.note", str(problem))
            note = None
        told = [f"{FORMAT} v{VERSION}", self.manifest["origin"], self.box.read["manifest.json"][0]]
        vouched = note.signers([*self.keys, *self.outside.keys]) if note else set()
        if not note or note.lines != told or not vouched:
            self.report.bad("manifest.json", "it is not the manifest that was signed at the export")
        shown = sorted(fingerprint(key) for key in signers | vouched)
        if self.outside.keys and not (signers & self.trusted and vouched & self.trusted):
            self.report.bad(
                "signatures", f"not made with the key that you trust, but with {', '.join(shown) or 'none'}"
            )
        established = bool(signers & self.trusted and vouched & self.trusted)
        how = "a key that you brought" if self.outside.keys else "a checkpoint that you brought"
        self.report.trust = {
            "established": established,
            "by": how if established else "",
            "fingerprints": shown,
            "arithmetic": "cryptography" if library_ed25519 else "this file's own",
        }
        if not established and not self.outside.keys:
            self.report.notes.append(
                f"signed by a key that came with the bundle: compare its fingerprint {', '.join(shown)} with what the "
                "company publishes, or bring the key (--key) or an earlier checkpoint (--checkpoint)"
            )

    def _verdict(self) -> int:
        head = self.head
        self.report.checkpoint = {"origin": head.origin, "size": head.size, "root": head.root.hex(), "at": head.at}
        if self.older:
            for deal in self.manifest["deals"][:MOST_NOTES]:
                later = f"{deal['id']}/{deal['entries'] + 1}"
                self.report.notes.append(f"{later} is the first entry that may be missing")
        if self.report.findings:
            return TAMPERED
        if self.older:
            return OLDER
        return SOUND if self.report.trust["established"] and not self.unproven else UNTRUSTED


def _proof(told: Any) -> tuple[int, int, list[bytes]] | None:
    if not isinstance(told, dict):
        return None
    old, new, path = told.get("from"), told.get("to", told.get("size")), _hashes(told.get("hashes"))
    return (old, new, path) if isinstance(old, int) and isinstance(new, int) and path is not None else None


def _hashes(told: Any) -> list[bytes] | None:
    if not isinstance(told, list) or len(told) > 128:
        return None
    return [bytes.fromhex(one) for one in told] if all(_HEX.fullmatch(str(one)) for one in told) else None


def _entry(value: Any) -> tuple[dict[str, Any], str]:
    """An entry as far as it has the form of one, and its recomputed hash. A receipt that is null is not hashed."""
    if not isinstance(value, dict):
        return {}, ""
    texts = ("deal_id", "at", "previous_hash", "hash", "policy_version")
    kept = {name: value[name] for name in texts if isinstance(value.get(name), str)}
    if type(value.get("sequence")) is int and value["sequence"] > 0:
        kept["sequence"] = value["sequence"]
    if isinstance(value.get("events"), list):
        kept["events"] = value["events"]
    hashed = {name: one for name, one in value.items() if name != "hash" and not (name == "receipt" and one is None)}
    return kept, digest(hashed)


def _wrong(entry: dict[str, Any], hashed: str, deal: str, expected: int, previous: str) -> str:
    if entry.get("sequence") != expected:
        return f"entry {expected} belongs here, found {entry.get('sequence', 'something else')}"
    if entry.get("deal_id") != deal:
        return "it is an entry of another deal"
    if entry.get("previous_hash") != previous:
        return "it does not follow the entry before it"
    return "" if entry.get("hash") == hashed else "its content does not give its hash"


def _sequence_of(leaf: dict[str, Any], deal: str) -> int:
    of, _, number = leaf["ref"].rpartition("/")
    numbered = leaf["kind"] == "act" and of == deal and re.fullmatch(r"[1-9][0-9]{0,9}", number)
    return int(number) if numbered else 0


def _wrong_act(
    leaf: dict[str, Any], sequence: int, missing: dict[int, Any], entries: dict[int, tuple[str, str]]
) -> str:
    if sequence not in entries:
        return "attests an entry that is not in the bundle"
    if sequence not in missing:
        return "attests an entry a second time"
    hashed, at = entries[sequence]
    if leaf["body_hash"] != hashed:
        return "attests another entry than the one in the bundle"
    return "" if leaf["form"] == 1 or leaf["at"] == at else "names another time than its entry"


# ------------------------------------------------------------------------------------------------------ command line


def verify(path: str, outside: Outside | None = None) -> Report:
    """Check a bundle; the report never lacks a verdict. Raises nothing for bad input."""
    report = Report(path)
    try:
        with open(path, "rb") as file:
            return report.end(Verifier(Container(file), report, outside or Outside()).run())
    except OSError as problem:
        report.bad(path, f"can't be read: {problem.strerror}")
    except Unreadable as problem:
        report.bad(path, str(problem))
    return report.end(UNREADABLE)


def brought(keys: Iterable[str], checkpoints: Iterable[str], proofs: Iterable[str]) -> Outside:
    """What the auditor brings along, from the files and texts that were named. Raises Unreadable."""
    outside, name = Outside([read_key(key) for key in keys]), ""
    try:
        for name in checkpoints:
            with open(name, "rb") as file:
                outside.checkpoints[name] = file.read(LONGEST_SMALL)
        for name in proofs:
            with open(name, "rb") as file:
                told = json.loads(file.read(LONGEST_SMALL))
            outside.proofs += told if isinstance(told, list) else [told]
    except (OSError, ValueError, RecursionError) as problem:
        raise Unreadable(f"{name}: {problem}") from None
    return outside


def lines_of(report: Report) -> Iterator[str]:
    """The report as lines for people."""
    yield f"{report.file}: {report.verdict.upper()}"
    if report.first_bad:
        yield f"first bad: {report.first_bad['where']}: {report.first_bad['why']}"
    for found in report.findings[:SHOWN]:
        yield f"  {found['where']}: {found['why']}"
    if more := len(report.findings[SHOWN:]) + report.more_findings:
        yield f"  and {more} more, which --json tells"
    if report.checkpoint:
        about, head = report.bundle, report.checkpoint
        yield f"exported by {about['exported_by']} at {about['exported_at']} from the log {about['origin']}"
        yield f"checkpoint of {head['size']} leaves, signed at {head['at']}, root {head['root']}"
        yield "checked: " + ", ".join(f"{number} {what}" for what, number in report.checked.items())
    for note in report.notes:
        yield f"note: {note}"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; answers the exit code."""
    parser = argparse.ArgumentParser(
        description="Check an auditor's bundle of Dealwright offline.",
        epilog="Exit codes: 0 sound; 1 tampered; 2 no bundle, damaged, or a newer format; 3 sound, but trust is not "
        "established (bring --key or --checkpoint); 4 an older copy than an outside checkpoint.",
    )
    parser.add_argument("bundle", help="the ZIP file")
    parser.add_argument("--key", action="append", default=[], help="a public key that you trust: base64, or a file")
    parser.add_argument("--checkpoint", action="append", default=[], help="a checkpoint that you kept outside: a file")
    parser.add_argument("--proof", action="append", default=[], help="a consistency proof between checkpoints: a file")
    parser.add_argument("--json", action="store_true", help="the report for machines")
    asked = parser.parse_args(arguments)
    try:
        report = verify(asked.bundle, brought(asked.key, asked.checkpoint, asked.proof))
    except Unreadable as problem:
        report = Report(asked.bundle)
        report.bad("what you brought", str(problem))
        report.end(UNREADABLE)
    shown = json.dumps(report.__dict__, ensure_ascii=False, indent=2) if asked.json else "\n".join(lines_of(report))
    sys.stdout.buffer.write(shown.encode("utf-8", "replace") + b"\n")
    return report.exit_code


if __name__ == "__main__":
    sys.exit(main())
