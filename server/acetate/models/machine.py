"""What this machine can paint with, found out without torch, and the build of torch that fits."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from acetate_bridge.client.own_card import NVIDIA, Ask, ask
from acetate_bridge.client.surroundings import program

_INDEX = "https://download.pytorch.org/whl"
_INTEL = "0x8086"


@dataclass(frozen=True)
class Build:
    """A build of torch: its index (empty: the usual one), and about how much is fetched, in GB."""

    kind: str
    words: str
    index: str
    gigabytes: float
    tags: tuple[str, ...]
    """How the versions of this build may end, after the plus sign; "" for none."""


CPU = Build("cpu", "the processor alone", f"{_INDEX}/cpu", 0.3, ("cpu",))
MAC = Build("mps", "the processor and Apple's graphics", "", 0.1, ("",))
CUDA = Build("cuda", "cards of NVIDIA", f"{_INDEX}/cu130", 3.3, ("", "cu"))
ROCM = Build("rocm", "cards of AMD", f"{_INDEX}/rocm7.2", 4.6, ("rocm",))
XPU = Build("xpu", "cards of Intel", f"{_INDEX}/xpu", 1.6, ("xpu",))


@dataclass(frozen=True)
class Machine:
    """`card` in words, empty without one; `build` is what uses the machine best."""

    system: str
    card: str
    build: Build


@dataclass(frozen=True)
class Installed:
    """A torch that is here: its version, and whether it is of the build that fits."""

    version: str
    fits: bool


def look(
    system: str = sys.platform,
    processor: str = "",
    question: Ask = ask,
    devices: Path = Path("/dev"),
    cards: Path = Path("/sys/class/drm"),
) -> Machine:
    """The card of this machine and the build that goes with it."""
    words = f"{platform.system()} {platform.machine()}"
    if system == "darwin":
        apple = (processor or platform.machine()) == "arm64"
        return Machine(words, "Apple's own" if apple else "", MAC)
    # The driver's own tool says whether a card can be used, whichever is built in.
    if card := question(NVIDIA):
        return Machine(words, card, CUDA)
    if system.startswith("linux"):
        if (devices / "kfd").exists():
            return Machine(words, "AMD", ROCM)
        if _intel_card(cards):
            return Machine(words, "Intel", XPU)
    return Machine(words, "", CPU)


def installed_torch(build: Build, system: str = sys.platform) -> Installed | None:
    """The torch of this environment; None without one."""
    try:
        version = importlib.metadata.version("torch")
    except importlib.metadata.PackageNotFoundError:
        return None
    return Installed(version, fits(version, build, system))


def fits(version: str, build: Build, system: str = sys.platform) -> bool:
    """Whether a version of torch is of a build. The plain one has CUDA on Linux alone."""
    tag = version.partition("+")[2]
    if build.kind == "cpu":
        return True  # Any build paints on the processor.
    if not tag:
        return "" in build.tags and (build.kind == "mps" or system.startswith("linux"))
    return any(tag.startswith(each) for each in build.tags if each)


def install_words(
    build: Build, environment: Mapping[str, str] = os.environ, python: str = sys.executable
) -> list[str]:
    """The command that fetches the build into this environment."""
    index = ["--index-url", build.index] if build.index else []
    torch = wanted_torch()
    if _has_pip():
        return [python, "-m", "pip", "install", "--upgrade", "--force-reinstall", torch, *index]
    uv = program("uv", environment)
    words = [uv or "uv", "pip", "install", "--python", python, "--reinstall-package", "torch"]
    return [*words, torch, *index]


def wanted_torch() -> str:
    """The versions of torch that Acetate works with, so that an older build is never taken."""
    try:
        required = importlib.metadata.requires("acetate") or []
    except importlib.metadata.PackageNotFoundError:
        required = []
    return next((each for each in required if re.match(r"torch\b", each)), "torch")


def _has_pip() -> bool:
    from importlib.util import find_spec

    return find_spec("pip") is not None


def _intel_card(cards: Path) -> bool:
    """A discrete card: what is built into a processor has no memory of its own."""
    for card in sorted(cards.glob("card[0-9]*/device")):
        try:
            vendor = (card / "vendor").read_text().strip()
        except OSError:
            continue
        if vendor == _INTEL and list(card.glob("tile*/vram*")):
            return True
    return False
