"""The names and forms of an auditor's bundle, format 1 (docs/bundle.md): what writer and reader of bundles agree on.

`verify_bundle.py` in the top folder has all of it once more, on purpose: it judges us.
"""

import re
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any
from urllib.parse import quote

import rfc8785

from models.timeline import Entry

FORMAT, VERSION = "dealwright-bundle", 1

MANIFEST, SIGNATURE, KEYS, CONSISTENCY = "manifest.json", "manifest.note", "keys.json", "consistency.json"
OTHER_LEAVES, OTHER_REFUSALS = "leaves.jsonl", "refusals.jsonl"
TIMELINE, REFUSALS, LEAVES = "timeline.jsonl", "refusals.jsonl", "leaves.jsonl"

_DIGEST = re.compile(r"[0-9a-f]{64}")

Plain = dict[str, Any]


def one_name(identifier: str) -> str:
    """An id as one name inside of the bundle; it can neither leave its folder nor be hidden in it."""
    return quote(identifier, safe="").replace(".", "%2E")


def deal_folder(deal_id: str) -> str:
    """Where what belongs to a deal stands."""
    return f"deals/{one_name(deal_id)}"


def checkpoint_name(number: int) -> str:
    """Where the signed note of a checkpoint stands."""
    return f"checkpoints/{number:08d}.note"


def history_name(workflow_id: str, run_id: str) -> str:
    """Where the engine's history of a run stands."""
    return f"histories/{one_name(workflow_id)}/{one_name(run_id)}.pb.gz"


def lines(values: list[Plain]) -> bytes:
    """Canonical JSON lines."""
    return b"".join(rfc8785.dumps(value) + b"\n" for value in values)


def entry_plain(entry: Entry) -> Plain:
    """An entry as a line; one of the first two generations has no receipt."""
    plain = asdict(entry)
    if entry.receipt is None:
        del plain["receipt"]
    return plain


def named_papers(entry: Entry) -> Iterator[str]:
    """Digests of the documents and letters that an entry names: of its events with a `digest` and a file."""
    for event in entry.events:
        named = event.get("digest") if {"name", "document"} & set(event) else None
        if isinstance(named, str) and _DIGEST.fullmatch(named):
            yield named


def statement(origin: str, manifest_digest: str) -> str:
    """The text that is signed at the export. A checkpoint's first line has no space: neither passes for the other."""
    return f"{FORMAT} v{VERSION}\n{origin}\n{manifest_digest}\n"
