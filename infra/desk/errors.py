"""How the desk says no: one class per kind of answer, with its data; callers render them in one place."""

from dataclasses import replace

from models.errors import Refusal


class DeskError(Exception):
    """An answer that is a no. `code` is stable; `recorded` is True once it stands among the refusals."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message
        self.recorded = False


class NoSuch(DeskError):
    """There is none, or it is not the caller's to see: both look the same."""

    def __init__(self, what: str, name: str) -> None:
        super().__init__("not_found", f"there is no {what} {name[:80]!r}")


class Refused(DeskError):
    """A rule of the deal says no, with every failing guard."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code, refusal.message)
        self.refusal = refusal


class Invalid(DeskError):
    """Fields are wrong: path of the field to what is wrong with it."""

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__("malformed", "; ".join(f"{where}: {why}" for where, why in fields.items()))
        self.fields = fields


class WrongRole(DeskError):
    """None of the caller's roles may do this; `roles` may."""

    def __init__(self, what: str, roles: tuple[str, ...]) -> None:
        super().__init__("wrong_role", f"{what} needs one of the roles: {', '.join(roles)}")
        self.roles = roles


class Conflict(DeskError):
    """What is asked for contradicts what stands: key_reused, already_exists, source_taken, clock_off, ..."""


class UnreadableFile(DeskError):
    """A file that can't be read; `code` says what is wrong with it: hostile_xml, unknown_format, too_large, ..."""


class EngineDown(DeskError):
    """The engine did not answer. Asking again with the same key is safe and finds out."""

    def __init__(self, why: str, retry_after: int = 2) -> None:
        super().__init__("engine_unreachable", f"the engine did not answer: {why}; ask again with the same key")
        self.retry_after = retry_after


class Unlogged(DeskError):
    """What an auditor reads could not be written into the audit log, so it is not shown."""

    def __init__(self, what: str, retry_after: int = 5) -> None:
        super().__init__("read_not_logged", f"this read of {what[:80]!r} can't be written into the audit log now")
        self.retry_after = retry_after


class Busy(DeskError):
    """Too much is asked at once."""

    def __init__(self, what: str, retry_after: int = 1) -> None:
        super().__init__("too_many_requests", what)
        self.retry_after = retry_after


def key_reused(key: str) -> Conflict:
    """The idempotency key was used for something else before."""
    return Conflict("key_reused", f"the idempotency key was used for another request before: {key}")


def malformed(action: str, state: str, fields: dict[str, str]) -> Refused:
    """An act whose payload is wrong."""
    message = "; ".join(f"{where or 'body'}: {why}" for where, why in fields.items())
    return Refused(replace(Refusal("malformed", action, state, message), field_errors=fields))
