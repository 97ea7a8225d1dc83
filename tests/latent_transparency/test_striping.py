from __future__ import annotations

import pytest
import torch

from acetate.latent_transparency import TransparentDecoder
from acetate.latent_transparency import tiled_convolution as striping


@pytest.fixture(scope="module")
def decoder() -> TransparentDecoder:
    torch.manual_seed(0)
    network = TransparentDecoder(widths=(8, 12, 16, 16), attention_levels=(3,), head_dim=4)
    torch.nn.init.normal_(network.latent_conv_in.weight)
    return network


def stripe_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(striping, "_LEAST_PIXELS", {"cpu": 1})
    monkeypatch.setattr(striping, "STRIPE_BYTES", 1)


@pytest.mark.parametrize(("height", "width"), [(64, 32), (8, 72), (200, 8)])
@pytest.mark.parametrize("images", [1, 3])
def test_stripes_leave_no_seam(
    decoder: TransparentDecoder,
    monkeypatch: pytest.MonkeyPatch,
    images: int,
    height: int,
    width: int,
) -> None:
    pixel = torch.rand(images, 3, height, width)
    latent = torch.randn(images, 4, height // 8, width // 8)
    with torch.inference_mode():
        whole = decoder(pixel, latent)
        stripe_everything(monkeypatch)
        striped = decoder(pixel, latent)
    assert torch.allclose(whole, striped, atol=2e-5)


@pytest.mark.parametrize("images", [1, 3])
def test_computing_the_finest_maps_twice_changes_nothing(
    decoder: TransparentDecoder, monkeypatch: pytest.MonkeyPatch, images: int
) -> None:
    pixel, latent = torch.rand(images, 3, 64, 32), torch.randn(images, 4, 8, 4)
    with torch.inference_mode():
        stripe_everything(monkeypatch)
        kept = decoder(pixel, latent)
        monkeypatch.setattr(striping, "SCARCE_PIXELS", 1)
        seen = pixel.clone()
        again = decoder(pixel, latent)
    assert torch.allclose(kept, again, atol=1e-6)
    assert torch.equal(pixel, seen)


def test_1024_pixels_in_stripes_are_those_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Narrow, as the full width would take minutes; `make bench` does that one."""
    torch.manual_seed(0)
    narrow = TransparentDecoder(widths=(4, 4, 8, 8, 8, 8, 8), head_dim=4)
    torch.nn.init.normal_(narrow.latent_conv_in.weight)
    pixel, latent = torch.rand(1, 3, 1024, 1024), torch.randn(1, 4, 128, 128)
    monkeypatch.setattr(striping, "_LEAST_PIXELS", {"cpu": 2**40})
    with torch.inference_mode():
        whole = narrow(pixel, latent)
        monkeypatch.setattr(striping, "_LEAST_PIXELS", {"cpu": 128 * 128})
        monkeypatch.setattr(striping, "SCARCE_PIXELS", 1)
        striped = narrow(pixel, latent)
    # A seam would stand out along the rows where stripes meet; here no pixel stands out at all.
    assert (whole - striped).abs().max() < 5e-5


def test_a_map_with_a_large_mean_is_normalised_precisely(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    norm, conv = torch.nn.GroupNorm(2, 4), torch.nn.Conv2d(4, 4, 3, padding=1)
    parts = [torch.randn(1, 3, 40, 40) + 30, torch.randn(1, 1, 40, 40) - 30]
    expected = conv(torch.nn.functional.silu(norm(torch.cat(parts, dim=1))))
    stripe_everything(monkeypatch)
    with torch.no_grad():
        striped = striping.norm_silu_conv(parts, norm, conv)
    assert torch.allclose(striped, expected, atol=1e-4)


def test_training_works_on_whole_maps(monkeypatch: pytest.MonkeyPatch) -> None:
    stripe_everything(monkeypatch)
    map_ = torch.zeros(1, 1, 512, 512)
    assert not striping.worthwhile(map_)
    with torch.no_grad():
        assert striping.worthwhile(map_)
