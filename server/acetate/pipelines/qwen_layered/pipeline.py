"""Qwen-Image-Layered: a flat picture taken apart into transparent layers.

A transformer that paints the picture and all of its layers at once (Qwen-Image-Layered, 2025).
Unlike the other families it is used whole, through diffusers' own pipeline.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from pathlib import Path
from typing import Any, ClassVar, NoReturn, cast

import numpy as np
import torch
from diffusers.pipelines.qwenimage.pipeline_qwenimage_layered import (
    QwenImageLayeredPipeline,
    calculate_dimensions,  # pyright: ignore[reportUnknownVariableType]  # It has no annotations.
)
from PIL import Image as Pillow
from torch import Tensor, nn

from acetate.errors import BadRequest
from acetate.images.tensors import over
from acetate.models.families import FAMILIES
from acetate.models.files import MALFORMED, damaged, read_config
from acetate.models.hashing import model_hash
from acetate.models.network_config import read_network_config
from acetate.models.safetensors_header import read_header
from acetate.models.used_files import UsedFiles
from acetate.pipelines.conditioning import Conditioning, PromptEmbedding
from acetate.pipelines.latent_preview import LatentPreview, shrunk
from acetate.pipelines.offloaded_pipeline import OffloadedPipeline
from acetate.pipelines.sampling import OnStep, Step
from acetate.pipelines.weight_sizes import fits

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
        # What a step expects can be told of only by what it has predicted.
        self._whole._callback_tensor_inputs = list(_TOLD)
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
        self._preview = LatentPreview(self.family)
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
        fitted = cast("Any", calculate_dimensions)(NATIVE**2, picture.width / picture.height)
        size = (int(fitted[0]), int(fitted[1]))
        ended_at: list[Tensor] = []

        def ended(whole: Any, index: int, timestep: Any, values: dict[str, Any]) -> dict[str, Any]:
            latents, velocity = values["latents"], values["noise_pred"]
            ended_at[:] = [latents]
            if on_step is not None:
                expected = latents - float(whole.scheduler.sigmas[index + 1]) * velocity
                on_step(
                    Step(
                        index + 1,
                        steps,
                        lambda: self.preview(self._latents_of(expected, size, layers)),
                    )
                )
            return {}

        def paint() -> Any:
            generator.set_state(state)
            if self.step_cache is not None:
                self.step_cache.forget()
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
                callback_on_step_end_tensor_inputs=list(_TOLD),
            ).images[0]

        painted = np.asarray(self.ladder.attempt(paint), dtype=np.float32)[:layers]
        stack = torch.as_tensor(painted).permute(0, 3, 1, 2).contiguous()
        for latents in ended_at:
            self._preview.learn(self._latents_of(latents, size, layers), stack)
        return stack

    def preview(self, latent: Tensor) -> Tensor:
        """What is lifted off so far, [1, 4, h, w]: all layers over one another but the hindmost.

        `latent` is [layers, C, h, w], scaled.
        """
        stack = self._preview.see(latent, self._at_hand(lambda: self._decoded(shrunk(latent))))
        return reduce(lambda lower, upper: over(upper, lower), [each[None] for each in stack[1:]])

    @torch.inference_mode()
    def _decoded(self, latent: Tensor) -> Tensor:
        vae = self._whole.vae
        mean, deviation = (
            torch.tensor(vae.config[name])[None, :, None, None].to(latent)
            for name in ("latents_mean", "latents_std")
        )
        frames = (latent * deviation + mean)[:, :, None].to(vae.dtype)
        pixels = vae.decode(frames, return_dict=False)[0][:, :, 0]
        return (pixels.float() * 0.5 + 0.5).clamp(0, 1)

    def _latents_of(self, packed: Tensor, size: tuple[int, int], layers: int) -> Tensor:
        """The latents of the layers, [layers, C, h, w], out of the tokens of a step."""
        width, height = size
        unpacked: Tensor = self._whole._unpack_latents(
            packed, height, width, layers, self._whole.vae_scale_factor
        )
        # The first is that of the whole picture.
        return unpacked[0, :, 1:].transpose(0, 1).float()

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

    def predict(self, latent: Tensor, timestep: Tensor, told: Conditioning) -> Tensor:
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


_TOLD = ("latents", "noise_pred")
"""What diffusers tells at the end of a step."""

_LIBRARIES = ("diffusers", "transformers", None)
