from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acetate.errors import BadImage, BadResult
from acetate.images.frame_pixels import crop, keep_alpha, place_layer, resample, show_frame
from acetate_bridge import Frame, FrameLimits, Image, Layer, PixelFormat, Rect, Size, plan_frame

LIMITS = FrameLimits(8, 16, 64, 64 * 64)


def image_of(samples: np.ndarray) -> Image:
    pixel_format: PixelFormat = "rgba8" if samples.dtype == np.uint8 else "rgba16"
    height, width, _ = samples.shape
    return Image(
        width, height, samples.astype(samples.dtype.newbyteorder("<")).tobytes(), pixel_format
    )


def samples_of(image: Image) -> np.ndarray:
    dtype = "u1" if image.format == "rgba8" else "<u2"
    return np.frombuffer(image.data, dtype).reshape(image.height, image.width, 4)


def document(rect: Rect) -> np.ndarray:
    """A picture in which every pixel tells its place in the document."""
    y, x = np.mgrid[rect.y : rect.bottom, rect.x : rect.right]
    planes = [x % 256, y % 256, (x // 256 + y // 256 * 16) % 256, np.full_like(x, 255)]
    return np.stack(planes, axis=-1).astype(np.uint8)


@settings(max_examples=100, deadline=None)
@given(st.integers(-500, 500), st.integers(-500, 500), st.integers(1, 64), st.integers(1, 64))
def test_what_is_not_scaled_lands_on_exactly_its_pixels(x: int, y: int, w: int, h: int) -> None:
    region = Rect(x, y, w, h)
    frame = plan_frame(region, FrameLimits(8, 8, 64, 64 * 64))
    canvas = image_of(document(frame.canvas))
    placed = place_layer(Layer(show_frame(canvas, frame)), frame)
    assert (placed.x, placed.y) == (x, y)
    if not frame.resampled:
        assert (samples_of(placed.image) == document(region)).all()
    assert (placed.image.width, placed.image.height) == (w, h)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(-300, 300), st.integers(-300, 300), st.integers(1, 150), st.integers(1, 150),
    st.integers(0, 20), st.sampled_from(["rgba8", "rgba16"]),
)  # fmt: skip
def test_scaled_layers_have_the_regions_size_and_place(
    x: int, y: int, w: int, h: int, context: int, pixel_format: PixelFormat
) -> None:
    frame = plan_frame(Rect(x, y, w, h), LIMITS, context)
    area = frame.size.pixels * (4 if pixel_format == "rgba8" else 8)
    painted = Image(frame.size.width, frame.size.height, bytes(area), pixel_format)
    placed = place_layer(Layer(painted), frame)
    assert (placed.x, placed.y, placed.image.width, placed.image.height) == (x, y, w, h)
    assert placed.image.format == pixel_format


@pytest.mark.parametrize("scale", [0.5, 2.0, 3.0])
def test_a_mark_comes_back_to_its_place_after_scaling(scale: float) -> None:
    frame = Frame(Rect(0, 0, 48, 48), Rect(0, 0, 48, 48), Size(int(48 * scale), int(48 * scale)))
    samples = np.zeros((48, 48, 4), np.uint8)
    samples[12:20, 28:36] = 255
    back = samples_of(place_layer(Layer(show_frame(image_of(samples), frame)), frame).image)
    ys, xs = np.nonzero(back[..., 3] > 127)
    assert (ys.min(), ys.max(), xs.min(), xs.max()) == (12, 19, 28, 35)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("size", [Size(13, 9), Size(80, 64)])
def test_colour_under_full_transparency_never_bleeds_in(dtype: type, size: Size) -> None:
    top = np.iinfo(dtype).max
    samples = np.zeros((32, 32, 4), dtype)
    samples[..., 1] = top  # hidden green
    samples[8:24, 8:24] = (top, 0, 0, top)
    scaled = samples_of(resample(image_of(samples), size)).astype(float) / top
    premultiplied = scaled[..., :3] * scaled[..., 3:]
    assert premultiplied[..., 1].max() < 1.5 / 255
    visible = scaled[..., 3] > 0.05
    assert scaled[visible][:, 0].min() > 0.95


def test_hidden_colour_stays_smooth() -> None:
    samples = np.zeros((32, 32, 4), np.uint8)
    samples[..., :3] = (200, 100, 50)
    samples[10:20, 10:20, 3] = 255
    scaled = samples_of(resample(image_of(samples), Size(70, 50)))
    assert abs(scaled[..., :3].astype(int) - (200, 100, 50)).max() <= 1


def test_sixteen_bits_do_not_band() -> None:
    ramp = np.linspace(0, 65535, 512).astype(np.uint16)
    samples = np.zeros((8, 512, 4), np.uint16)
    samples[..., 3] = ramp
    scaled = samples_of(resample(image_of(samples), Size(1024, 16)))
    assert len(np.unique(scaled[8, :, 3])) > 900


def test_an_opaque_picture_stays_opaque() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (40, 40, 4), np.uint8)
    noise[..., 3] = 255
    assert (samples_of(resample(image_of(noise), Size(64, 24)))[..., 3] == 255).all()


def test_an_image_at_the_frames_size_is_taken_as_it_is() -> None:
    frame = Frame(Rect(0, 0, 4, 4), Rect(0, 0, 4, 4), Size(8, 8))
    ready = Image(8, 8, bytes(256))
    assert show_frame(ready, frame) is ready


def test_images_and_results_of_other_sizes_are_refused() -> None:
    frame = Frame(Rect(0, 0, 4, 4), Rect(0, 0, 4, 4), Size(8, 8))
    wrong = Image(5, 4, bytes(80))
    with pytest.raises(BadImage, match="5 × 4"):
        show_frame(wrong, frame)
    with pytest.raises(BadResult, match="instead of 8 × 8"):
        place_layer(Layer(wrong), frame)


def test_cropping_the_whole_costs_nothing() -> None:
    image = Image(2, 2, bytes(16))
    assert crop(image, Rect(0, 0, 2, 2)) is image


@pytest.mark.parametrize("dtype", ["u1", "<u2"])
def test_alpha_that_is_to_be_kept_is_the_documents_own(dtype: str) -> None:
    samples = (np.arange(5 * 7 * 4).reshape(5, 7, 4) * 3 % 251).astype(dtype)
    source = image_of(samples)
    painted = Layer(Image(7, 5, bytes(len(source.data)), source.format))
    kept = samples_of(keep_alpha(painted, source).image)
    assert (kept[..., 3] == samples[..., 3]).all()
    assert not kept[..., :3].any()


def test_alpha_of_another_depth_is_scaled() -> None:
    deep = image_of(np.array([[[0, 0, 0, 65535]]], np.uint16))
    assert keep_alpha(Layer(Image(1, 1, bytes(4))), deep).image.data == b"\0\0\0\xff"
