"""What is known of a family of models before one of them is loaded."""

from __future__ import annotations

from dataclasses import dataclass, replace

from acetate.errors import BadRequest
from acetate.models.few_steps import FEW_STEPS
from acetate_bridge.protocol.frame_planning import FrameLimits
from acetate_bridge.protocol.geometry import Size
from acetate_bridge.protocol.limits import LARGEST_SIDE, SCALES
from acetate_bridge.protocol.modes import mode_row
from acetate_bridge.protocol.types import ControlKind

SPLIT = "decompose"


@dataclass(frozen=True)
class Family:
    """Sides of a frame are multiples of `multiple`; `steps` and `guidance` suit most prompts.

    `passes` of its decoder make a layer where a recipe leaves their number open. `sketches` are
    the kinds of control images that it follows without a control network; with `references` it also
    goes by a picture of what is meant.
    """

    package: str
    """The folder with its code, as a dotted name: `loader`, `pipeline` (`pipelines/family.py`)."""
    label: str
    """What people call it."""
    multiple: int
    steps: int
    guidance: float
    modes: tuple[str, ...]
    passes: int = 8
    schedulers: tuple[str, ...] = ("euler",)
    """Names of samplers that a recipe may ask for."""
    step_caches: tuple[str, ...] = ()
    """Names of ways to skip most of a step that a recipe may ask for."""
    sketches: tuple[ControlKind, ...] = ()
    references: bool = False
    image_adapters: bool = False
    """Whether it goes by a picture with an image adapter (IP-Adapter) that was imported."""
    aspects: bool = False
    """Whether such an adapter can go by the style or the composition of a picture alone."""
    folders: str = ""
    """A pattern of the class names that its folders give themselves in `model_index.json`."""
    foreign: str = ""
    """A pattern of those whose denoisers are of another kind in spite of such a name."""
    imported: bool = True
    """Whether a person can take over bases of it; they go with the files of the catalog's model of
    the family's name."""
    told_by_name: bool = False
    """Whether many of its bases were distilled, and say so in their names alone."""
    whole_files: bool = True
    """Whether a checkpoint of it can have all parts; else the others always come from a folder."""
    networks: tuple[str, ...] = ("unet", "transformer", "vae", "text_encoder", "text_encoder_2")
    """Folders of a base with weights; none: all weights that are in the base."""
    activations: int = 0
    """Bytes for each pixel that is painted, in half precision: mostly its decoder's widest maps."""

    def frames(self, native: int) -> FrameLimits:
        """Sizes near the native square: far from it, objects repeat or lose their shape."""
        return FrameLimits(
            multiple=self.multiple,
            smallest=native * 3 // 4,
            largest=native * 2,
            most_pixels=native**2 * 3 // 2,
        )

    def advice(self, scheduler: str = "") -> tuple[int, float]:
        """Steps and guidance for a scheduler: those of its few-step preset, or the family's."""
        return FEW_STEPS.get(scheduler, (self.steps, self.guidance))

    def can(self, mode: str) -> bool:
        """Whether it does a mode; what fills a hole also splits, with a matting network."""
        return mode in self.modes or (mode == SPLIT and "fill" in self.modes)

    def check_cache(self, name: str) -> None:
        """Raise BadRequest for a step cache that the family has not; an empty name is none."""
        if name and name not in self.step_caches:
            known = ", ".join(self.step_caches)
            raise BadRequest(
                f"There is no step cache “{name[:40]}” for this model: use {known}."
                if known
                else f"{self.label[:1].upper()}{self.label[1:]} has no step caches: "
                f"leave “{name[:40]}” out."
            )

    def check_scheduler(self, name: str) -> None:
        """Raise BadRequest for a sampler that the family has not; an empty name is its own."""
        if name and name not in self.schedulers:
            raise BadRequest(
                f"There is no scheduler “{name}” for this model: use {', '.join(self.schedulers)}."
            )


def families_taken_over() -> str:
    """The families of which a person can take over bases, as a sentence names them."""
    *first, last = (family.label for family in FAMILIES.values() if family.imported)
    return f"{', '.join(first)} or {last}"


def second_pass(limits: FrameLimits) -> FrameLimits:
    """The sizes at which a layer is refined: its shapes are there already, so all of the square."""
    return replace(limits, most_pixels=limits.largest**2)


def frames_of(mode: str, limits: FrameLimits) -> FrameLimits:
    """The sizes at which a mode paints, of those that suit a model."""
    row = mode_row(mode)
    if row.own_pixels:
        longest = LARGEST_SIDE // (SCALES[0] if row.enlarges else 1)
        return FrameLimits(1, 1, longest, longest**2)
    return second_pass(limits) if row.second_pass else limits


def check_size(width: int, height: int, limits: FrameLimits) -> None:
    """Raise BadRequest unless a model paints at exactly this size, in pixels."""
    if width < 1 or height < 1 or not limits.allow(Size(width, height)):
        raise BadRequest(
            f"This model cannot paint at {width} × {height} pixels: sides must be "
            f"multiples of {limits.multiple} between {limits.lowest} and {limits.highest}, "
            f"with at most {limits.most_pixels} pixels in all."
        )


