"""The small model that ships with Acetate: it redraws what a memory of drawings recalls."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from acetate.adapters.followed import still_followed
from acetate.embedded.beginnings import (
    FARTHEST,
    RECALLING,
    START_SCENE,
    Asked,
    Beginnings,
)
from acetate.embedded.codec import (
    ENLARGED,
    Codec,
    halved,
    halved_layer,
    load,
    read_codec,
    read_tokenizer,
    word_vectors,
)
from acetate.embedded.denoiser import Denoiser
from acetate.embedded.drawings import Drawings
from acetate.embedded.preview_decoder import PreviewDecoder, preview_files
from acetate.embedded.text_encoder import TextEncoder
from acetate.errors import BadRequest
from acetate.latent_transparency.decoding import CHUNK_PIXELS
from acetate.models.families import FAMILIES
from acetate.models.files import configured
from acetate.models.hashing import model_hash
from acetate.models.used_files import UsedFiles
from acetate.pipelines.conditioning import Conditioning, PromptEmbedding
from acetate.pipelines.denoising import Denoising
from acetate.pipelines.memory_ladder import Ladder, Rung, eased
from acetate.pipelines.pipeline import Filling, Patch, Pipeline
from acetate.pipelines.rectified_flow import MODEL_STEPS, RectifiedFlow

TASKS = {"text": 1, "background": 2, "foreground": 3, "extract": 4, "behind": 5, "control": 6}
"""What the denoiser can be asked for, and the token that the prompt then begins with."""


@dataclass(frozen=True)
class Task(Patch):
    """Not weights, but a word to the denoiser: what kind of picture is wanted.

    `onto` says that the thing stands on a ground instead of filling the frame.
    """

    name: str
    onto: bool = False

    def inject(self, target: nn.Module) -> None:
        """Nothing to change: the one denoiser does it all."""

    def eject(self) -> None:
        """Nothing was changed."""


@dataclass(frozen=True)
class Reading(PromptEmbedding):
    """An embedded prompt that remembers its words and tokens, to be read again for a task."""

    texts: tuple[str, ...] = ()
    ids: Tensor | None = None
    mask: Tensor | None = None


class EmbeddedPipeline(Pipeline):
    """Velocity-predicting U-Net over the latents of a folded autoencoder.

    Two condition latents enter the denoiser beside the noisy one, zeros where there is none: a
    drawing to go by, and a picture to paint for.
    """

    family: ClassVar[str] = "embedded"
    paints_together: ClassVar[bool] = True

    def __init__(
        self,
        codec: Codec,
        denoiser: Denoiser,
        text_encoder: TextEncoder,
        tokenizer: Tokenizer,
        memory: Drawings | None,
        previews: PreviewDecoder | None = None,
        *,
        native: int,
        model: str,
        model_hash: str,
        files: Mapping[str, Path],
    ) -> None:
        self.codec = codec
        self.denoiser = denoiser
        self._multiple = denoiser.multiple
        self.text_encoder = text_encoder
        self.tokenizer = tokenizer
        self._previews = previews
        self.model = model
        self.model_hash = model_hash
        self.device, self.dtype = codec.device, codec.dtype
        self.files = UsedFiles(files)
        self._chunk_pixels = CHUNK_PIXELS
        self.ladder = Ladder(
            self.device,
            [
                Rung("Memory ran out: what was only remembered was let go.", lambda: True),
                Rung("Memory ran out: the picture is decoded in pieces.", self._decode_in_pieces),
                Rung("Memory ran out: it is painted in smaller batches.", self._paint_in_turn),
            ],
        )
        self.latent_channels = codec.autoencoder.latent_channels
        self.latent_factor = ENLARGED * codec.small_factor
        self.native = native
        self.limits = FAMILIES[self.family].frames(self.native)
        self._sketch: Tensor | None = None
        self._sketch_end = self._lines_end = 1.0
        self._lines: Tensor | None = None
        self._reference: tuple[Tensor, float] | None = None
        self._pictures: list[tuple[Tensor, Tensor]] = []
        self.beginnings = None
        if memory is not None:
            vectors = word_vectors(text_encoder, tokenizer)
            self.beginnings = Beginnings(codec, memory, vectors, self.files.use_part)

    @classmethod
    def from_folder(cls, folder: Path, device: torch.device, model: str) -> EmbeddedPipeline:
        """Read a model folder. Raises ModelMissing or ModelDamaged naming a file.

        A folder without drawings is a model that has nothing to begin from; one without a preview
        decoder shows what it has by decoding it whole.
        """
        native = configured(folder / "model_index.json", lambda index: int(index["native"]))
        dtype = torch.float32 if device.type == "cpu" else torch.float16
        codec, files = read_codec(folder, device, dtype)
        denoiser = configured(folder / "unet" / "config.json", lambda config: Denoiser(**config))
        text_encoder = configured(folder / "text_encoder" / "config.json", TextEncoder.of)
        for module, part in ((denoiser, "unet"), (text_encoder, "text_encoder")):
            files.append(folder / part / "model.safetensors")
            load(module, files[-1], device, dtype)
        files.append(folder / "tokenizer" / "tokenizer.json")
        tokenizer = read_tokenizer(files[-1], text_encoder.length)
        archive = folder / "memory" / "drawings.zip"
        previews, shown = None, preview_files(folder)
        if shown[1].is_file():
            previews = configured(shown[0], lambda config: PreviewDecoder(**config))
            load(previews, shown[1], device, dtype)
        return cls(
            codec,
            denoiser,
            text_encoder,
            tokenizer,
            Drawings(archive) if archive.is_file() else None,
            previews,
            native=native,
            model=model,
            model_hash=model_hash(files),
            files={path.relative_to(folder).as_posix(): path for path in files},
        )

    @property
    def modules(self) -> list[nn.Module]:
        shown = [] if self._previews is None else [self._previews]
        return [*self.codec.modules, self.denoiser, self.text_encoder, *shown]

    def begin(self) -> None:
        """A new painting has all memory again."""
        self.ladder.begin()
        self.batched_guidance = True
        self._chunk_pixels = CHUNK_PIXELS
        self._pictures = []

    def _decode_in_pieces(self) -> bool:
        self._chunk_pixels = 1
        return True

    def _paint_in_turn(self) -> bool:
        changed, self.batched_guidance = self.batched_guidance, False
        return changed

    @eased
    @torch.inference_mode()
    def encode_prompt(self, prompts: Sequence[str], negative_prompts: Sequence[str]) -> Reading:
        texts = [*prompts, *negative_prompts]
        encodings = self.tokenizer.encode_batch(texts)
        for text, encoding in zip(texts, encodings, strict=True):
            if encoding.overflowing:
                read = text[: max(end for _, end in encoding.offsets)]
                self.ladder.tell(f"This model reads prompts only so far: “… {read[-30:].strip()}”.")
        ids = torch.tensor([encoding.ids for encoding in encodings], device=self.device)
        mask = torch.tensor([encoding.attention_mask for encoding in encodings], device=self.device)
        return self._read(tuple(prompts), ids, mask, "text")

    def _read(self, texts: tuple[str, ...], ids: Tensor, mask: Tensor, task: str) -> Reading:
        """The prompts as the denoiser hears them for a task, which the first token names."""
        named = ids.clone()
        named[:, 0] = min(TASKS[task], self.text_encoder.vocabulary - 1)
        states = self.text_encoder(named, mask)
        count = len(texts)
        return Reading(states[:count], states[count:], texts=texts, ids=ids, mask=mask)

    @eased
    @torch.inference_mode()
    def encode_image(self, rgb: Tensor) -> Tensor:
        return self._noted(self.codec.encode_picture(rgb), halved(rgb))

    @eased
    @torch.inference_mode()
    def encode_layer(self, rgba: Tensor) -> Tensor:
        small = halved_layer(rgba)
        return self._noted(self.codec.encode_small(small), small)

    def _noted(self, latent: Tensor, small: Tensor) -> Tensor:
        """The latent, and a note of the picture that it was made from."""
        self._pictures = [*self._pictures[-3:], (latent, small.cpu().float())]
        return latent

    def _pixels(self, latent: Tensor) -> Tensor:
        """The picture that a latent was made from, at half size; decoded if nobody knows it."""
        known = (small for noted, small in self._pictures if noted is latent)
        found = next(known, None)
        return (
            self.codec.decode_small(latent, 1, self._chunk_pixels).cpu() if found is None else found
        )

    @eased
    @torch.inference_mode()
    def decode_image(self, latent: Tensor) -> Tensor:
        return self.codec.decode_picture(latent)

    @eased
    @torch.inference_mode()
    def decode_layer(self, latent: Tensor, passes: int) -> Tensor:
        return self.codec.decode_layer(latent, passes, self._chunk_pixels)

    def preview(self, latent: Tensor) -> Tensor:
        return super().preview(latent) if self._previews is None else self._previews.layer(latent)

    def preview_opaque(self, latent: Tensor) -> Tensor:
        if self._previews is None:
            return super().preview_opaque(latent)
        return self._previews.picture(latent)

    def make_scheduler(self, name: str) -> RectifiedFlow:
        if name not in ("", "euler"):
            raise BadRequest(f"The embedded model has no scheduler “{name}”: it knows euler.")
        return RectifiedFlow()

    def patch_for(self, mode: str) -> Task | None:
        if mode == "joint":
            return Task("text", onto=True)
        return Task(mode, onto=mode == "foreground") if mode in TASKS else None

    def filled(
        self, prompt: str, seed: int, layer: Tensor, continued: Tensor, free: Tensor
    ) -> Filling:
        """See `Pipeline.filled`. What the prompt names is put in, and only it is painted."""
        usual = super().filled(prompt, seed, layer, continued, free)
        if self.beginnings is None:
            return usual
        put = self.beginnings.filled(prompt, seed, layer, continued, free)
        return usual if put is None else Filling(*put, START_SCENE / FARTHEST)

    @contextmanager
    def sketched(self, lines: Tensor, strength: float, end: float = 1.0) -> Generator[None]:
        """Light lines on black [1, 3, H, W] in [0, 1] are followed for the length of a block.

        Those of blocks around it stay; of all of them the last end counts.
        """
        before = self._sketch, self._sketch_end, self._lines
        drawn = lines * min(1.0, strength)
        if self._sketch is not None:
            drawn, end = torch.maximum(self._sketch, drawn), max(self._sketch_end, end)
        self._sketch, self._sketch_end = drawn, end
        self._lines = self.encode_image(drawn)
        try:
            yield
        finally:
            self._sketch, self._sketch_end, self._lines = before

    @contextmanager
    def referring(self, picture: Tensor, strength: float) -> Generator[None]:
        """A layer begins from this picture, for the length of a block, and not from a drawing."""
        if self.beginnings is None:
            raise BadRequest(f"The model “{self.model}” cannot go by a reference picture.")
        if self._reference is not None:
            raise BadRequest(f"The model “{self.model}” goes by one reference picture at a time.")
        self._reference = halved_layer(picture), strength
        try:
            yield
        finally:
            self._reference = None

    @torch.inference_mode()
    def prepared(self, asked: Denoising) -> Denoising:
        """A layer begins from the drawing that its prompt recalls."""
        noise, prompt, patch = asked.noise, asked.prompt, asked.patch
        latent, strength, conditions = asked.latent, asked.strength, asked.conditions
        task = patch if isinstance(patch, Task) else Task("text")
        self._lines_end = 1.0
        if self._lines is not None and task.name == "text":
            task, conditions, self._lines_end = Task("control"), [self._lines], self._sketch_end
        beside = None
        if isinstance(prompt, Reading) and self.beginnings is not None:
            seeds = [_number(one) for one in noise]
            if latent is None:
                known = [self._pixels(condition) for condition in conditions]
                scene = Asked(task.name, task.onto, *self._frame(noise))
                if task.name in ("text", "control") and self._reference is not None:
                    picture, closely = self._reference
                    latent, strength = self.beginnings.by(picture, prompt.texts[0], closely)
                else:
                    latent, strength = self.beginnings.of(scene, prompt.texts, seeds, known)
                beside = latent if task.name in RECALLING else None
            elif task.name in RECALLING:
                changed = None
                if asked.freedom is None:
                    known = self._pixels(latent)
                    changed = self.beginnings.again(prompt.texts[0], known, strength)
                strength *= FARTHEST
                beside = latent = latent if changed is None else changed
        seen = [torch.zeros_like(noise) if beside is None else beside, torch.zeros_like(noise)]
        for place, condition in enumerate(reversed(conditions), start=1):
            seen[-place] = condition
        if isinstance(prompt, Reading) and prompt.ids is not None and prompt.mask is not None:
            prompt = self._read(prompt.texts, prompt.ids, prompt.mask, task.name)
        return replace(
            asked,
            prompt=prompt,
            latent=latent,
            strength=strength,
            conditions=[condition.expand_as(noise) for condition in seen],
            stop_at=1.0 if patch is None or isinstance(patch, Task) else asked.stop_at,
        )

    def _frame(self, noise: Tensor) -> tuple[int, int]:
        """Height and width of the picture at half size that this noise becomes."""
        factor = self.codec.small_factor
        return noise.shape[-2] * factor, noise.shape[-1] * factor

    def predict(self, latent: Tensor, timestep: Tensor, told: Conditioning) -> Tensor:
        condition = told.condition
        if condition is None:
            condition = torch.cat([torch.zeros_like(latent)] * 2, dim=1)
        if not still_followed(self._lines_end, timestep):
            beside, lines = condition.chunk(2, dim=1)
            condition = torch.cat([beside, torch.zeros_like(lines)], dim=1)
        sigma = (timestep / MODEL_STEPS).expand(len(latent))
        height, width = latent.shape[-2:]
        margin = (0, -width % self._multiple, 0, -height % self._multiple)
        noisy, beside = (
            nn.functional.pad(part.to(self.dtype), margin, mode="replicate").contiguous(
                memory_format=torch.channels_last
            )
            for part in (latent, condition)
        )
        return self.denoiser(noisy, beside, sigma, told.tokens)[..., :height, :width]


def _number(noise: Tensor) -> int:
    """A seed that follows from the noise of one picture, and so from the recipe's."""
    return int.from_bytes(hashlib.sha256(noise.cpu().numpy().tobytes()).digest()[:8], "big")
