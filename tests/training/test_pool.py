from __future__ import annotations

import numpy as np
import pytest
import torch

from acetate.training.captions import caption, names_of, synonyms, with_article
from acetate.training.latent_scale import LatentScale
from acetate.training.memory import extra_drawings
from acetate.training.sources import Concept, render_svg
from acetate.training.views import changed, lines_of, moved

from .conftest import drawing

APPLE = Concept("1f34e", "red apple", ("fruit", "food"), 4, ("apple",), ("red_apple", "health"))


def test_articles_follow_the_noun() -> None:
    phrases = [with_article(noun) for noun in ("red apple", "owl", "cherries", "octopus")]
    assert phrases == ["a red apple", "an owl", "cherries", "an octopus"]


def test_a_word_for_a_colour_takes_the_place_of_the_drawings_own() -> None:
    random = np.random.default_rng(0)
    said = [caption(APPLE, "3d", random, word="blue") for _ in range(40)]
    assert sum("blue" in words for words in said) > 30
    assert not any("blue red" in words for words in said)


def test_names_come_from_the_label_first_and_synonyms_next() -> None:
    assert names_of(APPLE)[:2] == ["red apple", "apple"]
    assert "bike" in synonyms()["bicycle"]


def test_a_view_keeps_what_it_shows_in_the_frame() -> None:
    pixels = drawing("a", "3d").pixels
    small = moved(pixels, np.random.default_rng(1), 0.3, 0.4, turn=0)
    assert small.shape == pixels.shape
    assert 0.05 < (small[..., 3] > 127).sum() / (pixels[..., 3] > 127).sum() < 0.25


@pytest.mark.parametrize("word", ["blue", "old", "tiny"])
def test_a_drawing_can_be_made_what_a_word_says(word: str) -> None:
    pixels = drawing("a", "3d").pixels
    fresh = changed(pixels, word, np.random.default_rng(2))
    assert fresh is not None and not np.array_equal(fresh, pixels)


def test_the_lines_of_a_drawing_lie_on_its_outline() -> None:
    pixels = drawing("a", "3d").pixels
    lines = lines_of(pixels, np.random.default_rng(3), scribble=True)
    assert lines.shape == (*pixels.shape[:2], 3)
    assert lines[32, 8].min() > 127 and lines[32, 32].max() < 127


def test_our_own_drawings_can_all_be_rendered_and_have_names() -> None:
    own = extra_drawings(None)
    assert len(own) > 10
    for name, markup, names in own:
        assert names and name.startswith("acetate/")
        assert (render_svg(markup, 64)[..., 3] > 127).mean() > 0.05


def test_the_latent_scale_brings_latents_to_unit_spread_and_back() -> None:
    latents = torch.randn(8, 4, 4, 4, generator=torch.Generator().manual_seed(0)) * 3 + 2
    scale = LatentScale.of(latents)
    scaled = scale.apply(latents)
    assert abs(float(scaled.mean())) < 1e-5 and abs(float(scaled.std()) - 1) < 1e-5
    assert torch.allclose(scale.undo(scaled), latents, atol=1e-5)
