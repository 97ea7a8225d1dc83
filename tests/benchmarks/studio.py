"""A day of a large studio in virtual time, with the queue's own scheduler.

`python -m tests.benchmarks.studio` prints, for one policy after another, how long painters wait and
what loading models costs; `--gpus 1000 --painters 10000` is the size that the README speaks of.
Painters ask in batches, more of them by day than by night, most with a model they are used to; a
picture takes 15 to 45 seconds, loading another model 20.
"""

from __future__ import annotations

import argparse
import heapq
import math
import random
import statistics
import time
from dataclasses import dataclass, field

from acetate.jobs.fair_queue import MOST_PASSES, FairQueue
from acetate.jobs.placement import Placement

DAY = 86_400.0
PAINTING = (15.0, 45.0)
LOADING = 20.0
MODELS = ("sdxl", "embedded", "flux", "qwen-layered", "own-a", "own-b", "sd15", "own-c")
_POPULARITY = [1 / (rank + 1) for rank in range(len(MODELS))]
_BATCHES = (1, 1, 1, 2, 4, 4, 16)


@dataclass
class Outcome:
    """Seconds of waiting of every job, by who asked for many or few; and what was loaded."""

    waits: list[float] = field(default_factory=list)
    by_painter: dict[str, list[float]] = field(default_factory=dict)
    loads: int = 0
    busy: float = 0.0

    def quantile(self, share: float) -> float:
        """Waiting in seconds that a share of the jobs stays below."""
        ordered = sorted(self.waits)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0

    @property
    def fairness(self) -> float:
        """Jain's index over the painters' mean waits: 1 when all wait alike."""
        means = [statistics.fmean(waits) + 1.0 for waits in self.by_painter.values()]
        return sum(means) ** 2 / (len(means) * sum(mean**2 for mean in means)) if means else 1.0


def simulate(
    gpus: int,
    painters: int,
    load: float,
    passes: int = MOST_PASSES,
    seconds: float = DAY,
    seed: int = 1,
) -> Outcome:
    """A day, at a mean `load` of the cards by painting alone (loading comes on top)."""
    draw = random.Random(seed)
    mean_batch = statistics.fmean(_BATCHES)
    rate = load * gpus / statistics.fmean(PAINTING) / mean_batch
    favourites = draw.choices(MODELS, _POPULARITY, k=painters)
    model_of: dict[str, str] = {}
    asked: dict[str, float] = {}
    queue = FairQueue(most_passes=passes)
    placement: Placement[int] = Placement(queue, model_of.__getitem__)
    for gpu in range(gpus):
        placement.release(gpu)
    loaded: dict[int, str] = {}
    ends: list[tuple[float, int]] = []
    outcome, number, now = Outcome(), 0, 0.0
    next_batch = draw.expovariate(rate)
    while next_batch < seconds or ends:
        if ends and ends[0][0] <= next_batch:
            now, gpu = heapq.heappop(ends)
            placement.release(gpu)
        elif next_batch < seconds:
            now = next_batch
            next_batch += draw.expovariate(rate * _daytime(now))
            painter = draw.randrange(painters)
            usual = draw.random() < 0.85
            model = favourites[painter] if usual else draw.choices(MODELS, _POPULARITY)[0]
            for _ in range(draw.choice(_BATCHES)):
                job, number = f"{painter}:{number}", number + 1
                model_of[job], asked[job] = model, now
                queue.add(str(painter), job)
        else:
            break
        while (chosen := placement.choose()) is not None:
            job, gpu = chosen
            wait, model = now - asked.pop(job), model_of.pop(job)
            outcome.waits.append(wait)
            outcome.by_painter.setdefault(job.partition(":")[0], []).append(wait)
            work = draw.uniform(*PAINTING)
            if loaded.get(gpu) != model:
                loaded[gpu] = model
                outcome.loads += 1
                work += LOADING
            outcome.busy += work
            heapq.heappush(ends, (now + work, gpu))
    return outcome


def _daytime(now: float) -> float:
    """How many ask at this hour, against the mean: twice at noon, next to none at midnight."""
    return 1.0 - 0.95 * math.cos(2 * math.pi * now / DAY)


def main() -> None:
    """Print a line for each policy and load."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gpus", type=int, default=100)
    parser.add_argument("--painters", type=int, default=1000)
    parser.add_argument("--passes", type=int, nargs="*", default=[0, 1, 3, 10, 100])
    parser.add_argument("--loads", type=float, nargs="*", default=[0.35, 0.45, 0.55])
    given = parser.parse_args()
    print("load  passes  jobs      wait: half   95 %    99 %    loads/job  fairness")
    for load in given.loads:
        for passes in given.passes:
            began = time.perf_counter()
            out = simulate(given.gpus, given.painters, load, passes)
            print(
                f"{load:4.2f}  {passes:6d}  {len(out.waits):8d}  {out.quantile(0.5):8.1f} s"
                f"{out.quantile(0.95):7.1f} s{out.quantile(0.99):7.1f} s"
                f"{out.loads / len(out.waits):9.3f}  {out.fairness:8.3f}"
                f"   ({time.perf_counter() - began:.0f} s)",
                flush=True,
            )


if __name__ == "__main__":
    main()
