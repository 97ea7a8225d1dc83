"""What somebody who has read the README alone stumbles over is told with its cure, at once."""

from __future__ import annotations

import io
import socket
import sys
from pathlib import Path

import pytest

from acetate.cli import serve, setup
from acetate.cli.outputs import settle
from acetate.cli.remote import _nobody_at  # pyright: ignore[reportPrivateUsage]
from acetate.errors import BadRequest
from acetate.images.alpha import alpha_warning
from acetate.images.files import write_image
from acetate.images.formats import STDOUT
from acetate.modes import MODES
from acetate_bridge.client.discovery import Runtime
from acetate_bridge.protocol.modes import mode_row
from acetate_bridge.protocol.naming import layer_name
from acetate_bridge.protocol.types import Image
from tests.cli.conftest import Acetate


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with two pictures of different sizes."""
    monkeypatch.chdir(tmp_path)
    write_image(tmp_path / "apple.png", Image(64, 64, bytes(64 * 64 * 4)))
    write_image(tmp_path / "big.png", Image(65, 64, bytes(65 * 64 * 4)))
    return tmp_path


@pytest.mark.parametrize("more", [[], ["--background", "apple.png", "--layer", "apple.png"]])
def test_lifting_out_names_its_options_before_anything_is_loaded(
    acetate: Acetate, desk: Path, monkeypatch: pytest.MonkeyPatch, more: list[str]
) -> None:
    monkeypatch.setattr("acetate.cli.run.load", lambda order: pytest.fail("loaded"))
    outcome = acetate("generate", "extract", "apple.png", "an apple", *more, "-o", "x.png")
    assert outcome.code == 2 and "--background" in outcome.err and "--layer" in outcome.err


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("places", [(STDOUT, None), (Path("a.png"), STDOUT)])
def test_no_picture_is_poured_into_a_terminal(
    desk: Path, monkeypatch: pytest.MonkeyPatch, places: tuple[Path, Path | None]
) -> None:
    settle(*places, 1, 1)
    monkeypatch.setattr(sys, "stdout", Terminal())
    with pytest.raises(BadRequest, match="is a terminal"):
        settle(*places, 1, 1)


def test_the_file_that_is_there_is_the_one_that_is_named(desk: Path) -> None:
    (desk / "a-2.png").touch()
    (note,) = settle(Path("a.png"), None, 2, 0).notes
    assert note.startswith("a-2.png is there already") and "--force" in note


@pytest.mark.parametrize("mode", [name for name in MODES if not mode_row(name).prompted])
def test_what_takes_no_words_is_not_told_to_take_others(mode: str) -> None:
    for alpha in (0, 255):
        image = Image(8, 8, bytes([0, 0, 0, alpha]) * 64)
        assert "words" in alpha_warning(image) and "seed" in alpha_warning(image)
        said = alpha_warning(image, mode_row(mode).prompted)
        assert said.startswith("The layer came out") and "seed" not in said


def test_an_unpaired_address_is_told_how_to_pair() -> None:
    hint = _nobody_at("10.0.0.2:7861").hint
    assert "--token-file" in hint and "acetate connect 10.0.0.2:7861 --code" in hint


def test_the_hint_for_an_old_plug_in_is_a_whole_command(
    acetate: Acetate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from acetate.plugin_install import editor_folders, install

    place = editor_folders.Place("gimp", "GIMP 3.0", tmp_path, None)
    monkeypatch.setattr(
        editor_folders, "places", lambda editor: [place] if editor == "gimp" else []
    )
    monkeypatch.setattr(install, "installed", lambda editor, folder: install.Installed("0.0.1", ()))
    (line,) = (line for line in setup._parts() if "GIMP" in line)  # pyright: ignore[reportPrivateUsage]
    assert line.endswith("acetate plugins install gimp")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["txt", "a dog", "-o", "x.png"], "acetate generate text 'a dog' -o x.png"),
        (["text", "a dog"], "-o apple.png"),
        (
            ["fill", "apple.png", "a leaf", "--mask", "big.png", "-o", "x.png"],
            "apple.png has 64 × 64 pixels, big.png has 65 × 64 pixels",
        ),
        (
            ["background", "green hills", "apple.png", "-o", "x.png"],
            "acetate generate background apple.png 'green hills' -o",
        ),
        (
            ["refine", "green hills", "apple.png", "-o", "x.png"],
            "the picture comes first, and the words after it",
        ),
        (
            ["harmonize", "apple.png", "apple.png", "noon", "-o", "x.png"],
            "Name one that can with --model: sd15-light.",
        ),
        (["harmonize", "--help"], "sd15-light"),
        (["text", "--help"], "0: as many"),
    ],
)
def test_the_answer_names_the_cure(
    acetate: Acetate, desk: Path, words: list[str], said: str
) -> None:
    outcome = acetate("generate", *words)
    told = " ".join((outcome.out + outcome.err).replace("│", " ").split())
    assert said in told and "Traceback" not in told


def test_models_say_what_is_here_and_what_was_removed(acetate: Acetate) -> None:
    outcome = acetate("models", "pull", "embedded")
    assert (outcome.code, outcome.out) == (0, "embedded is here.\n")
    assert "preview-sdxl" in acetate("models", "list").out


def test_a_bracket_that_nobody_closed_is_no_part_of_a_name() -> None:
    assert layer_name("a (red:1.4 apple") == "red"
    assert layer_name("a cat (black)") == "cat black"


def test_a_server_that_is_refused_leaves_no_token(
    acetate: Acetate, desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("acetate.logs.set_up", lambda *settings: None)
    words = ["serve", "--token-file", desk / "new"]
    outcome = acetate(*words, "--ray-painters", "many")
    assert outcome.code == 2 and "two numbers such as 1:8" in outcome.err
    with socket.create_server(("127.0.0.1", 0)) as other:
        found = Runtime(1, "127.0.0.1", other.getsockname()[1], "", 1)
        monkeypatch.setattr(serve, "read_runtime", lambda: found)
        outcome = acetate(*words)
    assert outcome.code == 2 and "`acetate stop` ends it." in outcome.err
    assert not (desk / "new").exists()
