"""The README is true: its commands are run as they stand there, in a home of their own."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from PIL import Image

from acetate.cli.application import app
from acetate.images.files import read_image, read_recipe

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PATIENCE = 900.0


def blocks(kind: str) -> list[str]:
    """Fenced blocks: `sh` is run here, `console` needs models of many gigabytes."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def test_every_block_says_what_it_is() -> None:
    fences = re.findall(r"^```(.*)$", README, re.MULTILINE)
    assert set(fences[::2]) == {"sh", "console", "python"} and set(fences[1::2]) == {""}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, str]]]:
    """A working folder and the variables of somebody who has just installed Acetate."""
    folder = tmp_path_factory.mktemp("read me")
    for name in ("home/.local/share/krita", "desk"):
        (folder / name).mkdir(parents=True)
    runtime = folder / "run"
    runtime.mkdir(mode=0o700)
    kept = {name: os.environ[name] for name in ("LANG", "OMP_NUM_THREADS") if name in os.environ}
    environment = {
        **kept,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "HOME": str(folder / "home"),
        "XDG_RUNTIME_DIR": str(runtime),
        "HF_HUB_OFFLINE": "1",
    }
    yield folder / "desk", environment
    from acetate_bridge.client.discovery import read_runtime

    if (left := read_runtime(runtime / "acetate")) is not None:
        os.kill(left.pid, signal.SIGTERM)


@pytest.mark.exhaustive
@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="the blocks are for a shell of POSIX")
def test_every_block_of_the_shell_works_as_it_stands(desk: tuple[Path, dict[str, str]]) -> None:
    folder, environment = desk
    # What a person has painted: white is the selection.
    mask = Image.new("L", (512, 512))
    mask.paste(255, (180, 40, 340, 200))
    mask.save(folder / "mask.png")
    for block in blocks("sh"):
        done = subprocess.run(
            ["sh", "-eu", "-c", block],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
        assert "Traceback" not in done.stderr
    written = {path.name for path in folder.iterdir()}
    assert written >= {"apple.png", "hills.png", "scene.png", "lemon.webp", "gold.png", "kept.png"}
    assert {"star-1.png", "star-2.png", "again.webp"} <= written
    assert {"filled.png", "large.png", "blue-apple.png"} <= written
    lemon = read_image(folder / "lemon.webp")
    assert (lemon.width, lemon.height) == (320, 256)
    assert read_image(folder / "again.webp") == lemon
    assert read_recipe(folder / "scene.png").mode == "background"
    assert not list(Path(environment["HOME"], ".local/share/krita").rglob("*.py"))


def commands(block: str) -> list[list[str]]:
    joined = block.replace("\\\n", " ")
    return [words for line in joined.splitlines() if (words := shlex.split(line, comments=True))]


def test_the_commands_that_need_large_models_are_commands() -> None:
    lines = [words for block in blocks("console") for words in commands(block)]
    assert len(lines) > 4
    for program, *words in lines:
        assert program == "acetate"
        command = typer.main.get_command(app)
        context = command.make_context("acetate", list(words))
        while hasattr(command, "resolve_command"):
            rest = [*context._protected_args, *context.args]
            _, command, words = command.resolve_command(context, rest)  # type: ignore[attr-defined]
            context = command.make_context(command.name, list(words), parent=context)
        assert command.name


@pytest.mark.slow
def test_the_script_works_as_it_stands(desk: tuple[Path, dict[str, str]]) -> None:
    folder, environment = desk
    (script,) = blocks("python")
    script += "import sys\nassert layer.image.width == size\n"
    # The embedded model paints without what takes seconds to load.
    script += "assert not {'diffusers', 'transformers'} & set(sys.modules)\n"
    words = [sys.executable, "-c", script]
    subprocess.run(words, cwd=folder, env=environment, check=True, timeout=PATIENCE)
