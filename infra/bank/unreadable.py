"""The refusal that every reader of bank files raises, and the limits that hold for all of them."""

MAX_BYTES = 64 * 1024 * 1024
"""Larger files are refused before anything looks into them."""

MAX_ENTRIES = 250_000
"""A file with more entries, or more statements, is refused."""


class UnreadableStatement(ValueError):
    """A file that can't be read as bank statements. `code` is stable, the message is for a bookkeeper."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def malformed(where: str, expected: str, found: str) -> UnreadableStatement:
    """The refusal of a line or element that is not what the format asks for; `found` is put as it is."""
    return UnreadableStatement("malformed", f"{where}: expected {expected}, found {found}")


def too_many(what: str) -> UnreadableStatement:
    """The refusal of a file that holds more than `MAX_ENTRIES` of something."""
    return UnreadableStatement(
        "too_large", f"the file has more than {MAX_ENTRIES:,} {what}; split it and send the parts"
    )


def shown(found: str, most: int = 40) -> str:
    """What was found, short and printable, for a message."""
    if not found:
        return "nothing"
    return ascii(found if len(found) <= most else found[:most] + "...")
