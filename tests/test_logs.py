"""Log lines bear the id of their job, and quote no prompt, whatever a library puts into words."""

from __future__ import annotations

import io
import json
import logging

import pytest

from acetate.logs import LEFT_OUT, JsonLines, Lines, about_job
from acetate_bridge import Recipe

RECIPE = Recipe("text", "a marzipan lighthouse", negative_prompt="blurred waves")


def said(form: logging.Formatter, *raised: str) -> str:
    """What a logger writes of exceptions raised one after another, within a job."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(form)
    log = logging.Logger("acetate.test")
    log.addHandler(handler)

    def fail(words: tuple[str, ...]) -> None:
        if len(words) == 1:
            raise ValueError(words[0])
        try:
            fail(words[:-1])
        except ValueError as error:
            raise RuntimeError(words[-1]) from error

    with about_job("job-0001", RECIPE):
        try:
            fail(raised)
        except (ValueError, RuntimeError):
            log.exception("it broke")
    return stream.getvalue()


@pytest.mark.parametrize("form", [Lines(), JsonLines()])
@pytest.mark.parametrize(
    "message",
    [
        "cannot read 'a marzipan lighthouse'",
        "cut short: 'a marzipan lig…'",
        "…zipan lighthouse\nblurred waves",
        "bad token in blurred waves",
    ],
)
def test_a_message_that_quotes_the_prompt_is_left_out(
    form: logging.Formatter, message: str
) -> None:
    text = said(form, message, "out of memory")
    assert "marzipan" not in text and "zipan" not in text and "blurred" not in text
    assert LEFT_OUT in text and "ValueError" in text
    assert "RuntimeError: out of memory" in text and "test_logs.py" in text


def test_a_prompt_is_found_in_its_escapes_too() -> None:
    with about_job("job-0001", Recipe("text", "ein Bär überall für Öl")):
        line = logging.LogRecord(
            "a", logging.INFO, "", 0, "got %a", ("ein Bär überall für Öl",), None
        )
        assert json.loads(JsonLines().format(line))["message"] == LEFT_OUT


def test_a_short_prompt_is_looked_for_as_a_whole() -> None:
    with about_job("job-0001", Recipe("text", "cat")):
        line = logging.LogRecord("a", logging.INFO, "", 0, "a catalogue, a dog", (), None)
        assert json.loads(JsonLines().format(line))["message"] == LEFT_OUT
        line = logging.LogRecord("a", logging.INFO, "", 0, "a dog", (), None)
        assert json.loads(JsonLines().format(line))["message"] == "a dog"


def test_a_line_of_json_has_its_time_level_logger_and_job() -> None:
    record = logging.LogRecord("acetate.jobs", logging.WARNING, "", 0, "x %s", ("y",), None)
    record.created, record.msecs = 0.25, 250.0
    with about_job("job-0002", RECIPE):
        line = json.loads(JsonLines().format(record))
    assert line == {
        "time": "1970-01-01T00:00:00.250Z",
        "level": "warning",
        "logger": "acetate.jobs",
        "message": "x y",
        "job": "job-0002",
    }
    assert "job" not in json.loads(JsonLines().format(record))
