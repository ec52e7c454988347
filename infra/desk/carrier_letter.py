"""Reads what a carrier sent, whatever it is: the parts that can be used, and in words what is wrong with the rest."""

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from infra.desk.payloads import bad_text
from infra.desk.strict_json import NotJson, strict_json
from infra.stores.carrier_messages import DIGEST_ID, Incoming
from models.instants import canonical
from models.stages.shipping import News
from models.timeline import digest

UNKNOWN = "unknown"
"""The carrier of a message that names none."""

KINDS = tuple(map(str, News))
"""What a carrier can say of a shipment."""

LONGEST_CARRIER, LONGEST_ID, LONGEST_SHIPMENT, LONGEST_NOTE = 40, 200, 100, 2_000

_BYTES = "base64:"
_SHIPMENT = re.compile(r"([\x21-\x7e]{1,80})-S[1-9][0-9]{0,8}")
_INSTANT_LENGTH = len("2026-11-21T08:00:00Z")
_NAMED_AT_MOST = 5


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as it is kept, with the carrier's note."""

    kept: Incoming
    note: str


def read(body: bytes) -> Letter:
    """Read a message. Raises nothing: what is wrong stands in `kept.problem`."""
    value, problem = _value(body)
    found: dict[str, Any] = value if isinstance(value, dict) else {}
    wrong = {name: why for name, rule in _RULES.items() if (why := rule(found.get(name, _DEFAULTS.get(name))))}
    usable = {name: str(found[name]) for name in _RULES if name in found and name not in wrong}
    print_ = digest_of(body, value)
    shipment = usable.get("shipment", "")
    kept = Incoming(
        carrier=usable.get("carrier", UNKNOWN),
        message_id=usable.get("message_id", DIGEST_ID + print_),
        shipment=shipment,
        deal_id=deal_of(shipment),
        kind=usable.get("kind", ""),
        occurred_at=canonical(usable["occurred_at"]) if "occurred_at" in usable else "",
        body=text_of(body),
        digest=print_,
        problem=problem or _in_words(found, wrong),
    )
    return Letter(kept, usable.get("note", ""))


def deal_of(shipment: str) -> str:
    """The deal that a shipment's number names; empty when it is none of our numbers."""
    found = _SHIPMENT.fullmatch(shipment)
    return found[1] if found else ""


def digest_of(body: bytes, value: Any) -> str:
    """The digest of what a message says: spaces and the order of its fields do not matter, if it is JSON."""
    try:
        return digest(value) if value is not None else hashlib.sha256(body).hexdigest()
    except (ValueError, RecursionError):  # numbers and texts that canonical JSON can't hold
        return hashlib.sha256(body).hexdigest()


def text_of(body: bytes) -> str:
    """The body as a text that every database can keep."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return _BYTES + base64.b64encode(body).decode()
    return text if "\x00" not in text else _BYTES + base64.b64encode(body).decode()


def bytes_of(text: str) -> bytes:
    """The body that was kept as this text."""
    return base64.b64decode(text.removeprefix(_BYTES)) if text.startswith(_BYTES) else text.encode()


def _value(body: bytes) -> tuple[Any, str]:
    """The JSON value, and why it is no message at all."""
    try:
        value = strict_json(body)
    except NotJson as unreadable:
        return None, f"the message can't be read: {unreadable}"
    return value, "" if isinstance(value, dict) else "the message is no JSON object"


def _in_words(found: dict[str, Any], wrong: dict[str, str]) -> str:
    unknown = [name for name in found if name not in _RULES][:_NAMED_AT_MOST]
    wrong = wrong | {ascii(name[:40]): "unknown field" for name in unknown}
    return "; ".join(f"{name}: {why}" for name, why in wrong.items())


def _visible(most: int) -> Callable[[Any], str]:
    def rule(value: Any) -> str:
        if not isinstance(value, str) or not 0 < len(value) <= most:
            return f"must be a text of 1 to {most} characters"
        if not value.isprintable() or " " in value:
            return "only visible characters are allowed"
        return ""

    return rule


def _message_id(value: Any) -> str:
    if why := _visible(LONGEST_ID)(value):
        return why
    return f"must not begin with {DIGEST_ID}" if value.startswith(DIGEST_ID) else ""


def _shipment(value: Any) -> str:
    if isinstance(value, str) and deal_of(value):
        return ""
    return "must be our number of the shipment, such as D-7Q2K9M4XTA-S1"


def _kind(value: Any) -> str:
    return "" if isinstance(value, str) and value in KINDS else f"must be one of {', '.join(KINDS)}"


def _occurred_at(value: Any) -> str:
    try:
        if isinstance(value, str) and len(value) <= 40 and len(canonical(value)) == _INSTANT_LENGTH:
            return ""
    except (ValueError, OverflowError):
        pass
    return "must be an instant such as 2026-11-21T08:00:00Z"


def _note(value: Any) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_NOTE:
        return f"must be a text of at most {LONGEST_NOTE} characters"
    if any(character < " " and character not in "\t\n\r" for character in value):
        return "control characters are not allowed"
    return bad_text(value)


_RULES: dict[str, Callable[[Any], str]] = {
    "carrier": _visible(LONGEST_CARRIER),
    "message_id": _message_id,
    "shipment": _shipment,
    "kind": _kind,
    "occurred_at": _occurred_at,
    "note": _note,
}
_DEFAULTS = {"note": ""}
