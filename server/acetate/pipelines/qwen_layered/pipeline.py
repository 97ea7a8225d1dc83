"""Qwen-Image-Layered: a flat picture taken apart into transparent layers.

A transformer that paints the picture and all of its layers at once (Qwen-Image-Layered, 2025).
Unlike the other families it is used whole, through diffusers' own pipeline.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, NoReturn, cast

import numpy as np
import torch
from diffusers.pipelines.qwenimage.pipeline_qwenimage_layered import QwenImageLayeredPipeline
from PIL import Image as Pillow
from torch import Tensor, nn

from acetate.errors import BadRequest
from acetate.models.families import FAMILIES
from acetate.models.files import MALFORMED, damaged, read_config
from acetate.models.hashing import model_hash
from acetate.models.network_config import read_network_config
from acetate.models.safetensors_header import read_header
from acetate.models.used_files import UsedFiles
from acetate.pipelines.offloaded_pipeline import OffloadedPipeline
from acetate.pipelines.offloading import fits
from acetate.pipelines.pipeline import PromptEmbedding
from acetate.pipelines.sampling import OnStep, Step

NATIVE = 640
"""Side of the square whose area the model paints at."""


class LayeredPipeline(OffloadedPipeline):
    """Knows one verb, `decompose`; pictures of any size are brought to the model's area."""

    family: ClassVar[str] = "layered"

    def __init__(
        self, whole: QwenImageLayeredPipeline, folder: Path, device: torch.device, model: str
    ) -> None:
        self._whole: Any = whole
        self._whole.set_progress_bar_config(disable=True)
        files = {
            path.relative_to(folder).as_posix(): path
            for path in sorted(folder.rglob("*"))
            if path.suffix in (".safetensors", ".json", ".txt") and path.is_file()
        }
        self.files = UsedFiles(files)
        self.model = model
        self.model_hash = model_hash(p for p in files.values() if p.suffix == ".safetensors")
        self.device = device
        self.dtype = self._whole.transformer.dtype
        self.denoiser = self._whole.transformer
        self.native = NATIVE
        self.limits = FAMILIES[self.family].frames(NATIVE)
        self.latent_channels = self._whole.latent_channels
        self.latent_factor = self._whole.vae_scale_factor
        self.ladder = self._usual_ladder(device, self._in_pieces)

    @classmethod
    def from_folder(cls, folder: Path, device: torch.device, model: str) -> LayeredPipeline:
        """Read the folder layout of diffusers. Raises ModelMissing or ModelDamaged."""
        _check_folder(folder)
        dtype = torch.float32 if device.type == "cpu" else torch.bfloat16
        try:
            # Without the processor, which is only for describing the picture: the painter does.
            whole: Any = cast("Any", QwenImageLayeredPipeline).from_pretrained(
                folder, dtype=dtype, local_files_only=True, use_safetensors=True, processor=None
            )
        except (*MALFORMED, OSError, RuntimeError) as error:
            raise damaged(folder) from error
        pipeline = cls(whole, folder, device, model)
        size = sum(path.stat().st_size for path in folder.rglob("*.safetensors"))
        if fits(size, device):
            whole.to(device)
        else:
            pipeline.place()
        return pipeline

    @property
    def reducible(self) -> list[nn.Module]:
        return [self._whole.transformer, self._whole.text_encoder]

    @property
    def modules(self) -> list[nn.Module]:
        return [self._whole.transformer, self._whole.text_encoder, self._whole.vae]

    def begin(self) -> None:
        self.ladder.begin()
        self._whole.vae.disable_tiling()

    def decompose(
        self,
        rgba: Tensor,
        prompt: str,
        negative_prompt: str,
        *,
        layers: int,
        steps: int,
        guidance: float,
        generator: torch.Generator,
        on_step: OnStep | None = None,
    ) -> Tensor:
        """Straight [layers, 4, h, w] in [0, 1], the hindmost first, of a picture [1, 4, H, W].

        The size is the model's own for the picture's proportions.
        """
        picture = Pillow.fromarray(
            (rgba[0].permute(1, 2, 0).clamp(0, 1) * 255).round().byte().cpu().numpy(), "RGBA"
        )
        state = generator.get_state()

        def ended(whole: Any, index: int, timestep: Any, values: dict[str, Any]) -> dict[str, Any]:
            if on_step is not None:
                on_step(Step(index + 1, steps, lambda: rgba))
            return values

        def paint() -> Any:
            generator.set_state(state)
            return self._whole(
                picture,
                prompt=prompt,
                negative_prompt=negative_prompt or " ",
                true_cfg_scale=guidance,
                layers=layers,
                num_inference_steps=steps,
                generator=generator,
                output_type="np",
                resolution=NATIVE,
                cfg_normalize=True,
                callback_on_step_end=ended,
            ).images[0]

        painted = np.asarray(self.ladder.attempt(paint), dtype=np.float32)[:layers]
        return torch.as_tensor(painted).permute(0, 3, 1, 2).contiguous()

    def _in_pieces(self) -> bool:
        self._whole.vae.enable_tiling()
        return True

    def encode_prompt(
        self, prompts: Sequence[str], negative_prompts: Sequence[str]
    ) -> PromptEmbedding:
        self._refuse()

    def encode_image(self, rgb: Tensor) -> Tensor:
        self._refuse()

    def encode_layer(self, rgba: Tensor) -> Tensor:
        self._refuse()

    def decode_image(self, latent: Tensor) -> Tensor:
        self._refuse()

    def decode_layer(self, latent: Tensor, passes: int) -> Tensor:
        self._refuse()

    def make_scheduler(self, name: str) -> Any:
        self._refuse()

    def predict(
        self,
        latent: Tensor,
        timestep: Tensor,
        tokens: Tensor,
        pooled: Tensor | None,
        condition: Tensor | None,
    ) -> Tensor:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise BadRequest(f"The model “{self.model}” only takes pictures apart (decompose).")


def _check_folder(folder: Path) -> None:
    """What diffusers would read by itself: every header, every configuration, and no other code."""
    index = read_config(folder / "model_index.json")
    for name, place in index.items():
        if isinstance(place, list) and (not place or place[0] not in _LIBRARIES):
            raise damaged(folder / "model_index.json")
        if not name.startswith("_") and isinstance(place, list):
            for path in sorted((folder / name).glob("*.safetensors")):
                read_header(path)
            if (config := folder / name / "config.json").is_file():
                read_network_config(config)


_LIBRARIES = ("diffusers", "transformers", None)