_STABLE_DIFFUSION = (
    "dpmpp_2m_karras",
    "dpmpp_2m_sde_karras",
    "euler_a",
    "euler",
    "unipc",
    "lightning",
    "hyper",
    "turbo",
    "lcm",
    "lcm_guided",
    "dmd2",
    "pcm",
    "flash",
    "sdxs",
)
_STAGED = ("text", "background", "foreground", "joint", "refine")

FIRST_BLOCK = "first_block"
"""A step whose first block says what it said before is taken as before (`pipelines/step_cache`)."""

MAG = "mag"
"""Steps are taken as before by the measured course of FLUX.1-dev, which is for Flux alone."""

SEA = "sea"
"""A step is taken as before while what shows through the noise changes little."""

TAYLOR = "taylor"
"""Of three steps two are drawn on from those before."""

FEW_TO_SKIP = 8
"""Up to so many steps each differs too much from the last for any to be skipped."""

CACHED_EULER = "euler_cached"
"""Keeps what words and references become after the first step: faster, with another rounding."""

FAMILIES = {
    "layered": Family(
        "acetate.pipelines.qwen_layered",
        "Qwen-Image-Layered",
        16,
        50,
        4.0,
        ("decompose",),
        step_caches=(FIRST_BLOCK, TAYLOR),
        folders="QwenImageLayeredPipeline",
        imported=False,
        networks=(),
        activations=20000,
    ),
    "upscaler": Family(
        "acetate.pipelines.upscaler",
        "an upscaler",
        1,
        1,
        1.0,
        ("upscale",),
        passes=1,
        imported=False,
        activations=4000,
    ),
    # Its guidance was taught to it, and what 8 passes add cannot be seen.
    "embedded": Family(
        "acetate.pipelines.embedded",
        "the embedded model",
        16,
        4,
        1.0,
        (*_STAGED, "extract", "decompose", "fill", "upscale", "defringe", "cutout"),
        passes=1,
        sketches=("scribble", "lineart"),
        references=True,
        folders="AcetateEmbedded",
        imported=False,
        activations=700,
    ),
    # The official decoder halves the sides six times; steps and guidance are its authors' advice.
    "sd15": Family(
        "acetate.pipelines.sd15",
        "Stable Diffusion 1.5",
        64,
        20,
        7.0,
        (*_STAGED, "harmonize", "fill"),
        schedulers=_STABLE_DIFFUSION,
        image_adapters=True,
        aspects=True,
        folders=r"(StableDiffusion(?!XL)|LatentConsistencyModel)\w*Pipeline",
        foreign=r"StableDiffusion3\w*",
        told_by_name=True,
        activations=9000,
    ),
    "sdxl": Family(
        "acetate.pipelines.sdxl",
        "SDXL",
        64,
        20,
        7.0,
        (*_STAGED, "fill", "extract"),
        schedulers=_STABLE_DIFFUSION,
        image_adapters=True,
        aspects=True,
        folders=r"StableDiffusionXL\w*Pipeline",
        told_by_name=True,
        activations=5500,
    ),
    "flux": Family(
        "acetate.pipelines.flux",
        "Flux",
        64,
        28,
        3.5,
        ("text", "refine", "fill"),
        schedulers=("euler", "schnell"),
        image_adapters=True,
        step_caches=(FIRST_BLOCK, MAG, SEA, TAYLOR),
        folders=r"Flux\w*Pipeline",
        foreign=r"Flux(2|3|Control(?!Net)|Fill|Prior)\w*",
        whole_files=False,
        activations=6000,
    ),
    # Guidance was taught to it; 32 pixels are four places of the latent, one token of a picture.
    "qwen21": Family(
        "acetate.pipelines.qwen21",
        "Qwen-Image-2.1",
        32,
        40,
        1.0,
        ("text", "background", "foreground", "refine", "extract", "fill"),
        passes=1,
        schedulers=(CACHED_EULER, "euler"),
        step_caches=(FIRST_BLOCK, SEA, TAYLOR),
        folders=r"QwenImage21\w*Pipeline",
        activations=12000,
    ),
    # Edit also looks at pictures; transparency comes with an adapter.
    "qwen": Family(
        "acetate.pipelines.qwen",
        "Qwen-Image",
        32,
        50,
        4.0,
        ("text", "background", "foreground", "refine", "extract", "fill"),
        passes=1,
        step_caches=(FIRST_BLOCK, SEA, TAYLOR),
        folders=r"QwenImage(EditPlus|Img2Img)?Pipeline",
        whole_files=False,
        activations=12000,
    ),
    # Klein: its guidance was distilled into it; transparency comes with an adapter.
    "flux2": Family(
        "acetate.pipelines.flux2",
        "FLUX.2 klein",
        32,
        4,
        1.0,
        ("text", "background", "foreground", "refine", "extract", "fill"),
        passes=1,
        folders=r"Flux2Klein(?!KV)\w*Pipeline",
        activations=6000,
    ),
}
