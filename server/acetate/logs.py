"""What a log line looks like: for people or as JSON, with the job it is about, without prompts.

Exceptions of libraries may quote what they were given. While a job is worked on, a line or a
message of an exception that quotes one of its texts is left out; where it happened is kept.
"""

from __future__ import annotations

import contextlib
import json
import logging
import time
import traceback
from collections.abc import Generator, Iterable
from contextvars import ContextVar
from types import TracebackType
from typing import Literal

from acetate_bridge.protocol.types import Recipe

LogFormat = Literal["text", "json"]
LEFT_OUT = "(left out: it quotes the prompt)"

_TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_WINDOW = 12
"""Characters of a prompt that no line may have in a row; of a shorter one, all of them."""
_JOB: ContextVar[str] = ContextVar("job", default="")
_TEXTS: ContextVar[tuple[str, ...]] = ContextVar("texts", default=())


@contextlib.contextmanager
def about_job(job: str, recipe: Recipe) -> Generator[None]:
    """Lines that are logged inside bear the id of the job, and none of its texts."""
    texts = (recipe.prompt, recipe.negative_prompt, *recipe.layer_prompts.values())
    job_token = _JOB.set(job)
    texts_token = _TEXTS.set(tuple(text for text in texts if text.strip()))
    try:
        yield
    finally:
        _TEXTS.reset(texts_token)
        _JOB.reset(job_token)


def set_up(form: str, level: int = logging.INFO) -> None:
    """Log to the standard error stream in a form, `text` or `json`."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if form == "json" else Lines())
    logging.basicConfig(level=level, handlers=[handler])


class Lines(logging.Formatter):
    """Lines for people."""

    def __init__(self) -> None:
        super().__init__(_TEXT)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (logging's name)
        """The line without a traceback."""
        record.message = discreet(record.message)
        return super().formatMessage(record)

    def formatException(  # noqa: N802 (logging's name)
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None]
        | tuple[None, None, None],
    ) -> str:
        """The traceback, its messages only where they quote no prompt."""
        return trace_of(ei[1]) if ei[1] is not None else ""


class JsonLines(logging.Formatter):
    """One JSON object a line: `time` (UTC), `level`, `logger`, `message`, and where it applies
    `job` and `trace`."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line = {
            "time": f"{moment}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": discreet(record.getMessage()),
        }
        if job := getattr(record, "job", "") or _JOB.get():
            line["job"] = job
        if record.exc_info and record.exc_info[1] is not None:
            line["trace"] = trace_of(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False)


def discreet(line: str) -> str:
    """The line, or a note where it quotes a text of the job at hand."""
    return LEFT_OUT if _quotes(line, _TEXTS.get()) else line


def trace_of(error: BaseException) -> str:
    """A traceback whose messages quote no text of the job at hand."""
    entries = traceback.TracebackException.from_exception(error).format()
    return "".join(map(_discreet_entry, entries)).rstrip("\n")


def _discreet_entry(entry: str) -> str:
    """Frames show our code alone; what is left is an exception's kind and its message."""
    if entry.startswith('  File "') or not _quotes(entry, _TEXTS.get()):
        return entry
    kind = entry.partition(":")[0]
    return f"{discreet(kind)}: {LEFT_OUT}\n"


def _quotes(line: str, texts: Iterable[str]) -> bool:
    if not line:
        return False
    for text in texts:
        for written in {text, ascii(text)[1:-1], repr(text)[1:-1]}:
            last = max(1, len(written) - _WINDOW + 1)
            if any(written[at : at + _WINDOW] in line for at in range(last)):
                return True
    return False
