"""Import and painting agree: what was taken over paints, all else is refused in a sentence."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from acetate.errors import AcetateError, ModelMissing
from acetate.model_import.importing import import_any
from acetate.models.own_register import Own, own_folder, remove_own
from acetate.modes import run
from acetate.pipelines.loading import load_pipeline
from acetate.pipelines.pipeline import Pipeline
from acetate_bridge.protocol.frame_planning import FrameLimits
from acetate_bridge.protocol.types import Recipe, Request
from tests.breadth import draws
from tests.support.file_shapes import Shape, draw_checkpoint, draw_folder
from tests.support.original_layout import write_checkpoint
from tests.support.style_shapes import draw_style
from tests.support.tiny_families import write_tiny_sd15, write_tiny_sdxl

pytestmark = pytest.mark.matrix

SIDE = 64
CHECKPOINTS, FOLDERS, STYLES = draws(20, 4), draws(14, 4), draws(136, 20)
"""Of each family, and styles: 204 shapes in all, 28 in a brief run, of one family."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Tiny folders and checkpoints of both families, and the transparency files that they need."""
    root = tmp_path_factory.mktemp("shapes")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ACETATE_MODELS_DIR", str(root / "shelf"))
        patch.setenv("HF_HUB_OFFLINE", "1")
        for family, write in (("sd15", write_tiny_sd15), ("sdxl", write_tiny_sdxl)):
            folder = write(root / f"whole-{family}")
            write_checkpoint(root / f"whole-{family}.safetensors", family)
            for path in (folder / "transparency").glob("*.safetensors"):
                import_any(str(path))
            shutil.copy(folder / "transparency" / "config.json", own_folder() / "config.json")
        yield root


def paints(pipeline: Pipeline, styles: dict[str, float] | None = None) -> None:
    pipeline.limits = FrameLimits(64, 64, 512, 512 * 512)
    recipe = Recipe(
        "text", "a cat", seed=1, width=SIDE, height=SIDE, steps=1, guidance=1.0, passes=1,
        styles=styles or {},
    )  # fmt: skip
    (layer,) = run(Request(recipe), pipeline)
    assert len(set(layer.image.data)) > 4


def taken_over(shape: Shape) -> Own | None:
    """What import says: yes, or None with a sentence; anything else fails."""
    try:
        return import_any(str(shape.path))
    except AcetateError as error:
        assert error.message[0].isupper() or shape.path.stem[:4] in error.message, error.message
        assert error.message.endswith((".", "…")) and "Traceback" not in error.message
        return None


@pytest.mark.parametrize("family", ["sd15", "sdxl"])
def test_what_is_taken_over_as_a_base_paints(place: Path, family: str) -> None:
    whole = load_file(place / f"whole-{family}.safetensors")
    shapes = [draw_checkpoint(place, family, whole, seed) for seed in range(CHECKPOINTS)]
    folder = place / f"whole-{family}"
    shapes += [draw_folder(place, folder, family, seed) for seed in range(FOLDERS)]
    said = Counter[bool]()
    for shape in shapes:
        own = taken_over(shape)
        said[own is not None] += 1
        if own is not None:
            try:
                if own.role == "base":  # Without its denoiser it is a file of parts for others.
                    paints(load_pipeline(own.name.removesuffix(".safetensors"), "cpu"))
            except Exception as error:
                raise AssertionError(f"taken over, and does not paint: {shape.words}") from error
            remove_own(own.name)
    assert min(said[True], said[False]) >= draws(10, 2)


def test_what_is_taken_over_as_a_style_paints(place: Path) -> None:
    base = import_any(str(place / "whole-sd15"))
    pipeline = load_pipeline(base.name, "cpu")
    said = Counter[bool]()
    for seed in range(STYLES):
        shape = draw_style(place, 48, seed)
        own = taken_over(shape)
        said[own is not None] += 1
        if own is None:
            continue
        fits = "wrong shape" not in shape.words  # Which is told when a base is there to compare.
        try:
            paints(pipeline, {own.name: 1.0})
        except AcetateError as error:
            assert not fits and "does not fit this model" in error.message, shape.words
        except Exception as error:
            raise AssertionError(f"taken over, and does not paint: {shape.words}") from error
        remove_own(own.name)
    remove_own(base.name)
    assert said[True] >= draws(40, 6) and said[False] >= draws(20, 3)


def test_parts_come_from_a_base_that_is_here(place: Path) -> None:
    base = import_any(str(place / "whole-sd15"))
    whole = load_file(place / "whole-sd15.safetensors")
    for part, prefix in (("autoencoder", "first_stage"), ("text_encoder", "cond_stage")):
        state = {name: tensor for name, tensor in whole.items() if not name.startswith(prefix)}
        path = place / f"without-{part}.safetensors"
        save_file(state, path)
        own = import_any(str(path))
        assert own.supplied == {part: f"model:{base.name}"}
        assert any(f"taken from {base.name}" in note for note in own.notes)
        paints(load_pipeline(own.name.removesuffix(".safetensors"), "cpu"))
        remove_own(base.name)
        with pytest.raises(ModelMissing, match=f"needs {base.name}, which is not here any more"):
            load_pipeline(own.name.removesuffix(".safetensors"), "cpu")
        base = import_any(str(place / "whole-sd15"))
        remove_own(own.name)
    remove_own(base.name)
