"""Stage 3: a text-conditioned denoiser on the transparent latents (rectified flow).

One network learns two things at once: layers from a prompt (its condition input is zero) and the
scene behind a given layer (its condition input is that layer's latent).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers.models.attention_processor import AttnProcessor
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional
from transformers.models.bert.modeling_bert import BertModel

from . import workers
from .architecture import build_denoiser, build_text_encoder
from .batches import over
from .loop import Losses, Report, Schedule, Trainee, train
from .pool import Pool, read_pool
from .precision import training_autocast
from .samples import write_rows
from .starting import start_from
from .tokens import build_tokenizer, static_token_vectors
from .transparency import Transparency, load_transparency

SCENE_SHARE = 0.2
PROMPT_DROP = 0.1
SCALE_FILE = "latent-scale.json"
SAMPLE_PROMPTS = (
    "a red apple",
    "a smiling cat",
    "a blue car",
    "a rocket",
    "a slice of pizza",
    "a yellow star",
    "a green dragon",
    "a penguin",
)


@dataclass(frozen=True)
class LatentScale:
    """Maps the autoencoder's latent to unit spread: (latent - shift) × factor."""

    shift: float
    factor: float

    @staticmethod
    def of(latents: Tensor) -> LatentScale:
        """The scale that brings these latents to mean 0 and spread 1."""
        values = latents.float()
        return LatentScale(float(values.mean()), float(1 / values.std()))

    def apply(self, latents: Tensor) -> Tensor:
        """To the diffusion space."""
        return (latents.float() - self.shift) * self.factor

    def undo(self, latents: Tensor) -> Tensor:
        """Back to the autoencoder's latent."""
        return latents / self.factor + self.shift


@dataclass
class Painter:
    """The two networks that training changes, and the tokenizer that feeds them."""

    denoiser: UNet2DConditionModel
    text_encoder: BertModel
    tokenizer: Tokenizer

    def tokens(self, prompts: list[str]) -> tuple[Tensor, Tensor]:
        """Token ids and attention mask, each [B, 24]."""
        encoded = self.tokenizer.encode_batch(prompts)
        ids = torch.tensor([one.ids for one in encoded])
        return ids, torch.tensor([one.attention_mask for one in encoded])

    def velocity(self, noisy: Tensor, condition: Tensor, sigma: Tensor, text: Tensor) -> Tensor:
        """Predicted noise minus latent for [B, C, h, w] at noise level sigma [B] in [0, 1]."""
        model_input = torch.cat([noisy, condition], 1)
        return self.denoiser(model_input, sigma * 1000, text).sample

    def read(self, prompts: list[str]) -> Tensor:
        """Prompts as [B, 24, D]."""
        ids, mask = self.tokens(prompts)
        return self.text_encoder(ids, attention_mask=mask).last_hidden_state


def build_painter(language_model: Path, vectors_file: Path) -> Painter:
    """Untrained networks over the frozen static token vectors, which are cached in a file."""
    tokenizer = build_tokenizer(language_model)
    if not vectors_file.is_file():
        torch.save(static_token_vectors(language_model), vectors_file)
    text_encoder = build_text_encoder(tokenizer.get_vocab_size())
    words = text_encoder.embeddings.word_embeddings
    words.weight.data.copy_(torch.load(vectors_file, weights_only=True))
    words.weight.requires_grad_(False)
    denoiser = build_denoiser()
    denoiser.set_attn_processor(AttnProcessor())  # on the CPU, faster backwards than fused
    return Painter(denoiser, text_encoder, tokenizer)


