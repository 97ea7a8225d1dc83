"""Faster ways are taken where they go, and painting goes on where they do not."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from acetate.modes import run
from acetate.pipelines.acceleration import ATTENTION, COMPILE, accelerate
from acetate.pipelines.loading import load_folder
from acetate.pipelines.pipeline import Pipeline
from acetate_bridge.protocol.frame_planning import FrameLimits
from acetate_bridge.protocol.types import Image, Recipe, Request
from tests.support.tiny_families import write_tiny_sdxl

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_sdxl(tmp_path_factory.mktemp("fast") / "tiny")


def painted(pipeline: Pipeline, side: int = 128) -> Image:
    recipe = Recipe("text", "a cat", seed=1, steps=2, passes=1, width=side, height=side)
    (layer,) = run(Request(recipe), pipeline)
    return layer.image


Fake = Callable[[Callable[..., Any]], Callable[..., Any]]


def with_compiler(folder: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    monkeypatch.setattr(torch, "compile", fake)
    monkeypatch.setenv(COMPILE, "1")
    return load_folder(folder, "cpu")


def test_blocks_are_compiled_once_each_and_paint_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = painted(load_folder(folder, "cpu"))
    compiled: list[Callable[..., Any]] = []

    def fake(plain: Callable[..., Any]) -> Callable[..., Any]:
        compiled.append(plain)
        return plain

    pipeline = with_compiler(folder, fake, monkeypatch)
    assert painted(pipeline) == wanted and painted(pipeline) == wanted
    kinds = [type(module).__name__ for module in pipeline.denoiser.modules()]
    assert len(compiled) == kinds.count("BasicTransformerBlock") > 1


def test_what_was_compiled_for_one_size_and_the_next_serves_all(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Through torch's own compiler, up to the code that it would make for a card."""
    compiled: list[torch.fx.GraphModule] = []

    def made(graph: torch.fx.GraphModule, examples: list[torch.Tensor]) -> Callable[..., Any]:
        compiled.append(graph)
        return graph.forward

    compiler: Any = torch.compile
    torch.compiler.reset()
    limits = FrameLimits(64, 64, 256, 256 * 256)
    plain = load_folder(folder, "cpu")
    pipeline = with_compiler(folder, lambda block: compiler(block, backend=made), monkeypatch)
    plain.limits = pipeline.limits = limits
    counts: list[int] = []
    with caplog.at_level(logging.WARNING, "acetate.pipelines"):
        for side in (128, 192, 256):
            near, far = (
                np.frombuffer(painted(each, side).data, np.uint8).astype(int)
                for each in (pipeline, plain)
            )
            assert np.abs(near - far).max() <= 1
            counts.append(len(compiled))
    torch.compiler.reset()
    assert 0 < counts[0] <= counts[1] == counts[2] and "uncompiled" not in caplog.text


@pytest.mark.parametrize("late", [False, True])
def test_a_compile_that_fails_is_one_line_in_the_log_and_the_layer_is_painted(
    folder: Path, late: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    wanted = painted(load_folder(folder, "cpu"))

    def broken(*arguments: Any, **keywords: Any) -> Any:
        raise RuntimeError("no C compiler here\nand much more")

    pipeline = with_compiler(folder, (lambda plain: broken) if late else broken, monkeypatch)
    with caplog.at_level(logging.WARNING, "acetate.pipelines"):
        assert painted(pipeline) == wanted and painted(pipeline) == wanted
    ours = [record for record in caplog.records if record.name == "acetate.pipelines"]
    assert [record.getMessage() for record in ours] == [
        "blocks run uncompiled, as compiling failed: no C compiler here"
    ]


def test_memory_that_runs_out_in_a_compiled_block_is_no_failed_compile(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    wanted = painted(load_folder(folder, "cpu"))
    left = [1]

    def hungry(plain: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **keywords: Any) -> Any:
            if left:
                left.pop()
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
            return plain(*arguments, **keywords)

        return call

    pipeline = with_compiler(folder, hungry, monkeypatch)
    told: list[str] = []
    pipeline.ladder.on_relief = told.append
    assert painted(pipeline) == wanted
    assert len(told) == 1 and "compil" not in caplog.text


def test_an_attention_backend_that_is_not_here_is_one_line_in_the_log(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    wanted = painted(load_folder(folder, "cpu"))
    monkeypatch.setenv(ATTENTION, "no-such-backend")
    with caplog.at_level(logging.WARNING, "acetate.pipelines"):
        assert painted(load_folder(folder, "cpu")) == wanted
    (record,) = [each for each in caplog.records if each.name == "acetate.pipelines"]
    assert "attention is computed as usual, not by no-such-backend" in record.getMessage()


def test_convolutions_are_laid_out_for_cards(folder: Path) -> None:
    denoiser = load_folder(folder, "cpu").denoiser
    weight = denoiser.get_parameter("conv_in.weight")
    assert not weight.is_contiguous(memory_format=torch.channels_last)
    accelerate(denoiser, torch.device("cuda"))
    assert denoiser.get_parameter("conv_in.weight").is_contiguous(memory_format=torch.channels_last)
