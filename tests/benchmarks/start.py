"""How long a command takes beside `python -c "import torch"`, in the same run.

`python -m tests.benchmarks.start` prints ratios: refusals without torch, the first denoising step
of a cold command, and the answer of a server that is there already.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPEATS = 3
_ACETATE = [sys.executable, "-m", "acetate"]
_TORCH = [sys.executable, "-c", "import torch"]
_FIRST_STEP = """
import os, sys
from acetate.pipelines import sampling
whole = sampling.Step.__init__
def first(self, *given, **named):
    whole(self, *given, **named)
    os._exit(0)
sampling.Step.__init__ = first
sys.argv = ["acetate", "generate", "text", "a red apple", "--seed", "1", "-o", sys.argv[1]]
from acetate.cli import main
main()
"""


def seconds(words: list[str]) -> float:
    """The median of a few runs, from start to end."""
    taken: list[float] = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        subprocess.run(words, capture_output=True, check=False)
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def main() -> None:
    """Print a line for each, as a share of importing torch."""
    with tempfile.TemporaryDirectory() as folder:
        output = str(Path(folder) / "a.png")
        painting = ["generate", "text", "a red apple", "--seed", "1", "--force", "-o", output]
        refused = [*_ACETATE, "generate", "text", "a", "--model", "nosuch", "-o", output]
        at_server = [*_ACETATE, *painting, "--steps", "1", "--passes", "1", "--server", "auto"]
        torch = seconds(_TORCH)
        print(f"import torch              {torch:6.2f} s")
        for name, words in (
            ("refused without torch", refused),
            ("cold, to the first step", [sys.executable, "-c", _FIRST_STEP, output]),
            ("at the resident server", at_server),
        ):
            if words is at_server:
                subprocess.run(words, capture_output=True, check=False)  # It starts the server.
            taken = seconds(words)
            print(f"{name:<25} {taken:6.2f} s, {taken / torch:.2f} times import torch", flush=True)


if __name__ == "__main__":
    main()