class PoolBatches:
    """Draws mixed batches from the pool; the same number gives the same batch."""

    def __init__(self, pool: Pool, scale: LatentScale, painter: Painter, seed: int) -> None:
        self._layers = scale.apply(pool.layers)
        self._scenes = scale.apply(pool.scenes)
        self._conditions = scale.apply(pool.scene_conditions)
        self._layer_tokens = painter.tokens(pool.layer_captions)
        self._scene_tokens = painter.tokens(pool.scene_captions)
        self._empty = painter.tokens([""])
        concepts = sorted(set(pool.layer_concepts))
        rows: dict[str, list[int]] = {concept: [] for concept in concepts}
        for row, concept in enumerate(pool.layer_concepts):
            rows[concept].append(row)
        self._by_concept = [np.array(rows[concept]) for concept in concepts]
        self._seed = seed

    def at(self, number: int, batch: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Clean latents, conditions, token ids, attention mask."""
        random = np.random.default_rng((self._seed, number))
        scenes = int(batch * SCENE_SHARE)
        picks = random.integers(0, len(self._by_concept), batch - scenes)
        rows = torch.tensor([int(random.choice(self._by_concept[pick])) for pick in picks])
        places = torch.from_numpy(random.integers(0, len(self._scenes), scenes))
        clean = torch.cat([self._layers[rows], self._scenes[places]])
        none = torch.zeros_like(self._layers[:1]).expand(len(rows), -1, -1, -1)
        conditions = torch.cat([none, self._conditions[places]])
        ids, mask = (
            torch.cat([layer[rows], scene[places]])
            for layer, scene in zip(self._layer_tokens, self._scene_tokens, strict=True)
        )
        drop = torch.from_numpy(random.random(batch) < PROMPT_DROP)[:, None]
        ids = torch.where(drop, self._empty[0], ids)
        return clean, conditions, ids, torch.where(drop, self._empty[1], mask)


def train_denoiser(
    language_model: Path,
    out: Path,
    steps: int,
    batch: int,
    seed: int,
    report: Report,
    start: Path | None = None,
) -> None:
    """Train on the pool in `out`; checkpoints and sample sheets go there too.

    `start` is a model folder whose weights to begin with.
    """
    torch.manual_seed(seed)
    painter = build_painter(language_model, out / "token-vectors.pt")
    painter.denoiser.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    modules = {"denoiser": painter.denoiser, "text_encoder": painter.text_encoder}
    if start:
        start_from(modules, start)
    trainee = Trainee(modules, Schedule(steps, 1e-3, average=0.998))
    pool = read_pool(out)
    scale = LatentScale.of(torch.cat([pool.layers, pool.scenes]))
    if workers.rank() == 0:
        (out / SCALE_FILE).write_text(json.dumps(asdict(scale)), encoding="utf-8")
    batches = PoolBatches(pool, scale, painter, seed)
    pair = load_transparency(out)

    def losses_at(number: int) -> tuple[Tensor, Losses]:
        clean, condition, ids, mask = batches.at(number, batch)
        random = torch.Generator().manual_seed(number + seed)
        noise = torch.randn(clean.shape, generator=random)
        sigma = torch.sigmoid(torch.randn(batch, generator=random))
        level = sigma.view(-1, 1, 1, 1)
        noisy = (1 - level) * clean + level * noise
        with training_autocast():
            text = painter.text_encoder(ids, attention_mask=mask).last_hidden_state
            predicted = painter.velocity(noisy, condition, sigma, text)
        loss = functional.mse_loss(predicted.float(), noise - clean)
        return loss, {"velocity": loss}

    def on_sample(step: int) -> None:
        averaged = build_painter(language_model, out / "token-vectors.pt")
        averaged.denoiser.load_state_dict(trainee.averaged("denoiser"))
        averaged.text_encoder.load_state_dict(trainee.averaged("text_encoder"))
        write_samples(averaged, pair, scale, out / f"denoiser-{step}.png")

    train(trainee, out / "denoiser.pt", losses_at, report, on_sample)


@torch.no_grad()
def write_samples(painter: Painter, pair: Transparency, scale: LatentScale, file: Path) -> None:
    """A row of layers on white, and a row of scenes painted around them."""
    count = len(SAMPLE_PROMPTS)
    shape = (count, painter.denoiser.config["out_channels"], 16, 16)
    nothing = torch.zeros(shape)
    layers = paint(painter, list(SAMPLE_PROMPTS), nothing, seed=1)
    _, decoded = pair.decode(scale.undo(layers))
    rgba = torch.cat([decoded[:, 1:], decoded[:, :1]], 1).clamp(0, 1)
    places = ("green hills under a blue sky", "a sandy beach at sunset", "a city street at night")
    scenes = paint(painter, [places[i % 3] for i in range(count)], layers, seed=2)
    pictures, _ = pair.decode(scale.undo(scenes))
    pictures = pictures.clamp(0, 1)
    write_rows(file, [over(rgba, 1.0), pictures, over(rgba, pictures)])


def paint(
    painter: Painter,
    prompts: list[str],
    condition: Tensor,
    seed: int,
    steps: int = 20,
    guidance: float = 3.0,
) -> Tensor:
    """Euler steps from noise to scaled latents [B, C, h, w], for looking at a training run."""
    text, empty = painter.read(prompts), painter.read([""] * len(prompts))
    latent = torch.randn(condition.shape, generator=torch.Generator().manual_seed(seed))
    levels = torch.linspace(1, 0, steps + 1)
    for level, following in zip(levels[:-1], levels[1:], strict=True):
        sigma = level.expand(len(prompts))
        positive = painter.velocity(latent, condition, sigma, text)
        negative = painter.velocity(latent, condition, sigma, empty)
        velocity = negative + guidance * (positive - negative)
        latent = latent + (following - level) * velocity
    return latent
