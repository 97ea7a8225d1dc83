"""How long a command takes beside `python -c "import torch"`, in the same run.

`python -m tests.benchmarks.start` prints ratios: refusals without torch, the first denoising step
of a cold command, and what a server that is there already adds to painting.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from acetate.cli.remote import generate_on_server
from acetate_bridge.protocol.types import Recipe, Request

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
_REFUSED = {
    "mode": ["text", "a", "--model", "qwen-layered"],
    "model": ["text", "a", "--model", "nosuch"],
    "size": ["text", "a", "--size", "20000"],
    "scheduler": ["text", "a", "--scheduler", "nosuch"],
    "style": ["text", "a", "--style", "nosuch"],
    "file": ["background", "nosuch.png", "a"],
}


def seconds(do: Callable[[], object]) -> float:
    """The median of a few times, from start to end."""
    taken: list[float] = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        do()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def _run(words: list[str], status: int = 0) -> Callable[[], object]:
    def run() -> None:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode == status, done.stderr

    return run


def _painting() -> None:
    recipe = Recipe("text", "a red apple", seed=1, steps=1, guidance=1, passes=1)
    generate_on_server(Request(recipe))


def main() -> None:
    """Print a line for each, as a share of importing torch."""
    with tempfile.TemporaryDirectory() as folder:
        # A server of its own, and nobody else's settings.
        for name in ("RUNTIME", "DATA", "CONFIG"):
            os.environ[f"ACETATE_{name}_DIR"] = str(Path(folder) / name.lower())
        output = str(Path(folder) / "a.png")
        torch = seconds(_run(_TORCH))

        def tell(name: str, taken: float) -> None:
            print(f"{name:<26} {taken:6.2f} s, {taken / torch:.2f} times import torch", flush=True)

        print(f"import torch               {torch:6.2f} s; load {os.getloadavg()[0]:.1f}")
        for name, words in _REFUSED.items():
            refused = [*_ACETATE, "generate", *words, "-o", output]
            tell(f"refused: {name}", seconds(_run(refused, status=2)))
        tell("cold, to the first step", seconds(_run([sys.executable, "-c", _FIRST_STEP, output])))
        painting = ["generate", "text", "a red apple", "--seed", "1", "--force", "-o", output]
        few = ["--steps", "1", "--passes", "1", "--guidance", "1", "--server", "auto"]
        at_server = _run([*_ACETATE, *painting, *few])
        at_server()  # It starts the server, and loads the model.
        try:
            _painting()
            alone = seconds(_painting)
            tell("painting at the server", alone)
            tell("a command there, beyond it", seconds(at_server) - alone)
        finally:
            subprocess.run([*_ACETATE, "stop"], check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
