"""Painting at another machine from the command line: shared there, paired here, once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from acetate.images.files import read_image
from tests.app.server_process import RunningServer
from tests.cli.conftest import Acetate

PAINT = ("generate", "text", "a cat", "--size", "64", "--steps", "1")


@pytest.mark.slow
def test_a_picture_is_painted_at_a_shared_server(
    acetate: Acetate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACETATE_CONFIG_DIR", str(tmp_path / "config"))
    painter = "tests.cli.embedded_fake:open_painter"
    with RunningServer(tmp_path / "server", painter=painter, shared=True) as server:

        def there() -> None:
            monkeypatch.setenv("ACETATE_RUNTIME_DIR", server.environment["ACETATE_RUNTIME_DIR"])

        def here() -> None:
            monkeypatch.setenv("ACETATE_RUNTIME_DIR", str(tmp_path / "run"))

        there()
        shown = acetate("share")
        assert shown.code == 0, shown.err
        found = re.search(r"address \S+:(\d+)\b.*, code (\S+)\n", shown.out)
        assert found is not None, shown.out
        address, code = f"127.0.0.1:{found[1]}", found[2]
        here()
        wrong = acetate(*PAINT, "--connect", address, "--code", "K7Q", "-o", tmp_path / "a.png")
        assert wrong.code == 2 and wrong.err.count("\n") == 1 and "six letters" in wrong.err
        first = acetate(*PAINT, "--connect", address, "--code", code, "-o", tmp_path / "a.png")
        assert first.code == 0, first.err
        second = acetate(*PAINT, "--connect", address, "-o", tmp_path / "b.png")
        assert second.code == 0, second.err
        assert read_image(tmp_path / "b.png").width == 64
        there()
        code = acetate("share").out.split("code ")[1].split("\n")[0]
        here()
        assert acetate("connect", address, "--forget").code == 0
        lost = acetate(*PAINT, "--connect", address, "-o", tmp_path / "c.png")
        assert lost.code == 2 and lost.err.count("\n") == 1
        paired = acetate("connect", address, "--code", code)
        assert paired.code == 0 and f"--connect {address}" in paired.out, paired.err
        third = acetate(*PAINT, "--connect", address, "-o", tmp_path / "c.png")
        assert third.code == 0, third.err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((*PAINT, "--connect", "a:1", "--server", "local"), "leave --server or --connect"),
        ((*PAINT, "--code", "K7Q-M2X"), "goes with the address"),
        (("connect", "127.0.0.1:9", "--code", "K7Q-M2X"), "Nothing answers at 127.0.0.1:9"),
        (("connect", "127.0.0.1:9"), "The code is missing"),
        (("connect", "127.0.0.1:9", "--code", "K7"), "A code has six letters"),
        (("connect", "127.0.0.1:9", "--forget"), "not paired with 127.0.0.1:9"),
        (("share",), "No server runs here"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    acetate: Acetate,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    sentence: str,
) -> None:
    monkeypatch.setenv("ACETATE_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("ACETATE_RUNTIME_DIR", str(tmp_path / "run"))
    output = ("-o", tmp_path / "a.png") if words[0] == "generate" else ()
    outcome = acetate(*words, *output)
    assert outcome.code == 2 and outcome.err.count("\n") == 1, outcome.err
    assert sentence in outcome.err
