from __future__ import annotations

import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from acetate.images.files import write_image
from acetate_bridge.protocol.types import Image
from tests.cli.conftest import Acetate

pytestmark = pytest.mark.matrix

CASES: dict[str, tuple[list[str], str]] = {
    "empty prompt": (["text", "", "-o", "x.png"], "prompt is empty"),
    "unknown mode": (["nosuchmode", "x", "-o", "x.png"], "nosuchmode"),
    "no mode": (["a red apple", "-o", "x.png"], "generate text 'a red apple' -o"),
    "no mode and no quotes": (["a", "red", "apple", "-o", "x.png"], "name one before the prompt"),
    "no prompt": (["text", "-o", "x.png"], "in quotes"),
    "a folder as output": (["text", "x", "-o", "."], "Name a file in it"),
    "a folder without a model": (["text", "x", "--model", ".", "-o", "x.png"], "no model in the"),
    "nobody there": (
        ["text", "x", "--server", "127.0.0.1:9", "--model", "embedded", "-o", "x.png"],
        "answers at 127.0.0.1:9",
    ),
    "unknown model": (["text", "x", "--model", "nosuch", "-o", "x.png"], "no model called"),
    "unknown device": (["text", "x", "--device", "abacus", "-o", "x.png"], "no device called"),
    "size 0": (["text", "x", "--size", "0", "-o", "x.png"], "positive"),
    "size 16385": (["text", "x", "--size", "16385x64", "-o", "x.png"], "up to 16384"),
    "size 100000": (["text", "x", "--size", "100000", "-o", "x.png"], "up to 16384"),
    "size in words": (["text", "x", "--size", "big", "-o", "x.png"], "256 or 320x256"),
    "negative size": (["text", "x", "--size", "-5", "-o", "x.png"], "256 or 320x256"),
    "three sides": (["text", "x", "--size", "9x9x9", "-o", "x.png"], "256 or 320x256"),
    "a mode mistyped": (["tex", "x", "-o", "x.png"], "“tex” is no mode"),
    "a seed in words": (
        ["text", "x", "--seed", "x", "-o", "x.png"],
        "--seed takes a whole",
    ),
    "guidance in words": (
        ["text", "x", "--guidance", "x", "-o", "x.png"],
        "takes a number.",
    ),
    "a word with dashes for a prompt": (["text", "--red", "-o", "x.png"], "write -- before it"),
    "no steps": (["text", "x", "--steps", "0", "-o", "x.png"], "1 to 150 steps"),
    "steps in words": (["text", "x", "--steps", "many", "-o", "x.png"], "--steps"),
    "odd passes": (["text", "x", "--passes", "3", "-o", "x.png"], "1, 2, 4 or 8"),
    "negative seed": (["text", "x", "--seed", "-1", "-o", "x.png"], "seed"),
    "no variants": (["text", "x", "--variants", "0", "-o", "x.png"], "variants"),
    "odd precision": (["text", "x", "--precision", "12", "-o", "x.png"], "--precision"),
    "no output": (["text", "x"], "--output"),
    "output is a JPEG": (["text", "x", "-o", "x.jpg"], "holds no transparency"),
    "output is no picture": (["text", "x", "-o", "x.txt"], "should end in .png"),
    "16 bits in a WebP": (["text", "x", "--precision", "16", "-o", "x.webp"], "no 16 bits"),
    "variants to standard output": (["text", "x", "--variants", "2", "-o", "-"], "one picture"),
    "two outputs of one name": (
        ["background", "layer.png", "x", "-o", "x.png", "--scene", "./X.png"],
        "would both be written to x.png",
    ),
    "a prompt without quotes": (["text", "a", "red", "apple", "-o", "x.png"], "in quotes"),
    "an option that is none": (["text", "x", "--sedd", "1", "-o", "x.png"], "No such option"),
    "a step cache": (
        ["text", "x", "--cache", "first_block", "-o", "x.png"],
        "has no step caches",
    ),
    "unknown scheduler": (["text", "x", "--scheduler", "no", "-o", "x.png"], "use euler"),
    "unknown style": (["text", "x", "--style", "no", "-o", "x.png"], "no style called"),
    "no token file": (
        [
            "text",
            "x",
            "--token-file",
            "no",
            "--server",
            "[::1]:9",
            "--model",
            "embedded",
            "-o",
            "x.png",
        ],
        "token cannot be read",
    ),
    "output in no folder": (["text", "x", "-o", "no/x.png"], "Cannot write no/x.png"),
    "output is a folder": (["text", "x", "-o", "folder.png"], "it is a folder"),
    "scene in no folder": (
        ["background", "layer.png", "x", "-o", "x.png", "--scene", "no/x.png"],
        "Cannot write no/x.png",
    ),
    "no picture there": (["background", "missing.png", "x", "-o", "x.png"], "no such file"),
    "a text for a picture": (
        ["background", "text.png", "x", "-o", "x.png"],
        "no picture that Acetate reads",
    ),
    "a picture cut short": (["background", "cut.png", "x", "-o", "x.png"], "cut short"),
    "a bomb": (["background", "bomb.png", "x", "-o", "x.png"], "30000 × 30000"),
    "no recipe": (["--from", "layer.png", "-o", "x.png"], "no recipe"),
    "nothing at all": ([], "Name a mode"),
}


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with all that a careless hand may point at."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.png").write_text("hello")
    (tmp_path / "folder.png").mkdir()
    write_image(tmp_path / "layer.png", Image(64, 64, bytes(range(256)) * 64))
    whole = (tmp_path / "layer.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 6, 0, 0, 0)
    (tmp_path / "bomb.png").write_bytes(
        b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(b"\0" * 100))
    )
    return tmp_path


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


