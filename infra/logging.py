"""Logging: structlog and the standard library in one chain, as JSON for machines or as lines for people.

Event names are constant, ids are bound, and nothing personal is logged.
"""

import logging
import sys
from typing import Any, Literal

import structlog


def configure_logging(form: Literal["json", "console"] = "console", level: str = "info") -> None:
    """Send all log entries of this process to stderr in one form."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    last: Any = structlog.processors.JSONRenderer() if form == "json" else structlog.dev.ConsoleRenderer(colors=False)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last]
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    # one line per HTTP request and per retried activity is noise below a warning
    for chatty in ("uvicorn.access", "httpx2", "alembic", "transitions"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))


def log_to_stderr() -> None:
    """Keep the log off stdout, which is where commands put their result; nothing changes for who chose a place."""
    if isinstance(structlog.get_config()["logger_factory"], structlog.PrintLoggerFactory):
        # looked up at every entry: whoever runs commands in one process may give each a stream of its own
        structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))
