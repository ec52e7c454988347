"""A letter as plain text: the body of the mail, and a file that anybody can read."""

import textwrap
from collections.abc import Mapping

from infra.gateways.letter_page import Block, Grid, Page, Pairs, Paragraph, letter_page
from infra.gateways.wording import Wording, aligned

WIDTH = 92
_INDENT = "    "


def letter(words: Wording, kind: str, head: Mapping[str, str], facts: Mapping[str, str]) -> str:
    """A letter as text; `head` are the lines above it by their names in the frame (`date`, ...). Raises BadFacts."""
    return page_text(letter_page(words, kind, head, facts))


def page_text(page: Page) -> str:
    """The page as text."""
    head = aligned(page.head.values())
    blocks = (_block(block) for block in page.blocks)
    return "\n\n".join((head, page.title, page.greeting, *blocks, f"{page.closing}\n{page.sender}")) + "\n"


def _block(block: Block) -> str:
    match block:
        case Paragraph(text):
            return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)
        case Pairs(rows):
            return aligned(rows, _INDENT)
        case Grid():
            return _grid(block)


def _grid(grid: Grid) -> str:
    cells = (grid.heads, *grid.rows)
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [_row(row, widths, grid.numeric) for row in cells]
    return "\n".join((lines[0], _INDENT + "-" * (len(lines[0].rstrip()) - len(_INDENT)), *lines[1:]))


def _row(cells: tuple[str, ...], widths: list[int], numeric: tuple[bool, ...]) -> str:
    set_out = (
        cell.rjust(width) if right else cell.ljust(width)
        for cell, width, right in zip(cells, widths, numeric, strict=True)
    )
    return (_INDENT + "  ".join(set_out)).rstrip()
