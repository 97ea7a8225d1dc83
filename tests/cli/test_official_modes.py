"""Every mode of the official families, from the command line and at a server, and nothing faked."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from acetate.cli.run import stack
from acetate.images.files import read_image, read_recipe, write_image
from acetate.models.families import FAMILIES
from acetate.modes.registry import mode_named
from acetate.pipelines import loading
from acetate.pipelines.pipeline import Pipeline
from acetate_bridge import Cancelled, Done, Failed, LayerReady, Progress
from acetate_bridge.protocol.types import Image, Recipe, Request
from tests.app.listening import Listener
from tests.app.server_process import RunningServer
from tests.cli.conftest import Acetate
from tests.support.official_shelf import official_shelf

pytestmark = [pytest.mark.slow, pytest.mark.matrix]

OFFICIAL = [
    (family, mode) for family in ("sd15", "sdxl", "flux") for mode in FAMILIES[family].modes
]
EACH = pytest.mark.parametrize(("family", "mode"), OFFICIAL)
MODES = sorted({mode for _, mode in OFFICIAL})
PAIRS = []
"""Each mode once, with the families in turn: for what is of neither of them."""
for number, mode in enumerate(MODES):
    able = [each for each in OFFICIAL if each[1] == mode]
    PAIRS.append(able[number % len(able)])
QUICK = ("--steps", "2", "--passes", "1", "--seed", "7")
WIDTH, HEIGHT = 100, 170
"""No multiples of 64, and upright."""
FURTHER = {
    "background": ["blended"],
    "foreground": ["blended"],
    "joint": ["background", "blended"],
}
"""Roles of the layers after the first."""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with official_shelf(tmp_path_factory.mktemp("official")) as root:
        for name, alpha in (("layer", 0), ("picture", 255), ("backdrop", 255)):
            write_image(root / f"{name}.png", blob(WIDTH, HEIGHT, alpha))
        write_image(root / "mask.png", selection(WIDTH, HEIGHT))
        yield root


@pytest.fixture(scope="module")
def server(root: Path) -> Iterator[RunningServer]:
    with RunningServer(root, real=["serve", "--device", "cpu"]) as running:
        yield running


@pytest.fixture(scope="module")
def loaded() -> dict[tuple[str, str], Pipeline]:
    return {}


@pytest.fixture
def kept(loaded: dict[tuple[str, str], Pipeline], monkeypatch: pytest.MonkeyPatch) -> None:
    """A model is loaded for the first command of the file and serves the others, as at a server.

    That one which a command has loaded for itself paints the same is tried beside it.
    """
    load = loading.load_pipeline

    def kept_or_loaded(model: str, device: str) -> Pipeline:
        if (model, device) not in loaded:
            loaded[model, device] = load(model, device)
        return loaded[model, device]

    monkeypatch.setattr(loading, "load_pipeline", kept_or_loaded)


def blob(width: int, height: int, around: int) -> Image:
    """A red patch with a soft edge on one side; `around` is the alpha of the rest, green below."""
    samples = np.zeros((height, width, 4), np.uint8)
    samples[...] = (10, 120, 20, around)
    samples[height // 4 : -height // 4, width // 4 : -width // 4] = (200, 30, 30, 255)
    if not around:
        soft = np.linspace(0, 255, width // 4, dtype=np.uint8)
        samples[height // 4 : -height // 4, : width // 4, 3] = soft
    return Image(width, height, samples.tobytes())


def selection(width: int, height: int) -> Image:
    """The upper half in white, the rest in black."""
    samples = np.full((height, width, 4), 255, np.uint8)
    samples[height // 2 :, :, :3] = 0
    return Image(width, height, samples.tobytes())


def words(root: Path, family: str, mode: str) -> list[str]:
    """The command for a mode: a transparent picture wherever a layer is wanted."""
    inputs = [wanted.name for wanted in mode_named(mode).info.inputs if wanted.required]
    pictures = [str(root / f"{name}.png") for name in inputs if name != "mask"]
    command = ["generate", mode, *pictures, "a red apple", "--model", f"tiny-{family}", *QUICK]
    if not inputs:
        command += ["--size", f"{WIDTH}x{HEIGHT}"]
    if "mask" in inputs:
        command += ["--mask", str(root / "mask.png")]
    if mode == "extract":
        command += ["--background", str(root / "backdrop.png")]
    return command


def painted(path: Path, mode: str) -> list[Path]:
    """The files that a mode writes."""
    return [path, *(path.with_stem(f"{path.stem}-{role}") for role in FURTHER.get(mode, []))]


def alone(root: Path, family: str, mode: str, acetate: Acetate) -> Path:
    """The picture that a mode paints, without a variant beside it."""
    path = root / f"{family}-{mode}.png"
    outcome = acetate(*words(root, family, mode), "-o", path)
    assert outcome.code == 0, outcome.err
    assert sorted(root.glob(f"{path.stem}*.png")) == sorted(painted(path, mode))
    return path


def both(root: Path, family: str, mode: str, acetate: Acetate) -> list[Path]:
    """Its two variants, which several tests look at."""
    path = root / f"both-{family}-{mode}.png"
    variants = [path.with_stem(f"{path.stem}-{variant}") for variant in (1, 2)]
    if not variants[0].exists():
        outcome = acetate(*words(root, family, mode), "--variants", "2", "-o", path)
        assert outcome.code == 0, outcome.err
        files = [file for variant in variants for file in painted(variant, mode)]
        assert sorted(root.glob(f"{path.stem}*.png")) == sorted(files)
    return variants


@pytest.mark.usefixtures("kept")
@EACH
def test_a_mode_paints_layers_of_any_size(
    family: str, mode: str, root: Path, acetate: Acetate
) -> None:
    path = both(root, family, mode, acetate)[0]
    for index, file in enumerate(painted(path, mode)):
        image, recipe = read_image(file), read_recipe(file)
        assert (image.width, image.height) == (WIDTH, HEIGHT)
        assert (recipe.mode, recipe.seed, recipe.steps) == (mode, 7, 2)
        assert (recipe.model, recipe.prompt) == (f"tiny-{family}", "a red apple")
        assert recipe.width % 64 == recipe.height % 64 == 0 and recipe.model_hash
        assert any("transparent" in name.lower() for name in recipe.files)
        opaque = set(image.data[3::4]) == {255}
        assert opaque == (index > 0 or mode == "background")


@EACH
def test_painted_again_with_a_variant_beside_it_it_is_the_same(
    family: str, mode: str, root: Path, acetate: Acetate
) -> None:
    variants = both(root, family, mode, acetate)
    seeds = []
    for variant in variants:
        for file in painted(variant, mode):
            assert (read_image(file).width, read_image(file).height) == (WIDTH, HEIGHT)
            seeds.append(read_recipe(file).seed)
    assert sorted(set(seeds)) == [7, 8]
    if (family, mode) not in PAIRS:
        return  # The server paints it without a variant, below.
    first = alone(root, family, mode, acetate)
    for once, again in zip(painted(first, mode), painted(variants[0], mode), strict=True):
        assert again.read_bytes() == once.read_bytes()


@pytest.mark.usefixtures("kept")
@EACH
def test_the_server_paints_the_same_bytes(
    family: str, mode: str, root: Path, server: RunningServer, acetate: Acetate
) -> None:
    there = root / f"there-{family}-{mode}.png"
    count = 2 if (family, mode) in PAIRS else 1
    order = [*words(root, family, mode), "--variants", str(count), "--server", "local"]
    outcome = acetate(*order, "-o", there)
    assert outcome.code == 0, outcome.err + server.log.read_text()[-2000:]
    for variant, ours in enumerate(both(root, family, mode, acetate)[:count], 1):
        theirs = there if count == 1 else there.with_stem(f"{there.stem}-{variant}")
        for first, second in zip(painted(ours, mode), painted(theirs, mode), strict=True):
            assert second.read_bytes() == first.read_bytes()


@EACH
def test_cancelling_in_mid_run_leaves_the_model_as_it_was(
    family: str, mode: str, root: Path, server: RunningServer
) -> None:
    images = {
        wanted.name: blob(128, 192, 0) for wanted in mode_named(mode).info.inputs if wanted.required
    }
    if "mask" in images:
        images["mask"] = selection(128, 192)
    if mode == "extract":
        images["background"] = blob(128, 192, 255)
    recipe = Recipe(
        mode, "a red apple", seed=3, width=128, height=192, steps=1, passes=1, guidance=5.0,
        strength=0.5 if mode in ("refine", "fill") else 1.0, model=f"tiny-{family}",
    )  # fmt: skip
    long = Recipe(**{**vars(recipe), "steps": 150})
    with Listener(server.runtime.address, server.runtime.token) as listener:
        before = listener.client.submit(Request(recipe, images))
        assert isinstance(listener.ending(before), Done), listener.summary()
        job = listener.client.submit(Request(long, images))
        listener.wait(
            lambda event: isinstance(event, Progress) and event.job == job and event.step >= 2
        )
        listener.client.cancel(job)
        assert isinstance(listener.ending(job), Cancelled)
        assert listener.of(job, Progress)[-1].step < 150
        assert not listener.of(job, LayerReady)
        after = listener.client.submit(Request(recipe, images))
        assert isinstance(listener.ending(after), Done)
        layers = [
            [ready.layer for ready in listener.of(each, LayerReady)] for each in (before, after)
        ]
        assert layers[0] == layers[1]


def test_a_distilled_base_is_painted_in_its_few_steps_and_says_so(
    root: Path, server: RunningServer, acetate: Acetate
) -> None:
    base = root / "tiny-lightning"
    shutil.copytree(root / "tiny-sdxl", base)
    assert acetate("models", "import", base).code == 0
    command = ["generate", "text", "a cat", "--passes", "1", "--seed", "1", "--size", "128"]
    recipes = []
    for name, more in {
        "own": ["--model", "tiny-lightning"],
        "served": ["--model", "tiny-lightning", "--server", "local"],
        "asked": ["--model", "tiny-sdxl", "--scheduler", "hyper"],
        "other": ["--model", "tiny-lightning", "--scheduler", "euler_a", "--steps", "3"],
    }.items():
        path = root / f"few-{name}.png"
        outcome = acetate(*command, *more, "-o", path)
        assert outcome.code == 0, outcome.err
        recipe = read_recipe(path)
        recipes.append((recipe.scheduler, recipe.steps, recipe.guidance))
    assert recipes == [("lightning", 4, 1), ("lightning", 4, 1), ("hyper", 8, 1), ("euler_a", 3, 7)]
    assert read_image(root / "few-own.png") == read_image(root / "few-served.png")


@pytest.mark.exhaustive
def test_what_is_imported_while_the_server_runs_is_offered_at_once(
    root: Path, server: RunningServer, acetate: Acetate
) -> None:
    base = root / "tiny-latecomer"
    shutil.copytree(root / "tiny-sdxl", base)
    order = ["generate", "text", "a cat", *QUICK, "--model", base.name, "--server", "local"]
    with Listener(server.runtime.address, server.runtime.token) as painter:
        painter.model("tiny-sdxl", lambda info: info.state == "ready")
        assert acetate("models", "import", base).err == ""
        came = painter.model(base.name, lambda info: True)
        assert came.state == "ready" and "text" in came.modes
        assert acetate(*order, "-o", root / "late.png").code == 0
        assert acetate("models", "remove", base.name).err == ""
        refused = painter.ending(painter.submit(model=base.name))
        assert isinstance(refused, Failed) and refused.code == "unknown_model"


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("family", ["sd15", "sdxl"])
def test_layers_one_after_another_each_see_what_is_there_by_then(
    family: str, root: Path, acetate: Acetate
) -> None:
    path, scene = root / f"grown-{family}.png", root / f"scene-{family}.png"
    command = words(root, family, "foreground")
    further = ["--then", "a cat", "--then", "a hat", "--scene", scene]
    outcome = acetate(*command, *further, "-o", path)
    assert outcome.code == 0, outcome.err
    canvas = read_image(root / "picture.png")
    seen = set()
    for index, prompt in enumerate(("a red apple", "a cat", "a hat")):
        file = path.with_stem(f"{path.stem}-{index + 1}")
        recipe = read_recipe(file)
        assert (recipe.prompt, recipe.seed) == (prompt, 7 + index)
        seen.add(recipe.inputs["picture"])
        write_image(root / "canvas.png", canvas)
        again = root / "again.png"
        assert acetate(
            "generate", "--from", file, "--picture", root / "canvas.png", "-o", again, "--force"
        ).code == 0  # fmt: skip
        assert again.read_bytes() == file.read_bytes()
        canvas = stack(read_image(file), canvas)
    assert len(seen) == 3
    assert read_image(scene) == canvas
    assert set(canvas.data[3::4]) == {255}
    outcome = acetate(*command, *further, "--variants", "2", "-o", path)
    assert outcome.code == 2 and "one variant" in outcome.err


@pytest.mark.exhaustive
@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("family", ["sd15", "sdxl", "flux"])
def test_a_second_pass_enlarges_and_repaints_at_the_final_size(
    family: str, root: Path, server: RunningServer, acetate: Acetate
) -> None:
    first, second = root / f"first-{family}.png", root / f"second-{family}.png"
    assert acetate(*words(root, family, "text"), "-o", first).code == 0
    command = ["generate", "refine", first, "a red apple", "--model", f"tiny-{family}", *QUICK]
    command += ["--size", "150x250", "--strength", "0.3"]
    outcome = acetate(*command, "-o", second)
    assert outcome.code == 0, outcome.err
    recipe = read_recipe(second)
    assert (read_image(second).width, read_image(second).height) == (150, 250)
    assert (recipe.width, recipe.height) == (192, 256) and recipe.strength == 0.3
    again = root / "again.png"
    assert acetate("generate", "--from", second, "--layer", first, "-o", again, "--force").code == 0
    assert again.read_bytes() == second.read_bytes()
    assert acetate(*command, "--server", "local", "-o", again, "--force").code == 0
    assert again.read_bytes() == second.read_bytes()


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("family", ["sd15", "sdxl", "flux"])
def test_repainting_can_leave_the_transparency_as_it_is(
    family: str, root: Path, server: RunningServer, acetate: Acetate
) -> None:
    kept = root / f"kept-{family}.png"
    small = root / "small.png"  # Smaller than any frame, so that it is painted enlarged.
    write_image(small, blob(61, 44, 0))
    further = ["--strength", "0.9", "--keep-transparency"]
    command = [*words(root, family, "refine"), *further]
    enlarged = [str(small) if word.endswith("layer.png") else word for word in command]
    for picture, where in (
        (root / "layer.png", command),
        (root / "layer.png", [*command, "--server", "local"]),
        (small, enlarged),
        (small, [*enlarged, "--server", "local"]),
    ):
        source = read_image(picture)
        outcome = acetate(*where, "-o", kept, "--force")
        assert outcome.code == 0, outcome.err
        painted = read_image(kept)
        assert painted.data[3::4] == source.data[3::4]
        assert painted.data != source.data
        assert read_recipe(kept).keep_transparency
