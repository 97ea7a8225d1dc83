"""What layers lose on their way through a latent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import torch
from torch import Tensor

from acetate.evaluation.fidelity import Distance, compare, means
from acetate.evaluation.subjects import RoundTrip
from acetate.training.batches import over
from acetate.training.collection.entries import Collection, CollectionError, Unusable, read_layer
from acetate.training.collection.framing import as_tensor, resized
from acetate.training.samples import write_rows

SHOWN = 8
_THUMBNAIL = 192


def measure_round_trips(
    subjects: Mapping[str, RoundTrip],
    layers: Collection,
    limit: int,
    longest: int,
    multiple: int,
    sheet: Path,
    report: Callable[[str], None],
    lpips: Distance | None = None,
) -> tuple[dict[str, dict[str, float]], int]:
    """Mean figures of each subject over the same layers, and how many these are.

    A longer side than `longest` is made smaller; sides are cut to multiples of `multiple`. A sheet
    shows the first of them, on black. Raises CollectionError where there are none.
    """
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in subjects}
    shown: list[list[Tensor]] = []
    faults = layers.faults.copy()
    count = 0
    for rgba in _layers(layers, longest, multiple, faults):
        if count == limit:
            break
        count += 1
        found = {name: trip(rgba) for name, trip in subjects.items()}
        for name, back in found.items():
            rows[name].append(compare(back, rgba, lpips))
        if len(shown) < SHOWN:
            shown.append([_thumbnail(each) for each in (rgba, *found.values())])
        if count % 50 == 0:
            report(f"{count} layers")
    if not count:
        raise CollectionError("There is no layer to measure with: see `acetate train inspect`.")
    for kind, often in sorted(faults.items()):
        report(f"{often} left out: {kind}")
    write_rows(sheet, [torch.cat(row) for row in zip(*shown, strict=True)])
    return {name: means(each) for name, each in rows.items()}, count


def _layers(
    layers: Collection, longest: int, multiple: int, faults: Counter[str]
) -> Iterator[Tensor]:
    for entry in layers.entries:
        try:
            pixels = read_layer(entry)
        except Unusable as error:
            faults[error.kind] += 1
            continue
        height, width = pixels.shape[:2]
        share = min(1.0, longest / max(height, width))
        sides = [
            max(multiple, int(side * share) // multiple * multiple) for side in (width, height)
        ]
        yield as_tensor(resized(pixels, *sides))[None]


def _thumbnail(rgba: Tensor) -> Tensor:
    """On black, in the middle of a square."""
    height, width = rgba.shape[-2:]
    share = _THUMBNAIL / max(height, width)
    small = torch.nn.functional.interpolate(
        over(rgba, 0.0),
        (max(1, round(height * share)), max(1, round(width * share))),
        mode="bilinear",
        antialias=True,
    )
    room = [_THUMBNAIL - side for side in small.shape[-2:]]
    pads = (room[1] // 2, room[1] - room[1] // 2, room[0] // 2, room[0] - room[0] // 2)
    return torch.nn.functional.pad(small, pads, value=0.2)
