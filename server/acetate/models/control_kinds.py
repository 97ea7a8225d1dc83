"""What a union control network follows: one network for several kinds of control images.

Published for SDXL by xinsir; each kind has a number, and likewise kinds share one.
"""

from __future__ import annotations

from collections.abc import Mapping

UNION_NUMBERS = {
    "pose": 0,
    "depth": 1,
    "scribble": 2,
    "softedge": 2,
    "canny": 3,
    "lineart": 3,
    "segment": 5,
    "tile": 6,
}
"""4 are surface normals and 7 is in-painting, for which nothing here makes images."""
TASKS = "task_embedding"
SEPARATOR = ", "


def union_kinds(shapes: Mapping[str, tuple[int, ...]]) -> tuple[str, ...]:
    """What the network with these tensors follows; none where it is no union control network."""
    tasks = shapes.get(TASKS, ())
    if len(tasks) != 2:
        return ()
    return tuple(kind for kind, number in UNION_NUMBERS.items() if number < tasks[0])
