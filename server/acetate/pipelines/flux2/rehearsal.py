"""Whether the parts of a folder of FLUX.2 fit each other, found out without its numbers."""

from __future__ import annotations

from pathlib import Path

from acetate.pipelines.flux2.components import Flux2Base
from acetate.pipelines.flux2.pipeline import HEARD
from acetate.pipelines.language_rehearsal import rehearse_language_model
from acetate.pipelines.rehearsing import check_flow, rehearsing, unfit


def rehearse_folder(folder: Path, name: str) -> None:
    """Raises NotRecognised with what does not fit."""
    with rehearsing(name):
        _rehearse(folder, name)


def _rehearse(folder: Path, name: str) -> None:
    base = Flux2Base(folder)
    encoder = base.config("text_encoder")
    if "Qwen3ForCausalLM" not in str(encoder.get("architectures")):
        raise unfit(
            name,
            "its text encoder is not Qwen3: of FLUX.2, Acetate paints with the klein models only",
        )
    transformer, vae = (base.on_meta(part).config for part in ("transformer", "vae"))
    if transformer["in_channels"] != 4 * vae["latent_channels"]:
        raise unfit(name, "its denoiser and its autoencoder are of different families")
    if transformer["guidance_embeds"]:
        raise unfit(name, "its denoiser reads its guidance, which no klein model does")
    rehearse_language_model(folder / "text_encoder", encoder, name)
    if encoder["hidden_size"] * len(HEARD) != transformer["joint_attention_dim"]:
        raise unfit(name, "its denoiser was made for another text encoder")
    if encoder["num_hidden_layers"] < HEARD[-1]:
        raise unfit(name, f"its text encoder has fewer than {HEARD[-1]} layers")
    if max(base.tokenizer()("a cat")["input_ids"]) >= encoder["vocab_size"]:
        raise unfit(name, "its tokenizer has more words than its text encoder")
    check_flow(base.scheduler_config(), name)
