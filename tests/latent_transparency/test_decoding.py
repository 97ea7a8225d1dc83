from __future__ import annotations

import itertools

import pytest
import torch

from acetate.latent_transparency import TransparentDecoder, decode_transparent
from acetate.latent_transparency.flip_ensemble import TURNS, Turn, lower_median, turns_for


@pytest.fixture(scope="module")
def decoder() -> TransparentDecoder:
    torch.manual_seed(0)
    network = TransparentDecoder(
        latent_channels=3, widths=(8, 8, 16), layers_per_level=1, latent_level=1,
        attention_levels=(2,), head_dim=4,
    )  # fmt: skip
    torch.nn.init.normal_(network.latent_conv_in.weight)
    return network


def scene(images: int = 1, height: int = 16, width: int = 24) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(7)
    pixel = torch.rand(images, 3, height, width, generator=generator)
    return pixel, torch.randn(images, 3, height // 2, width // 2, generator=generator)


def test_one_pass_is_the_network_clipped_with_alpha_moved_last(
    decoder: TransparentDecoder,
) -> None:
    pixel, latent = scene()
    plain = decoder(pixel, latent).detach().clamp(0, 1)
    rgba = decode_transparent(decoder, pixel, latent, passes=1)
    assert torch.allclose(rgba, plain[:, [1, 2, 3, 0]], atol=1e-5)


def test_weights_with_alpha_last_keep_their_order(decoder: TransparentDecoder) -> None:
    pixel, latent = scene()
    ours = decode_transparent(decoder, pixel, latent, passes=2)
    flux = decode_transparent(decoder, pixel, latent, passes=2, alpha_last=True)
    assert torch.equal(flux[:, [1, 2, 3, 0]], ours)


@pytest.mark.parametrize("passes", [1, 2, 4, 8])
def test_passes_are_the_lower_median_of_turned_decodes(
    decoder: TransparentDecoder, passes: int
) -> None:
    pixel, latent = scene()
    stack = [
        turn.undo(decoder(turn.apply(pixel), turn.apply(latent)).detach().clamp(0, 1))
        for turn in turns_for(passes)
    ]
    expected = torch.stack(stack).sort(dim=0).values[(passes - 1) // 2]
    rgba = decode_transparent(decoder, pixel, latent, passes=passes)
    assert torch.allclose(rgba, expected[:, [1, 2, 3, 0]], atol=1e-5)


def test_eight_passes_do_not_depend_on_their_order(
    decoder: TransparentDecoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixel, latent = scene(height=16, width=16)
    forwards = decode_transparent(decoder, pixel, latent, passes=8)
    monkeypatch.setitem(TURNS, 8, TURNS[8][::-1])
    assert torch.equal(decode_transparent(decoder, pixel, latent, passes=8), forwards)


@pytest.mark.parametrize("chunk_pixels", [1, 16 * 24 * 3, 10**6])
def test_the_chunk_size_does_not_change_the_layer(
    decoder: TransparentDecoder, chunk_pixels: int
) -> None:
    pixel, latent = scene(images=3)
    whole = decode_transparent(decoder, pixel, latent, passes=8)
    chunked = decode_transparent(decoder, pixel, latent, passes=8, chunk_pixels=chunk_pixels)
    assert torch.allclose(whole, chunked, atol=1e-5)


def test_an_image_decodes_the_same_alone_and_in_a_batch(decoder: TransparentDecoder) -> None:
    pixel, latent = scene(images=3)
    batch = decode_transparent(decoder, pixel, latent, passes=8)
    for index in range(3):
        alone = decode_transparent(
            decoder, pixel[index : index + 1], latent[index : index + 1], passes=8
        )
        assert torch.allclose(batch[index : index + 1], alone, atol=1e-5)


def test_a_repeat_gives_the_same_bytes(decoder: TransparentDecoder) -> None:
    pixel, latent = scene(images=2)
    first, second = (decode_transparent(decoder, pixel, latent, passes=8) for _ in range(2))
    assert torch.equal(first, second)


@pytest.mark.parametrize(("height", "width"), [(18, 24), (16, 22), (10, 6)])
def test_other_sizes_are_padded_and_cropped_back(
    decoder: TransparentDecoder, height: int, width: int
) -> None:
    pixel, latent = scene(height=height, width=width)
    rgba = decode_transparent(decoder, pixel, latent, passes=8)
    assert rgba.shape == (1, 4, height, width)


def test_pixels_and_latent_of_different_pictures_are_refused(decoder: TransparentDecoder) -> None:
    pixel, latent = scene()
    with pytest.raises(ValueError, match="latent of 11 × 8 belongs to pixels of 22 × 16"):
        decode_transparent(decoder, pixel, latent[..., :-1])


@pytest.mark.parametrize("passes", [0, 3, 16, -8])
def test_other_numbers_of_passes_are_refused(decoder: TransparentDecoder, passes: int) -> None:
    with pytest.raises(ValueError, match="1, 2, 4 or 8"):
        decode_transparent(decoder, *scene(), passes=passes)


def test_decoding_leaves_its_inputs_alone(decoder: TransparentDecoder) -> None:
    pixel, latent = scene()
    before = pixel.clone(), latent.clone()
    decode_transparent(decoder, pixel, latent, passes=8)
    assert torch.equal(pixel, before[0])
    assert torch.equal(latent, before[1])


def test_every_turn_is_undone_and_no_two_are_alike() -> None:
    image = torch.arange(12.0).reshape(1, 3, 4)
    for turn in TURNS[8]:
        assert torch.equal(turn.undo(turn.apply(image)), image)
    square = torch.arange(9.0).reshape(1, 3, 3)
    for one, other in itertools.combinations(TURNS[8], 2):
        assert not torch.equal(one.apply(square), other.apply(square))


def test_four_passes_keep_the_sides_where_they_are() -> None:
    assert not any(turn.lying for turn in TURNS[4])
    assert Turn(False, 1).lying


def test_the_median_of_an_even_count_is_the_lower_middle() -> None:
    stack = torch.tensor([[4.0], [1.0], [3.0], [2.0]])
    assert lower_median(stack).item() == 2.0