@pytest.mark.parametrize("case", CASES)
def test_bad_input_ends_in_one_sentence_and_leaves_nothing(
    acetate: Acetate, tiny_model: Path, desk: Path, case: str
) -> None:
    arguments, sentence = CASES[case]
    before = sorted(desk.rglob("*"))
    if arguments and arguments[0] in ("text", "background") and "--model" not in arguments:
        arguments = [*arguments, "--model", str(tiny_model)]
    outcome = acetate("generate", *arguments)
    assert outcome.code == 2
    assert sentence in outcome.err
    assert outcome.err.count("\n") == 1, "one sentence, on one line"
    assert outcome.out == ""
    assert sorted(desk.rglob("*")) == before


@pytest.mark.parametrize(
    "case",
    [
        "unknown model",
        "unknown mode",
        "unknown scheduler",
        "size 100000",
        "unknown style",
        "unknown device",
        "no picture there",
        "output is a JPEG",
        "a prompt without quotes",
    ],
)
def test_what_needs_no_torch_is_refused_without_it(desk: Path, case: str) -> None:
    arguments, sentence = CASES[case]
    code = (
        f"import sys; sys.argv = ['acetate', 'generate', *{arguments!r}]\n"
        "from acetate.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: print(end.code)\n"
        "print('torch' in sys.modules, 'numpy' in sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": ":".join(filter(None, sys.path))}
    words = [sys.executable, "-c", code]
    run = subprocess.run(words, capture_output=True, text=True, env=environment, cwd=desk)
    assert sentence in run.stderr
    assert run.stdout.splitlines()[-2:-1] == ["2"]
    assert run.stdout.splitlines()[-1].startswith("False")


def test_a_missing_weight_file_is_named(acetate: Acetate, tiny_model: Path, desk: Path) -> None:
    import shutil

    copy = Path(shutil.copytree(tiny_model, desk / "model"))
    (copy / "unet" / "model.safetensors").unlink()
    outcome = acetate("generate", "text", "x", "--model", copy, "-o", desk / "x.png")
    assert outcome.code == 2
    assert "unet/model.safetensors is missing" in outcome.err
    assert not (desk / "x.png").exists()


def test_a_failure_in_the_middle_leaves_no_file(
    acetate: Acetate, tiny_model: Path, desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("acetate.images.encoding.encode_png", stop)
    arguments = ["--model", tiny_model, "--steps", "1", "-o", desk / "x.png"]
    outcome = acetate("generate", "text", "x", *arguments)
    assert outcome.code == 130
    assert not list(desk.glob("*x.png*"))
