"""Whether the parts of a Flux folder fit each other, found out without its numbers."""

from __future__ import annotations

from acetate.pipelines.flux.components import FLUX_PARTS, FluxBase
from acetate.pipelines.rehearsing import check_flow, rehearsing, unfit


def rehearse_flux_folder(base: FluxBase, name: str) -> None:
    """Check the parts of a Flux folder against each other. Raises NotRecognised."""
    with rehearsing(name):
        _rehearse(base, name)


def _rehearse(base: FluxBase, name: str) -> None:
    transformer, vae, clip, t5 = (base.on_meta(part).config for part in FLUX_PARTS)
    if transformer["in_channels"] != 4 * vae["latent_channels"]:
        raise unfit(name, "its denoiser and its autoencoder are of different families")
    if transformer["pooled_projection_dim"] != clip.hidden_size:
        raise unfit(name, "its denoiser was made for another first text encoder")
    if transformer["joint_attention_dim"] != t5.d_model:
        raise unfit(name, "its denoiser was made for another second text encoder")
    pooled = base.pooled_tokenizer()("a cat")["input_ids"]
    if max(pooled) >= clip.vocab_size or max(base.token_tokenizer(8).encode("a").ids) >= (
        t5.vocab_size
    ):
        raise unfit(name, "a tokenizer has more words than its text encoder")
    check_flow(base.scheduler_config(), name)
