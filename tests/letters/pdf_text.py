"""Reads the words out of our PDFs again: just enough of the format for what typst writes."""

import re
import zlib
from collections.abc import Iterator

_OBJECT = re.compile(rb"(\d+) 0 obj(.*?)endobj", re.DOTALL)
_STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)


def _objects(pdf: bytes) -> dict[int, bytes]:
    return {int(number): body for number, body in _OBJECT.findall(pdf)}


def _stream(body: bytes) -> bytes:
    found = _STREAM.search(body)
    if found is None:
        return b""
    return zlib.decompressobj().decompress(found[1]) if b"/FlateDecode" in body else found[1]


def _sign(code: str) -> str:
    return bytes.fromhex(code).decode("utf-16-be")


def _signs(cmap: str) -> dict[str, str]:
    """Glyph number (four hex digits) to text, off a ToUnicode map."""
    signs: dict[str, str] = {}
    for block in re.findall(r"beginbfchar(.*?)endbfchar", cmap, re.DOTALL):
        signs |= {glyph: _sign(text) for glyph, text in re.findall(r"<(\w+)>\s*<(\w+)>", block.upper())}
    for block in re.findall(r"beginbfrange(.*?)endbfrange", cmap, re.DOTALL):
        for first, last, text in re.findall(r"<(\w+)>\s*<(\w+)>\s*<(\w+)>", block.upper()):
            start = int(first, 16)
            for glyph in range(start, int(last, 16) + 1):
                signs[f"{glyph:04X}"] = chr(int(text, 16) + glyph - start)
    return signs


def _fonts(resources: bytes, objects: dict[int, bytes]) -> dict[str, dict[str, str]]:
    fonts = {}
    for group in re.findall(rb"/Font\s*<<(.*?)>>", resources, re.DOTALL):
        for name, number in re.findall(rb"/(\w+) (\d+) 0 R", group):
            found = re.search(rb"/ToUnicode (\d+) 0 R", objects[int(number)])
            if found:
                fonts[name.decode()] = _signs(_stream(objects[int(found[1])]).decode())
    return fonts


_ESCAPED = {"n": 10, "r": 13, "t": 9, "b": 8, "f": 12}
_TOKEN = re.compile(r"/(\w+) [\d.]+ Tf|<([0-9A-Fa-f]+)>|\(")


def _literal(content: str, at: int) -> tuple[bytes, int]:
    """The string that begins at `at`, behind its bracket, and where it ends; brackets in it may be in pairs."""
    found, depth = bytearray(), 1
    while True:
        sign = content[at]
        if sign == "\\":
            octal = re.compile(r"[0-7]{1,3}").match(content, at + 1)
            escaped = content[at + 1]
            found.append(int(octal[0], 8) if octal else _ESCAPED.get(escaped, ord(escaped)))
            at = octal.end() if octal else at + 2
            continue
        depth += {"(": 1, ")": -1}.get(sign, 0)
        at += 1
        if depth == 0:
            return bytes(found), at
        found.append(ord(sign))


def _shown(content: str, fonts: dict[str, dict[str, str]]) -> Iterator[str]:
    font: dict[str, str] = {}
    at = 0
    while token := _TOKEN.search(content, at):
        at = token.end()
        if token[1]:
            font = fonts.get(token[1], {})
            continue
        if token[2]:
            codes = token[2].upper()
        else:
            text, at = _literal(content, at)
            codes = text.hex().upper()
        yield from (font.get(codes[n : n + 4], "\ufffd") for n in range(0, len(codes), 4))


def words_of(pdf: bytes) -> str:
    """All text of a PDF in the order in which it is drawn, without any spaces."""
    objects = _objects(pdf)
    signs = list[str]()
    for body in objects.values():
        sheet = re.search(rb"/Type/Page/Resources (\d+) 0 R.*/Contents (\d+) 0 R", body)
        if sheet:
            content = _stream(objects[int(sheet[2])]).decode("latin-1")
            signs += _shown(content, _fonts(objects[int(sheet[1])], objects))
    return "".join("".join(signs).replace("\u200b", "").split())
