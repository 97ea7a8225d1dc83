"""No job waits for a compiler: blocks are compiled in between, and a job that comes stops that."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from acetate.models.shipped import EMBEDDED
from acetate.pipelines.acceleration import COMPILE
from acetate.pipelines.loading import load_folder
from acetate.pipelines.model_cache import Residents
from acetate.workers.generator import Generator
from acetate.workers.generator_api import WarmingPainter
from acetate_bridge.protocol.frame_planning import FrameLimits
from acetate_bridge.protocol.types import Image, Recipe, Request
from tests.support.tiny_families import write_tiny_sdxl

pytestmark = pytest.mark.slow
Graphs = list[torch.fx.GraphModule]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_sdxl(tmp_path_factory.mktemp("warm") / "tiny")


@pytest.fixture
def graphs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Graphs]:
    """What torch's own compiler made, up to the code that it would make for a card."""
    compiled: Graphs = []

    def made(graph: torch.fx.GraphModule, examples: list[torch.Tensor]) -> Callable[..., Any]:
        compiled.append(graph)
        return graph.forward

    compiler: Any = torch.compile
    torch.compiler.reset()
    monkeypatch.setattr(torch, "compile", lambda block: compiler(block, backend=made))
    yield compiled
    torch.compiler.reset()


def generator_of(folder: Path, monkeypatch: pytest.MonkeyPatch, wanted: str = "1") -> Generator:
    """With a tiny SDXL in place of the model that ships."""
    monkeypatch.setenv(COMPILE, wanted)
    pipeline = load_folder(folder, "cpu")
    pipeline.limits = FrameLimits(64, 64, 256, 256 * 256)
    generator = Generator("cpu")
    generator.warms_up = True
    generator._residents = Residents(torch.device("cpu"), load=lambda model: pipeline)
    return generator


def request(side: int = 128, prompt: str = "a cat", seed: int = 1) -> Request:
    recipe = Recipe("text", prompt, seed=seed, steps=2, passes=1, width=side, height=side)
    return Request(replace(recipe, model=EMBEDDED))


def painted(generator: Generator, side: int = 128, prompt: str = "a cat") -> Image:
    (layer,) = generator.paint(request(side, prompt), lambda step: None)
    return layer.image


def never() -> bool:
    return False


def after(calls: int) -> Callable[[], bool]:
    """A job that comes when it has been looked for so often."""
    left = [calls]

    def called() -> bool:
        left[0] -= 1
        return left[0] < 0

    return called


def furthest(one: Image, other: Image) -> int:
    near, far = (np.frombuffer(each.data, np.uint8).astype(int) for each in (one, other))
    return int(np.abs(near - far).max())


def test_a_job_compiles_nothing_and_the_next_of_its_kind_runs_what_was_compiled_meanwhile(
    folder: Path, graphs: Graphs, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    plain = painted(generator_of(folder, monkeypatch, wanted=""))
    generator = generator_of(folder, monkeypatch)
    assert isinstance(generator, WarmingPainter) and not generator.is_cold
    assert painted(generator) == plain and not graphs and generator.is_cold
    with caplog.at_level(logging.WARNING):
        generator.warm_up(never)
    compiled = len(graphs)
    assert compiled > 0 and not generator.is_cold
    ran: list[object] = []
    for graph in graphs:
        graph.register_forward_pre_hook(lambda *_: ran.append(1))
    assert furthest(painted(generator), plain) <= 1
    painted(generator, prompt="another animal")
    assert len(graphs) == compiled and not generator.is_cold and not caplog.records


def test_where_nobody_lets_it_warm_up_the_first_job_compiles(
    folder: Path, graphs: Graphs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in an actor of Ray, or on the command line."""
    generator = generator_of(folder, monkeypatch)
    generator.warms_up = False
    painted(generator)
    assert graphs and not generator.is_cold


def test_sizes_share_what_is_compiled_once_there_were_two(
    folder: Path, graphs: Graphs, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = generator_of(folder, monkeypatch)
    counts: list[int] = []
    for side in (128, 192, 256):
        painted(generator, side)
        assert generator.is_cold
        generator.warm_up(never)
        counts.append(len(graphs))
    assert 0 < counts[0] <= counts[1] == counts[2]


def test_a_job_that_comes_stops_it_between_two_blocks_and_it_goes_on_later(
    folder: Path, graphs: Graphs, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = generator_of(folder, monkeypatch)
    plain = painted(generator)
    generator.warm_up(after(0))
    assert generator.is_cold and not graphs
    generator.warm_up(after(2))
    begun = len(graphs)
    assert generator.is_cold and begun > 0
    assert furthest(painted(generator), plain) <= 1 and len(graphs) == begun
    generator.warm_up(never)
    assert not generator.is_cold and len(graphs) > begun


def test_a_compile_that_fails_is_one_line_in_the_log_and_not_tried_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*arguments: Any, **keywords: Any) -> Any:
        raise RuntimeError("no C compiler here")

    plain = painted(generator_of(folder, monkeypatch, wanted=""))
    monkeypatch.setattr(torch, "compile", broken)
    generator = generator_of(folder, monkeypatch)
    with caplog.at_level(logging.WARNING):
        painted(generator)
        generator.warm_up(never)
        assert painted(generator) == plain and painted(generator, 192) and not generator.is_cold
    said = [record.getMessage() for record in caplog.records]
    assert said == ["blocks run uncompiled, as compiling failed: no C compiler here"]


def test_a_model_that_has_left_memory_is_not_loaded_for_it(
    folder: Path, graphs: Graphs, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = generator_of(folder, monkeypatch)
    painted(generator)
    generator._residents = Residents(torch.device("cpu"), load=lambda model: pytest.fail(model))
    generator.warm_up(never)
    assert not graphs and not generator.is_cold


def test_where_nobody_wants_it_there_is_nothing_to_warm_up(
    folder: Path, graphs: Graphs, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = generator_of(folder, monkeypatch, wanted="")
    painted(generator)
    assert not generator.is_cold and not graphs
