"""Styles fused into the networks of a pipeline for the length of a block."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from torch import Tensor, nn

from acetate.adapters.lora import StylePatch
from acetate.models.identify import header_of
from acetate.models.weights import read_weights
from acetate.pipelines.pipeline import Pipeline, Told

Named = Callable[[Mapping[str, Tensor], str], Mapping[str, Tensor]]
"""Takes the tensors of a file and its name; returns them under names that `read_style` knows."""


@contextmanager
def fused_styles(
    pipeline: Pipeline,
    networks: Mapping[str, nn.Module],
    styles: Sequence[tuple[Path, float]],
    told: Told,
    named: Named | None = None,
) -> Generator[None]:
    """See `Pipeline.styled`; `networks` go by the names that style files use."""
    with ExitStack() as fused:
        for path, weight in styles:
            pipeline.files.use(path)
            file: Mapping[str, Tensor] = read_weights(path)
            header = header_of(path) | dict(told.get(path.name, {}))
            file = file if named is None else named(file, path.name)
            patch = StylePatch.read(file, networks, weight, path.name, header)
            pipeline.ladder.attempt(lambda patch=patch: patch.inject(networks))
            fused.callback(patch.eject)
        yield
