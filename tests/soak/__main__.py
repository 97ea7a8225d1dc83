"""`python -m tests.soak [STORM ...] [--share 0.1] [--seed 7]`: storms at full figures, or less."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.soak.storms import STORMS


def main() -> int:
    """Run the storms that are asked for, all without any; 1 when something was lost."""
    words = argparse.ArgumentParser(prog="python -m tests.soak")
    words.add_argument("storms", nargs="*", metavar="STORM", help=", ".join(STORMS))
    words.add_argument("--share", type=float, default=1.0, help="of the full figures")
    words.add_argument("--seed", type=int, default=7, help="of the moments and of the damage")
    asked = words.parse_args()
    if unknown := set(asked.storms) - set(STORMS):
        words.error(f"there is no storm {', '.join(sorted(unknown))}")
    status = 0
    for name in asked.storms or STORMS:
        storm, full = STORMS[name]
        with tempfile.TemporaryDirectory() as folder:
            began = time.monotonic()
            outcome = storm(Path(folder), max(1, round(full * asked.share)), asked.seed)
        figures = ", ".join(f"{value} {what}" for what, value in outcome.figures.items())
        word = "BAD" if outcome.problems else "ok "
        print(f"{word} {name}: {figures}, in {time.monotonic() - began:.0f} s", flush=True)
        for problem in outcome.problems[:20]:
            print(f"    {problem}", flush=True)
        status |= bool(outcome.problems)
    return status


if __name__ == "__main__":
    sys.exit(main())
