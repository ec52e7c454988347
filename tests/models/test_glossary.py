"""The written pages about the models: every word of the business is explained, every link leads somewhere."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
WORDS = {
    *("deal", "stage", "state", "move", "action", "guard", "policy", "offer", "contract", "order", "order line"),
    *("reservation", "shortage", "analogue", "shipment", "delivery", "discrepancy act", "invoice", "receivable"),
    *("open amount", "due date", "dunning level", "promise to pay", "dispute", "credit note", "write-off", "exposure"),
    *("headroom", "credit hold", "complaint case", "reconciliation statement", "timeline entry", "receipt"),
    *("checkpoint", "deputy"),
}
"""The domain's own glossary."""


def test_every_word_of_the_domain_is_explained_once_in_one_sentence():
    rows = re.findall(r"^\| ([a-z -]+) \| (.+?) \|", (DOCS / "glossary.md").read_text(encoding="utf-8"), re.MULTILINE)
    explained = [word for word, _ in rows if word != "word"]
    assert len(explained) == len(set(explained))
    assert set(explained) >= WORDS
    for word, meaning in rows[1:]:
        assert meaning == "meaning" or (meaning.endswith(".") and meaning[0].isupper()), word


@pytest.mark.parametrize("page", ["glossary.md", "README.md", "lifecycle.md"])
def test_every_link_leads_somewhere(page: str):
    text = (DOCS / page).read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert links
    for link in links:
        path, _, anchor = link.partition("#")
        assert (DOCS / path).exists(), link
        if anchor:
            assert f"### {anchor}\n" in text, link
