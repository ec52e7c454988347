"""How a command ends: its exit codes, the one error class for people, and which exceptions become which code."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What a script may rely on; docs/cli.md and `dealwright exit-codes` print this list."""

    OK = 0
    REFUSED = 1
    USAGE = 2
    NOT_FOUND = 3
    ENGINE = 4
    BAD_DATA = 5
    BUG = 70
    INTERRUPTED = 130


MEANINGS = {
    ExitCode.OK: "done, and every check passed",
    ExitCode.REFUSED: "the deal refused the act, or a check (doctor, audit, stock, funnel, sums) found something wrong",
    ExitCode.USAGE: "wrong command line or settings; nothing was done",
    ExitCode.NOT_FOUND: "there is no such deal, user, action, file, data folder or field of the result, or a part of"
    " the folder is missing",
    ExitCode.ENGINE: "the Temporal server or the database could not be reached or started",
    ExitCode.BAD_DATA: "rows or files that were to be imported are wrong; good rows were imported",
    ExitCode.BUG: "an error that nobody expected; run again with --debug and report it",
    ExitCode.INTERRUPTED: "stopped by Ctrl-C; what was acknowledged stays",
}


class CommandFailed(Exception):
    """Ends a command with a code and one sentence for a person; `advice` says what to do next."""

    def __init__(self, code: ExitCode, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.advice = code, message, advice


# By name, so that this module needs none of the libraries that define them.
_KNOWN: dict[str, tuple[ExitCode, str]] = {
    "infra.settings.SettingsError": (ExitCode.USAGE, "docs/settings.md lists all settings"),
    "infra.temporal_client.EngineUnreachable": (ExitCode.ENGINE, "`dealwright doctor` looks for the cause"),
    "infra.temporal_server.EmbeddedServerError": (ExitCode.ENGINE, "`dealwright doctor` looks for the cause"),
    "infra.system_state.SystemRuns": (ExitCode.REFUSED, "stop it first (Ctrl-C in its terminal), or use it as it is"),
    "infra.ports.CannotListen": (ExitCode.USAGE, "another port, or 0 for a free one; `dealwright doctor` checks it"),
    "infra.data_folder.FolderRefused": (ExitCode.USAGE, "run this as its owner, or name another folder with --data"),
    "infra.data_folder.FolderIncomplete": (
        ExitCode.NOT_FOUND,
        "put its backup there, or begin anew in another folder: --data DIR",
    ),
    "infra.payload_cipher.KeyRingDamaged": (ExitCode.NOT_FOUND, "docs/encryption.md tells about these keys"),
    "infra.privacy.installation_key.KeyLost": (ExitCode.NOT_FOUND, "docs/privacy.md tells about this key"),
    "infra.child.SystemFailed": (ExitCode.ENGINE, "`dealwright doctor` looks for the cause"),
    "infra.test_clock.NotATestDeal": (ExitCode.REFUSED, "only deals opened with --test can be forwarded"),
    "infra.test_clock.TestClockError": (ExitCode.REFUSED, ""),
    "infra.db.DatabaseBusy": (ExitCode.ENGINE, "try again in a moment"),
    "infra.desk.errors.Unlogged": (ExitCode.ENGINE, "nothing is shown to an auditor unless it can be written down"),
    "sqlalchemy.exc.OperationalError": (ExitCode.ENGINE, "`dealwright db upgrade`, then `dealwright doctor`"),
    "infra.migrate.StaleTables": (ExitCode.REFUSED, "`dealwright db upgrade` brings the tables up to date"),
    "infra.evidence.tree.LogDamaged": (ExitCode.REFUSED, "`dealwright audit verify` says more"),
    "infra.stores.upserts.AlreadyStands": (ExitCode.REFUSED, ""),
    "builtins.FileNotFoundError": (ExitCode.NOT_FOUND, ""),
    "builtins.PermissionError": (ExitCode.USAGE, "another folder can be named with --data"),
}


def explain(error: BaseException) -> CommandFailed | None:
    """The error as a command may end with it; None for one that nobody expected."""
    if isinstance(error, CommandFailed):
        return error
    for kind in type(error).__mro__:
        known = _KNOWN.get(f"{kind.__module__}.{kind.__qualname__}")
        if known is not None:
            return CommandFailed(known[0], _first_words(error), known[1])
    return None


def _first_words(error: BaseException) -> str:
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return str(error).strip() or type(error).__name__
