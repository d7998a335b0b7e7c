"""Logs are events with ids: JSON lines in production, one readable line each in development."""

import logging
import re
from http import HTTPStatus

import structlog

from vanta_site.settings.core import ENVIRONMENT
from vanta_site.settings.env import read

LOG_JSON = read.flag("LOG_JSON", ENVIRONMENT == "production")
LOG_LEVEL = read.choice("LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR"), "INFO")

_SHARED: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
structlog.configure(
    processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)


def _is_not_503(record: logging.LogRecord) -> bool:
    """Whether a record is worth a line: 503 is an answer of ours (not ready, database away), and says why itself."""
    return getattr(record, "status_code", None) != HTTPStatus.SERVICE_UNAVAILABLE


_TOKENS = re.compile(r"(/hooks/tv/)[^\s\"'?]+")


def _mask_tokens(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Paths that are a secret, without it: whoever has a token's path sends signals in its source's name."""
    return {name: _TOKENS.sub(r"\1…", value) if isinstance(value, str) else value for name, value in event.items()}


LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "vanta": {
            "()": structlog.stdlib.ProcessorFormatter,
            "foreign_pre_chain": _SHARED,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _mask_tokens,
                structlog.processors.JSONRenderer() if LOG_JSON else structlog.dev.ConsoleRenderer(colors=False),
            ],
        }
    },
    "filters": {"but_not_503": {"()": "django.utils.log.CallbackFilter", "callback": _is_not_503}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "vanta"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        "httpx": {"level": "WARNING"},
        # At DEBUG they quote what was signed.
        "botocore": {"level": "WARNING"},
        "boto3": {"level": "WARNING"},
        "django.server": {"level": "WARNING"},
        "django.request": {"filters": ["but_not_503"]},
        # One line for each task and tick; what a task did is in the journal's own lines.
        "celery.app.trace": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.beat": {"level": "WARNING"},
    },
}
