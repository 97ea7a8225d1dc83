from __future__ import annotations

import torch

from acetate.pipelines.pipeline import Pipeline


def paint(pipeline: Pipeline, seed: int = 0, guidance: float = 3.0, side: int = 64) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    noise = pipeline.draw_noise(side, side, generator)
    prompt = pipeline.encode_prompt(["a red apple"], [""])
    return pipeline.denoise(noise, prompt, steps=3, guidance=guidance)


def test_decode_returns_the_size_that_was_encoded(tiny_pipeline: Pipeline) -> None:
    rgba = torch.rand(2, 4, 80, 112)
    latent = tiny_pipeline.encode_layer(rgba)
    assert latent.shape == (2, 4, 5, 7)
    assert tiny_pipeline.decode_layer(latent, passes=8).shape == rgba.shape
    assert tiny_pipeline.decode_image(latent).shape == (2, 3, 80, 112)


def test_encode_image_is_scaled_and_shifted(tiny_pipeline: Pipeline) -> None:
    rgb = torch.rand(1, 3, 64, 64)
    opaque = torch.cat([rgb, torch.ones(1, 1, 64, 64)], dim=1)
    difference = tiny_pipeline.encode_layer(opaque) - tiny_pipeline.encode_image(rgb)
    assert difference.abs().max() > 0  # the offset carries the transparency


def test_prompts_are_padded_to_one_length(tiny_pipeline: Pipeline) -> None:
    embedding = tiny_pipeline.encode_prompt(
        ["a cat", "a red apple under a blue sky " * 9], ["", ""]
    )
    assert embedding.positive.shape == embedding.negative.shape == (2, 24, 16)


def test_a_prompt_that_is_read_only_in_part_is_said_to_be(tiny_pipeline: Pipeline) -> None:
    said: list[str] = []
    tiny_pipeline.ladder.on_relief = said.append
    tiny_pipeline.encode_prompt(["a cat"], ["green hills"])
    assert said == []
    tiny_pipeline.encode_prompt(["a cat " * 40 + "green hills"], [""])
    tiny_pipeline.ladder.on_relief = None
    (sentence,) = said
    assert "reads prompts only so far" in sentence and "cat" in sentence
    assert "green hills" not in sentence


def test_a_prompt_embeds_the_same_alone_and_in_a_batch(tiny_pipeline: Pipeline) -> None:
    alone = tiny_pipeline.encode_prompt(["a cat"], [""]).positive
    together = tiny_pipeline.encode_prompt(["a cat", "green hills"], ["", ""]).positive
    torch.testing.assert_close(together[:1], alone)


def test_same_seed_gives_the_same_latent_and_another_seed_another(tiny_pipeline: Pipeline) -> None:
    assert torch.equal(paint(tiny_pipeline, 7), paint(tiny_pipeline, 7))
    assert not torch.equal(paint(tiny_pipeline, 7), paint(tiny_pipeline, 8))


def test_guidance_of_one_needs_no_negative_prompt(tiny_pipeline: Pipeline) -> None:
    generator = torch.Generator().manual_seed(0)
    noise = tiny_pipeline.draw_noise(64, 64, generator)
    avoiding = tiny_pipeline.encode_prompt(["a cat"], ["green hills"])
    plain = tiny_pipeline.encode_prompt(["a cat"], [""])
    one = tiny_pipeline.denoise(noise, avoiding, steps=2, guidance=1.0)
    other = tiny_pipeline.denoise(noise, plain, steps=2, guidance=1.0)
    assert torch.equal(one, other)


def test_the_condition_changes_what_is_painted(tiny_pipeline: Pipeline) -> None:
    noise = tiny_pipeline.draw_noise(64, 64, torch.Generator().manual_seed(0))
    prompt = tiny_pipeline.encode_prompt(["green hills"], [""])
    condition = tiny_pipeline.encode_layer(torch.rand(1, 4, 64, 64))
    with_it = tiny_pipeline.denoise(noise, prompt, steps=2, guidance=3.0, conditions=[condition])
    without = tiny_pipeline.denoise(noise, prompt, steps=2, guidance=3.0)
    assert not torch.equal(with_it, without)


def test_low_strength_stays_near_the_latent_it_starts_from(tiny_pipeline: Pipeline) -> None:
    noise = tiny_pipeline.draw_noise(64, 64, torch.Generator().manual_seed(0))
    prompt = tiny_pipeline.encode_prompt(["a cat"], [""])
    start = torch.full_like(noise, 3.0)
    distances = [
        (
            tiny_pipeline.denoise(
                noise, prompt, steps=4, guidance=1.0, latent=start, strength=strength
            )
            - start
        )
        .abs()
        .mean()
        for strength in (0.1, 0.9)
    ]
    assert distances[0] < distances[1]
