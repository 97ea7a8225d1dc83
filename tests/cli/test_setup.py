"""`acetate setup` finds what fits a machine, says it, and changes nothing unasked."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from acetate.cli import setup
from acetate.cli.quoting import written
from acetate.models import machine
from acetate.models.machine import CPU, CUDA, MAC, ROCM, XPU, Machine, fits, install_words, look
from tests.cli.conftest import Acetate


def nobody(words: list[str]) -> str:
    return ""


def nvidia(words: list[str]) -> str:
    return "NVIDIA GeForce RTX 4070, 12282 MiB" if words[0] == "nvidia-smi" else ""


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, Path]:
    return {"devices": tmp_path / "dev", "cards": tmp_path / "drm"}


def test_each_machine_gets_its_build(bare: dict[str, Path]) -> None:
    assert look("linux", "x86_64", nvidia, **bare).build is CUDA
    assert look("win32", "AMD64", nvidia, **bare).card.startswith("NVIDIA GeForce RTX 4070")
    assert look("win32", "AMD64", nvidia, **bare).build is CUDA
    assert look("darwin", "arm64", nobody, **bare).build is MAC
    for system in ("linux", "win32"):
        assert look(system, "x86_64", nobody, **bare).build is CPU
    bare["devices"].mkdir()
    (bare["devices"] / "kfd").touch()
    assert look("linux", "x86_64", nobody, **bare).build is ROCM


def test_intels_own_cards_are_told_from_what_is_built_in(bare: dict[str, Path]) -> None:
    device = bare["cards"] / "card0" / "device"
    device.mkdir(parents=True)
    (device / "vendor").write_text("0x8086\n")
    assert look("linux", "x86_64", nobody, **bare).build is CPU
    (device / "tile0" / "vram0").mkdir(parents=True)
    assert look("linux", "x86_64", nobody, **bare).build is XPU


@pytest.mark.parametrize(
    ("version", "build", "system", "good"),
    [
        ("2.13.0", CUDA, "linux", True),
        ("2.13.0+cu128", CUDA, "win32", True),
        ("2.13.0", CUDA, "win32", False),
        ("2.13.0+cpu", CUDA, "linux", False),
        ("2.13.0+cpu", CPU, "linux", True),
        ("2.13.0", CPU, "linux", True),
        ("2.13.0", ROCM, "linux", False),
        ("2.13.0+rocm6.4", ROCM, "linux", True),
        ("2.13.0", MAC, "darwin", True),
        ("2.13.0+xpu", XPU, "linux", True),
    ],
)
def test_what_is_here_is_judged_by_its_version(
    version: str, build: machine.Build, system: str, good: bool
) -> None:
    assert fits(version, build, system) is good


def test_without_pip_uv_fetches(monkeypatch: pytest.MonkeyPatch) -> None:
    python = "/home/Jörg Ä/a b/python"
    assert install_words(CUDA, python=python)[:3] == [python, "-m", "pip"]
    assert "torch>=2.13" in install_words(CUDA, python=python), "never an older one than we need"
    monkeypatch.setattr(machine, "_has_pip", lambda: False)
    words = install_words(ROCM, {"PATH": ""}, python)
    assert words[:5] == ["uv", "pip", "install", "--python", python] and words[-1] == ROCM.index


def test_the_command_can_be_pasted_into_the_shell_of_the_system() -> None:
    words = [r"C:\Users\Jörg Ä\python.exe", "-m", "pip", "torch>=2.13"]
    assert written(words, "win32") == rf'"{words[0]}" -m pip "torch>=2.13"'
    assert written(["/home/Jörg Ä/python", "torch>=2.13"], "linux") == (
        "'/home/Jörg Ä/python' 'torch>=2.13'"
    )


@pytest.fixture
def windows_with_a_card(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """A machine whose torch leaves its card unused; the commands that are run there."""
    ran: list[list[str]] = []

    class Done:
        returncode = 0

    def run(words: list[str], **_: object) -> Done:
        ran.append(words)
        return Done()

    monkeypatch.setattr(setup, "look", lambda: Machine("Windows AMD64", "NVIDIA RTX", CUDA))
    monkeypatch.setattr(setup, "installed_torch", lambda _: machine.Installed("2.13.0", False))
    monkeypatch.setattr(setup.subprocess, "run", run)
    return ran


def test_nothing_is_changed_unasked(acetate: Acetate, windows_with_a_card: list[list[str]]) -> None:
    outcome = acetate("setup")
    assert outcome.code == 0 and windows_with_a_card == []
    for words in ("NVIDIA RTX unused", "about 3.3 GB", CUDA.index, "--yes"):
        assert words in outcome.out


def test_with_yes_it_is_fetched(acetate: Acetate, windows_with_a_card: list[list[str]]) -> None:
    assert acetate("setup", "--yes").code == 0
    ((python, *words),) = windows_with_a_card
    assert python == sys.executable and words[-2:] == ["--index-url", CUDA.index]


def test_every_part_is_named(
    acetate: Acetate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "Jörg Ä"))
    monkeypatch.setenv("ACETATE_RUNTIME_DIR", str(tmp_path / "run"))
    for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(variable, raising=False)
    outcome = acetate("setup")
    for words in ("Program", "Machine", "torch", "not running: acetate serve", "embedded", "Krita"):
        assert words in outcome.out, outcome.out
