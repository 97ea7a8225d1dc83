"""What torch compiles lies in a folder of the user's own, whoever was in the common one before."""

from __future__ import annotations

import getpass
import os
import subprocess
import sys
from pathlib import Path

import pytest

from acetate.compiled_code import VARIABLE, keep_to_ourselves

LOOK = (
    "import acetate\n"
    "from torch._inductor.runtime.cache_dir_utils import cache_dir\n"
    "print(cache_dir())\n"
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


@pytest.mark.skipif(sys.platform != "linux", reason="where caches lie is set as on Linux")
def test_a_name_that_somebody_has_taken_in_the_temporary_folder_is_not_used(home: Path) -> None:
    common = home / "tmp"
    common.mkdir()
    for name in (getpass.getuser(), f"uid_{os.getuid()}"):
        (common / f"torchinductor_{name}").touch()
    environment = {**os.environ, "TMPDIR": str(common)}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LOOK],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(done.stdout.strip()) == home / "cache" / "acetate" / "compiled"


def test_a_folder_that_the_user_has_named_stays() -> None:
    environment = {VARIABLE: "/somewhere"}
    keep_to_ourselves(environment)
    assert environment == {VARIABLE: "/somewhere"}


@pytest.mark.skipif(sys.platform != "linux", reason="where caches lie is set as on Linux")
def test_where_no_folder_can_be_made_torch_finds_its_own(home: Path) -> None:
    (home / "cache").write_text("a file where the folder would be")
    environment: dict[str, str] = {}
    keep_to_ourselves(environment)
    assert environment == {}
