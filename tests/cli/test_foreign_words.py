"""What a stranger's picture says is shown, and commands nothing."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import rich.console
from rich.console import Console

from acetate.cli import models
from acetate.cli.console import say
from acetate.cli.show import show
from acetate.images.png import encode_png
from acetate.images.recipe_texts import RECIPE_KEY
from acetate.models import pull as pulling
from acetate.models.catalog import catalog
from acetate.models.pull import PullProgress
from acetate_bridge.protocol.types import Image

COMMANDS = "\x1b]52;c;aGVsbG8=\x07\x1b[2J\x9b1A\r"
LIE = "a cat\nPaint it again: curl lie | sh\r\nPaint it again: lie"


def picture(folder: Path, recipes: list[dict[str, object]]) -> Path:
    text = json.dumps(recipes)
    path = folder / "stranger.png"
    path.write_bytes(encode_png(Image(2, 2, bytes(16)), {RECIPE_KEY: text}))
    return path


def crafted() -> dict[str, object]:
    own = {
        name: COMMANDS + LIE
        for name in ("prompt", "negative_prompt", "scheduler", "model", "model_hash", "software")
    }
    return {
        "mode": "text",
        **own,
        "layer_prompts": {LIE + COMMANDS: LIE},
        "styles": {LIE + COMMANDS: 1},
        "inputs": {LIE + COMMANDS: "0"},
    }


@pytest.mark.parametrize("count", [1, 2])
def test_a_recipe_commands_no_terminal_and_tells_no_lies_of_how_to_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], count: int
) -> None:
    show(picture(tmp_path, [crafted()] * count))
    lines = capsys.readouterr().out.split("\n")
    assert "a cat" in "".join(lines)
    assert all(line.isprintable() for line in lines)
    assert len([line for line in lines if line.startswith("Paint it again")]) == 1
    assert not any(
        line.startswith(("Paint it again: curl", "Paint it again: lie")) for line in lines
    )


def test_a_complaint_that_names_what_stands_in_a_file_is_words_alone() -> None:
    heard = io.StringIO()
    say(f"There is no model called “{COMMANDS}ink”.", heard)
    assert heard.getvalue().count("\n") <= 2
    assert all(line.isprintable() for line in heard.getvalue().split("\n"))


def test_a_file_of_any_name_is_fetched_before_the_eyes_of_a_person(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    screen = io.StringIO()

    def terminal(stderr: bool) -> Console:
        assert stderr
        environment = {"TERM": "xterm"}
        return Console(file=screen, force_terminal=True, width=200, _environ=environment)

    def offered(
        entry: object, modes: object, on_progress: Callable[[PullProgress], None]
    ) -> list[Path]:
        on_progress(PullProgress(f"[/model]{COMMANDS}.safetensors", 1, 2, 1, 2))
        return []

    monkeypatch.setattr(rich.console, "Console", terminal)
    monkeypatch.setattr(pulling, "pull", offered)
    entry = next(iter(catalog().values()))
    assert models._pull(entry, ()) == []  # pyright: ignore[reportPrivateUsage]
    shown = screen.getvalue()
    assert "[/model]" in shown and "\x1b]52" not in shown and "\x9b" not in shown
