"""What a layer costs: evaluations, seconds beside a bare product, peak memory, the files' sizes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import torch

SIDE = 1536
"""Of the matrices of the bare product."""
LAYERS = 5

_ALONE = """
import json, sys
from pathlib import Path
from acetate.training.cost import peak_memory, time_layer
print(json.dumps([*time_layer(Path(sys.argv[1])), peak_memory()]))
"""


@dataclass(frozen=True)
class Cost:
    """Of one warm layer at the native size, the decode and the enlargement included.

    `evaluations` is how often the denoiser ran, `seconds` the median, `threads` what PyTorch used;
    `product` how fast this machine multiplies plain matrices beside each layer (the median too), in
    floating-point operations a second, and `worth` what that product would have done in the time
    of a layer. `peak_bytes` is the most memory that a process which only paints took, Python and
    PyTorch included.
    """

    evaluations: int
    seconds: float
    threads: int
    product: float
    worth: float
    peak_bytes: int
    files_bytes: int


def measure_cost(model: Path) -> Cost:
    """Paint in a fresh process, so that nothing else counts."""
    done = subprocess.run(
        [sys.executable, "-c", _ALONE, str(model)], capture_output=True, text=True, check=True
    )
    evaluations, seconds, rate, peak = json.loads(done.stdout.splitlines()[-1])
    files = sum(path.stat().st_size for path in model.rglob("*") if path.is_file())
    threads = torch.get_num_threads()
    return Cost(int(evaluations), seconds, threads, rate, seconds * rate, int(peak), files)


def time_layer(model: Path) -> tuple[int, float, float]:
    """Evaluations and seconds of a warm layer; operations a second of a product beside it."""
    from acetate.pipelines.embedded import EmbeddedPipeline

    from .samples import paint_layer

    pipeline = EmbeddedPipeline.from_folder(model, torch.device("cpu"), model.name)
    evaluations: list[int] = []
    counting = pipeline.denoiser.register_forward_pre_hook(
        lambda _, inputs: evaluations.append(len(inputs[0]))
    )
    paint_layer(pipeline, "a red apple", 0)
    counting.remove()
    took: list[float] = []
    rates: list[float] = []
    for seed in range(1, LAYERS + 1):
        began = time.perf_counter()
        paint_layer(pipeline, "a red apple", seed)
        took.append(time.perf_counter() - began)
        rates.append(matrix_product())
    middle = LAYERS // 2
    return sum(evaluations), sorted(took)[middle], sorted(rates)[middle]


def peak_memory() -> int:
    """The most bytes of memory that this process has taken since it began."""
    status = Path("/proc/self/status")
    if status.is_file():
        # Not what the system counts for children: that includes the program that started it.
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text(encoding="utf-8"))
        if found:
            return int(found[1]) * 1024
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def matrix_product() -> float:
    """Floating-point operations a second of a product of two square matrices, the best of 5."""
    a, b, product = torch.rand(3, SIDE, SIDE)
    best = float("inf")
    for _ in range(5):
        began = time.perf_counter()
        torch.mm(a, b, out=product)
        best = min(best, time.perf_counter() - began)
    return 2 * SIDE**3 / best
