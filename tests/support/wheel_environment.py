"""What somebody has who installed the wheel: an environment that knows no checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATIENCE = 600.0


def python_in(place: Path) -> Path:
    """The interpreter of an environment."""
    return place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def build_wheel(folder: Path) -> Path:
    """The wheel of this checkout."""
    words = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*words, "--wheel-dir", str(folder), str(ROOT)], check=True, timeout=PATIENCE)
    (found,) = folder.glob("*.whl")
    return found


def install_wheel(wheel: Path, place: Path) -> None:
    """Make an environment with the wheel over the libraries of this one."""
    venv.create(place, with_pip=False)
    python = python_in(place)
    words = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    subprocess.run([*words, "--no-deps", str(wheel)], check=True, timeout=PATIENCE)
    asked = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    site = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    # Paths alone: what is installed for editing here is not seen there.
    shared = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *_more()}
    Path(site, "libraries.pth").write_text("\n".join(sorted(shared)) + "\n", encoding="utf-8")


def _more() -> list[str]:
    """Where else this environment keeps its libraries."""
    return [path for path in sys.path if path.endswith("site-packages")]
