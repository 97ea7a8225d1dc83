"""Stage 3: the denoiser on the transparent latents (rectified flow), for every task of the modes.

It goes on from the weights of a model folder whose denoiser has the same levels, the outermost
excepted. Guidance is taught to it at the end, so that painting needs none.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional

from acetate.embedded.denoiser import Denoiser
from acetate.embedded.text_encoder import TextEncoder
from acetate.models.weights import in_channels_last, read_weights
from acetate.pipelines.embedded import TASKS

from .architecture import build_denoiser, build_text_encoder
from .dataset import read_picture_set
from .gradients import seed_everything
from .latent_batches import LatentBatches, task_tokens
from .loop import Losses, Report, Schedule, Trainee, train
from .precision import training_autocast
from .sources import read_concepts
from .tokens import build_tokenizer, static_token_vectors
from .whole_files import written_whole

GUIDED_FROM = 0.82
"""Share of the training after which the target is a guided one."""
GUIDED_TASKS = ("text", "background", "foreground", "control")
DENOISER_FILES = ("unet/model.safetensors", "unet/diffusion_pytorch_model.safetensors")
TEXT_FILE = "text_encoder/model.safetensors"
RATE = 8e-4


@dataclass
class Painter:
    """The two networks that training changes, and the tokenizer that feeds them."""

    denoiser: Denoiser
    text_encoder: TextEncoder
    tokenizer: Tokenizer

    def read(self, prompts: list[str], tasks: list[str]) -> Tensor:
        """Prompts as [B, 24, D], each begun by the word for its task."""
        encoded = self.tokenizer.encode_batch(prompts)
        ids = torch.tensor([one.ids for one in encoded])
        ids[:, 0] = task_tokens(tasks)
        return self.text_encoder(ids, torch.tensor([one.attention_mask for one in encoded]))


def build_painter(language_model: Path, vectors_file: Path) -> Painter:
    """Untrained networks over the frozen static token vectors, which are cached in a file.

    The tokens that name tasks get vectors of their own.
    """
    tokenizer = build_tokenizer(language_model)
    if not vectors_file.is_file():
        vectors = static_token_vectors(language_model)
        written_whole(vectors_file, lambda part: torch.save(vectors, part))
    text_encoder = build_text_encoder(tokenizer.get_vocab_size())
    table = text_encoder.embeddings.word_embeddings.weight
    table.data.copy_(torch.load(vectors_file, weights_only=True))
    random = torch.Generator().manual_seed(0)
    last = max(TASKS.values()) + 2
    table.data[1 : last + 1] = torch.randn(last, table.shape[1], generator=random) * 0.5
    table.requires_grad_(False)
    return Painter(build_denoiser(), text_encoder, tokenizer)


def go_on_from(painter: Painter, model: Path) -> None:
    """Take the weights of a model folder where they fit.

    FileNotFoundError when it has no denoiser.
    """
    files = [model / name for name in DENOISER_FILES if (model / name).is_file()]
    if not files:
        raise FileNotFoundError(f"there is no denoiser in {model}; --start needs a model folder")
    own = painter.denoiser.state_dict()
    weights = {name: value.float() for name, value in read_weights(files[0]).items()}
    fitting = {
        name: value
        for name, value in weights.items()
        if name in own and own[name].shape == value.shape
    }
    painter.denoiser.load_state_dict(fitting, strict=False)
    words = {name: value.float() for name, value in read_weights(model / TEXT_FILE).items()}
    words.pop("embeddings.word_embeddings.weight")
    painter.text_encoder.load_state_dict(words, strict=False)


def train_denoiser(
    language_model: Path,
    packages: Path,
    data: Path,
    out: Path,
    steps: int,
    batch: int,
    seed: int,
    report: Report,
    start: Path | None = None,
) -> None:
    """Train on the shards in `out`; checkpoints go there too.

    `start` is a model folder whose weights to begin with.
    """
    seed_everything(seed)
    painter = build_painter(language_model, out / "token-vectors.pt")
    if start:
        go_on_from(painter, start)
    in_channels_last(painter.denoiser)
    modules = {"denoiser": painter.denoiser, "text_encoder": painter.text_encoder}
    trainee = Trainee(modules, Schedule(steps, RATE, warm_up=150, average=0.995))
    batches = LatentBatches(out, read_picture_set(data), read_concepts(packages))

    def losses_at(number: int) -> tuple[Tensor, Losses]:
        drawn = batches.at(number, batch, seed)
        random = torch.Generator().manual_seed(number + seed)
        noise = torch.randn(drawn.clean.shape, generator=random)
        level = drawn.levels.view(-1, 1, 1, 1)
        noisy, condition = (
            part.contiguous(memory_format=torch.channels_last)
            for part in ((1 - level) * drawn.clean + level * noise, drawn.condition)
        )
        target = noise - drawn.clean
        with training_autocast():
            text = painter.read(drawn.words, drawn.tasks)
            predicted = painter.denoiser(noisy, condition, drawn.levels, text).float()
        velocity = functional.mse_loss(predicted.detach(), target)
        if trainee.step > GUIDED_FROM * steps:
            with torch.no_grad():
                unasked = painter.read([""] * batch, drawn.tasks)
                without = painter.denoiser(noisy, condition, drawn.levels, unasked).float()
            guided = torch.tensor([float(task in GUIDED_TASKS) for task in drawn.tasks])
            target = target + guided.view(-1, 1, 1, 1) * (predicted.detach() - without)
        return functional.mse_loss(predicted, target), {"velocity": velocity}

    def on_sample(step: int) -> None:
        del step

    train(trainee, out / "denoiser.pt", losses_at, report, on_sample)
