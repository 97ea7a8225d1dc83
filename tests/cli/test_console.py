"""What is said never undoes what was done: on any code page, with nobody reading."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SAYS = "from acetate.cli.console import make_safe, say, flush\nmake_safe()\n{}\nflush()"


def run(
    code: str, encoding: str = "utf-8", **options: object
) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONPATH": ":".join(sys.path)}
    words = [sys.executable, "-c", SAYS.format(code)]
    return subprocess.run(words, env=environment, **{"capture_output": True, **options})  # type: ignore[call-overload]


@pytest.mark.parametrize("encoding", ["cp437", "cp1251", "cp932", "ascii", "latin-1", "utf-8"])
def test_every_code_page_is_good_enough(encoding: str) -> None:
    done = run("say('128 × 128 “яблоко” 林檎…')", encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    said = done.stdout.decode(encoding).strip()
    assert said.startswith("128 ") and said.count(" 128 ") == 1
    if encoding == "ascii":
        assert said == '128 x 128 "??????" ??...'


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_no_traceback() -> None:
    with open("/dev/full", "wb") as full:
        done = run(
            "say('a'); print('b')", stdout=full, stderr=subprocess.PIPE, capture_output=False
        )
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(os.name == "nt", reason="shells of Windows cannot close a stream")
@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_traceback(tmp_path: Path, closed: str) -> None:
    code = SAYS.format(f"say('a'); print('b'); open({str(tmp_path / 'f')!r}, 'w').write('file')")
    line = f"{sys.executable} -c '{code.replace(chr(39), chr(34))}' {closed}"
    environment = {**os.environ, "PYTHONPATH": ":".join(sys.path)}
    assert subprocess.run(line, shell=True, env=environment, capture_output=True).returncode == 0
    assert (tmp_path / "f").read_text() == "file", "no stream writes into a file of ours"


def test_a_reader_that_leaves_is_no_traceback() -> None:
    words = [sys.executable, "-m", "acetate", "models", "list"]
    environment = {**os.environ, "PYTHONPATH": ":".join(sys.path)}
    child = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
    assert child.stdout is not None and child.stderr is not None
    child.stdout.close()
    said = child.stderr.read()
    child.stderr.close()
    assert said == b"" and child.wait(300) in (0, 1)
