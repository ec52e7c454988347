"""A letter as a PDF for archives (PDF/A-2b), made by typst: the same page gives the same bytes, on any machine.

Words go in as data and never as markup, fonts are those inside of the typst package, and the only clock is the day
of the letter.
"""

import asyncio
import json
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from infra.gateways.letter_page import Block, Grid, Page, Pairs, Paragraph
from infra.gateways.wording import TEMPLATES, clean

if TYPE_CHECKING:
    import typst

STANDARD: Literal["a-2b"] = "a-2b"
_ONE_AT_A_TIME = threading.Lock()  # typst keeps what it compiled last, and is quick because of it


@dataclass(frozen=True, slots=True)
class Letterhead:
    """Who writes: the company's name, the lines of its address, and the lines at the foot (bank, registration)."""

    company: str = ""
    address: tuple[str, ...] = ()
    footer: tuple[str, ...] = ()


async def letter_pdf(page: Page, day: str, letterhead: Letterhead) -> bytes:
    """The letter of a day (2026-11-21), off the event loop. Raises ValueError for another spelling of a day."""
    return await asyncio.to_thread(render, page, day, letterhead)


def render(page: Page, day: str, letterhead: Letterhead) -> bytes:
    """The same, at once: takes some ten milliseconds."""
    stamp = datetime.fromisoformat(day).replace(tzinfo=UTC)
    inputs = {"letter": json.dumps(_data(page, letterhead), ensure_ascii=False, sort_keys=True)}
    with _ONE_AT_A_TIME:
        try:
            return _compiled(inputs, stamp, STANDARD)
        except _typst().TypstError:
            # a sign that no font of ours has is not allowed in an archive's PDF; it is shown as a box in a plain one
            return _compiled(inputs, stamp, None)


def pictures(page: Page, day: str, letterhead: Letterhead) -> list[bytes]:
    """The sheets as PNG, for people who work on the layout."""
    inputs = {"letter": json.dumps(_data(page, letterhead), ensure_ascii=False, sort_keys=True)}
    stamp = datetime.fromisoformat(day).replace(tzinfo=UTC)
    with _ONE_AT_A_TIME:
        made = _compiler().compile(format="png", ppi=90, sys_inputs=inputs, timestamp=stamp)
    assert made is not None
    return [made] if isinstance(made, bytes) else made


def _compiled(inputs: dict[str, str], stamp: datetime, standard: Literal["a-2b"] | None) -> bytes:
    made = _compiler().compile(
        format="pdf", sys_inputs=inputs, timestamp=stamp, pdf_standards=[standard] if standard else []
    )
    assert isinstance(made, bytes)
    return made


def _typst() -> Any:
    """Typst weighs 80 MB: only who renders a letter loads it."""
    import typst

    return typst


@cache
def _compiler() -> "typst.Compiler":
    fonts = _typst().Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=[])
    compiler: typst.Compiler = _typst().Compiler(TEMPLATES / "letter.typ", root=TEMPLATES, font_paths=fonts)
    return compiler


def _data(page: Page, letterhead: Letterhead) -> dict[str, Any]:
    """What the template reads; it has no other source."""
    company = clean(letterhead.company) or page.sender
    head = dict(page.head)
    _, to = head.pop("to", ("", ""))
    return {
        "language": page.language,
        "title": _breakable(page.title),
        "company": _breakable(company),
        "return_line": " · ".join((company, *map(clean, letterhead.address))) if letterhead.address else "",
        "addressee": [_breakable(to, 20)],
        "head": {"date": list(page.head.get("date", ("", "")))},
        "info": [[name, _breakable(value, 20)] for name, value in head.values()],
        "greeting": page.greeting,
        "blocks": [_block(block) for block in page.blocks],
        "closing": page.closing,
        "signature": list(dict.fromkeys((page.sender, _breakable(company)))),
        "footer": [clean(line) for line in letterhead.footer],
        "page_of": page.page_of,
    }


def _block(block: Block) -> dict[str, Any]:
    match block:
        case Paragraph(text):
            return {"kind": "text", "text": _breakable(text)}
        case Pairs(rows):
            return {"kind": "pairs", "rows": [[name, _breakable(value).split("\n")] for name, value in rows]}
        case Grid(heads, numeric, rows):
            cells = [[_breakable(cell, 16) for cell in row] for row in rows]
            return {"kind": "table", "heads": list(heads), "numeric": list(numeric), "rows": cells}


def _breakable(text: str, longest: int = 40) -> str:
    """A word that is longer than a line would run off the sheet: it may be broken anywhere, without a hyphen."""
    return " ".join(word if len(word) <= longest else "\u200b".join(word) for word in text.split(" "))
