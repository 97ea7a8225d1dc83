"""Ctrl+C ends with one line and 130, whenever it comes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

MOMENTS = {
    "while libraries load": "'torch' in modules",
    "at the beginning": "'typer' in modules",
    "while it paints": "'acetate.pipelines.sampling' in modules",
}

WATCH = """
import os, signal, sys, threading
def interrupt():
    modules = sys.modules
    while not ({moment}):
        pass
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=interrupt, daemon=True).start()
sys.argv = ['acetate', 'generate', 'text', 'a cat', '--steps', '100', '-o', {output!r}]
from acetate.cli import main
main()
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows sends it to the whole console")
@pytest.mark.parametrize("moment", MOMENTS)
def test_it_ends_with_one_line(tmp_path: Path, moment: str) -> None:
    code = WATCH.format(moment=MOMENTS[moment], output=str(tmp_path / "x.png"))
    environment = {**os.environ, "PYTHONPATH": ":".join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment
    )
    assert (done.returncode, done.stderr, done.stdout) == (130, "Stopped.\n", "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows sends it to the whole console")
def test_half_a_file_goes_with_it(tmp_path: Path) -> None:
    code = (
        "import signal, os\nfrom pathlib import Path\n"
        "from acetate.cli.stopping import heard_at_once\n"
        "from acetate.images.part_files import part_file\n"
        f"with heard_at_once(), part_file(Path({str(tmp_path / 'x.png')!r})) as part:\n"
        "    part.write_bytes(b'half')\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    import time; time.sleep(60)\n"
    )
    environment = {**os.environ, "PYTHONPATH": ":".join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True)
    assert (done.returncode, done.stderr) == (130, b"Stopped.\n")
    assert list(tmp_path.iterdir()) == []
